"""Stores: where published models live, and what may be done to them there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from service.bundle import Alias, Manifest
from service.stores.uri import StoreUri, parse_store


class Pointer(NamedTuple):
    """An alias as it was read; ``tag`` is the store's own mark of that state and changes with every move."""

    alias: Alias
    tag: str


class Store(Protocol):
    """Models, their immutable versions, and the aliases that point to them.

    Every method may raise UnavailableError (trying again may help) or another StoreError, and blocks while the store
    answers: not for the event loop. Calls may come from several threads.
    """

    uri: str
    """Where the store is, in the form that ``open_store`` takes."""

    def read_alias(self, name: str, alias: str) -> Pointer:
        """Where the alias points. Raises NotFoundError if there is none, ManifestError if it cannot be understood."""
        ...

    def poll_alias(self, name: str, alias: str, tag: str | None) -> Pointer | None:
        """As ``read_alias``, or None if the alias still is as ``tag`` marks it, which costs next to nothing."""
        ...

    def read_manifest(self, name: str, version: str) -> bytes:
        """The manifest's bytes, unparsed: their hash is checked first. Raises NotFoundError for no such version,
        ManifestError for more bytes than a manifest may have."""
        ...

    def read_file(self, name: str, version: str, path: str, *, limit: int) -> bytes:
        """The first ``limit`` bytes of a version's file. Raises NotFoundError."""
        ...

    def list_models(self) -> list[str]:
        """The names of models, sorted."""
        ...

    def list_versions(self, name: str) -> list[str]:
        """The versions that exist, sorted; none for a name that does not."""
        ...

    def list_aliases(self, name: str) -> list[str]:
        """The aliases that exist, sorted; none for a name that does not."""
        ...

    def create_version(self, manifest: Manifest, files: Mapping[str, bytes]) -> bool:
        """Writes a version, its manifest last. False if the same content already stands there.

        A crash at any point leaves nothing that a reader takes for a version, and the same call can be made again.
        Raises ConflictError if other content stands there.
        """
        ...

    def move_alias(self, name: str, alias: str, target: Alias, *, expected_tag: str | None) -> None:
        """Points the alias to ``target`` if it still is as ``expected_tag`` marks it (None: if it does not exist).

        Raises ConflictError if somebody else moved it.
        """
        ...


def open_store(uri: str | StoreUri) -> Store:
    """The store at ``file:///dir``, ``s3://bucket/prefix`` or a plain path. Raises UsageError for any other.

    Nothing is read or written yet; a store that does not exist shows when it is used.
    """
    from service.stores.objects import ObjectStore

    place = uri if isinstance(uri, StoreUri) else parse_store(uri)
    if place.scheme == "file":
        from service.stores.local import LocalObjects

        return ObjectStore(LocalObjects(place))
    from service.stores.s3 import S3Objects

    return ObjectStore(S3Objects(place))
