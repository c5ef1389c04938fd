"""An environment, synthesized by the app itself, as the data that CloudFormation and its readers get."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from app import build
from stacks.settings import Environment, read_environment
from tests.stacks.environments import CONTEXT, ENVIRONMENTS

IMAGE_TAG = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Resource:
    stack: str
    logical_id: str
    type: str
    body: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("Properties", {})
        return found

    def __str__(self) -> str:
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Finding:
    """What one rule found at one construct: of cdk-nag, of the CDK's own validation, or an annotation."""

    rule: str
    severity: str
    construct: str
    description: str

    def __str__(self) -> str:
        return f"{self.severity} {self.rule} at {self.construct}: {self.description}"


@dataclass(frozen=True)
class Acknowledgement:
    """That a finding of one rule at one construct is as it should be, and why."""

    rule: str
    construct: str
    reason: str


@dataclass(frozen=True)
class Synthesis:
    """One environment: its settings, each stack's template by construct id, and what validation found."""

    environment: Environment
    templates: Mapping[str, Mapping[str, Any]]
    files: frozenset[str]
    """The names of what was written, the assets among it."""
    findings: tuple[Finding, ...]
    acknowledgements: tuple[Acknowledgement, ...]

    def resources(self, *types: str) -> list[Resource]:
        """The resources of these types, or all of them without one."""
        return [resource for resource in self._all() if not types or resource.type in types]

    def _all(self) -> Iterator[Resource]:
        for stack, template in self.templates.items():
            for logical_id, body in template.get("Resources", {}).items():
                yield Resource(stack, logical_id, body["Type"], body)


def synthesize(
    name: str, environments: Mapping[str, Any] = ENVIRONMENTS, *, image_tag: str | None = IMAGE_TAG
) -> Synthesis:
    """The environment of that name through ``app.build``, with cdk-nag's AwsSolutions among the validations."""
    context = {**CONTEXT, "environments": {name: environments[name]}, "env": name}
    if image_tag is not None:
        context["image_tag"] = image_tag
    with TemporaryDirectory() as folder:
        app = cdk.App(analytics_reporting=False, context=context, outdir=folder)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        build(app)
        try:
            app.synth()
        except RuntimeError as error:  # of jsii; what was found stands in the report
            if "ValidationFailed" not in str(error):
                raise
        return _read(read_environment(app.node), Path(folder))


def _read(environment: Environment, folder: Path) -> Synthesis:
    suffix = ".template.json"
    templates = {path.name.removesuffix(suffix): path for path in sorted(folder.glob(f"*{suffix}"))}
    return Synthesis(
        environment=environment,
        templates={stack: json.loads(path.read_text()) for stack, path in templates.items()},
        files=frozenset(path.name for path in folder.iterdir()),
        findings=tuple(findings(folder)),
        acknowledgements=tuple(_acknowledgements(folder)),
    )


def _acknowledgements(folder: Path) -> Iterator[Acknowledgement]:
    for path in sorted(folder.glob("*.metadata.json")):
        for construct, entries in json.loads(path.read_text()).items():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    yield from (Acknowledgement(rule, construct, reason) for rule, reason in entry["data"].items())


def findings(folder: Path) -> Iterator[Finding]:
    """What validation reported into a folder of the CDK's output."""
    path = folder / "validation-report.json"
    if not path.exists():
        return
    for plugin in json.loads(path.read_text())["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield Finding(
                    rule=violation["ruleName"],
                    severity=violation["severity"],
                    construct=construct["constructPath"],
                    description=violation["description"],
                )
