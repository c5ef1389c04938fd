"""The example model: publishes a scaled logistic regression on scikit-learn's breast cancer data.

``python -m service.example STORE`` publishes it under the alias ``production`` and prints the model's URI.
"""

from __future__ import annotations

import sys

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from service.publish import publish
from service.stores.uri import ModelUri, parse_store

NAME = "breast-cancer"
ALIAS = "production"


def fit_example() -> tuple[Pipeline, pd.DataFrame, dict[str, float]]:
    """The fitted estimator, its rows (569 of 30 numbers) and its metrics; its classes are "malignant" and "benign"."""
    data = load_breast_cancer(as_frame=True)
    rows = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    labels = data.target_names[data.target]
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    accuracy = float(cross_val_score(estimator, rows, labels).mean())
    return estimator.fit(rows, labels), rows, {"accuracy": round(accuracy, 4)}


def main() -> None:
    """Publishes and prints the URI, with progress on standard error."""
    store = parse_store(sys.argv[1])
    estimator, rows, metrics = fit_example()
    publish(
        estimator,
        rows,
        name=NAME,
        store=str(store),
        alias=ALIAS,
        metrics=metrics,
        progress=lambda line: print(line, file=sys.stderr),  # noqa: T201 - a command's own output
    )
    print(ModelUri(store, NAME, None, ALIAS))  # noqa: T201 - a command's own output


if __name__ == "__main__":
    main()
