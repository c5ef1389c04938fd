from __future__ import annotations

from stacks.constructs import queries
from tests.stacks.constructs.resources import RUNBOOK


def test_a_page_is_four_lines_and_names_dashboard_and_query() -> None:
    page = RUNBOOK.page(means="a.", look="b.", query=queries.ERRORS, back=RUNBOOK.either)
    assert page.splitlines() == [
        "Means: a.",
        "Look first: b.",
        "Dashboard: alphard-dev-operations. Saved query: alphard/dev/errors-by-path-and-status",
        "Back: if it began with a model: put the model back; with a release: put the release back",
    ]


def test_a_failed_deployment_is_told_with_what_its_event_says() -> None:
    text = RUNBOOK.failed_deployment("alphard-dev-service")
    assert text.startswith("alphard-dev-service: deployment <deployment> failed at <time>: <reason>\nMeans: ")
    assert text.count("<") == 3  # any other would be taken for a value of the event


def test_the_dashboards_text_holds_both_ways_back() -> None:
    text = RUNBOOK.markdown("alphard-dev-service")
    assert text.startswith("## alphard-dev-service\n")
    assert "`put the model back`" in text
    assert "`put the release back`" in text
