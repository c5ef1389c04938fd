from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from tests.stacks.environments import CONTEXT, ENVIRONMENTS, ROOT, SHIPPED
from tests.stacks.synthesis import IMAGE_TAG, synthesize
from tests.stacks.template_yaml import to_text

_JSII = Path(cdk.__file__).parent / "_jsii"

# Of what may have the shortest names only.
_NAME_LIMITS = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Name", 32),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Name", 32),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Events::Rule": ("Name", 64),
}


def run(context: dict[str, Any] | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """The app, as the CDK's command line runs it with a context, or as a person does without one."""
    environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
    environment.pop("CDK_CONTEXT_JSON", None)
    if context is not None:
        environment["CDK_CONTEXT_JSON"] = json.dumps(context)
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("context", "line"),
    [
        (None, "environments: missing; expected an object of environments by name"),
        ({**CONTEXT, "env": "prd"}, 'env: expected one of dev, staging, prod, got "prd"'),
        ({**CONTEXT, "image_tag": ""}, "image_tag: expected a Git SHA of 40 lower-case hexadecimal digits"),
        (
            {**CONTEXT, "environments": {"dev": {**SHIPPED["dev"], "storage": {"log_group": {"adopt": {}}}}}},
            "environments.dev.storage.log_group.adopt.name: missing; expected a log group's name, such as /ecs/alphard",
        ),
        (
            {**CONTEXT, "environments": {"dev": {**SHIPPED["dev"], "service": {"keep_alive_seconds": 60}}}},
            "environments.dev.service.keep_alive_seconds: expected more than load_balancer.idle_timeout_seconds (60)",
        ),
    ],
)
def test_what_is_wrong_ends_the_app_with_one_line(context: dict[str, Any] | None, line: str, tmp_path: Path) -> None:
    done = run(context, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.rglob("*.json")) == []


def test_an_environment_has_its_stacks_under_its_name(tmp_path: Path) -> None:
    done = run({**CONTEXT, "env": "staging", "image_tag": IMAGE_TAG}, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    artifacts = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())["artifacts"]
    stacks = {
        artifact: found["properties"]["stackName"]
        for artifact, found in artifacts.items()
        if found["type"] == "aws:cloudformation:stack"
    }
    assert stacks == {
        part: f"alphard-staging-{part.lower()}" for part in ("Storage", "Network", "Serving", "Operations")
    }


@pytest.mark.parametrize("name", ["public", "serverless"])
def test_an_environment_of_one_account_and_region_needs_no_look_up_either(name: str) -> None:
    settings = {**ENVIRONMENTS[name], "account": "123456789012", "region": "eu-central-1"}
    synthesis = synthesize(name, {name: settings})
    assert [str(finding) for finding in synthesis.findings] == []
    assert "123456789012" in json.dumps(synthesis.templates)


@pytest.mark.parametrize("name", ["public", "serverless"])
def test_the_longest_name_of_an_environment_fits_each_of_its_resources(name: str) -> None:
    longest = "a" * 15
    for resource in synthesize(longest, {longest: ENVIRONMENTS[name]}).resources(*_NAME_LIMITS):
        key, limit = _NAME_LIMITS[resource.type]
        given = to_text(resource.properties.get(key)) or ""
        place = {"${AWS::AccountId}": "123456789012", "${AWS::Region}": "ap-southeast-1"}
        for token, value in place.items():
            given = given.replace(token, value)
        assert len(given) <= limit, given


def test_the_feature_flags_are_those_that_the_cdk_recommends() -> None:
    (archive,) = _JSII.glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as packed:
        file = packed.extractfile("package/recommended-feature-flags.json")
        assert file is not None
        recommended = json.load(file)
    assert {key: value for key, value in CONTEXT.items() if key != "environments"} == recommended
