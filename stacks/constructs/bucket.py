"""The two buckets of an environment: what is served, and what was logged."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct


class PrivateBucket(s3.Bucket):
    """Encrypted, reached over TLS only, never public, without ACLs; it and its policy outlive their stack.

    What was overwritten or deleted can be had back for ``recovery_days``. With ``access_logs``, S3 writes a line for
    each request there, under keys that begin with the construct's id.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        recovery_days: int,
        access_logs: s3.IBucket | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            bucket_name=name,
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id}/" if access_logs else None,
        )
        self.add_lifecycle_rule(
            noncurrent_version_expiration=cdk.Duration.days(recovery_days),
            expired_object_delete_marker=True,
            abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
        )
        cdk.RemovalPolicies.of(self).retain()


class ModelBucket(PrivateBucket):
    """Where models are published and promoted."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, access_logs: s3.IBucket) -> None:
        super().__init__(scope, construct_id, name=name, recovery_days=90, access_logs=access_logs)


class LogBucket(PrivateBucket):
    """The archive of access logs: of the account's load balancers, under ``AWSLogs/<account>/``, and of other buckets.

    A line stays for ``archive_days``, and can be had back a week longer. A balancer writes under SSE-S3 alone.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, archive_days: int) -> None:
        super().__init__(scope, construct_id, name=name, recovery_days=7)
        self.add_lifecycle_rule(expiration=cdk.Duration.days(archive_days))
        self._let_balancers_write()
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-S1",
                reason="Its own access log would be written to itself, where each line makes another.",
            )
        )

    def _let_balancers_write(self) -> None:
        """Written out, for a grant knows no service. Elastic Load Balancing itself puts the balancer's account into
        the path, and so the path keeps others out; a condition on ``aws:SourceArn`` has been seen to keep it out too.
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        """
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects(f"AWSLogs/{cdk.Aws.ACCOUNT_ID}/*")],
            )
        )
