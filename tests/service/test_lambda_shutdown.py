from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from service.stores import Store, open_store
from tests.service.lambda_runtime import environment
from tests.service.published import put

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(str(tmp_path / "store"))
    put(made, "1")
    return made


def test_no_figure_is_lost_when_the_environment_goes(store: Store, tmp_path: Path) -> None:
    with environment(f"{store.uri}/iris/1", tmp_path) as function:
        assert function.registered == [{"name": "alphard", "events": []}]
        assert function.waits_for_events.wait(20)
        for _ in range(5):
            function.ask("POST", "/predict", {"instances": ROWS})
        assert 0 < function.figures("requests") < 5
        before = len(function.lines())
        assert function.end() == 0
        assert function.figures("requests") == 5
        assert function.figures("rows") == 10
        late = function.lines()[before:]
        last = datetime.fromisoformat(function.events_logged("request")[-1]["timestamp"]).timestamp()
        for line in late:  # written at the end, but of the time when they came about
            assert abs(line["_aws"]["Timestamp"] / 1000 - last) < 0.5


def test_figures_of_a_load_that_no_request_followed_are_written_too(store: Store, tmp_path: Path) -> None:
    with environment(f"{store.uri}/iris/1", tmp_path) as function:
        assert function.end() == 0
        assert function.figures("model_loads") == 1


def test_where_the_extension_is_refused_it_says_so_and_serves(store: Store, tmp_path: Path) -> None:
    with environment(f"{store.uri}/iris/1", tmp_path, extensions=False) as function:
        assert function.ask("GET", "/ready").status == 200
        (line,) = function.events_logged("extension_refused")
        assert (line["level"], line["detail"]) == ("WARNING", "registering answered 403")
