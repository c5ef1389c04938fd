"""What a published model is: signature, manifest, golden rows and hashes. No input or output here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.errors import ManifestError

SCHEMA_VERSION = 1
MANIFEST_BYTES_LIMIT = 32 * 1024 * 1024

Scalar = bool | int | float | str
Label = Annotated[Scalar, Field(union_mode="left_to_right")]
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
FILE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"

FeatureDtype = Literal["float64", "float32", "int64", "bool", "string"]
OutputDtype = Literal["float64", "float32", "int64", "bool", "string"]
Task = Literal["classification", "regression", "outlier detection", "clustering"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_M = TypeVar("_M", bound=_Model)

UNSEEN = -1.0
"""The code of a string that is none of its feature's categories."""


class Rows(NamedTuple):
    """Decoded rows, split by kind. Each block keeps the signature's order of its features.

    ``numbers`` is float64 of shape (rows, numeric and boolean features), NaN where missing and 0 or 1 for a
    boolean; ``strings`` is an object array of shape (rows, string features) of ``str``, None where missing.
    ``codes``, where the decoder found them on its way, is float64 of the same shape: see ``Feature.codes``.
    """

    numbers: NDArray[np.float64]
    strings: NDArray[np.object_]
    codes: NDArray[np.float64] | None = None

    def take(self, index: Any) -> Rows:
        """Some of the rows, by a slice, a mask or indices."""
        return Rows(self.numbers[index], self.strings[index], None if self.codes is None else self.codes[index])

    @staticmethod
    def join(parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        codes = [part.codes for part in parts if part.codes is not None]
        return Rows(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.strings for part in parts]),
            np.concatenate(codes) if len(codes) == len(parts) else None,
        )


class Answers(NamedTuple):
    """What an engine answers for n rows, typed as the estimator's own answers are.

    ``predictions`` has shape (n,) or (n, outputs). ``probabilities`` and ``decision_values`` are None unless
    asked for; probabilities are one array (n, classes), or one such array for each output of a multi-output
    classifier; decision values are (n,) or (n, columns) as scikit-learn gives them.
    """

    predictions: NDArray[Any]
    probabilities: NDArray[Any] | tuple[NDArray[Any], ...] | None = None
    decision_values: NDArray[Any] | None = None

    def take(self, index: Any) -> Answers:
        """The answers to some of the rows, by a slice, a mask or indices."""
        probabilities = self.probabilities
        if isinstance(probabilities, tuple):
            probabilities = tuple(part[index] for part in probabilities)
        elif probabilities is not None:
            probabilities = probabilities[index]
        decision_values = None if self.decision_values is None else self.decision_values[index]
        return Answers(self.predictions[index], probabilities, decision_values)


class Feature(_Model):
    """One input column, and which of its values the estimator takes.

    ``categories`` are the values of a category or string column that the model tells apart; where ``closed``, the
    estimator refuses any other. ``accepts_min`` and ``accepts_max`` bound what the estimator takes (inclusive);
    ``seen_min`` and ``seen_max`` only describe the sample rows. ``missing`` is what a null becomes for the
    estimator in a string column. ``frame_dtype`` is the column's dtype in the estimator's own data frame.
    """

    name: str
    dtype: FeatureDtype
    nullable: bool
    missing: Literal["nan", "none", "na"] = "nan"
    categories: tuple[Label, ...] | None = None
    closed: bool = False
    accepts_min: float | None = None
    accepts_max: float | None = None
    seen_min: float | None = None
    seen_max: float | None = None
    frame_dtype: str | None = None

    @property
    def is_string(self) -> bool:
        return self.dtype == "string"

    def codes(self) -> dict[str | None, float]:
        """A string feature's categories by their place, NaN for a missing value; any other string is ``UNSEEN``."""
        places: dict[str | None, float] = {str(value): float(i) for i, value in enumerate(self.categories or ())}
        return places | {None: np.nan}


class Outputs(_Model):
    """What ``predict`` answers for one row.

    ``width`` is None for a single value a row, else the number of values. ``classes`` holds the labels of a
    classifier: one tuple, or one for each output of a multi-output classifier. ``probabilities`` tells whether the
    model gives them; ``decision_width`` is None where there is no decision function, 0 for one value a row, else
    the number of columns.
    """

    dtype: OutputDtype
    width: int | None = None
    classes: tuple[Label, ...] | None = None
    classes_by_output: tuple[tuple[Label, ...], ...] | None = None
    probabilities: bool = False
    decision_width: int | None = None


class Signature(_Model):
    """The rows that a model takes and the answers that it gives.

    ``container`` is what the estimator was given: a NumPy array (n, features), a pandas frame with named columns,
    or a plain list of texts.
    """

    container: Literal["array", "frame", "texts"]
    features: tuple[Feature, ...] = Field(min_length=1)
    outputs: Outputs

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError("feature names repeat")
        return self

    @property
    def numeric(self) -> bool:
        """Whether every feature is a number or a boolean."""
        return not any(feature.is_string for feature in self.features)


class File(_Model):
    """One artifact file of a bundle; ``path`` is a plain name beside the manifest."""

    path: Annotated[str, Field(pattern=FILE_PATTERN)]
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=SHA256_PATTERN)]


class EngineSpec(_Model):
    """Which engine runs the artifact. ``types`` are the skops types that may be built, by exact name."""

    name: Literal["onnx", "sklearn"]
    version: str
    precision: Literal["float64", "float32"] | None = None
    file: Annotated[str, Field(pattern=FILE_PATTERN)]
    types: tuple[str, ...] = ()


class Candidate(_Model):
    """One engine that was tried on publish, what was measured, and why it was refused (None: chosen)."""

    engine: str
    max_abs_diff: float | None = None
    max_scaled_diff: float | None = None
    label_agreement: float | None = None
    refused: str | None = None


class Parity(_Model):
    """What publishing measured of the chosen engine against the estimator, on sample rows and hard rows."""

    reference: str
    sample_rows: int
    hard_rows: int
    max_abs_diff: float
    max_scaled_diff: float
    label_agreement: float
    candidates: tuple[Candidate, ...] = ()


class Golden(_Model):
    """Rows in the form of a request's ``instances``, and the estimator's own answers to them."""

    instances: tuple[Any, ...] = Field(min_length=1)
    predictions: tuple[Any, ...]
    probabilities: tuple[Any, ...] | None = None
    decision_values: tuple[Any, ...] | None = None

    @model_validator(mode="after")
    def _answers_equal_rows(self) -> Self:
        for answers in (self.predictions, self.probabilities, self.decision_values):
            if answers is not None and len(answers) != len(self.instances):
                raise ValueError("golden answers differ in number from golden rows")
        return self


class Manifest(_Model):
    """The manifest of one version; a version without it does not exist."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    version: Annotated[str, Field(pattern=NAME_PATTERN)]
    created_at: str
    task: Task
    estimator: str
    engine: EngineSpec
    files: tuple[File, ...] = Field(min_length=1)
    signature: Signature
    parity: Parity
    golden: Golden
    metrics: dict[str, float] = {}
    tags: dict[str, str] = {}
    versions: dict[str, str]

    @model_validator(mode="after")
    def _engine_file_is_listed(self) -> Self:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a file is listed twice")
        if self.engine.file not in paths:
            raise ValueError(f"the engine's file {self.engine.file!r} is not among the files")
        return self

    def encode(self) -> bytes:
        """The manifest as the JSON bytes that are stored and hashed."""
        return (json.dumps(self.model_dump(mode="json", exclude_defaults=False), ensure_ascii=False) + "\n").encode()

    def content_sha256(self) -> str:
        """The hash of what the model is and takes.

        Left out are its version and the moment it was made, and what measuring on another machine may change in
        the last bit: the answers and their parity.
        """
        content = self.model_dump(
            mode="json",
            exclude={
                "version": True,
                "created_at": True,
                "parity": True,
                "versions": True,
                "golden": {"predictions", "probabilities", "decision_values"},
            },
        )
        return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())


class Alias(_Model):
    """Where an alias points; ``previous`` is the version it pointed to before."""

    version: Annotated[str, Field(pattern=NAME_PATTERN)]
    manifest_sha256: Annotated[str, Field(pattern=SHA256_PATTERN)]
    promoted_at: str
    previous: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None

    def encode(self) -> bytes:
        return (self.model_dump_json() + "\n").encode()


def parse_manifest(data: bytes) -> Manifest:
    """Raises ManifestError, naming the first key that is wrong."""
    return _parse(Manifest, data, "manifest")


def parse_alias(data: bytes) -> Alias:
    """Raises ManifestError, naming the first key that is wrong."""
    return _parse(Alias, data, "alias")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parse(model: type[_M], data: bytes, what: str) -> _M:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise ManifestError(f"the {what} is not valid: {where}: {first['msg']}") from None
