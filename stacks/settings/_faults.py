"""A failed validation as one line: which key, what is allowed, what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from stacks.settings._environment import Environment
from stacks.settings._fields import Settings

_SHOWN = 100


class SettingsError(ValueError):
    """The operator's context is wrong; the message is one line that says what to change."""


def first_fault(error: ValidationError, name: str) -> str:
    """The line of one fault of the environment, an unknown key before others: a misspelt key is a missing one too."""
    errors = error.errors(include_url=False)
    return _line(min(errors, key=lambda found: found["type"] != "extra_forbidden"), f"environments.{escape(name)}")


def show(value: Any) -> str:
    """The value in one short line, as the context has it."""
    return json.dumps(value, default=repr)[:_SHOWN]


def escape(name: str) -> str:
    """A key as it may stand in a line."""
    return repr(name[:_SHOWN])[1:-1]


def suggest(name: str, known: Sequence[str]) -> str:
    """What was probably meant, else all there is."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _line(error: ErrorDetails, path: str) -> str:
    if error["type"] == "disagreement":
        return f"{path}.{error['msg']}"
    kind, loc = error["type"], error["loc"]
    if kind == "missing" and len(loc) > 1 and _is_form(loc[-2]):
        # What a form such as {"adopt": {...}} is known by: it is the field that is wrong.
        kind, loc = "no_form", loc[:-2]
    keys = [part for part in loc[:-1] if not _is_form(part)]
    if kind == "extra_forbidden" or not _is_form(loc[-1]):
        keys.append(loc[-1])
    names = [part for part in keys if isinstance(part, str)]
    siblings = _siblings(names)
    if names != ["name"]:  # what the environment stands under
        path += "".join(f"[{key}]" if isinstance(key, int) else f".{escape(key)}" for key in keys)
    if kind == "extra_forbidden":
        known = [name for name in siblings if name != "name" or len(names) > 1]
        return f"{path}: no such setting; {suggest(names[-1], known)}"
    expected = siblings[names[-1]].description or ""
    if isinstance(keys[-1], int):
        expected = expected.partition("each ")[2]
    if kind == "missing":
        return f"{path}: missing; expected {expected}"
    return f"{path}: expected {expected}, got {show(error['input'])}"


def _is_form(part: str | int) -> bool:
    """Whether it is the tag of a union's form, which is no key."""
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _siblings(names: Sequence[str]) -> dict[str, FieldInfo]:
    """All fields of the model that has, or has not, the last of these names."""
    fields: dict[str, FieldInfo] = {**Environment.model_fields}
    for name in names[:-1]:
        fields = {key: field for model in _models(fields[name].annotation) for key, field in model.model_fields.items()}
    return fields


def _models(annotation: Any) -> Iterator[type[Settings]]:
    """The models that a value of this type may be, or hold as items."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
