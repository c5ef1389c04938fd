"""How many threads the libraries under scikit-learn compute with: as many as the task may keep busy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from service.processor import processor_share


@contextmanager
def following_the_share() -> Iterator[None]:
    """Holds OpenMP and BLAS to the processor's share for good; within the block scikit-learn is imported.

    By themselves they start a thread for each processor of the host. OpenMP reads its number once, when it is loaded,
    and setting it later holds for one thread only; BLAS may be loaded already, by NumPy. A lower number that was set
    from outside stays.
    """
    share = processor_share()
    os.environ.setdefault("OMP_NUM_THREADS", str(share))
    yield
    from threadpoolctl import ThreadpoolController  # scikit-learn itself needs it

    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        library.set_num_threads(min(library.get_num_threads(), share))
