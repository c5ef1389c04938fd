from __future__ import annotations

import asyncio
import functools
import re
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from rehearsal.balancer import Balancer, Health
from rehearsal.deployed import FixedAnswer, LoadBalancer, TargetGroup
from rehearsal.errors import BalancerError
from tests.rehearsal.targets import Target, ask, client, running

GROUP = TargetGroup(
    health_path="/health",
    health_statuses=frozenset({200}),
    interval_seconds=0.1,
    timeout_seconds=0.1,
    healthy_count=3,
    unhealthy_count=2,
    deregistration_delay_seconds=1,
    algorithm="round_robin",
)
NEVER_UNHEALTHY = GROUP._replace(unhealthy_count=10_000)
NO_TARGET = (503, "503 No target")
REFUSED = (502, "502 Bad Gateway")

Test = Callable[["Scene"], Awaitable[None]]


class Scene:
    """A balancer, targets on addresses of their own, and how to wait for what one says of another."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._balancers = 0
        self._targets = 0

    async def balancer(
        self,
        target_group: TargetGroup = GROUP,
        *,
        idle_timeout_seconds: float = 60,
        fixed_answers: tuple[FixedAnswer, ...] = (),
    ) -> Balancer:
        self._balancers += 1
        folder = self.folder / str(self._balancers)
        folder.mkdir()
        load_balancer = LoadBalancer(idle_timeout_seconds, fixed_answers)
        return await self._stack.enter_async_context(Balancer.start(folder, load_balancer, target_group))

    async def target(self, name: str) -> Target:
        self._targets += 1
        return await self._stack.enter_async_context(running(name, f"127.0.{self._targets}.1"))

    async def healthy(self, balancer: Balancer, *targets: Target, group: str = "blue") -> list[str]:
        """Their names, when all of them are in service."""
        names = [await balancer.register(group, target.address, target.port) for target in targets]
        for name in names:
            await becomes(balancer, name, "healthy")
        return names


def scene(test: Test) -> Callable[[Path], None]:
    def run(tmp_path: Path) -> None:
        async def play() -> None:
            async with asyncio.timeout(30), AsyncExitStack() as stack:
                await test(Scene(tmp_path, stack))

        asyncio.run(play())

    return run


async def becomes(balancer: Balancer, name: str, health: Health) -> None:
    while await balancer.health(name) != health:
        await asyncio.sleep(0.01)


async def until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


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
async def test_a_check_passes_by_the_statuses_of_the_target_group(scene: Scene) -> None:
    balancer = await scene.balancer(GROUP._replace(health_statuses=frozenset({200, 202, 203, 204})))
    fine, other = await scene.target("a"), await scene.target("b")
    fine.health_status, other.health_status = 203, 201
    names = [await balancer.register("blue", target.address, target.port) for target in (fine, other)]
    await becomes(balancer, names[0], "healthy")
    await becomes(balancer, names[1], "unhealthy")


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
    balancer = await scene.balancer(GROUP._replace(unhealthy_count=5))
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
    assert new.checks.count(503) < 5
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
        assert (await waiting.answer())[0] == 502
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
        assert (await waiting.answer())[0] == 502


@scene
async def test_a_target_that_refuses_the_connection_is_a_502_and_no_other_is_asked(scene: Scene) -> None:
    balancer = await scene.balancer(NEVER_UNHEALTHY)
    targets = [await scene.target(name) for name in ("a", "b")]
    await scene.healthy(balancer, *targets)
    targets[0].crash()
    answers = Counter([await ask(balancer.port) for _ in range(8)])
    assert answers == {REFUSED: 4, (200, "b"): 4}


@scene
async def test_a_request_whose_connection_breaks_fails_and_is_sent_to_nobody_else(scene: Scene) -> None:
    balancer = await scene.balancer(NEVER_UNHEALTHY)
    targets = [await scene.target(name) for name in ("a", "b")]
    await scene.healthy(balancer, *targets)
    async with client(balancer.port) as fresh, client(balancer.port) as kept:
        assert (await fresh.ask("/break"))[0] == 502
        assert (await kept.ask("/"))[0] == 200
        kept.begin("/break")
        assert await kept.ended() == b""
    assert sum(target.paths().count("/break") for target in targets) == 2


@scene
async def test_a_target_that_says_nothing_for_the_idle_timeout_is_a_504(scene: Scene) -> None:
    balancer = await scene.balancer(idle_timeout_seconds=0.5)
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    assert (await ask(balancer.port, "/slow"))[0] == 504


@scene
async def test_requests_go_by_turns_or_to_the_target_with_the_fewest_in_its_hands(scene: Scene) -> None:
    targets = [await scene.target(name) for name in ("a", "b")]
    by_turns = await scene.balancer()
    by_load = await scene.balancer(GROUP._replace(algorithm="least_outstanding_requests"))
    for balancer in (by_turns, by_load):
        await scene.healthy(balancer, *targets)
    assert Counter([await ask(by_turns.port) for _ in range(8)]) == {(200, "a"): 4, (200, "b"): 4}
    async with client(by_load.port) as waiting:
        waiting.begin("/slow")
        await until(lambda: any("/slow" in target.begun for target in targets))
        [idle] = [target for target in targets if "/slow" not in target.begun]
        assert {await ask(by_load.port) for _ in range(6)} == {(200, idle.name)}


@scene
async def test_requests_go_by_chance_where_the_target_group_says_so(scene: Scene) -> None:
    balancer = await scene.balancer(GROUP._replace(algorithm="weighted_random"))
    targets = [await scene.target(name) for name in ("a", "b")]
    await scene.healthy(balancer, *targets)
    async with client(balancer.port) as kept:
        answers = [await kept.ask() for _ in range(100)]
    assert set(answers) == {(200, "a"), (200, "b")}
    assert any(before == after for before, after in pairwise(answers))


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
async def test_hidden_paths_are_answered_by_the_balancer_itself(scene: Scene) -> None:
    answers = (FixedAnswer("/metrics*", 403, 'Not "here"\n'), FixedAnswer("/v?/$.it's", 404, ""))
    balancer = await scene.balancer(fixed_answers=answers)
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    async with client(balancer.port) as kept:
        for path in ("/metrics", "/metrics/all?x=1"):
            assert await kept.ask(path) == (403, 'Not "here"\n')
        assert await kept.ask("/v2/$.it's") == (404, "")
        for path in ("/a/metrics", "/Metrics", "/v22/$.it's", "/v2/$xit's"):
            assert await kept.ask(path) == (200, "a")


@scene
async def test_targets_learn_who_asked_and_by_which_trace(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    await ask(balancer.port)
    await ask(balancer.port, headers="X-Forwarded-For: 192.0.2.7\r\nX-Amzn-Trace-Id: Root=1-2-3\r\n")
    own, further = (request.headers for request in target.seen)
    assert own["x-forwarded-for"] == "127.0.0.1"
    assert own["x-forwarded-proto"] == "http"
    assert own["x-forwarded-port"] == str(balancer.port)
    assert re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24}", own["x-amzn-trace-id"])
    assert further["x-forwarded-for"] == "192.0.2.7, 127.0.0.1"
    assert re.fullmatch("Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-2-3", further["x-amzn-trace-id"])


@scene
async def test_connections_to_a_target_are_kept_and_shared_by_all_clients(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    assert {await ask(balancer.port) for _ in range(4)} == {(200, "a")}
    assert {request.connection for request in target.seen} == {1}


@scene
async def test_idle_connections_to_a_target_but_one_are_closed_by_the_balancers_idle_timeout(scene: Scene) -> None:
    long, short = await scene.balancer(), await scene.balancer(idle_timeout_seconds=1)
    kept, left = await scene.target("kept"), await scene.target("left")
    for balancer, target in ((long, kept), (short, left)):
        await scene.healthy(balancer, target)
        asking = [asyncio.create_task(ask(balancer.port, "/slow")) for _ in range(4)]
        await until(functools.partial(_all_seen, target, 4))
        target.release.set()
        assert await asyncio.gather(*asking) == [(200, target.name)] * 4
    await until(lambda: len(left.open_connections) <= 1)
    assert len(kept.open_connections) == 4


@scene
async def test_a_clients_idle_connection_is_closed_after_the_idle_timeout(scene: Scene) -> None:
    balancer = await scene.balancer(idle_timeout_seconds=0.5)
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    async with client(balancer.port) as kept:
        assert await kept.ask() == (200, "a")
        assert await kept.ended() == b""


@scene
async def test_a_target_that_closes_its_connection_after_an_answer_does_not_end_the_clients(scene: Scene) -> None:
    balancer = await scene.balancer()
    target = await scene.target("a")
    await scene.healthy(balancer, target)
    async with client(balancer.port) as kept:
        assert [await kept.ask("/last") for _ in range(3)] == [(200, "a")] * 3
    assert [request.connection for request in target.seen] == [1, 2, 3]


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
from tests.rehearsal.test_balancer import GROUP, LoadBalancer

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


def _all_seen(target: Target, count: int) -> bool:
    return len(target.seen) == count


async def _ask_for_ever(port: int) -> None:
    while True:
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):  # it ends while it is asked
            await ask(port)


async def _start(folder: Path) -> None:
    async with Balancer.start(folder, LoadBalancer(60, ()), GROUP):
        pass
