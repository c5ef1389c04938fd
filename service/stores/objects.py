"""The layout of models as objects under keys, the same in a folder and in a bucket.

::

    <name>/versions/<version>/manifest.json     written last; a version without it does not exist
    <name>/versions/<version>/<artifact files>
    <name>/aliases/<alias>.json
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from service.bundle import (
    FILE_PATTERN,
    MANIFEST_BYTES_LIMIT,
    NAME_PATTERN,
    Alias,
    File,
    Manifest,
    parse_alias,
    parse_manifest,
)
from service.errors import ConflictError, ManifestError, NotFoundError, StoreError
from service.stores import Pointer

MANIFEST = "manifest.json"
ALIAS_BYTES_LIMIT = 16 * 1024

_NAME = re.compile(NAME_PATTERN)
_FILE = re.compile(FILE_PATTERN)


class Tagged(NamedTuple):
    """An object's bytes, and the mark of that state: another content has another tag."""

    data: bytes
    tag: str


class Objects(Protocol):
    """Bytes under keys, with conditional writes. Errors are those of ``Store``."""

    uri: str

    def read(self, key: str, limit: int) -> bytes:
        """The first ``limit`` bytes. Raises NotFoundError."""
        ...

    def read_tagged(self, key: str, limit: int, unless_tag: str | None) -> Tagged | None:
        """The first ``limit`` bytes with their tag; None if that still is ``unless_tag``. Raises NotFoundError."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Writes a new object, all of it or nothing. Raises ConflictError if there is one, whatever it holds."""
        ...

    def replace(self, key: str, data: bytes, tag: str) -> None:
        """Replaces the object that ``tag`` marks, all of it or nothing.

        Raises ConflictError if the object is in another state, NotFoundError if it is gone.
        """
        ...

    def list_folders(self, prefix: str) -> list[str]:
        """The names of folders directly beneath ``prefix``, which is empty or ends in a slash."""
        ...

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects beneath ``prefix``, which ends in a slash."""
        ...


class ObjectStore:
    """A ``Store`` on top of objects."""

    def __init__(self, objects: Objects) -> None:
        self.uri = objects.uri
        self._objects = objects

    def read_alias(self, name: str, alias: str) -> Pointer:
        pointer = self.poll_alias(name, alias, None)
        if pointer is None:
            raise StoreError(f"{self.uri} did not send the alias {alias!r} of {name}")
        return pointer

    def poll_alias(self, name: str, alias: str, tag: str | None) -> Pointer | None:
        try:
            found = self._objects.read_tagged(_alias_key(name, alias), ALIAS_BYTES_LIMIT + 1, tag)
        except NotFoundError as error:
            raise NotFoundError(f"{name} has no alias {alias!r}: {error}") from error
        if found is None:
            return None
        if len(found.data) > ALIAS_BYTES_LIMIT:
            raise ManifestError(f"the alias {alias!r} of {name} is larger than {ALIAS_BYTES_LIMIT} bytes")
        return Pointer(parse_alias(found.data), found.tag)

    def read_manifest(self, name: str, version: str) -> bytes:
        try:
            data = self._objects.read(_manifest_key(name, version), MANIFEST_BYTES_LIMIT + 1)
        except NotFoundError as error:
            raise NotFoundError(f"{name} has no version {version!r}: {error}") from error
        if len(data) > MANIFEST_BYTES_LIMIT:
            raise ManifestError(f"the manifest of {name} {version} is larger than {MANIFEST_BYTES_LIMIT} bytes")
        return data

    def read_file(self, name: str, version: str, path: str, *, limit: int) -> bytes:
        return self._objects.read(_file_key(name, version, path), limit)

    def list_models(self) -> list[str]:
        return sorted(name for name in self._objects.list_folders("") if _NAME.fullmatch(name))

    def list_versions(self, name: str) -> list[str]:
        return self._names(f"{_checked(name)}/versions/", f"/{MANIFEST}")

    def list_aliases(self, name: str) -> list[str]:
        return self._names(f"{_checked(name)}/aliases/", ".json")

    def create_version(self, manifest: Manifest, files: Mapping[str, bytes]) -> bool:
        for file in manifest.files:
            self._create_file(manifest, file, files[file.path])
        try:
            self._objects.create(_manifest_key(manifest.name, manifest.version), manifest.encode())
        except ConflictError as error:
            if self._content_sha256(manifest.name, manifest.version) == manifest.content_sha256():
                return False
            raise ConflictError(
                f"{manifest.name} {manifest.version} exists in {self.uri} with other content: a version never changes"
            ) from error
        return True

    def move_alias(self, name: str, alias: str, target: Alias, *, expected_tag: str | None) -> None:
        key, data = _alias_key(name, alias), target.encode()
        try:
            if expected_tag is None:
                self._objects.create(key, data)
            else:
                self._objects.replace(key, data, expected_tag)
        except (ConflictError, NotFoundError) as error:
            if not self._holds(key, data):  # else a write whose answer was lost met itself when it was sent again
                raise ConflictError(f"the alias {alias!r} of {name} was moved by somebody else meanwhile") from error

    def _create_file(self, manifest: Manifest, file: File, data: bytes) -> None:
        key = _file_key(manifest.name, manifest.version, file.path)
        try:
            self._objects.create(key, data)
        except ConflictError as error:
            # Left by a publisher of the same content that crashed or is at work: as good as written.
            if not self._holds(key, data):
                raise ConflictError(f"{error}, with other content than its name says") from error

    def _content_sha256(self, name: str, version: str) -> str | None:
        try:
            return parse_manifest(self.read_manifest(name, version)).content_sha256()
        except ManifestError:
            return None

    def _names(self, prefix: str, suffix: str) -> list[str]:
        keys = [key for key in self._objects.list_keys(prefix) if key.endswith(suffix)]
        names = (key.removeprefix(prefix).removesuffix(suffix) for key in keys)
        return sorted(name for name in names if _NAME.fullmatch(name))

    def _holds(self, key: str, data: bytes) -> bool:
        try:
            return self._objects.read(key, len(data) + 1) == data
        except NotFoundError:
            return False


def _manifest_key(name: str, version: str) -> str:
    return f"{_checked(name)}/versions/{_checked(version)}/{MANIFEST}"


def _file_key(name: str, version: str, path: str) -> str:
    if path == MANIFEST:
        raise StoreError(f"{path!r} cannot be one of a version's files")
    return f"{_checked(name)}/versions/{_checked(version)}/{_checked(path, _FILE)}"


def _alias_key(name: str, alias: str) -> str:
    return f"{_checked(name)}/aliases/{_checked(alias)}.json"


def _checked(part: str, pattern: re.Pattern[str] = _NAME) -> str:
    """The part of a key, if it cannot lead out of its folder."""
    if not pattern.fullmatch(part):
        raise StoreError(f"{part!r} is no name in a store")
    return part
