"""What roles may do: read one model, move its aliases, write the service's lines."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


def let_read_model(role: iam.Role, *, bucket_name: str, prefix: str) -> None:
    """A policy written out, since the CDK's grants to read let list the bucket, too, and read every version."""
    objects = _objects(role, bucket_name, prefix)
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[objects]))
    _acknowledge(role, objects, "The model's versions and aliases are objects that come and go under its own prefix.")


def let_move_aliases(role: iam.Role, *, bucket_name: str, prefix: str) -> None:
    """A policy written out, since the CDK's grants to write let tag and abort uploads, too. No version is written."""
    aliases = _objects(role, bucket_name, f"{prefix}/aliases")
    role.add_to_policy(iam.PolicyStatement(actions=["s3:PutObject"], resources=[aliases]))
    _acknowledge(role, aliases, "Each alias of the one model is an object, by a name that its publisher chooses.")


def let_write_lines(role: iam.Role, *, log_group_name: str) -> None:
    """A policy written out, since there is no construct of a group that is known by its name and may hold tokens."""
    streams = cdk.Stack.of(role).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group_name}:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    role.add_to_policy(iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[streams]))
    _acknowledge(role, streams, "AWS names the streams in the service's own log group, one for each process.")


def _objects(role: iam.Role, bucket_name: str, prefix: str) -> str:
    return cdk.Stack.of(role).format_arn(
        service="s3", region="", account="", resource=bucket_name, resource_name=f"{prefix}/*"
    )


def _acknowledge(role: iam.Role, resource: str, reason: str) -> None:
    """A finding is named after the resource, with a token as ``<AWS::Region>``. Of a stack whose account and region are
    given, the resource is plain text."""
    resolved = cdk.Stack.of(role).resolve(resource)
    parts = [resolved] if isinstance(resolved, str) else resolved["Fn::Join"][1]
    named = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    acknowledgement = cdk.Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{named}]", reason=reason)
    cdk.Validations.of(role).acknowledge(acknowledgement)
