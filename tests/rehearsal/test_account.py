"""An account on loopback, and the command line that deploys into it."""

from __future__ import annotations

import pytest

from rehearsal.account import Account
from rehearsal.errors import CommandError
from tests.accounts import TAG


def test_a_stacks_template_resources_and_parameters_are_those_deployed(account: Account) -> None:
    resources = account.template("Serving")["Resources"]
    (cluster,) = (logical_id for logical_id, body in resources.items() if body["Type"] == "AWS::ECS::Cluster")
    assert account.resources("Serving")[cluster] == "alphard-dev-cluster"
    assert account.parameters()["/alphard/dev/storage/repository"] == "alphard-dev-service"


def test_a_command_that_fails_says_its_last_lines(account: Account) -> None:
    with pytest.raises(
        CommandError, match=r"^cdk synth ended with 1:\n(.*\n)*environments\.dev\.scaling\.tasks: no such"
    ):
        account.cdk("synth", tag=TAG, settings={"scaling": {"tasks": 3}})
