from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from service.compile import responses
from service.compile.graph import Graph, Prediction, Tensor, UnsupportedError

X = np.array([[0.0], [1.0], [2.0], [3.0]])


def answers(graph: Graph, **outputs: Tensor) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(graph.build(outputs, features=1))
    return dict(zip(outputs, session.run(list(outputs), {"rows": X}), strict=True))


def test_labels_are_read_from_the_classes_and_found_among_others() -> None:
    graph = Graph([None])
    inner = LogisticRegression(C=1e6).fit(X, [7, 7, 9, 9])
    prediction = Prediction(graph.rows.greater(1.5).cast(np.int64).reshape(-1))
    places = responses.places(inner, prediction, np.array([5, 7, 9]))
    found = answers(graph, labels=responses.labels(inner, prediction), places=places)
    assert found["labels"].tolist() == [7.0, 7.0, 9.0, 9.0]
    assert found["places"].tolist() == [1, 1, 2, 2]
    assert responses.places(inner, prediction, np.array([7, 9])) is prediction.predictions


def test_a_regressors_answers_are_its_labels() -> None:
    graph = Graph([None])
    prediction = Prediction(graph.rows.reshape(-1))
    found = answers(graph, labels=responses.labels(LinearRegression(), prediction))
    assert found["labels"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_what_an_inner_graph_does_not_give_is_refused() -> None:
    tensor = Graph([None]).rows
    with pytest.raises(UnsupportedError, match="decision function"):
        responses.decision_values(Prediction(tensor))
    with pytest.raises(UnsupportedError, match="probabilities"):
        responses.probabilities(Prediction(tensor, (tensor, tensor)))
    with pytest.raises(UnsupportedError, match="not numbers"):
        responses.labels(LogisticRegression().fit(X, list("aabb")), Prediction(tensor))


def test_the_first_method_that_an_estimator_has_is_asked() -> None:
    assert responses.first_method(LinearRegression(), ["predict_proba", "predict"]) == "predict"
    assert responses.first_method(LogisticRegression(), ["predict_proba", "predict"]) == "predict_proba"
