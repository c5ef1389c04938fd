"""A task is a real process: what it is given, how it ends, what its health check says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.deployed import HealthCheck, TaskDefinition
from rehearsal.fargate import Fargate
from rehearsal.task import CHECKOUT, Ended, Image, Task
from service.promotion import promote
from service.stores import open_store
from tests.rehearsal import fakes
from tests.service.published import put
from tests.serving import WAIT_SECONDS, until

TELLS = "import json, os, sys; print(json.dumps([sys.executable, sys.argv[1:], os.getcwd(), dict(os.environ)]))"
WAITS = "import signal; print(1, flush=True); signal.pause()"
DRAINS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("draining", flush=True), sys.exit(7)))
print(1, flush=True)
while True:
    time.sleep(0.01)
"""
IGNORES = DRAINS.replace("sys.exit(7)", "0")


def python(code: str, *arguments: str, **changed: Any) -> TaskDefinition:
    return fakes.definition()._replace(command=("python", "-c", code, *arguments), **changed)


async def eventually(done: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


def run(
    folder: Path,
    definition: TaskDefinition,
    scene: Callable[[Task], Awaitable[None]],
    *,
    images: Mapping[str, Image] | None = None,
    credentials: Mapping[str, str] | None = None,
) -> Task:
    """Plays the scene with a task that was launched."""

    async def main() -> Task:
        with Fargate(folder, images=images) as fargate:
            task = fargate.launch(definition, credentials or {})
            await scene(task)
        assert not task.alive
        return task

    return asyncio.run(main())


async def ended(task: Task) -> None:
    await eventually(lambda: not task.alive, "the task to end")


async def began(task: Task) -> None:
    await eventually(lambda: task.log.read_text() != "", "the task to begin")


def told(task: Task) -> list[Any]:
    said = json.loads(task.log.read_text())
    assert isinstance(said, list)
    return said


def test_it_is_started_as_the_definition_says(tmp_path: Path) -> None:
    definition = python(TELLS, "serve", environment={"ALPHARD_PORT": "8000", "PATH": "mine", "ALPHARD_HOST": "x"})
    task = run(tmp_path, definition, ended, credentials={"AWS_ACCESS_KEY_ID": "TASK"})
    executable, arguments, folder, environment = told(task)
    environment.pop("LC_CTYPE", None)  # which Python sets for itself where no locale is set
    assert (executable, arguments, folder) == (sys.executable, ["serve"], str(CHECKOUT))
    assert environment.pop("PATH").split(":")[0] == str(Path(sys.executable).parent)
    assert environment == {"ALPHARD_PORT": "8000", "ALPHARD_HOST": task.address, "AWS_ACCESS_KEY_ID": "TASK"}
    assert (task.log, task.exit_status) == (tmp_path / "task-1.log", 0)


def test_an_image_brings_variables_under_the_definitions(tmp_path: Path) -> None:
    images = {"aaaaaaaaaa": Image({"A": "image", "B": "image"})}
    task = run(tmp_path, python(TELLS, environment={"B": "definition"}), ended, images=images)
    assert {key: told(task)[3][key] for key in "AB"} == {"A": "image", "B": "definition"}


def test_an_image_may_have_another_command(tmp_path: Path) -> None:
    images = {"bbbbbbbbbb": Image(command=("python", "-c", "raise SystemExit('no such model')"))}
    other = python(TELLS)._replace(image="registry/alphard:bbbbbbbbbb")
    assert run(tmp_path, other, ended, images=images).exit_status == 1
    assert (tmp_path / "task-1.log").read_text() == "no such model\n"


def test_a_command_that_is_not_there_ends_the_task_in_one_line(tmp_path: Path) -> None:
    task = run(tmp_path, fakes.definition()._replace(command=("no-such-program",)), ended)
    assert task.exit_status == 127
    assert task.log.read_text().count("\n") == 1


@pytest.mark.parametrize("status", [0, 3])
def test_it_may_end_by_itself(tmp_path: Path, status: int) -> None:
    assert run(tmp_path, python(f"raise SystemExit({status})"), ended).exit_status == status


def test_it_is_told_to_stop_and_may_take_its_time(tmp_path: Path) -> None:
    async def scene(task: Task) -> None:
        await began(task)
        assert (task.alive, task.exit_status) == (True, None)
        assert await task.terminate() == Ended(7, killed=False)

    assert run(tmp_path, python(DRAINS), scene).log.read_text() == "1\ndraining\n"


@pytest.mark.parametrize("frozen", [False, True])
def test_it_is_killed_when_the_stop_timeout_is_over(tmp_path: Path, frozen: bool) -> None:
    async def scene(task: Task) -> None:
        await began(task)
        if frozen:
            task.freeze()
            assert task.alive
        assert await task.terminate() == Ended(137, killed=True)

    run(tmp_path, python(DRAINS if frozen else IGNORES, stop_timeout_seconds=0.2), scene)


def test_a_signal_that_nobody_handles_is_its_exit_status(tmp_path: Path) -> None:
    async def scene(task: Task) -> None:
        await began(task)
        assert await task.terminate() == Ended(143, killed=False)

    run(tmp_path, python(WAITS), scene)


def test_it_is_killed_at_once(tmp_path: Path) -> None:
    async def scene(task: Task) -> None:
        await began(task)
        task.kill()
        assert (task.alive, task.exit_status) == (False, 137)
        task.kill()  # once more does no harm

    run(tmp_path, python(WAITS), scene)


CHECK = """
import socket, sys
socket.create_connection(("127.0.0.1", 8000), timeout=1).recv(1)
"""
SERVES = """
import os, socket
with socket.create_server((os.environ["ALPHARD_HOST"], 8000)) as server:
    print(1, flush=True)
    while True:
        server.accept()[0].close()
"""


def checked(*command: str, retries: int = 1, timeout: float = WAIT_SECONDS) -> HealthCheck:
    return HealthCheck(command, 0.05, timeout, retries, 0)


@pytest.mark.parametrize(
    "command", [("CMD", "python", "-c", CHECK), ("CMD-SHELL", f"exec {sys.executable} -c '{CHECK}' || exit 1")]
)
def test_its_health_check_finds_it_on_its_own_loopback(tmp_path: Path, command: tuple[str, ...]) -> None:
    async def scene(task: Task) -> None:
        await began(task)
        await eventually(lambda: task.health == "HEALTHY", "a check that passes")

    run(tmp_path, python(SERVES, health_check=checked(*command, retries=1000)), scene)


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import time; time.sleep(1000)"])
def test_a_check_that_fails_or_takes_too_long_makes_it_unhealthy(tmp_path: Path, code: str) -> None:
    async def scene(task: Task) -> None:
        assert task.health == "UNKNOWN"
        await eventually(lambda: task.health == "UNHEALTHY", "a check that fails")

    timeout = 0.2 if "sleep" in code else WAIT_SECONDS
    run(tmp_path, python(WAITS, health_check=checked("CMD", "python", "-c", code, timeout=timeout)), scene)


def test_without_a_check_its_health_is_unknown(tmp_path: Path) -> None:
    async def scene(task: Task) -> None:
        assert task.health == "UNKNOWN"

    run(tmp_path, python(WAITS), scene)


PARENT = """
import asyncio, os, sys
from pathlib import Path
from rehearsal.fargate import Fargate
from tests.rehearsal.fakes import definition

async def main():
    with Fargate(Path(sys.argv[1])) as fargate:
        code = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
        task = fargate.launch(definition()._replace(command=("python", "-c", code)), {})
        while not task.log.read_text().endswith("\\n"):
            await asyncio.sleep(0.01)
        os._exit(0)

asyncio.run(main())
"""


def test_it_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", PARENT, tmp_path], check=True)
    pid = int((tmp_path / "task-1.log").read_text())
    until(lambda: not _runs(pid), "the task's end")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def model_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model in a folder."""
    folder = tmp_path_factory.mktemp("store")
    store = open_store(str(folder))
    put(store, "1")
    promote(store, "iris", "1", "production")
    return f"file://{folder}/iris@production"


def test_the_service_itself_becomes_healthy_and_ends_well(tmp_path: Path, model_uri: str) -> None:
    live = 'import http.client as h; c = h.HTTPConnection("127.0.0.1", 8000); c.request("GET", "/ready"); '
    live += "raise SystemExit(c.getresponse().status != 200)"
    environment = {"ALPHARD_MODEL_URI": model_uri, "ALPHARD_PORT": "8000", "ALPHARD_DRAIN_HOLD_SECONDS": "0"}
    definition = fakes.definition()._replace(
        environment=environment, health_check=checked("CMD", "python", "-c", live, retries=1000)
    )

    async def scene(task: Task) -> None:
        await eventually(lambda: task.health == "HEALTHY" or not task.alive, "readiness")
        assert await task.terminate() == Ended(0, killed=False)

    task = run(tmp_path, definition, scene)
    assert "draining" in [json.loads(line).get("message") for line in task.log.read_text().splitlines()]
