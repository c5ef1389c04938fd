"""A model that is verified, warm and ready to answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.agreement import compare
from service.bundle import Answers, Golden, Manifest, Outputs, Rows
from service.codec import decode_instances
from service.engines import Engine
from service.errors import BundleError, GoldenError, RequestError

INLINE_SECONDS = 0.001
"""A call shorter than this runs in the event loop: handing it to a thread and back costs about a tenth of it."""


class Cost(NamedTuple):
    """What a call takes, in seconds: for its first row, and for each further one."""

    first: float
    further: float

    def of(self, rows: int) -> float:
        return self.first + (rows - 1) * self.further


class Model:
    """One version of a model and the engine that answers for it."""

    def __init__(self, manifest: Manifest, manifest_sha256: str, engine: Engine, cost: Cost, *, batches: bool) -> None:
        self.manifest = manifest
        self.manifest_sha256 = manifest_sha256
        self.batches = batches
        """Whether calls are short, and an answer is the same, bit for bit, whatever it is computed together with."""
        self._engine = engine
        self._cost = cost

    async def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        """Answers, one for each row. Raises RowsError if the estimator refuses rows, EngineError if it fails.

        A call that by its warm-up figures takes longer than ``INLINE_SECONDS`` runs in a thread, so that health checks
        and other requests are answered meanwhile.
        """
        if self.is_instant(len(rows.numbers)):
            return self._engine.predict(rows, probabilities=probabilities, decision_values=decision_values)
        return await asyncio.to_thread(
            self._engine.predict, rows, probabilities=probabilities, decision_values=decision_values
        )

    def is_instant(self, rows: int) -> bool:
        """Whether a call with so many rows is short enough for the event loop."""
        return self._cost.of(rows) < INLINE_SECONDS

    def answer(
        self, parts: Sequence[Rows], *, probabilities: bool = False, decision_values: bool = False
    ) -> list[Answers]:
        """The answers to each part from one call of the engine, made here and now. Raises as ``predict`` does."""
        answers = self._engine.predict(Rows.join(parts), probabilities=probabilities, decision_values=decision_values)
        if len(parts) == 1:
            return [answers]
        ends = list(accumulate(len(part.numbers) for part in parts))
        return [answers.take(slice(start, end)) for start, end in zip([0, *ends], ends, strict=False)]


def build_model(manifest: Manifest, manifest_sha256: str, files: Mapping[str, bytes]) -> Model:
    """Builds the engine from verified bytes, reproduces the golden answers with it, and warms it.

    Takes as long as loading and a few predictions take: not for the event loop. Raises BundleError if the artifact is
    unsafe or does not load, GoldenError if its answers are not those that were published.
    """
    engine = build_engine(manifest, files[manifest.engine.file])
    rows = golden_rows(manifest)
    check_golden(engine, manifest, rows)
    cost = _warm(engine, rows)
    batches = cost.first < INLINE_SECONDS and is_batchable(engine, rows, manifest.signature.outputs)
    return Model(manifest, manifest_sha256, engine, cost, batches=batches)


def build_engine(manifest: Manifest, artifact: bytes) -> Engine:
    """The engine that the manifest names; only its library is imported."""
    if manifest.engine.name == "onnx":
        from service.engines.onnx import OnnxEngine

        return OnnxEngine(artifact, manifest.signature)
    from service.engines.sklearn import SklearnEngine

    return SklearnEngine(artifact, manifest.engine.types, manifest.signature)


def golden_rows(manifest: Manifest) -> Rows:
    """The golden rows, decoded as a request's would be. Raises BundleError if the signature refuses them."""
    try:
        return decode_instances(manifest.golden.instances, manifest.signature)
    except RequestError as error:
        raise BundleError(f"the golden rows do not fit the signature: {error}") from error


def check_golden(engine: Engine, manifest: Manifest, rows: Rows) -> None:
    """Raises GoldenError if the engine's answers to the golden rows are not the published ones."""
    golden, outputs = manifest.golden, manifest.signature.outputs
    expected = golden_answers(golden, outputs)
    try:
        got = engine.predict(
            rows,
            probabilities=expected.probabilities is not None,
            decision_values=expected.decision_values is not None,
        )
    except Exception as error:  # whatever a wrong artifact runs into: it does not give the golden answers
        raise GoldenError(f"the engine fails on the golden rows: {str(error)[:200]}") from error
    agreement = compare(expected, got)
    if not agreement.holds:
        raise GoldenError(
            f"the engine does not reproduce the golden answers: {agreement.label_agreement:.1%} of labels are equal, "
            f"numbers differ by up to {agreement.max_scaled_diff:.2g} of their scale"
        )


def golden_answers(golden: Golden, outputs: Outputs) -> Answers:
    """The golden answers as arrays, typed as the engine's answers are."""
    dtype = object if outputs.dtype == "string" else np.dtype(outputs.dtype)
    probabilities: NDArray[np.float64] | tuple[NDArray[np.float64], ...] | None = None
    if golden.probabilities is not None:
        if isinstance(golden.probabilities[0][0], tuple | list):  # a row holds a list for each output
            probabilities = tuple(np.array(part, np.float64) for part in zip(*golden.probabilities, strict=True))
        else:
            probabilities = np.array(golden.probabilities, np.float64)
    decision_values = None if golden.decision_values is None else np.array(golden.decision_values, np.float64)
    return Answers(np.array(golden.predictions, dtype), probabilities, decision_values)


def _warm(engine: Engine, rows: Rows) -> Cost:
    """The cost of a call, from a single row and from all golden rows at once, each called once before it is timed."""
    count = len(rows.numbers)
    first = _time(engine, rows.take(slice(1)))
    if count == 1:
        return Cost(first, first)
    return Cost(first, max(0.0, (_time(engine, rows) - first) / (count - 1)))


def is_batchable(engine: Engine, rows: Rows, outputs: Outputs) -> bool:
    """Whether the engine's answers to each golden row are the same bits alone and among others.

    A matrix product, for one, may be summed in another order when it has another shape.
    """

    def answer(indices: NDArray[np.intp]) -> list[str]:
        answers = engine.predict(
            rows.take(indices), probabilities=outputs.probabilities, decision_values=outputs.decision_width is not None
        )
        return [exactly(answers.take(slice(i, i + 1))) for i in range(len(indices))]

    count = len(rows.numbers)
    alone = [answer(np.array([i]))[0] for i in range(count)]
    return all(
        answer(indices) == [alone[i] for i in indices]
        for indices in (np.arange(size) % count for size in (2, count, 3 * count + 1))
    )


def exactly(answers: Answers) -> str:
    """The answers in words that are equal only for equal bits."""
    parts = answers.probabilities if isinstance(answers.probabilities, tuple) else (answers.probabilities,)
    arrays = (answers.predictions, *parts, answers.decision_values)
    return repr([None if array is None else array.tolist() for array in arrays])


def _time(engine: Engine, rows: Rows) -> float:
    """Seconds a call takes: the shortest of three, since others may be using the processor, too."""
    engine.predict(rows)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        engine.predict(rows)
        seconds.append(time.perf_counter() - start)
    return min(seconds)
