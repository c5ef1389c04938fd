from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from stacks.__main__ import main
from stacks.account.connection import Account, UnreadError, connect
from stacks.errors import CommandError
from stacks.settings import Environment
from tests.serving import free_port
from tests.stacks.account.guarded import become, guarded, make_role, statements_of


def environment(**changed: Any) -> Environment:
    return Environment.model_validate({"name": "dev", "model": {"name": "churn", "alias": "production"}, **changed})


def test_the_account_is_that_of_the_credentials(account: Account) -> None:
    assert (account.id, account.region, account.partition) == ("123456789012", "eu-central-1", "aws")
    assert account.caller.startswith("arn:aws:sts::123456789012:")


def test_the_environments_region_wins_over_the_tools_and_aws_region_over_the_default(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-1")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert connect(environment()).region == "us-west-2"
    assert connect(environment(account="123456789012", region="ap-south-1")).region == "ap-south-1"
    monkeypatch.delenv("AWS_REGION")
    assert connect(environment()).region == "us-west-1"


def test_china_has_a_suffix_of_its_own(account: Account) -> None:
    assert account.pseudo_parameters["AWS::URLSuffix"] == "amazonaws.com"
    assert account._replace(partition="aws-cn").pseudo_parameters["AWS::URLSuffix"] == "amazonaws.com.cn"


def test_without_a_region_the_variable_is_named(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(key)
    with pytest.raises(CommandError, match="there is no region: set AWS_REGION"):
        connect(environment())


def test_without_credentials_the_ways_to_them_are_named(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    with pytest.raises(CommandError, match="set AWS_PROFILE"):
        connect(environment())


def test_an_account_that_does_not_answer_is_told(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CommandError, match="AWS does not know us: Could not connect"):
        connect(environment())


def test_an_environment_bound_to_another_account_is_refused(aws: str) -> None:
    with pytest.raises(CommandError, match="dev belongs to account 210987654321, these credentials to 123456789012"):
        connect(environment(account="210987654321", region="eu-central-1"))


def test_a_call_that_fails_otherwise_than_foreseen_is_said(account: Account) -> None:
    assert account.ask("s3", "head_bucket", ("404",), Bucket="not-there") is None
    with pytest.raises(UnreadError, match=r"s3:head_bucket failed: .*404"):
        account.ask("s3", "head_bucket", Bucket="not-there")
    with pytest.raises(UnreadError, match="s3:head_bucket failed: Parameter validation failed"):
        account.ask("s3", "head_bucket", Bucket="not a bucket")


LOOKUP_ROLE = "cdk-hnb659fds-lookup-role-123456789012-eu-central-1"
MAY_BECOME_IT = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Resource": f"arn:aws:iam::123456789012:role/{LOOKUP_ROLE}",
}
MAY_READ = {"Effect": "Allow", "Action": ["ssm:Get*", "s3:Get*", "s3:List*"], "Resource": "*"}


def test_what_is_refused_to_the_caller_is_asked_as_the_role_that_the_cdk_reads_with(
    account: Account, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.ask("ssm", "put_parameter", Name="/alphard/dev/serving/url", Value="http://here", Type="String")
    make_role(account, LOOKUP_ROLE, [MAY_READ])
    become(account, make_role(account, "alphard-dev-delivery", [MAY_BECOME_IT]), monkeypatch)
    with guarded(aws):
        narrow = connect(environment())
        assert (
            narrow.ask("ssm", "get_parameter", Name="/alphard/dev/serving/url")["Parameter"]["Value"] == "http://here"
        )
        assert narrow.ask("ssm", "get_parameter", ("ParameterNotFound",), Name="/alphard/dev") is None
        with pytest.raises(UnreadError, match=f"ssm:put_parameter is not permitted to {narrow.caller}"):
            narrow.ask("ssm", "put_parameter", Name="/alphard/dev", Value="", Type="String")


def test_who_may_not_become_that_role_is_told_what_is_not_permitted(
    account: Account, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_role(account, LOOKUP_ROLE, [MAY_READ])
    become(account, make_role(account, "stranger", [{**MAY_READ, "Action": "ecr:Describe*"}]), monkeypatch)
    with guarded(aws), pytest.raises(UnreadError, match=r"ssm:get_parameter is not permitted to .*stranger"):
        connect(environment()).ask("ssm", "get_parameter", Name="/alphard/dev")


@pytest.mark.parametrize("command", ["doctor", "deployed"])
def test_the_delivery_role_reads_all_that_a_deployment_asks_by_aws_own_policy_for_reading(
    command: str, account: Account, aws: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading = json.loads(aws_managed_policies_data)["ReadOnlyAccess"]["Document"]["Statement"]
    allowed = {action for statement in reading for action in statement["Action"]}
    assert {"cloudwatch:Describe*", "cloudwatch:List*", "s3:List*"} <= allowed
    # The stand-in calls CloudWatch by its endpoint's name, and does not know that ListBucket allows HeadBucket.
    alike = ["monitoring:Describe*", "monitoring:List*", "s3:HeadBucket"]
    make_role(account, LOOKUP_ROLE, [*reading, {"Effect": "Allow", "Action": alike, "Resource": "*"}])
    delivered = environment(delivery={"repository": "constellation/alphard", "github_environment": "dev"})
    role = make_role(account, "alphard-dev-delivery", statements_of("Role", delivered, account))
    become(account, role, monkeypatch)
    with guarded(aws):
        status = main([command])
    out, err = capsys.readouterr()
    assert status == 0, out + err
    assert "not permitted" not in out + err
