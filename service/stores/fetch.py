"""A version's manifest and files, read within bounds and verified before anything is parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.bundle import File, Manifest, parse_manifest, sha256
from service.errors import IntegrityError, ManifestError, NotFoundError
from service.stores import Store

BUNDLE_BYTES_LIMIT = 2 * 1024**3
"""All files of one version together; a protobuf message, and so an ONNX graph, cannot be larger."""


class Bundle(NamedTuple):
    """A version as it was published: every file has the size and the SHA-256 that the manifest names."""

    manifest: Manifest
    manifest_sha256: str
    files: Mapping[str, bytes]


def fetch(
    store: Store,
    name: str,
    version: str,
    manifest_sha256: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Bundle:
    """Reads a version. ``manifest_sha256`` is what an alias says of it.

    Raises BundleError if it is not what it claims to be, StoreError if it cannot be read.
    """
    manifest, found = fetch_manifest(store, name, version, manifest_sha256)
    _check_files(manifest)
    files = {}
    for file in manifest.files:
        if progress:
            progress(f"fetching {file.path} ({file.size:,} bytes)")
        files[file.path] = _fetch_file(store, manifest, file)
    return Bundle(manifest, found, files)


def fetch_manifest(store: Store, name: str, version: str, manifest_sha256: str | None = None) -> tuple[Manifest, str]:
    """A version's manifest and its SHA-256, without the files; otherwise as ``fetch``."""
    data = store.read_manifest(name, version)
    found = sha256(data)
    if manifest_sha256 not in (None, found):
        raise IntegrityError(f"the manifest of {name} {version} has SHA-256 {found}, its alias names {manifest_sha256}")
    manifest = parse_manifest(data)
    if (manifest.name, manifest.version) != (name, version):
        raise ManifestError(f"the manifest of {name} {version} is that of {manifest.name} {manifest.version}")
    return manifest, found


def _check_files(manifest: Manifest) -> None:
    what = f"{manifest.name} {manifest.version}"
    extra = [file.path for file in manifest.files if file.path != manifest.engine.file]
    if extra:
        raise IntegrityError(f"{extra[0]!r} of {what} is one file too many: the engine does not use it")
    if (size := sum(file.size for file in manifest.files)) > BUNDLE_BYTES_LIMIT:
        raise IntegrityError(f"the files of {what} have {size:,} bytes, the limit is {BUNDLE_BYTES_LIMIT:,}")


def _fetch_file(store: Store, manifest: Manifest, file: File) -> bytes:
    what = f"{file.path} of {manifest.name} {manifest.version}"
    try:
        data = store.read_file(manifest.name, manifest.version, file.path, limit=file.size + 1)
    except NotFoundError as error:
        raise IntegrityError(f"{what} is missing: {error}") from error
    if len(data) != file.size:
        size = f"{len(data):,}" if len(data) < file.size else f"over {file.size:,}"
        raise IntegrityError(f"{what} has {size} bytes, its manifest says {file.size:,}")
    if (found := sha256(data)) != file.sha256:
        raise IntegrityError(f"{what} has SHA-256 {found}, its manifest says {file.sha256}")
    return data
