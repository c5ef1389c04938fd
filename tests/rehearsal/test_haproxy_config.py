from __future__ import annotations

import asyncio
import functools
import re
from collections import Counter
from itertools import pairwise

from rehearsal.deployed import FixedAnswer
from tests.rehearsal.balancing import GROUP, NEVER_UNHEALTHY, REFUSED, Scene, becomes, fails, scene, until
from tests.rehearsal.targets import Target, ask, client


@scene
async def test_a_check_passes_by_the_statuses_of_the_target_group(scene: Scene) -> None:
    balancer = await scene.balancer(GROUP._replace(health_statuses=frozenset({200, 202, 203, 204})))
    fine, other = await scene.target("a"), await scene.target("b")
    fine.health_status, other.health_status = 203, 201
    names = [await balancer.register("blue", target.address, target.port) for target in (fine, other)]
    await becomes(balancer, names[0], "healthy")
    await becomes(balancer, names[1], "unhealthy")


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
        assert await fails(kept)
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


def _all_seen(target: Target, count: int) -> bool:
    return len(target.seen) == count
