from __future__ import annotations

from typing import Any

import pytest

from service.loader import Rejection, Status
from stacks.account.model import Golden
from stacks.account.verify import agree, verify
from stacks.errors import CommandError
from tests.serving import ROW, FakeLoader, FakeModel, free_port, make_service, serving


def golden(**changed: Any) -> Golden:
    """What the fake model answers to two rows."""
    model = FakeModel().manifest
    found = Golden(model.name, model.version, [ROW, ROW], [f"{model.version}:3"] * 2, [[0.5, 0.5]] * 2)
    return found._replace(**changed)


def check(given: Golden, loader: FakeLoader | None = None) -> str:
    with serving(make_service(loader=loader)) as server:
        return verify(f"http://127.0.0.1:{server.config.port}", given, deadline_seconds=0)


def test_a_service_that_answers_its_golden_rows_is_in_order() -> None:
    assert check(golden()).endswith(
        f"is ready with {golden().name} {golden().version}, and answers its 2 golden rows as published"
    )


def test_labels_alone_are_compared_where_no_probabilities_were_published() -> None:
    assert "2 golden rows" in check(golden(probabilities=None))


def test_another_label_is_shown_beside_the_published_one() -> None:
    with pytest.raises(CommandError, match=r'other predictions: \["7:3", "7:3"\], published were \["7:3", "7:4"\]'):
        check(golden(predictions=["7:3", "7:4"]))


def test_another_probability_is_a_difference() -> None:
    with pytest.raises(CommandError, match="other probabilities"):
        check(golden(probabilities=[[0.5, 0.5], [0.4, 0.6]]))


def test_a_refused_row_is_told_in_the_services_own_words() -> None:
    with pytest.raises(CommandError, match=r"/predict: status 422: .*rooms"):
        check(golden(rows=[["three", None, True, "Rome", "new"], ROW]))


def test_a_service_without_a_model_is_not_ready_and_says_why() -> None:
    loader = FakeLoader(Status(None, "failed", "the bucket is not there"))
    with pytest.raises(CommandError, match=r"/ready: status 503 \(.*the bucket is not there\), after 0 seconds"):
        check(golden(), loader)


def test_another_version_than_the_alias_names_is_told_with_the_reason_of_its_rejection() -> None:
    loader = FakeLoader(Status(FakeModel(), None, None, Rejection("2", "its golden answers differ")))
    with pytest.raises(CommandError, match="2 was rejected: its golden answers differ"):
        check(golden(version="2"), loader)


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(CommandError, match="no answer"):
        verify(f"http://127.0.0.1:{free_port()}", golden(), deadline_seconds=0)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (1.0, 1.000009, True),
        (1.0, 1.00002, False),
        (1e-9, 5e-6, True),  # beside the others' scale of 1, it is nothing
        (1.0, 1, True),
        (1.0, True, False),
        (1, 1.0, False),
        (1, True, False),
        ("1", 1, False),
        (None, None, True),
        (None, 0.0, False),
        ([1.0, ["a"]], [1.0, ["a"]], True),
        ([1.0], [1.0, 2.0], False),
        ([1.0], 1.0, False),
    ],
)
def test_numbers_agree_within_a_tolerance_and_all_else_by_equality(expected: Any, got: Any, same: bool) -> None:
    assert agree(expected, got, 1.0) is same
