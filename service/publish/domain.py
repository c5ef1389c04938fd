"""Which values an estimator takes, found by asking it: missing values, unseen categories, magnitudes.

An engine must never answer where the estimator would have refused. So what the estimator refuses goes into the
signature, and a request with such a value is a client's mistake that names row and feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
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
        self._categories = list(known_categories(reference.estimator))
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
        seen = self._seen(feature)
        known: set[Any] = set(feature.categories or ())
        missing = feature.missing
        for categories in self._categories:
            values = categories.tolist()
            if feature.is_string == (categories.dtype.kind in "OU") and seen & set(map(_hashable, values)):
                known.update(value for value in values if isinstance(value, str | float | int) and value == value)
                if feature.is_string and not feature.nullable and None in values:
                    missing = "none"
        if not known or feature.dtype == "bool":
            return feature
        if feature.frame_dtype == "category":  # pandas makes any other value a missing one; the order is the dtype's
            return feature
        strange = UNSEEN if feature.is_string else max(known) + 0.5
        if self._accepts([(feature, strange)]):
            return feature.model_copy(
                update={"categories": tuple(sorted(known)) if feature.is_string else None, "missing": missing}
            )
        taken = tuple(value for value in sorted(known) if self._accepts([(feature, value)]))
        closed = bool(taken) and (feature.is_string or len(taken) == len(known))
        update = {"categories": taken if closed else feature.categories, "closed": closed, "missing": missing}
        return feature.model_copy(update=update)

    def _seen(self, feature: Feature) -> set[Any]:
        if feature.is_string:
            return set(feature.categories or ())
        return set(self._sample_values(feature))

    def _sample_values(self, feature: Feature) -> list[float]:
        values = [feature.seen_min, feature.seen_max]
        return [value for value in values if value is not None]

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
        asked = [f for f in features if f.dtype in ("float64", "float32", "int64") and not f.closed]
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


def _hashable(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _bounded(feature: Feature, low: float | None, high: float | None) -> Feature:
    if feature.dtype == "int64":
        low = -_WHOLE_LIMIT if low is None else max(low, -_WHOLE_LIMIT)
        high = _WHOLE_LIMIT if high is None else min(high, _WHOLE_LIMIT)
    return feature.model_copy(update={"accepts_min": low, "accepts_max": high})
