from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.stacks.synthesis import Synthesis
from tests.stacks.template_yaml import to_yaml


def _value(value: Any) -> str:
    """The text of one value, as it stands in an output."""
    text = to_yaml({"Outputs": {"It": value}})
    return text.removeprefix("Outputs:\n  It:").strip()


def _resources(**resources: Any) -> str:
    return to_yaml({"Resources": resources})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "Key"}, "!Ref Key"),
        ({"Fn::GetAtt": ["Key", "Arn"]}, "!GetAtt Key.Arn"),
        ({"Fn::GetAtt": "Key.Endpoint.Port"}, "!GetAtt Key.Endpoint.Port"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "!Select [0, !GetAZs '']"),
        ({"Fn::If": ["Big", 1, {"Ref": "AWS::NoValue"}]}, "!If [Big, 1, !Ref 'AWS::NoValue']"),
    ],
)
def test_intrinsic_functions_are_short(value: Any, text: str) -> None:
    assert _value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Fn::GetAtt": ["B", "Arn"]}, "/*"]]},
            "!Sub arn:${AWS::Partition}:s3:::${B.Arn}/*",
        ),
        ({"Fn::Join": ["/", ["a", {"Fn::Join": ["", [{"Ref": "B"}, "c"]]}]]}, "!Sub a/${B}c"),
        (
            {"Fn::Join": ["", ["x-", {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "B"}]}]}]]},
            "!Sub x-${Select(1, Split('/', B))}",
        ),
        ({"Fn::Join": ["", ["${literal} ", {"Ref": "B"}]]}, "!Sub ${!literal} ${B}"),
        ({"Fn::Sub": "${B}-${!literal}-${C.Arn}"}, "!Sub ${B}-${!literal}-${C.Arn}"),
    ],
)
def test_a_join_is_the_text_that_it_makes(value: Any, text: str) -> None:
    assert _value(value) == text


def test_a_join_that_no_text_can_show_stays_a_join() -> None:
    assert _value({"Fn::Join": [",", {"Ref": "Subnets"}]}) == "!Join [',', !Ref Subnets]"
    assert _value({"Fn::Join": ["", ["a", {"Fn::ImportValue": "b"}]]}) == "!Join ['', [a, !ImportValue b]]"


def test_text_that_looks_like_an_intrinsic_function_is_told_apart() -> None:
    assert _value("!Ref Key") == "'!Ref Key'"
    assert _value({"Fn::Join": ["", ["!Ref ", {"Ref": "Key"}]]}) == "!Sub '!Ref ${Key}'"


def test_text_and_numbers_are_told_apart() -> None:
    assert [_value("80"), _value(80), _value("true"), _value(True)] == ["'80'", "80", "'true'", "true"]


def test_a_resource_begins_with_its_type_and_ends_with_its_properties() -> None:
    body = {
        "Properties": {"B": 1, "A": {"D": 2, "C": 3}},
        "Metadata": {"why": "so"},
        "DependsOn": ["Other"],
        "DeletionPolicy": "Retain",
        "Type": "AWS::S3::Bucket",
    }
    assert _resources(Bucket=body) == (
        "Resources:\n"
        "  Bucket:\n"
        "    Type: AWS::S3::Bucket\n"
        "    DeletionPolicy: Retain\n"
        "    DependsOn:\n"
        "    - Other\n"
        "    Metadata:\n"
        "      why: so\n"
        "    Properties:\n"
        "      A:\n"
        "        C: 3\n"
        "        D: 2\n"
        "      B: 1\n"
    )


def test_a_policy_is_its_statements() -> None:
    statement = {"Effect": "Allow", "Action": ["a:Get", "a:Put"], "Principal": {"Service": "b"}, "Resource": "c"}
    assert _value({"Version": "2012-10-17", "Statement": [statement]}) == (
        "- Allow:\n    - a:Get\n    - a:Put\n    Principal: {Service: b}\n    Resource: c"
    )


def test_a_policy_in_another_language_than_todays_is_shown_whole() -> None:
    assert "2008-10-17" in _value({"Version": "2008-10-17", "Statement": []})


def test_pairs_stand_on_a_line_each() -> None:
    pairs = [{"Key": "a", "Value": "b"}, {"Name": "C", "Value": {"Ref": "D"}}]
    assert _value({"Tags": pairs}) == "Tags:\n    - {Key: a, Value: b}\n    - {Name: C, Value: !Ref D}"


def test_a_compact_document_in_a_string_is_shown_as_one() -> None:
    body = {"z": [["AWS/ECS", "CPU", {"stat": "p99"}]], "a": "${not a reference}"}
    text = json.dumps(body, separators=(",", ":"))
    shown = "!Json\n    z:\n    - [AWS/ECS, CPU, {stat: p99}]\n    a: ${!not a reference}"
    assert _value(text) == shown
    assert _value({"Fn::Join": ["", [text[:-1], ',"b":"', {"Ref": "Key"}, '"}']]}) == f"{shown}\n    b: ${{Key}}"


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a":1,"a":2}', '{"a":1e5}', "{a}", '"a"', "[1,]"])
def test_a_document_that_would_lose_its_spelling_stays_a_string(text: str) -> None:
    assert "!Json" not in _value(text)


def test_several_lines_are_shown_as_lines() -> None:
    assert _value("fields a\n| sort b\n") == "|\n    fields a\n    | sort b"


def test_what_the_cdk_adds_for_itself_is_left_out() -> None:
    template = {
        "Parameters": {"BootstrapVersion": {"Type": "String"}},
        "Rules": {"CheckBootstrapVersion": {}},
        "Conditions": {"CDKMetadataAvailable": {}},
        "Resources": {"CDKMetadata": {"Type": "AWS::CDK::Metadata"}},
    }
    assert to_yaml({**template, "Outputs": {"It": "a"}}) == to_yaml({"Outputs": {"It": "a"}})


def _ids(first: str, second: str) -> dict[str, Any]:
    """A template of two resources, of which the second refers to the first in every way."""
    uses = {
        "Ref": {"Ref": first},
        "Attribute": {"Fn::GetAtt": [first, "Arn"]},
        "Join": {"Fn::Join": ["", ["a", {"Ref": first}]]},
        "Sub": {"Fn::Sub": f"${{{first}.Arn}}"},
    }
    return {
        "Resources": {
            first: {"Type": "AWS::EC2::VPC"},
            second: {"Type": "AWS::EC2::Subnet", "DependsOn": first, "Properties": uses},
        }
    }


def _changed(before: str, after: str) -> list[str]:
    known = before.splitlines()
    return [line for line in after.splitlines() if line not in known]


def test_a_resource_that_is_replaced_is_one_changed_line() -> None:
    before, after = to_yaml(_ids("Vpc8378EB38", "Subnet1F22F5E7A")), to_yaml(_ids("VpcAAAAAAAA", "Subnet1F22F5E7A"))
    assert _changed(before, after) == ["  VpcAAAAAAAA:"]


def test_an_id_that_is_unique_only_by_its_hash_keeps_it() -> None:
    text = to_yaml(_ids("Vpc8378EB38", "VpcAAAAAAAA"))
    assert "!Ref Vpc8378EB38" in text


def test_the_hash_of_what_a_version_publishes_is_not_repeated() -> None:
    version = "FunctionCurrentVersion58B8A55D5a6f376e865d57e1e7b29af057067a43"
    assert "Ref: !Ref FunctionCurrentVersion\n" in to_yaml(_ids(version, "Alias325C5727"))


def test_a_value_from_ssm_is_called_by_its_path() -> None:
    name = "SsmParameterValuealpharddevvpcidC96584B6F00A464EAD1953AFF4B05118Parameter"
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/alphard/dev/vpc-id"}
    assert to_yaml({"Parameters": {name: parameter}, "Outputs": {"It": {"Ref": name}}}) == (
        "Outputs:\n  It: !Ref /alphard/dev/vpc-id\n"
        "Parameters:\n  /alphard/dev/vpc-id:\n    Type: AWS::SSM::Parameter::Value<String>\n"
    )


def _mutants(value: Any) -> Iterator[Any]:
    """The value with one thing in it another, for each thing in it."""
    match value:
        case bool():
            yield not value
        case str():
            yield f"{value}~"
        case int() | float():
            yield value + 1
        case dict():
            for key in value:
                yield {other: value[other] for other in value if other != key}
                yield from ({**value, key: mutant} for mutant in _mutants(value[key]))
        case list():
            yield [*value, *value[-1:]] or ["~"]
            for index in range(len(value)):
                yield [*value[:index], *value[index + 1 :]]
                yield from ([*value[:index], mutant, *value[index + 1 :]] for mutant in _mutants(value[index]))


def _kinds(template: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Of each section's entries one of each type, the longest."""
    for section, entries in template.items():
        longest = {entry.get("Type"): (key, entry) for key, entry in sorted(entries.items(), key=lambda e: len(str(e)))}
        yield from ((section, key, entry) for key, entry in longest.values() if section != "Rules")


@pytest.mark.parametrize("stack", ["Storage", "Network", "Serving", "Operations", "Delivery"])
def test_whatever_is_changed_in_a_template_is_seen_in_its_text(
    synthesized: Callable[[str], Synthesis], stack: str
) -> None:
    for section, key, entry in _kinds(synthesized("public").templates[stack]):
        if key != "BootstrapVersion":  # of which there is no text
            text = to_yaml({section: {key: entry}})
            assert [mutant for mutant in _mutants(entry) if to_yaml({section: {key: mutant}}) == text] == []


def test_a_template_is_not_changed_by_being_written() -> None:
    template = _ids("Vpc8378EB38", "Subnet1F22F5E7A")
    before = copy.deepcopy(template)
    to_yaml(template)
    assert template == before
