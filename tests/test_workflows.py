"""What every workflow keeps to: nothing of others runs by a name that can move, and nobody is let do more than is
needed. actionlint and zizmor say more of it, in ``make lint``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.workflows import EXPRESSION, FOLDER, NAMES, ROOT, load, uses

PINNED = re.compile(r"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
COMMAND = re.compile(
    r'(?:make(?: --silent)?(?: [a-z-]+)|gh pr comment "\$PULL_REQUEST" [a-z./ -]+)(?: >> "\$GITHUB_OUTPUT")?'
)
WRITES: dict[str, dict[str, set[str]]] = {
    "ci": {},
    "deploy": {"deploy": {"id-token", "attestations"}},
    "promote": {"promote": {"id-token"}},
    "template-diff": {"comment": {"pull-requests"}},
}
"""What a job may write, beside reading."""

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _steps(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for job, described in load(name)["jobs"].items():
        for step in described["steps"]:
            yield job, step


def test_the_workflows_are_those_that_are_named() -> None:
    assert sorted(WRITES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(name: str) -> None:
    lines = [line.strip(" -") for line in (FOLDER / f"{name}.yml").read_text().splitlines() if "uses:" in line]
    assert lines
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


def test_an_action_has_one_commit_everywhere() -> None:
    used = {step["uses"] for name in NAMES for _, step in _steps(name) if "uses" in step}
    assert len({action.partition("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_permitted_but_what_a_job_names_and_writing_only_where_it_must(name: str) -> None:
    workflow = load(name)
    assert workflow["permissions"] == {}
    for job, described in workflow["jobs"].items():
        permissions = described["permissions"]
        writes = {scope for scope, level in permissions.items() if level == "write"}
        assert writes == WRITES[name].get(job, set()), job
        assert set(permissions.values()) <= {"read", "write"}, job


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_a_target_or_one_command_that_a_person_can_run_too(name: str) -> None:
    for _, step in _steps(name):
        if "run" in step:
            assert COMMAND.fullmatch(step["run"]), step["run"]
            target = re.match(r"make(?: --silent)? ([a-z-]+)", step["run"])
            assert target is None or target[1] in TARGETS, step["run"]


@pytest.mark.parametrize("name", NAMES)
def test_no_command_is_made_of_an_expression(name: str) -> None:
    assert [step["run"] for _, step in _steps(name) if EXPRESSION.search(step.get("run", ""))] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_checkout_leaves_a_token_behind_or_takes_a_pull_request_where_something_may_be_written(name: str) -> None:
    checkouts = [(job, step) for job, step in _steps(name) if uses(step) == "actions/checkout"]
    assert checkouts
    for job, step in checkouts:
        assert step["with"]["persist-credentials"] == "false", job
        ref = step["with"].get("ref", "")
        assert ref in ("", "${{ steps.before.outputs.commit }}"), job
        assert "repository" not in step["with"], job


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends_and_none_knows_a_secret(name: str) -> None:
    assert "secrets" not in (FOLDER / f"{name}.yml").read_text()
    for job, described in load(name)["jobs"].items():
        assert int(described["timeout-minutes"]) <= 240, job


def test_only_what_a_pull_request_runs_may_be_cancelled_by_the_next() -> None:
    assert load("ci")["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    assert load("template-diff")["concurrency"]["cancel-in-progress"] == "true"
    for concurrency in (load("promote")["concurrency"], load("deploy")["jobs"]["deploy"]["concurrency"]):
        assert concurrency["cancel-in-progress"] == "false"


def test_an_environment_has_one_deployment_at_a_time_and_the_next_one_only_after_it() -> None:
    deploy = load("deploy")["jobs"]["deploy"]
    assert deploy["environment"] == "${{ matrix.environment }}"
    assert deploy["concurrency"]["group"] == "deploy-${{ matrix.environment }}"
    assert (deploy["strategy"]["max-parallel"], deploy["strategy"]["fail-fast"]) == ("1", "true")


def test_deployment_is_off_until_a_variable_turns_it_on_and_then_only_of_main() -> None:
    jobs = load("deploy")["jobs"]
    assert jobs["image"]["if"] == "vars.DEPLOY_ENVIRONMENTS != '' && github.ref == 'refs/heads/main'"
    assert jobs["deploy"]["needs"] == "image"
    assert "if" not in jobs["deploy"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "template-diff"])
def test_what_a_fork_can_start_never_runs_with_the_repositorys_rights(name: str) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(load(name)["on"])


def test_what_is_installed_is_installed_before_a_role_is_assumed() -> None:
    for name in ("deploy", "promote"):
        (job,) = (job for job in load(name)["jobs"].values() if "environment" in job)
        steps = [step.get("run") or uses(step) for step in job["steps"]]
        assert steps.index("make install") < steps.index("aws-actions/configure-aws-credentials")


def test_a_deployment_is_of_the_image_that_was_built_once() -> None:
    jobs = load("deploy")["jobs"]
    assert [name for name in jobs if any(step.get("run") == "make image" for step in jobs[name]["steps"])] == ["image"]


def test_all_that_is_pinned_is_moved_by_pull_requests_a_week_after_its_release() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"pip", "npm", "github-actions", "docker"}
    assert {each["cooldown"]["default-days"] for each in updates} == {7}
