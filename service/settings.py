"""What the operator sets, read once from the environment and from one file, and never changed after."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.errors import SettingsError

PREFIX = "ALPHARD_"
FILE_KEY = "ALPHARD_SETTINGS_FILE"
# What is wrong with these is said without repeating the value: a URI may hold a password.
_NOT_ECHOED = {"model_uri"}


class Settings(BaseModel):
    """One attribute for each ``ALPHARD_*`` variable; a field's description says what is allowed.

    The timeouts hang together. A client's connection must outlive the longest request, and a request that came in the
    last moment of the hold must have time to be answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model_uri: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:/\S+$")] = Field(
        description="a URI such as file:///models/iris@production or s3://bucket/models/iris@production"
    )
    # Every address: it runs in a container, whose loopback neither the balancer nor the health check could reach.
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$")] = Field(
        default="0.0.0.0",  # noqa: S104  # see above
        description="an address or a host name to listen on",
    )
    port: int = Field(default=8000, ge=1, le=65535, description="a whole number from 1 to 65535")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="one of DEBUG, INFO, WARNING, ERROR"
    )
    log_format: Literal["json", "logfmt"] = Field(default="json", description="json or logfmt")
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1, description="a whole number of bytes, at least 1")
    max_rows: int = Field(default=10_000, ge=1, description="a whole number of rows, at least 1")
    poll_seconds: float = Field(default=30, gt=0, description="a number of seconds over 0")
    load_deadline_seconds: float = Field(default=120, gt=0, description="a number of seconds over 0")
    metrics_flush_seconds: float = Field(default=60, ge=0, description="a number of seconds, or 0 for never")
    keep_alive_seconds: int = Field(default=75, ge=1, description="a whole number of seconds, at least 1")
    drain_hold_seconds: float = Field(default=15, ge=0, description="a number of seconds, at least 0")
    graceful_timeout_seconds: int = Field(default=20, ge=1, description="a whole number of seconds, at least 1")
    request_deadline_seconds: float = Field(default=15, gt=0, description="a number of seconds over 0")

    @model_validator(mode="after")
    def _timeouts_agree(self) -> Self:
        if self.keep_alive_seconds <= self.request_deadline_seconds:
            raise ValueError(
                f"{PREFIX}KEEP_ALIVE_SECONDS: expected more than {PREFIX}REQUEST_DEADLINE_SECONDS"
                f" ({self.request_deadline_seconds:g}), got {self.keep_alive_seconds}"
            )
        if self.graceful_timeout_seconds < self.request_deadline_seconds:
            raise ValueError(
                f"{PREFIX}GRACEFUL_TIMEOUT_SECONDS: expected at least {PREFIX}REQUEST_DEADLINE_SECONDS"
                f" ({self.request_deadline_seconds:g}), got {self.graceful_timeout_seconds}"
            )
        return self


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings from ``ALPHARD_*`` variables, and under them from the file that ``ALPHARD_SETTINGS_FILE`` names.

    The file is JSON or TOML by its ending, with the keys in lower case and without the prefix. A variable wins over the
    file: the file is what an image or a mount brings, the variable what one deployment changes. Raises SettingsError,
    one line: which key, what it was, what is allowed.
    """
    keys = [key for key in environment if key.startswith(PREFIX) and key != FILE_KEY]
    given = {_known(key, _variable): environment[key] for key in keys}
    source: dict[str, Any] = {**_read_file(environment.get(FILE_KEY)), **given}
    for key, value in source.items():
        if isinstance(value, bool):  # which pydantic would take for 0 or 1
            raise SettingsError(_wrong(key, value))
    try:
        return Settings(**source)
    except ValidationError as error:
        raise SettingsError(_first_fault(error)) from None


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _known(key: str, spell: Callable[[str], str]) -> str:
    names = {spell(name): name for name in Settings.model_fields}
    if key in names:
        return names[key]
    near = get_close_matches(key.removeprefix(PREFIX).lower(), names.values(), n=1)
    hint = f"; did you mean {spell(near[0])}?" if near else ""
    raise SettingsError(f"{repr(key[:80])[1:-1]}: no such setting{hint}")


def _read_file(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = Path(path).read_text("utf-8")
        document = tomllib.loads(content) if path.endswith(".toml") else json.loads(content)
    except (OSError, ValueError) as error:  # UnicodeDecodeError and both parsers' errors are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else "not the JSON or TOML that its name says"
        raise SettingsError(f"{FILE_KEY}: cannot read {path!r}: {reason}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{FILE_KEY}: expected one object of settings in {path!r}")
    return {_known(key, str): value for key, value in document.items()}


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return str(first["ctx"]["error"])
    key = str(first["loc"][0])
    if first["type"] == "missing":
        return f"{_variable(key)}: missing; expected {Settings.model_fields[key].description}"
    return _wrong(key, first["input"])


def _wrong(key: str, value: Any) -> str:
    got = "" if key in _NOT_ECHOED else f", got {str(value)[:60]!r}"
    return f"{_variable(key)}: expected {Settings.model_fields[key].description}{got}"
