"""The way between a balancer and its targets, which loopback has none of: every byte arrives a moment later.

In that moment one side may close a connection while the other sends a request into it. On loopback it is a matter of
microseconds, between zones of a region of a millisecond or two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from rehearsal.ecs import Balancer, Group, TargetHealth


class Distant:
    """The balancer, with each target so many seconds away from it, one way. ``stack`` closes the ways."""

    def __init__(self, balancer: Balancer, seconds: float, stack: AsyncExitStack) -> None:
        self._balancer = balancer
        self._seconds = seconds
        self._stack = stack

    async def register(self, group: Group, address: str, port: int) -> str:
        """Behind another port of the same address."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Near(self._seconds, address, port), address, 0)
        self._stack.callback(server.close)
        return await self._balancer.register(group, address, server.sockets[0].getsockname()[1])

    async def deregister(self, target: str) -> None:
        await self._balancer.deregister(target)

    async def remove(self, target: str) -> None:
        await self._balancer.remove(target)

    async def health(self, target: str) -> TargetHealth:
        return await self._balancer.health(target)

    async def weigh(self, weights: Mapping[str, float]) -> None:
        await self._balancer.weigh(weights)


class _End(asyncio.Protocol):
    """Of a connection that is relayed: what comes in goes out at the other end later, and so does its closing."""

    other: _End | None = None

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.writelines(self._early)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._pass, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's form
        asyncio.get_running_loop().call_later(self._seconds, self._part)

    def write(self, data: bytes) -> None:
        """Into a connection that was closed meanwhile it goes nowhere."""
        if self._transport is None:
            self._early.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _pass(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def _part(self) -> None:
        if self.other is not None:
            self.other.close()


class _Near(_End):
    """The balancer's end, which reaches for the target when the balancer reaches for it."""

    def __init__(self, seconds: float, address: str, port: int) -> None:
        super().__init__(seconds)
        self._address = address
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = _End(self._seconds)
        self.other.other = self
        self._reaching = asyncio.get_running_loop().create_task(self._reach(self.other))

    async def _reach(self, far: _End) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, self._address, self._port)
        except OSError:
            self.close()
