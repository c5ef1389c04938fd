"""The OpenAPI description, typed by the model that is loaded, with one of its golden rows as a working example."""

from __future__ import annotations

from typing import Any

from service import problems
from service.bundle import Manifest, Outputs
from service.problems import Kind
from service.schemas import (
    Schema,
    decision_schema,
    prediction_schema,
    probabilities_schema,
    row_schemas,
)

_PREDICT_PROBLEMS = (
    problems.MALFORMED,
    problems.SLOW,
    problems.TOO_LARGE,
    problems.MEDIA,
    problems.WRONG_ROWS,
    problems.FAILED,
    problems.NOT_READY,
)
_FLAG: Schema = {"type": "boolean", "default": False}
_STRING: Schema = {"type": "string"}
_MODEL: Schema = {
    "type": "object",
    "properties": {"name": _STRING, "version": _STRING},
    "required": ["name", "version"],
}
_ANY_ROW: Schema = {"type": ["array", "object", "string"]}


def openapi_document(manifest: Manifest | None) -> dict[str, Any]:
    """The description for this model, or one that leaves the rows open while none is loaded."""
    forms = {"Row": _ANY_ROW} if manifest is None else row_schemas(manifest.signature)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alphard" if manifest is None else f"Alphard: {manifest.name}",
            "version": "no model" if manifest is None else manifest.version,
            "description": _description(manifest),
        },
        "paths": {
            "/predict": {"post": _predict(manifest)},
            "/ready": {"get": _ready("ready", "Whether the model is loaded, verified and warm")},
            "/live": {"get": _get("live", "Whether the process can answer at all", {"type": "object"})},
            "/health": {"get": _ready("health", "As /ready; for clients of version 0.2")},
            "/model": {"get": _model_card()},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {
                **forms,
                **_bodies(list(forms), None if manifest is None else manifest.signature.outputs),
                "Problem": _problem_schema(),
            },
            "headers": {
                "X-Request-Id": _header("Names the request in the logs."),
                "X-Model-Version": _header("The version of the model that answered."),
            },
        },
    }


def _description(manifest: Manifest | None) -> str:
    if manifest is None:
        return "No model is loaded yet; reload this page when `/ready` says so."
    return f"A {manifest.task} model ({manifest.estimator}), version {manifest.version} of {manifest.created_at}."


def _bodies(forms: list[str], outputs: Outputs | None) -> dict[str, Schema]:
    row: Schema = {"anyOf": [_ref(name) for name in forms]}
    options: dict[str, Schema] = {}
    if outputs is None or outputs.probabilities:
        options["probabilities"] = {**_FLAG, "description": "Answer the probabilities of the classes too."}
    if outputs is None or outputs.decision_width is not None:
        options["decision_values"] = {**_FLAG, "description": "Answer the values of the decision function too."}
    return {
        "Request": _object({"instances": {"type": "array", "items": row, "minItems": 1}, **options}, "instances"),
        "RequestOfVersion02": _object({"features": row, **options}, "features"),
        **_answers(outputs),
    }


def _answers(outputs: Outputs | None) -> dict[str, Schema]:
    one: Schema = {} if outputs is None else prediction_schema(outputs)
    beside: dict[str, Schema] = {}
    if outputs is None or outputs.probabilities:
        beside["probabilities"] = {} if outputs is None else probabilities_schema(outputs)
    if outputs is None or outputs.decision_width is not None:
        beside["decision_values"] = {} if outputs is None else decision_schema(outputs)
    classes: dict[str, Schema] = {"classes": {"type": "array"}} if "probabilities" in beside else {}
    many = {key: {"type": "array", "items": schema} for key, schema in beside.items()}
    predictions: Schema = {"type": "array", "items": one}
    return {
        "Answer": _object({"predictions": predictions, **many, **classes, "model": _MODEL}, "predictions", "model"),
        "AnswerOfVersion02": _object({"prediction": one, **beside, **classes}, "prediction"),
    }


def _predict(manifest: Manifest | None) -> Schema:
    asked: Schema = {"schema": {"oneOf": [_ref("Request"), _ref("RequestOfVersion02")]}}
    answered: Schema = {"schema": {"oneOf": [_ref("Answer"), _ref("AnswerOfVersion02")]}}
    if manifest is not None:
        asked["examples"], answered["examples"] = _examples(manifest)
    return {
        "operationId": "predict",
        "summary": "Predictions for rows",
        "requestBody": {"required": True, "content": {"application/json": asked}},
        "responses": {
            "200": _response("One prediction for each row, in order.", {"application/json": answered}),
            **_problem_responses(*_PREDICT_PROBLEMS),
        },
    }


def _examples(manifest: Manifest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Requests made of the first golden row, and the golden answers to them."""
    golden, outputs = manifest.golden, manifest.signature.outputs
    row, prediction = golden.instances[0], golden.predictions[0]
    model = {"name": manifest.name, "version": manifest.version}
    requests: dict[str, Any] = {"golden row": {"instances": [row]}}
    answers: dict[str, Any] = {"golden row": {"predictions": [prediction], "model": model}}
    if golden.probabilities is not None:
        requests["with probabilities"] = {"instances": [row], "probabilities": True}
        answers["with probabilities"] = {
            "predictions": [prediction],
            "probabilities": [golden.probabilities[0]],
            "classes": outputs.classes_by_output or outputs.classes,
            "model": model,
        }
    requests["as of version 0.2"] = {"features": row}
    answers["as of version 0.2"] = {"prediction": prediction}
    return _named(requests), _named(answers)


def _ready(operation: str, summary: str) -> Schema:
    rejected = _object({"version": _STRING, "detail": _STRING}, "version", "detail")
    schema = _object({"status": {"const": "ready"}, "model": _MODEL, "rejected": rejected}, "status", "model")
    return _get(operation, summary, schema, problems.NOT_READY)


def _model_card() -> Schema:
    card = {"type": "object", "description": "Signature, parity with the estimator, metrics, tags and versions."}
    return _get("model", "The model card", card, problems.NOT_READY)


def _metrics() -> Schema:
    return {
        "operationId": "metrics",
        "summary": "Figures in the Prometheus text format",
        "responses": {"200": _response("The figures.", {"text/plain": {"schema": _STRING}})},
    }


def _get(operation: str, summary: str, schema: Schema, *kinds: Kind) -> Schema:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": _response("Yes.", {"application/json": {"schema": schema}}),
            **_problem_responses(*kinds),
        },
    }


def _problem_responses(*kinds: Kind) -> dict[str, Schema]:
    return {
        str(kind.status): _response(
            f"{kind.title} (`{kind.type}`).", {problems.MEDIA_TYPE: {"schema": _ref("Problem")}}
        )
        for kind in kinds
    }


def _problem_schema() -> Schema:
    error = _object({"location": _STRING, "detail": _STRING}, "location", "detail")
    return {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"type": "string", "examples": [kind.type for kind in problems.KINDS]},
            "title": _STRING,
            "status": {"type": "integer"},
            "detail": _STRING,
            "request_id": _STRING,
            "reason": {"enum": ["loading", "failed", "draining"]},
            "errors": {"type": "array", "items": error},
            "more": {"const": True, "description": "There are more errors than are listed."},
        },
        "required": ["type", "title", "status", "detail", "request_id"],
    }


def _response(description: str, content: dict[str, Any]) -> Schema:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", "X-Model-Version")}
    return {"description": description, "headers": headers, "content": content}


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _header(description: str) -> Schema:
    return {"description": description, "schema": _STRING}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}
