from __future__ import annotations

import pytest

from benchmarks.profiles import shares

RUN = "main (service/cli.py:1);run (service/server.py:84)"


def test_a_sample_is_of_the_innermost_own_function_on_the_event_loop() -> None:
    stacks = (
        f"{RUN} 50\n"
        f"{RUN};Direct.take (service/direct.py:10);loads (orjson/__init__.py:3) 30\n"
        f"{RUN};Direct.take (service/direct.py:11) 20\n"
        "_bootstrap (threading.py:1);_worker (concurrent/futures/thread.py:81) 900\n"
    )
    assert shares(stacks) == pytest.approx({"`run`, service/server.py": 0.5, "`Direct.take`, service/direct.py": 0.5})


def test_what_is_hardly_seen_is_not_named() -> None:
    assert list(shares(f"{RUN} 995\n{RUN};encode (service/codec/encode.py:5) 5\n")) == ["`run`, service/server.py"]
