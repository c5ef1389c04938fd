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

from tests.stacks.environments import CONTEXT, ROOT, SHIPPED
from tests.stacks.synthesis import IMAGE_TAG

_JSII = Path(cdk.__file__).parent / "_jsii"


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


def test_the_feature_flags_are_those_that_the_cdk_recommends() -> None:
    (archive,) = _JSII.glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as packed:
        file = packed.extractfile("package/recommended-feature-flags.json")
        assert file is not None
        recommended = json.load(file)
    assert {key: value for key, value in CONTEXT.items() if key != "environments"} == recommended
