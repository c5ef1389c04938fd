from __future__ import annotations

from sklearn.covariance import EllipticEnvelope

from tests.service.compile.exactness import assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import fit, rows


def test_an_elliptic_envelope_answers_as_its_estimator() -> None:
    estimator = fit(lambda: EllipticEnvelope(random_state=0), rows())
    assert set(run_graph(estimator, rows())["predictions"]) == {-1, 1}
    assert_exact_at_every_scale(estimator, rows())
