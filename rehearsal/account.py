"""An AWS account on loopback, and the CDK's pinned command line that deploys an environment into it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from rehearsal.errors import CommandError
from rehearsal.stand_in import s3_environment, s3_server

ROOT = Path(__file__).parents[1]
REGION = "eu-west-1"
NUMBER = "123456789012"
"""The stand-in's own."""

_DEADLINE_SECONDS = 300
_LAST_LINES = 40


class Account:
    """The account at ``endpoint``, with one environment of ``cdk.json``; the command line works in ``folder``.

    ``tag`` is always a Git SHA. ``settings`` are merged into the environment's own, object by object, and count for
    that one command: what is deployed without them is what ``cdk.json`` says.
    """

    def __init__(self, endpoint: str, folder: Path, environment: str) -> None:
        self.endpoint = endpoint
        self.environment = environment
        self._folder = folder
        self._clients: dict[str, Any] = {}
        self.variables = {
            **s3_environment(endpoint),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def bootstrap(self) -> None:
        """Makes what the CDK itself needs in an account. Raises CommandError."""
        self.cdk("bootstrap", f"aws://{NUMBER}/{REGION}", tag="0" * 40)

    def deploy(self, *stacks: str, tag: str, settings: Mapping[str, Any] | None = None) -> None:
        """Deploys these stacks (``Storage``, ``Network``, ``Serving``, ``Operations``), or all. Raises CommandError."""
        # By a change set the stand-in loses outputs, and it reads a parameter's previous value as the name of one.
        options = ("--require-approval", "never", "--method", "direct", "--previous-parameters=false")
        self.cdk("deploy", *(stacks or ("--all",)), *options, tag=tag, settings=settings)

    def cdk(self, command: str, *arguments: str, tag: str, settings: Mapping[str, Any] | None = None) -> str:
        """Runs any command; what it said. Raises CommandError with its last lines if it fails or never ends."""
        self._describe(settings or {})
        given = ["-c", f"env={self.environment}", "-c", f"image_tag={tag}", "--no-notices", "--progress", "events"]
        # Its Node.js is the environment's own: a system's may be too old.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # The templates are the same without their validation, which takes most of the time.
        own = {"PATH": path, "PYTHONPATH": str(ROOT), "CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_VALIDATION": "false"}
        with subprocess.Popen(
            [str(ROOT / "node_modules" / ".bin" / "cdk"), command, *arguments, *given],
            cwd=self._folder,
            env={**os.environ, **self.variables, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=_DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
        if process.returncode != 0:
            last = "\n".join(said.strip().splitlines()[-_LAST_LINES:])
            raise CommandError(f"cdk {command} ended with {process.returncode}:\n{last}")
        return said

    def client(self, service: str) -> Any:
        """AWS's client of a service, such as ``ecs``; the same each time, for it takes long to make."""
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # by a name that is not written here
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106  # the stand-in's
            )
        return self._clients[service]

    def template(self, stack: str) -> dict[str, Any]:
        """A stack's template, as CloudFormation holds it."""
        found = self.client("cloudformation").get_template(StackName=self.stack_name(stack))["TemplateBody"]
        return dict(json.loads(found) if isinstance(found, str) else found)

    def resources(self, stack: str) -> dict[str, str]:
        """A stack's physical ids by their logical ids; the stand-in leaves out what it passes over."""
        pages = (
            self.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=self.stack_name(stack))
        )
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
        }

    def parameters(self) -> dict[str, str]:
        """What SSM holds, by name: the bootstrap and the stacks leave values there for those that come later."""
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
        return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}

    def stack_name(self, stack: str) -> str:
        return f"alphard-{self.environment}-{stack.lower()}"

    def _describe(self, settings: Mapping[str, Any]) -> None:
        """Writes the repository's ``cdk.json`` with these settings where the command line looks for it."""
        described = json.loads((ROOT / "cdk.json").read_text())
        described["app"] = f"{sys.executable} {ROOT / 'app.py'}"
        environments = described["context"]["environments"]
        environments[self.environment] = _merged(environments.get(self.environment, {}), settings)
        (self._folder / "cdk.json").write_text(json.dumps(described))


@contextmanager
def bootstrapped(environment: str) -> Iterator[Account]:
    """An account that is empty but for the CDK's own stack, and ends with the block. Raises CommandError."""
    with s3_server() as endpoint, TemporaryDirectory() as folder:
        # By a name and not by its number: the CDK asks for a bucket by its own name before it.
        account = Account(endpoint.replace("127.0.0.1", "localhost"), Path(folder), environment)
        account.bootstrap()
        yield account


def _merged(own: Any, other: Any) -> Any:
    """Objects are merged key by key; of anything else the other counts."""
    if not isinstance(own, Mapping) or not isinstance(other, Mapping):
        return other
    return {**own, **{key: _merged(own.get(key), value) for key, value in other.items()}}
