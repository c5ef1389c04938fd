"""The roles that GitHub workflows assume: one pushes an image and deploys, another moves a model's aliases."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.access import let_move_aliases, let_read_model
from stacks.constructs.environment import model_prefix
from stacks.settings import AdoptArn, Delivery, Environment
from stacks.storage import StorageStack

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"


class DeliveryStack(cdk.Stack):
    """``alphard-<environment>-delivery``, for the jobs of one GitHub environment of one repository.

    The delivery role pushes images to the environment's repository, owned or adopted, reads there, and assumes roles
    that ``cdk bootstrap`` made. All else is theirs: the deploy role deploys, and the look-up role, which reads the
    account and so the models' golden rows too, tells what is deployed.

    The promotion role reads the versions of the one model that is served, and writes its aliases.
    """

    def __init__(
        self, scope: Construct, environment: Environment, delivery: Delivery, *, storage: StorageStack
    ) -> None:
        super().__init__(
            scope,
            "Delivery",
            stack_name=environment.named("delivery"),
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        jobs, repository = _jobs(self._provider(delivery), delivery), delivery.repository
        self._role = iam.Role(
            self,
            "Role",
            role_name=environment.named("delivery"),
            description=f"Pushes images and deploys, for GitHub Actions of {repository}",
            assumed_by=jobs,
            # A canary that bakes for half an hour takes more than one, and is verified in the end.
            max_session_duration=cdk.Duration.hours(2),
        )
        self._let_push(storage.repository_name)
        self._let_deploy()
        promotion = iam.Role(
            self,
            "Promotion",
            role_name=environment.named("promotion"),
            description=f"Moves aliases of the model {environment.model.name}, for GitHub Actions of {repository}",
            assumed_by=jobs,
            max_session_duration=cdk.Duration.hours(1),
        )
        prefix = model_prefix(prefix=environment.model.prefix, name=environment.model.name)
        let_read_model(promotion, bucket_name=storage.model_bucket_name, prefix=prefix)
        let_move_aliases(promotion, bucket_name=storage.model_bucket_name, prefix=prefix)

    def _provider(self, delivery: Delivery) -> iam.IOidcProvider:
        """Of an issuer an account has one at most: the first environment there owns it and the others adopt it, so that
        it stays when the first one goes.
        """
        if isinstance(delivery.oidc_provider, AdoptArn):
            arn = delivery.oidc_provider.adopt.arn
            return iam.OidcProviderNative.from_oidc_provider_arn(self, "Provider", arn)
        return iam.OidcProviderNative(
            self,
            "Provider",
            url=f"https://{_ISSUER}",
            client_ids=[_AUDIENCE],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def _let_push(self, repository_name: str) -> None:
        repository = ecr.Repository.from_repository_name(self, "Repository", repository_name)
        repository.grant_pull_push(self._role)
        repository.grant_read(self._role)
        cdk.Validations.of(self._role).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="A token to log in to ECR is of the whole registry; AWS allows no resource for it.",
            )
        )

    def _let_deploy(self) -> None:
        """Written out, for no construct of this app stands for the roles of ``cdk bootstrap``. That one for images is
        left out: the app has no image among its assets.
        """
        names = cdk.DefaultStackSynthesizer
        roles = (
            names.DEFAULT_DEPLOY_ROLE_ARN,
            names.DEFAULT_FILE_ASSET_PUBLISHING_ROLE_ARN,
            names.DEFAULT_LOOKUP_ROLE_ARN,
        )
        arns = [cdk.Fn.sub(role.replace("${Qualifier}", names.DEFAULT_QUALIFIER)) for role in roles]
        self._role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=arns))


def _jobs(provider: iam.IOidcProvider, delivery: Delivery) -> iam.OpenIdConnectPrincipal:
    conditions = {"StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": _subjects(delivery)}}
    return iam.OpenIdConnectPrincipal(provider, conditions)


def _subjects(delivery: Delivery) -> list[str]:
    """A job's subject; with the ids of owner and repository also in its later form.

    GitHub puts the ids in for repositories created, renamed or transferred since the summer of 2026:
    https://docs.github.com/en/actions/reference/openid-connect-reference#immutable-subject-claims
    """
    subjects = [f"repo:{delivery.repository}:environment:{delivery.github_environment}"]
    if delivery.owner_id is not None and delivery.repository_id is not None:
        owner, name = delivery.repository.split("/")
        repository = f"{owner}@{delivery.owner_id}/{name}@{delivery.repository_id}"
        subjects.append(f"repo:{repository}:environment:{delivery.github_environment}")
    return subjects
