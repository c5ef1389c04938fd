from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from stacks.account.connection import Account
from stacks.account.doctor import examine
from stacks.account.findings import Finding
from stacks.account.foundation import judge_stack
from stacks.account.image import parse_image
from stacks.account.model import parse_model
from stacks.account.release import Release
from stacks.assembly import Assembly
from stacks.settings import Environment
from tests.serving import ask
from tests.stacks import thuban
from tests.stacks.account.beside_thuban import Thuban, make_thuban
from tests.stacks.account.images import put_image
from tests.stacks.synthesis import Synthesis

SHA = "0123456789abcdef0123456789abcdef01234567"
RELEASE = Release(
    parse_image(
        f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{thuban.REPOSITORY}:{SHA}",
        architecture="X86_64",
        target="serve",
    ),
    parse_model("s3://alphard-dev-models-123456789012-eu-central-1/models/breast-cancer@production"),
    "/alphard/dev/service",
)
STACKS = ("Storage", "Serving", "Delivery")


def environment(**changed: Any) -> Environment:
    model = {"name": "breast-cancer", "alias": "production"}
    return Environment.model_validate({"name": "dev", "model": model, **changed})


def assembly(**stacks: Mapping[str, Any]) -> Assembly:
    """The resources of some stacks; the others are empty."""
    templates = {name: {"Resources": stacks.get(name, {})} for name in STACKS}
    return Assembly(templates, {name: f"alphard-dev-{name.lower()}" for name in STACKS}, 6, Path())


@pytest.fixture
def beside(account: Account) -> Thuban:
    """An account with Thuban in it, and with the CDK's bootstrap."""
    account.ask("ssm", "put_parameter", Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    return make_thuban(account)


def look(account: Account, *, of: Assembly | None = None, release: Release = RELEASE, **changed: Any) -> list[Finding]:
    """What is found, but for the image and the model that no test here puts there."""
    found = examine(environment(**changed), account, of or assembly(), release)
    return [finding for finding in found if finding.kind != "pending"]


NO_KEY = "delete it, or give the environment another name"
PROVIDER_URL = "https://token.actions.githubusercontent.com"

COLLISIONS = [
    ("Storage", "AWS::ECR::Repository", "RepositoryName", thuban.REPOSITORY, "storage.repository"),
    ("Storage", "AWS::Logs::LogGroup", "LogGroupName", thuban.LOG_GROUP, "storage.log_group"),
    ("Serving", "AWS::ECS::Cluster", "ClusterName", thuban.CLUSTER, "fargate.cluster"),
    ("Serving", "AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", thuban.LOAD_BALANCER, None),
    ("Serving", "AWS::ElasticLoadBalancingV2::TargetGroup", "Name", thuban.TARGET_GROUP, None),
    ("Serving", "AWS::Logs::LogGroup", "LogGroupName", thuban.LOG_GROUP, None),
    ("Delivery", "AWS::IAM::Role", "RoleName", thuban.DELIVERY_ROLE, None),
]
"""A stack, a resource in it that would take a name of Thuban's, and the key that adopts instead."""


@pytest.mark.parametrize(("stack", "kind", "named", "name", "key"), COLLISIONS)
def test_a_name_of_thubans_is_a_collision_with_its_fix_in_one_line(
    stack: str, kind: str, named: str, name: str, key: str | None, beside: Thuban, account: Account
) -> None:
    (found,) = look(account, of=assembly(**{stack: {"It": {"Type": kind, "Properties": {named: name}}}}))
    adoption = f'adopt it (set environments.dev.{key} to {{"adopt": {{"name": "{name}"}}}} in cdk.json) or delete it'
    assert found.kind == "fault"
    assert found.what.endswith(f"{name} exists already")
    assert found.fix == (NO_KEY if key is None else adoption)
    assert "\n" not in str(found)


def test_the_accounts_only_oidc_provider_is_adopted_by_its_arn(beside: Thuban, account: Account) -> None:
    provider = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": PROVIDER_URL}}
    (found,) = look(account, of=assembly(Delivery={"It": provider}))
    assert f'delivery.oidc_provider to {{"adopt": {{"arn": "{beside.oidc_provider_arn}"}}}}' in found.fix


def test_a_taken_priority_is_changed_in_the_settings(beside: Thuban, account: Account) -> None:
    (rule,) = account.ask("elbv2", "describe_rules", ListenerArn=beside.listener_arn)["Rules"]
    properties: dict[str, Any] = {"ListenerArn": beside.listener_arn, "Priority": 7}
    conditions = [{"Field": "path-pattern", "Values": ["/x"]}]
    account.ask("elbv2", "create_rule", **properties, Conditions=conditions, Actions=rule["Actions"])
    ours = {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": properties}
    (found,) = look(account, of=assembly(Serving={"It": ours}))
    assert found.what == "listener rule of priority 7 exists already"
    assert "load_balancer.listener.adopt.priority to a free one" in found.fix


def test_a_bucket_that_outlived_its_stack_is_adopted_by_the_key_of_its_kind(beside: Thuban, account: Account) -> None:
    for what, key in (("models", "storage.model_bucket"), ("logs", "storage.log_bucket")):
        name = f"alphard-dev-{what}-123456789012-eu-central-1"
        location = {"LocationConstraint": "eu-central-1"}
        account.ask("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=location)
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        (found,) = look(account, of=assembly(Storage={"Bucket": bucket}))
        assert f'environments.dev.{key} to {{"adopt": {{"name": "{name}"}}}}' in found.fix


def test_no_environment_takes_a_name_of_thubans(synthesis: Synthesis, beside: Thuban, account: Account) -> None:
    """An account has one OIDC provider for GitHub: an environment that would own it can only adopt it beside Thuban."""
    names = {name: synthesis.environment.named(name.lower()) for name in synthesis.templates}
    found = examine(synthesis.environment, account, Assembly(synthesis.templates, names, 6, Path()), RELEASE)
    collisions = [finding.what for finding in found if finding.what.endswith("exists already")]
    assert collisions == (
        [f"OIDC provider {PROVIDER_URL} exists already"] if synthesis.environment.name == "public" else []
    )


def test_what_our_own_stack_made_is_no_collision(beside: Thuban, account: Account) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alphard-dev-alarms"}}
    template = json.dumps({"Resources": {"Topic": topic}})
    account.ask("cloudformation", "create_stack", StackName="alphard-dev-serving", TemplateBody=template)
    assert look(account, of=assembly(Serving={"Topic": topic})) == []
    (found,) = look(account, of=assembly(Storage={"Topic": topic}))
    arn = "arn:aws:sns:eu-central-1:123456789012:alphard-dev-alarms"
    assert f'operations.topic to {{"adopt": {{"arn": "{arn}"}}}}' in found.fix


def test_without_the_bootstrap_make_deploy_does_it(account: Account) -> None:
    make_thuban(account)
    found = examine(environment(), account, assembly(), RELEASE)
    assert ("pending", "the CDK is not bootstrapped in eu-central-1") in [finding[:2] for finding in found]


def test_a_bootstrap_too_old_is_a_fault(beside: Thuban, account: Account) -> None:
    (found,) = look(account, of=assembly()._replace(bootstrap_version=31))
    assert found.fix == "run npx cdk bootstrap aws://123456789012/eu-central-1"


def test_the_role_of_ecs_is_made_on_the_way_and_needed_by_tasks_alone(account: Account) -> None:
    on_lambda = {"compute": "lambda", "network": {"egress": "none"}, "service": {"max_body_bytes": 1_000_000}}
    whats = [
        [finding.what for finding in examine(environment(**changed), account, assembly(), RELEASE)]
        for changed in ({}, on_lambda)
    ]
    assert ["the account has no service-linked role of ECS" in what for what in whats] == [True, False]


def adopting(beside: Thuban) -> dict[str, Any]:
    """The settings that adopt everything of Thuban's."""
    return {
        "storage": {
            "repository": {"adopt": {"name": thuban.REPOSITORY}},
            "log_group": {"adopt": {"name": thuban.LOG_GROUP}},
        },
        "network": {
            "vpc": {
                "adopt": {
                    "vpc_id": beside.vpc_id,
                    "availability_zones": thuban.AVAILABILITY_ZONES,
                    "public_subnet_ids": beside.subnet_ids,
                }
            }
        },
        "fargate": {"cluster": {"adopt": {"name": thuban.CLUSTER}}},
        "load_balancer": {
            "listener": {
                "adopt": {
                    "listener_arn": beside.listener_arn,
                    "security_group_id": beside.security_group_id,
                    "dns_name": beside.dns_name,
                    "priority": 100,
                    "hosts": ("alphard.example.com",),
                }
            }
        },
        "delivery": {
            "repository": "constellation/alphard",
            "github_environment": "dev",
            "oidc_provider": {"adopt": {"arn": beside.oidc_provider_arn}},
        },
    }


def test_everything_of_thubans_can_be_adopted(beside: Thuban, account: Account) -> None:
    assert look(account, **adopting(beside)) == []


def test_each_adopted_thing_that_is_not_there_is_named_with_its_key(beside: Thuban, account: Account) -> None:
    wrong = adopting(
        beside._replace(
            vpc_id="vpc-00000000000000000",
            listener_arn=beside.listener_arn.rpartition("/")[0] + "/0000000000000000",
            oidc_provider_arn=beside.oidc_provider_arn.replace(account.id, "210987654321"),
        )
    )
    wrong["storage"]["repository"]["adopt"]["name"] = "another"
    wrong["storage"]["log_group"]["adopt"]["name"] = "/another"
    wrong["fargate"]["cluster"]["adopt"]["name"] = "another"
    found = look(account, **wrong)
    keys = [finding.fix.split(" in cdk.json")[0].removeprefix("correct ") for finding in found]
    assert sorted(keys) == [
        "delivery.oidc_provider",
        "fargate.cluster",
        "load_balancer.listener",
        "network.vpc",
        "storage.log_group",
        "storage.repository",
    ]


def test_a_subnet_of_another_vpc_is_named(beside: Thuban, account: Account) -> None:
    (found,) = look(account, **adopting(beside._replace(subnet_ids=(*beside.subnet_ids[1:], "subnet-00000000"))))
    assert found.what == f"VPC {beside.vpc_id} has no subnet subnet-00000000"


def test_a_certificate_must_be_issued(beside: Thuban, account: Account) -> None:
    arn = account.ask("acm", "request_certificate", DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    another = arn.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    for given, what in ((arn, "PENDING_VALIDATION"), (another, "there is no certificate")):
        (found,) = look(account, load_balancer={"certificate": {"adopt": {"arn": given}}})
        assert what in found.what


def test_a_hosted_zone_must_be_the_one_of_its_name(beside: Thuban, account: Account) -> None:
    zone = account.ask("route53", "create_hosted_zone", Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    dns = {"zone_id": zone.rpartition("/")[2], "zone_name": "example.com", "record": "predict.example.com"}
    door = {"certificate": "own"}
    assert look(account, dns=dns, load_balancer=door) == []
    another = {**dns, "zone_name": "example.org", "record": "predict.example.org"}
    (other,) = look(account, dns=another, load_balancer=door)
    assert other.what.endswith("is of example.com, not of example.org")
    (none,) = look(account, dns={**dns, "zone_id": "Z00000000000000"}, load_balancer=door)
    assert none.what == "there is no hosted zone Z00000000000000"


def test_a_topic_and_a_user_pool_must_exist(beside: Thuban, account: Account) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:on-call"
    pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI"
    cognito = {"user_pool_arn": pool, "client_id": "1example23456789", "domain": "alphard"}
    door = {"certificate": "own", "authentication": {"cognito": cognito}}
    dns = {"zone_id": "Z00000000000000", "zone_name": "example.com", "record": "predict.example.com"}
    found = look(account, operations={"topic": {"adopt": {"arn": topic}}}, load_balancer=door, dns=dns)
    assert [finding.what for finding in found] == [
        "there is no user pool eu-central-1_AbCdEfGhI in eu-central-1",
        "there is no hosted zone Z00000000000000",
        f"there is no topic {topic}",
    ]


def test_an_image_for_another_processor_is_a_fault(beside: Thuban, account: Account) -> None:
    image = RELEASE.image._replace(platform="linux/arm64")
    put_image(account, image)
    (found,) = look(account)
    assert found.what.endswith("is for linux/arm64")
    assert look(account, release=RELEASE._replace(image=image)) == []


def test_a_model_of_ones_own_that_is_not_published_is_a_fault_once_there_is_its_bucket(
    beside: Thuban, account: Account
) -> None:
    release = RELEASE._replace(model=RELEASE.model._replace(name="churn"))
    assert look(account, release=release) == []
    location = {"LocationConstraint": "eu-central-1"}
    account.ask("s3", "create_bucket", Bucket=release.model.bucket, CreateBucketConfiguration=location)
    (found,) = look(account, release=release)
    assert found.fix.startswith("python -m service publish ESTIMATOR --rows ROWS --name churn --store s3://")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_IN_PROGRESS", "wait until it is done"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name alphard-dev-serving"),
        ("DELETE_FAILED", "then delete the stack"),
        ("CREATE_COMPLETE", None),
        ("ROLLBACK_COMPLETE", None),
    ],
)
def test_a_stack_must_be_at_rest(status: str, said: str | None) -> None:
    found = [finding.fix for finding in judge_stack("alphard-dev-serving", status)]
    assert found == [] if said is None else found[0].endswith(said)


def test_what_may_not_be_looked_at_is_said(beside: Thuban, account: Account, aws: str) -> None:
    account.ask("iam", "create_user", UserName="reader")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ssm:*", "iam:*"], "Resource": "*"}],
    }
    account.ask("iam", "put_user_policy", UserName="reader", PolicyName="some", PolicyDocument=json.dumps(document))
    key = account.ask("iam", "create_access_key", UserName="reader")["AccessKey"]
    session = boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=account.region)
    port = urlsplit(aws).port or 0
    ask(port, "POST", "/moto-api/reset-auth", b"0")
    try:
        found = look(account._replace(session=session, caller="arn:aws:iam::123456789012:user/reader"))
    finally:
        ask(port, "POST", "/moto-api/reset-auth", b"inf")
    assert {finding.kind for finding in found} == {"unread"}, found
    assert "ecr:describe_images is not permitted to arn:aws:iam::123456789012:user/reader" in [f.what for f in found]
