from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import svm
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier

from service.compile.graph import UnsupportedError
from tests.service.compile.exactness import assert_exact, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import Block, classified, fit


def partly_labelled(classes: int) -> tuple[Block, Any]:
    X, names = classified(classes)
    y = np.unique(names, return_inverse=True)[1]
    y[::3] = -1
    return X, y


@pytest.mark.parametrize("kind", [LabelPropagation, LabelSpreading])
@pytest.mark.parametrize("classes", [2, 4])
def test_labels_that_spread_answer_as_the_estimator_and_far_away_not_at_all(kind: Any, classes: int) -> None:
    X, y = partly_labelled(classes)
    assert_exact_at_every_scale(fit(lambda: kind(gamma=0.5), X, y), X)


def test_labels_that_spread_to_neighbours_are_refused() -> None:
    X, y = partly_labelled(2)
    with pytest.raises(UnsupportedError, match="knn"):
        run_graph(fit(lambda: LabelSpreading(kernel="knn"), X, y), X)


@pytest.mark.parametrize("inner", [LogisticRegression, lambda: svm.SVC(probability=True, random_state=0)])
def test_self_training_answers_as_the_classifier_that_it_trained(inner: Any) -> None:
    X, y = partly_labelled(3)
    assert_exact(fit(lambda: SelfTrainingClassifier(inner()), X, y), X)
