from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.account.connection import Account
from stacks.account.names import LOOKUPS, is_taken, named
from stacks.assembly import Assembly
from tests.stacks.synthesis import Resource, Synthesis

URL = "https://token.actions.githubusercontent.com"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def assembly(**resources: Mapping[str, Any]) -> Assembly:
    """One stack with these resources."""
    return Assembly({"Storage": {"Resources": resources}}, {"Storage": "alphard-dev-storage"}, 6, Path())


def make(account: Account, service: str, operation: str, **arguments: Any) -> Any:
    return account.ask(service, operation, **arguments)


def network(account: Account) -> tuple[str, list[str]]:
    vpc: str = make(account, "ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        make(
            account,
            "ec2",
            "create_subnet",
            VpcId=vpc,
            CidrBlock=f"10.0.{n}.0/24",
            AvailabilityZone=f"{account.region}{zone}",
        )
        for n, zone in enumerate("ab")
    ]
    return vpc, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


def balancer(account: Account, name: str) -> str:
    _, subnets = network(account)
    arn: str = make(account, "elbv2", "create_load_balancer", Name=name, Subnets=subnets)["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    return arn


def target_group(account: Account, name: str) -> str:
    vpc, _ = network(account)
    answer = make(account, "elbv2", "create_target_group", Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    arn: str = answer["TargetGroups"][0]["TargetGroupArn"]
    return arn


def cluster(account: Account, name: str) -> None:
    make(account, "ecs", "create_cluster", clusterName=name)


def service(account: Account, name: str) -> None:
    cluster(account, "ours")
    container = [{"name": "app", "image": "app", "memory": 128}]
    make(account, "ecs", "register_task_definition", family="app", containerDefinitions=container)
    make(account, "ecs", "create_service", cluster="ours", serviceName=name, taskDefinition="app", desiredCount=1)


def function(account: Account, name: str) -> None:
    role = make(account, "iam", "create_role", RoleName="of-function", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    make(
        account,
        "lambda",
        "create_function",
        FunctionName=name,
        Role=role,
        PackageType="Image",
        Code={"ImageUri": "x/y:z"},
    )


def web_acl(account: Account, name: str) -> None:
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    make(
        account,
        "wafv2",
        "create_web_acl",
        Name=name,
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visibility,
    )


def alarm(account: Account, name: str) -> None:
    make(
        account, "cloudwatch", "put_metric_alarm", AlarmName=name, MetricName="m", Namespace="n", Statistic="Sum",
        Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


def rule(account: Account, name: str) -> None:
    make(account, "events", "put_rule", Name=name, ScheduleExpression="rate(1 day)")


MAKERS: Mapping[str, Callable[[Account, str], Any]] = {
    "AWS::ECR::Repository": lambda account, name: make(account, "ecr", "create_repository", repositoryName=name),
    "AWS::S3::Bucket": lambda account, name: make(
        account, "s3", "create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.region}
    ),
    "AWS::Logs::LogGroup": lambda account, name: make(account, "logs", "create_log_group", logGroupName=name),
    "AWS::ECS::Cluster": cluster,
    "AWS::ECS::Service": service,
    "AWS::IAM::Role": lambda account, name: make(
        account, "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=TRUST
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": target_group,
    "AWS::SSM::Parameter": lambda account, name: make(
        account, "ssm", "put_parameter", Name=name, Value="v", Type="String"
    ),
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::CloudWatch::CompositeAlarm": alarm,  # an alarm's name is taken by either kind
    "AWS::CloudWatch::Dashboard": lambda account, name: make(
        account, "cloudwatch", "put_dashboard", DashboardName=name, DashboardBody='{"widgets": []}'
    ),
    "AWS::WAFv2::WebACL": web_acl,
    "AWS::Lambda::Function": function,
    "AWS::SNS::Topic": lambda account, name: make(account, "sns", "create_topic", Name=name),
    "AWS::Events::Rule": rule,
    "AWS::Logs::ResourcePolicy": lambda account, name: make(
        account, "logs", "put_resource_policy", policyName=name, policyDocument=TRUST
    ),
}
"""How each type of resource comes to be, under a name."""

SPECIAL = {"AWS::IAM::OIDCProvider", "AWS::Route53::RecordSet", "AWS::ElasticLoadBalancingV2::ListenerRule"}
"""Those with a test of their own below."""


def taken(account: Account, kind: str, **properties: Any) -> bool:
    (found,) = named(assembly(It={"Type": kind, "Properties": properties}), account.pseudo_parameters)
    return is_taken(account, found[1], found[2])


def test_every_type_that_takes_a_name_is_tried_here() -> None:
    assert LOOKUPS.keys() == MAKERS.keys() | SPECIAL


def test_every_name_in_every_environment_is_looked_for_or_may_be_given_twice(synthesis: Synthesis) -> None:
    twice = {
        "AWS::IAM::Policy",  # within its role
        "AWS::Lambda::Alias",  # within its function
        "AWS::ApplicationAutoScaling::ScalingPolicy",  # within its target
        "AWS::Logs::QueryDefinition",
    }
    unknown = {found.type for found in synthesis.resources() if _own_name(found)} - LOOKUPS.keys() - twice
    assert unknown == set()


def _own_name(resource: Resource) -> bool:
    """Whether the resource is given a name: by ``Name``, or as an ``AWS::SNS::Topic`` is by ``TopicName``."""
    kind = resource.type.rpartition("::")[2]
    return any(key.endswith("Name") and kind.endswith(key.removesuffix("Name")) for key in resource.properties)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_name_is_taken_by_what_has_it_and_not_by_a_longer_one(kind: str, account: Account) -> None:
    name = "/ecs/alphard" if kind == "AWS::Logs::LogGroup" else "alphard-cluster"
    others = {"AWS::ECS::Service": {"Cluster": "ours"}, "AWS::WAFv2::WebACL": {"Scope": "REGIONAL"}}.get(kind, {})
    properties = {LOOKUPS[kind].property: name, **others}
    assert not taken(account, kind, **properties)
    MAKERS[kind](account, f"{name}-2")
    assert not taken(account, kind, **properties)
    assert taken(account, kind, **{**properties, LOOKUPS[kind].property: f"{name}-2"})


def test_an_account_has_one_oidc_provider_for_a_url(account: Account) -> None:
    assert not taken(account, "AWS::IAM::OIDCProvider", Url=URL)
    make(account, "iam", "create_open_id_connect_provider", Url=URL, ThumbprintList=["0" * 40])
    assert taken(account, "AWS::IAM::OIDCProvider", Url=URL)
    assert not taken(account, "AWS::IAM::OIDCProvider", Url="https://example.com")


def test_a_record_is_taken_by_its_name_and_type(account: Account) -> None:
    zone = make(account, "route53", "create_hosted_zone", Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    properties = {"HostedZoneId": zone.rpartition("/")[2], "Name": "predict.example.com.", "Type": "A"}
    assert not taken(account, "AWS::Route53::RecordSet", **properties)
    record = {"Name": "predict.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    make(account, "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=change)
    assert taken(account, "AWS::Route53::RecordSet", **properties)
    assert not taken(account, "AWS::Route53::RecordSet", **{**properties, "Type": "AAAA"})
    assert not taken(account, "AWS::Route53::RecordSet", **{**properties, "Name": "a.example.com"})


def test_the_priority_of_a_rule_is_taken_on_its_listener(account: Account) -> None:
    group, load_balancer = target_group(account, "tg"), balancer(account, "lb")
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    listener = make(
        account,
        "elbv2",
        "create_listener",
        LoadBalancerArn=load_balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=actions,
    )["Listeners"][0]["ListenerArn"]
    kind = "AWS::ElasticLoadBalancingV2::ListenerRule"
    assert not taken(account, kind, ListenerArn=listener, Priority=7)
    conditions = [{"Field": "path-pattern", "Values": ["/x"]}]
    make(account, "elbv2", "create_rule", ListenerArn=listener, Priority=7, Conditions=conditions, Actions=actions)
    assert taken(account, kind, ListenerArn=listener, Priority=7)
    assert not taken(account, kind, ListenerArn={"Ref": "Ours"}, Priority=7)


def test_names_are_resolved_as_the_account_would(account: Account) -> None:
    place = {"Fn::Join": ["-", ["logs", {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}]]}
    template = assembly(
        Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": place}},
        Group={"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "ours"}},
        Service={"Type": "AWS::ECS::Service", "Properties": {"ServiceName": "s", "Cluster": {"Ref": "Group"}}},
        Nameless={"Type": "AWS::S3::Bucket"},
        Generated={"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::GetAtt": ["Other", "Name"]}}},
    )
    found = {resource.logical_id: values for resource, _, values in named(template, account.pseudo_parameters)}
    assert found.keys() == {"Bucket", "Group", "Service"}
    assert found["Bucket"]["BucketName"] == "logs-123456789012-eu-central-1"
    assert found["Service"]["Cluster"] == "ours"
