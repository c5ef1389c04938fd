from __future__ import annotations

import io

import pytest

from service.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_each_step_is_a_line() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress("fetching")
        progress("checking")
    assert stream.getvalue() == "fetching\nchecking\n"


def test_on_a_terminal_one_line_is_written_over_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "21")
    stream = Terminal()
    with Progress(stream) as progress:
        progress("fetching")
        progress("x" * 100)
    clear = "\r\x1b[2K"
    assert stream.getvalue() == f"{clear}fetching{clear}{'x' * 20}{clear}"


def test_a_terminal_that_knows_no_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Progress(stream) as progress:
        progress("fetching")
    assert stream.getvalue() == "fetching\n"
