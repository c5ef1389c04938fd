"""The repository of the service's images."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct


class ImageRepository(ecr.Repository):
    """A tag once given stays with its image, and an image with a tag stays for good, so that whatever is or was
    deployed can be started again. What has no tag goes after a week. It outlives its stack.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(
            scope,
            construct_id,
            repository_name=name,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            lifecycle_rules=[
                ecr.LifecycleRule(
                    description="Images without a tag",
                    tag_status=ecr.TagStatus.UNTAGGED,
                    max_image_age=cdk.Duration.days(7),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def let_functions_pull(self) -> None:
        """Lets the functions of this account and region start from its images.

        Lambda pulls them as itself, also long after a function was made, and would else write a statement into the
        policy of its own accord. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
        """
        functions = self.stack.format_arn(
            service="lambda",
            resource="function",
            resource_name="*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.grant_pull(
            iam.ServicePrincipal("lambda.amazonaws.com", conditions={"ArnLike": {"aws:SourceArn": functions}})
        )
