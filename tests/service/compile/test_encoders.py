from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, TargetEncoder

from service.compile.graph import UnsupportedError
from tests.service.compile.frames import assert_transforms, assert_transforms_frame, run_transform

RANDOM = np.random.default_rng(0)
FITTED = pd.DataFrame(
    {
        "city": RANDOM.choice(["Zürich", "Oslo", "東京", "New York", "a"], 200, p=[0.5, 0.3, 0.1, 0.06, 0.04]),
        "rooms": RANDOM.choice([1.0, 2.5, 3.0, 1e17], 200, p=[0.6, 0.3, 0.05, 0.05]),
        "floor": RANDOM.integers(-1, 3, 200),
        "lift": RANDOM.random(200) < 0.3,
    }
)
MISSING = FITTED.assign(
    city=FITTED["city"].where(RANDOM.random(200) < 0.9, np.nan), rooms=FITTED["rooms"].where(RANDOM.random(200) < 0.9)
)
STRANGE = pd.DataFrame(
    {
        "city": ["Oslo", "Köln", "Oslo", "", "a"],
        "rooms": [2.0, 1.0, -3.0, 2.5, 1e17],
        "floor": [1, 7, 0, 1, -5],
        "lift": [True] * 5,
    }
)
STRANGER = STRANGE.assign(city=["Oslo", np.nan, "x", np.nan, "a"], rooms=[np.nan, 1.0, np.nan, 9.0, 1.0])


@pytest.fixture(autouse=True)
def _unknown_categories_only_warn() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Found unknown categories")
        yield


@pytest.mark.parametrize("drop", [None, "first", "if_binary", ["Oslo", 2.5, 0, True]])
@pytest.mark.parametrize("sparse_output", [False, True])
def test_known_categories_become_columns(drop: Any, sparse_output: bool) -> None:
    assert_transforms_frame(OneHotEncoder(drop=drop, sparse_output=sparse_output).fit(FITTED), FITTED, FITTED)


@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
@pytest.mark.parametrize("handle_unknown", ["ignore", "infrequent_if_exist", "warn"])
@pytest.mark.parametrize(
    "groups", [{}, {"min_frequency": 25}, {"max_categories": 2}, {"max_categories": 1}, {"min_frequency": 0.08}]
)
def test_unknown_and_infrequent_categories_share_columns(
    drop: Any, handle_unknown: Any, groups: dict[str, Any]
) -> None:
    encoder = OneHotEncoder(drop=drop, handle_unknown=handle_unknown, **groups).fit(FITTED)
    assert_transforms_frame(encoder, FITTED, pd.concat([FITTED, STRANGE]))


def test_an_infrequent_category_may_be_the_one_that_is_dropped() -> None:
    encoder = OneHotEncoder(drop=["Oslo", 1.0, 0, False], handle_unknown="infrequent_if_exist", min_frequency=25)
    assert_transforms_frame(encoder.fit(FITTED), FITTED, pd.concat([FITTED, STRANGE]))


@pytest.mark.parametrize("groups", [{}, {"min_frequency": 25}])
def test_missing_is_a_category_where_it_was_seen_and_else_unknown(groups: dict[str, Any]) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore", **groups)
    assert_transforms_frame(encoder.fit(MISSING), MISSING, pd.concat([MISSING, STRANGER]))
    assert_transforms_frame(encoder.fit(FITTED), FITTED, pd.concat([MISSING, STRANGER]))


def test_none_is_a_missing_category_too() -> None:
    frame = pd.DataFrame({"plan": pd.Series(["free", None, "plus", None, "free"], dtype=object)})
    assert_transforms_frame(OneHotEncoder(sparse_output=False).fit(frame), frame, frame)
    assert_transforms_frame(OrdinalEncoder().fit(frame), frame, frame)


def test_booleans_with_missing_values_are_three_categories() -> None:
    frame = pd.DataFrame({"lift": pd.Series([True, False, np.nan, True], dtype=object)})
    assert_transforms_frame(OneHotEncoder(sparse_output=False).fit(frame), frame, frame)


@pytest.mark.parametrize("unknown", [-1, np.nan, 99])
@pytest.mark.parametrize("missing", [np.nan, -2])
@pytest.mark.parametrize("groups", [{}, {"min_frequency": 25}, {"max_categories": 3}])
def test_categories_become_numbers(unknown: Any, missing: Any, groups: dict[str, Any]) -> None:
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=unknown, encoded_missing_value=missing, **groups
    )
    assert_transforms_frame(encoder.fit(MISSING), MISSING, pd.concat([MISSING, STRANGER]))
    assert_transforms_frame(encoder.fit(FITTED), FITTED, pd.concat([FITTED, STRANGE]))


def test_categories_given_by_hand_keep_their_order() -> None:
    encoder = OrdinalEncoder(categories=[["a", "東京", "Oslo", "Zürich", "New York"]]).fit(FITTED[["city"]])
    assert_transforms_frame(encoder, FITTED[["city"]], FITTED[["city"]])


@pytest.mark.parametrize("target", [FITTED["floor"] > 0, FITTED["rooms"] * 1e-17 + FITTED["floor"], FITTED["city"]])
@pytest.mark.parametrize("smooth", ["auto", 3.0])
def test_categories_become_what_the_target_was_on_average(target: Any, smooth: Any) -> None:
    encoder = TargetEncoder(smooth=smooth).fit(MISSING, target)
    assert_transforms_frame(encoder, MISSING, pd.concat([MISSING, STRANGER]))
    encoder.fit(FITTED, target)
    assert_transforms_frame(encoder, FITTED, pd.concat([MISSING, STRANGER]))


@pytest.mark.parametrize("encode", ["ordinal", "onehot", "onehot-dense"])
@pytest.mark.parametrize("strategy", ["uniform", "quantile", "kmeans"])
def test_numbers_are_binned_edges_included(encode: Any, strategy: Any) -> None:
    rows = np.column_stack([RANDOM.normal(size=200), RANDOM.integers(0, 3, 200), RANDOM.lognormal(size=200) * 1e9])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bins = KBinsDiscretizer([3, 2, 6], encode=encode, strategy=strategy, quantile_method="averaged_inverted_cdf")
        bins.fit(rows)
    edges = np.column_stack([np.resize(edge, 8) for edge in bins.bin_edges_])
    assert_transforms(bins, np.concatenate([rows, edges, np.nextafter(edges, -np.inf), rows * 1e3]))


def test_a_category_outside_the_vocabulary_is_refused() -> None:
    encoder = OneHotEncoder().fit(FITTED[["city"]])
    with pytest.raises(UnsupportedError, match="vocabulary"):
        run_transform(encoder, np.zeros((1, 1)), [("Oslo",)])


def test_bins_of_rounded_numbers_are_refused() -> None:
    bins = KBinsDiscretizer(3, encode="ordinal", dtype=np.float32, quantile_method="averaged_inverted_cdf")
    with pytest.raises(UnsupportedError, match="rounded"):
        run_transform(bins.fit(RANDOM.normal(size=(50, 1))), np.zeros((1, 1)))
