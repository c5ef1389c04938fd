from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Form
from benchmarks.models import make_model
from benchmarks.processes import COUNTS
from benchmarks.scale import measure_scale, write_scale
from tests.benchmarks.finding import scale


def test_each_size_says_what_limits_it() -> None:
    page = write_scale(scale())
    for shown in (
        "| 1 row x 8 | the load | 4 | 4,000 | 100 | 0 | 20 |",
        "| 1 | 2 | 10 | 100,000 | 20,000 | 360.40 |",
        "- 1 vCPU: the one core",
        "p99 0.9 ms",
        "| forest | 64 rows x 8 | 1,000 | 1,800 | 1.90 |",
    ):
        assert shown in page


@pytest.mark.slow
def test_processes_and_tasks_are_measured_by_the_service_itself(tmp_path: Path) -> None:
    found = measure_scale(make_model("logistic", tmp_path), [], Form(1, 0.05), tmp_path)
    assert [fleet.processes for fleet in found.fleets.measured][:3] == list(COUNTS)
    assert all(fleet.median.rate > 0 < fleet.median.service for fleet in found.fleets.measured)
    assert all(mib > 0 for mib in found.fleets.mib.values())
    assert found.tasks.measured[-1].share == 1
    assert all(each.two > 0 < each.busy for each in found.tasks.two_cores)
    assert "## Tasks of Fargate" in write_scale(found)
