"""Bundles that were tampered with: each is refused with its reason before anything of it is parsed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from service.bundle import Manifest, parse_manifest, sha256
from service.errors import BundleError, IntegrityError, ManifestError, NotFoundError
from service.stores import Store, open_store
from service.stores.fetch import fetch
from tests.service.bundles import make_bundle


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    """The folder of a version that is in order."""
    store.create_version(*make_bundle())
    return tmp_path / "iris" / "versions" / "1"


def artifact(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.name != "manifest.json")


def rewrite(folder: Path, change: dict[str, Any]) -> None:
    """Writes the manifest with other values; a key of several parts goes deeper."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    for key, value in change.items():
        place = manifest
        *above, last = (int(part) if part.isdigit() else part for part in key.split("."))
        for part in above:
            place = place[part]
        place[last] = value
    path.write_text(json.dumps(manifest))


def test_a_version_in_order_is_fetched_with_its_hash(store: Store, folder: Path) -> None:
    data = (folder / "manifest.json").read_bytes()
    bundle = fetch(store, "iris", "1", sha256(data))
    assert bundle.manifest == parse_manifest(data)
    assert bundle.manifest_sha256 == sha256(data)
    assert bundle.files == {bundle.manifest.engine.file: b"an artifact"}


def test_progress_names_each_file(store: Store, folder: Path) -> None:
    said: list[str] = []
    fetch(store, "iris", "1", progress=said.append)
    assert said == [f"fetching {artifact(folder).name} (11 bytes)"]


def test_any_bit_flipped_in_the_artifact_is_found(store: Store, folder: Path) -> None:
    path, data = artifact(folder), b"an artifact"
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(IntegrityError, match=r"model\..*\.onnx of iris 1 has SHA-256 .*, its manifest says"):
            fetch(store, "iris", "1")


def test_any_bit_flipped_in_the_manifest_is_found_by_the_aliass_hash(store: Store, folder: Path) -> None:
    path = folder / "manifest.json"
    data = path.read_bytes()
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(IntegrityError, match=r"the manifest of iris 1 has SHA-256 .*, its alias names"):
            fetch(store, "iris", "1", sha256(data))


def test_without_an_alias_a_flipped_bit_never_raises_anything_unforeseen(store: Store, folder: Path) -> None:
    path = folder / "manifest.json"
    data = path.read_bytes()
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with suppress(BundleError):  # a flipped digit of a metric is nobody's lie but the alias's to find
            fetch(store, "iris", "1")


@pytest.mark.parametrize("size", [0, 1, 10])
def test_a_truncated_artifact_is_refused(store: Store, folder: Path, size: int) -> None:
    artifact(folder).write_bytes(b"an artifact"[:size])
    with pytest.raises(IntegrityError, match=f"has {size} bytes, its manifest says 11"):
        fetch(store, "iris", "1")


def test_an_artifact_that_is_too_long_is_read_no_further_than_one_byte(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []
    read_file = store.read_file

    def watched(name: str, version: str, path: str, *, limit: int) -> bytes:
        limits.append(limit)
        return read_file(name, version, path, limit=limit)

    monkeypatch.setattr(store, "read_file", watched)
    artifact(folder).write_bytes(b"an artifact" * 1000)
    with pytest.raises(IntegrityError, match="has over 11 bytes, its manifest says 11"):
        fetch(store, "iris", "1")
    assert limits == [12]


@pytest.mark.parametrize("size", [0, 1, 100, 5000])
def test_a_truncated_manifest_is_refused(store: Store, folder: Path, size: int) -> None:
    path = folder / "manifest.json"
    data = path.read_bytes()
    path.write_bytes(data[: min(size, len(data) - 2)])
    with pytest.raises(ManifestError, match="the manifest is not valid: the document: Invalid JSON"):
        fetch(store, "iris", "1")


def test_a_missing_artifact_is_refused(store: Store, folder: Path) -> None:
    artifact(folder).unlink()
    with pytest.raises(IntegrityError, match=r"model\..*\.onnx of iris 1 is missing: .* does not exist"):
        fetch(store, "iris", "1")


def test_a_missing_manifest_is_a_missing_version(store: Store, folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(NotFoundError, match="iris has no version '1'"):
        fetch(store, "iris", "1")


def test_a_file_that_the_manifest_does_not_list_is_never_read(store: Store, folder: Path) -> None:
    (folder / "model.0123456789ab.onnx").write_bytes(b"left by a publisher that lost, or planted")
    assert list(fetch(store, "iris", "1").files.values()) == [b"an artifact"]


def test_a_listed_file_that_the_engine_does_not_use_is_one_too_many(store: Store, folder: Path) -> None:
    (folder / "hook.py").write_bytes(b"")
    listed = {"path": "hook.py", "size": 0, "sha256": sha256(b"")}
    own = {"path": artifact(folder).name, "size": 11, "sha256": sha256(b"an artifact")}
    rewrite(folder, {"files": [own, listed]})
    (folder / "hook.py").unlink()
    with pytest.raises(IntegrityError, match=r"'hook.py' of iris 1 is one file too many"):
        fetch(store, "iris", "1")


@pytest.mark.parametrize(
    "path",
    [
        "../../2/versions/model.onnx",
        "../model.onnx",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\\b",
        "a\x00b",
        "model.onnx\n",
        ".hidden",
        "s3://other/key",
        "x" * 201,
    ],
)
def test_a_path_that_could_leave_the_versions_folder_is_refused(store: Store, folder: Path, path: str) -> None:
    rewrite(folder, {"files.0.path": path, "engine.file": path})
    with pytest.raises(ManifestError, match=r"the manifest is not valid: (engine\.file|files\.0\.path)"):
        fetch(store, "iris", "1")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "wine"}, "the manifest of iris 1 is that of wine 1"),
        ({"version": "2"}, "the manifest of iris 1 is that of iris 2"),
        ({"files.0.size": 12}, "has 11 bytes, its manifest says 12"),
        ({"files.0.size": 10}, "has over 10 bytes, its manifest says 10"),
        ({"files.0.sha256": "0" * 64}, r"has SHA-256 .*, its manifest says 0000"),
        ({"files.0.size": 3 * 1024**3}, "the files of iris 1 have 3,221,225,472 bytes, the limit is"),
        ({"files.0.size": -1}, r"files\.0\.size: Input should be greater than or equal to 0"),
        ({"files.0.size": "11"}, r"files\.0\.size: Input should be a valid integer"),
        ({"files.0.sha256": "A" * 64}, r"files\.0\.sha256"),
        ({"files": []}, "files: .* at least 1 item"),
        ({"engine.file": "other.onnx"}, "the engine's file 'other.onnx' is not among the files"),
        ({"engine.name": "pickle"}, r"engine\.name: Input should be 'onnx' or 'sklearn'"),
        ({"schema_version": 2}, "schema_version: Input should be 1"),
        ({"run": "rm -rf"}, "run: Extra inputs are not permitted"),
    ],
)
def test_a_manifest_that_lies_is_refused(store: Store, folder: Path, change: dict[str, Any], complaint: str) -> None:
    rewrite(folder, change)
    with pytest.raises(BundleError, match=complaint):
        fetch(store, "iris", "1")


def test_a_link_in_the_place_of_the_artifact_that_leads_out_is_refused(
    store: Store, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "artifact"
    outside.write_bytes(b"an artifact")
    path = artifact(folder)
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(Exception, match="is a link that leads out of the store"):
        fetch(store, "iris", "1")


def test_whatever_the_manifest_claims_is_a_manifest_or_an_error_of_ours(store: Store, folder: Path) -> None:
    for data in (b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}', b"\x80\x04K\x01."):
        (folder / "manifest.json").write_bytes(data)
        with pytest.raises(ManifestError) as raised:
            fetch(store, "iris", "1")
        assert "\n" not in str(raised.value)


def test_manifests_are_what_they_were_after_a_round_trip() -> None:
    manifest, _ = make_bundle()
    assert Manifest.model_validate_json(manifest.encode()) == manifest
