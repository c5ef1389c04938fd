"""Strings that are known beforehand, found by their bytes, many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from service.codec.columns import StringColumn

Text = NDArray[np.uint8]
Places = NDArray[np.intp]

WORD_BYTES = 8
LONGEST_BYTES = 64
"""Of a string with its quotes."""

_MASKS = np.array([(1 << 8 * size) - 1 for size in range(WORD_BYTES + 1)], np.uint64)
_ENTRIES_LIMIT = 512
_SLOT_BITS = 16
_TRIES = 64


def read_words(text: Text, at: Places, sizes: Places) -> NDArray[np.uint64]:
    """Up to ``WORD_BYTES`` bytes from each place on, as one number; of a size over that, the first ones, below 0 none.

    ``text`` goes on for at least that many bytes after the last place.
    """
    words = np.ndarray((len(text) - WORD_BYTES + 1,), "<u8", text, strides=(1,))
    found: NDArray[np.uint64] = words[at] & _MASKS.take(sizes, mode="clip")
    return found


def as_sent(string: str) -> bytes | None:
    """How JSON writes the string between its quotes, None if that is not just its own characters."""
    try:
        written = orjson.dumps(string)[1:-1]
    except orjson.JSONEncodeError:  # a lone surrogate
        return None
    return written if written == string.encode() else None


class Vocabulary:
    """The strings that several columns know, as entries: ``strings`` and ``codes`` by entry, the last for null.

    A string's entry is looked up in a table at a place that a product of its bytes gives. The factor is chosen
    beforehand such that no two entries have the same place; what is found there is compared with the bytes.
    """

    def __init__(self, columns: Sequence[StringColumn]) -> None:
        """Raises ValueError where they know so many or so long strings that this is not the way to find them."""
        known = [
            (column, sent, value, code)
            for column, each in enumerate(columns)
            for value, code in each.codes.items()
            if value and (sent := as_sent(value)) is not None
        ]
        longest = max((len(sent) for _, sent, _, _ in known), default=0)
        if len({column for column, *_ in known}) < len(columns):
            raise ValueError("a column knows no string")
        if len(known) > _ENTRIES_LIMIT or longest + 2 > LONGEST_BYTES:
            raise ValueError(f"{len(known)} strings of up to {longest} bytes")
        self.strings = np.array([*(value for _, _, value, _ in known), None], object)
        self.codes = np.array([*(code for _, _, _, code in known), np.nan])
        self._longest = longest + 1  # with the quote that ends it
        self._salts = np.random.default_rng(0).integers(1 << 63, dtype=np.uint64, size=len(columns))
        self._words = self._entry_words([sent for _, sent, _, _ in known])
        self._columns = np.array([column for column, _, _, _ in known])
        self._factor, self._table = self._make_table()

    def find(self, text: Text, starts: Places, sizes: Places) -> Places | None:
        """The entries of strings (rows, columns) by where they start and how long they are, with the quote at the end.

        A size of 0 is a null. None if a string is not known to its column.
        """
        words = [read_words(text, starts + skip, sizes - skip) for skip in range(0, self._longest, WORD_BYTES)]
        found = self._table[self._slots(words, self._salts, self._factor, self._table)]
        fine = self._columns[found] == np.arange(len(self._salts))
        for entries, given in zip(self._words, words, strict=True):
            fine &= entries[found] == given
        if not fine.all():
            null = sizes == 0
            if not (fine | null).all():
                return None
            found[null] = len(self.strings) - 1
        return found

    def _entry_words(self, entries: Sequence[bytes]) -> list[NDArray[np.uint64]]:
        size = -(-self._longest // WORD_BYTES) * WORD_BYTES
        joined = b"".join((entry + b'"').ljust(size, b"\0") for entry in entries)
        return list(np.frombuffer(joined, "<u8").reshape(len(entries), -1).T)

    def _make_table(self) -> tuple[np.uint64, Places]:
        """Raises ValueError if no factor keeps all entries apart."""
        random = np.random.default_rng(1)
        count = len(self._columns)
        for bits in range(min(_SLOT_BITS, max(4, (count * count // 2).bit_length())), _SLOT_BITS + 1):
            table = np.zeros(1 << bits, np.intp)
            for factor in random.integers(1 << 63, dtype=np.uint64, size=_TRIES) * np.uint64(2) + np.uint64(1):
                slots = self._slots(self._words, self._salts[self._columns], factor, table)
                if len(np.unique(slots)) == count:
                    table[slots] = np.arange(count)
                    return factor, table
        raise ValueError(f"no table for {count} strings")

    @staticmethod
    def _slots(
        words: Sequence[NDArray[np.uint64]], salts: NDArray[np.uint64], factor: np.uint64, table: Places
    ) -> NDArray[np.uint64]:
        mixed = salts
        for word in words:
            mixed = mixed ^ word
            # The low half of a product does not depend on the high half of what is multiplied: it gets its share first.
            mixed = (mixed ^ (mixed >> np.uint64(32))) * factor
        slots: NDArray[np.uint64] = mixed >> np.uint64(65 - len(table).bit_length())
        return slots
