"""The account and the region that a command works in, and questions to their APIs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from stacks.errors import CommandError
from stacks.settings import Environment

_FORBIDDEN = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "Forbidden")
_LOOKUP_ROLE = "cdk-hnb659fds-lookup-role"
"""What every role's name begins with that ``cdk bootstrap`` makes for reading, under the default qualifier."""


class UnreadError(Exception):
    """The API did not tell: it is not permitted, or the API failed. The message says which call and why."""


class Account(NamedTuple):
    """Who asks (``caller``, an ARN), where: the session is of the region."""

    session: boto3.session.Session
    id: str
    region: str
    partition: str
    caller: str

    @property
    def pseudo_parameters(self) -> Mapping[str, str]:
        """What a template's pseudo parameters are here."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return {
            "AWS::AccountId": self.id,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": suffix,
        }

    def ask(self, service: str, operation: str, missing: tuple[str, ...] = (), **arguments: Any) -> Any:
        """The answer to one call, or None if its error code is one of ``missing``. Raises UnreadError.

        What is refused to the caller is asked once more as the role that the CDK reads an account with: a workflow's
        role may read no more than the images.
        """
        action, refusal = f"{service}:{operation}", None
        for session in self._sessions():
            try:
                client: Any = session.client(service)  # type: ignore[call-overload]  # any service, by its name
                return getattr(client, operation)(**arguments)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in missing:
                    return None
                if code != "403" and not any(word in code for word in _FORBIDDEN):
                    raise UnreadError(f"{action} failed: {' '.join(str(error).split())[:200]}") from error
                refusal = refusal or error
            except BotoCoreError as error:
                raise UnreadError(f"{action} failed: {' '.join(str(error).split())[:200]}") from error
        raise UnreadError(f"{action} is not permitted to {self.caller}") from refusal

    def _sessions(self) -> Iterator[boto3.session.Session]:
        """The caller's own and, if that does not do, one of the look-up role, where there is one that lets them in."""
        yield self.session
        role = f"arn:{self.partition}:iam::{self.id}:role/{_LOOKUP_ROLE}-{self.id}-{self.region}"
        try:
            assumed = self.session.client("sts").assume_role(RoleArn=role, RoleSessionName="alphard")["Credentials"]
        except (BotoCoreError, ClientError):
            return
        yield boto3.session.Session(
            assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"], region_name=self.region
        )


def connect(environment: Environment) -> Account:
    """The account that the AWS tools' own settings lead to, in the environment's region or theirs.

    ``AWS_REGION`` wins over ``AWS_DEFAULT_REGION``, as it does for the CDK. Raises CommandError without credentials or
    a region, or if the environment is bound to another account.
    """
    region = environment.region or os.environ.get("AWS_REGION") or None
    try:
        session = boto3.session.Session(region_name=region)
        if session.region_name is None:
            raise NoRegionError
        identity = session.client("sts").get_caller_identity()
    except NoRegionError:
        raise CommandError("there is no region: set AWS_REGION") from None
    except NoCredentialsError:
        raise CommandError("there are no AWS credentials: set AWS_PROFILE, or sign in by `aws sso login`") from None
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS does not know us: {' '.join(str(error).split())}") from None
    if environment.account not in (None, identity["Account"]):
        raise CommandError(
            f"{environment.name} belongs to account {environment.account}, these credentials to {identity['Account']}"
        )
    partition = identity["Arn"].split(":")[1]
    return Account(session, identity["Account"], session.region_name, partition, identity["Arn"])
