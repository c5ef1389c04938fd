"""HAProxy in the place of an Application Load Balancer.

It behaves as one wherever a deployment can tell (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/):

- A target that was registered gets no request before it passed one check, "irrespective of the configured threshold"
  (load-balancer-target-groups.html); one that failed as often as makes it unhealthy has to pass ``healthy_count``.
- "If a target group contains only unhealthy registered targets, the load balancer routes requests to all those targets,
  regardless of their health status" (target-group-health-checks.html). Nothing says so of those in ``initial``, which
  "must pass initial health checks" before they can receive requests: here they get none. A group without a target that
  can get the request answers 503.
- A request is sent to one target, once: 502 if that refuses or breaks the connection or is removed, 504 if it says
  nothing for the idle timeout. On a client's connection that has brought answers before, HAProxy may end the connection
  where ALB says 502, and so leaves it to the client what to do; it does not ask another target itself.
- A target that is deregistered gets no new request, not even on connections that had brought some; what it has in its
  hands goes on until it is removed.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from rehearsal.deployed import LoadBalancer, TargetGroup
from rehearsal.errors import BalancerError
from rehearsal.haproxy_config import CONFIG, SHARES, check_settings, server_settings, shares, write_config
from rehearsal.haproxy_socket import AdminSocket, ServerState

Health = Literal["initial", "healthy", "unhealthy", "draining"]

_HEALTH: Mapping[ServerState, Health] = {
    ServerState.STOPPED: "unhealthy",
    ServerState.STARTING: "healthy",
    ServerState.RUNNING: "healthy",
    ServerState.STOPPING: "initial",
}
_LOOK_SECONDS = 0.05


class _Target(NamedTuple):
    """Two of HAProxy's servers: one is checked, the other serves while none of the group's passes its checks."""

    group: str
    name: str

    @property
    def checked(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def unhealthy(self) -> str:
        return f"{self.group}/{self.name}-unhealthy"


class Balancer:
    """One that runs; ``port`` is where clients connect, on 127.0.0.1."""

    def __init__(
        self,
        port: int,
        admin: AdminSocket,
        load_balancer: LoadBalancer,
        target_group: TargetGroup,
        groups: Sequence[str],
    ) -> None:
        self.port = port
        self._admin = admin
        self._every_server = server_settings(load_balancer)
        self._checked_server = check_settings(target_group)
        self._groups = groups
        self._targets: dict[str, _Target] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._draining: set[str] = set()
        self._names = (f"target-{number}" for number in itertools.count(1))

    @staticmethod
    @asynccontextmanager
    async def start(
        folder: Path, load_balancer: LoadBalancer, target_group: TargetGroup, groups: Sequence[str] = ("blue", "green")
    ) -> AsyncIterator[Balancer]:
        """Runs HAProxy until the block ends, or this process does; all its files are in the folder.

        All requests go to the first group until others are weighed. Raises BalancerError if HAProxy does not start.
        """
        path = folder / "admin.sock"
        with _bound(socket.AF_INET, ("127.0.0.1", 0)) as clients, _bound(socket.AF_UNIX, str(path)) as admin:
            port: int = clients.getsockname()[1]
            sockets = {"clients_fd": clients.fileno(), "admin_fd": admin.fileno()}
            write_config(folder, load_balancer, target_group, groups, **sockets)
            process = await _run(folder, list(sockets.values()))
        balancer = Balancer(port, AdminSocket(path), load_balancer, target_group, groups)
        try:
            await _answering(balancer._admin, folder)
            yield balancer
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await balancer._stop_opening()

    async def register(self, group: str, address: str, port: int) -> str:
        """The new target's name; it is "initial" until it passed its first check, or failed its first few."""
        target = _Target(group, next(self._names))
        await self._admin.order(
            f"add server {target.checked} {address}:{port} {self._every_server} {self._checked_server}",
            f"add server {target.unhealthy} {address}:{port} {self._every_server} backup",
            # Draining while it comes out of the maintenance in which it is added, so that no request slips through.
            f"set server {target.checked} state drain",
            # HAProxy's "stopping" is ALB's "initial": out of turn, back after one check, down after unhealthy_count.
            f"set server {target.checked} health stopping",
            f"enable health {target.checked}",
            f"set server {target.checked} state ready",
        )
        self._targets[target.name] = target
        self._opening[target.name] = asyncio.create_task(self._open(target))
        return target.name

    async def deregister(self, name: str) -> None:
        """No new request goes to the target; those in its hands go on. Raises KeyError for one that is unknown."""
        target = self._targets[name]
        self._draining.add(name)
        await self._opening[name]
        await self._admin.order(
            f"set server {target.unhealthy} state drain", f"set server {target.checked} state drain"
        )

    async def remove(self, name: str) -> None:
        """Cuts what is left in the target's hands and forgets it. Raises KeyError for one that is unknown.

        HAProxy keeps its servers, out of use: before they could be deleted, their last connection would have to end.
        """
        target = self._targets[name]
        self._draining.add(name)
        await self._opening[name]
        servers = (target.unhealthy, target.checked)
        await self._admin.order(
            *(f"set server {server} state maint" for server in servers),
            *(f"shutdown sessions server {server}" for server in servers),
        )
        del self._targets[name], self._opening[name]
        self._draining.remove(name)

    async def health(self, name: str) -> Health:
        """Raises KeyError for a target that is unknown."""
        target = self._targets[name]
        return "draining" if name in self._draining else await self._checked(target)

    async def weigh(self, weights: Mapping[str, float]) -> None:
        """Shares new requests out to the groups, in percent; a group that is not named gets none.

        Each request goes its own way, by chance. Raises ValueError if they do not sum to 100.
        """
        if unknown := weights.keys() - set(self._groups):
            raise ValueError(f"No such group: {', '.join(sorted(unknown))}")
        if round(sum(weights.values()), 6) != 100:
            raise ValueError(f"Weights sum to 100, not to {sum(weights.values())}")
        ends = shares({group: weights.get(group, 0) for group in self._groups})
        await self._admin.order(*(f"set map {SHARES} {group} {end}" for group, end in ends.items()))

    async def _checked(self, target: _Target) -> Health:
        return _HEALTH[(await self._admin.states(target.group))[target.name]]

    async def _open(self, target: _Target) -> None:
        """Lets the target have requests while all are unhealthy, from when it is no longer "initial"."""
        while target.name not in self._draining and await self._checked(target) == "initial":
            await asyncio.sleep(_LOOK_SECONDS)
        if target.name not in self._draining:
            await self._admin.order(f"set server {target.unhealthy} state ready")

    async def _stop_opening(self) -> None:
        for opening in self._opening.values():
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)


def _bound(family: socket.AddressFamily, address: str | tuple[str, int]) -> socket.socket:
    """Bound and listening, so that a connection waits for HAProxy and nobody else can take the port."""
    bound = socket.socket(family)
    bound.bind(address)
    bound.listen()
    return bound


async def _run(folder: Path, descriptors: Sequence[int]) -> asyncio.subprocess.Process:
    """HAProxy, which is killed if this process ends without doing so."""
    command = ["setpriv", "--pdeathsig", "KILL", _program(), "-db", "-f", CONFIG]
    with (folder / "haproxy.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(*command, cwd=folder, pass_fds=descriptors, stdout=log, stderr=log)


def _program() -> str:
    """The environment's own, else the machine's."""
    program = shutil.which("haproxy", path=str(Path(sys.executable).parent)) or shutil.which("haproxy")
    if program is None:
        raise BalancerError("HAProxy is missing: `make .venv/bin/haproxy` provides it")
    return program


async def _answering(admin: AdminSocket, folder: Path) -> None:
    try:
        await admin.ask("show version")
    except BalancerError as error:
        said = (folder / "haproxy.log").read_text().strip()
        raise BalancerError(f"HAProxy does not start: {said or error}") from error
