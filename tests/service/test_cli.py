from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from service.cli import main
from service.promotion import promote
from service.stores import open_store
from tests.service.published import put

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: its exit status, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse's way out
            status = int(str(error.code))
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path]:
    """An estimator and its sample rows in files."""
    rows, classes = load_iris(return_X_y=True)
    estimator, sample = tmp_path / "estimator.joblib", tmp_path / "rows.npy"
    joblib.dump(LogisticRegression(max_iter=1000).fit(rows, classes), estimator)
    np.save(sample, rows[::5])
    return estimator, sample


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with two versions, the second in production."""
    uri = f"file://{tmp_path}/store"
    put(open_store(uri), "1", "2")
    for version in ("1", "2"):
        promote(open_store(uri), "iris", version, "production")
    return uri


def last_object(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def test_alone_it_prints_its_commands(run: Run) -> None:
    status, out, _ = run()
    assert status == 0
    for command in ("serve", "publish", "promote", "rollback", "list", "inspect", "verify"):
        assert f"\n    {command} " in out
    assert "2    wrong usage or settings" in out


def test_publishing_answers_with_one_object_on_the_last_line(
    run: Run, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    estimator, rows = trained
    (tmp_path / "metrics.json").write_text('{"f1": 0.5, "rows": 150}')
    command = ["publish", estimator, "--rows", rows, "--name", "iris", "--store", tmp_path / "store", "--alias", "a"]
    command += [
        "--metrics",
        "accuracy=0.75",
        "--metrics",
        tmp_path / "metrics.json",
        "--tag",
        "team=a=b",
        "--engine",
        "sklearn",
        "--json",
    ]
    status, out, err = run(*command)
    assert status == 0
    found = last_object(out)
    version = found["version"]
    assert found["uri"] == f"file://{tmp_path}/store/iris/{version}"
    assert (found["engine"], found["created"]) == ("sklearn", True)
    assert found["parity"]["label_agreement"] == 1.0
    assert f"loading {estimator}" in err.splitlines()
    status, out, _ = run("inspect", f"file://{tmp_path}/store/iris@a", "--json")
    card = last_object(out)["manifest"]
    assert card["metrics"] == {"accuracy": 0.75, "f1": 0.5, "rows": 150.0}
    assert card["tags"] == {"team": "a=b"}
    status, out, _ = run(*command[:-1])
    assert status == 0
    assert out.splitlines()[0] == f"nothing to do: the store holds this content as {found['uri']}"
    status, _, err = run(*command[:-1], "--version", version, "--tag", "other=content")
    assert status == 1
    assert err.splitlines()[-1].startswith(f"alphard: iris {version} exists in file://")


def test_an_alias_is_promoted_and_rolled_back(run: Run, store: str) -> None:
    status, out, err = run("promote", "iris", "1", "--alias", "production", "--store", store)
    assert (status, out) == (0, "iris@production: 2 -> 1\n")
    assert "reproducing" in err
    _, out, _ = run("promote", "iris", "1", "--alias", "production", "--store", store)
    assert out == "iris@production: already there\n"
    status, out, _ = run("rollback", "iris", "--alias", "production", "--store", store, "--json")
    assert last_object(out) == {
        "name": "iris",
        "alias": "production",
        "version": "2",
        "replaced": "1",
        "moved": True,
    }
    status, out, err = run("rollback", "iris", "--alias", "production", "--store", store)
    assert (status, out) == (1, "")
    assert err == "alphard: the alias 'production' of iris has no version before this one to go back to\n"


def test_models_are_listed(run: Run, store: str, tmp_path: Path) -> None:
    status, out, _ = run("list", "--store", store)
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [["iris", "1", "onnx"], ["iris", "2", "production"]]
    _, out, _ = run("list", "iris", "--store", store, "--json")
    (model,) = last_object(out)["models"]
    assert (model["name"], model["aliases"]) == ("iris", {"production": "2"})
    assert [(v["version"], v["engine"], v["problem"]) for v in model["versions"]] == [
        ("1", "onnx", None),
        ("2", "onnx", None),
    ]
    status, out, _ = run("list", "--store", tmp_path / "empty")
    assert (status, out) == (0, f"there are no models in {tmp_path}/empty\n")


def test_a_model_is_inspected_and_verified_by_uri_or_by_name(run: Run, store: str) -> None:
    for target in ([f"{store}/iris@production"], ["iris", "@production", "--store", store]):
        status, out, _ = run("inspect", *target)
        assert (status, out.splitlines()[0]) == (0, "iris 2")
        status, out, _ = run("verify", *target)
        assert (status, out.split(":")[0]) == (0, "iris 2 is in order")
    status, out, _ = run("verify", "iris", "1", "--store", store, "--json")
    found = last_object(out)
    assert (found["version"], found["engine"]) == ("1", "onnx")
    assert found["golden_rows"] > 0


def test_a_version_that_was_tampered_with_fails_in_one_line(run: Run, store: str, tmp_path: Path) -> None:
    artifact = next(path for path in (tmp_path / "store/iris/versions/2").iterdir() if path.suffix == ".onnx")
    artifact.write_bytes(artifact.read_bytes()[:-1])
    for command in (["verify", f"{store}/iris@production"], ["promote", "iris", "2", "--alias", "a", "--store", store]):
        status, out, err = run(*command)
        assert (status, out) == (1, "")
        assert "its manifest says" in err.splitlines()[-1]
        assert err.splitlines()[-1].startswith("alphard: model.")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing"], "invalid choice: 'nothing'"),
        (["promote", "iris"], "the following arguments are required: VERSION, --alias, --store"),
        (["promote", "iris", "1", "--alias", "a", "--store", "s3://Bad"], "names no bucket that S3 would allow"),
        (["promote", "../iris", "1", "--alias", "a", "--store", "x"], "'../iris' cannot be a model's name"),
        (["promote", "iris", "a/b", "--alias", "a", "--store", "x"], "'a/b' cannot be a version"),
        (["promote", "iris", "1", "--alias", "-", "--store", "x"], "'-' cannot be an alias"),
        (["rollback", "iris", "--alias", "@a", "--store", "x"], "'@a' cannot be an alias"),
        (["list", "a b", "--store", "x"], "'a b' cannot be a model's name"),
        (["list", "--store", "https://host/x"], "only file:// and s3:// are known"),
        (["inspect", "iris"], "write the model's URI, or NAME and VERSION or @ALIAS with --store"),
        (["inspect", "iris", "@", "--store", "x"], "'' cannot be an alias"),
        (["verify", "models:/iris@production"], "has the scheme 'models'"),
        (["verify", "file:///iris/1", "1"], "write the model's URI, or NAME and VERSION"),
        (["verify", "file:///x/iris/1", "--jso"], "unrecognized arguments: --jso"),
        (["publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--tag", "x"], "'x' is not of the form KEY="),
        (["publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--metrics", "a=x"], "'a' is not a finite"),
        (["publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--metrics", "a=nan"], "'a' is not a finite"),
        (["publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--metrics", "no.json"], "No such file"),
        (["publish", "/no/file", "--rows", "x", "--name", "x", "--store", "x"], "there is no file /no/file"),
        (["publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--engine", "gpu"], "invalid choice: 'gpu'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run: Run, arguments: list[str], complaint: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith("alphard: ")
    assert complaint in last


@pytest.mark.parametrize("content", ["[]", "{", '{"a": true}', '{"a": null}', '{"a": {"b": 1}}', '{"a": NaN}'])
def test_metrics_that_are_no_numbers_are_refused(run: Run, tmp_path: Path, content: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(content)
    status, _, err = run("publish", "x", "--rows", "x", "--name", "x", "--store", "x", "--metrics", path)
    assert status == 2
    assert "metric" in err


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({}, "ALPHARD_MODEL_URI: missing"),
        ({"ALPHARD_MODEL_URI": "s3://models/iris"}, "ALPHARD_MODEL_URI: 's3://models/iris' names neither a version"),
        ({"ALPHARD_MODEL_URI": "file:///iris/1", "ALPHARD_PORT": "x"}, "ALPHARD_PORT: expected a whole number"),
    ],
)
def test_wrong_settings_stop_the_start_in_one_line(variables: dict[str, str], complaint: str) -> None:
    done = command("serve", **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"alphard: {complaint}")
    assert done.stderr.count("\n") == 1


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as a person does."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ALPHARD_")}
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **variables},
    )


def test_a_reader_that_stops_reading_is_no_error(store: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "inspect", f"{store}/iris@production", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 141


def test_an_installation_that_only_serves_says_that_it_does_not_publish(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules['service.publish'] = None\n"
        "from service.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["publish", "iris.joblib", "--rows", "rows.csv", "--name", "iris", "--store", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    expected = "alphard: publishing is not installed here: there is no service.publish\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_an_interrupt_is_one_line(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, service.promotion\n"
        "service.promotion.promote = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\n"
        "from service.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["promote", "iris", "1", "--alias", "a", "--store", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "alphard: interrupted\n")


@pytest.mark.parametrize(
    ("run_first", "never"),
    [
        ("from service.server import serve; import service.loader", {"onnx", "sklearn", "skops", "pandas", "boto3"}),
        ("from service.publish import publish", {"fastapi", "starlette", "uvicorn", "boto3"}),
        ("from service.promotion import promote", {"fastapi", "onnx", "sklearn", "pandas", "boto3", "onnxruntime"}),
        ("from service.cli import main; main([])", {"fastapi", "numpy", "pydantic", "boto3"}),
    ],
)
def test_a_command_imports_only_what_it_needs(run_first: str, never: set[str]) -> None:
    script = f"{run_first}\nimport sys\nsys.stderr.write(repr({never!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "set()"
