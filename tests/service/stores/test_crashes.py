"""A publisher that is killed at any step leaves a store that every reader and the next publisher can use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from service.stores import open_store
from service.stores.fetch import fetch
from tests.service.stores.killed import publish


def test_a_publisher_killed_at_any_step_leaves_whole_versions_only_and_can_be_repeated(store_uri: str) -> None:
    command = [sys.executable, "-m", "tests.service.stores.killed", store_uri]
    steps = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert steps > 5
    seen = set()
    for step in range(1, steps + 1):
        store = open_store(f"{store_uri}/{step}")
        versions = store.list_versions("iris")
        for version in versions:
            fetch(store, "iris", version)
        pointer = store.read_alias("iris", "production")
        assert pointer.alias.version in versions
        seen.add((tuple(versions), pointer.alias.version))
        publish(store, "1", pointer.tag)
        assert fetch(store, "iris", "1").manifest.version == "1"
    assert seen == {(("0",), "0"), (("0", "1"), "0"), (("0", "1"), "1")}


def test_what_a_killed_publisher_left_in_a_folder_is_never_listed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.service.stores.killed", f"file://{tmp_path}"]
    subprocess.run(command, check=True, capture_output=True)
    left = list(tmp_path.rglob(".writing-*"))
    assert left, "no publisher was killed while it wrote"
    for path in left:
        store = open_store(f"file://{tmp_path}/{path.relative_to(tmp_path).parts[0]}")
        assert store.list_models() == ["iris"]
        assert store.list_aliases("iris") == ["production"]
