"""The CDK's real command line bootstraps, deploys, changes and destroys environments in a stand-in for AWS.

What was made is read back through AWS's own APIs, where the stand-in models it. It passes over what it does not know:
``PASSED_OVER`` says which types these are, so that a green run is not taken for more than it proves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rehearsal.stand_in import s3_environment, s3_server
from service.settings import read_settings
from stacks.settings import PORT, Environment
from tests.stacks.environments import SHIPPED

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
ACCOUNT = "123456789012"
FIRST, SECOND = "a" * 40, "b" * 40

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
    """An account on loopback, and the command line that deploys an environment into it."""

    def __init__(self, endpoint: str, folder: Path, name: str) -> None:
        self.name = name
        self.environment = Environment.model_validate({"name": name, **SHIPPED[name]})
        self._folder = folder
        self._variables = {
            **s3_environment(endpoint),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1,localhost",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }
        self._endpoint = endpoint

    def cdk(self, command: str, *arguments: str, tag: str = FIRST, **context: Any) -> str:
        """Runs it with this context on top of cdk.json's; what it said."""
        project = self._folder / "project"
        project.mkdir(exist_ok=True)
        described = json.loads((ROOT / "cdk.json").read_text())
        described["app"] = f"{sys.executable} {ROOT / 'app.py'}"
        described["context"].update(context)
        (project / "cdk.json").write_text(json.dumps(described))
        cli = ROOT / "node_modules" / ".bin" / "cdk"
        given = ["-c", f"env={self.name}", "-c", f"image_tag={tag}", "--no-notices", "--progress", "events"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        run = subprocess.run(
            [str(cli), command, *arguments, *given],
            cwd=project,
            env={**os.environ, **self._variables, "PATH": path, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stdout[-4000:]
        return run.stdout

    def deploy(self, *stacks: str, tag: str = FIRST, **context: Any) -> str:
        # By a change set the stand-in loses outputs, and it reads a parameter's previous value as the name of one.
        options = ("--require-approval", "never", "--method", "direct", "--previous-parameters=false")
        return self.cdk("deploy", *(stacks or ("--all",)), *options, tag=tag, **context)

    def aws(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # by a name that is not written here
            service,
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106  # the stand-in's
        )

    def template(self, stack: str) -> dict[str, Any]:
        """As CloudFormation holds it."""
        found = self.aws("cloudformation").get_template(StackName=f"alphard-{self.name}-{stack}")["TemplateBody"]
        return dict(json.loads(found) if isinstance(found, str) else found)

    def task(self) -> dict[str, Any]:
        """The newest task definition. The stand-in's service keeps naming the first, and it drops sizes and roles."""
        task: dict[str, Any] = self.aws("ecs").describe_task_definition(taskDefinition=self.service)["taskDefinition"]
        return task

    def described(self, kind: str) -> dict[str, Any]:
        """The properties of the one resource of this type in the template of Serving that CloudFormation holds."""
        (found,) = (each for each in self.template("serving")["Resources"].values() if each["Type"] == kind)
        return dict(found["Properties"])

    @property
    def service(self) -> str:
        return f"alphard-{self.name}-service"


@pytest.fixture(scope="module", params=["dev", *(pytest.param(n, marks=pytest.mark.slow) for n in ("staging", "prod"))])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The environment, deployed into an empty account."""
    with s3_server() as endpoint:
        # By a name and not by its number: the CDK asks for a bucket by its own name before it.
        here = Stage(endpoint.replace("127.0.0.1", "localhost"), tmp_path_factory.mktemp("cdk"), request.param)
        here.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")
        here.deploy()
        yield here


def test_every_stack_is_deployed(stage: Stage) -> None:
    stacks = stage.aws("cloudformation").describe_stacks()["Stacks"]
    found = {stack["StackName"]: stack["StackStatus"] for stack in stacks}
    expected = {f"alphard-{stage.name}-{stack}" for stack in ("storage", "network", "serving", "operations")}
    assert found == dict.fromkeys({*expected, "CDKToolkit"}, "CREATE_COMPLETE")


def test_what_the_stand_in_passes_over_is_known(stage: Stage) -> None:
    """A physical id that it made up is the logical id."""
    cloudformation = stage.aws("cloudformation")
    for stack in ("storage", "network", "serving", "operations"):
        held = stage.template(stack)["Resources"]
        summaries = cloudformation.list_stack_resources(StackName=f"alphard-{stage.name}-{stack}")
        made = {each["LogicalResourceId"] for each in summaries["StackResourceSummaries"]}
        assert {body["Type"] for logical_id, body in held.items() if logical_id not in made} <= PASSED_OVER


def test_images_keep_their_tags(stage: Stage) -> None:
    (repository,) = stage.aws("ecr").describe_repositories(repositoryNames=[stage.service])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"


def test_the_buckets_are_encrypted(stage: Stage) -> None:
    s3 = stage.aws("s3")
    for what in ("models", "logs"):
        bucket = f"alphard-{stage.name}-{what}-{ACCOUNT}-{REGION}"
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_task_is_as_the_settings_say(stage: Stage) -> None:
    fargate, described = stage.environment.fargate, stage.described("AWS::ECS::TaskDefinition")
    (container,) = stage.task()["containerDefinitions"]
    assert (described["Cpu"], described["Memory"]) == (str(fargate.cpu), str(fargate.memory_mib))
    assert container["image"].endswith(f"/{stage.service}:{FIRST}")
    assert container["stopTimeout"] == fargate.stop_timeout_seconds
    assert container["portMappings"][0]["containerPort"] == PORT
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001"
    assert container["logConfiguration"]["options"]["awslogs-group"] == f"/alphard/{stage.name}/service"


def test_the_service_starts_with_the_environment_of_its_task(stage: Stage) -> None:
    (container,) = stage.task()["containerDefinitions"]
    told = read_settings({each["name"]: each["value"] for each in container["environment"]})
    model = stage.environment.model
    bucket = f"alphard-{stage.name}-models-{ACCOUNT}-{REGION}"
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
    made = stage.aws("cloudformation").list_stack_resources(StackName=f"alphard-{stage.name}-serving")
    ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in made["StackResourceSummaries"]}
    role = ids[logical_id]
    statements = [
        statement
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    ]
    model = stage.environment.model
    bucket = f"alphard-{stage.name}-models-{ACCOUNT}-{REGION}"
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/{model.prefix}/{model.name}/*")
    ]


def test_a_new_tag_and_a_new_size_reach_the_service(stage: Stage) -> None:
    before = stage.task()["revision"]
    environments = json.loads(json.dumps(SHIPPED))
    environments[stage.name].setdefault("fargate", {})["memory_mib"] = 2048
    stage.deploy("Serving", tag=SECOND, environments=environments)
    # Of a changed task definition the stand-in keeps no container.
    assert stage.task()["revision"] == before + 1
    described = stage.described("AWS::ECS::TaskDefinition")
    assert described["Memory"] == "2048"
    assert f":{SECOND}" in json.dumps(described["ContainerDefinitions"][0]["Image"])


def test_what_serves_can_be_destroyed_and_what_is_kept_stays(stage: Stage, request: pytest.FixtureRequest) -> None:
    stage.cdk("destroy", "Serving", "Operations", "--force", "--exclusively")
    left = [stack["StackName"] for stack in stage.aws("cloudformation").describe_stacks()["Stacks"]]
    assert set(left) == {f"alphard-{stage.name}-storage", f"alphard-{stage.name}-network", "CDKToolkit"}
    stage.cdk("destroy", "Storage", "--force", "--exclusively")
    assert stage.aws("ecr").describe_repositories(repositoryNames=[stage.service])["repositories"]
    assert stage.aws("s3").head_bucket(Bucket=f"alphard-{stage.name}-models-{ACCOUNT}-{REGION}")
