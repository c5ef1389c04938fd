from __future__ import annotations

from functools import partial
from typing import Any

import aws_cdk as cdk
import pytest

from service.stores.uri import parse_model
from service.upkeep import LOAD_WAIT_SECONDS
from stacks.constructs.environment import model_uri
from stacks.constructs.function import ServiceFunction
from tests.stacks.constructs.resources import made
from tests.stacks.template_yaml import to_text

TAG = "0123456789abcdef0123456789abcdef01234567"


def make(stack: cdk.Stack, **changed: Any) -> ServiceFunction:
    narrow: dict[str, Any] = {
        "name": "alphard-dev-function",
        "repository_name": "alphard-dev-service",
        "image_tag": TAG,
        "architecture": "x86_64",
        "memory_mib": 1769,
        "request_deadline_seconds": 15,
        "reserved_concurrency": None,
        "provisioned_concurrency": 0,
        "environment": {"ALPHARD_LOG_LEVEL": "INFO"},
        "model_bucket_name": f"alphard-dev-models-{cdk.Aws.ACCOUNT_ID}",
        "model_prefix": "models/iris",
        "log_group_name": "/alphard/dev/service",
    }
    function = ServiceFunction(stack, "Function", **{**narrow, **changed})
    function.target_group(name="alphard-dev-targets", health_check_path="/ready")
    return function


def one(kind: str, **changed: Any) -> dict[str, Any]:
    """The properties of the one resource of this type."""
    (found,) = made(lambda stack: make(stack, **changed), kind).values()
    return found


def statements(**changed: Any) -> dict[str, str]:
    """What the function's role may do, and to what."""
    document = one("AWS::IAM::Policy", **changed)["PolicyDocument"]
    return {str(each["Action"]): to_text(each["Resource"]) or "" for each in document["Statement"]}


def test_it_runs_the_commits_image_for_lambda_on_its_architecture() -> None:
    function = one("AWS::Lambda::Function", architecture="arm64")
    assert function["PackageType"] == "Image"
    assert (to_text(function["Code"]["ImageUri"]) or "").endswith(f"/alphard-dev-service:{TAG}-lambda")
    assert function["Architectures"] == ["arm64"]


@pytest.mark.parametrize("deadline_seconds", [0.5, 15, 30.2])
def test_it_has_time_to_wait_for_a_model_and_to_answer(deadline_seconds: float) -> None:
    timeout = one("AWS::Lambda::Function", request_deadline_seconds=deadline_seconds)["Timeout"]
    assert timeout > deadline_seconds + LOAD_WAIT_SECONDS


def test_its_concurrency_is_reserved_and_provisioned_only_where_that_is_asked_for() -> None:
    assert "ReservedConcurrentExecutions" not in one("AWS::Lambda::Function")
    assert "ProvisionedConcurrencyConfig" not in one("AWS::Lambda::Alias")
    assert one("AWS::Lambda::Function", reserved_concurrency=50)["ReservedConcurrentExecutions"] == 50
    provisioned = one("AWS::Lambda::Alias", provisioned_concurrency=2)["ProvisionedConcurrencyConfig"]
    assert provisioned == {"ProvisionedConcurrentExecutions": 2}


def test_its_role_reads_one_model_and_writes_into_one_log_group() -> None:
    allowed = statements()
    assert allowed == {
        "s3:GetObject": "arn:${AWS::Partition}:s3:::alphard-dev-models-${AWS::AccountId}/models/iris/*",
        "['logs:CreateLogStream', 'logs:PutLogEvents']": (
            "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/alphard/dev/service:*"
        ),
    }
    assert "ManagedPolicyArns" not in one("AWS::IAM::Role")


@pytest.mark.parametrize("prefix", ["models", "team/models"])
def test_what_its_role_reads_is_where_the_model_is(prefix: str) -> None:
    uri = parse_model(model_uri(bucket="models", prefix=prefix, name="iris", alias="production", version=None))
    allowed = statements(model_bucket_name="models", model_prefix=f"{prefix}/iris")["s3:GetObject"]
    assert allowed.endswith(f":::{uri.store.bucket}/{'/'.join(uri.store.parts)}/{uri.name}/*")


def test_lambda_passes_on_every_line_of_the_service_and_none_of_its_own_on_what_went_well() -> None:
    assert one("AWS::Lambda::Function")["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "WARN",
        "LogGroup": "/alphard/dev/service",
    }


def test_only_our_target_group_may_invoke_and_only_the_alias() -> None:
    (logical_id,) = made(make, "AWS::Lambda::Alias")
    permission = one("AWS::Lambda::Permission")
    assert permission["FunctionName"] == {"Ref": logical_id}
    assert permission["Principal"] == "elasticloadbalancing.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert (to_text(permission["SourceArn"]) or "").endswith(":targetgroup/alphard-dev-targets/*")


def test_the_balancer_sends_every_value_of_a_header_and_checks_nothing() -> None:
    (alias,) = made(make, "AWS::Lambda::Alias")
    group = one("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["Name"] == "alphard-dev-targets"
    assert group["Targets"] == [{"Id": {"Ref": alias}}]
    assert group["TargetGroupAttributes"] == [{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}]
    assert (group["HealthCheckEnabled"], group["HealthCheckPath"]) == (False, "/ready")


def test_another_image_is_another_version() -> None:
    versions = [made(partial(make, image_tag=tag), "AWS::Lambda::Version") for tag in (TAG, "f" * 40)]
    assert versions[0].keys() != versions[1].keys()
