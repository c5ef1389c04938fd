"""What outlives every release: the image repository, the model bucket, the log archive and the service's log group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.constructs.bucket import LogBucket, ModelBucket
from stacks.constructs.repository import ImageRepository
from stacks.settings import AdoptName, Environment


class StorageStack(cdk.Stack):
    """Names, not constructs, are what the other stacks take: no reference ties them to this one.

    ``repository_name``, ``model_bucket_name``, ``log_bucket_name`` and ``log_group_name`` are the names of what is
    owned here or adopted; they may hold ``AWS::AccountId`` and ``AWS::Region``, which resolve in any stack. They stand
    in parameters too, ``/alphard/<environment>/storage/...``, for those who publish models or read logs from outside.

    A load balancer writes its logs to the log bucket without a prefix: under ``AWSLogs/<account>/``. An adopted log
    bucket's policy is its owner's: it lets in ``logdelivery.elasticloadbalancing.amazonaws.com`` there and, beside an
    own model bucket, ``logging.s3.amazonaws.com`` under ``ModelBucket/``.

    What is owned stays when the stack goes, and is adopted by its name when the stack comes back. So the stack needs no
    termination protection, which would add nothing but a call that not every stand-in for AWS knows.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(
            scope,
            "Storage",
            stack_name=environment.named("storage"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        place = f"{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}"
        own = environment.storage
        self.repository_name = _name(own.repository, environment.named("service"))
        self.model_bucket_name = _name(own.model_bucket, environment.named(f"models-{place}"))
        self.log_bucket_name = _name(own.log_bucket, environment.named(f"logs-{place}"))
        self.log_group_name = _name(own.log_group, f"/alphard/{environment.name}/service")
        self._make_repository(environment)
        self._make_buckets(environment)
        self._make_log_group(environment)
        self._write_names(f"/alphard/{environment.name}/storage")

    def _make_repository(self, environment: Environment) -> None:
        if environment.storage.repository != "own":
            return
        repository = ImageRepository(self, "Repository", name=self.repository_name)
        if environment.compute == "lambda":
            repository.let_functions_pull()

    def _make_buckets(self, environment: Environment) -> None:
        storage, log_bucket = environment.storage, self._log_bucket(environment)
        if storage.model_bucket != "own":
            return
        bucket = ModelBucket(self, "ModelBucket", name=self.model_bucket_name, access_logs=log_bucket)
        if storage.log_bucket != "own":
            cdk.Validations.of(bucket).acknowledge(
                cdk.Acknowledgment(
                    id="Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
                    reason="The policy of an adopted log bucket is its owner's.",
                )
            )

    def _log_bucket(self, environment: Environment) -> s3.IBucket:
        storage = environment.storage
        if storage.log_bucket != "own":
            return s3.Bucket.from_bucket_name(self, "LogBucket", self.log_bucket_name)
        return LogBucket(self, "LogBucket", name=self.log_bucket_name, archive_days=storage.archive_days)

    def _make_log_group(self, environment: Environment) -> None:
        if environment.storage.log_group != "own":
            return
        logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=self.log_group_name,
            retention_in_days=environment.storage.log_retention_days,
            deletion_protection_enabled=environment.production,
        ).apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    def _write_names(self, path: str) -> None:
        """Also what a stack has in it of which everything is adopted: CloudFormation refuses an empty one."""
        for what, name in {
            "repository": self.repository_name,
            "model-bucket": self.model_bucket_name,
            "log-bucket": self.log_bucket_name,
            "log-group": self.log_group_name,
        }.items():
            construct_id = "".join(word.capitalize() for word in what.split("-"))
            ssm.StringParameter(self, f"{construct_id}Name", parameter_name=f"{path}/{what}", string_value=name)


def _name(choice: str | AdoptName, own: str) -> str:
    return choice.adopt.name if isinstance(choice, AdoptName) else own
