"""A stack's template, resolved with what the stack itself made and knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from rehearsal.errors import UnresolvedError

_SUB = re.compile(r"\$\{([^!}][^}]*)\}")

# What an attribute is, where it follows from the resource's physical id.
_ATTRIBUTES = {
    ("AWS::EC2::SecurityGroup", "GroupId"): "{id}",
    ("AWS::ECS::Cluster", "Arn"): "arn:aws:ecs:{region}:{account}:cluster/{id}",
    ("AWS::IAM::Role", "Arn"): "arn:aws:iam::{account}:role/{id}",
}


class Resource(NamedTuple):
    """One of a template's resources, resolved. ``physical_id`` is None where the account has no such resource."""

    logical_id: str
    type: str
    physical_id: str | None
    properties: Mapping[str, Any]


class Template:
    """``physical_ids`` are by logical id; ``known`` is what ``Ref`` may name beside: parameters and ``AWS::Region``
    and its like. Only what is asked for is resolved.
    """

    def __init__(
        self, stack: str, body: Mapping[str, Any], *, physical_ids: Mapping[str, str], known: Mapping[str, str]
    ) -> None:
        self._stack = stack
        self._resources: Mapping[str, Any] = body.get("Resources", {})
        self._physical_ids = physical_ids
        self._known = known

    def logical_ids(self, kind: str) -> list[str]:
        """Of the resources of a type such as ``AWS::ECS::Service``, in the template's order."""
        return [logical_id for logical_id, body in self._resources.items() if body["Type"] == kind]

    def resource(self, logical_id: str, only: Collection[str]) -> Resource:
        """A resource with those of these properties that it has. Raises UnresolvedError."""
        body = self._resources[logical_id]
        wanted = {key: value for key, value in body.get("Properties", {}).items() if key in only}
        properties = self.resolve(wanted, f"{self._stack}.{logical_id}")
        return Resource(logical_id, body["Type"], self._physical_ids.get(logical_id), properties)

    def resolve(self, value: Any, path: str) -> Any:
        """The value without any function. Raises UnresolvedError, which names the path of what it cannot resolve."""
        match value:
            case {"Ref": str(name), **others} if not others:
                return self._reference(name, path)
            case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
                return self._attribute(logical_id, attribute, path)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self._text(part, f"{path}.Fn::Join[{i}]") for i, part in enumerate(parts))
            case {"Fn::Select": [index, parts]}:
                return self._selected(index, parts, path)
            case {"Fn::Split": [str(separator), text]}:
                return self._text(text, f"{path}.Fn::Split").split(separator)
            case {"Fn::Sub": str(text)}:
                return _SUB.sub(lambda found: self._substituted(found[1], path), text)
            case dict() if any(key.startswith("Fn::") for key in value):
                raise UnresolvedError(f"{path}: {next(iter(value))} is not understood")
            case dict():
                return {key: self.resolve(each, f"{path}.{key}") for key, each in value.items()}
            case list():
                return [self.resolve(each, f"{path}[{index}]") for index, each in enumerate(value)]
            case _:
                return value

    def _reference(self, name: str, path: str) -> str:
        found = self._known.get(name) or self._physical_ids.get(name)
        if found is None:
            raise UnresolvedError(f"{path}: nothing is known of {name}")
        return found

    def _attribute(self, logical_id: str, attribute: str, path: str) -> str:
        kind = self._resources.get(logical_id, {}).get("Type", "nothing")
        pattern = _ATTRIBUTES.get((kind, attribute))
        if pattern is None:
            raise UnresolvedError(f"{path}: {attribute} of {logical_id} ({kind}) does not follow from its physical id")
        account, region = self._reference("AWS::AccountId", path), self._reference("AWS::Region", path)
        return pattern.format(id=self._reference(logical_id, path), account=account, region=region)

    def _selected(self, index: Any, parts: Any, path: str) -> Any:
        resolved = self.resolve(parts, f"{path}.Fn::Select")
        if not isinstance(resolved, list) or not int(index) < len(resolved):
            raise UnresolvedError(f"{path}: there is no part {index} of {resolved!r}")
        return resolved[int(index)]

    def _substituted(self, name: str, path: str) -> str:
        logical_id, _, attribute = name.partition(".")
        return self._attribute(logical_id, attribute, path) if attribute else self._reference(name, path)

    def _text(self, value: Any, path: str) -> str:
        resolved = self.resolve(value, path)
        if not isinstance(resolved, str | int) or isinstance(resolved, bool):
            raise UnresolvedError(f"{path}: expected a text, got {resolved!r}")
        return str(resolved)
