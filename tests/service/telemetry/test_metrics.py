from __future__ import annotations

import json
import threading
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from service.telemetry import Metrics
from service.telemetry.metrics import BOUNDS


def flushed(metrics: Metrics) -> list[dict[str, Any]]:
    return [json.loads(line) for line in metrics.flush(namespace="Alphard", service="alphard", timestamp_ms=7)]


def test_a_counter_adds_up_by_its_labels() -> None:
    metrics = Metrics()
    metrics.count("requests", route="/predict", status=200)
    metrics.count("requests", 2, status=200, route="/predict")
    metrics.count("requests", route="/predict", status=422)
    assert metrics.prometheus() == (
        "# TYPE alphard_requests_total counter\n"
        'alphard_requests_total{route="/predict",status="200"} 3\n'
        'alphard_requests_total{route="/predict",status="422"} 1\n'
    )


def test_a_gauge_holds_its_last_value() -> None:
    metrics = Metrics()
    metrics.gauge("ready", 0)
    metrics.gauge("ready", 1)
    assert metrics.prometheus() == "# TYPE alphard_ready gauge\nalphard_ready 1\n"


def test_a_timing_is_a_cumulative_histogram_in_seconds() -> None:
    metrics = Metrics()
    for seconds in (0.00005, 0.0001, 0.4, 61.0):
        metrics.observe("request", seconds, route="/predict")
    lines = metrics.prometheus().splitlines()
    assert lines[0] == "# TYPE alphard_request_seconds histogram"
    assert lines[1] == 'alphard_request_seconds_bucket{route="/predict",le="0.0001"} 2'
    assert 'alphard_request_seconds_bucket{route="/predict",le="0.3"} 2' in lines
    assert 'alphard_request_seconds_bucket{route="/predict",le="0.5"} 3' in lines
    assert 'alphard_request_seconds_bucket{route="/predict",le="60"} 3' in lines
    assert lines[-3] == 'alphard_request_seconds_bucket{route="/predict",le="+Inf"} 4'
    assert lines[-2] == 'alphard_request_seconds_sum{route="/predict"} 61.40015'
    assert lines[-1] == 'alphard_request_seconds_count{route="/predict"} 4'


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    metrics = Metrics()
    metrics.count("loads", reason='say "no"\n\\ then')
    assert r'alphard_loads_total{reason="say \"no\"\n\\ then"} 1' in metrics.prometheus()


def test_the_bounds_rise_and_fit_one_emf_metric() -> None:
    assert list(BOUNDS) == sorted(set(BOUNDS))
    assert len(BOUNDS) + 1 <= 100


def test_a_flush_tells_what_came_since_the_last_one() -> None:
    metrics = Metrics()
    metrics.count("rows", 5)
    metrics.observe("request", 0.0004)
    assert [(d["rows"], d["request_seconds"]["Count"]) for d in flushed(metrics)] == [(5, 1)]
    assert flushed(metrics) == []
    metrics.count("rows", 3)
    metrics.observe("request", 0.004)
    metrics.observe("request", 0.2)
    (document,) = flushed(metrics)
    assert document["rows"] == 3
    assert document["request_seconds"]["Values"] == [0.005, 0.2]
    assert document["request_seconds"]["Counts"] == [1, 1]
    assert (document["request_seconds"]["Min"], document["request_seconds"]["Max"]) == (0.004, 0.2)
    assert abs(document["request_seconds"]["Sum"] - 0.204) < 1e-12


def test_an_observation_over_the_last_bound_is_flushed_as_it_was() -> None:
    metrics = Metrics()
    metrics.observe("load", 100.0)
    assert flushed(metrics)[0]["load_seconds"]["Values"] == [100.0]


def test_a_gauge_is_flushed_every_time() -> None:
    metrics = Metrics()
    metrics.gauge("ready", 1)
    assert [document["ready"] for document in flushed(metrics) + flushed(metrics)] == [1, 1]


def test_a_counter_is_flushed_in_the_form_that_powertools_writes() -> None:
    ours = Metrics()
    ours.count("requests", 3, route="/predict")
    theirs = EphemeralMetrics(namespace="Alphard", service="alphard")
    theirs.add_dimension("route", "/predict")
    theirs.add_metric("requests", "Count", 3)
    expected = json.loads(json.dumps(theirs.serialize_metric_set()))
    (document,) = flushed(ours)
    expected["_aws"]["Timestamp"] = document["_aws"]["Timestamp"]
    expected["requests"] = 3
    for directive in expected["_aws"]["CloudWatchMetrics"] + document["_aws"]["CloudWatchMetrics"]:
        directive["Dimensions"] = [sorted(names) for names in directive["Dimensions"]]
    assert document == expected


def test_counts_from_many_threads_are_all_kept() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(2000):
            metrics.count("requests")
            metrics.observe("request", 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (document,) = flushed(metrics)
    assert (document["requests"], document["request_seconds"]["Count"]) == (8000, 8000)
