"""What every store promises, asked of a folder and of a bucket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from service.bundle import Alias, Manifest, parse_manifest, sha256
from service.errors import AlphardError, ConflictError, ManifestError, NotFoundError, StoreError
from service.stores import Store, open_store
from service.stores.objects import ALIAS_BYTES_LIMIT, ObjectStore
from tests.service.bundles import make_bundle

WRITERS = 6


@pytest.fixture
def store(store_uri: str) -> ObjectStore:
    opened = open_store(store_uri)
    assert isinstance(opened, ObjectStore)
    return opened


def target(version: str, previous: str | None = None) -> Alias:
    moment = datetime.now(UTC).isoformat()
    return Alias(version=version, manifest_sha256=sha256(version.encode()), promoted_at=moment, previous=previous)


def tag_of(store: Store, name: str, alias: str) -> str:
    return store.read_alias(name, alias).tag


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What the calls return, or the error that they raise, when all start at the same moment."""
    barrier = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(i: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[i] = call()
        except AlphardError as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_version_is_read_as_it_was_written(store: Store) -> None:
    manifest, files = make_bundle(data=b"x" * 1000)
    assert store.create_version(manifest, files) is True
    assert parse_manifest(store.read_manifest("iris", "1")) == manifest
    assert store.read_file("iris", "1", manifest.engine.file, limit=1001) == b"x" * 1000


def test_no_more_than_the_limit_is_read(store: Store) -> None:
    manifest, files = make_bundle(data=b"x" * 1000)
    store.create_version(manifest, files)
    assert store.read_file("iris", "1", manifest.engine.file, limit=10) == b"x" * 10


def test_the_same_content_again_is_a_success_that_changes_nothing(store: Store) -> None:
    first, files = make_bundle()
    store.create_version(first, files)
    again, files = make_bundle()
    assert again.created_at != first.created_at
    assert store.create_version(again, files) is False
    assert parse_manifest(store.read_manifest("iris", "1")) == first


def test_other_content_under_a_version_that_exists_is_refused(store: Store) -> None:
    first, files = make_bundle()
    store.create_version(first, files)
    other, other_files = make_bundle(data=b"another artifact")
    with pytest.raises(ConflictError, match=r"iris 1 exists in .* with other content: a version never changes"):
        store.create_version(other, other_files)
    assert parse_manifest(store.read_manifest("iris", "1")) == first
    assert store.read_file("iris", "1", first.engine.file, limit=99) == b"an artifact"


def test_a_manifest_that_cannot_be_read_is_other_content(store: ObjectStore) -> None:
    manifest, files = make_bundle()
    store._objects.create("iris/versions/1/manifest.json", b"{}")
    with pytest.raises(ConflictError, match="with other content"):
        store.create_version(manifest, files)


def test_files_without_a_manifest_are_no_version_and_do_not_hinder_the_next_try(store: ObjectStore) -> None:
    manifest, files = make_bundle()
    store._objects.create(f"iris/versions/1/{manifest.engine.file}", files[manifest.engine.file])
    assert store.list_versions("iris") == []
    with pytest.raises(
        NotFoundError, match=r"iris has no version '1': .*/iris/versions/1/manifest.json does not exist"
    ):
        store.read_manifest("iris", "1")
    assert store.create_version(manifest, files) is True


def test_a_file_with_other_content_than_its_name_says_is_refused(store: ObjectStore) -> None:
    manifest, files = make_bundle()
    store._objects.create(f"iris/versions/1/{manifest.engine.file}", b"something else")
    with pytest.raises(ConflictError, match="with other content than its name says"):
        store.create_version(manifest, files)
    assert store.list_versions("iris") == []


def test_of_publishers_of_different_content_exactly_one_wins(store: Store) -> None:
    bundles = [make_bundle(data=b"artifact %d" % i) for i in range(WRITERS)]
    results = at_once(*(lambda bundle=bundle: store.create_version(*bundle) for bundle in bundles))
    assert results.count(True) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == WRITERS - 1
    manifest, files = bundles[results.index(True)]
    assert parse_manifest(store.read_manifest("iris", "1")) == manifest
    assert store.read_file("iris", "1", manifest.engine.file, limit=99) == files[manifest.engine.file]


def test_of_publishers_of_the_same_content_all_succeed(store: Store) -> None:
    results = at_once(*[lambda: store.create_version(*make_bundle())] * WRITERS)
    assert sorted(map(str, results)) == ["False"] * (WRITERS - 1) + ["True"]


def test_an_alias_is_read_with_a_tag_and_not_again_while_it_stays(store: Store) -> None:
    first = target("1")
    store.move_alias("iris", "production", first, expected_tag=None)
    pointer = store.read_alias("iris", "production")
    assert pointer.alias == first
    assert store.poll_alias("iris", "production", pointer.tag) is None
    store.move_alias("iris", "production", target("2", "1"), expected_tag=pointer.tag)
    moved = store.poll_alias("iris", "production", pointer.tag)
    assert moved is not None
    assert moved.alias.version == "2"


def test_an_alias_that_does_not_exist_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"iris has no alias 'production': .*/iris/aliases/production.json"):
        store.read_alias("iris", "production")


def test_an_alias_moves_only_from_where_the_mover_saw_it(store: Store) -> None:
    with pytest.raises(ConflictError, match="the alias 'production' of iris was moved by somebody else meanwhile"):
        store.move_alias("iris", "production", target("1"), expected_tag='"0123"')
    store.move_alias("iris", "production", target("1"), expected_tag=None)
    with pytest.raises(ConflictError):
        store.move_alias("iris", "production", target("2"), expected_tag=None)
    stale = tag_of(store, "iris", "production")
    store.move_alias("iris", "production", target("2"), expected_tag=stale)
    with pytest.raises(ConflictError):
        store.move_alias("iris", "production", target("3"), expected_tag=stale)


def test_moving_there_and_back_gives_another_tag(store: Store) -> None:
    store.move_alias("iris", "production", target("1"), expected_tag=None)
    first = tag_of(store, "iris", "production")
    store.move_alias("iris", "production", target("2"), expected_tag=first)
    store.move_alias("iris", "production", target("1"), expected_tag=tag_of(store, "iris", "production"))
    assert tag_of(store, "iris", "production") != first


@pytest.mark.parametrize("exists", [False, True])
def test_of_movers_at_the_same_time_exactly_one_wins(store: Store, exists: bool) -> None:
    tag = None
    if exists:
        store.move_alias("iris", "production", target("0"), expected_tag=None)
        tag = tag_of(store, "iris", "production")
    targets = [target(str(i)) for i in range(1, WRITERS + 1)]

    def move(to: Alias) -> Callable[[], str]:
        return lambda: store.move_alias("iris", "production", to, expected_tag=tag) or to.version  # type: ignore[func-returns-value]  # for the winner's name

    results = at_once(*map(move, targets))
    won = [result for result in results if isinstance(result, str)]
    assert len(won) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == WRITERS - 1
    pointer = store.read_alias("iris", "production")
    assert pointer.alias.version == won[0]


def test_an_alias_that_cannot_be_understood_is_named(store: ObjectStore) -> None:
    store._objects.create("iris/aliases/production.json", b'{"version": "../../other"}')
    with pytest.raises(ManifestError, match="the alias is not valid: version"):
        store.read_alias("iris", "production")
    store._objects.create("iris/aliases/staging.json", b" " * (ALIAS_BYTES_LIMIT + 1))
    with pytest.raises(ManifestError, match="the alias 'staging' of iris is larger than"):
        store.read_alias("iris", "staging")


def test_a_manifest_over_the_limit_is_not_read(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.stores.objects.MANIFEST_BYTES_LIMIT", 100)
    store.create_version(*make_bundle())
    with pytest.raises(ManifestError, match="the manifest of iris 1 is larger than 100 bytes"):
        store.read_manifest("iris", "1")


def test_models_versions_and_aliases_are_listed(store: ObjectStore) -> None:
    assert (store.list_models(), store.list_versions("iris"), store.list_aliases("iris")) == ([], [], [])
    for name, version in (("iris", "2"), ("iris", "10"), ("wine", "1")):
        store.create_version(*make_bundle(name, version))
    store._objects.create("iris/versions/.hidden/manifest.json", b"")
    store._objects.create("iris/versions/3/deeper/manifest.json", b"")
    store.move_alias("iris", "production", target("2"), expected_tag=None)
    assert store.list_models() == ["iris", "wine"]
    assert store.list_versions("iris") == ["10", "2"]
    assert store.list_aliases("iris") == ["production"]
    assert store.list_aliases("wine") == []


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../x", "a\\b", "a\n", "-x", "x" * 129])
def test_a_name_that_could_lead_elsewhere_never_becomes_a_key(store: Store, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.read_alias(name, "production"),
        lambda: store.read_alias("iris", name),
        lambda: store.read_manifest(name, "1"),
        lambda: store.read_manifest("iris", name),
        lambda: store.read_file("iris", name, "model.onnx", limit=1),
        lambda: store.read_file("iris", "1", name + "/" * len(name), limit=1),
        lambda: store.list_versions(name),
        lambda: store.list_aliases(name),
        lambda: store.move_alias("iris", name, target("1"), expected_tag=None),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="is no name in a store"):
            call()


def test_a_file_cannot_pose_as_the_manifest(store: Store) -> None:
    manifest, files = make_bundle()
    posing = Manifest.model_validate_json(
        manifest.encode().decode().replace(manifest.engine.file, "manifest.json").encode()
    )
    with pytest.raises(StoreError, match=r"'manifest.json' cannot be one of a version's files"):
        store.create_version(posing, {"manifest.json": files[manifest.engine.file]})
