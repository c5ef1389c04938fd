"""Templates, resolved with what a stack made and knows."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.errors import UnresolvedError
from rehearsal.template import Resource, Template

BODY: dict[str, Any] = {
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role"},
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Group": {"Type": "AWS::EC2::SecurityGroup"},
        "Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Threshold": 1, "Of": {"Ref": "Lost"}}},
    }
}
TEMPLATE = Template(
    "Serving",
    BODY,
    physical_ids={"Role": "alphard-role", "Cluster": "alphard-cluster", "Group": "sg-1", "Balancer": "arn:lb/app/x"},
    known={"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "VpcParameter": "vpc-1"},
)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("text", "text"),
        (5, 5),
        (True, True),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "VpcParameter"}, "vpc-1"),
        ({"Ref": "Group"}, "sg-1"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::123456789012:role/alphard-role"),
        ({"Fn::GetAtt": ["Cluster", "Arn"]}, "arn:aws:ecs:eu-west-1:123456789012:cluster/alphard-cluster"),
        ({"Fn::GetAtt": ["Group", "GroupId"]}, "sg-1"),
        ({"Fn::Join": ["-", ["models", {"Ref": "AWS::AccountId"}, 1]]}, "models-123456789012-1"),
        ({"Fn::Split": ["-", {"Ref": "VpcParameter"}]}, ["vpc", "1"]),
        ({"Fn::Select": [1, {"Fn::Split": ["lb/", {"Ref": "Balancer"}]}]}, "app/x"),
        ({"Fn::Select": ["0", ["a", {"Ref": "Lost"}][:1]]}, "a"),
        ({"Fn::Sub": "${AWS::Region}/${Group.GroupId}/${!Literal}"}, "eu-west-1/sg-1/${!Literal}"),
        ({"A": [{"Ref": "Group"}, {"B": {"Ref": "AWS::Region"}}]}, {"A": ["sg-1", {"B": "eu-west-1"}]}),
        ({"Ref": "Group", "Other": 1}, {"Ref": "Group", "Other": 1}),
    ],
)
def test_functions_become_values(value: Any, resolved: Any) -> None:
    assert TEMPLATE.resolve(value, "here") == resolved


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Ref": "Lost"}, "here: nothing is known of Lost"),
        ({"A": [0, {"B": {"Ref": "Lost"}}]}, r"here\.A\[1\]\.B: nothing is known of Lost"),
        ({"Fn::Join": ["", ["a", {"Ref": "Lost"}]]}, r"here\.Fn::Join\[1\]: nothing is known of Lost"),
        ({"Fn::Join": ["", [["a"]]]}, r"here\.Fn::Join\[0\]: expected a text"),
        ({"Fn::Join": ["", [True]]}, "expected a text"),
        ({"Fn::GetAtt": ["Balancer", "DNSName"]}, "here: DNSName of Balancer .* does not follow"),
        ({"Fn::GetAtt": ["Lost", "Arn"]}, "here: Arn of Lost"),
        ({"Fn::Select": [7, {"Fn::Split": ["-", "a-b"]}]}, "here: there is no part 7"),
        ({"Fn::Sub": "${Lost}"}, "here: nothing is known of Lost"),
        ({"Fn::ImportValue": "other"}, "here: Fn::ImportValue is not understood"),
    ],
)
def test_what_cannot_be_resolved_is_named_with_its_path(value: Any, said: str) -> None:
    with pytest.raises(UnresolvedError, match=said):
        TEMPLATE.resolve(value, "here")


def test_a_resource_has_its_physical_id_and_what_is_asked_for() -> None:
    assert TEMPLATE.logical_ids("AWS::CloudWatch::Alarm") == ["Alarm"]
    assert TEMPLATE.resource("Alarm", {"Threshold", "Other"}) == Resource(
        "Alarm", "AWS::CloudWatch::Alarm", None, {"Threshold": 1}
    )
    assert TEMPLATE.resource("Role", ()).physical_id == "alphard-role"
    with pytest.raises(UnresolvedError, match=r"^Serving\.Alarm\.Of: "):
        TEMPLATE.resource("Alarm", {"Of"})
