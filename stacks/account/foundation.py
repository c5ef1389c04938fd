"""What a deployment stands on: the CDK's bootstrap, our stacks' state, ECS's own role, the image, the model."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.account.connection import Account
from stacks.account.findings import Finding
from stacks.account.image import Image, is_pushed, platforms
from stacks.account.model import Model, find_version, how_to_publish
from stacks.account.names import LOOKUPS, is_taken

_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
"""Where the CDK's bootstrap template writes its version, under the default qualifier."""

_ECS_ROLE = "AWSServiceRoleForECS"


def bootstrap_version(account: Account) -> int | None:
    """The version of the CDK's bootstrap in this account and region, or None without one. Raises UnreadError."""
    answer = account.ask("ssm", "get_parameter", ("ParameterNotFound",), Name=_BOOTSTRAP)
    return answer and int(answer["Parameter"]["Value"])


def bootstrap(account: Account, needed: int) -> Iterator[Finding]:
    """Whether the CDK is bootstrapped, at the version that the stacks need."""
    command, version = f"npx cdk bootstrap aws://{account.id}/{account.region}", bootstrap_version(account)
    if version is None:
        yield Finding("pending", f"the CDK is not bootstrapped in {account.region}", f"make deploy does it ({command})")
    elif version < needed:
        yield Finding("fault", f"the CDK's bootstrap is of version {version}, and {needed} is needed", f"run {command}")


def stack_state(account: Account, name: str) -> Iterator[Finding]:
    """Whether the stack may be deployed: there is none yet, or it is at rest."""
    answer = account.ask("cloudformation", "describe_stacks", ("ValidationError",), StackName=name)
    if answer:
        yield from judge_stack(name, answer["Stacks"][0]["StackStatus"])


def judge_stack(name: str, status: str) -> Iterator[Finding]:
    """What a stack in this state needs before a deployment. What failed at its creation the CDK itself removes."""
    what = f"stack {name} is {status}"
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        yield Finding("fault", what, "somebody deploys: wait until it is done")
    elif status == "UPDATE_ROLLBACK_FAILED":
        command = f"aws cloudformation continue-update-rollback --stack-name {name}"
        yield Finding("fault", what, f"mend what its events name, then {command}")
    elif status.endswith("_FAILED"):
        yield Finding("fault", what, "mend what its events name, then delete the stack")


def image_state(account: Account, image: Image) -> Iterator[Finding]:
    """Whether the image is there, for the processor that the tasks have."""
    if not is_pushed(account, image):
        yield Finding("pending", f"there is no image {image}", "make deploy builds and pushes it")
        return
    found = platforms(account, image)
    if found and image.platform not in found:
        fix = f"build it for {image.platform} under another commit, or set the architecture to what it is"
        yield Finding("fault", f"image {image} is for {', '.join(found)}", fix)


def model_state(account: Account, model: Model) -> Iterator[Finding]:
    """Whether the model to be served is published."""
    if find_version(account, model) is not None:
        return
    what = f"{model} is not published"
    if model.is_example:
        yield Finding("pending", what, "make deploy publishes the example there")
    elif is_taken(account, LOOKUPS["AWS::S3::Bucket"], {"BucketName": model.bucket}):
        yield Finding("fault", what, how_to_publish(model))
    else:
        yield Finding("pending", what, f"make deploy stops when the bucket is there; then {how_to_publish(model)}")


def ecs_role(account: Account) -> Iterator[Finding]:
    """Whether ECS has its role in this account: it makes it at its first use, too late for that first cluster."""
    if not has_ecs_role(account):
        command = "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
        yield Finding("pending", "the account has no service-linked role of ECS", f"make deploy makes it ({command})")


def has_ecs_role(account: Account) -> bool:
    """Raises UnreadError."""
    return account.ask("iam", "get_role", ("NoSuchEntity",), RoleName=_ECS_ROLE) is not None


def make_ecs_role(account: Account) -> None:
    """Has IAM make it, if it is not there by now. Raises UnreadError."""
    there = ("InvalidInput", "EntityAlreadyExists")
    account.ask("iam", "create_service_linked_role", there, AWSServiceName="ecs.amazonaws.com")
