"""One small fitted estimator of every kind that scikit-learn (and XGBoost, LightGBM) can predict with.

Each kind gives the estimator, the sample rows that a publisher would hand in, and other rows that a client would send.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    cross_decomposition,
    datasets,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    semi_supervised,
    svm,
    tree,
)


class Kind(NamedTuple):
    """A fitted estimator, sample rows for publishing it, and rows for asking it."""

    estimator: Any
    sample: Any
    asked: Any


_Build = Callable[[], Kind]
_LOG = linear_model.LogisticRegression
_TREE = tree.DecisionTreeClassifier


def build(name: str) -> Kind:
    """Fits the kind; quietly, since small data makes many estimators warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KINDS[name]()


def _iris() -> tuple[Any, Any]:
    X, y = datasets.load_iris(return_X_y=True)
    return X, y


def _binary() -> tuple[Any, Any]:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return X[:300], y[:300]


def _diabetes() -> tuple[Any, Any]:
    X, y = datasets.load_diabetes(return_X_y=True)
    return X * 10, y


def _counts() -> tuple[Any, Any]:
    X, y = datasets.load_digits(return_X_y=True)
    return X[:400], y[:400]


def _multilabel() -> tuple[Any, Any]:
    X, y = datasets.make_multilabel_classification(200, 6, n_classes=3, random_state=0)
    return X, y


def _outputs() -> tuple[Any, Any]:
    X, y = _diabetes()
    return X, np.column_stack([y, y**0.5, X[:, 0] * y])


def _missing(X: Any, y: Any) -> tuple[Any, Any]:
    X = X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return X, y


def mixed_frame(count: int = 300) -> tuple[pd.DataFrame, Any]:
    """Numbers, whole numbers, strings, booleans, categories and missing values, and a label of strings."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, count).round(1),
            "children": random.integers(0, 5, count),
            "city": random.choice(["Zürich", "Oslo", "東京", "New York"], count),
            "plan": random.choice(np.array(["free", "plus", None], object), count),
            "active": random.random(count) < 0.5,
            "income": random.lognormal(10, 1, count),
        }
    )
    frame.loc[random.random(count) < 0.15, "income"] = np.nan
    frame.loc[random.random(count) < 0.1, "city"] = np.nan
    score = frame["age"] + 9 * frame["active"] + 12 * (frame["city"] == "Oslo") + random.normal(0, 5, count)
    return frame, np.where(score > 50, "leaves", "stays")


def _mixed_columns(*, scale: bool = True) -> compose.ColumnTransformer:
    numbers = [impute.SimpleImputer(strategy="median", add_indicator=True)]
    if scale:
        numbers.append(preprocessing.StandardScaler())
    strings = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="constant", fill_value="none"),
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
    )
    return compose.ColumnTransformer(
        [
            ("numbers", pipeline.make_pipeline(*numbers), ["age", "children", "income"]),
            ("strings", strings, ["city", "plan"]),
            ("booleans", "passthrough", ["active"]),
        ]
    )


TEXTS = [
    "the pump leaks oil again",
    "great service and friendly staff",
    "I want my money back, the screen is broken",
    "works as described, very happy",
    "señal débil y batería mala",
    "delivery was late and the box was damaged",
    "excellent quality, would buy again",
    "terrible, stopped working after a day",
    "naïve café crème, très bon",
    "love it love it love it",
] * 6
_TEXT_LABELS = ["bad", "good", "bad", "good", "bad", "bad", "good", "bad", "good", "good"] * 6


def _fit(estimator: Any, data: Callable[[], tuple[Any, Any]], labels: Callable[[Any], Any] = lambda y: y) -> _Build:
    def fit() -> Kind:
        X, y = data()
        fitted = estimator() if isinstance(estimator, partial) else estimator  # making a deprecated one warns
        fitted.fit(X, labels(y))
        half = len(X) // 2
        return Kind(fitted, X[:half], X[half:])

    return fit


def _fit_alone(estimator: Any, data: Callable[[], tuple[Any, Any]]) -> _Build:
    def fit() -> Kind:
        X, _ = data()
        fitted = estimator.fit(X)
        return Kind(fitted, X[::2], X[1::2])

    return fit


def _fit_mixed(estimator: Any, *, scale: bool = True, target: Callable[[Any], Any] = lambda y: y) -> _Build:
    def fit() -> Kind:
        frame, y = mixed_frame()
        fitted = pipeline.make_pipeline(_mixed_columns(scale=scale), estimator).fit(frame, target(y))
        return Kind(fitted, frame.iloc[:200], frame.iloc[200:])

    return fit


def _fit_texts(*steps: Any) -> _Build:
    def fit() -> Kind:
        fitted = pipeline.make_pipeline(*steps).fit(TEXTS, _TEXT_LABELS)
        return Kind(fitted, TEXTS[:30], [*TEXTS[5:15], "nothing known here", "Ünknown wörds"])

    return fit


def _fit_categories(estimator: Any) -> _Build:
    def fit() -> Kind:
        frame, y = mixed_frame()
        frame = frame[["age", "city", "plan", "income"]].astype({"city": "category", "plan": "category"})
        fitted = estimator.fit(frame, y)
        return Kind(fitted, frame.iloc[:200], frame.iloc[200:])

    return fit


def _fit_coded_categories(estimator: Any) -> _Build:
    def fit() -> Kind:
        random = np.random.default_rng(2)
        X = np.column_stack([random.integers(0, 12, 300), random.normal(size=300), random.integers(0, 4, 300)])
        y = (X[:, 0] % 3 == 1) * 2.0 + X[:, 1] * (X[:, 2] == 3)
        fitted = estimator.fit(X.astype(float), y)
        return Kind(fitted, X[:200], X[200:])

    return fit


def _isotonic() -> Kind:
    X, y = _diabetes()
    fitted = isotonic.IsotonicRegression(out_of_bounds="clip").fit(X[:, 2], y)
    return Kind(fitted, X[:200, [2]], X[200:, [2]])


def _positive(y: Any) -> Any:
    return y + 1.0


def _text(y: Any) -> Any:
    return np.array(["setosa", "versicolor", "vîrginica"])[y]


def _semi(y: Any) -> Any:
    y = y.copy()
    y[::3] = -1
    return y


def _xgboost(name: str, data: Callable[[], tuple[Any, Any]], **settings: Any) -> _Build:
    def fit() -> Kind:
        import xgboost

        return _fit(getattr(xgboost, name)(n_estimators=12, **settings), data)()

    return fit


def _lightgbm(name: str, data: Callable[[], tuple[Any, Any]], **settings: Any) -> _Build:
    def fit() -> Kind:
        import lightgbm

        return _fit(getattr(lightgbm, name)(n_estimators=12, verbose=-1, **settings), data)()

    return fit


def _scaled(estimator: Any) -> Any:
    return pipeline.make_pipeline(preprocessing.StandardScaler(), estimator)


_FOREST = ensemble.RandomForestClassifier(15, random_state=0)
_LM, _E, _N, _S = linear_model, ensemble, neighbors, svm

KINDS: dict[str, _Build] = {
    # linear regressors
    **{
        kind.__name__: _fit(kind(), _diabetes)
        for kind in (
            _LM.ARDRegression, _LM.BayesianRidge, _LM.ElasticNet, _LM.ElasticNetCV, _LM.GammaRegressor,
            _LM.HuberRegressor, _LM.Lars, _LM.LarsCV, _LM.Lasso, _LM.LassoCV, _LM.LassoLars, _LM.LassoLarsCV,
            _LM.LassoLarsIC, _LM.LinearRegression, _LM.OrthogonalMatchingPursuit, _LM.OrthogonalMatchingPursuitCV,
            _LM.PoissonRegressor, _LM.QuantileRegressor, _LM.Ridge, _LM.RidgeCV,
        )
    },
    "TweedieRegressor": _fit(_LM.TweedieRegressor(power=1.5, link="log"), _diabetes),
    "SGDRegressor": _fit(_LM.SGDRegressor(random_state=0), _diabetes),
    "PassiveAggressiveRegressor": _fit(partial(_LM.PassiveAggressiveRegressor, random_state=0), _diabetes),
    "TheilSenRegressor": _fit(_LM.TheilSenRegressor(random_state=0, max_subpopulation=200), _diabetes),
    "RANSACRegressor": _fit(_LM.RANSACRegressor(random_state=0), _diabetes),
    **{
        kind.__name__: _fit(kind(), _outputs)
        for kind in (_LM.MultiTaskElasticNet, _LM.MultiTaskElasticNetCV, _LM.MultiTaskLasso, _LM.MultiTaskLassoCV)
    },
    "LinearSVR": _fit(_S.LinearSVR(random_state=0), _diabetes),
    # linear classifiers
    "LogisticRegression": _fit(_scaled(_LOG()), _iris, _text),
    "LogisticRegression binary": _fit(_LOG(max_iter=2000), _binary),
    "LogisticRegression boolean": _fit(_scaled(_LOG()), _binary, lambda y: y == 1),
    "LogisticRegression floats": _fit(_scaled(_LOG()), _iris, lambda y: y.astype(float) + 1),
    "LogisticRegressionCV": _fit(
        _LM.LogisticRegressionCV(cv=3, max_iter=2000, l1_ratios=(0,), use_legacy_attributes=False), _iris
    ),
    "SGDClassifier": _fit(_LM.SGDClassifier(random_state=0), _iris, _text),
    "SGDClassifier log_loss": _fit(_scaled(_LM.SGDClassifier(loss="log_loss", random_state=0)), _binary),
    "SGDClassifier modified_huber": _fit(_scaled(_LM.SGDClassifier(loss="modified_huber", random_state=0)), _iris),
    "Perceptron": _fit(_LM.Perceptron(), _iris),
    "PassiveAggressiveClassifier": _fit(partial(_LM.PassiveAggressiveClassifier, random_state=0), _iris),
    "RidgeClassifier": _fit(_LM.RidgeClassifier(), _iris, _text),
    "RidgeClassifierCV": _fit(_LM.RidgeClassifierCV(), _binary),
    "RidgeClassifier multilabel": _fit(_LM.RidgeClassifier(), _multilabel),
    "LinearSVC": _fit(_S.LinearSVC(random_state=0), _iris, _text),
    # support vectors
    "SVC": _fit(_S.SVC(), _iris, _text),
    "SVC binary": _fit(_S.SVC(kernel="poly"), _binary),
    "SVC ovo": _fit(_S.SVC(decision_function_shape="ovo"), _iris),
    "SVC linear": _fit(_S.SVC(kernel="linear"), _binary),
    "SVC sigmoid": _fit(_scaled(_S.SVC(kernel="sigmoid")), _iris),
    "NuSVC": _fit(_S.NuSVC(), _iris),
    "SVR": _fit(_S.SVR(), _diabetes),
    "NuSVR": _fit(_S.NuSVR(), _diabetes),
    "OneClassSVM": _fit_alone(_S.OneClassSVM(), _iris),
    "SGDOneClassSVM": _fit_alone(_LM.SGDOneClassSVM(random_state=0), _iris),
    # naive Bayes and discriminants
    "GaussianNB": _fit(naive_bayes.GaussianNB(), _iris, _text),
    "BernoulliNB": _fit(naive_bayes.BernoulliNB(binarize=3.0), _counts),
    "MultinomialNB": _fit(naive_bayes.MultinomialNB(), _counts),
    "ComplementNB": _fit(naive_bayes.ComplementNB(), _counts),
    "CategoricalNB": _fit(naive_bayes.CategoricalNB(min_categories=17), _counts),
    "LinearDiscriminantAnalysis": _fit(discriminant_analysis.LinearDiscriminantAnalysis(), _iris),
    "QuadraticDiscriminantAnalysis": _fit(discriminant_analysis.QuadraticDiscriminantAnalysis(), _iris),
    "NearestCentroid": _fit(_N.NearestCentroid(), _iris),
    # neighbours, kernels, networks
    "KNeighborsClassifier": _fit(_N.KNeighborsClassifier(), _iris),
    "KNeighborsClassifier distance": _fit(_N.KNeighborsClassifier(weights="distance"), _binary),
    "KNeighborsRegressor": _fit(_N.KNeighborsRegressor(), _diabetes),
    "RadiusNeighborsClassifier": _fit(_N.RadiusNeighborsClassifier(radius=2.0, outlier_label=0), _iris),
    "RadiusNeighborsRegressor": _fit(_N.RadiusNeighborsRegressor(radius=5.0), _diabetes),
    "KernelRidge": _fit(kernel_ridge.KernelRidge(kernel="rbf"), _diabetes),
    "GaussianProcessClassifier": _fit(gaussian_process.GaussianProcessClassifier(random_state=0), _iris),
    "GaussianProcessRegressor": _fit(gaussian_process.GaussianProcessRegressor(alpha=0.5), _diabetes),
    "MLPClassifier": _fit(_scaled(neural_network.MLPClassifier((12,), max_iter=60, random_state=0)), _iris, _text),
    "MLPClassifier multilabel": _fit(neural_network.MLPClassifier((12,), max_iter=60, random_state=0), _multilabel),
    "MLPRegressor": _fit(
        neural_network.MLPRegressor(hidden_layer_sizes=(12,), activation="tanh", max_iter=60, random_state=0), _outputs
    ),
    "LabelPropagation": _fit(semi_supervised.LabelPropagation(), _iris, _semi),
    "LabelSpreading": _fit(semi_supervised.LabelSpreading(kernel="knn"), _iris, _semi),
    "SelfTrainingClassifier": _fit(semi_supervised.SelfTrainingClassifier(_LOG(max_iter=2000)), _iris, _semi),
    # trees
    "DecisionTreeClassifier": _fit(_TREE(random_state=0), _iris, _text),
    "DecisionTreeClassifier missing": _fit(_TREE(random_state=0), lambda: _missing(*_binary())),
    "DecisionTreeRegressor": _fit(tree.DecisionTreeRegressor(random_state=0), _diabetes),
    "ExtraTreeClassifier": _fit(tree.ExtraTreeClassifier(random_state=0), _iris),
    "ExtraTreeRegressor": _fit(tree.ExtraTreeRegressor(random_state=0), _diabetes),
    "RandomForestClassifier": _fit(_FOREST, _iris, _text),
    "RandomForestClassifier binary": _fit(_E.RandomForestClassifier(20, max_depth=4, random_state=0), _binary),
    "RandomForestClassifier missing": _fit(_E.RandomForestClassifier(20, random_state=0), lambda: _missing(*_binary())),
    "RandomForestClassifier multilabel": _fit(_E.RandomForestClassifier(10, random_state=0), _multilabel),
    "RandomForestClassifier scaled": _fit(_scaled(_E.RandomForestClassifier(20, random_state=0)), _binary),
    "RandomForestRegressor": _fit(_E.RandomForestRegressor(15, random_state=0), _diabetes),
    "RandomForestRegressor outputs": _fit(_E.RandomForestRegressor(10, random_state=0), _outputs),
    "ExtraTreesClassifier": _fit(_E.ExtraTreesClassifier(15, random_state=0), _iris),
    "ExtraTreesRegressor": _fit(_E.ExtraTreesRegressor(15, random_state=0), _diabetes),
    "GradientBoostingClassifier": _fit(_E.GradientBoostingClassifier(n_estimators=12, random_state=0), _iris, _text),
    "GradientBoostingClassifier binary": _fit(_E.GradientBoostingClassifier(n_estimators=12, random_state=0), _binary),
    "GradientBoostingRegressor": _fit(_E.GradientBoostingRegressor(n_estimators=12, random_state=0), _diabetes),
    "HistGradientBoostingClassifier": _fit(
        _E.HistGradientBoostingClassifier(max_iter=12), lambda: _missing(*_binary())
    ),
    "HistGradientBoostingClassifier multiclass": _fit(_E.HistGradientBoostingClassifier(max_iter=8), _iris, _text),
    "HistGradientBoostingClassifier categories": _fit_categories(_E.HistGradientBoostingClassifier(max_iter=12)),
    "HistGradientBoostingRegressor": _fit(_E.HistGradientBoostingRegressor(max_iter=12), _diabetes),
    "HistGradientBoostingRegressor poisson": _fit(
        _E.HistGradientBoostingRegressor(loss="poisson", max_iter=12), _diabetes, _positive
    ),
    "HistGradientBoostingRegressor coded": _fit_coded_categories(
        _E.HistGradientBoostingRegressor(categorical_features=[0, 2], max_iter=12)
    ),
    "IsolationForest": _fit_alone(_E.IsolationForest(n_estimators=20, random_state=0), _iris),
    "XGBClassifier": _xgboost("XGBClassifier", _iris),
    "XGBClassifier missing": _xgboost("XGBClassifier", lambda: _missing(*_binary())),
    "XGBRegressor": _xgboost("XGBRegressor", _diabetes),
    "XGBRFRegressor": _xgboost("XGBRFRegressor", _diabetes),
    "LGBMClassifier": _lightgbm("LGBMClassifier", _iris),
    "LGBMClassifier missing": _lightgbm("LGBMClassifier", lambda: _missing(*_binary())),
    "LGBMRegressor": _lightgbm("LGBMRegressor", _diabetes),
    # ensembles of others
    "AdaBoostClassifier": _fit(_E.AdaBoostClassifier(n_estimators=10, random_state=0), _iris),
    "AdaBoostRegressor": _fit(_E.AdaBoostRegressor(n_estimators=10, random_state=0), _diabetes),
    "BaggingClassifier": _fit(_E.BaggingClassifier(n_estimators=8, random_state=0), _iris, _text),
    "BaggingRegressor": _fit(_E.BaggingRegressor(n_estimators=8, max_features=0.7, random_state=0), _diabetes),
    "VotingClassifier": _fit(_E.VotingClassifier([("a", _LOG(max_iter=2000)), ("b", _FOREST)], voting="soft"), _iris),
    "VotingClassifier hard": _fit(
        _E.VotingClassifier([("a", _LOG(max_iter=2000)), ("b", _TREE(max_depth=2)), ("c", naive_bayes.GaussianNB())]),
        _iris, _text,
    ),
    "VotingRegressor": _fit(
        _E.VotingRegressor([("a", _LM.Ridge()), ("b", tree.DecisionTreeRegressor(random_state=0))]), _diabetes
    ),
    "StackingClassifier": _fit(
        _E.StackingClassifier([("a", _LOG(max_iter=2000)), ("b", _TREE(random_state=0))], cv=3), _iris, _text
    ),
    "StackingRegressor": _fit(
        _E.StackingRegressor([("a", _LM.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3))], cv=3), _diabetes
    ),
    # compositions
    "OneVsRestClassifier": _fit(multiclass.OneVsRestClassifier(_LOG(max_iter=2000)), _iris, _text),
    "OneVsRestClassifier multilabel": _fit(multiclass.OneVsRestClassifier(_LOG(max_iter=2000)), _multilabel),
    "OneVsOneClassifier": _fit(multiclass.OneVsOneClassifier(_S.LinearSVC(random_state=0)), _iris),
    "OutputCodeClassifier": _fit(multiclass.OutputCodeClassifier(_LOG(max_iter=2000), random_state=0), _iris),
    "MultiOutputClassifier": _fit(multioutput.MultiOutputClassifier(_LOG()), _multilabel),
    "MultiOutputRegressor": _fit(multioutput.MultiOutputRegressor(_LM.Ridge()), _outputs),
    "ClassifierChain": _fit(multioutput.ClassifierChain(_LOG()), _multilabel),
    "RegressorChain": _fit(multioutput.RegressorChain(_LM.Ridge()), _outputs),
    "CalibratedClassifierCV": _fit(calibration.CalibratedClassifierCV(_S.LinearSVC(random_state=0), cv=3), _iris),
    "CalibratedClassifierCV isotonic": _fit(
        calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=3), _binary
    ),
    "TransformedTargetRegressor": _fit(
        compose.TransformedTargetRegressor(_LM.Ridge(), func=np.log1p, inverse_func=np.expm1), _diabetes
    ),
    "FixedThresholdClassifier": _fit(
        model_selection.FixedThresholdClassifier(_LOG(max_iter=2000), threshold=0.3), _binary
    ),
    "TunedThresholdClassifierCV": _fit(model_selection.TunedThresholdClassifierCV(_LOG(max_iter=2000), cv=3), _binary),
    "GridSearchCV": _fit(model_selection.GridSearchCV(_TREE(random_state=0), {"max_depth": [2, 3]}, cv=3), _iris),
    "RandomizedSearchCV": _fit(
        model_selection.RandomizedSearchCV(_LM.Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2, cv=3), _diabetes
    ),
    "RFE": _fit(feature_selection.RFE(_LM.Ridge(), n_features_to_select=4), _diabetes),
    "RFECV": _fit(feature_selection.RFECV(_LOG(max_iter=2000), cv=3), _iris),
    # others
    "DummyClassifier": _fit(dummy.DummyClassifier(), _iris, _text),
    "DummyRegressor": _fit(dummy.DummyRegressor(), _diabetes),
    "IsotonicRegression": _isotonic,
    "CCA": _fit(cross_decomposition.CCA(2), _outputs),
    "PLSCanonical": _fit(cross_decomposition.PLSCanonical(2), _outputs),
    "PLSRegression": _fit(cross_decomposition.PLSRegression(2), _diabetes),
    # clusters, mixtures, outliers
    "AffinityPropagation": _fit_alone(cluster.AffinityPropagation(random_state=0), _iris),
    "Birch": _fit_alone(cluster.Birch(), _iris),
    "BisectingKMeans": _fit_alone(cluster.BisectingKMeans(4, random_state=0), _iris),
    "KMeans": _fit_alone(cluster.KMeans(4, random_state=0, n_init=2), _iris),
    "MeanShift": _fit_alone(cluster.MeanShift(), _iris),
    "MiniBatchKMeans": _fit_alone(cluster.MiniBatchKMeans(4, random_state=0, n_init=2), _iris),
    "GaussianMixture": _fit_alone(mixture.GaussianMixture(3, random_state=0), _iris),
    "BayesianGaussianMixture": _fit_alone(mixture.BayesianGaussianMixture(n_components=3, random_state=0), _iris),
    "EllipticEnvelope": _fit_alone(covariance.EllipticEnvelope(random_state=0), _iris),
    "LocalOutlierFactor": _fit_alone(_N.LocalOutlierFactor(novelty=True), _iris),
    # pipelines
    "mixed LogisticRegression": _fit_mixed(_LOG(max_iter=1000)),
    "mixed RandomForestClassifier": _fit_mixed(_E.RandomForestClassifier(15, random_state=0), scale=False),
    "mixed HistGradientBoostingClassifier": _fit_mixed(_E.HistGradientBoostingClassifier(max_iter=8), scale=False),
    "mixed Ridge": _fit_mixed(_LM.Ridge(), target=lambda y: (y == "stays") * 10.0),
    "PCA SVC": _fit(pipeline.make_pipeline(preprocessing.RobustScaler(), decomposition.PCA(3), _S.SVC()), _iris),
    "PolynomialFeatures Ridge": _fit(
        pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), preprocessing.MinMaxScaler(), _LM.Ridge()),
        _diabetes,
    ),
    "SelectKBest LogisticRegression": _fit(
        pipeline.make_pipeline(feature_selection.SelectKBest(k=8), preprocessing.StandardScaler(), _LOG()), _binary
    ),
    "QuantileTransformer Ridge": _fit(
        pipeline.make_pipeline(preprocessing.QuantileTransformer(n_quantiles=50), _LM.Ridge()), _diabetes
    ),
    "PowerTransformer LogisticRegression": _fit(
        pipeline.make_pipeline(preprocessing.PowerTransformer(), _LOG()), _iris
    ),
    "Nystroem SGDClassifier": _fit(
        pipeline.make_pipeline(
            kernel_approximation.Nystroem(n_components=20, random_state=0), _LM.SGDClassifier(random_state=0)
        ),
        _iris,
    ),
    "SimpleImputer GradientBoostingRegressor": _fit(
        pipeline.make_pipeline(impute.SimpleImputer(), _E.GradientBoostingRegressor(n_estimators=10, random_state=0)),
        lambda: _missing(*_diabetes()),
    ),
    "KBinsDiscretizer LogisticRegression": _fit(
        pipeline.make_pipeline(preprocessing.KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), _LOG()),
        _iris,
    ),
    "TfidfVectorizer LogisticRegression": _fit_texts(feature_extraction.text.TfidfVectorizer(), _LOG()),
    "CountVectorizer MultinomialNB": _fit_texts(
        feature_extraction.text.CountVectorizer(ngram_range=(1, 2)), naive_bayes.MultinomialNB()
    ),
    "HashingVectorizer SGDClassifier": _fit_texts(
        feature_extraction.text.HashingVectorizer(n_features=256), _LM.SGDClassifier(random_state=0)
    ),
}  # fmt: skip
