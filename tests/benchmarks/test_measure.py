from __future__ import annotations

import pytest

from benchmarks.contest import ALPHARD
from benchmarks.load import WrongAnswerError
from benchmarks.measure import checked_answers
from benchmarks.models import Asked
from benchmarks.servers import Server
from tests.benchmarks.answering import answering, response


def test_an_answer_is_checked_by_what_the_estimator_predicts() -> None:
    def server(address: tuple[str, int]) -> Server:
        return Server(None, address)  # type: ignore[arg-type]  # no process: it is in this one

    body = b'{"predictions":["yes"],"model":{}}'
    with answering(lambda _request, _number: response(body)) as address:
        _, answers = checked_answers(ALPHARD, server(address), [Asked([[1.0]], ["yes"])])
        assert answers == [body]
        with pytest.raises(WrongAnswerError, match="Alphard"):
            checked_answers(ALPHARD, server(address), [Asked([[1.0]], ["no"])])
