"""Moving an alias to a version that is proven, and what else is done to versions in a store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from service.bundle import Alias, Manifest
from service.errors import BundleError, NotFoundError
from service.model import build_model
from service.stores import Pointer, Store
from service.stores.fetch import fetch, fetch_manifest
from service.stores.uri import ModelUri

Progress = Callable[[str], None]


class Promotion(NamedTuple):
    """Where an alias points now. ``replaced`` is the version before; ``moved`` is False if it pointed there already."""

    name: str
    alias: str
    version: str
    replaced: str | None
    moved: bool


class Proof(NamedTuple):
    """A version whose files have the hashes of its manifest, and whose engine gave the golden answers here and now."""

    manifest: Manifest
    manifest_sha256: str


class ListedVersion(NamedTuple):
    """A version in a store: its manifest, or what is wrong with that."""

    version: str
    manifest: Manifest | None
    problem: str | None


class ListedModel(NamedTuple):
    """A model in a store: its versions, the oldest first, and the version that each alias points to.

    An alias that cannot be understood points to None.
    """

    name: str
    versions: tuple[ListedVersion, ...]
    aliases: dict[str, str | None]


def promote(store: Store, name: str, version: str, alias: str, *, progress: Progress = lambda _: None) -> Promotion:
    """Verifies the version and points the alias to it.

    Raises BundleError if the version is not in order, ConflictError if somebody moved the alias since this call began,
    another StoreError if the store refuses.
    """
    pointer = _find_alias(store, name, alias)
    return _move(store, name, version, alias, pointer, pointer.alias.version if pointer else None, progress)


def rollback(store: Store, name: str, alias: str, *, progress: Progress = lambda _: None) -> Promotion:
    """Verifies the version that the alias pointed to before, and points it there again.

    The version left is not kept as the one before: a second rollback raises NotFoundError rather than bring back what
    was just withdrawn. Other errors are those of ``promote``.
    """
    pointer = store.read_alias(name, alias)
    if pointer.alias.previous is None:
        raise NotFoundError(f"the alias {alias!r} of {name} has no version before this one to go back to")
    return _move(store, name, pointer.alias.previous, alias, pointer, None, progress)


def verify(
    store: Store,
    name: str,
    version: str,
    manifest_sha256: str | None = None,
    *,
    progress: Progress = lambda _: None,
) -> Proof:
    """Fetches a version, checks every hash, builds its engine and reproduces the golden answers with it.

    Raises BundleError if anything differs, StoreError if it cannot be read.
    """
    bundle = fetch(store, name, version, manifest_sha256, progress)
    progress(f"reproducing {len(bundle.manifest.golden.instances)} golden answers with {bundle.manifest.engine.name}")
    build_model(bundle.manifest, bundle.manifest_sha256, bundle.files)
    return Proof(bundle.manifest, bundle.manifest_sha256)


def resolve(store: Store, uri: ModelUri) -> tuple[str, str | None]:
    """The version that a URI names, and the SHA-256 of its manifest if an alias names that. Raises StoreError."""
    if uri.version is not None:
        return uri.version, None
    alias = store.read_alias(uri.name, uri.alias or "").alias
    return alias.version, alias.manifest_sha256


def list_models(store: Store, name: str | None = None) -> list[ListedModel]:
    """Every model, or the one of that name. Raises NotFoundError if it has neither versions nor aliases."""
    models = [_list_model(store, found) for found in ([name] if name else store.list_models())]
    if name and not (models[0].versions or models[0].aliases):
        raise NotFoundError(f"there is no model {name!r} in {store.uri}")
    return [model for model in models if model.versions or model.aliases]


def _find_alias(store: Store, name: str, alias: str) -> Pointer | None:
    try:
        return store.read_alias(name, alias)
    except NotFoundError:
        return None


def _move(
    store: Store,
    name: str,
    version: str,
    alias: str,
    pointer: Pointer | None,
    previous: str | None,
    progress: Progress,
) -> Promotion:
    proof = verify(store, name, version, progress=progress)
    replaced = pointer.alias.version if pointer else None
    if pointer and (replaced, pointer.alias.manifest_sha256) == (version, proof.manifest_sha256):
        return Promotion(name, alias, version, replaced, moved=False)
    target = Alias(
        version=version,
        manifest_sha256=proof.manifest_sha256,
        promoted_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        previous=previous,
    )
    progress(f"moving the alias {alias} from {replaced or 'nowhere'} to {version}")
    store.move_alias(name, alias, target, expected_tag=pointer.tag if pointer else None)
    return Promotion(name, alias, version, replaced, moved=True)


def _list_model(store: Store, name: str) -> ListedModel:
    versions = [_list_version(store, name, version) for version in store.list_versions(name)]
    versions.sort(key=lambda listed: listed.manifest.created_at if listed.manifest else "")
    aliases = {alias: _list_alias(store, name, alias) for alias in store.list_aliases(name)}
    return ListedModel(name, tuple(versions), aliases)


def _list_alias(store: Store, name: str, alias: str) -> str | None:
    try:
        return store.read_alias(name, alias).alias.version
    except BundleError:
        return None


def _list_version(store: Store, name: str, version: str) -> ListedVersion:
    try:
        return ListedVersion(version, fetch_manifest(store, name, version)[0], None)
    except BundleError as error:
        return ListedVersion(version, None, str(error))
