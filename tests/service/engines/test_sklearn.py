from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer

from service.bundle import Feature, Outputs, Rows, Signature
from service.engines.sklearn import SklearnEngine, is_trusted, load_estimator
from service.errors import BundleError, RowsError
from service.publish.archive import archive_estimator

X = np.random.default_rng(0).normal(size=(60, 2))
NUMBERS = Signature(
    container="array",
    features=(Feature(name="a", dtype="float64", nullable=False), Feature(name="b", dtype="float64", nullable=False)),
    outputs=Outputs(dtype="float64"),
)


def _rows(X: Any) -> Rows:
    return Rows(np.asarray(X, np.float64), np.empty((len(X), 0), object))


def test_answers_are_the_estimators_own() -> None:
    estimator = HistGradientBoostingClassifier(max_iter=3).fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    archive, types = archive_estimator(estimator)
    outputs = Outputs(dtype="string", classes=("no", "yes"), probabilities=True, decision_width=0)
    engine = SklearnEngine(archive, types, NUMBERS.model_copy(update={"outputs": outputs}))
    answers = engine.predict(_rows(X), probabilities=True, decision_values=True)
    assert answers.predictions.tolist() == estimator.predict(X).tolist()
    np.testing.assert_array_equal(answers.probabilities, estimator.predict_proba(X))
    np.testing.assert_array_equal(answers.decision_values, estimator.decision_function(X))


def test_a_type_that_the_manifest_does_not_list_is_refused() -> None:
    archive, types = archive_estimator(HistGradientBoostingClassifier(max_iter=2).fit(X, X[:, 0] > 0))
    assert types
    with pytest.raises(BundleError, match="does not list"):
        load_estimator(archive, ())


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "subprocess.Popen", "numpy.load", "numpy.f2py.compile", "nowhere.Thing",
             "sklearn.datasets.load_files", "numpy.nothing", "posix.system", "operator.methodcaller", ""],
)  # fmt: skip
def test_a_function_that_does_more_than_compute_is_never_built(name: str) -> None:
    assert not is_trusted(name)
    archive, _ = archive_estimator(LinearRegression().fit(X, X[:, 0]))
    with pytest.raises(BundleError, match="none that may be built"):
        load_estimator(archive, (name,))


@pytest.mark.parametrize(
    "name", ["sklearn.ensemble._forest.RandomForestClassifier", "numpy.log1p", "functools.partial"]
)
def test_what_estimators_hold_may_be_built(name: str) -> None:
    assert is_trusted(name)


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (self.path,))


def test_a_pickle_dressed_as_an_archive_is_refused_and_not_run(tmp_path: Path) -> None:
    target = tmp_path / "ran"
    bomb = pickle.dumps(_Bomb(str(target)))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.pkl", bomb)
    for data in (bomb, zipped.getvalue(), b"", b"PK\x05\x06" + b"\0" * 18):
        with pytest.raises(BundleError, match="not an archive of skops"):
            load_estimator(data, ())
    assert not target.exists()


def test_a_member_that_grows_on_reading_is_refused() -> None:
    archive = skops.io.dumps(LinearRegression().fit(X, X[:, 0]), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match="compressed"):
        load_estimator(archive, ())


def test_a_function_named_by_the_archive_alone_is_refused(tmp_path: Path) -> None:
    pipeline = make_pipeline(FunctionTransformer(os.path.exists), LinearRegression())
    pipeline.steps[1][1].fit(X, X[:, 0])
    with pytest.raises(BundleError, match="does not list"):
        load_estimator(skops.io.dumps(pipeline), ())


def test_splines_may_be_built() -> None:
    rows = np.linspace(0, 1, 40).reshape(-1, 1)
    estimator = make_pipeline(SplineTransformer(), LinearRegression()).fit(rows, rows[:, 0] ** 2)
    archive, types = archive_estimator(estimator)
    assert np.array_equal(load_estimator(archive, types).predict(rows), estimator.predict(rows))


def test_an_installation_without_scikit_learn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    archive, types = archive_estimator(LinearRegression().fit(X, X[:, 0]))
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(BundleError, match=r"needs scikit-learn itself, and skops\.io is not installed here"):
        load_estimator(archive, types)


def test_rows_that_the_estimator_refuses_are_named() -> None:
    features = (Feature(name="city", dtype="string", nullable=False, frame_dtype="object"),)
    signature = Signature(container="array", features=features, outputs=Outputs(dtype="float64"))
    cities = np.array([["Oslo"], ["Bergen"]] * 5, object)
    estimator = make_pipeline(OneHotEncoder(), LinearRegression()).fit(cities, np.arange(10.0))
    engine = SklearnEngine(*archive_estimator(estimator), signature)
    asked = Rows(np.empty((3, 0)), np.array([["Oslo"], ["Paris"], ["Bergen"]], object))
    with pytest.raises(RowsError) as caught:
        engine.predict(asked)
    assert [problem.location for problem in caught.value.problems] == ["instances[1]"]
    assert "unknown categories" in caught.value.problems[0].detail
