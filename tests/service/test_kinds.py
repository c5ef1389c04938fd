"""Every kind of estimator is published and asked: an answer that is not the estimator's own is never served."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from service.agreement import compare
from service.bundle import Answers, Manifest, Outputs, Rows
from service.codec import decode_instances
from service.compile.compiler import compile_and_measure
from service.engines import Engine
from service.model import build_engine
from service.publish.engine_choice import choose_engine
from service.publish.golden import to_instances
from service.publish.preparation import prepare
from service.publish.reference import answer_all
from service.publish.sample import read_sample
from service.warmup import exactly
from tests.service.kinds import KINDS, build

SKLEARN_ONLY = {
    "CountVectorizer MultinomialNB",
    "HashingVectorizer SGDClassifier",
    "KNeighborsClassifier distance",
    "LabelSpreading",
    "TfidfVectorizer LogisticRegression",
}
"""Kinds without an exact graph; each is served by scikit-learn itself."""


def _as_sent(estimator: Any, prepared: Any, asked: Any) -> Any:
    sample = read_sample(estimator, asked)
    signature = prepared.signature.model_copy(update={"container": sample.container})
    return json.loads(json.dumps(to_instances(signature, sample.rows)))


@pytest.mark.parametrize("name", KINDS)
def test_what_is_served_is_what_the_estimator_answers(name: str) -> None:
    kind = build(name)
    prepared = prepare(kind.estimator, kind.sample)
    spec, artifact, parity = choose_engine(kind.estimator, prepared, compile_graph=compile_and_measure)
    refusals = {candidate.engine: candidate.refused for candidate in parity.candidates}
    assert spec.name == ("sklearn" if name in SKLEARN_ONLY else "onnx"), refusals

    manifest = Manifest.model_construct(engine=spec, signature=prepared.signature)
    engine = build_engine(manifest, artifact)
    rows = decode_instances(_as_sent(kind.estimator, prepared, kind.asked), prepared.signature)
    outputs = prepared.signature.outputs
    got = engine.predict(rows, probabilities=outputs.probabilities, decision_values=outputs.decision_width is not None)
    expected = answer_all(kind.estimator, kind.asked, outputs)
    agreement = compare(expected, got)
    assert agreement.holds, agreement
    assert _plain(got) == _plain(expected)
    if spec.name == "onnx":
        _assert_company_changes_nothing(engine, rows, got, outputs)


def _assert_company_changes_nothing(engine: Engine, rows: Rows, got: Answers, outputs: Outputs) -> None:
    """A row's answer is the same bits alone as among all others."""
    for i in range(0, len(rows.numbers), max(1, len(rows.numbers) // 16)):
        one = slice(i, i + 1)
        alone = engine.predict(
            rows.take(one), probabilities=outputs.probabilities, decision_values=outputs.decision_width is not None
        )
        assert exactly(alone) == exactly(got.take(one))


def _plain(answers: Answers) -> Any:
    """Labels as JSON has them: their type counts, too. Numbers are compared by their scale instead."""
    predictions = np.asarray(answers.predictions)
    return None if predictions.dtype.kind == "f" else [(value, type(value)) for value in predictions.ravel().tolist()]
