"""What ECS needs of the load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

Group = Literal["blue", "green"]
TargetHealth = Literal["initial", "healthy", "unhealthy", "draining"]


class Balancer(Protocol):
    """Such as ``rehearsal.balancer.Balancer``."""

    async def register(self, group: Group, address: str, port: int, /) -> str:
        """The target's name."""

    async def deregister(self, target: str, /) -> None:
        """The target gets no new request from now on, and keeps those that it has."""

    async def remove(self, target: str, /) -> None:
        """Ends what connections the target still has. The deregistration delay has passed: who calls has waited."""

    async def health(self, target: str, /) -> TargetHealth: ...

    async def weigh(self, weights: Mapping[str, float], /) -> None:
        """From now on this many percent of requests go to each group, by name."""
