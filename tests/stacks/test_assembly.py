from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stacks import assembly
from stacks.assembly import environment_names, load_environment, resolve
from stacks.settings import SettingsError
from tests.stacks.environments import SHIPPED
from tests.stacks.synthesis import IMAGE_TAG, Synthesis

KNOWN = {"AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012", "Name": "ours"}


def test_the_environments_are_those_of_cdk_json_in_its_order() -> None:
    assert environment_names() == list(SHIPPED)


def test_an_environment_is_synthesized_as_the_cdk_would(synthesized: Callable[[str], Synthesis]) -> None:
    expected = synthesized("dev")
    with assembly.synthesized("dev", IMAGE_TAG) as found:
        assert (found.folder / "manifest.json").exists()
    assert found.templates == expected.templates
    assert found.stack_names == {name: f"alphard-dev-{name.lower()}" for name in expected.templates}
    assert found.bootstrap_version >= 6
    assert {resource.stack for resource in found.resources("AWS::S3::Bucket")} == {"Storage"}
    assert not found.folder.exists()


def test_the_settings_are_those_that_the_templates_are_made_of(synthesized: Callable[[str], Synthesis]) -> None:
    assert load_environment("prod") == synthesized("prod").environment


def synthesize(name: str, tag: str = IMAGE_TAG) -> None:
    with assembly.synthesized(name, tag):
        pass


@pytest.mark.parametrize("ask", [load_environment, synthesize])
def test_an_environment_that_is_not_there_is_told_in_one_line(ask: Callable[[str], Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        ask("production")
    assert "production" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_tag_is_told_in_one_line() -> None:
    with pytest.raises(SettingsError) as raised:
        synthesize("dev", "latest")
    assert "latest" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (7, "7"),
        (True, "true"),
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "Unknown"}, None),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}]]}, "a-123456789012"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Unknown"}]]}, None),
        ({"Fn::Sub": "${Name}.${AWS::Region}.x"}, "ours.eu-central-1.x"),
        ({"Fn::Sub": "${Unknown}.x"}, None),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::Select": [1, {"Fn::Split": [":", {"Ref": "Unknown"}]}]}, None),
        ({"Fn::GetAtt": ["It", "Arn"]}, None),
        (["a"], None),
    ],
)
def test_a_value_is_resolved_as_far_as_it_is_known(value: Any, text: str | None) -> None:
    assert resolve(value, KNOWN) == text
