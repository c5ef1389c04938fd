from __future__ import annotations

import asyncio
import io
import json
import logging
import shlex
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.telemetry.logs import AccessLog, Form, Output, configure_logging, request_id


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "alphard", "uvicorn", "uvicorn.error")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(False)
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


class Lines(io.StringIO):
    def read_json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def configured(level: str = "INFO", form: Form = "json") -> tuple[Lines, Output]:
    stream = Lines()
    return stream, configure_logging(level, form, stream)


def test_an_event_is_one_flat_object_in_the_schema_of_powertools() -> None:
    stream, _ = configured()
    logging.getLogger("alphard.loader").info("model_loaded", extra={"model_version": "7", "load_seconds": 0.5})
    (line,) = stream.read_json()
    assert line.pop("timestamp").endswith("+00:00")
    assert line.pop("location").startswith("test_an_event_is_one_flat_object_in_the_schema_of_powertools:")
    assert line == {
        "level": "INFO",
        "message": "model_loaded",
        "service": "alphard",
        "model_version": "7",
        "load_seconds": 0.5,
    }


def test_levels_are_ours_and_other_libraries_speak_from_warnings_on() -> None:
    stream, _ = configured("DEBUG")
    for name in ("alphard", "alphard.loader", "uvicorn.error", "botocore"):
        logging.getLogger(name).debug("quiet", extra={"logger": name})
        logging.getLogger(name).warning("loud", extra={"logger": name})
    said = [(line["message"], line["logger"]) for line in stream.read_json()]
    assert said == [
        ("quiet", "alphard"),
        ("loud", "alphard"),
        ("quiet", "alphard.loader"),
        ("loud", "alphard.loader"),
        ("quiet", "uvicorn.error"),
        ("loud", "uvicorn.error"),
        ("loud", "botocore"),
    ]


def test_configuring_twice_writes_each_line_once() -> None:
    configured()
    stream, _ = configured()
    logging.getLogger("alphard").info("once")
    assert len(stream.read_json()) == 1


def test_uvicorns_colours_are_left_out() -> None:
    stream, _ = configured()
    logging.getLogger("uvicorn.error").info("Started [%d]", 7, extra={"color_message": "Started \x1b[36m7"})
    (line,) = stream.read_json()
    assert (line["message"], "color_message" in line) == ("Started [7]", False)


def test_warnings_are_lines_too() -> None:
    stream, _ = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    (line,) = stream.read_json()
    assert "old thing" in line["message"]


def test_an_exception_outside_of_requests_is_written_whole() -> None:
    stream, _ = configured()
    try:
        raise ValueError("no such bucket")
    except ValueError:
        logging.getLogger("alphard.loader").exception("load_failed")
    (line,) = stream.read_json()
    assert line["exception_name"] == "ValueError"
    assert "ValueError: no such bucket" in line["exception"]


def test_an_exception_inside_of_a_request_is_written_without_what_it_says() -> None:
    stream, _ = configured()
    token = request_id.set("r-1")
    try:
        try:
            float("secret-value")
        except ValueError as error:
            error.add_note("secret-note")
            raise RuntimeError("secret-message") from error
    except RuntimeError:
        logging.getLogger("alphard").exception("request_failed")
    finally:
        request_id.reset(token)
    (line,) = stream.read_json()
    assert (line["request_id"], line["exception_name"]) == ("r-1", "RuntimeError")
    assert line["exception"].index("ValueError") < line["exception"].index("RuntimeError")
    assert 'float("secret-value")' in line["exception"]  # the source of this test, not the value
    assert "secret" not in stream.getvalue().replace('secret-value\\")', "").replace('secret-message\\")', "")


def test_a_chain_of_exceptions_that_bites_its_tail_ends() -> None:
    stream, _ = configured()
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    token = request_id.set("r-1")
    logging.getLogger("alphard").error("odd", exc_info=first)
    request_id.reset(token)
    assert "KeyError" in stream.read_json()[0]["exception"]


def test_concurrent_tasks_never_mix_their_request_ids() -> None:
    stream, _ = configured()

    async def work(name: str) -> None:
        request_id.set(name)
        for _ in range(5):
            await asyncio.sleep(0)
            logging.getLogger("alphard").info("step", extra={"expected": name})

    async def together() -> None:
        await asyncio.gather(*(work(f"r-{i}") for i in range(50)))

    asyncio.run(together())
    lines = stream.read_json()
    assert len(lines) == 250
    assert all(line["request_id"] == line["expected"] for line in lines)
    logging.getLogger("alphard").info("outside")
    assert "request_id" not in stream.read_json()[-1]


FIELDS = {
    "request_id": "r-1",
    "method": "POST",
    "path": "/predict",
    "status": 200,
    "duration_ms": 1.25,
    "bytes_in": 10,
    "bytes_out": 20,
    "rows": 2,
    "model_version": "7",
    "client": "10.0.0.1",
}


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_the_line_of_a_request_has_the_form_of_an_event(form: Form) -> None:
    stream, output = configured(form=form)
    AccessLog(output, "INFO").write(logging.INFO, FIELDS)
    logging.getLogger("alphard").info("request", extra={"event": "request", **FIELDS})
    lean, event = map(parse, stream.getvalue().splitlines())
    assert list(lean) == list(event)
    for parsed in (lean, event):
        function, _, line_number = str(parsed.pop("location")).partition(":")
        assert function.isidentifier()
        assert line_number.isdigit()
    assert len(lean.pop("timestamp")) == len(event.pop("timestamp"))
    assert lean == event


def parse(line: str) -> dict[str, Any]:
    if line.startswith("{"):
        return dict(json.loads(line))
    return dict(word.split("=", 1) for word in shlex.split(line))


def test_the_line_of_a_request_keeps_to_the_level() -> None:
    stream, output = configured()
    access = AccessLog(output, "WARNING")
    access.write(logging.INFO, FIELDS)
    access.write(logging.WARNING, FIELDS)
    assert [line["level"] for line in stream.read_json()] == ["WARNING"]


def test_lines_that_are_kept_are_of_their_own_moment_and_come_before_the_next() -> None:
    stream, output = configured()
    access = AccessLog(output, "INFO")
    access.keep([{**FIELDS, "request_id": "1"}, {**FIELDS, "request_id": "2"}])
    before = datetime.now(UTC).isoformat(timespec="milliseconds")
    assert not stream.getvalue()
    while datetime.now(UTC).isoformat(timespec="milliseconds") == before:
        pass
    access.write(logging.ERROR, {**FIELDS, "request_id": "3"})
    first, second, third = stream.read_json()
    assert [(line["request_id"], line["level"]) for line in (first, second, third)] == [
        ("1", "INFO"),
        ("2", "INFO"),
        ("3", "ERROR"),
    ]
    assert first["timestamp"] == second["timestamp"] <= before < third["timestamp"]
    assert list(first) == list(third)
    access.write_kept()
    assert not stream.read_json()[3:]


def test_no_line_is_kept_that_the_level_leaves_out() -> None:
    stream, output = configured()
    access = AccessLog(output, "WARNING")
    access.keep([FIELDS])
    access.write_kept()
    assert not stream.getvalue()


def test_logfmt_quotes_only_what_needs_it() -> None:
    stream, output = configured(form="logfmt")
    output.fields(
        {"a": "plain", "b": "two words", "c": 'say "no"', "d": 1.5, "e": True, "f": "", "g": [1, "x"], "h i": 1}
    )
    assert stream.getvalue() == 'a=plain b="two words" c="say \\"no\\"" d=1.5 e=true f="" g="[1,\\"x\\"]" h_i=1\n'


@given(st.text(), st.text())
def test_no_value_can_start_a_line_or_a_key_of_its_own(key: str, value: str) -> None:
    for form in ("json", "logfmt"):
        stream = io.StringIO()
        Output(form, stream).fields({"message": value, "x" + key: "end"})
        written = stream.getvalue()
        assert written.endswith("\n")
        assert len(written[:-1].splitlines()) == 1 or form == "json"
        assert written.count("\n") == 1
        if form == "logfmt":
            assert len(shlex.split(written[:-1].replace("\\u", "u"))) == 2


@pytest.mark.parametrize("form", ["json", "logfmt"])
@pytest.mark.parametrize("value", ["\ud800", 2**70, float("nan"), {"a": {1: object}}, b"x", {1, 2}])
def test_a_line_is_written_whatever_its_values_are(form: Form, value: Any) -> None:
    stream = io.StringIO()
    Output(form, stream).fields({"value": value, "after": 1})
    assert stream.getvalue().count("\n") == 1
    assert "after" in stream.getvalue()
    stream.getvalue().encode()


def test_a_closed_stream_harms_nobody() -> None:
    stream = io.StringIO()
    output = Output("json", stream)
    stream.close()
    output.line("lost")
