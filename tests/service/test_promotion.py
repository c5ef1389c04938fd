from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.bundle import File, Manifest, sha256
from service.errors import AlphardError, BundleError, ConflictError, GoldenError, IntegrityError, NotFoundError
from service.promotion import Promotion, list_models, promote, resolve, rollback, verify
from service.stores import Store, open_store
from service.stores.fetch import fetch_manifest
from service.stores.uri import parse_model
from tests.service.published import Engine, published, put

ENGINES: list[Engine] = ["onnx", "sklearn"]


@pytest.fixture
def store(store_uri: str) -> Store:
    return open_store(store_uri)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def with_artifact(manifest: Manifest, data: bytes, **changes: Any) -> tuple[Manifest, dict[str, bytes]]:
    """The version with another artifact, and a manifest that says so in size and hash."""
    file = File(path=manifest.engine.file, size=len(data), sha256=sha256(data))
    return manifest.model_copy(update={"files": (file,), **changes}), {file.path: data}


def test_a_promotion_points_the_alias_to_a_version_that_is_proven(store: Store) -> None:
    put(store, "1", "2")
    assert promote(store, "iris", "1", "production") == Promotion("iris", "production", "1", None, True)
    alias = store.read_alias("iris", "production").alias
    assert (alias.version, alias.previous) == ("1", None)
    assert alias.manifest_sha256 == sha256(store.read_manifest("iris", "1"))
    assert promote(store, "iris", "2", "production") == Promotion("iris", "production", "2", "1", True)
    alias = store.read_alias("iris", "production").alias
    assert (alias.version, alias.previous) == ("2", "1")


def test_promoting_what_is_promoted_changes_nothing(local: Store) -> None:
    put(local, "1")
    promote(local, "iris", "1", "production")
    before = local.read_alias("iris", "production")
    assert promote(local, "iris", "1", "production") == Promotion("iris", "production", "1", "1", False)
    assert local.read_alias("iris", "production") == before


def test_a_rollback_points_back_and_never_to_what_was_withdrawn(store: Store) -> None:
    put(store, "1", "2")
    promote(store, "iris", "1", "production")
    with pytest.raises(NotFoundError, match="the alias 'production' of iris has no version before this one"):
        rollback(store, "iris", "production")
    promote(store, "iris", "2", "production")
    assert rollback(store, "iris", "production") == Promotion("iris", "production", "1", "2", True)
    with pytest.raises(NotFoundError, match="has no version before this one to go back to"):
        rollback(store, "iris", "production")
    assert store.read_alias("iris", "production").alias.version == "1"


def test_neither_promotes_what_does_not_exist(local: Store) -> None:
    with pytest.raises(NotFoundError, match="iris has no version '1'"):
        promote(local, "iris", "1", "production")
    with pytest.raises(NotFoundError, match="iris has no alias 'production'"):
        rollback(local, "iris", "production")


def break_artifact(folder: Path) -> None:
    path = next(path for path in folder.iterdir() if path.name != "manifest.json")
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_a_version_that_is_not_in_order_is_neither_promoted_nor_rolled_back_to(local: Store, tmp_path: Path) -> None:
    put(local, "1", "2")
    promote(local, "iris", "1", "production")
    promote(local, "iris", "2", "production")
    before = local.read_alias("iris", "production")
    break_artifact(tmp_path / "store/iris/versions/1")
    with pytest.raises(IntegrityError, match="its manifest says"):
        rollback(local, "iris", "production")
    with pytest.raises(IntegrityError, match="its manifest says"):
        promote(local, "iris", "1", "production")
    assert local.read_alias("iris", "production") == before


def test_a_promotion_fails_if_somebody_moved_the_alias_while_it_verified(store: Store) -> None:
    put(store, "1", "2")
    promote(store, "iris", "1", "production")

    def interfere(step: str) -> None:
        if step.startswith("reproducing"):
            promote(store, "iris", "2", "production")

    with pytest.raises(ConflictError, match="was moved by somebody else meanwhile"):
        promote(store, "iris", "2", "production", progress=interfere)
    assert store.read_alias("iris", "production").alias.version == "2"


def test_of_promotions_at_the_same_time_exactly_one_wins(store: Store) -> None:
    put(store, "1", "2")
    promote(store, "iris", "1", "production")
    start = threading.Barrier(4)
    moved: list[Promotion] = []
    refused: list[ConflictError] = []

    def wait(step: str) -> None:
        if step.startswith("reproducing"):
            start.wait(20)

    def run() -> None:
        try:
            moved.append(promote(store, "iris", "2", "production", progress=wait))
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(moved), len(refused)) == (1, 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_verifying_says_what_was_proven(local: Store, engine: Engine) -> None:
    put(local, "1", engine=engine)
    said: list[str] = []
    proof = verify(local, "iris", "1", progress=said.append)
    assert proof.manifest == published("1", engine)[0]
    assert proof.manifest_sha256 == sha256(local.read_manifest("iris", "1"))
    assert [line.split()[0] for line in said] == ["fetching", "reproducing"]


@pytest.mark.parametrize("engine", ENGINES)
def test_golden_answers_that_the_engine_does_not_give_are_found(local: Store, engine: Engine) -> None:
    manifest, files = published("1", engine)
    first, *rest = manifest.golden.predictions
    golden = manifest.golden.model_copy(update={"predictions": ((first + 1) % 3, *rest)})
    local.create_version(manifest.model_copy(update={"golden": golden}), files)
    with pytest.raises(GoldenError, match="does not reproduce the golden answers"):
        verify(local, "iris", "1")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_artifact_of_another_version_does_not_give_the_golden_answers(local: Store, engine: Engine) -> None:
    other = next(iter(published("2", engine)[1].values()))
    local.create_version(*with_artifact(published("1", engine)[0], other))
    with pytest.raises(GoldenError, match="does not reproduce the golden answers"):
        verify(local, "iris", "1")


class Planted:
    """What a pickle can do to whoever loads it."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self._marker,)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_dressed_as_a_model_is_refused_and_not_run(
    local: Store, tmp_path: Path, engine: Engine, protocol: int
) -> None:
    marker = tmp_path / "ran"
    data = pickle.dumps(Planted(marker), protocol)
    local.create_version(*with_artifact(published("1", engine)[0], data))
    with pytest.raises(BundleError):
        verify(local, "iris", "1")
    assert not marker.exists()
    pickle.loads(data)
    assert marker.exists(), "the pickle was harmless, and the test worthless"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_artifact_of_one_engine_is_none_of_the_other(local: Store, engine: Engine) -> None:
    other = next(iter(published("1", "onnx" if engine == "sklearn" else "sklearn")[1].values()))
    local.create_version(*with_artifact(published("1", engine)[0], other))
    with pytest.raises(BundleError):
        verify(local, "iris", "1")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_artifact_whose_hash_was_forged_raises_nothing_unforeseen(tmp_path: Path, engine: Engine) -> None:
    manifest, files = published("1", engine)
    data = files[manifest.engine.file]
    refused = 0
    for i in range(0, 8 * len(data), 8 * len(data) // 40):
        damaged = bytearray(data)
        damaged[i // 8] ^= 1 << i % 8
        store = open_store(str(tmp_path / str(i)))
        store.create_version(*with_artifact(manifest, bytes(damaged)))
        try:
            verify(store, "iris", "1")
        except AlphardError:
            refused += 1
    assert refused > 10


def test_a_uri_is_resolved_to_a_version_and_the_hash_that_its_alias_names(store: Store) -> None:
    put(store, "1")
    promote(store, "iris", "1", "production")
    assert resolve(store, parse_model(f"{store.uri}/iris/1")) == ("1", None)
    version, manifest_sha256 = resolve(store, parse_model(f"{store.uri}/iris@production"))
    assert fetch_manifest(store, "iris", version, manifest_sha256)[0].version == "1"


def test_models_are_listed_with_versions_in_order_of_time_and_their_aliases(local: Store, tmp_path: Path) -> None:
    assert list_models(local) == []
    with pytest.raises(NotFoundError, match=r"there is no model 'iris' in file://"):
        list_models(local, "iris")
    manifest, files = published("1")
    for version, created_at in (("9", "2026-01-01"), ("10", "2026-01-02"), ("1", "2026-01-03")):
        local.create_version(manifest.model_copy(update={"version": version, "created_at": created_at}), files)
    promote(local, "iris", "10", "production")
    (tmp_path / "store/iris/versions/10/manifest.json").write_bytes(b"{}")
    (tmp_path / "store/iris/aliases/broken.json").write_bytes(b"{}")
    (tmp_path / "store/other").mkdir()
    models = list_models(local)
    assert models == list_models(local, "iris")
    assert [model.name for model in models] == ["iris"]
    assert [listed.version for listed in models[0].versions] == ["10", "9", "1"]
    assert models[0].versions[0].problem == "the manifest is not valid: name: Field required"
    assert models[0].versions[1].manifest is not None
    assert models[0].aliases == {"broken": None, "production": "10"}
