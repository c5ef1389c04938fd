"""The fastest engine that gives the estimator's own answers, and what was measured of each that was tried."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from service.agreement import Agreement
from service.bundle import Candidate, EngineSpec, Parity, Signature, sha256
from service.compile.compiler import Compiled, Measured, describe, measure
from service.engines.sklearn import SklearnEngine
from service.errors import BundleError, CompileError, PublishError
from service.publish.archive import archive_estimator
from service.publish.preparation import Prepared

EngineChoice = Literal["auto", "onnx", "sklearn"]
Compile = Callable[[Any, Signature, list[Measured]], Compiled]


def choose_engine(
    estimator: Any, prepared: Prepared, compile_graph: Compile, choice: EngineChoice = "auto"
) -> tuple[EngineSpec, bytes, Parity]:
    """The fastest engine allowed that answers as the estimator does. Raises CompileError if there is none."""
    tried: list[Candidate] = []
    if choice != "sklearn":
        compiled = _compile(estimator, prepared, compile_graph)
        tried.append(_candidate("onnx", compiled.agreement, compiled.refused))
        if compiled.refused is None and compiled.agreement is not None:
            spec = EngineSpec(
                name="onnx",
                version=importlib.metadata.version("onnxruntime"),
                precision="float64",
                file=_file_name("model", compiled.model, "onnx"),
            )
            return spec, compiled.model, _parity(prepared, compiled.agreement, tried)
        if choice == "onnx":
            raise CompileError(f"the engine onnx does not answer as the estimator does: {compiled.refused}")
    try:
        archive, types = archive_estimator(estimator)
        engine = SklearnEngine(archive, types, prepared.signature)
    except (PublishError, BundleError) as error:
        reasons = "".join(f"; the engine {candidate.engine}: {candidate.refused}" for candidate in tried)
        raise PublishError(f"{error}{reasons}") from error
    spec = EngineSpec(
        name="sklearn",
        version=importlib.metadata.version("scikit-learn"),
        file=_file_name("model", archive, "skops"),
        types=types,
    )
    with threadpool_limits(limits=1):  # as the answers that it is measured against were computed
        agreement = measure(engine, prepared.signature, [prepared.sample, prepared.hard])
    if not agreement.holds:
        raise CompileError(f"stored and loaded again, the estimator answers otherwise: {describe(agreement)}")
    tried.append(_candidate("sklearn", agreement, None))
    return spec, archive, _parity(prepared, agreement, tried)


def _compile(estimator: Any, prepared: Prepared, compile_graph: Compile) -> Compiled:
    if prepared.refused:
        reason = f"the estimator refuses {prepared.refused} of the hard rows, and a graph cannot refuse"
        return Compiled(b"", None, reason)
    return compile_graph(estimator, prepared.signature, [prepared.sample, prepared.hard])


def _candidate(engine: str, agreement: Agreement | None, refused: str | None) -> Candidate:
    if agreement is None or not np.isfinite([agreement.max_abs_diff, agreement.max_scaled_diff]).all():
        return Candidate(engine=engine, refused=refused)
    return Candidate(engine=engine, refused=refused, **agreement._asdict())


def _parity(prepared: Prepared, agreement: Agreement, tried: list[Candidate]) -> Parity:
    return Parity(
        reference=f"scikit-learn {importlib.metadata.version('scikit-learn')}",
        sample_rows=len(prepared.sample.rows.numbers),
        hard_rows=len(prepared.hard.rows.numbers),
        candidates=tuple(tried),
        **agreement._asdict(),
    )


def _file_name(stem: str, data: bytes, suffix: str) -> str:
    """A name that holds a part of the content's hash: two contents under one version never share a file."""
    return f"{stem}.{sha256(data)[:12]}.{suffix}"
