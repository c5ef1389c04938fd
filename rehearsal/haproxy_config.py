"""HAProxy's configuration, by which it behaves as an Application Load Balancer does.

What is quoted is AWS's user guide (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/), by page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from rehearsal.deployed import FixedAnswer, LoadBalancer, TargetGroup

CONFIG = "haproxy.cfg"
SHARES = "shares.map"

_THROWS = 10_000
"""The sides of the dice that is thrown for each request: one for a hundredth of a percent."""

_ALGORITHMS = {
    "round_robin": "roundrobin",
    "least_outstanding_requests": "leastconn",
    "weighted_random": "random(1)",
}

_BAD_GATEWAY = (
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
    "502 Bad Gateway"
)


def write_config(
    folder: Path,
    load_balancer: LoadBalancer,
    target_group: TargetGroup,
    groups: Sequence[str],
    *,
    clients_fd: int,
    admin_fd: int,
) -> None:
    """Writes all that HAProxy reads into the folder, in which it has to be started.

    The descriptors are of bound sockets that it inherits. At first all requests go to the first group.
    """
    everything_first = {group: 100.0 if group == groups[0] else 0.0 for group in groups}
    (folder / SHARES).write_text("".join(f"{group} {end}\n" for group, end in shares(everything_first).items()))
    (folder / "502.http").write_text(_BAD_GATEWAY, newline="")
    for number, answer in enumerate(load_balancer.fixed_answers):
        (folder / f"answer-{number}").write_text(answer.body)
    lines = [
        *_global(admin_fd),
        *_defaults(load_balancer, target_group),
        *_frontend(load_balancer.fixed_answers, groups, clients_fd),
        *(line for group in groups for line in _backend(group, target_group)),
    ]
    (folder / CONFIG).write_text("".join(f"{line}\n" for line in lines))


def shares(weights: Mapping[str, float]) -> dict[str, int]:
    """For each group, the first throw of the dice that is no longer its own; the weights are percent, 100 together."""
    ends = accumulate(weights.values())
    return {group: round(end * _THROWS / 100) for group, end in zip(weights, ends, strict=True)}


def server_settings(load_balancer: LoadBalancer) -> str:
    """What every server has; one that is added while HAProxy runs would keep no idle connection by itself.

    ALB closes a connection that was idle for its idle timeout. HAProxy has no such clock: each ``pool-purge-delay`` it
    closes half of those beyond its estimate of the need, which it halves as well. By a fifth of the timeout, eight that
    are idle are closed within the whole, but perhaps for one: HAProxy counts its own checks as need. That one is left
    to the target, whose keep-alive timeout has to pass without a request.
    """
    return f"pool-max-conn -1 pool-purge-delay {_milliseconds(load_balancer.idle_timeout_seconds / 5)}"


def check_settings(target_group: TargetGroup) -> str:
    """What the servers have that are checked."""
    interval = _milliseconds(target_group.interval_seconds)
    return f"check inter {interval} rise {target_group.healthy_count} fall {target_group.unhealthy_count}"


def _global(admin_fd: int) -> Iterator[str]:
    yield "global"
    yield f"    stats socket fd@{admin_fd} level admin"
    yield "    nbthread 1"
    yield "    maxconn 2000"
    yield "    max-spread-checks 50"  # the first check follows the registration so soon, in milliseconds


def _defaults(load_balancer: LoadBalancer, target_group: TargetGroup) -> Iterator[str]:
    idle = _milliseconds(load_balancer.idle_timeout_seconds)
    yield "defaults"
    yield "    mode http"
    yield "    retries 0"
    yield "    http-reuse always"
    # "before the connection timeout expired (10 seconds)" (load-balancer-troubleshooting.html)
    yield "    timeout connect 10s"
    yield f"    timeout client {idle}"
    yield f"    timeout server {idle}"
    yield f"    timeout check {_milliseconds(target_group.timeout_seconds)}"
    # HAProxy says 503 of a target that refuses a connection or breaks it, ALB 502 (load-balancer-troubleshooting.html).
    yield "    errorfile 503 502.http"


def _frontend(answers: Sequence[FixedAnswer], groups: Sequence[str], clients_fd: int) -> Iterator[str]:
    yield "frontend clients"
    yield f"    bind fd@{clients_fd}"
    for number, answer in enumerate(answers):
        given = f"status {answer.status} content-type text/plain file answer-{number}"
        yield f"    http-request return {given} if {{ path -m reg ^{_pattern(answer.path)}$ }}"
    yield from _headers()
    yield f"    http-request set-var(txn.throw) rand({_THROWS})"
    for group in groups:
        yield f"    http-request set-var(txn.{group}) str({group}),map_str_int({SHARES})"
    for group in groups:
        yield f"    use_backend {group} if {{ var(txn.throw),sub(txn.{group}) lt 0 }}"


def _headers() -> Iterator[str]:
    """What ALB adds (x-forwarded-headers.html, load-balancer-request-tracing.html), beside what the client sent."""
    identifier = "1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),bytes(0,24)]"
    for name, first, further in (
        ("X-Forwarded-For", "%[src]", "%[req.fhdr(X-Forwarded-For)], %[src]"),
        ("X-Amzn-Trace-Id", f"Root={identifier}", f"Self={identifier};%[req.fhdr(X-Amzn-Trace-Id)]"),
    ):
        sent = f"{{ req.fhdr({name}) -m found }}"
        yield f'    http-request set-header {name} "{further}" if {sent}'
        yield f'    http-request set-header {name} "{first}" unless {sent}'
    yield "    http-request set-header X-Forwarded-Proto http"
    yield "    http-request set-header X-Forwarded-Port %[dst_port]"


def _backend(group: str, target_group: TargetGroup) -> Iterator[str]:
    yield f"backend {group}"
    yield f"    balance {_ALGORITHMS[target_group.algorithm]}"
    yield "    option allbackups"
    yield "    option httpchk"
    yield (
        f"    http-check send meth GET uri '{target_group.health_path}' ver HTTP/1.1 "
        "hdr Host balancer hdr User-Agent ELB-HealthChecker/2.0"
    )
    yield f"    http-check expect status {_ranges(target_group.health_statuses)}"
    yield "    http-request return status 503 content-type text/plain string '503 No target' if { nbsrv eq 0 }"


def _pattern(path: str) -> str:
    """As a regular expression that has no letter with a meaning for HAProxy."""
    letters = {"*": ".*", "?": "."}
    return "".join(
        letters.get(letter) or (letter if letter.isalnum() else f"[\\x{ord(letter):02x}]") for letter in path
    )


def _ranges(statuses: frozenset[int]) -> str:
    """Short enough for HAProxy's longest line, even if they are all from 200 to 499."""
    ordered = sorted(statuses)
    starts = [ordered[0], *(after for before, after in pairwise(ordered) if after > before + 1)]
    ends = [*(before for before, after in pairwise(ordered) if after > before + 1), ordered[-1]]
    return ",".join(f"{start}-{end}" for start, end in zip(starts, ends, strict=True))


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
