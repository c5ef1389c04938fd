from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.errors import SettingsError
from service.settings import Settings, read_settings

URI = "file:///models/iris@production"


def read(**variables: str) -> Settings:
    return read_settings({"PATH": "/bin", "ALPHARD_MODEL_URI": URI, **variables})


def fault(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)
    return str(caught.value)


def test_only_the_model_must_be_named() -> None:
    assert read() == Settings(model_uri=URI)
    assert fault({}).startswith("ALPHARD_MODEL_URI: missing; expected a URI such as file:///models/iris@production")


def test_variables_are_read_by_their_kind() -> None:
    settings = read(
        ALPHARD_HOST="127.0.0.1",
        ALPHARD_PORT="9000",
        ALPHARD_LOG_LEVEL="DEBUG",
        ALPHARD_LOG_FORMAT="logfmt",
        ALPHARD_MAX_BODY_BYTES="1000",
        ALPHARD_MAX_ROWS="5",
        ALPHARD_POLL_SECONDS="0.5",
        ALPHARD_LOAD_DEADLINE_SECONDS="10",
        ALPHARD_METRICS_FLUSH_SECONDS="0",
        ALPHARD_KEEP_ALIVE_SECONDS="20",
        ALPHARD_DRAIN_HOLD_SECONDS="1.5",
        ALPHARD_GRACEFUL_TIMEOUT_SECONDS="12",
        ALPHARD_REQUEST_DEADLINE_SECONDS="11",
    )
    assert settings == Settings(
        model_uri=URI,
        host="127.0.0.1",
        port=9000,
        log_level="DEBUG",
        log_format="logfmt",
        max_body_bytes=1000,
        max_rows=5,
        poll_seconds=0.5,
        load_deadline_seconds=10,
        metrics_flush_seconds=0,
        keep_alive_seconds=20,
        drain_hold_seconds=1.5,
        graceful_timeout_seconds=12,
        request_deadline_seconds=11,
    )


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        read().port = 1


def test_variables_of_others_are_none_of_our_business() -> None:
    assert read(ALPHA="1", AWS_REGION="eu-west-1", alphard_port="x").port == 8000


WRONG: dict[str, list[str]] = {
    "ALPHARD_MODEL_URI": ["", "iris", "s3:", "s3://a b", "S3://bucket/iris"],
    "ALPHARD_HOST": ["", "a b", "http://x/"],
    "ALPHARD_PORT": ["", "0", "65536", "-1", "http", "8000.5", "1e400"],
    "ALPHARD_LOG_LEVEL": ["", "info", "TRACE"],
    "ALPHARD_LOG_FORMAT": ["", "text", "JSON"],
    "ALPHARD_MAX_BODY_BYTES": ["", "0", "-5", "8MB", "1.5"],
    "ALPHARD_MAX_ROWS": ["", "0", "many"],
    "ALPHARD_POLL_SECONDS": ["", "0", "-1", "nan", "inf", "30s"],
    "ALPHARD_LOAD_DEADLINE_SECONDS": ["", "0", "nan"],
    "ALPHARD_METRICS_FLUSH_SECONDS": ["", "-1", "inf"],
    "ALPHARD_KEEP_ALIVE_SECONDS": ["", "0", "7.5"],
    "ALPHARD_DRAIN_HOLD_SECONDS": ["", "-1", "nan"],
    "ALPHARD_GRACEFUL_TIMEOUT_SECONDS": ["", "0", "1.5"],
    "ALPHARD_REQUEST_DEADLINE_SECONDS": ["", "0", "inf"],
}


def test_every_setting_is_tried_wrongly() -> None:
    assert {f"ALPHARD_{name.upper()}" for name in Settings.model_fields} == set(WRONG)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_value_is_one_line_naming_the_key_the_value_and_what_is_allowed(key: str, value: str) -> None:
    message = fault({"ALPHARD_MODEL_URI": URI, key: value})
    allowed = Settings.model_fields[key.removeprefix("ALPHARD_").lower()].description
    assert message.startswith(f"{key}: expected {allowed}")
    assert message.endswith(f"{allowed}" if key == "ALPHARD_MODEL_URI" else f"got {value!r}")
    assert "\n" not in message


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    environment = {"ALPHARD_MODEL_URI": URI, "ALPHARD_PROT": "hunter2"}
    assert fault(environment) == "ALPHARD_PROT: no such setting; did you mean ALPHARD_PORT?"
    assert fault({"ALPHARD_SECRET_THING": "hunter2"}) == "ALPHARD_SECRET_THING: no such setting"
    assert fault({"ALPHARD_Port": "1"}) == "ALPHARD_Port: no such setting; did you mean ALPHARD_PORT?"


def test_the_uri_of_a_model_is_never_repeated() -> None:
    assert "hunter2" not in fault({"ALPHARD_MODEL_URI": "s3//user:hunter2@bucket/iris"})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"ALPHARD_KEEP_ALIVE_SECONDS": "15"},
            "ALPHARD_KEEP_ALIVE_SECONDS: expected more than ALPHARD_REQUEST_DEADLINE_SECONDS (15), got 15",
        ),
        (
            {"ALPHARD_REQUEST_DEADLINE_SECONDS": "20.5"},
            "ALPHARD_GRACEFUL_TIMEOUT_SECONDS: expected at least ALPHARD_REQUEST_DEADLINE_SECONDS (20.5), got 20",
        ),
    ],
)
def test_timeouts_that_contradict_each_other_are_refused(variables: dict[str, str], message: str) -> None:
    assert fault({"ALPHARD_MODEL_URI": URI, **variables}) == message


def write(path: Path, content: str) -> dict[str, str]:
    path.write_text(content)
    return {"ALPHARD_SETTINGS_FILE": str(path)}


def test_a_file_holds_settings_and_a_variable_wins_over_it(tmp_path: Path) -> None:
    content: dict[str, Any] = {"model_uri": URI, "port": 9000, "max_rows": 7}
    for environment in (
        write(tmp_path / "alphard.json", json.dumps(content)),
        write(tmp_path / "alphard.toml", f'model_uri = "{URI}"\nport = 9000\nmax_rows = 7\n'),
    ):
        assert read_settings(environment) == Settings(**content)
        assert read_settings({**environment, "ALPHARD_PORT": "9001"}).port == 9001


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "cannot read '{path}': not the JSON or TOML that its name says"),
        ("a.toml", "{", "cannot read '{path}': not the JSON or TOML that its name says"),
        ("a.json", "[]", "expected one object of settings in '{path}'"),
        ("missing/a.json", None, "cannot read '{path}': No such file or directory"),
        ("a.json", "\udcff", "cannot read '{path}': not the JSON or TOML that its name says"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode(errors="surrogateescape"))
    expected = f"ALPHARD_SETTINGS_FILE: {message.format(path=path)}"
    assert fault({"ALPHARD_SETTINGS_FILE": str(path)}) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"prot": 1}, "prot: no such setting; did you mean port?"),
        ({"ALPHARD_PORT": 1}, "ALPHARD_PORT: no such setting; did you mean port?"),
        ({"port": "x"}, "ALPHARD_PORT: expected a whole number from 1 to 65535, got 'x'"),
        ({"port": True}, "ALPHARD_PORT: expected a whole number from 1 to 65535, got 'True'"),
        ({"port": None}, "ALPHARD_PORT: expected a whole number from 1 to 65535, got 'None'"),
        ({"port": [1] * 1000}, "ALPHARD_PORT: expected a whole number from 1 to 65535, got '[1, 1"),
        ({"settings_file": "x"}, "settings_file: no such setting"),
        ({"a\nb": 1}, "a\\nb: no such setting"),
    ],
)
def test_a_wrong_key_or_value_in_the_file_is_one_line(tmp_path: Path, content: Any, message: str) -> None:
    found = fault(write(tmp_path / "a.json", json.dumps({"model_uri": URI, **content})))
    assert found.startswith(message)
    assert "\n" not in found
    assert len(found) < 160
