"""What a person on call looks at: dashboard, alarms, saved queries."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs import queries
from stacks.constructs.alarms import Alarms, FunctionAlarms, HostAlarms, ModelAlarms, ObjectiveAlarms, Pager
from stacks.constructs.alerts import Alerts
from stacks.constructs.dashboard import (
    Dashboard,
    Row,
    clients_row,
    deployments_row,
    function_row,
    model_rows,
    tasks_row,
)
from stacks.constructs.events import DeploymentEvents
from stacks.constructs.metrics import Balancer, ModelMetrics
from stacks.constructs.queries import SavedQueries
from stacks.constructs.runbook import Runbook
from stacks.serving import ServingStack
from stacks.settings import AdoptArn, AdoptListener, Environment
from stacks.storage import StorageStack


class OperationsStack(cdk.Stack):
    """Wakes a person through one topic, and shows on one dashboard what there is to know."""

    def __init__(
        self, scope: Construct, environment: Environment, *, storage: StorageStack, serving: ServingStack
    ) -> None:
        super().__init__(
            scope,
            "Operations",
            stack_name=environment.named("operations"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        self.add_stack_dependency(serving)
        self._environment = environment
        self._balancer = self._read_balancer(serving)
        self._pager = self._make_pager(storage)
        metrics = ModelMetrics(
            self, "Model", namespace=f"Alphard/{environment.name}", log_group_name=storage.log_group_name
        )
        objectives = self._watch_objectives()
        compute, compute_rows = self._watch_compute(serving)
        follows_alias = environment.model.alias is not None
        models = ModelAlarms(self, "ModelAlarms", pager=self._pager, metrics=metrics, follows_alias=follows_alias)
        SavedQueries(
            self,
            "Queries",
            folder=self._pager.runbook.query_folder,
            queries=queries.OF_TASKS if environment.compute == "fargate" else queries.OF_THE_FUNCTION,
            log_group_name=storage.log_group_name,
        )
        Dashboard(
            self,
            "Dashboard",
            name=self._pager.runbook.dashboard_name,
            text=self._pager.runbook.markdown(environment.named("service")),
            alarm_names=[*objectives.paging, *compute.paging, *models.paging],
            rows=[
                clients_row(self._balancer, latency_milliseconds=environment.operations.latency_milliseconds),
                *compute_rows,
                *model_rows(metrics, log_group_name=storage.log_group_name),
            ],
        )

    def _read_balancer(self, serving: ServingStack) -> Balancer:
        """Full names of balancer and target groups, out of Serving's parameters."""
        environment = self._environment
        shared = isinstance(environment.load_balancer.listener, AdoptListener)
        hosts_are_counted = environment.compute == "fargate"
        groups = serving.target_group_parameters if shared or hosts_are_counted else []
        return Balancer(
            load_balancer=ssm.StringParameter.value_for_string_parameter(self, serving.load_balancer_parameter),
            target_groups=[ssm.StringParameter.value_for_string_parameter(self, group) for group in groups],
            shared=shared,
            function=environment.compute == "lambda",
        )

    def _make_pager(self, storage: StorageStack) -> Pager:
        environment, operations = self._environment, self._environment.operations
        alerts = Alerts(
            self,
            "Alerts",
            name=environment.named("alerts"),
            adopted_arn=operations.topic.adopt.arn if isinstance(operations.topic, AdoptArn) else None,
            emails=operations.alert_emails,
        )
        model = environment.model
        runbook = Runbook(
            dashboard_name=environment.named("operations"),
            query_folder=f"alphard/{environment.name}",
            model_rollback=(
                f"python -m service rollback {model.name} --alias {model.alias}"
                f" --store s3://{storage.model_bucket_name}/{model.prefix}"
                if model.alias
                else "the version before in cdk.json's model.version, and deploy"
            ),
            release_rollback=(
                f"npx cdk deploy Serving --exclusively -c env={environment.name} -c image_tag=LAST_GOOD_SHA"
            ),
        )
        return Pager(environment.named, alerts.topic, runbook)

    def _watch_objectives(self) -> Alarms:
        operations = self._environment.operations
        return ObjectiveAlarms(
            self,
            "ObjectiveAlarms",
            pager=self._pager,
            balancer=self._balancer,
            availability_percent=operations.availability_percent,
            latency_percent=operations.latency_percent,
            latency_milliseconds=operations.latency_milliseconds,
        )

    def _watch_compute(self, serving: ServingStack) -> tuple[Alarms, Sequence[Row]]:
        if self._environment.compute == "fargate":
            return self._watch_tasks(serving.cluster_name, serving.service_name)
        alarms = FunctionAlarms(
            self,
            "FunctionAlarms",
            pager=self._pager,
            function_name=serving.function_name,
            deadline_seconds=self._environment.service.request_deadline_seconds,
        )
        return alarms, [function_row(serving.function_name)]

    def _watch_tasks(self, cluster_name: str, service_name: str) -> tuple[Alarms, Sequence[Row]]:
        scaling = self._environment.scaling
        # By schedule the bounds differ from hour to hour, and an alarm does not know the hour: the widest are taken.
        minimum = min([scaling.minimum_tasks, *(schedule.minimum_tasks for schedule in scaling.schedules)])
        maximum = max([scaling.maximum_tasks, *(schedule.maximum_tasks for schedule in scaling.schedules)])
        alarms = HostAlarms(
            self, "HostAlarms", pager=self._pager, balancer=self._balancer, minimum=minimum, maximum=maximum
        )
        log_group_name = self._keep_events(cluster_name, service_name)
        row = tasks_row(
            self._balancer, cluster_name=cluster_name, service_name=service_name, minimum=minimum, maximum=maximum
        )
        return alarms, [row, deployments_row(log_group_name=log_group_name)]

    def _keep_events(self, cluster_name: str, service_name: str) -> str:
        """The name of the log group of what ECS says."""
        environment = self._environment
        log_group_name = f"/alphard/{environment.name}/deployments"
        DeploymentEvents(
            self,
            "DeploymentEvents",
            name=environment.named("deployments"),
            cluster_name=cluster_name,
            service_name=service_name,
            spot=environment.fargate.spot_percent > 0,
            log_group_name=log_group_name,
            retention_days=environment.storage.log_retention_days,
            topic_arn=self._pager.topic.topic_arn,
            failure_text=self._pager.runbook.failed_deployment(service_name),
        )
        SavedQueries(
            self,
            "DeploymentQueries",
            folder=self._pager.runbook.query_folder,
            queries=[queries.DEPLOYMENTS],
            log_group_name=log_group_name,
        )
        return log_group_name
