from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

_PROGRAM = """
import json, sys, threading
import numpy
import service.engines.threads as threads
threads.processor_share = lambda: int(sys.argv[1])
with threads.following_the_share():
    import sklearn.ensemble, sklearn.neighbors
from threadpoolctl import threadpool_info
found = []
worker = threading.Thread(target=lambda: found.extend(threadpool_info()))
worker.start()
worker.join()
print(json.dumps([(each["user_api"], each["num_threads"]) for each in found]))
"""


def _threads_of_a_worker(share: int, **variables: str) -> list[tuple[str, int]]:
    """The libraries of a process with this share, and how many threads each has for a call from a worker thread."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(share)], capture_output=True, check=True, env={**kept, **variables}
    )
    found: list[Any] = json.loads(done.stdout)
    return [(api, count) for api, count in found]


@pytest.mark.parametrize("share", [1, 2])
def test_every_library_keeps_to_the_share(share: int) -> None:
    found = _threads_of_a_worker(share, OPENBLAS_NUM_THREADS="2")
    assert {api for api, _ in found} == {"openmp", "blas"}
    assert {count for _, count in found} == {share}


def test_a_lower_number_from_outside_stays() -> None:
    found = _threads_of_a_worker(2, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    assert {count for _, count in found} == {1}
