"""What a command is doing, said on standard error while it does it."""

from __future__ import annotations

import os
import shutil
import sys
from types import TracebackType
from typing import TextIO

_CLEAR = "\r\x1b[2K"


class Progress:
    """One live line on a terminal, gone at the end; a plain line for each step elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, step: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"{_CLEAR}{step[:width]}")
        else:
            self._stream.write(f"{step}\n")
        self._stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._stream.write(_CLEAR)
            self._stream.flush()
