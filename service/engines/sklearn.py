"""scikit-learn itself as an engine, for estimators that no graph answers for exactly.

The estimator is stored with skops, never with pickle. What skops would build is checked before anything is built: only
the types that the manifest lists by exact name, all of them from packages of the image. skops once fell back to
joblib silently (CVE-2025-54412, CVE-2025-54886): bytes that are not its own plain archive are refused.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import Answers, Rows, Signature
from service.engines.frames import assemble
from service.errors import BundleError, EngineError, Problem, RowsError

_TRUSTED_PACKAGES = frozenset({"sklearn", "numpy", "scipy", "pandas"})
_TRUSTED_NAMES = frozenset(
    {
        "functools.partial",
        "collections.OrderedDict",
        "collections.defaultdict",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",  # every SciPy spline holds it
    }
)
_PROBLEMS_LIMIT = 16


class SklearnEngine:
    """Calls the estimator's own ``predict``, ``predict_proba`` and ``decision_function``."""

    def __init__(self, archive: bytes, types: Sequence[str], signature: Signature) -> None:
        """Raises BundleError if the archive is not one of skops, or holds a type that is not listed or not trusted."""
        self._estimator = load_estimator(archive, types)
        self._signature = signature
        for parameter in self._estimator.get_params():
            if parameter.rpartition("__")[2] == "n_jobs":  # a pool of workers costs more than a request does
                self._estimator.set_params(**{parameter: None})

    def predict(self, rows: Rows, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
        """See ``Engine.predict``. Where the estimator refuses the rows, finds which, one by one."""
        try:
            return answer(
                self._estimator,
                assemble(self._signature, rows),
                probabilities=probabilities,
                decision_values=decision_values,
            )
        except Exception as error:  # an estimator may raise anything for values that it does not take
            problems = self._refused_rows(rows)
            if problems:
                raise RowsError(problems[:_PROBLEMS_LIMIT], more=len(problems) > _PROBLEMS_LIMIT) from error
            raise EngineError(f"the estimator failed: {type(error).__name__}") from error

    def _refused_rows(self, rows: Rows) -> list[Problem]:
        problems: list[Problem] = []
        for i in range(len(rows.numbers)):
            try:
                answer(self._estimator, assemble(self._signature, rows.take(slice(i, i + 1))))
            except Exception as error:
                reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
                problems.append(Problem(f"instances[{i}]", f"the model refuses this row: {reason}"))
            if len(problems) > _PROBLEMS_LIMIT:
                break
        return problems


def answer(estimator: Any, given: Any, *, probabilities: bool = False, decision_values: bool = False) -> Answers:
    """The estimator's own answers to rows in its own form (see ``frames.assemble``)."""
    return Answers(
        plain_labels(estimator.predict(given)),
        _probabilities(estimator.predict_proba, given) if probabilities else None,
        np.asarray(estimator.decision_function(given)) if decision_values else None,
    )


def plain_labels(predictions: Any) -> NDArray[Any]:
    """Predictions as an array whose strings are plain ``str`` objects; other dtypes stay. Sparse becomes dense."""
    array = np.asarray(predictions.toarray() if hasattr(predictions, "toarray") else predictions)
    return array.astype(object) if array.dtype.kind in "US" else array


def _probabilities(predict_proba: Callable[[Any], Any], given: Any) -> NDArray[Any] | tuple[NDArray[Any], ...]:
    found = predict_proba(given)
    return tuple(map(np.asarray, found)) if isinstance(found, list) else np.asarray(found)


def load_estimator(archive: bytes, types: Sequence[str]) -> Any:
    """Builds the estimator. Raises BundleError before anything is built if a type is not listed or not trusted."""
    try:
        import skops.io  # takes a second, and publishing needs only ``answer``
    except ModuleNotFoundError as error:
        raise BundleError(f"the model needs scikit-learn itself, and {error.name} is not installed here") from None

    _check_archive(archive)
    for name in types:
        if not is_trusted(name):
            raise BundleError(f"the manifest lists the type {name!r}, which is none that may be built")
    try:
        unlisted = sorted(set(skops.io.get_untrusted_types(data=archive)) - set(types))
        if unlisted:
            raise BundleError(f"the archive holds types that the manifest does not list: {', '.join(unlisted)[:300]}")
        return skops.io.loads(archive, trusted=list(types))
    except BundleError:
        raise
    except Exception as error:  # skops raises whatever a wrong archive runs into
        raise BundleError(f"skops cannot load the archive: {type(error).__name__}: {str(error)[:200]}") from error


def is_trusted(name: str) -> bool:
    """Whether skops may build this type at all, listed or not.

    Classes of the image's numerical packages, NumPy's element-wise functions, and scikit-learn's functions but for
    those that fetch or read data: an estimator may hold any of these. Every other function is refused, since an
    estimator would call it.
    """
    if name in _TRUSTED_NAMES:
        return True
    module, _, attribute = name.rpartition(".")
    package = module.partition(".")[0]
    if package not in _TRUSTED_PACKAGES or module.startswith("sklearn.datasets"):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type | np.ufunc) or (package == "sklearn" and callable(found))


def _check_archive(archive: bytes) -> None:
    """An archive as publishing writes it: a plain zip whose members are stored, so that none can grow on reading."""
    try:
        members = zipfile.ZipFile(io.BytesIO(archive)).infolist()
    except zipfile.BadZipFile as error:
        raise BundleError("the artifact is not an archive of skops") from error
    names = [member.filename for member in members]
    if "schema.json" not in names or len(set(names)) != len(names):
        raise BundleError("the artifact is not an archive of skops")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise BundleError("the archive holds compressed members")
