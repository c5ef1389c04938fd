"""A signature as JSON Schema (2020-12, the dialect of OpenAPI 3.1): what a row is, and what an answer is."""

from __future__ import annotations

from typing import Any

from service.bundle import Feature, Outputs, Signature

Schema = dict[str, Any]

_TYPES = {"float64": "number", "float32": "number", "int64": "integer", "bool": "boolean", "string": "string"}
_SHOWN_CATEGORIES = 100
_SHOWN_CLASSES = 1000


def row_schemas(signature: Signature) -> dict[str, Schema]:
    """The forms that a row may have, by name."""
    cells = {feature.name: cell_schema(feature) for feature in signature.features}
    forms: dict[str, Schema] = {
        "RowArray": {
            "type": "array",
            "description": "The values in the order of the features.",
            "prefixItems": [{"title": name, **cell} for name, cell in cells.items()],
            "items": False,
            "minItems": len(cells),
            "maxItems": len(cells),
        },
        "RowObject": {
            "type": "object",
            "description": "The values by feature.",
            "properties": cells,
            "required": list(cells),
            "additionalProperties": False,
        },
    }
    if signature.container == "texts":
        forms["RowText"] = {**cell_schema(signature.features[0]), "description": "The text alone."}
    return forms


def cell_schema(feature: Feature) -> Schema:
    """The values that one feature takes."""
    kind = _TYPES[feature.dtype]
    schema: Schema = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.accepts_min is not None:
        schema["minimum"] = feature.accepts_min
    if feature.accepts_max is not None:
        schema["maximum"] = feature.accepts_max
    if feature.categories and feature.closed:
        schema["enum"] = [*feature.categories, *([None] if feature.nullable else [])]
    elif feature.categories:
        schema["examples"] = list(feature.categories[:_SHOWN_CATEGORIES])
    if feature.seen_min is not None and feature.seen_max is not None:
        schema["description"] = f"From {feature.seen_min:g} to {feature.seen_max:g} in the sample rows."
    return schema


def prediction_schema(outputs: Outputs) -> Schema:
    """The prediction of one row."""
    if outputs.classes_by_output is not None:
        return _tuple([_label(outputs, classes) for classes in outputs.classes_by_output])
    # The classes of a multilabel model are its labels, not the values that it predicts for each.
    label = _label(outputs, outputs.classes if outputs.width is None else None)
    if outputs.width is None:
        return label
    return {"type": "array", "items": label, "minItems": outputs.width, "maxItems": outputs.width}


def probabilities_schema(outputs: Outputs) -> Schema:
    """The probabilities of one row, in the order of the classes."""
    if outputs.classes_by_output is not None:
        return _tuple([_numbers(len(classes)) for classes in outputs.classes_by_output])
    return _numbers(None if outputs.classes is None else len(outputs.classes))


def decision_schema(outputs: Outputs) -> Schema:
    """The decision values of one row."""
    return _numbers(outputs.decision_width) if outputs.decision_width else {"type": ["number", "null"]}


def _label(outputs: Outputs, classes: tuple[Any, ...] | None) -> Schema:
    if classes is not None and len(classes) <= _SHOWN_CLASSES:
        return {"enum": list(classes)}
    kind = _TYPES[outputs.dtype]
    return {"type": [kind, "null"] if kind == "number" else kind}


def _numbers(count: int | None) -> Schema:
    schema: Schema = {"type": "array", "items": {"type": ["number", "null"]}}
    return schema if count is None else {**schema, "minItems": count, "maxItems": count}


def _tuple(items: list[Schema]) -> Schema:
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items), "maxItems": len(items)}
