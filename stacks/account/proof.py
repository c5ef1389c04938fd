"""The proof that an environment answers: by its golden rows where it may be asked, else by what its balancer sees."""

from __future__ import annotations

from collections.abc import Callable

from stacks.account.connection import Account
from stacks.account.model import Model, read_golden
from stacks.account.state import find_url, wait_until_healthy
from stacks.account.verify import verify
from stacks.assembly import Assembly
from stacks.errors import CommandError
from stacks.settings import Environment

READY_SECONDS = 300.0
"""How long a deployed service may take to answer: a new balancer's name needs minutes to be known everywhere."""


def prove(
    environment: Environment,
    account: Account,
    assembly: Assembly,
    model: Model,
    *,
    say: Callable[[str], None],
    reach: Callable[[str], str],
) -> str:
    """What was proven. ``reach`` makes of the environment's URL, which is said, the one that is reached from here.

    Raises CommandError if it is not deployed, or does not answer as it must; UnreadError if the account does not tell.
    """
    url = find_url(account, environment.name)
    if url is None:
        raise CommandError(f"{environment.name} is not deployed in account {account.id}, {account.region}")
    say(f"URL  {url}")
    if closed := _closed(environment):
        healthy = wait_until_healthy(account, assembly.stack_names["Serving"], READY_SECONDS)
        return f"{url} {closed}; {healthy}"
    return verify(reach(url), read_golden(account, model), deadline_seconds=READY_SECONDS)


def _closed(environment: Environment) -> str | None:
    """Why nobody here may ask it, if so."""
    door = environment.load_balancer
    if door.listener == "own" and door.scheme == "internal":
        return "is internal and cannot be reached from here"
    if door.authentication is not None:
        return "answers nobody who does not sign in"
    return None
