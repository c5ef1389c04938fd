from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from rehearsal.balancer import Balancer
from rehearsal.deployed import LoadBalancer
from rehearsal.errors import BalancerError
from tests.rehearsal.balancing import GROUP, NEVER_UNHEALTHY, NO_TARGET, Scene, becomes, fails, scene, until
from tests.rehearsal.targets import ask, client


@scene
async def test_a_new_target_gets_requests_after_one_passed_check_and_not_before(scene: Scene) -> None:
    balancer = await scene.balancer(NEVER_UNHEALTHY._replace(healthy_count=10_000))
    target = await scene.target("a")
    target.health_status = 503
    name = await balancer.register("blue", target.address, target.port)
    await until(lambda: len(target.checks) > 2)
    assert await balancer.health(name) == "initial"
    assert await ask(balancer.port) == NO_TARGET
    target.health_status = 200
    await becomes(balancer, name, "healthy")
    assert await ask(balancer.port) == (200, "a")
    assert target.paths() == ["/"]


@scene
async def test_an_unhealthy_target_has_to_pass_as_many_checks_as_the_target_group_says(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    [name] = await scene.healthy(balancer, target)
    target.health_status = 503
    await becomes(balancer, name, "unhealthy")
    assert target.checks.count(503) >= GROUP.unhealthy_count
    target.health_status = 200
    passed_before = target.checks.count(200)
    await becomes(balancer, name, "healthy")
    assert target.checks.count(200) - passed_before >= GROUP.healthy_count


@scene
async def test_a_target_that_never_passed_a_check_becomes_unhealthy_and_then_needs_as_many_too(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    target.health_status = 503
    name = await balancer.register("blue", target.address, target.port)
    await becomes(balancer, name, "unhealthy")
    target.health_status = 200
    await becomes(balancer, name, "healthy")
    assert target.checks.count(200) >= GROUP.healthy_count


@scene
async def test_while_all_targets_are_unhealthy_all_get_requests_but_those_not_yet_checked(scene: Scene) -> None:
    balancer = await scene.balancer(GROUP._replace(interval_seconds=0.05, timeout_seconds=1, unhealthy_count=20))
    targets = [await scene.target(name) for name in ("a", "b")]
    names = await scene.healthy(balancer, *targets)
    for target in targets:
        target.health_status = 503
    for name in names:
        await becomes(balancer, name, "unhealthy")
    new = await scene.target("new")
    new.health_status = 503
    await balancer.register("blue", new.address, new.port)
    answers = [await ask(balancer.port) for _ in range(6)]
    assert new.checks.count(503) < 20
    assert Counter(answers) == {(200, "a"): 3, (200, "b"): 3}

    targets[0].health_status = 200
    await becomes(balancer, names[0], "healthy")
    assert {await ask(balancer.port) for _ in range(4)} == {(200, "a")}


@scene
async def test_a_target_that_is_deregistered_finishes_what_it_has_and_gets_nothing_new(scene: Scene) -> None:
    balancer = await scene.balancer()
    old = await scene.target("old")
    [name] = await scene.healthy(balancer, old)
    async with client(balancer.port) as waiting, client(balancer.port) as uploading, client(balancer.port) as kept:
        assert await kept.ask() == (200, "old")
        waiting.begin("/slow")
        uploading.begin("/upload", length=6)
        uploading.send(b"abc")
        await until(lambda: {"/slow", "/upload"} <= set(old.begun))
        new = await scene.target("new")
        await scene.healthy(balancer, new)
        await balancer.deregister(name)
        assert await balancer.health(name) == "draining"

        assert {await kept.ask() for _ in range(4)} == {(200, "new")}
        assert {await ask(balancer.port) for _ in range(4)} == {(200, "new")}
        uploading.send(b"def")
        assert await uploading.answer() == (200, "old")
        old.release.set()
        assert await waiting.answer() == (200, "old")
        assert {await waiting.ask() for _ in range(2)} == {(200, "new")}
    assert [request.body for request in old.seen if request.path == "/upload"] == [b"abcdef"]


@scene
async def test_a_target_that_drains_alone_leaves_its_group_without_a_target(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    [name] = await scene.healthy(balancer, target)
    await balancer.deregister(name)
    assert await ask(balancer.port) == NO_TARGET


@scene
async def test_what_a_target_still_has_in_its_hands_is_cut_when_it_is_removed(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    [name] = await scene.healthy(balancer, target)
    async with client(balancer.port) as waiting:
        waiting.begin("/slow")
        await until(lambda: target.seen)
        await balancer.deregister(name)
        await balancer.remove(name)
        assert await fails(waiting)
    with pytest.raises(KeyError):
        await balancer.health(name)


@scene
async def test_idle_connections_to_a_target_are_closed_when_it_is_removed(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    [name] = await scene.healthy(balancer, target)
    await ask(balancer.port)
    assert target.open_connections
    await balancer.deregister(name)
    await balancer.remove(name)
    await until(lambda: not target.open_connections)


@scene
async def test_requests_in_the_hands_of_a_target_that_served_while_unhealthy_are_cut_too(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    [name] = await scene.healthy(balancer, target)
    target.health_status = 503
    await becomes(balancer, name, "unhealthy")
    async with client(balancer.port) as waiting:
        waiting.begin("/slow")
        await until(lambda: target.seen)
        await balancer.deregister(name)
        await balancer.remove(name)
        assert await fails(waiting)


@scene
async def test_weights_share_new_requests_out_to_the_groups(scene: Scene) -> None:
    balancer = await scene.balancer()
    for group in ("blue", "green"):
        await scene.healthy(balancer, await scene.target(group), group=group)
    async with client(balancer.port) as kept:
        assert {await kept.ask() for _ in range(30)} == {(200, "blue")}
        await balancer.weigh({"blue": 0, "green": 100})
        assert {await kept.ask() for _ in range(30)} == {(200, "green")}
        await balancer.weigh({"blue": 90, "green": 10})
        answers = Counter([await kept.ask() for _ in range(500)])
        assert answers[200, "blue"] > answers[200, "green"] > 0
        await balancer.weigh({"blue": 100})
        assert {await kept.ask() for _ in range(30)} == {(200, "blue")}


@scene
async def test_weights_of_unknown_groups_and_other_sums_are_refused(scene: Scene) -> None:
    balancer = await scene.balancer()
    with pytest.raises(ValueError, match="No such group: red"):
        await balancer.weigh({"red": 100})
    with pytest.raises(ValueError, match="Weights sum to 100, not to 90"):
        await balancer.weigh({"blue": 90})


@scene
async def test_many_balancers_run_at_once_and_end_with_their_blocks(scene: Scene) -> None:
    async with AsyncExitStack() as stack:
        inner = Scene(scene.folder, stack)
        balancers = await asyncio.gather(*(inner.balancer() for _ in range(5)))
        ports = {balancer.port for balancer in balancers}
        assert len(ports) == 5
        for port in ports:
            assert await ask(port) == NO_TARGET
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await ask(port)


@scene
async def test_a_command_that_is_refused_is_an_error(scene: Scene) -> None:
    balancer = await scene.balancer()
    with pytest.raises(BalancerError, match="HAProxy refuses a command"):
        await balancer.register("red", "127.0.0.1", 80)


@scene
async def test_it_does_not_outlive_the_process_that_started_it(scene: Scene) -> None:
    program = f"""
import asyncio, pathlib
from rehearsal.balancer import Balancer
from tests.rehearsal.balancing import GROUP, LoadBalancer

async def main():
    async with Balancer.start(pathlib.Path({str(scene.folder)!r}), LoadBalancer(60, ()), GROUP) as balancer:
        print(balancer.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    assert await ask(port) == NO_TARGET
    process.send_signal(signal.SIGKILL)
    await process.wait()
    with pytest.raises(ConnectionRefusedError):
        await _ask_for_ever(port)


def test_a_missing_haproxy_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BalancerError, match=r"^HAProxy is missing: `make \.venv/bin/haproxy` provides it$"):
        asyncio.run(_start(tmp_path))


def test_a_haproxy_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "haproxy"
    broken.write_text("#!/bin/sh\necho no such option >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BalancerError, match=r"^HAProxy does not start: no such option$"):
        asyncio.run(_start(tmp_path))


async def _ask_for_ever(port: int) -> None:
    while True:
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):  # it ends while it is asked
            await ask(port)


async def _start(folder: Path) -> None:
    async with Balancer.start(folder, LoadBalancer(60, ()), GROUP):
        pass
