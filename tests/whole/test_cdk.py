"""The CDK's real command line bootstraps, deploys, changes and destroys environments in a stand-in for AWS.

What was made is read back through AWS's own APIs, where the stand-in models it. It passes over what it does not know:
``PASSED_OVER`` says which types these are, so that a green run is not taken for more than it proves.
"""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.account import NUMBER, REGION, Account
from rehearsal.deployed import Strategy
from rehearsal.read import read
from service.settings import read_settings
from stacks.settings import PORT, Environment
from tests.accounts import TAG, Accounts
from tests.stacks.environments import SHIPPED

STACKS = ("Storage", "Network", "Serving", "Operations")

SECOND = "b" * 40

PASSED_OVER = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
}


class Stage:
    """An environment in its account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.name = account.environment
        self.environment = Environment.model_validate({"name": self.name, **SHIPPED[self.name]})

    def aws(self, service: str) -> Any:
        return self.account.client(service)

    def task(self) -> dict[str, Any]:
        """The newest task definition. The stand-in's service keeps naming the first, and it drops sizes and roles."""
        task: dict[str, Any] = self.aws("ecs").describe_task_definition(taskDefinition=self.service)["taskDefinition"]
        return task

    def described(self, kind: str) -> dict[str, Any]:
        """The properties of the one resource of this type in the template of Serving that CloudFormation holds."""
        held = self.account.template("Serving")["Resources"].values()
        (found,) = (each for each in held if each["Type"] == kind)
        return dict(found["Properties"])

    @property
    def service(self) -> str:
        return f"alphard-{self.name}-service"


@pytest.fixture(scope="module", params=["dev", *(pytest.param(n, marks=pytest.mark.slow) for n in ("staging", "prod"))])
def stage(request: pytest.FixtureRequest, accounts: Accounts) -> Stage:
    """The environment, deployed into an account that was empty."""
    return Stage(accounts.to_change(request.param))


def test_every_stack_is_deployed(stage: Stage) -> None:
    stacks = stage.aws("cloudformation").describe_stacks()["Stacks"]
    found = {stack["StackName"]: stack["StackStatus"] for stack in stacks}
    expected = {stage.account.stack_name(stack) for stack in STACKS}
    assert found == dict.fromkeys({*expected, "CDKToolkit"}, "CREATE_COMPLETE")


def test_what_the_stand_in_passes_over_is_known(stage: Stage) -> None:
    for stack in STACKS:
        held, made = stage.account.template(stack)["Resources"], stage.account.resources(stack)
        assert {body["Type"] for logical_id, body in held.items() if logical_id not in made} <= PASSED_OVER


def test_images_keep_their_tags(stage: Stage) -> None:
    (repository,) = stage.aws("ecr").describe_repositories(repositoryNames=[stage.service])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"


def test_the_buckets_are_encrypted(stage: Stage) -> None:
    s3 = stage.aws("s3")
    for what in ("models", "logs"):
        bucket = f"alphard-{stage.name}-{what}-{NUMBER}-{REGION}"
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_task_is_as_the_settings_say(stage: Stage) -> None:
    fargate, described = stage.environment.fargate, stage.described("AWS::ECS::TaskDefinition")
    (container,) = stage.task()["containerDefinitions"]
    assert (described["Cpu"], described["Memory"]) == (str(fargate.cpu), str(fargate.memory_mib))
    assert container["image"].endswith(f"/{stage.service}:{TAG}")
    assert container["stopTimeout"] == fargate.stop_timeout_seconds
    assert container["portMappings"][0]["containerPort"] == PORT
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001"
    assert container["logConfiguration"]["options"]["awslogs-group"] == f"/alphard/{stage.name}/service"


def test_the_service_starts_with_the_environment_of_its_task(stage: Stage) -> None:
    (container,) = stage.task()["containerDefinitions"]
    told = read_settings({each["name"]: each["value"] for each in container["environment"]})
    model = stage.environment.model
    bucket = f"alphard-{stage.name}-models-{NUMBER}-{REGION}"
    assert told.model_uri == f"s3://{bucket}/{model.prefix}/{model.name}@{model.alias}"
    assert told.port == PORT
    for key, value in stage.environment.service:
        assert getattr(told, key) == value


def test_the_balancer_asks_whether_a_task_is_ready(stage: Stage) -> None:
    check = stage.environment.load_balancer.health_check
    for group in stage.aws("elbv2").describe_target_groups()["TargetGroups"]:
        assert (group["HealthCheckPath"], group["Matcher"]["HttpCode"]) == ("/ready", "200")
        assert group["HealthCheckIntervalSeconds"] == check.interval_seconds
        assert group["HealthCheckTimeoutSeconds"] == check.timeout_seconds
        assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (
            check.healthy_count,
            check.unhealthy_count,
        )


def test_the_figures_of_the_operator_are_hidden(stage: Stage) -> None:
    elbv2 = stage.aws("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == stage.environment.load_balancer.scheme
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    by_path = {
        rule["Conditions"][0]["PathPatternConfig"]["Values"][0]: rule["Actions"] for rule in rules if rule["Conditions"]
    }
    assert by_path["/metrics"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert by_path["/*"][0]["Type"] == "forward"


def test_the_network_has_its_zones_and_its_way_out(stage: Stage) -> None:
    ec2, network = stage.aws("ec2"), stage.environment.network
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": [network.cidr]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert len(subnets) == 2 * network.availability_zones
    assert len(ec2.describe_nat_gateways()["NatGateways"]) == network.nat_gateways


def test_every_log_has_an_end(stage: Stage) -> None:
    groups = stage.aws("logs").describe_log_groups()["logGroups"]
    assert groups
    assert all("retentionInDays" in group for group in groups)


def test_the_task_reads_one_model_and_nothing_else(stage: Stage) -> None:
    iam = stage.aws("iam")
    logical_id = stage.described("AWS::ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    role = stage.account.resources("Serving")[logical_id]
    statements = [
        statement
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    ]
    model = stage.environment.model
    bucket = f"alphard-{stage.name}-models-{NUMBER}-{REGION}"
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/{model.prefix}/{model.name}/*")
    ]


def test_a_new_tag_and_new_settings_reach_the_service(stage: Stage) -> None:
    before, deployed = stage.task()["revision"], read(stage.account)
    settings = {
        "fargate": {"memory_mib": 2048},
        "service": {"drain_hold_seconds": 17},
        "load_balancer": {"deregistration_delay_seconds": 40, "idle_timeout_seconds": 50},
        "scaling": {"minimum_tasks": 2, "maximum_tasks": 5},
        "deployment": {"strategy": "linear", "step_percent": 25, "step_minutes": 3, "bake_minutes": 7},
    }
    stage.account.deploy("Serving", tag=SECOND, settings=settings)
    assert stage.task()["revision"] == before + 1
    (container,) = stage.task()["containerDefinitions"]
    assert container["image"].endswith(f":{SECOND}")
    assert stage.described("AWS::ECS::TaskDefinition")["Memory"] == "2048"
    changed = read(stage.account)
    # Nothing else is different.
    assert changed == deployed._replace(
        task=deployed.task._replace(
            image=deployed.task.image.replace(TAG, SECOND),
            memory_mib=2048,
            environment={**deployed.task.environment, "ALPHARD_DRAIN_HOLD_SECONDS": "17"},
        ),
        service=deployed.service._replace(
            minimum_tasks=2, maximum_tasks=5, strategy=Strategy("LINEAR", 25, 3 * 60, 7 * 60)
        ),
        target_group=deployed.target_group._replace(deregistration_delay_seconds=40),
        load_balancer=deployed.load_balancer._replace(idle_timeout_seconds=50),
    )


def test_what_serves_can_be_destroyed_and_what_is_kept_stays(stage: Stage) -> None:
    stage.account.cdk("destroy", "Serving", "Operations", "--force", "--exclusively", tag=TAG)
    left = [stack["StackName"] for stack in stage.aws("cloudformation").describe_stacks()["Stacks"]]
    assert set(left) == {f"alphard-{stage.name}-storage", f"alphard-{stage.name}-network", "CDKToolkit"}
    stage.account.cdk("destroy", "Storage", "--force", "--exclusively", tag=TAG)
    assert stage.aws("ecr").describe_repositories(repositoryNames=[stage.service])["repositories"]
    assert stage.aws("s3").head_bucket(Bucket=f"alphard-{stage.name}-models-{NUMBER}-{REGION}")
