"""What others' rules say of the templates: cdk-nag, cfn-lint, Checkov. Nothing that is not explained."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint
from cfnlint.core import get_rules

from tests.stacks.environments import CONTEXT, ENVIRONMENTS
from tests.stacks.synthesis import Synthesis, findings

CHECKOV = "3.3.30"
CHECKOV_CONFIG = Path(__file__).with_name("checkov.yaml")
ACCEPTED_BY_CFN_LINT = {
    "W3005": "the CDK lets what assumes a role wait for the role and its policy; that a reference says the first too"
    " is no fault",
}


@pytest.fixture(scope="module")
def linted(synthesized: Callable[[str], Synthesis]) -> Callable[[str], list[tuple[str, str]]]:
    """What cfn-lint finds in an environment, by rule."""
    rules = get_rules([], [], [])

    @cache
    def find(name: str) -> list[tuple[str, str]]:
        return [
            (match.rule.id, f"{stack}: {match}")
            for stack, template in synthesized(name).templates.items()
            for match in lint(json.dumps(template), rules)
        ]

    return find


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_cfn_lint_finds_nothing_unexplained(linted: Callable[[str], list[tuple[str, str]]], name: str) -> None:
    assert [found for rule, found in linted(name) if rule not in ACCEPTED_BY_CFN_LINT] == []


def test_what_is_explained_to_cfn_lint_is_found(linted: Callable[[str], list[tuple[str, str]]]) -> None:
    found = {rule for name in ENVIRONMENTS for rule, _ in linted(name)}
    assert found >= ACCEPTED_BY_CFN_LINT.keys()


@pytest.mark.slow
def test_checkov_finds_what_is_explained_and_nothing_else(
    synthesized: Callable[[str], Synthesis], tmp_path: Path
) -> None:
    """Its dependencies are pinned to versions that are not ours, so it stands in an environment of its own."""
    for name in ENVIRONMENTS:
        for stack, template in synthesized(name).templates.items():
            (tmp_path / f"{name}-{stack}.json").write_text(json.dumps(template))
    explained = yaml.safe_load(CHECKOV_CONFIG.read_text())["skip-check"]
    checkov = ["uv", "tool", "run", "--from", f"checkov=={CHECKOV}", "checkov"]
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    done = subprocess.run(
        [*checkov, *options, "--directory", str(tmp_path)], capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout)
    found = report["results"]["failed_checks"]
    unexplained = [one for one in found if one["check_id"] not in explained]
    assert [f"{one['check_id']} {one['check_name']}: {one['file_path']} {one['resource']}" for one in unexplained] == []
    assert {one["check_id"] for one in found} == set(explained)
    assert report["summary"]["parsing_errors"] == 0


def test_every_acknowledgement_stands_at_a_construct_and_gives_its_reason(synthesis: Synthesis) -> None:
    for acknowledgement in synthesis.acknowledgements:
        assert acknowledgement.construct.count("/") >= 2, f"for a whole stack: {acknowledgement}"
        assert len(acknowledgement.reason.split()) >= 4, acknowledgement


def test_an_acknowledgement_holds_for_its_construct_alone(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, context=CONTEXT, outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = cdk.Stack(app, "Stack")
    one, _ = s3.Bucket(stack, "One", enforce_ssl=True), s3.Bucket(stack, "Other", enforce_ssl=True)
    acknowledgement = cdk.Acknowledgment(id="AwsSolutions-S1", reason="a log of the log would never end")
    cdk.Validations.of(one).acknowledge(acknowledgement)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    found = [finding.construct for finding in findings(tmp_path) if finding.rule == "AwsSolutions-S1"]
    assert found == ["Stack/Other/Resource"]
