"""The keys of rows by name, read from the bytes of all rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.codec.vocabulary import WORD_BYTES, Places, Text, as_sent, read_words

_COMMA, _SPACE, _BRACE = b", {"


class Strings(NamedTuple):
    """Where strings start, at their first quote, and where they end, after their second one."""

    starts: Places
    ends: Places

    def take(self, chosen: NDArray[np.bool_]) -> Strings:
        """Some of the strings, by a mask."""
        return Strings(self.starts[chosen], self.ends[chosen])


class NamedRows:
    """Finds out in which order rows name the features."""

    def __init__(self, names: Sequence[str]) -> None:
        self._features = {as_sent(name): i for i, name in enumerate(names)}
        self._width = len(names)

    def order(self, text: Text, keys: Strings, first_brace: int) -> Places | None:
        """For each feature, its place in a row; ``keys`` are all strings that a colon follows.

        None unless every row has all keys in the order of the first row, and these are all features. The first key of
        a row must stand right after a brace, the others after a comma, and such a brace after a comma: so each key has
        a value of its own if each row has as many values as keys. A blank may come after a comma.
        """
        if not len(keys.starts) or len(keys.starts) % self._width:
            return None
        starts = (keys.starts + 1).reshape(-1, self._width)
        sizes = (keys.ends - keys.starts - 1).reshape(-1, self._width)
        features = [
            self._features.get(text[at : at + size - 1].tobytes()) for at, size in zip(starts[0], sizes[0], strict=True)
        ]
        if set(features) != set(range(self._width)) or not _alike(text, starts, sizes):
            return None
        braces = starts[:, 0] - 2
        if braces[0] != first_brace or (text[braces] != _BRACE).any():
            return None
        if (_before(text, braces[1:]) != _COMMA).any() or (_before(text, starts[:, 1:] - 1) != _COMMA).any():
            return None
        return np.argsort(np.array(features, np.intp))


def _alike(text: Text, starts: Places, sizes: Places) -> bool:
    """Whether all rows have the strings of the first."""
    if (sizes != sizes[0]).any():
        return False
    for skip in range(0, int(sizes[0].max()), WORD_BYTES):
        words = read_words(text, starts + skip, sizes[0] - skip)
        if (words != words[0]).any():
            return False
    return True


def _before(text: Text, at: Places) -> Text:
    """The bytes before these places, or before a blank there."""
    before: Text = text[at - 1]
    return np.where(before == _SPACE, text[at - 2], before)
