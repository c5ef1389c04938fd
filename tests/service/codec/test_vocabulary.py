from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.codec.columns import StringColumn
from service.codec.vocabulary import LONGEST_BYTES, WORD_BYTES, Vocabulary, as_sent, read_words
from tests.service.codec.signatures import feature

STRINGS = st.text(max_size=12) | st.text("ab", min_size=1, max_size=40)


def column(*categories: str) -> StringColumn:
    return StringColumn(feature("x", "string", nullable=True, categories=categories))


def find(
    vocabulary: Vocabulary, rows: list[list[str | None]]
) -> tuple[list[list[str | None]], list[list[float]]] | None:
    """The strings and codes that are found for strings as they stand in a body."""
    body, starts, sizes = b"", [], []
    for value in (value for row in rows for value in row):
        starts.append(len(body) + 1)
        sizes.append(0 if value is None else len(value.encode()) + 1)
        body += b"null," if value is None else f'"{value}",'.encode()
    text = np.frombuffer(body + bytes(LONGEST_BYTES + WORD_BYTES), np.uint8)
    shape = (len(rows), len(rows[0]))
    entries = vocabulary.find(text, np.array(starts).reshape(shape), np.array(sizes).reshape(shape))
    return None if entries is None else (vocabulary.strings[entries].tolist(), vocabulary.codes[entries].tolist())


def test_strings_are_found_with_their_codes_column_by_column() -> None:
    vocabulary = Vocabulary([column("a", "b"), column("b", "a", "a longer one")])
    assert find(vocabulary, [["a", "a"], ["b", "a longer one"]]) == (
        [["a", "a"], ["b", "a longer one"]],
        [[0.0, 1.0], [1.0, 2.0]],
    )


def test_a_null_is_found_among_strings() -> None:
    found = find(Vocabulary([column("a")]), [["a"], [None]])
    assert found is not None
    assert found[0] == [["a"], [None]]
    assert np.isnan(found[1][1][0])


@pytest.mark.parametrize("other", ["b", "", "ab", "aaaaaaaa", "a\0", "a longer one", "a longer onf", "a longer one "])
def test_a_string_of_another_column_or_of_none_is_not_found(other: str) -> None:
    vocabulary = Vocabulary([column("a", "a longer oni"), column("b", "a longer onw")])
    assert find(vocabulary, [["a", "b"]]) is not None
    assert find(vocabulary, [["a", "b"], [other, "b"]]) is None


@settings(max_examples=200, deadline=None)
@given(st.sets(STRINGS.filter(as_sent), min_size=1, max_size=30), st.lists(STRINGS, min_size=1, max_size=9))
def test_just_the_known_strings_are_found(known: set[str], asked: list[str]) -> None:
    try:
        vocabulary = Vocabulary([column(*sorted(known))])
    except ValueError:
        assert any(len(each.encode()) + 2 > LONGEST_BYTES for each in known)
        return
    places = {value: float(i) for i, value in enumerate(sorted(known))}
    for value in [*asked, *known]:
        if as_sent(value) is not None:  # else it stands otherwise in a body
            assert find(vocabulary, [[value]]) == (([[value]], [[places[value]]]) if value in known else None)


def test_hundreds_of_strings_are_kept_apart() -> None:
    values = [f"value {i}" for i in range(250)]
    vocabulary = Vocabulary([column(*values), column(*values)])
    assert find(vocabulary, [[value, value] for value in values]) == (
        [[value, value] for value in values],
        [[float(i), float(i)] for i in range(250)],
    )


def test_a_string_that_is_written_otherwise_in_json_is_left_out() -> None:
    vocabulary = Vocabulary([column("a", 'q"', "tab\t", "back\\")])
    assert vocabulary.strings.tolist() == ["a", None]
    assert [as_sent(value) for value in ("é", 'q"', "tab\t", "\ud800")] == ["é".encode(), None, None, None]


def test_too_many_or_too_long_strings_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match="600 strings"):
        Vocabulary([column(*(f"{i}" for i in range(600)))])
    with pytest.raises(ValueError, match="strings of up to 63 bytes"):
        Vocabulary([column("x" * 63)])
    with pytest.raises(ValueError, match="a column knows no string"):
        Vocabulary([column("a"), column()])


def test_words_hold_as_many_bytes_as_asked_for() -> None:
    text = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    words = read_words(text, np.array([0, 0, 1, 2, 3]), np.array([-5, 0, 2, 8, 20]))
    assert [word.to_bytes(8, "little").rstrip(b"\0") for word in words.tolist()] == [
        b"",
        b"",
        b"bc",
        b"cdefghij",
        b"defghijk",
    ]
