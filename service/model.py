"""A model that is verified, warm and ready to answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from service.agreement import compare
from service.batching import HANDOVER_SECONDS, Batcher, Cost, Wanted
from service.bundle import Answers, Golden, Manifest, Outputs, Rows
from service.codec import decode_instances
from service.engines import Engine
from service.engines.threads import following_the_share
from service.errors import BundleError, EngineError, GoldenError, RequestError
from service.processor import processor_share
from service.warmup import is_batchable, warm

INLINE_SECONDS = 0.001
"""A call shorter than this runs in the event loop: handing it to a thread and back costs about a tenth of it."""


class Model:
    """One version of a model and the engine that answers for it."""

    def __init__(
        self,
        manifest: Manifest,
        manifest_sha256: str,
        engine: Engine,
        cost: Cost,
        *,
        batches: bool,
        calls_at_once: int = 1,
    ) -> None:
        """``batches`` if an answer is the same, bit for bit, whatever it is computed together with;
        ``calls_at_once`` is how many of the engine's calls may run side by side in worker threads."""
        self.manifest = manifest
        self.manifest_sha256 = manifest_sha256
        self._engine = engine
        self._inline_rows = cost.rows_within(INLINE_SECONDS)
        self.inline_batch_rows = min(self._inline_rows, cost.batch_rows(0.0)) if batches else 0
        """How many rows of several requests may share a call in the event loop."""
        batch_rows = cost.batch_rows(HANDOVER_SECONDS) if batches else 0
        self._batcher = Batcher(self.answer, cost, batch_rows=batch_rows, calls_at_once=calls_at_once)

    async def predict(
        self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False, deadline: float = math.inf
    ) -> Answers:
        """Answers, one for each row. Raises RowsError if the estimator refuses rows, EngineError if it fails.

        A call that by its warm-up figures takes longer than ``INLINE_SECONDS`` runs in a thread, so that health checks
        and other requests are answered meanwhile. It may share a call with others; ``deadline``, in seconds of
        ``time.perf_counter``, bounds how long that takes.
        """
        wanted = Wanted(probabilities, decision_values)
        if self.is_instant(len(rows.numbers)):
            return self.answer([rows], wanted)[0]
        return await self._batcher.predict(rows, wanted, deadline)

    def is_instant(self, rows: int) -> bool:
        """Whether a call with so many rows is short enough for the event loop."""
        return rows <= self._inline_rows

    def answer(self, parts: Sequence[Rows], wanted: Wanted) -> list[Answers]:
        """The answers to each part from one call of the engine, made here and now. Raises as ``predict`` does."""
        rows = Rows.join(parts)
        answers = self._engine.predict(rows, probabilities=wanted.probabilities, decision_values=wanted.decision_values)
        if len(answers.predictions) != len(rows.numbers):
            raise EngineError(f"the engine answered {len(answers.predictions)} rows of {len(rows.numbers)}")
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
    cost = warm(engine, rows)
    batches = is_batchable(engine, rows, manifest.signature.outputs, cost)
    # A graph runs in one thread, so several calls fill the processor. scikit-learn's own threads do within one call,
    # and between them it holds the interpreter's lock.
    calls_at_once = processor_share() if manifest.engine.name == "onnx" else 1
    return Model(manifest, manifest_sha256, engine, cost, batches=batches, calls_at_once=calls_at_once)


def build_engine(manifest: Manifest, artifact: bytes) -> Engine:
    """The engine that the manifest names; only its library is imported."""
    if manifest.engine.name == "onnx":
        from service.engines.onnx import OnnxEngine

        return OnnxEngine(artifact, manifest.signature)
    with following_the_share():
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
