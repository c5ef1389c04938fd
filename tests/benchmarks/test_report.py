from __future__ import annotations

from benchmarks.figure import draw
from benchmarks.measure import SCENARIOS, Form
from benchmarks.report import write_report
from benchmarks.results import ratios
from tests.benchmarks.finding import profiles, results, scale


def test_the_report_shows_every_contestant_and_who_is_left_out() -> None:
    given = results(ours=40, theirs=60)
    page = write_report(given, profiles(), scale(), ratios(given), Form(3, 1.0), first=True)
    for shown in (
        "| Alphard | 25,000",
        "| Ray Serve | 111",
        "MLflow: no wheel",
        "1.25 times as long",
        "| 1.50 | 1.00 to 2.00",
    ):
        assert shown in page
    drawing = draw(given, "logistic")
    assert drawing.count("<circle") == 4 * len(SCENARIOS)


def test_a_tail_stands_beside_alphards_at_the_same_rate_or_at_half_of_its_capacity() -> None:
    given = results(ours=40, theirs=60)
    page = write_report(given, profiles(), scale(), ratios(given), Form(3, 1.0), first=False)
    assert "| plain ASGI callable | 500 | 0.50 | 3.00 | 3.00 to 3.00 | 0 of 1 | 2.00 |" in page
    assert "| Ray Serve | 9 | 9.00 | 24.00 | 24.00 to 24.00 | 1 of 1 | 6.00 |" in page
    assert "could not come before" in page


def test_the_report_tells_where_the_time_goes() -> None:
    given = results(ours=40, theirs=60)
    page = write_report(given, profiles(), scale(), ratios(given), Form(3, 1.0), first=True)
    assert "| 1 row x 32 | of the time |" in page
    assert "| `run`, service/server.py | 75% |" in page
