"""A failed validation as one line: which key, what is allowed, what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stacks.settings._fields import Settings

_SHOWN = 100


class SettingsError(ValueError):
    """The operator's context is wrong; the message is one line that says what to change."""


def first_fault(error: ValidationError, model: type[Settings], path: str) -> str:
    """The line of one fault, an unknown key before others: a misspelt key is a missing one too."""
    errors = error.errors(include_url=False)
    return _line(min(errors, key=lambda found: found["type"] != "extra_forbidden"), model, path)


def show(value: Any) -> str:
    """The value in one short line, as the context has it."""
    return json.dumps(value, default=repr)[:_SHOWN]


def suggest(name: str, known: Sequence[str]) -> str:
    """What was probably meant, else all there is."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _line(error: ErrorDetails, model: type[Settings], path: str) -> str:
    if error["type"] == "disagreement":
        return f"{path}.{error['msg']}"
    kind, loc = error["type"], error["loc"]
    if kind == "missing" and len(loc) > 1 and _is_form(loc[-2]):
        # What a form such as {"adopt": {...}} is known by: it is the field that is wrong.
        kind, loc = "no_form", loc[:-2]
    keys = [part for part in loc if not _is_form(part)]
    key = path + "".join(f"[{part}]" if isinstance(part, int) else f".{_escape(part)}" for part in keys)
    names = [part for part in keys if isinstance(part, str)]
    siblings = _siblings(model, names)
    if kind == "extra_forbidden":
        return f"{key}: no such setting; {suggest(names[-1], list(siblings))}"
    expected = siblings[names[-1]].description or ""
    if isinstance(keys[-1], int):
        expected = expected.partition("each ")[2]
    return (
        f"{key}: missing; expected {expected}"
        if kind == "missing"
        else f"{key}: expected {expected}, got {show(error['input'])}"
    )


def _is_form(part: str | int) -> bool:
    """Whether it is the tag of a union's form, which is no key."""
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _escape(name: str) -> str:
    return repr(name[:_SHOWN])[1:-1]


def _siblings(model: type[Settings], names: Sequence[str]) -> dict[str, FieldInfo]:
    """All fields of the model that has, or has not, the last of these names."""
    fields: dict[str, FieldInfo] = {**model.model_fields}
    for name in names[:-1]:
        fields = {
            key: field for below in models_in(fields[name].annotation) for key, field in below.model_fields.items()
        }
    return fields


def models_in(annotation: Any) -> Iterator[type[Settings]]:
    """The models that a value of this type may be, or hold as items."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
