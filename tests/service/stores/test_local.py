from __future__ import annotations

import fcntl
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from service.bundle import Alias
from service.errors import ConflictError, NotFoundError, StoreError, UnavailableError
from service.stores import open_store
from service.stores.local import STALE_SECONDS, LocalObjects
from service.stores.uri import parse_store
from tests.service.bundles import make_bundle


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def objects(root: Path) -> LocalObjects:
    return LocalObjects(parse_store(str(root)))


def test_a_store_is_made_by_its_first_version(root: Path) -> None:
    store = open_store(str(root))
    assert store.list_models() == []
    assert not root.exists()
    store.create_version(*make_bundle())
    assert store.list_models() == ["iris"]


def test_writing_leaves_nothing_beside_what_was_written(objects: LocalObjects, root: Path) -> None:
    objects.create("a/b", b"1")
    with pytest.raises(ConflictError, match=r"file://.*/a/b exists"):
        objects.create("a/b", b"2")
    assert [path.name for path in (root / "a").iterdir()] == ["b"]


def test_what_a_killed_writer_left_is_removed_once_it_is_old(objects: LocalObjects, root: Path) -> None:
    objects.create("a/b", b"1")
    old, new = root / "a/.writing-old", root / "a/.writing-new"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - STALE_SECONDS - 60,) * 2)
    objects.create("a/c", b"1")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_link_that_leads_out_of_the_store_is_refused(objects: LocalObjects, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "relative").symlink_to("../secret")
    (root / "dangling").symlink_to(tmp_path / "new")
    for key in ("file", "folder/x", "relative", "dangling"):
        with pytest.raises(StoreError, match=r"is a link that leads out of the store"):
            objects.read(key, 10)
        with pytest.raises(StoreError, match=r"is a link that leads out of the store"):
            objects.create(key, b"1")
    assert objects.list_folders("") == []
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_within_the_store_is_followed_and_so_is_one_to_it(
    objects: LocalObjects, root: Path, tmp_path: Path
) -> None:
    objects.create("a/b", b"1")
    (root / "again").symlink_to("a")
    (tmp_path / "link").symlink_to(root)
    assert objects.read("again/b", 10) == b"1"
    assert LocalObjects(parse_store(str(tmp_path / "link"))).read("a/b", 10) == b"1"


def test_a_pipe_or_a_folder_in_the_place_of_a_file_does_not_hold_the_reader(objects: LocalObjects, root: Path) -> None:
    (root / "a").mkdir(parents=True)
    os.mkfifo(root / "pipe")
    for key in ("a", "pipe"):
        with pytest.raises(StoreError, match=f"/{key}"):
            objects.read(key, 10)


def test_errors_of_the_system_are_one_line_with_the_place(objects: LocalObjects, root: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^file://.*/store/a/b does not exist$"):
        objects.read("a/b", 10)
    objects.create("a", b"")
    with pytest.raises(NotFoundError, match=r"/store/a/b does not exist"):
        objects.read("a/b", 10)
    with pytest.raises(StoreError, match=r"/store/a/b"):
        objects.create("a/b", b"")


@pytest.mark.parametrize(
    ("number", "kind"), [(13, StoreError), (28, StoreError), (5, UnavailableError), (116, UnavailableError)]
)
def test_a_fault_that_may_pass_is_told_from_one_that_stays(
    objects: LocalObjects, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StoreError]
) -> None:
    def fail(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(StoreError, match=os.strerror(number)) as raised:
        objects.create("a", b"")
    assert type(raised.value) is kind


def test_a_move_waits_for_another_one_and_no_longer_than_allowed(
    objects: LocalObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.local.LOCK_SECONDS", 0.05)
    objects.create("a/b", b"1")
    tagged = objects.read_tagged("a/b", 10, None)
    assert tagged is not None
    with open(root / "a/.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UnavailableError, match="another process has held"):
            objects.replace("a/b", b"2", tagged.tag)
    objects.replace("a/b", b"2", tagged.tag)
    assert objects.read("a/b", 10) == b"2"


def _move(uri: str, version: str, tag: str) -> bool:
    alias = Alias(version=version, manifest_sha256="0" * 64, promoted_at=version)
    try:
        open_store(uri).move_alias("iris", "production", alias, expected_tag=tag)
    except ConflictError:
        return False
    return True


def test_of_processes_that_move_an_alias_exactly_one_wins_each_time(root: Path) -> None:
    uri = f"file://{root}"
    store = open_store(uri)
    first = Alias(version="0", manifest_sha256="0" * 64, promoted_at="now")
    store.move_alias("iris", "production", first, expected_tag=None)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        for turn in range(20):
            pointer = store.read_alias("iris", "production")
            moves = [(uri, f"{turn}.{i}", pointer.tag) for i in range(3)]
            assert sum(pool.starmap(_move, moves, chunksize=1)) == 1
