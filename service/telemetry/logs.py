"""Log lines: one object a line in the schema of AWS Powertools, as JSON or as logfmt, whoever writes them.

Events go through ``logging`` to Powertools' own formatter, which takes more than a hundred microseconds a line. The
line that every request writes has the same schema from an encoder of its own.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

SERVICE = "alphard"
Form = Literal["json", "logfmt"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that the running task answers; every line written meanwhile carries it."""


class Output(logging.StreamHandler[TextIO]):
    """The one place where lines leave the process: standard output, or ``stream``."""

    def __init__(self, form: Form = "json", stream: TextIO | None = None) -> None:
        super().__init__(sys.stdout if stream is None else stream)
        self.form = form
        self.setFormatter(_Formatter(form))

    def fields(self, *lines: dict[str, Any]) -> None:
        """Writes lines of these keys and values."""
        serialize = _SERIALIZERS[self.form]
        self.line(self.terminator.join([serialize(fields) for fields in lines]))

    def line(self, line: str) -> None:
        """Writes a line, or several, as they are. A closed or broken stream is passed over: a line is not worth a
        request."""
        self.acquire()
        try:
            with suppress(OSError, ValueError):
                self.stream.write(line + self.terminator)
                self.flush()
        finally:
            self.release()


def configure_logging(level: str, form: Form, stream: TextIO | None = None) -> Output:
    """Sends every line of the process to one output; called once, by an entry point.

    ``level`` is for our own lines and Uvicorn's; other libraries speak from warnings on.
    """
    output = Output(form, stream)
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.WARNING)
    for name in (SERVICE, "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(level)
    logging.captureWarnings(True)
    return output


class AccessLog:
    """The lines of requests."""

    def __init__(self, output: Output, level: str) -> None:
        self._output = output
        self._level = logging.getLevelNamesMapping()[level]
        self._kept: list[dict[str, Any]] = []
        code = AccessLog.write.__code__
        self._location = f"{code.co_name}:{code.co_firstlineno}"

    def write(self, level: int, *requests: dict[str, Any]) -> None:
        """Writes a line at this level for each request, with its keys beside the usual ones."""
        self.write_kept()
        if level >= self._level:
            usual = self._usual(level)
            self._output.fields(*({**usual, **fields} for fields in requests))

    def keep(self, requests: Iterable[dict[str, Any]]) -> None:
        """Keeps a line at level INFO for each request, of now, until ``write_kept``: writing costs as much for one as
        for many."""
        if self._level <= logging.INFO:
            timestamp = _now()
            self._kept += [{"timestamp": timestamp, **fields} for fields in requests]

    @property
    def kept(self) -> int:
        """How many lines are kept."""
        return len(self._kept)

    def write_kept(self) -> None:
        """Writes what was kept."""
        if self._kept:
            kept, self._kept = self._kept, []
            usual = self._usual(logging.INFO)
            self._output.fields(*({**usual, **fields} for fields in kept))

    def _usual(self, level: int) -> dict[str, Any]:
        return {
            "level": logging.getLevelName(level),
            "location": self._location,
            "message": "request",
            "timestamp": _now(),
            "service": SERVICE,
            "event": "request",
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class _Formatter(LambdaPowertoolsFormatter):
    """Powertools' formatter, with the request's id.

    What a request's exceptions say may hold the client's values, so while a request is bound only their types and
    frames are written.
    """

    def __init__(self, form: Form) -> None:
        super().__init__(
            json_serializer=_SERIALIZERS[form], service=SERVICE, utc=True, use_rfc3339=True, serialize_stacktrace=False
        )

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.__dict__.pop("color_message", None)  # Uvicorn's message once more, for terminals
        if (bound := request_id.get()) is not None:
            record.__dict__.setdefault("request_id", bound)
            if record.exc_info and record.exc_info[1] is not None:
                error = record.exc_info[1]
                record.__dict__.update(exception=_frames(error), exception_name=type(error).__name__, exc_info=None)
        return super().format(record)


def _frames(error: BaseException) -> str:
    """A traceback without the messages of the exceptions."""
    return "\nduring which, or because of which:\n".join(
        "".join(traceback.format_tb(each.__traceback__)) + type(each).__qualname__
        for each in reversed([*_chain(error)])
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _json(fields: Mapping[str, object]) -> str:
    try:
        return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits
        return json.dumps(fields, default=str)


def _logfmt(fields: Mapping[str, object]) -> str:
    return " ".join(f"{_UNSAFE.sub('_', str(key))}={_logfmt_value(value)}" for key, value in fields.items())


_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_BARE = re.compile(r"[^\s\"'=\\]+")


def _logfmt_value(value: Any) -> str:
    text = value if isinstance(value, str) else _json({"": value})[4:-1].strip()
    if not text.isprintable():
        return json.dumps(text)
    if _BARE.fullmatch(text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


_SERIALIZERS = {"json": _json, "logfmt": _logfmt}
