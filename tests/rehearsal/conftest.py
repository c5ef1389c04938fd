"""What the tests of the rehearsal share: an environment, deployed by the CDK's own command line."""

from __future__ import annotations

import pytest

from rehearsal.account import Account
from tests.accounts import Accounts


@pytest.fixture(scope="session")
def account(accounts: Accounts) -> Account:
    """With ``dev`` as ``cdk.json`` has it, for all to look at."""
    return accounts.to_look_at("dev")
