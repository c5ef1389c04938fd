"""A body made into one of numbers alone, byte for byte as long as before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.codec.named import Strings
from service.codec.vocabulary import Places, Text

# What a string or a null becomes, where nothing stands right beside it that would make another number of it. That a
# client sent the same number is noticed, for there are more of it than strings or nulls.
STRING_VALUE, NULL_VALUE = 9e9, 9e97
_STRING, _NULL = b"9e9", b"9e97"
_N = b"n"[0]
_SHORTEST = len(_STRING)
_BESIDE = np.zeros(256, bool)
_BESIDE[list(b"[]{},: \t\n\r")] = True


class MaskedBody:
    """A body's rows, from the bracket at ``first`` to that at ``last``, as they lose what is no number.

    ``text`` goes on for at least a word after the body.
    """

    def __init__(self, text: Text, first: int, last: int) -> None:
        self._text = text.copy()
        self._start = first + 1
        self._inside = self._text[self._start : last]

    def mask_names(self, keys: Strings) -> bool:
        """Makes rows by name arrays; ``keys`` have their colon right behind them. False if some are arrays already."""
        _blank(self._text, Strings(keys.starts, keys.ends + 1))
        if (self._inside == b"["[0]).any() or (self._inside == b"]"[0]).any():
            return False
        self._inside[self._inside == b"{"[0]] = b"["[0]
        self._inside[self._inside == b"}"[0]] = b"]"[0]
        return True

    def mask_strings(self, strings: Strings) -> bool:
        """Puts ``STRING_VALUE`` in their places; False if there is not the room for it."""
        if (strings.ends - strings.starts).min(initial=_SHORTEST) < _SHORTEST:
            return False
        if not self._stand_alone(strings.starts, strings.ends):
            return False
        _blank(self._text, strings)
        _words(self._text, 2)[strings.starts] = int.from_bytes(_STRING[:2], "little")
        self._text[strings.starts + 2] = _STRING[2]
        return True

    def mask_nulls(self) -> int | None:
        """Puts ``NULL_VALUE`` in the places of all nulls, once strings are gone; their number, None if not possible."""
        places = np.flatnonzero(self._inside == _N) + self._start
        if not places.size:
            return 0
        words = _words(self._text, len(_NULL))
        if (words[places] != int.from_bytes(b"null", "little")).any():
            return None
        if not self._stand_alone(places, places + len(_NULL)):
            return None
        words[places] = int.from_bytes(_NULL, "little")
        return len(places)

    def _stand_alone(self, starts: Places, ends: Places) -> bool:
        return bool(_BESIDE[self._text[starts - 1]].all() and _BESIDE[self._text[ends]].all())

    def to_bytes(self, size: int) -> bytes:
        """The first so many bytes."""
        return self._text[:size].tobytes()


def _blank(text: Text, strings: Strings) -> None:
    """Blanks in their places, several bytes at a time; the last ones overlap where the length is no multiple."""
    sizes = strings.ends - strings.starts
    shortest = int(sizes.min(initial=8))
    size = 8 if shortest >= 8 else 4 if shortest >= 4 else 2
    words = _words(text, size)
    for skip in range(0, int(sizes.max(initial=0)), size):
        words[np.minimum(strings.starts + skip, strings.ends - size)] = int.from_bytes(b" " * size, "little")


def _words(text: Text, size: int) -> NDArray[np.unsignedinteger]:
    """The number that the bytes from each place on make, which may also be written to."""
    words: NDArray[np.unsignedinteger] = np.ndarray(
        (max(0, len(text) - size + 1),), f"<u{size}", text.data, strides=(1,)
    )
    return words
