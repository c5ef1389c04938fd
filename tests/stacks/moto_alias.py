"""What moto's CloudFormation lacks for a function behind a balancer: ``AWS::Lambda::Alias``, and a version's number.

Moto knows aliases, but passes over them in templates, and then fails on the permission that names one.
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaVersion, lambda_backends
from moto.core.common_models import CloudFormationModel


def teach() -> None:
    """To be called in the process of moto's server, before a template is deployed."""
    LambdaVersion.get_cfn_attribute = lambda version, _: str(version.version)  # type: ignore[attr-defined]  # new


class FunctionAlias(CloudFormationModel):
    """Moto's own alias, made, moved and removed by a template. Moto finds it among the subclasses."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> FunctionAlias:
        backend, properties = _parts(cloudformation_json, account_id, region_name)
        function, version = properties["FunctionName"], properties["FunctionVersion"]
        return cls(backend.create_alias(resource_name, function, version, "", "").arn)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: FunctionAlias,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> FunctionAlias:
        backend, properties = _parts(cloudformation_json, account_id, region_name)
        backend.update_alias(new_resource_name, properties["FunctionName"], properties["FunctionVersion"], "", "")
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str
    ) -> None:
        """It goes with its function."""


def _parts(template: dict[str, Any], account_id: str, region_name: str) -> tuple[LambdaBackend, dict[str, Any]]:
    return lambda_backends[account_id][region_name], template["Properties"]
