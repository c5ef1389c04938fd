"""Which values an estimator takes, found by asking it: missing values, unseen categories, magnitudes.

An engine must never answer where the estimator would have refused. So what the estimator refuses goes into the
signature, and a request with such a value is a client's mistake that names row and feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from service.bundle import Feature, Rows
from service.errors import PublishError
from service.publish.reference import Reference

FLOAT32_MAX = float(np.finfo(np.float32).max)
_MAGNITUDES = (1e308, 1e150, 1e100, 1e75, 1e50, FLOAT32_MAX, 1e30, 1e18, 1e12, 1e9, 1e6, 1e3)
_WHOLE_LIMIT = 2.0**53  # beyond it float64 does not hold every integer
_PROBES_LIMIT = 512  # features asked one by one; a wider table is asked as a whole
_BISECTIONS = 64
UNSEEN = "\u2603 unseen"


def probe_features(reference: Reference, features: tuple[Feature, ...], rows: Rows) -> tuple[Feature, ...]:
    """The features with what the estimator takes of each. Raises PublishError if it takes none of the rows."""
    return _Prober(reference, features, rows).probe()


def known_categories(estimator: Any) -> Iterator[NDArray[Any]]:
    """Every fitted ``categories_`` array inside the estimator, whatever it is composed of."""
    for part in fitted_parts(estimator):
        categories = vars(part).get("categories_") if hasattr(part, "__dict__") else None
        if isinstance(categories, list):
            yield from (np.asarray(category) for category in categories)


def fitted_parts(estimator: Any) -> Iterator[Any]:
    """The estimator and all estimators inside it, each once."""
    seen: set[int] = set()
    waiting = [estimator]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.dtype == object):
            waiting.extend(part)
        elif hasattr(part, "get_params") or type(part).__name__ == "_CalibratedClassifier":
            yield part
            waiting.extend(vars(part).values())


class _Prober:
    def __init__(self, reference: Reference, features: tuple[Feature, ...], rows: Rows) -> None:
        self._reference = reference
        self._features = features
        self._base = self._complete_row(rows)
        self._categories: list[list[Any]] = [part.tolist() for part in known_categories(reference.estimator)]
        self._places: dict[str, int] = {}
        counts = [0, 0]
        for feature in features:
            self._places[feature.name] = counts[feature.is_string]
            counts[feature.is_string] += 1

    def _complete_row(self, rows: Rows) -> Rows:
        """A row that the estimator takes, with as few missing values as any among the first."""
        some = rows.take(slice(256))
        gone = np.isnan(some.numbers).sum(axis=1) + (some.strings == None).sum(axis=1)  # noqa: E711 - element by element
        for i in np.argsort(gone, kind="stable")[:16]:
            row = some.take([i])
            if self._reference.accepts(row):
                return row
        raise PublishError("the estimator takes none of the sample rows once they are rebuilt from JSON")

    def probe(self) -> tuple[Feature, ...]:
        features = self._probe_categories(self._features)
        features = self._probe_missing(features)
        return self._probe_magnitudes(features)

    def _accepts(self, cells: Iterable[tuple[Feature, Any]]) -> bool:
        """Whether the estimator takes the base row with these features set to these values."""
        row = Rows(self._base.numbers.copy(), self._base.strings.copy())
        for feature, value in cells:
            block = row.strings if feature.is_string else row.numbers
            block[0, self._places[feature.name]] = value
        return self._reference.accepts(row)

    def _probe_categories(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        if self._reference.signature.container == "texts":
            return features
        return tuple(self._with_categories(feature) for feature in features)

    def _with_categories(self, feature: Feature) -> Feature:
        if feature.dtype == "bool":
            return feature
        if feature.frame_dtype == "category":  # pandas makes any other value a missing one; the order is the dtype's
            closed = not feature.nullable and not self._accepts([(feature, _missing(feature))])
            return feature.model_copy(update={"closed": closed})
        return self._with_strings(feature) if feature.is_string else self._with_numbers(feature)

    def _with_strings(self, feature: Feature) -> Feature:
        seen = set(feature.categories or ())
        known = set(seen)
        missing = feature.missing
        for categories in self._categories:
            if _are(str, categories) and seen.intersection(categories):
                known.update(value for value in categories if isinstance(value, str))
                if not feature.nullable and None in categories:
                    missing = "none"
        if not known:
            return feature
        if self._accepts([(feature, UNSEEN)]):
            return feature.model_copy(update={"categories": tuple(sorted(known)), "missing": missing})
        taken = self._taken(feature, sorted(known))
        update = {"categories": taken or feature.categories, "closed": bool(taken), "missing": missing}
        return feature.model_copy(update=update)

    def _with_numbers(self, feature: Feature) -> Feature:
        """Closed where the estimator takes all numbers that an encoder inside knows, and none between or beyond."""
        seen = {feature.seen_min, feature.seen_max} - {None}
        known: set[Any] = set()
        for categories in self._categories:
            if not _are(int | float, categories) or not seen.intersection(categories):
                continue
            numbers = sorted({value for value in categories if not pd.isna(value)})
            if any(self._accepts([(feature, gap)]) for gap in _gaps(numbers, whole=feature.dtype == "int64")):
                continue
            taken = self._taken(feature, numbers)
            if len(taken) == len(numbers):
                known.update(taken)
        if not known:
            return feature
        return feature.model_copy(update={"categories": tuple(sorted(known)), "closed": True})

    def _taken(self, feature: Feature, values: list[Any]) -> tuple[Any, ...]:
        """Those of the values that the estimator takes in the base row."""
        rows = self._base.take(np.zeros(len(values), np.int64))
        block: NDArray[Any] = rows.strings if feature.is_string else rows.numbers
        block[:, self._places[feature.name]] = values
        accepted = self._reference.accepted(rows).tolist()
        return tuple(value for value, taken in zip(values, accepted, strict=True) if taken)

    def _probe_missing(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        asked = [f for f in features if not f.nullable]
        if self._reference.signature.container == "texts":
            return features
        gone: dict[str, bool] = {}
        if self._accepts((f, _missing(f)) for f in asked):
            gone = {f.name: True for f in asked}
        elif len(asked) <= _PROBES_LIMIT:
            gone = {f.name: self._accepts([(f, _missing(f))]) for f in asked}
        return tuple(f.model_copy(update={"nullable": f.nullable or gone.get(f.name, False)}) for f in features)

    def _probe_magnitudes(self, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        asked = [
            f
            for f in features
            if f.dtype in ("float64", "float32", "int64") and not f.closed and f.frame_dtype != "category"
        ]
        if not asked:
            return features
        limit = self._joint_limit(asked)
        bounds: dict[str, tuple[float | None, float | None]] = {}
        if limit is None and len(asked) <= _PROBES_LIMIT:
            bounds = {f.name: (self._limit(f, -1.0), self._limit(f, 1.0)) for f in asked}
        elif limit is not None and limit < _MAGNITUDES[0]:
            bounds = {f.name: (-limit, limit) for f in asked}
        return tuple(_bounded(f, *bounds.get(f.name, (None, None))) for f in features)

    def _joint_limit(self, asked: list[Feature]) -> float | None:
        """The largest magnitude that all features may have at once, with any sign; None if it is no large one."""
        signs = [np.ones(len(asked)), -np.ones(len(asked)), np.resize([1.0, -1.0], len(asked))]
        for magnitude in _MAGNITUDES:
            if magnitude < 1e12:
                return None
            if all(self._accepts(zip(asked, sign * magnitude, strict=True)) for sign in signs):
                return magnitude
        return None

    def _limit(self, feature: Feature, sign: float) -> float | None:
        """The bound of what the estimator takes of this feature in one direction; None if there is none."""
        inside = float(self._base.numbers[0, self._places[feature.name]])
        if np.isnan(inside):
            return None
        outside: float | None = None
        for magnitude in (m for m in _MAGNITUDES if m > abs(inside)):
            if self._accepts([(feature, sign * magnitude)]):
                inside = sign * magnitude
                break
            outside = sign * magnitude
        if outside is None:
            return None
        if abs(inside) >= 1e12:
            return inside
        return self._bisect(feature, inside, outside)

    def _bisect(self, feature: Feature, inside: float, outside: float) -> float:
        if inside * outside < 0 and self._accepts([(feature, 0.0)]):
            inside = 0.0  # halving comes near to zero, but not to it
            if not self._accepts([(feature, np.copysign(np.finfo(np.float64).tiny, outside))]):
                return inside
        for _ in range(_BISECTIONS):
            middle = inside + (outside - inside) / 2
            if middle in (inside, outside):
                break
            if self._accepts([(feature, middle)]):
                inside = middle
            else:
                outside = middle
        return inside


def _missing(feature: Feature) -> float | None:
    return None if feature.is_string else np.nan


def _are(kind: Any, categories: list[Any]) -> bool:
    """Whether all categories but a missing one are of a kind; booleans are no numbers."""
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in categories if not pd.isna(value))


def _gaps(numbers: list[Any], *, whole: bool) -> Iterator[float]:
    """A number below, one above, and one between two of these sorted ones, if there is any."""
    yield numbers[0] - 1
    yield numbers[-1] + 1
    for low, high in pairwise(numbers):
        if not whole or high - low > 1:
            yield low + 1 if whole else low + (high - low) / 2
            return


def _bounded(feature: Feature, low: float | None, high: float | None) -> Feature:
    if feature.dtype == "int64":
        low = -_WHOLE_LIMIT if low is None else max(low, -_WHOLE_LIMIT)
        high = _WHOLE_LIMIT if high is None else min(high, _WHOLE_LIMIT)
    return feature.model_copy(update={"accepts_min": low, "accepts_max": high})
