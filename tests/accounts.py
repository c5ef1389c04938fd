"""Accounts on loopback with an environment deployed, shared by the tests that only look."""

from __future__ import annotations

from contextlib import ExitStack

from rehearsal.account import Account, bootstrapped

TAG = "a" * 40
"""Of the image that is deployed."""


class Accounts:
    """Deploys an environment when a test first asks for it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._unchanged: dict[str, Account] = {}

    def to_look_at(self, environment: str) -> Account:
        """With the environment as ``cdk.json`` has it. Whoever changes it puts it back."""
        if environment not in self._unchanged:
            self._unchanged[environment] = self._deployed(environment)
        return self._unchanged[environment]

    def to_change(self, environment: str) -> Account:
        """The same; no other test gets it after this."""
        return self._unchanged.pop(environment, None) or self._deployed(environment)

    def _deployed(self, environment: str) -> Account:
        account = self._stack.enter_context(bootstrapped(environment))
        account.deploy(tag=TAG)
        return account
