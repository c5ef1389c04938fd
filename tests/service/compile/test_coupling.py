from __future__ import annotations

from typing import Any

import pytest
from sklearn import svm

from tests.service.compile.exactness import assert_exact_at_every_scale
from tests.service.compile.samples import classified, fit


@pytest.mark.parametrize("kind", [svm.SVC, lambda **options: svm.NuSVC(nu=0.2, **options)], ids=["SVC", "NuSVC"])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_probabilities_stop_where_libsvm_stops(kind: Any, classes: int) -> None:
    X, y = classified(classes)
    assert_exact_at_every_scale(fit(lambda: kind(probability=True, random_state=0), X, y), X)
