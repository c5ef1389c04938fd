"""Names of stores and models: ``file:///dir/name@production``, ``s3://bucket/prefix/name/7``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from service.bundle import NAME_PATTERN
from service.errors import UsageError

FORMS = (
    "file:///dir/name@alias, file:///dir/name/version, s3://bucket/prefix/name@alias or s3://bucket/prefix/name/version"
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NAME = re.compile(NAME_PATTERN)


class StoreUri(NamedTuple):
    """Where a store is. ``parts`` are the folders of a path or of a key prefix, decoded and checked."""

    scheme: Literal["file", "s3"]
    bucket: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        parts = "/".join(map(_encode, self.parts))
        return f"{self.scheme}://{self.bucket}" + (f"/{parts}" if parts or not self.bucket else "")


class ModelUri(NamedTuple):
    """A model in a store: its version (pinned), or the alias that points to one."""

    store: StoreUri
    name: str
    version: str | None
    alias: str | None

    def __str__(self) -> str:
        last = (f"{self.name}@{self.alias}",) if self.alias else (self.name, self.version or "")
        return str(self.store._replace(parts=(*self.store.parts, *last)))


def parse_store(text: str) -> StoreUri:
    """The store at ``file:///dir``, ``s3://bucket/prefix`` or a plain path. Raises UsageError."""
    if text and not _SCHEME.match(text):
        text = Path(text).expanduser().absolute().as_uri()
    return _parse(text)


def parse_model(text: str) -> ModelUri:
    """A model's URI in one of ``FORMS``. Raises UsageError."""
    if not _SCHEME.match(text):
        raise UsageError(f"{text!r} does not name a model: write {FORMS}")
    scheme, bucket, parts = _parse(text)
    last = parts[-1] if parts else ""
    name, at, alias = last.rpartition("@")
    if at:
        return ModelUri(StoreUri(scheme, bucket, parts[:-1]), check_name(name), None, check_name(alias, "an alias"))
    if len(parts) < 2:
        raise UsageError(f"{text!r} names neither a version nor an alias: write {FORMS}")
    store = StoreUri(scheme, bucket, parts[:-2])
    return ModelUri(store, check_name(parts[-2]), check_name(last, "a version"), None)


def check_name(text: str, what: str = "a model's name") -> str:
    """``text`` itself, if it may name a model, a version or an alias. Raises UsageError."""
    if not _NAME.fullmatch(text):
        raise UsageError(f"{text!r} cannot be {what}: letters, digits, '.', '_' and '-', at most 128, no sign first")
    return text


def _parse(text: str) -> StoreUri:
    if not text.isprintable():
        raise UsageError("the URI has characters that no URI has")
    try:
        split = urlsplit(text)
    except ValueError as error:
        raise UsageError(f"the URI is not one: {error}") from error
    if "@" in split.netloc:
        raise UsageError("the URI holds a user or a password: credentials are found as the AWS tools find them")
    if split.query or split.fragment or text.endswith(("?", "#")):
        raise UsageError(f"{text!r} has a query or a fragment: write '?' and '#' in a path as %3F and %23")
    parts = _parse_path(text, split.path)
    if split.scheme == "file":
        return _parse_file(text, split, parts)
    if split.scheme == "s3":
        return _parse_s3(text, split, parts)
    raise UsageError(f"{text!r} has the scheme {split.scheme!r}: only file:// and s3:// are known")


def _parse_file(text: str, split: SplitResult, parts: tuple[str, ...]) -> StoreUri:
    if split.netloc not in ("", "localhost") or not split.path.startswith("/"):
        raise UsageError(f"{text!r} is not an absolute path: write file:/// with three slashes")
    return StoreUri("file", "", parts)


def _parse_s3(text: str, split: SplitResult, parts: tuple[str, ...]) -> StoreUri:
    if not _BUCKET.fullmatch(split.netloc):
        raise UsageError(f"{text!r} names no bucket that S3 would allow: {split.netloc!r}")
    return StoreUri("s3", split.netloc, parts)


def _parse_path(text: str, path: str) -> tuple[str, ...]:
    parts = tuple(map(unquote, path.removeprefix("/").removesuffix("/").split("/"))) if path.strip("/") else ()
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or "/" in part or "\\" in part:
            raise UsageError(f"{text!r} has the part {part!r} in its path")
    return parts


def _encode(part: str) -> str:
    return quote(part, safe="@:+,=!$&'()*~")
