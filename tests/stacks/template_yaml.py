"""A CloudFormation template as YAML made for reading: one fact a line, so that a small change is a small difference.

What is the same for CloudFormation is written the same, and nothing else is: templates that differ in what they make
give texts that differ. The form:

- Sorted, with a resource's type first and its properties last.
- Intrinsic functions are short (``!Ref``, ``!GetAtt``); a join is the ``!Sub`` that it equals, in which a ``Select`` or
  a ``Split`` is written as a call.
- A policy is its statements, and a statement begins with its effect: ``Allow: s3:GetObject``.
- A string that holds a compact JSON document, such as a dashboard's body, is that document under the tag ``!Json``.
- A logical id's hash stands once, where its resource is defined, and not in references to it. Another hash there is
  another resource: CloudFormation makes the new one and deletes the old one, which a reviewer must see. In references
  it would say the same again on many lines. An id that is unique only by its hash keeps it.
- A parameter that reads a value from SSM is called by that value's path, out of which the CDK made its logical id.
- The CDK's own furniture is left out: the bootstrap version (parameter and rule) and the CDKMetadata resource.

There is no asset hash to mask: the stacks have no assets, which is a guarantee of its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_FURNITURE = {
    ("Parameters", "BootstrapVersion"),
    ("Rules", "CheckBootstrapVersion"),
    ("Conditions", "CDKMetadataAvailable"),
    ("Resources", "CDKMetadata"),
}
_FIRST = ("Type", "DeletionPolicy", "UpdateReplacePolicy", "DependsOn")
_LAST = ("Properties",)
# The hash of its path, and after it the hash of what it publishes that a version of a function has.
_HASH = re.compile(r"(?<=.)[0-9A-F]{8}([0-9a-f]{32})?$")
_PARAMETER_HASH = re.compile(r"[0-9A-F]{32}Parameter$")
_POLICY_VERSION = "2012-10-17"
_PAIRS = ({"Key", "Value"}, {"Name", "Value"}, {"Name", "ValueFrom"})


def to_yaml(template: Mapping[str, Any]) -> str:
    """The template in the form above; the text ends in a line feed."""
    form = _Form(_names(template))
    tree = {name: form.section(name, section) for name, section in _sections(template)}
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, width=float("inf"), allow_unicode=True)


def to_text(value: Any) -> str | None:
    """The text that a template's value makes, as a ``!Sub`` writes it; None where it makes no text."""
    return _Form({}).text(value)


def _sections(template: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, section in sorted(template.items()):
        if isinstance(section, Mapping):
            section = {key: value for key, value in section.items() if (name, key) not in _FURNITURE}
        if section:
            yield name, section


def _names(template: Mapping[str, Any]) -> dict[str, str]:
    """By logical id, what the text calls it."""
    names = {logical_id: _HASH.sub("", logical_id) for logical_id in template.get("Resources", {})}
    for logical_id, parameter in template.get("Parameters", {}).items():
        hashed = _PARAMETER_HASH.search(logical_id)
        names[logical_id] = parameter.get("Default", logical_id) if hashed else logical_id
    times = Counter(names.values())
    return {logical_id: name if times[name] == 1 else logical_id for logical_id, name in names.items()}


@dataclass(frozen=True)
class _Tagged:
    tag: str
    value: Any


class _MappingLine(dict[str, Any]):
    """Written on one line."""


class _ListLine(list[Any]):
    """Written on one line."""


class _Form:
    """The form of a template in which references have these names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def section(self, name: str, section: Any) -> Any:
        if name == "Resources":
            return {logical_id: self._resource(section[logical_id]) for logical_id in sorted(section)}
        if name == "Parameters":
            ids = sorted(section, key=self._name)
            return {self._name(logical_id): self._parameter(logical_id, section[logical_id]) for logical_id in ids}
        return self._value(section)

    def _name(self, logical_id: str) -> str:
        return self._names.get(logical_id, logical_id)

    def _parameter(self, logical_id: str, parameter: Mapping[str, Any]) -> Any:
        named_by_default = self._name(logical_id) == parameter.get("Default")
        return self._value({key: value for key, value in parameter.items() if key != "Default" or not named_by_default})

    def _resource(self, body: Mapping[str, Any]) -> dict[str, Any]:
        between = sorted(body.keys() - {*_FIRST, *_LAST})
        keys = [key for key in (*_FIRST, *between, *_LAST) if key in body]
        return {key: self._depends_on(body[key]) if key == "DependsOn" else self._value(body[key]) for key in keys}

    def _depends_on(self, value: str | list[str]) -> str | list[str]:
        return self._name(value) if isinstance(value, str) else sorted(map(self._name, value))

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return _json(_escaped(value)) or value
        if isinstance(value, list):
            return [self._value(element) for element in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1 and (value.keys() == {"Ref"} or next(iter(value)).startswith("Fn::")):
            return self._intrinsic(value)
        if value.keys() == {"Statement", "Version"} and value["Version"] == _POLICY_VERSION:
            return [self._statement(statement) for statement in value["Statement"]]
        mapping = {key: self._value(value[key]) for key in sorted(value)}
        return _MappingLine(mapping) if value.keys() in _PAIRS else mapping

    def _statement(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        form = {key: self._value(value) for key, value in sorted(statement.items())}
        if {"Action", "Effect"} <= form.keys():
            form = {form.pop("Effect"): form.pop("Action"), **form}
        if isinstance(form.get("Principal"), dict):
            form["Principal"] = _MappingLine(form["Principal"])
        return form

    def _intrinsic(self, value: Mapping[str, Any]) -> Any:
        ((function, argument),) = value.items()
        if function == "Ref":
            return _Tagged("!Ref", self._name(argument))
        if function == "Fn::GetAtt":
            return _Tagged("!GetAtt", self._attribute(argument))
        text = self.text(value) if function in ("Fn::Join", "Fn::Sub") else None
        if text is not None:
            return _json(text) or _Tagged("!Sub", text)
        form = self._value(argument)
        return _Tagged(f"!{function.removeprefix('Fn::')}", _ListLine(form) if isinstance(form, list) else form)

    def _attribute(self, argument: str | list[str]) -> str:
        resource, *attribute = argument.split(".") if isinstance(argument, str) else argument
        return ".".join([self._name(resource), *attribute])

    def text(self, value: Any) -> str | None:
        """The value as a part of a ``!Sub``, or None if it has no such form."""
        match value:
            case str():
                return _escaped(value)
            case {"Fn::Join": [str(delimiter), list(parts)]}:
                texts = [text for part in parts if (text := self.text(part)) is not None]
                return _escaped(delimiter).join(texts) if len(texts) == len(parts) else None
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^!}.]+)", lambda found: "${" + self._name(found[1]), text)
        call = self._call(value)
        return None if call is None else f"${{{call}}}"

    def _call(self, value: Any) -> str | None:
        match value:
            case {"Ref": str(logical_id)}:
                return self._name(logical_id)
            case {"Fn::GetAtt": argument}:
                return self._attribute(argument)
            case {"Fn::Select": [index, argument]} if call := self._call(argument):
                return f"Select({index}, {call})"
            case {"Fn::Split": [str(delimiter), argument]} if call := self._call(argument):
                return f"Split({delimiter!r}, {call})"
        return None


def _escaped(text: str) -> str:
    """As a ``!Sub`` writes the text itself."""
    return text.replace("${", "${!")


def _json(text: str) -> _Tagged | None:
    """The object or array that the text is, if it is one and has no spaces or other spellings that would be lost."""
    if text[:1] not in ("{", "["):
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return None
    same = json.dumps(document, ensure_ascii=False, separators=(",", ":")) == text
    return _Tagged("!Json", _rows(document)) if same else None


def _rows(document: Any) -> Any:
    """The document with each list that holds a scalar on one line, as a dashboard's metrics are read."""
    if isinstance(document, dict):
        return {key: _rows(value) for key, value in document.items()}
    if isinstance(document, list):
        scalar = any(not isinstance(element, dict | list) for element in document)
        return _ListLine(document) if scalar else [_rows(element) for element in document]
    return document


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _: Any) -> bool:
        """A value that stands twice is written twice."""
        return True

    def choose_scalar_style(self) -> str:
        """Without the quotes that PyYAML puts around every scalar with a tag."""
        event = self.event
        assert isinstance(event, yaml.ScalarEvent)
        implicit = event.implicit
        event.implicit = (implicit[0] or str(event.tag).startswith("!"), implicit[1])
        style: str = super().choose_scalar_style()
        event.implicit = implicit
        return style


def _represent_tagged(dumper: yaml.SafeDumper, tagged: _Tagged) -> yaml.Node:
    node = dumper.represent_data(tagged.value)
    node.tag = tagged.tag
    return node


def _represent_mapping_line(dumper: yaml.SafeDumper, mapping: _MappingLine) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=True)


def _represent_list_line(dumper: yaml.SafeDumper, elements: _ListLine) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", elements, flow_style=True)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(_Tagged, _represent_tagged)
_Dumper.add_representer(_MappingLine, _represent_mapping_line)
_Dumper.add_representer(_ListLine, _represent_list_line)
_Dumper.add_representer(str, _represent_text)
