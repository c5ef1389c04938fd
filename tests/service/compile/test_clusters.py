from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn import cluster

from service.compile import graph
from service.compile.graph import Graph, UnsupportedError
from tests.service.compile.exactness import assert_close, assert_exact_at_every_scale, run_graph
from tests.service.compile.samples import fit, rows

CLUSTERINGS: dict[str, Callable[[], Any]] = {
    "AffinityPropagation": lambda: cluster.AffinityPropagation(random_state=0),
    "Birch": cluster.Birch,
    "Birch of all subclusters": lambda: cluster.Birch(n_clusters=None),
    "BisectingKMeans": lambda: cluster.BisectingKMeans(6, random_state=0),
    "KMeans": lambda: cluster.KMeans(5, random_state=0),
    "MeanShift": lambda: cluster.MeanShift(bandwidth=2.0),
    "MiniBatchKMeans": lambda: cluster.MiniBatchKMeans(4, random_state=0),
}
TRANSFORMING = ["Birch", "BisectingKMeans", "KMeans", "MiniBatchKMeans"]


@pytest.mark.parametrize("kind", CLUSTERINGS)
def test_a_clustering_assigns_rows_as_its_estimator(kind: str) -> None:
    estimator = fit(CLUSTERINGS[kind], rows())
    assert_exact_at_every_scale(estimator, rows())
    assert len(set(run_graph(estimator, rows())["predictions"])) > 1


def test_affinities_that_did_not_converge_assign_no_cluster() -> None:
    estimator = fit(lambda: cluster.AffinityPropagation(random_state=0), rows())
    estimator.cluster_centers_ = estimator.cluster_centers_[:0]
    assert run_graph(estimator, rows()[:3])["predictions"].tolist() == [-1, -1, -1]


@pytest.mark.parametrize("kind", TRANSFORMING)
def test_distances_to_the_centers_are_the_estimators(kind: str) -> None:
    estimator = fit(CLUSTERINGS[kind], rows())
    builder = Graph([None] * rows().shape[1])
    distances = graph.transform(estimator, builder.rows)
    session = onnxruntime.InferenceSession(builder.build({"distances": distances}, features=rows().shape[1]))
    for scaled in (rows(), rows() * 1e6, np.full((1, rows().shape[1]), 1e30)):
        assert_close(session.run(None, {graph.INPUT: scaled})[0], estimator.transform(scaled), 1e-7)


def test_centers_close_together_and_far_from_zero_have_no_graph() -> None:
    estimator = fit(CLUSTERINGS["KMeans"], rows())
    estimator.cluster_centers_ = estimator.cluster_centers_ + 1.7e9
    with pytest.raises(UnsupportedError, match="too close together"):
        run_graph(estimator, rows())
