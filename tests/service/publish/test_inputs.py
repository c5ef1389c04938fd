from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from service.errors import PublishError, UsageError
from service.publish.inputs import load_estimator, load_rows

X = np.random.default_rng(0).normal(size=(10, 2))


def test_an_estimator_comes_from_joblib_or_skops(tmp_path: Path) -> None:
    estimator = LinearRegression().fit(X, X[:, 0])
    joblib.dump(estimator, tmp_path / "e.joblib")
    skops.io.dump(estimator, tmp_path / "e.skops")
    for name in ("e.joblib", "e.skops"):
        np.testing.assert_array_equal(load_estimator(tmp_path / name).predict(X), estimator.predict(X))


def test_rows_come_from_five_formats(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"])
    np.save(tmp_path / "r.npy", X)
    frame.to_csv(tmp_path / "r.csv", index=False)
    frame.to_parquet(tmp_path / "r.parquet")
    (tmp_path / "r.jsonl").write_text("\n".join(json.dumps(row) for row in frame.to_dict("records")) + "\n\n")
    joblib.dump(frame, tmp_path / "r.joblib")
    for suffix in ("npy", "csv", "parquet", "jsonl", "joblib"):
        np.testing.assert_allclose(pd.DataFrame(load_rows(tmp_path / f"r.{suffix}")).to_numpy(), X, rtol=1e-15)


def test_a_csv_without_a_header_is_an_array(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "r.csv", X, delimiter=",")
    assert load_rows(tmp_path / "r.csv").shape == X.shape


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        load_estimator(tmp_path / "none.joblib")
    with pytest.raises(UsageError, match="no file"):
        load_rows(tmp_path / "none.csv")


def test_another_format_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"\.csv"):
        load_rows(tmp_path / "rows.xlsx")


@pytest.mark.parametrize("name", ["r.npy", "r.csv", "r.parquet", "r.jsonl", "r.joblib"])
def test_a_file_of_junk_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00junk")
    with pytest.raises(PublishError) as caught:
        load_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_estimator_of_junk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "e.joblib").write_bytes(b"junk")
    with pytest.raises(PublishError, match="not an estimator"):
        load_estimator(tmp_path / "e.joblib")
