"""That two settings do not go together, as the checks between them find it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from stacks.settings._fields import Settings


class Disagreement(NamedTuple):
    """``key`` is a path such as ``scaling.schedules[0].name``; ``expected`` completes "expected ..."."""

    key: str
    expected: str
    why: str


def no_such_key(key: str, why: str) -> Disagreement:
    return Disagreement(key, "no such key here", why)


def is_given(settings: Settings, key: str) -> bool:
    """Whether the key was written down, rather than left to its default."""
    parent, _, last = key.rpartition(".")
    return last in value_at(settings, parent).model_fields_set


def given_below(settings: Settings, key: str) -> list[str]:
    """The keys that were written down in the object at this key, in the order of its fields."""
    below = value_at(settings, key)
    return [f"{key}.{name}" for name in type(below).model_fields if name in below.model_fields_set]


def value_at(settings: Settings, key: str) -> Any:
    """What stands at a path such as ``scaling.schedules[0].name``."""
    value: Any = settings
    for name in re.findall(r"\w+", key):
        value = value[int(name)] if name.isdecimal() else getattr(value, name)
    return value
