"""Names that a deployment would take, and whether the account has given them to something else already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from stacks.account.connection import Account
from stacks.assembly import Assembly, Resource, resolve, stack_resources

Values = Mapping[str, str]


class Lookup(NamedTuple):
    """How the account is asked for a resource of one type by its name.

    The name is the value of ``property``. ``arguments`` makes the call's arguments of the resource's plain properties,
    or nothing where these tell that it cannot exist yet. ``holds`` says whether the answer holds what these properties
    name; error codes in ``missing`` mean that it does not exist.
    """

    noun: str
    property: str
    service: str
    operation: str
    arguments: Callable[[Values], dict[str, Any] | None]
    missing: tuple[str, ...] = ()
    holds: Callable[[Any, Values], bool] = lambda _answer, _values: True


def named(assembly: Assembly, known: Values) -> Iterator[tuple[Resource, Lookup, Values]]:
    """The resources that take a name, with their plain properties and the pseudo parameters.

    ``known`` are the pseudo parameters. What refers to a named cluster of the same stack has that name.
    """
    for stack, template in assembly.templates.items():
        beside = {**known, **_clusters(stack, template, known)}
        for resource in stack_resources(stack, template):
            lookup = LOOKUPS.get(resource.type)
            plain = {key: found for key, value in resource.properties.items() if (found := resolve(value, beside))}
            if lookup is not None and lookup.property in plain:
                yield resource, lookup, {**known, **plain}


def is_taken(account: Account, lookup: Lookup, values: Values) -> bool:
    """Whether the account has something of that name. Raises UnreadError."""
    arguments = lookup.arguments(values)
    if arguments is None:
        return False
    answer = account.ask(lookup.service, lookup.operation, lookup.missing, **arguments)
    return answer is not None and lookup.holds(answer, values)


def _clusters(stack: str, template: Mapping[str, Any], known: Values) -> dict[str, str]:
    """The names that ``Ref`` gives of the template's clusters; of many other types it gives the ARN."""
    return {
        resource.logical_id: name
        for resource in stack_resources(stack, template)
        if resource.type == "AWS::ECS::Cluster" and (name := resolve(resource.properties.get("ClusterName"), known))
    }


def _one(argument: str, key: str) -> Callable[[Values], dict[str, Any]]:
    return lambda values: {argument: values[key]}


def _list_of_one(argument: str, key: str) -> Callable[[Values], dict[str, Any]]:
    return lambda values: {argument: [values[key]]}


def _lists(key: str, field: str, named: str) -> Callable[[Any, Values], bool]:
    """The answer lists the name itself, where the call matches a prefix or lists everything."""
    return lambda answer, values: any(item[field] == values[named] for item in answer[key])


def _has_host(answer: Any, values: Values) -> bool:
    """An account has one OIDC provider for a URL; the ARN ends in its host and path."""
    ending = "/" + "".join(urlsplit(values["Url"])[1:3])
    return any(provider["Arn"].endswith(ending) for provider in answer["OpenIDConnectProviderList"])


def _is_active(key: str) -> Callable[[Any, Values], bool]:
    """ECS goes on listing what was deleted, as inactive."""
    return lambda answer, _: any(item["status"] != "INACTIVE" for item in answer[key])


def _topic(values: Values) -> dict[str, Any]:
    place = (values["AWS::Partition"], "sns", values["AWS::Region"], values["AWS::AccountId"])
    return {"TopicArn": ":".join(("arn", *place, values["TopicName"]))}


def _in_zone(values: Values) -> dict[str, Any]:
    return {
        "HostedZoneId": values["HostedZoneId"],
        "StartRecordName": values["Name"],
        "StartRecordType": values["Type"],
        "MaxItems": "1",
    }


def _is_record(answer: Any, values: Values) -> bool:
    """The answer begins with the record, or with the next one."""
    wanted = values["Name"].rstrip("."), values["Type"]
    return any((record["Name"].rstrip("."), record["Type"]) == wanted for record in answer["ResourceRecordSets"])


def _rules(values: Values) -> dict[str, Any] | None:
    """Only of a listener that exists: the ARN of an own one is not known here."""
    return {"ListenerArn": values["ListenerArn"]} if values.get("ListenerArn", "").startswith("arn:") else None


def _alarms(values: Values) -> dict[str, Any]:
    return {"AlarmNames": [values["AlarmName"]], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}


def _has_alarm(answer: Any, _: Values) -> bool:
    return bool(answer.get("MetricAlarms") or answer.get("CompositeAlarms"))


LOOKUPS: Mapping[str, Lookup] = {
    "AWS::ECR::Repository": Lookup(
        "repository",
        "RepositoryName",
        "ecr",
        "describe_repositories",
        _list_of_one("repositoryNames", "RepositoryName"),
        ("RepositoryNotFoundException",),
    ),
    "AWS::S3::Bucket": Lookup(
        "bucket", "BucketName", "s3", "head_bucket", _one("Bucket", "BucketName"), ("404", "NoSuchBucket")
    ),
    "AWS::Logs::LogGroup": Lookup(
        "log group",
        "LogGroupName",
        "logs",
        "describe_log_groups",
        _one("logGroupNamePrefix", "LogGroupName"),
        holds=_lists("logGroups", "logGroupName", "LogGroupName"),
    ),
    "AWS::ECS::Cluster": Lookup(
        "cluster",
        "ClusterName",
        "ecs",
        "describe_clusters",
        _list_of_one("clusters", "ClusterName"),
        holds=_is_active("clusters"),
    ),
    "AWS::ECS::Service": Lookup(
        "service",
        "ServiceName",
        "ecs",
        "describe_services",
        lambda values: {"cluster": values["Cluster"], "services": [values["ServiceName"]]},
        ("ClusterNotFoundException",),
        _is_active("services"),
    ),
    "AWS::IAM::Role": Lookup("role", "RoleName", "iam", "get_role", _one("RoleName", "RoleName"), ("NoSuchEntity",)),
    "AWS::IAM::OIDCProvider": Lookup(
        "OIDC provider", "Url", "iam", "list_open_id_connect_providers", lambda _: {}, holds=_has_host
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Lookup(
        "load balancer",
        "Name",
        "elbv2",
        "describe_load_balancers",
        _list_of_one("Names", "Name"),
        ("LoadBalancerNotFound",),
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Lookup(
        "target group",
        "Name",
        "elbv2",
        "describe_target_groups",
        _list_of_one("Names", "Name"),
        ("TargetGroupNotFound",),
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Lookup(
        "listener rule of priority",
        "Priority",
        "elbv2",
        "describe_rules",
        _rules,
        holds=_lists("Rules", "Priority", "Priority"),
    ),
    "AWS::SSM::Parameter": Lookup(
        "parameter", "Name", "ssm", "get_parameter", _one("Name", "Name"), ("ParameterNotFound",)
    ),
    "AWS::CloudWatch::Alarm": Lookup("alarm", "AlarmName", "cloudwatch", "describe_alarms", _alarms, holds=_has_alarm),
    "AWS::CloudWatch::CompositeAlarm": Lookup(
        "composite alarm", "AlarmName", "cloudwatch", "describe_alarms", _alarms, holds=_has_alarm
    ),
    "AWS::CloudWatch::Dashboard": Lookup(
        "dashboard",
        "DashboardName",
        "cloudwatch",
        "list_dashboards",
        _one("DashboardNamePrefix", "DashboardName"),
        holds=_lists("DashboardEntries", "DashboardName", "DashboardName"),
    ),
    "AWS::WAFv2::WebACL": Lookup(
        "web ACL", "Name", "wafv2", "list_web_acls", _one("Scope", "Scope"), holds=_lists("WebACLs", "Name", "Name")
    ),
    "AWS::Lambda::Function": Lookup(
        "function",
        "FunctionName",
        "lambda",
        "get_function_configuration",
        _one("FunctionName", "FunctionName"),
        ("ResourceNotFoundException",),
    ),
    "AWS::SNS::Topic": Lookup(
        "topic", "TopicName", "sns", "get_topic_attributes", _topic, ("NotFoundException", "NotFound")
    ),
    "AWS::Events::Rule": Lookup(
        "rule", "Name", "events", "describe_rule", _one("Name", "Name"), ("ResourceNotFoundException",)
    ),
    "AWS::Logs::ResourcePolicy": Lookup(
        "resource policy of logs",
        "PolicyName",
        "logs",
        "describe_resource_policies",
        lambda _: {},
        holds=_lists("resourcePolicies", "policyName", "PolicyName"),
    ),
    "AWS::Route53::RecordSet": Lookup(
        "record", "Name", "route53", "list_resource_record_sets", _in_zone, holds=_is_record
    ),
}
"""Every type that takes a name which nothing else of its kind may have in the account and region."""
