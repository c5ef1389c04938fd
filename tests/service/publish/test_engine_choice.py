from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from service.bundle import Manifest
from service.compile.compiler import compile_and_measure
from service.errors import PublishError
from service.model import build_model
from service.publish.engine_choice import EngineChoice, choose_engine
from service.publish.golden import choose_golden
from service.publish.preparation import prepare
from service.publish.reference import Reference

X = np.random.default_rng(0).normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(np.uint8)


@pytest.mark.parametrize("choice", ["onnx", "sklearn"])
def test_labels_without_a_sign_are_published_and_load(choice: EngineChoice) -> None:
    estimator = LogisticRegression().fit(X, Y)
    prepared = prepare(estimator, X)
    spec, artifact, parity = choose_engine(estimator, prepared, compile_and_measure, choice)
    golden = choose_golden(prepared, Reference(estimator, prepared.signature), with_hard_rows=True)
    manifest = Manifest.model_construct(engine=spec, signature=prepared.signature, parity=parity, golden=golden)
    build_model(manifest, "", {spec.file: artifact})


def test_an_archive_that_does_not_load_is_not_published() -> None:
    frame = pd.DataFrame({"city": pd.array(["Oslo", "Bergen", None] * 10, "string")})
    imputer = SimpleImputer(missing_values=pd.NA, strategy="most_frequent")  # skops stores NA, but does not load it
    encoder = OneHotEncoder(handle_unknown="ignore")
    estimator = make_pipeline(imputer, encoder, LogisticRegression()).fit(frame, [0, 1] * 15)
    prepared = prepare(estimator, frame)
    with pytest.raises(PublishError, match="skops cannot load the archive"):
        choose_engine(estimator, prepared, compile_and_measure, "sklearn")
