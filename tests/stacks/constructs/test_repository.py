from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk

from stacks.constructs.repository import ImageRepository
from tests.stacks import alone


def _repository(*, for_functions: bool = False) -> dict[str, Any]:
    stack = cdk.Stack(alone.app(), "Stack")
    repository = ImageRepository(stack, "Repository", name="images")
    if for_functions:
        repository.let_functions_pull()
    (properties,) = alone.of_type(alone.resources(stack), "AWS::ECR::Repository")
    return properties


def test_a_tag_stays_with_its_image_and_each_image_is_scanned() -> None:
    repository = _repository()
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}


def test_an_image_with_a_tag_never_expires() -> None:
    rules = json.loads(_repository()["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]


def test_only_functions_of_this_account_and_region_pull() -> None:
    assert "RepositoryPolicyText" not in _repository()
    (statement,) = _repository(for_functions=True)["RepositoryPolicyText"]["Statement"]
    assert statement["Action"] == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]
    source = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    assert source[-3:] == [":", {"Ref": "AWS::AccountId"}, ":function:*"]
