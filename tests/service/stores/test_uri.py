from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import UsageError
from service.stores.uri import ModelUri, StoreUri, parse_model, parse_store


@pytest.mark.parametrize(
    ("text", "store", "name", "version", "alias"),
    [
        ("file:///dir/iris@production", "file:///dir", "iris", None, "production"),
        ("file:///dir/iris/7", "file:///dir", "iris", "7", None),
        ("file://localhost/dir/iris/7", "file:///dir", "iris", "7", None),
        ("file:///iris@a", "file:///", "iris", None, "a"),
        ("file:///a%20b/c%40d/iris@a", "file:///a%20b/c@d", "iris", None, "a"),
        ("file:///a@b/iris/1.2", "file:///a@b", "iris", "1.2", None),
        ("s3://bucket/prefix/iris@production", "s3://bucket/prefix", "iris", None, "production"),
        ("s3://bucket/iris/7", "s3://bucket", "iris", "7", None),
        ("s3://bucket/iris@production/", "s3://bucket", "iris", None, "production"),
        ("s3://my.bucket/a/b/iris/7/", "s3://my.bucket/a/b", "iris", "7", None),
        ("FILE:///dir/iris/7", "file:///dir", "iris", "7", None),
        ("file:///m%C3%BCnchen/iris/7", "file:///m%C3%BCnchen", "iris", "7", None),
    ],
)
def test_a_model_is_named_by_store_name_and_version_or_alias(
    text: str, store: str, name: str, version: str | None, alias: str | None
) -> None:
    uri = parse_model(text)
    assert (str(uri.store), uri.name, uri.version, uri.alias) == (store, name, version, alias)
    assert parse_model(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "does not name a model: write file:///"),
        ("iris@production", "does not name a model"),
        ("/dir/iris@production", "does not name a model"),
        ("file://dir/iris@production", "is not an absolute path: write file:/// with three slashes"),
        ("file:dir/iris@production", "is not an absolute path"),
        ("file:///dir", "names neither a version nor an alias"),
        ("s3://bucket", "names neither a version nor an alias"),
        ("s3://bucket/iris", "names neither a version nor an alias"),
        ("file:///dir/iris@", "'' cannot be an alias"),
        ("file:///dir/@production", "'' cannot be a model's name"),
        ("file:///dir/iris@a@b", "'iris@a' cannot be a model's name"),
        ("file:///dir/iris@../x", "'..' in its path|cannot be"),
        ("file:///dir/iris/a%20b", "'a b' cannot be a version"),
        ("file:///dir/../iris/7", "has the part '..' in its path"),
        ("file:///dir/%2e%2e/iris/7", "has the part '..' in its path"),
        ("file:///dir/./iris/7", "has the part '.' in its path"),
        ("file:///dir//iris/7", "has the part '' in its path"),
        ("file:///dir/a%2Fb/iris/7", "has the part 'a/b' in its path"),
        ("file:///dir/a%5Cb/iris/7", "in its path"),
        ("file:///dir/a%00b/iris/7", "in its path"),
        ("file:///dir/a\nb/iris/7", "has characters that no URI has"),
        ("s3://bucket/iris@production?versionId=3", "has a query or a fragment"),
        ("s3://bucket/iris@production?", "has a query or a fragment"),
        ("s3://bucket/iris@production#x", "has a query or a fragment"),
        ("s3:///iris@production", "names no bucket that S3 would allow: ''"),
        ("s3://Bucket/iris@production", "names no bucket"),
        ("s3://user:secret@bucket/iris@production", "^the URI holds a user or a password: [a-zA-Z ]*$"),
        ("s3://bucket:80/iris@production", "names no bucket"),
        ("s3://[::1/iris@production", "the URI is not one"),
        ("https://host/iris@production", "has the scheme 'https': only file:// and s3:// are known"),
        ("models:/iris@production", "has the scheme 'models'"),
    ],
)
def test_a_wrong_uri_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as raised:
        parse_model(text)
    assert "\n" not in str(raised.value)


def test_a_store_may_be_a_plain_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(parse_store("models/here")) == f"file://{tmp_path}/models/here"
    assert str(parse_store(".")) == f"file://{tmp_path}"
    assert str(parse_store("~/models")) == "file:///home/somebody/models"
    assert parse_store("/a b/c#d?e%f").parts == ("a b", "c#d?e%f")
    assert str(parse_store("s3://bucket/")) == "s3://bucket"


@pytest.mark.parametrize("text", ["", "s3:bucket", "models:/", "../\x00", "/a/../b"])
def test_a_store_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_store(text)


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
PARTS = st.text(min_size=1, max_size=8).filter(
    lambda part: part.isprintable() and part not in (".", "..") and not set(part) & set("/\\")
)


@given(parts=st.lists(PARTS, max_size=3), name=NAMES, last=NAMES, pinned=st.booleans())
def test_what_is_written_is_read_back(parts: list[str], name: str, last: str, pinned: bool) -> None:
    store = StoreUri("file", "", tuple(parts))
    uri = ModelUri(store, name, last if pinned else None, None if pinned else last)
    assert parse_model(str(uri)) == uri
    assert parse_store(str(store)) == store


@given(st.text(max_size=40))
def test_any_text_is_a_model_or_a_usage_error(text: str) -> None:
    for start in ("", "file:///", "s3://bucket/", "file:"):
        try:
            uri = parse_model(start + text)
        except UsageError:
            continue
        assert not {"..", ".", ""} & {*uri.store.parts, uri.name}
