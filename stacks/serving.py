"""What answers: the balancer, and behind it tasks on Fargate or a function on Lambda."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.container import ServiceTask
from stacks.constructs.dns import AliasRecord, Certificate
from stacks.constructs.environment import model_prefix, model_uri, service_environment
from stacks.constructs.fargate import FargateCluster, FargateTasks, Rollout
from stacks.constructs.firewall import Firewall
from stacks.constructs.function import ServiceFunction
from stacks.constructs.function_release import FunctionRelease
from stacks.constructs.load_balancer import LoadBalancer
from stacks.constructs.metrics import Balancer
from stacks.constructs.rollback import RollbackAlarms
from stacks.constructs.routing import Authenticate, Routing, ask_cognito, verify_jwt
from stacks.constructs.scaling import Hours, TaskScaling
from stacks.constructs.target_group import TaskTargets, full_name
from stacks.network import NetworkStack
from stacks.settings import (
    PORT,
    AdoptArn,
    AdoptListener,
    AdoptName,
    CognitoAuthentication,
    Environment,
    Listener,
)
from stacks.storage import StorageStack

_READY_PATH = "/ready"
_NO_TAG = "0" * 40


class _Entrance(NamedTuple):
    """Where requests come in. ``balancer`` is the full name of what the listener belongs to, ``app/name/id``."""

    listener: elbv2.IApplicationListener
    balancer: str
    url: str


class ServingStack(cdk.Stack):
    """Names, not constructs, are what the other stacks take.

    ``cluster_name`` and ``service_name`` are of the tasks, ``function_name`` of the function; which of them exist,
    ``compute`` says. What only a deployment knows stands in parameters, whose names are ``load_balancer_parameter``
    (``app/name/id``, as CloudWatch's dimension has it) and ``target_group_parameters`` (``targetgroup/name/id``; two
    where a deployment shifts traffic, else one). ``/alphard/<environment>/serving/url`` is for those outside, and so is
    the output ``Url``.

    Without ``image_tag`` this stack is in error, and no other.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        image_tag: str | None,
        storage: StorageStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(
            scope,
            "Serving",
            stack_name=environment.named("serving"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        self._environment, self._storage, self._network = environment, storage, network
        self._image_tag = image_tag or _NO_TAG
        if image_tag is None:
            cdk.Annotations.of(self).add_error("image_tag: none given; name the image by its commit: -c image_tag=SHA")
        self.add_stack_dependency(storage, "runs its image, reads its model, writes to its log")
        path = f"/alphard/{environment.name}/serving"
        cluster = environment.fargate.cluster
        self.cluster_name = cluster.adopt.name if isinstance(cluster, AdoptName) else environment.named("cluster")
        self.service_name = environment.named("service")
        self.function_name = environment.named("function")
        self.load_balancer_parameter = f"{path}/load-balancer"
        self.target_group_parameters = [f"{path}/target-group"]
        if self._shifts_traffic:
            self.target_group_parameters.append(f"{path}/target-group-alternate")
        entrance = self._open()
        groups = self._run_tasks(entrance) if environment.compute == "fargate" else [self._run_function(entrance)]
        self._write("LoadBalancerName", self.load_balancer_parameter, entrance.balancer)
        for number, (name, group) in enumerate(zip(self.target_group_parameters, groups, strict=True), start=1):
            self._write(f"TargetGroup{number}Name", name, full_name(group))
        self._write("UrlParameter", f"{path}/url", entrance.url)
        cdk.CfnOutput(self, "Url", value=entrance.url)

    @property
    def _shifts_traffic(self) -> bool:
        return self._environment.compute == "fargate" and self._environment.deployment.strategy != "rolling"

    @property
    def _adopted_listener(self) -> Listener | None:
        listener = self._environment.load_balancer.listener
        return listener.adopt if isinstance(listener, AdoptListener) else None

    @cached_property
    def _vpc(self) -> ec2.IVpc:
        """Asked for only where something stands in it."""
        return self._network.vpc_in(self)

    # --- the way in --------------------------------------------------------------------------------------------------

    def _open(self) -> _Entrance:
        adopted = self._adopted_listener
        return self._make_balancer() if adopted is None else self._adopt(adopted)

    def _adopt(self, adopted: Listener) -> _Entrance:
        listener = elbv2.ApplicationListener.from_application_listener_attributes(
            self,
            "Listener",
            listener_arn=adopted.listener_arn,
            security_group=ec2.SecurityGroup.from_security_group_id(
                self, "BalancerSecurityGroup", adopted.security_group_id
            ),
        )
        if adopted.hosted_zone_id is not None:
            self._name_balancer(adopted.dns_name, adopted.hosted_zone_id)
        hosts = [host for host in adopted.hosts if "*" not in host and "?" not in host]
        balancer = "/".join(adopted.listener_arn.split("/")[1:4])
        return _Entrance(listener, balancer, self._url(adopted.protocol, *hosts, adopted.dns_name))

    def _make_balancer(self) -> _Entrance:
        door, firewall = self._environment.load_balancer, self._environment.firewall
        balancer = LoadBalancer(
            self,
            "LoadBalancer",
            vpc=self._vpc,
            subnets=self._network.balancer_subnets(door.scheme),
            scheme=door.scheme,
            allowed_cidrs=door.allowed_cidrs,
            certificate=self._certificate(),
            asks_identity_provider=door.authentication is not None,
            idle_timeout_seconds=door.idle_timeout_seconds,
            log_bucket_name=self._storage.log_bucket_name,
            deletion_protection=self._environment.production,
        )
        if firewall is not None:
            Firewall(
                self,
                "Firewall",
                name=self._environment.named("firewall"),
                load_balancer_arn=balancer.load_balancer_arn,
                rate_limit=firewall.rate_limit,
                log_retention_days=self._environment.storage.log_retention_days,
            )
        self._name_balancer(balancer.load_balancer_dns_name, balancer.load_balancer_canonical_hosted_zone_id)
        scheme = "http" if door.certificate is None else "https"
        url = self._url(scheme, balancer.load_balancer_dns_name)
        return _Entrance(balancer.entrance, balancer.full_name, url)

    def _certificate(self) -> elbv2.IListenerCertificate | None:
        certificate, dns = self._environment.load_balancer.certificate, self._environment.dns
        if isinstance(certificate, AdoptArn):
            return elbv2.ListenerCertificate.from_arn(certificate.adopt.arn)
        if certificate is None or dns is None:  # the settings refuse an own one without a name
            return None
        own = Certificate(self, "Certificate", name=dns.record, zone_id=dns.zone_id, zone_name=dns.zone_name)
        return elbv2.ListenerCertificate.from_certificate_manager(own)

    def _name_balancer(self, dns_name: str, zone_id: str) -> None:
        dns = self._environment.dns
        if dns is not None:
            AliasRecord(
                self,
                "Record",
                zone_id=dns.zone_id,
                name=dns.record,
                balancer_dns_name=dns_name,
                balancer_zone_id=zone_id,
            )

    def _url(self, scheme: str, *hosts: str) -> str:
        """By the name that clients know, or the first of these."""
        dns = self._environment.dns
        return f"{scheme}://{hosts[0] if dns is None else dns.record}"

    def _route(self, entrance: _Entrance, groups: Sequence[elbv2.IApplicationTargetGroup]) -> Routing:
        adopted = self._adopted_listener
        return Routing(
            self,
            "Routing",
            listener=entrance.listener,
            priority=1 if adopted is None else adopted.priority,
            hosts=() if adopted is None else adopted.hosts,
            target_groups=groups,
            authenticate=self._authenticate(),
        )

    def _authenticate(self) -> Authenticate | None:
        authentication = self._environment.load_balancer.authentication
        if authentication is None:
            return None
        if isinstance(authentication, CognitoAuthentication):
            return ask_cognito(self, **authentication.cognito.model_dump())
        return verify_jwt(**authentication.jwt.model_dump())

    # --- what answers ------------------------------------------------------------------------------------------------

    def _told(self) -> dict[str, str]:
        """The variables of the service, on either compute."""
        model = self._environment.model
        uri = model_uri(bucket=self._storage.model_bucket_name, **model.model_dump())
        return service_environment(
            model_uri=uri, port=PORT, log_format="json", **self._environment.service.model_dump()
        )

    def _run_tasks(self, entrance: _Entrance) -> list[TaskTargets]:
        groups = [self._targets(name) for name in ("Targets", "AlternateTargets")[: len(self.target_group_parameters)]]
        routing = self._route(entrance, groups)
        balancer = self._balancer(entrance, [full_name(group) for group in groups])
        fargate, deployment = self._environment.fargate, self._environment.deployment
        service = FargateTasks(
            self,
            "Service",
            name=self.service_name,
            cluster=self._cluster(),
            task=self._task(),
            port=PORT,
            subnets=self._network.task_subnets,
            assign_public_ip=self._network.assign_public_ip,
            spot_percent=fargate.spot_percent,
            on_demand_tasks=1 if self._environment.production else 0,
            rollout=Rollout(**deployment.model_dump()),
            rollback=self._rollback_alarms(balancer),
            grace_seconds=self._grace_seconds(),
            targets=groups,
            rule=routing.rule,
        )
        self._scale(service, balancer)
        return groups

    def _targets(self, construct_id: str) -> TaskTargets:
        door = self._environment.load_balancer
        return TaskTargets(
            self,
            construct_id,
            vpc=self._vpc,
            port=PORT,
            health_check_path=_READY_PATH,
            deregistration_delay_seconds=door.deregistration_delay_seconds,
            algorithm=door.algorithm,
            **door.health_check.model_dump(),
        )

    def _cluster(self) -> ecs.ICluster:
        if self._environment.fargate.cluster == "own":
            return FargateCluster(self, "Cluster", name=self.cluster_name, vpc=self._vpc)
        return ecs.Cluster.from_cluster_attributes(self, "Cluster", cluster_name=self.cluster_name, vpc=self._vpc)

    def _task(self) -> ServiceTask:
        fargate, model = self._environment.fargate, self._environment.model
        return ServiceTask(
            self,
            "Task",
            family=self.service_name,
            repository_name=self._storage.repository_name,
            image_tag=self._image_tag,
            architecture=fargate.architecture,
            cpu=fargate.cpu,
            memory_mib=fargate.memory_mib,
            port=PORT,
            stop_timeout_seconds=fargate.stop_timeout_seconds,
            environment=self._told(),
            model_bucket_name=self._storage.model_bucket_name,
            model_prefix=model_prefix(prefix=model.prefix, name=model.name),
            log_group_name=self._storage.log_group_name,
        )

    def _grace_seconds(self) -> int:
        """As long as a task may load, and then must have been seen ready."""
        check = self._environment.load_balancer.health_check
        seen = check.interval_seconds * check.healthy_count + check.timeout_seconds
        return math.ceil(self._environment.service.load_deadline_seconds) + seen

    def _scale(self, service: FargateTasks, balancer: Balancer) -> None:
        scaling = self._environment.scaling
        TaskScaling(
            self,
            "Scaling",
            cluster_name=self.cluster_name,
            service=service,
            service_name=self.service_name,
            minimum_tasks=scaling.minimum_tasks,
            maximum_tasks=scaling.maximum_tasks,
            cpu_percent=scaling.cpu_percent,
            requests_per_minute=scaling.requests_per_task_per_minute,
            requests_per_target=balancer.requests_per_target(),
            hours=[Hours(**schedule.model_dump()) for schedule in scaling.schedules],
        )

    def _run_function(self, entrance: _Entrance) -> elbv2.ApplicationTargetGroup:
        settings, model = self._environment.function, self._environment.model
        function = ServiceFunction(
            self,
            "Function",
            name=self.function_name,
            repository_name=self._storage.repository_name,
            image_tag=self._image_tag,
            architecture=settings.architecture,
            memory_mib=settings.memory_mib,
            request_deadline_seconds=self._environment.service.request_deadline_seconds,
            reserved_concurrency=settings.reserved_concurrency,
            provisioned_concurrency=settings.provisioned_concurrency,
            environment=self._told(),
            model_bucket_name=self._storage.model_bucket_name,
            model_prefix=model_prefix(prefix=model.prefix, name=model.name),
            log_group_name=self._storage.log_group_name,
        )
        group = function.target_group(name=self._environment.named("targets"), health_check_path=_READY_PATH)
        self._route(entrance, [group])
        deployment = self._environment.deployment
        FunctionRelease(
            self,
            "Release",
            alias=function.alias,
            strategy=deployment.strategy,
            step_percent=deployment.step_percent,
            step_minutes=deployment.step_minutes,
            alarm_names=self._rollback_alarms(self._balancer(entrance, [full_name(group)])).names,
        )
        return group

    def _balancer(self, entrance: _Entrance, target_groups: Sequence[str]) -> Balancer:
        return Balancer(
            load_balancer=entrance.balancer,
            target_groups=target_groups,
            shared=self._adopted_listener is not None,
            function=self._environment.compute == "lambda",
        )

    def _rollback_alarms(self, balancer: Balancer) -> RollbackAlarms:
        objectives = self._environment.operations
        return RollbackAlarms(
            self,
            "Rollback",
            name=self._environment.named,
            balancer=balancer,
            log_group_name=self._storage.log_group_name,
            metric_namespace=f"Alphard/{self._environment.name}",
            availability_percent=objectives.availability_percent,
            latency_percent=objectives.latency_percent,
            latency_milliseconds=objectives.latency_milliseconds,
            load_deadline_seconds=self._environment.service.load_deadline_seconds,
        )

    def _write(self, construct_id: str, name: str, value: str) -> None:
        ssm.StringParameter(self, construct_id, parameter_name=name, string_value=value)
