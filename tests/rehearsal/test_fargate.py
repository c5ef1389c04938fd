"""Where tasks get their names and addresses, and that none outlives its scene."""

from __future__ import annotations

import asyncio
import collections
import ipaddress
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.fargate import Fargate
from rehearsal.task import Task
from tests.rehearsal import fakes

WAITS = fakes.definition()._replace(command=("python", "-c", "import signal; signal.pause()"))


def launched(folder: Path, count: int) -> list[Task]:
    async def main() -> list[Task]:
        with Fargate(folder) as fargate:
            tasks = [fargate.launch(WAITS, {}) for _ in range(count)]
            assert all(task.alive for task in tasks)
        return tasks

    return asyncio.run(main())


def test_each_task_has_a_name_and_an_address_of_its_own_on_loopback(tmp_path: Path) -> None:
    tasks = launched(tmp_path, 3)
    assert [task.name for task in tasks] == ["1", "2", "3"]
    assert len({task.address for task in tasks}) == 3
    assert all(ipaddress.ip_address(task.address).is_loopback for task in tasks)


def test_no_task_outlives_its_scene(tmp_path: Path) -> None:
    assert [task.exit_status for task in launched(tmp_path, 2)] == [137, 137]


OTHER = """
import sys
from pathlib import Path
from rehearsal.fargate import Fargate
with Fargate(Path(".")) as fargate:
    print(fargate.block, flush=True)
    sys.stdin.read()
"""


def test_scenes_at_the_same_time_have_blocks_of_their_own_also_in_other_processes(tmp_path: Path) -> None:
    with (
        Fargate(tmp_path) as one,
        subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        theirs = process.stdout.readline().decode().strip()
        with Fargate(tmp_path) as two:
            assert len({one.block, theirs, two.block}) == 3
        process.communicate()


def test_a_block_is_free_again_after_its_scene(tmp_path: Path) -> None:
    blocks = set()
    for _ in range(250):  # more than there are
        with Fargate(tmp_path) as fargate:
            blocks.add(fargate.block)
    assert blocks


def test_it_says_when_no_block_is_left(tmp_path: Path) -> None:
    with ExitStack() as scenes, pytest.raises(RehearsalError, match="no block of loopback addresses is free"):
        collections.deque((scenes.enter_context(Fargate(tmp_path)) for _ in range(250)), maxlen=0)
