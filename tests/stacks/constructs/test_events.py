from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stacks.constructs.events import DeploymentEvents
from tests.stacks.constructs.resources import made
from tests.stacks.ecs_events import CLUSTER_ARN, DEPLOYMENT_COMPLETED, DEPLOYMENT_FAILED, SERVICE_ARN, SPOT_INTERRUPTION

LOG_GROUP = "/alphard/dev/deployments"
TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:alerts"
PLACE = {"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}


def events(*types: str, spot: bool = True) -> dict[str, Any]:
    """The properties of the construct's resources of these types, with a place filled in."""
    found = made(
        lambda stack: DeploymentEvents(
            stack,
            "Events",
            name="alphard-dev-deployments",
            cluster_name="alphard-dev-cluster",
            service_name="alphard-dev-service",
            spot=spot,
            log_group_name=LOG_GROUP,
            retention_days=30,
            topic_arn=TOPIC_ARN,
            failure_text='<deployment> failed at <time>: <reason>\nLook "there".',
        ),
        *types,
    )
    return {key: _placed(properties) for key, properties in found.items()}


def _placed(value: Any) -> Any:
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_placed(part) for part in parts)
        case {"Ref": name}:
            return PLACE[name]
        case dict():
            return {key: _placed(each) for key, each in value.items()}
        case list():
            return [_placed(each) for each in value]
    return value


def takes(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether a rule with this pattern takes the event: of each key one of the values."""
    for key, wanted in pattern.items():
        given = event.get(key)
        if isinstance(wanted, dict):
            if not isinstance(given, dict) or not takes(wanted, given):
                return False
        elif not set(given if isinstance(given, list) else [given]) & set(wanted):
            return False
    return True


def reached(event: dict[str, Any], *, spot: bool = True) -> list[str]:
    """The targets that get the event."""
    rules = events("AWS::Events::Rule", spot=spot).values()
    return [target["Arn"] for rule in rules if takes(rule["EventPattern"], event) for target in rule["Targets"]]


LOG = f"arn:aws:logs:eu-central-1:123456789012:log-group:{LOG_GROUP}"


def test_a_failed_deployment_is_kept_and_told() -> None:
    assert sorted(reached(DEPLOYMENT_FAILED)) == [LOG, TOPIC_ARN]


def test_a_deployment_that_went_well_is_kept() -> None:
    assert reached(DEPLOYMENT_COMPLETED) == [LOG]


def test_an_interruption_by_spot_is_kept_where_there_is_spot() -> None:
    assert reached(SPOT_INTERRUPTION) == [LOG]
    assert reached(SPOT_INTERRUPTION, spot=False) == []


@pytest.mark.parametrize(
    "event",
    [
        {**DEPLOYMENT_FAILED, "resources": [SERVICE_ARN.replace("dev-service", "prod-service")]},
        {**SPOT_INTERRUPTION, "detail": {**SPOT_INTERRUPTION["detail"], "group": "service:another"}},
        {**SPOT_INTERRUPTION, "detail": {**SPOT_INTERRUPTION["detail"], "clusterArn": CLUSTER_ARN + "2"}},
        {**SPOT_INTERRUPTION, "detail": {**SPOT_INTERRUPTION["detail"], "stopCode": "ServiceSchedulerInitiated"}},
    ],
)
def test_what_is_another_services_or_no_interruption_is_passed_over(event: dict[str, Any]) -> None:
    assert reached(event) == []


def test_a_person_reads_which_deployment_failed_when_and_why() -> None:
    (transformer,) = (
        target["InputTransformer"]
        for rule in events("AWS::Events::Rule").values()
        for target in rule["Targets"]
        if target["Arn"] == TOPIC_ARN
    )
    values = {key: _at(DEPLOYMENT_FAILED, path) for key, path in transformer["InputPathsMap"].items()}
    message = re.sub(r"<(\w+)>", lambda found: values[found[1]], transformer["InputTemplate"])
    assert json.loads(message) == (
        "ecs-svc/123 failed at 2026-05-23T12:31:14Z: ECS deployment circuit breaker: task failed to start."
        '\nLook "there".'
    )


def _at(event: Any, path: str) -> str:
    for key in path.removeprefix("$.").split("."):
        event = event[key]
    return str(event)


def test_only_these_rules_may_write_to_the_log_group() -> None:
    rules = events("AWS::Events::Rule").values()
    writing = {rule["Name"] for rule in rules if any(target["Arn"] == LOG for target in rule["Targets"])}
    (policy,) = events("AWS::Logs::ResourcePolicy").values()
    statements = {one["Action"]: one for one in json.loads(policy["PolicyDocument"])["Statement"]}
    assert statements.keys() == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert {one["Resource"] for one in statements.values()} == {f"{LOG}:*"}
    arns = statements["logs:PutLogEvents"]["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert set(arns) == {f"arn:aws:events:eu-central-1:123456789012:rule/{name}" for name in writing}


def test_the_log_group_forgets() -> None:
    (group,) = events("AWS::Logs::LogGroup").values()
    assert group == {"LogGroupName": LOG_GROUP, "RetentionInDays": 30}


def test_no_custom_resource_is_needed() -> None:
    assert not events("AWS::Lambda::Function", "AWS::IAM::Role", "Custom::CloudwatchLogResourcePolicy")
