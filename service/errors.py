"""Every error that Alphard raises on purpose, free of HTTP.

AlphardError
├── SettingsError          a setting of the operator is unknown or wrong
├── UsageError             a command was called wrongly
├── PublishError           an estimator or its rows cannot be published
│   └── CompileError       no engine that was allowed answers as the estimator does
├── StoreError             a store refused, or could not be reached
│   ├── NotFoundError      no such object, version or alias
│   ├── ConflictError      a conditional write found something else
│   └── UnavailableError   the store did not answer in time; trying again may help
├── BundleError            a bundle is not what it claims to be
│   ├── ManifestError      the manifest cannot be read or contradicts itself
│   ├── IntegrityError     a file differs in size or SHA-256, is missing, or is one too many
│   └── GoldenError        the engine does not reproduce the golden answers
├── RequestError           a client's mistake
│   ├── MalformedError     the body is not JSON, or not an object of the expected form
│   ├── MediaTypeError     the content type is not JSON
│   ├── TooLargeError      the body or the number of rows is over the limit
│   └── RowsError          values that the signature refuses, each named by row and feature
├── NotReadyError          no model is loaded yet, or the task is draining
└── EngineError            the engine failed on rows that it should have taken
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class AlphardError(Exception):
    """Base of all errors raised on purpose; its text is one line, fit for a person."""


class SettingsError(AlphardError):
    """A setting of the operator is unknown or wrong."""


class UsageError(AlphardError):
    """A command was called wrongly."""


class PublishError(AlphardError):
    """An estimator or its rows cannot be published."""


class CompileError(PublishError):
    """No engine that was allowed answers as the estimator does."""


class StoreError(AlphardError):
    """A store refused, or could not be reached."""


class NotFoundError(StoreError):
    """No such object, version or alias."""


class ConflictError(StoreError):
    """A conditional write found something else than was expected."""


class UnavailableError(StoreError):
    """The store did not answer in time; trying again may help."""


class BundleError(AlphardError):
    """A bundle is not what it claims to be."""


class ManifestError(BundleError):
    """The manifest cannot be read or contradicts itself."""


class IntegrityError(BundleError):
    """A file differs in size or SHA-256, is missing, or is one too many."""


class GoldenError(BundleError):
    """The engine does not reproduce the golden answers."""


class RequestError(AlphardError):
    """A client's mistake."""


class MalformedError(RequestError):
    """The body is not JSON, or not an object of the expected form."""


class MediaTypeError(RequestError):
    """The content type is not JSON."""


class TooLargeError(RequestError):
    """The body or the number of rows is over the limit."""


class Problem(NamedTuple):
    """One wrong value: where it stands (``instances[3].mean_radius``) and what was expected."""

    location: str
    detail: str

    def __str__(self) -> str:
        return f"{self.location}: {self.detail}"


class RowsError(RequestError):
    """Values that the signature refuses, each named by row and feature.

    ``problems`` holds at most as many as the decoder's bound; ``more`` says whether it stopped there.
    """

    def __init__(self, problems: Sequence[Problem], *, more: bool = False) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)
        self.more = more


class NotReadyError(AlphardError):
    """No model is loaded yet, or the task is draining; ``reason`` is loading, failed or draining."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class EngineError(AlphardError):
    """The engine failed on rows that it should have taken."""
