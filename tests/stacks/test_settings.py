from __future__ import annotations

import json
import re
import zoneinfo
from typing import Any

import aws_cdk as cdk
import pytest
from pydantic import ValidationError

from stacks.settings import Environment, SettingsError, read_environment, read_image_tag
from tests.stacks.disagreements import CASES, ON_A_LISTENER, ON_LAMBDA
from tests.stacks.environments import ENVIRONMENTS, ROOT, SHIPPED
from tests.stacks.wrong_settings import COGNITO, EVERYTHING, RIGHT, WRONG, fields

FIELDS = dict(fields())
MODEL = {"name": "churn", "alias": "production"}


def read(settings: Any, name: str = "dev") -> Environment:
    """The environment out of a real app's context, in which it stands alone."""
    context = {"environments": {name: settings}, "env": name}
    return read_environment(cdk.App(context=context, analytics_reporting=False).node)


def fault(settings: Any, name: str = "dev") -> str:
    """The one line that says what is wrong, without the environment's path before it."""
    with pytest.raises(SettingsError) as caught:
        read(settings, name)
    line = str(caught.value)
    assert line.isprintable(), line
    return line.removeprefix(f"environments.{name}").removeprefix(".")


def change(settings: Any, path: str, value: Any) -> Any:
    """A copy with the value at a path such as ``scaling.schedules[0].cron``; objects on the way are made."""
    changed = json.loads(json.dumps(settings))
    *parents, last = re.findall(r"[a-z_]+|\d+", path)
    at = changed
    for parent in parents:
        at = at[int(parent)] if parent.isdecimal() else at.setdefault(parent, {})
    at[int(last) if last.isdecimal() else last] = value
    return changed


def everything_about(path: str) -> Any:
    """An environment in which the path exists."""
    if ".cognito" in path:
        return change(EVERYTHING, "load_balancer.authentication", COGNITO)
    return EVERYTHING


def expected(path: str) -> str:
    """What the description of the field, or of an item of it, says is allowed."""
    description = FIELDS[path.removesuffix("[0]")].description or ""
    return description.partition("each ")[2] if path.endswith("[0]") else description


# --- each key --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_of_the_app_and_of_its_tests_is_right(name: str) -> None:
    assert read(ENVIRONMENTS[name], name).named("service") == f"alphard-{name}-service"


def test_a_model_is_all_that_an_environment_needs() -> None:
    assert read({"model": MODEL}) == Environment.model_validate({"name": "dev", "model": MODEL})


def test_there_is_a_wrong_value_for_every_key() -> None:
    assert {path for path in WRONG if not path.endswith("[0]")} == FIELDS.keys()


def test_every_key_says_what_is_allowed() -> None:
    assert [path for path, field in FIELDS.items() if not field.description] == []


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_value_is_one_line_with_its_key_what_is_allowed_and_what_it_was(path: str) -> None:
    for value in WRONG[path]:
        line = fault(change(everything_about(path), path, value))
        assert line == f"{path}: expected {expected(path)}, got {json.dumps(value)[:100]}"


@pytest.mark.parametrize("path", RIGHT)
def test_a_key_may_be_all_that_is_allowed(path: str) -> None:
    for value in RIGHT[path]:
        line = fault(change({**everything_about(path), "compute": 5}, path, value))
        assert line.startswith("compute: "), line  # the only key that is wrong


@pytest.mark.parametrize("path", [path for path, field in FIELDS.items() if field.is_required()])
def test_a_key_without_a_default_is_missed(path: str) -> None:
    *parents, last = re.findall(r"[a-z_]+|\d+", path)
    settings = json.loads(json.dumps(everything_about(path)))
    at = settings
    for parent in parents:
        at = at[int(parent)] if parent.isdecimal() else at[parent]
    del at[last]
    if last in ("adopt", "jwt", "cognito"):  # by which the form is known: without it there is none
        path = path.rpartition(".")[0]
        assert fault(settings) == f"{path}: expected {expected(path)}, got {{}}"
    else:
        assert fault(settings) == f"{path}: missing; expected {expected(path)}"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("fargte", "did you mean fargate?"),
        ("load_balancer.idle_timeout", "did you mean idle_timeout_seconds?"),
        ("load_balancer.health_check.interval", "did you mean interval_seconds?"),
        ("storage.repository.adpt", "did you mean adopt?"),
        ("storage.repository.adopt.nam", "did you mean name?"),
        ("load_balancer.authentication.jwt.isuer", "did you mean issuer?"),
        ("scaling.schedules[0].crn", "did you mean cron?"),
        ("dns.xyz", "there are zone_id, zone_name, record"),
        ("name", "an environment has the name that it stands under"),
    ],
)
def test_an_unknown_key_is_one_line_with_what_was_meant(path: str, meant: str) -> None:
    line = fault(change(EVERYTHING, path, "x"))
    assert line.startswith(f"{path}: no such setting; ")
    assert meant in line


def test_a_misspelt_key_is_told_before_the_one_that_is_missing_for_it() -> None:
    assert fault({"model": {"nme": "churn"}}) == "model.nme: no such setting; did you mean name?"


def test_a_machine_without_a_list_of_time_zones_takes_what_looks_like_one() -> None:
    path = "scaling.schedules[0].time_zone"
    zoneinfo.reset_tzpath(to=[])
    try:
        assert fault(change({**EVERYTHING, "compute": 5}, path, "Europe/Atlantis")).startswith("compute: ")
        assert fault(change(EVERYTHING, path, "Berlin")).startswith(f"{path}: ")
    finally:
        zoneinfo.reset_tzpath()


def test_what_is_written_into_the_context_cannot_break_the_line() -> None:
    assert fault({"model": MODEL, "a\nb": 1}).startswith(r"a\nb: no such setting; there are production, account, ")
    assert fault({"model": MODEL, "<own>": 1}).startswith("<own>: no such setting; ")
    assert fault({"model": {"name": "a\n" * 100}}).endswith(r'got "' + r"a\n" * 33)


@pytest.mark.parametrize("name", ["Dev", "1", "a_b", "-a", "a-", "a--b", "a b", "a" * 16, "a\n"])
def test_an_environment_has_a_name_that_its_resources_can_bear(name: str) -> None:
    allowed = Environment.model_fields["name"].description
    assert fault({"model": MODEL}, name).endswith(f": expected {allowed}, got {json.dumps(name)}")
    assert read({"model": MODEL}, "a" * 15).named("x") == "alphard-aaaaaaaaaaaaaaa-x"


def test_settings_never_change() -> None:
    environment = read({"model": MODEL})
    with pytest.raises(ValidationError):
        environment.production = True


def listed(path: str) -> str:
    """The keys of one object with their defaults, as the README has them; objects in it have lines of their own."""
    below = {key.rpartition(".")[2]: key for key in FIELDS if key.rpartition(".")[0] == path}
    return ", ".join(f"`{name}`{default(key)}" for name, key in below.items() if not is_object(key))


def default(path: str) -> str:
    field = FIELDS[path]
    if field.is_required():
        return " required"
    value = field.get_default()
    return "" if value is None else f" {value if isinstance(value, str) else json.dumps(value)}"


def is_object(path: str) -> bool:
    """What may also be "own" or nothing is a key with a value like others."""
    below = any(key.startswith((f"{path}.", f"{path}[0].")) for key in FIELDS)
    return below and expected(path).startswith(("an object", "a list", '{"'))


def test_the_readme_lists_every_key_with_its_default() -> None:
    """But for the one key of what is adopted by a name or an ARN."""
    objects = {path.rpartition(".")[0]: None for path in FIELDS}
    rows = {path: listed(path) for path in objects}
    told = {path: keys for path, keys in rows.items() if keys not in ("", "`name` required", "`arn` required")}
    text = (ROOT / "README.md").read_text()
    assert told == {
        path.removeprefix("an environment"): keys
        for path, keys in re.findall(
            r"^\| `?(an environment|[a-z_.\[\]0]+)`? \| (`[a-z_]+`.*?) \| ", text, re.MULTILINE
        )
        if path in told or path == "an environment"
    }


# --- the context -----------------------------------------------------------------------------------------------------


def context_fault(**context: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        read_environment(cdk.App(context=context, analytics_reporting=False).node)
    return str(caught.value)


def test_dev_is_read_unless_another_environment_is_named() -> None:
    app = cdk.App(context={"environments": SHIPPED}, analytics_reporting=False)
    assert read_environment(app.node).name == "dev"


@pytest.mark.parametrize("name", ["prd", "", 5, ["dev"], "Dev"])
def test_a_wrong_env_names_the_environments_that_there_are(name: Any) -> None:
    line = context_fault(environments=SHIPPED, env=name)
    assert line == f"env: expected one of dev, staging, prod, got {json.dumps(name)}"


def test_there_must_be_environments() -> None:
    assert context_fault(env="dev").startswith("environments: missing; expected an object of environments by name")


@pytest.mark.parametrize("wrong", [[], {}, "dev", 5, True])
def test_environments_are_an_object(wrong: Any) -> None:
    line = context_fault(environments=wrong)
    assert line.startswith("environments: expected an object of environments by name")
    assert line.endswith(f", got {json.dumps(wrong)}")


@pytest.mark.parametrize("settings", [[], "x", 5, True])
def test_an_environment_is_an_object(settings: Any) -> None:
    assert fault(settings) == f": expected an object of settings, got {json.dumps(settings)}"


SHA = "0123456789abcdef0123456789abcdef01234567"


def image_tag(**context: Any) -> str | None:
    return read_image_tag(cdk.App(context=context, analytics_reporting=False).node)


def test_an_image_tag_is_a_git_sha_or_not_given() -> None:
    assert image_tag() is None
    assert image_tag(image_tag=SHA) == SHA


@pytest.mark.parametrize(
    "tag", ["", "latest", SHA[:-1], SHA + "0", SHA.upper(), SHA + "\n", int("1" * 15), True, [SHA]]
)
def test_any_other_image_tag_is_refused(tag: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        image_tag(image_tag=tag)
    allowed = "a Git SHA of 40 lower-case hexadecimal digits"
    assert str(caught.value) == f"image_tag: expected {allowed}, got {json.dumps(tag)}"


# --- keys that must agree --------------------------------------------------------------------------------------------
def changed(settings: Any, changes: dict[str, Any]) -> Any:
    for path, value in changes.items():
        settings = change(settings, path, value)
    return settings


@pytest.mark.parametrize("name", CASES)
def test_keys_that_do_not_agree_are_one_line_that_says_why(name: str) -> None:
    case = CASES[name]
    read(case.settings)
    wrong = changed(case.settings, case.wrong)
    line = fault(wrong)
    assert line.startswith(case.line)
    assert re.search(r", got .+: [^:]{10,}$", line), "and why"
    read(changed(wrong, case.right))


def test_a_step_further_to_lambda_is_told_one_line_after_the_other() -> None:
    settings = {**SHIPPED["dev"], "compute": "lambda"}
    mended = {"fargate": {}, "scaling": {}, "service.max_body_bytes": 500_000, "network.egress": "none"}
    told = []
    for path, value in mended.items():
        told.append(fault(settings).partition(":")[0])
        settings = change(settings, path, value)
    assert read(settings).compute == "lambda"
    assert told == ["fargate.spot_percent", "scaling.minimum_tasks", "service.max_body_bytes", "network.egress"]


def test_production_may_stand_behind_anothers_listener_without_a_certificate_of_ours() -> None:
    assert read({**ON_A_LISTENER, "production": True, "scaling": {"minimum_tasks": 2}}).production


@pytest.mark.parametrize("strategy", ["rolling", "canary", "linear", "blue_green"])
def test_every_strategy_is_one_of_a_function_too(strategy: str) -> None:
    assert read({**ON_LAMBDA, "deployment": {"strategy": strategy}}).deployment.strategy == strategy
