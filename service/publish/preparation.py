"""What publishing asks an estimator before it compiles: its signature, and its own answers to sample and hard rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from service.agreement import Agreement, compare
from service.bundle import Feature, Signature, Task
from service.compile.compiler import Measured
from service.compile.hard_rows import hard_rows
from service.compile.split_points import split_points
from service.errors import PublishError
from service.publish.domain import fitted_parts, probe_features
from service.publish.outputs import infer_outputs, infer_task
from service.publish.reference import Reference, answer_all
from service.publish.sample import Sample, read_sample

_SAMPLE_LIMIT = 1000
_LAST_BITS = 1e-12


class Prepared(NamedTuple):
    """The signature, rows with the estimator's answers to them, and how many hard rows the estimator refused."""

    task: Task
    signature: Signature
    sample: Measured
    hard: Measured
    refused: int


def prepare(estimator: Any, rows: Any) -> Prepared:
    """Signature and measured rows. Raises PublishError if the estimator or its rows cannot be served.

    Native libraries compute in one thread meanwhile: many small calls pay for more in waiting, and sums keep one order.
    """
    with threadpool_limits(limits=1):
        return _prepare(estimator, rows)


def _prepare(estimator: Any, rows: Any) -> Prepared:
    task = infer_task(estimator)
    sample = read_sample(estimator, rows)
    signature = _rebuildable_signature(estimator, sample)
    reference = Reference(estimator, signature)
    features = probe_features(reference, signature.features, sample.rows)
    signature = signature.model_copy(update={"features": features})
    reference = Reference(estimator, signature)
    some = sample.rows.take(_spread(len(sample.rows.numbers), _SAMPLE_LIMIT))
    some = some.take(reference.accepted(some))
    sample_answers = reference.answer(some)
    made = hard_rows(signature, some, reference.answer, _thresholds(estimator, len(features)))
    accepted = reference.accepted(made)
    hard = made.take(accepted)
    # scikit-learn refuses a table without rows
    hard_answers = reference.answer(hard) if accepted.any() else sample_answers.take(slice(0))
    return Prepared(
        task,
        signature,
        Measured(some, sample_answers, reference.answer_alone(some), sample_answers),
        Measured(hard, hard_answers, reference.answer_alone(hard), sample_answers),
        int((~accepted).sum()),
    )


def _rebuildable_signature(estimator: Any, sample: Sample) -> Signature:
    """The signature under which rows decoded from JSON give the answers that the sample rows themselves give.

    Whole numbers, and an array's numbers that are objects, are served as float64 where the estimator does not tell the
    difference: a client may then send halves.
    """
    outputs = infer_outputs(estimator, sample.given)
    relaxed = tuple(_relax(feature, sample.container) for feature in sample.features)
    expected = answer_all(estimator, sample.given, outputs)
    error: Exception | None = None
    for features in dict.fromkeys((relaxed, sample.features)):
        signature = Signature(container=sample.container, features=features, outputs=outputs)
        try:
            got = Reference(estimator, signature).answer(sample.rows)
        except Exception as raised:  # an estimator may raise anything
            error = raised
            continue
        if _same(compare(expected, got)):
            return signature
    if error is not None:
        raise PublishError(f"the estimator refuses rows rebuilt from JSON: {str(error)[:300]}") from error
    raise PublishError("the estimator answers rows rebuilt from JSON otherwise than the sample rows themselves")


def _same(agreement: Agreement) -> bool:
    """Equal but for the last bits, which depend on how an array lies in memory."""
    return agreement.label_agreement == 1.0 and agreement.max_scaled_diff <= _LAST_BITS


def _relax(feature: Feature, container: str) -> Feature:
    objects = container == "array" and feature.dtype == "float64" and feature.frame_dtype == "object"
    if objects or (feature.dtype == "int64" and feature.frame_dtype != "category"):
        return feature.model_copy(update={"dtype": "float64", "frame_dtype": "float64"})
    return feature


def _spread(count: int, limit: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, limit)).astype(np.int64))


def _thresholds(estimator: Any, features: int) -> dict[int, NDArray[np.float64]]:
    """Split points of every tree inside that takes as many columns as the model has features."""
    found: dict[int, list[NDArray[np.float64]]] = {}
    for part in fitted_parts(estimator):
        if getattr(part, "n_features_in_", None) == features:
            for column, values in (split_points(part) or {}).items():
                found.setdefault(column, []).append(values)
    return {column: np.unique(np.concatenate(values)) for column, values in found.items()}
