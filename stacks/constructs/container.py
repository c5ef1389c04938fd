"""The task on Fargate that the service runs in: one container, its roles, its log, its health check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.access import let_read_model, let_write_lines

CONTAINER = "service"

_USER = "10001"
_TEMPORARY_FOLDER = "/tmp"  # noqa: S108  # the container's own, on a volume of the task
_ARCHITECTURES = {"x86_64": ecs.CpuArchitecture.X86_64, "arm64": ecs.CpuArchitecture.ARM64}

# By the interpreter that is there anyway: the image has no other client, and a shell is nothing to depend on.
_ASK_LIVE = """\
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", {port}, timeout=4)
connection.request("GET", "/live")
sys.exit(connection.getresponse().status != 200)"""


class ServiceTask(ecs.FargateTaskDefinition):
    """The container writes to its temporary folder and nowhere else, is nobody in particular, and has no capability.

    No init process stands before the service: it starts no other process and takes its signals itself. The health check
    finds a process that hangs; whether the model is loaded is for the balancer to ask.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        family: str,
        repository_name: str,
        image_tag: str,
        architecture: Literal["x86_64", "arm64"],
        cpu: int,
        memory_mib: int,
        port: int,
        stop_timeout_seconds: int,
        environment: Mapping[str, str],
        model_bucket_name: str,
        model_prefix: str,
        log_group_name: str,
    ) -> None:
        role = _task_role(scope, f"{construct_id}Role")
        execution_role = _execution_role(scope, f"{construct_id}ExecutionRole")
        super().__init__(
            scope,
            construct_id,
            family=family,
            cpu=cpu,
            memory_limit_mib=memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=_ARCHITECTURES[architecture], operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=role,
            execution_role=execution_role,
            volumes=[ecs.Volume(name="temporary")],
        )
        repository = ecr.Repository.from_repository_name(self, "Repository", repository_name)
        container = self.add_container(
            CONTAINER,
            image=ecs.ContainerImage.from_ecr_repository(repository, image_tag),
            port_mappings=[ecs.PortMapping(container_port=port)],
            environment=dict(environment),
            user=_USER,
            readonly_root_filesystem=True,
            linux_parameters=self._no_capabilities(),
            stop_timeout=cdk.Duration.seconds(stop_timeout_seconds),
            health_check=_health_check(port),
            logging=_log(log_group_name),
        )
        container.add_mount_points(
            ecs.MountPoint(container_path=_TEMPORARY_FOLDER, source_volume="temporary", read_only=False)
        )
        let_read_model(role, bucket_name=model_bucket_name, prefix=model_prefix)
        let_write_lines(execution_role, log_group_name=log_group_name)
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-ECS2",
                reason="The variables are plain settings; the service knows no secret, and AWS by its role alone.",
            )
        )

    def _no_capabilities(self) -> ecs.LinuxParameters:
        parameters = ecs.LinuxParameters(self, "LinuxParameters")
        parameters.drop_capabilities(ecs.Capability.ALL)
        return parameters


def _task_role(scope: Construct, construct_id: str) -> iam.Role:
    """What the service itself may do. The conditions are AWS's against a confused deputy:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    tasks = cdk.Stack.of(scope).format_arn(service="ecs", resource="*")
    return iam.Role(
        scope,
        construct_id,
        description="Reads the model that is served",
        assumed_by=iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": tasks},
            },
        ),
    )


def _execution_role(scope: Construct, construct_id: str) -> iam.Role:
    """What Fargate may do to run the task."""
    role = iam.Role(
        scope,
        construct_id,
        description="Pulls the image of the service and writes its log",
        assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
    )
    cdk.Validations.of(role).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="A token to log in to ECR is of the whole registry; AWS allows no resource for it.",
        )
    )
    return role


def _log(log_group_name: str) -> ecs.LogDriver:
    """What CloudWatch does not take at once waits in 25 MiB rather than hold up the service, and is lost if it does not
    fit: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html

    Not by the CDK's own driver, which grants writing by itself and not as ``let_write_lines`` does.
    """
    options = {
        "awslogs-group": log_group_name,
        "awslogs-region": cdk.Aws.REGION,
        "awslogs-stream-prefix": "task",
        "mode": "non-blocking",
        "max-buffer-size": "25m",
    }
    return ecs.GenericLogDriver(log_driver="awslogs", options=options)


def _health_check(port: int) -> ecs.HealthCheck:
    return ecs.HealthCheck(
        command=["CMD", "python", "-c", _ASK_LIVE.format(port=port)],
        interval=cdk.Duration.seconds(15),
        timeout=cdk.Duration.seconds(5),
        retries=3,
        start_period=cdk.Duration.seconds(30),
    )
