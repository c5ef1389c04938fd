from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from starlette.routing import Route

from service.bundle import Golden, Manifest, Outputs
from service.codec import Decoder
from service.openapi import openapi_document
from service.problems import KINDS
from tests.service.codec.signatures import feature, signature, texts
from tests.service.manifests import manifest
from tests.serving import ROW, make_service

MODELS: dict[str, Manifest | None] = {
    "none": None,
    "mixed": manifest(),
    "regression": manifest(
        signature=signature(feature("a"), container="array", outputs=Outputs(dtype="float64")),
        golden=Golden(instances=([0.5],), predictions=(1.5,)),
    ),
    "texts": manifest(
        signature=texts(), golden=Golden(instances=("hello",), predictions=("yes",), probabilities=([0.25, 0.75],))
    ),
    "many outputs": manifest(
        signature=signature(
            feature("a", nullable=True),
            outputs=Outputs(dtype="int64", width=2, classes_by_output=((0, 1), (0, 1, 2)), probabilities=True),
        ),
        golden=Golden(instances=([None],), predictions=([0, 2],), probabilities=([[0.5, 0.5], [0.0, 0.0, 1.0]],)),
    ),
    "odd names": manifest(
        signature=signature(feature("sepal length (cm)"), feature("a/b~c"), feature("{x}"), feature("")),
        golden=Golden(instances=([1, 2, 3, 4],), predictions=("yes",)),
    ),
}


LIKE_THE_FAKE = manifest(outputs=Outputs(dtype="string", probabilities=True, decision_width=0))


def schema_of(document: dict[str, Any], name: str) -> OAS31Validator:
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.mark.parametrize("model", MODELS)
def test_the_description_is_valid_openapi(model: str) -> None:
    validate(openapi_document(MODELS[model]))


@pytest.mark.parametrize("model", [name for name in MODELS if name != "none"])
def test_its_examples_are_valid_and_the_service_takes_them(model: str) -> None:
    chosen = MODELS[model]
    assert chosen is not None
    document = json.loads(json.dumps(openapi_document(chosen)))
    post = document["paths"]["/predict"]["post"]
    requests = post["requestBody"]["content"]["application/json"]["examples"]
    answers = post["responses"]["200"]["content"]["application/json"]["examples"]
    assert list(requests) == list(answers)
    for name in requests:
        legacy = "OfVersion02" if "0.2" in name else ""
        schema_of(document, f"Request{legacy}").validate(requests[name]["value"])
        schema_of(document, f"Answer{legacy}").validate(answers[name]["value"])
        Decoder(chosen.signature).request(json.dumps(requests[name]["value"]).encode(), max_rows=10)


def test_options_are_described_only_where_the_model_has_them() -> None:
    schemas = openapi_document(MODELS["regression"])["components"]["schemas"]
    assert list(schemas["Request"]["properties"]) == ["instances"]
    schemas = openapi_document(MODELS["mixed"])["components"]["schemas"]
    assert list(schemas["Request"]["properties"]) == ["instances", "probabilities", "decision_values"]


def test_what_the_service_answers_is_as_described() -> None:
    service = make_service()
    for body, name in (
        ({"instances": [ROW], "probabilities": True, "decision_values": True}, "Answer"),
        ({"features": ROW}, "AnswerOfVersion02"),
        ({"instances": [1]}, "Problem"),
    ):
        reply = service.ask("POST", "/predict", body)
        for document in (openapi_document(None), openapi_document(LIKE_THE_FAKE)):
            schema_of(document, name).validate(reply.json())


def test_every_route_is_described_and_nothing_else() -> None:
    service = make_service()
    document = openapi_document(None)
    routes = {
        (route.path, method.lower())
        for route in service.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD" and route.path not in ("/docs", "/openapi.json", "/docs/oauth2-redirect")
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == routes


def test_every_problem_is_listed_by_type() -> None:
    problem = openapi_document(None)["components"]["schemas"]["Problem"]
    assert problem["properties"]["type"]["examples"] == [kind.type for kind in KINDS]
