"""What a look at an account finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from stacks.account.connection import UnreadError


class Finding(NamedTuple):
    """``fault`` stops a deployment, ``unread`` could not be looked at, ``pending`` is what ``make deploy`` does itself.

    ``what`` and ``fix`` are one line each.
    """

    kind: Literal["fault", "unread", "pending"]
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.kind:7}  {self.what}: {self.fix}"


Check = Callable[[], Iterator[Finding]]


def gather(checks: Iterable[Check]) -> Iterator[Finding]:
    """What the checks find; one that may not look says so and keeps nobody else from looking."""
    for check in checks:
        try:
            yield from check()
        except UnreadError as error:
            yield Finding("unread", str(error), "look there yourself, or ask for the permission")
