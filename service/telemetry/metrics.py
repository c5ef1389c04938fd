"""Counters, gauges and timings in memory, read as Prometheus text and flushed as CloudWatch EMF."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import orjson

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]

BOUNDS = (
    *(float(f"{step}e{power}") for power in range(-4, 1) for step in (1, 1.5, 2, 3, 5, 7)),
    *(10.0, 15.0, 30.0, 60.0),
)
"""Upper bounds of a timing's buckets in seconds: fewer than the 100 values that EMF allows for one metric, and close
enough for a percentile to be within half of its true value."""


class _Timing:
    """Observations in buckets since the start; the extremes only since the last flush."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0
        self.low = float("inf")
        self.high = 0.0
        self.flushed_buckets = list(self.buckets)
        self.flushed_sum = 0.0

    def observe(self, seconds: float) -> None:
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds
        self.low = min(self.low, seconds)
        self.high = max(self.high, seconds)

    def flush(self) -> dict[str, Any] | None:
        """What came since the last flush in EMF's form of values and counts, or None if nothing did.

        The form is the one of AWS's own exporter of the OpenTelemetry collector (awsemfexporter, cWMetricHistogram).
        A bucket stands for its upper bound, so that a percentile is never reported too low.
        """
        counts = [now - before for now, before in zip(self.buckets, self.flushed_buckets, strict=True)]
        if not any(counts):
            return None
        tops = [min(max(bound, self.low), self.high) for bound in (*BOUNDS, self.high)]
        filled = [(top, count) for top, count in zip(tops, counts, strict=True) if count]
        flushed = {
            "Values": [top for top, _ in filled],
            "Counts": [count for _, count in filled],
            "Min": self.low,
            "Max": self.high,
            "Sum": self.sum - self.flushed_sum,
            "Count": sum(counts),
        }
        self.flushed_buckets, self.flushed_sum = list(self.buckets), self.sum
        self.low, self.high = float("inf"), 0.0
        return flushed


class Metrics:
    """Figures of one process; calls may come from several threads.

    Names are snake_case without a prefix or a unit. Labels become Prometheus labels and CloudWatch dimensions, where
    every combination is a metric that is paid for: give them few values, and never one that comes from a client.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Series, float] = {}
        self._flushed_counts: dict[Series, float] = {}
        self._gauges: dict[Series, float] = {}
        self._timings: dict[Series, _Timing] = {}
        self._series: dict[tuple[Any, ...], Series] = {}

    def count(self, name: str, value: float = 1, **labels: Hashable) -> None:
        """Adds to a counter."""
        series = self._name(name, labels)
        with self._lock:
            self._counts[series] = self._counts.get(series, 0) + value

    def gauge(self, name: str, value: float, **labels: Hashable) -> None:
        """Sets a gauge."""
        series = self._name(name, labels)
        with self._lock:
            self._gauges[series] = value

    def observe(self, name: str, *seconds: float, **labels: Hashable) -> None:
        """Adds durations to a timing."""
        series = self._name(name, labels)
        with self._lock:
            timing = self._timings.get(series)
            if timing is None:
                timing = self._timings[series] = _Timing()
            for each in seconds:
                timing.observe(each)

    def prometheus(self) -> str:
        """All figures since the start, in the Prometheus text format 0.0.4, seconds as the unit of timings."""
        with self._lock:
            lines = [
                *_simple("counter", "_total", self._counts),
                *_simple("gauge", "", self._gauges),
                *_histograms(self._timings),
            ]
        return "".join(f"{line}\n" for line in lines)

    def flush(self, *, namespace: str, service: str, timestamp_ms: int) -> list[bytes]:
        """What changed since the last flush as EMF documents, one for each combination of labels.

        Gauges are always among them, at their present value.
        """
        documents: dict[Labels, list[tuple[str, str, Any]]] = {}
        with self._lock:
            for (name, labels), unit, value in self._flushed():
                documents.setdefault(labels, []).append((name, unit, value))
        return [_emf(labels, figures, namespace, service, timestamp_ms) for labels, figures in documents.items()]

    def _name(self, name: str, labels: dict[str, Any]) -> Series:
        called = (name, *labels.items())
        series = self._series.get(called)
        if series is None:
            series = name, tuple(sorted((key, str(value)) for key, value in labels.items()))
            self._series[called] = series
        return series

    def _flushed(self) -> Iterator[tuple[Series, str, Any]]:
        for series, value in self._counts.items():
            if value != (before := self._flushed_counts.get(series, 0)):
                yield series, "Count", value - before
        self._flushed_counts = dict(self._counts)
        for series, value in self._gauges.items():
            yield series, "None", value
        for (name, labels), timing in self._timings.items():
            if (values := timing.flush()) is not None:
                yield (f"{name}_seconds", labels), "Seconds", values


def _emf(
    labels: Labels, figures: Sequence[tuple[str, str, Any]], namespace: str, service: str, timestamp_ms: int
) -> bytes:
    dimensions = {"service": service, **dict(labels)}
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit, _ in figures],
    }
    return orjson.dumps(
        {
            "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": [directive]},
            **dimensions,
            **{name: value for name, _, value in figures},
        }
    )


def _simple(kind: str, suffix: str, values: dict[Series, float]) -> Iterator[str]:
    for name, of_name in _by_name(values):
        yield f"# TYPE alphard_{name}{suffix} {kind}"
        for labels in of_name:
            yield f"alphard_{name}{suffix}{_braces(labels)} {_number(values[name, labels])}"


def _histograms(timings: dict[Series, _Timing]) -> Iterator[str]:
    for name, of_name in _by_name(timings):
        yield f"# TYPE alphard_{name}_seconds histogram"
        for labels in of_name:
            timing, total = timings[name, labels], 0
            for bound, count in zip((*map(_number, BOUNDS), "+Inf"), timing.buckets, strict=True):
                total += count
                yield f"alphard_{name}_seconds_bucket{_braces((*labels, ('le', bound)))} {total}"
            yield f"alphard_{name}_seconds_sum{_braces(labels)} {_number(timing.sum)}"
            yield f"alphard_{name}_seconds_count{_braces(labels)} {total}"


def _by_name(series: Iterable[Series]) -> list[tuple[str, list[Labels]]]:
    names: dict[str, list[Labels]] = {}
    for name, labels in sorted(series):
        names.setdefault(name, []).append(labels)
    return list(names.items())


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return f"{value:.12g}"
