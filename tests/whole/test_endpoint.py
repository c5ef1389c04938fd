"""The whole way: an estimator is published by the command line, served by another process, and asked over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from service.example import fit_example
from service.promotion import promote
from service.publish import publish
from service.stores import Store, open_store
from service.stores.fetch import Bundle, fetch
from tests.service.kinds import mixed_frame
from tests.serving import Client, Reply, ask, free_port, until


class Endpoint(NamedTuple):
    """A serving process and what it has written so far, in a file."""

    popen: subprocess.Popen[bytes]
    port: int
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def _command(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )


@contextmanager
def served(uri: str, folder: Path, **settings: str) -> Iterator[Endpoint]:
    """``python -m service serve`` until the block ends; ready when it begins."""
    port, log = free_port(), folder / "service.log"
    variables = {"ALPHARD_MODEL_URI": uri, "ALPHARD_HOST": "127.0.0.1", "ALPHARD_PORT": str(port)}
    variables |= {"ALPHARD_DRAIN_HOLD_SECONDS": "0"} | settings
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], stdout=output, stderr=output, env={**os.environ, **variables}
        )
    endpoint = Endpoint(popen, port, log)
    try:
        until(lambda: _is_ready(endpoint), "the endpoint to be ready")
        yield endpoint
    finally:
        popen.terminate()
        popen.wait(timeout=30)


def _is_ready(endpoint: Endpoint) -> bool:
    assert endpoint.popen.poll() is None, endpoint.log.read_text()
    try:
        return ask(endpoint.port, "GET", "/ready").status == 200
    except OSError:
        return False


def _predict(endpoint: Endpoint, **body: Any) -> Reply:
    return ask(endpoint.port, "POST", "/predict", body)


@pytest.fixture(scope="module")
def example() -> Any:
    return fit_example()


def test_a_model_goes_from_a_file_to_predictions(store_uri: str, tmp_path: Path, example: Any) -> None:
    estimator, rows, _ = example
    joblib.dump(estimator, tmp_path / "estimator.joblib")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    arguments = (str(tmp_path / "estimator.joblib"), "--rows", str(tmp_path / "rows.csv"), "--name", "cancer")
    done = _command("publish", *arguments, "--store", store_uri, "--alias", "production", "--json")
    assert done.returncode == 0, done.stderr
    published = json.loads(done.stdout.splitlines()[-1])
    assert published["engine"] == "onnx"
    assert published["parity"]["label_agreement"] == 1.0

    for uri in (published["uri"], f"{store_uri}/cancer@production"):
        with served(uri, tmp_path) as endpoint:
            reply = _predict(endpoint, instances=rows.to_numpy().tolist(), probabilities=True)
            assert reply.status == 200, reply.body
            answer = reply.json()
            assert answer["predictions"] == estimator.predict(rows).tolist()
            assert answer["classes"] == ["benign", "malignant"]
            np.testing.assert_allclose(answer["probabilities"], estimator.predict_proba(rows), atol=1e-12)
            assert answer["model"] == {"name": "cancer", "version": published["version"]}
            assert reply.headers["x-model-version"] == published["version"]


def test_publishing_again_changes_nothing_and_other_content_is_refused(tmp_path: Path, example: Any) -> None:
    estimator, rows, _ = example
    store = str(tmp_path / "store")
    first = publish(estimator, rows, name="m", store=store, version="7")
    before = {path: path.stat().st_mtime_ns for path in Path(store).rglob("*") if path.is_file()}
    again = publish(estimator, rows, name="m", store=store, version="7")
    assert (first.created, again.created) == (True, False)
    assert {path: path.stat().st_mtime_ns for path in Path(store).rglob("*") if path.is_file()} == before
    other = LogisticRegression(max_iter=5000).fit(rows, estimator.predict(rows))
    joblib.dump(other, tmp_path / "other.joblib")
    joblib.dump(rows, tmp_path / "rows.joblib")
    arguments = (str(tmp_path / "other.joblib"), "--rows", str(tmp_path / "rows.joblib"), "--name", "m")
    done = _command("publish", *arguments, "--store", store, "--version", "7")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()[-1:]) == 1
    assert "7" in done.stderr.splitlines()[-1]


def test_mixed_rows_answer_in_both_forms_and_errors_name_row_and_feature(tmp_path: Path) -> None:
    from tests.service.kinds import build

    kind = build("mixed RandomForestClassifier")
    frame, _ = mixed_frame()
    published = publish(kind.estimator, kind.sample, name="churn", store=str(tmp_path / "store"))
    with served(published.uri, tmp_path) as endpoint:
        records = json.loads(frame.to_json(orient="records"))
        expected = kind.estimator.predict(frame).tolist()
        assert _predict(endpoint, instances=records).json()["predictions"] == expected
        assert _predict(endpoint, instances=[list(r.values()) for r in records]).json()["predictions"] == expected
        assert _predict(endpoint, features=list(records[0].values())).json() == {"prediction": expected[0]}

        wrong = [
            records[0],
            {**records[1], "age": "old", "active": 3},
            {k: v for k, v in records[2].items() if k != "city"},
        ]
        reply = _predict(endpoint, instances=wrong)
        assert reply.status == 422
        assert reply.headers["content-type"] == "application/problem+json"
        locations = [error["location"] for error in reply.json()["errors"]]
        assert locations == ["instances[1].age", "instances[1].active", "instances[2].city"]


def test_the_description_has_an_example_that_works(tmp_path: Path, example: Any) -> None:
    estimator, rows, _ = example
    published = publish(estimator, rows, name="cancer", store=str(tmp_path / "store"))
    with served(published.uri, tmp_path) as endpoint:
        operation = ask(endpoint.port, "GET", "/openapi.json").json()["paths"]["/predict"]["post"]
        requests = operation["requestBody"]["content"]["application/json"]["examples"]
        answers = operation["responses"]["200"]["content"]["application/json"]["examples"]
        for name, given in requests.items():
            reply = ask(endpoint.port, "POST", "/predict", given["value"])
            assert reply.status == 200, reply.body
            assert reply.json().keys() == answers[name]["value"].keys()
            got = reply.json().get("predictions", reply.json().get("prediction"))
            assert got == answers[name]["value"].get("predictions", answers[name]["value"].get("prediction"))


def test_a_fallback_model_is_served_by_scikit_learn(tmp_path: Path) -> None:
    from tests.service.kinds import TEXTS, build

    kind = build("HashingVectorizer SGDClassifier")
    published = publish(kind.estimator, kind.sample, name="texts", store=str(tmp_path / "store"))
    assert published.engine == "sklearn"
    with served(published.uri, tmp_path) as endpoint:
        reply = _predict(endpoint, instances=TEXTS)
        assert reply.json()["predictions"] == kind.estimator.predict(TEXTS).tolist()


class _Callers:
    """Constant requests by several clients; every answer is held against the version that it names."""

    def __init__(self, endpoint: Endpoint, rows: Any, expected: dict[str, list[Any]]) -> None:
        self._endpoint, self._rows, self._expected = endpoint, rows.tolist(), expected
        self._stopped = threading.Event()
        self.wrong: list[Any] = []
        self.versions: list[str] = []
        self._threads = [threading.Thread(target=self._call, args=(i,)) for i in range(4)]
        for thread in self._threads:
            thread.start()

    def _call(self, caller: int) -> None:
        with Client(self._endpoint.port) as client:
            while not self._stopped.is_set():
                count = 1 + caller * 5
                try:
                    reply = client.ask("POST", "/predict", {"instances": self._rows[:count]})
                    answer = reply.json()
                    version = answer["model"]["version"]
                    right = answer["predictions"] == self._expected[version][:count]
                    if not right or reply.headers["x-model-version"] != version:
                        self.wrong.append(answer)
                    self.versions.append(version)
                except Exception as error:
                    self.wrong.append(error)
                    return

    def have_seen_last(self, version: str) -> bool:
        return self.versions[-1:] == [version] or bool(self.wrong)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


class Versions(NamedTuple):
    """Two versions of a model, rows, and what each version answers to them."""

    rows: Any
    expected: dict[str, list[Any]]
    bundles: list[Bundle]

    def put(self, store: Store) -> list[str]:
        """Writes both into a store; how they are called."""
        for bundle in self.bundles:
            store.create_version(bundle.manifest, bundle.files)
        return list(self.expected)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    X = np.random.default_rng(0).normal(size=(120, 4))
    estimators = [
        RandomForestClassifier(10, random_state=0).fit(X, X[:, 0] > 0),
        LogisticRegression().fit(X, X[:, 1] > 0),
    ]
    store = str(tmp_path_factory.mktemp("versions"))
    published = [publish(estimator, X, name="m", store=store).version for estimator in estimators]
    expected = {version: e.predict(X).tolist() for version, e in zip(published, estimators, strict=True)}
    assert len({tuple(answers[:1]) for answers in expected.values()}) + len(expected) > 2
    return Versions(X, expected, [fetch(open_store(store), "m", version) for version in published])


def test_a_promotion_every_second_loses_no_request_and_mixes_no_answer(
    store_uri: str, tmp_path: Path, versions: Versions
) -> None:
    store = open_store(store_uri)
    published = versions.put(store)
    promote(store, "m", published[0], "production")
    with served(f"{store_uri}/m@production", tmp_path, ALPHARD_POLL_SECONDS="0.2") as endpoint:
        callers = _Callers(endpoint, versions.rows, versions.expected)
        for turn in range(1, 9):
            version = published[turn % 2]
            promote(store, "m", version, "production")
            until(partial(callers.have_seen_last, version), "the promoted version")
            time.sleep(0.3)
        callers.stop()
        assert callers.wrong == []
        assert set(callers.versions) == set(published)
        assert len(callers.versions) > 500


def test_a_bad_version_is_reported_and_the_working_one_keeps_serving(tmp_path: Path, versions: Versions) -> None:
    store_uri = f"file://{tmp_path}/store"
    store = open_store(store_uri)
    good, bad = versions.put(store)
    promote(store, "m", good, "production")
    with served(f"{store_uri}/m@production", tmp_path, ALPHARD_POLL_SECONDS="0.1") as endpoint:
        promote(store, "m", bad, "candidate")
        artifact = next((tmp_path / "store" / "m" / "versions" / bad).glob("model.*"))
        data = bytearray(artifact.read_bytes())
        data[len(data) // 2] ^= 1
        artifact.unlink()
        artifact.write_bytes(bytes(data))
        aliases = tmp_path / "store" / "m" / "aliases"
        (aliases / "moved").write_bytes((aliases / "candidate.json").read_bytes())
        (aliases / "moved").replace(aliases / "production.json")
        until(lambda: "rejected" in ask(endpoint.port, "GET", "/ready").json(), "the rejection to show")
        ready = ask(endpoint.port, "GET", "/ready")
        assert ready.status == 200
        assert ready.json()["model"]["version"] == good
        assert ready.json()["rejected"]["version"] == bad
        answer = _predict(endpoint, instances=versions.rows.tolist()).json()
        assert answer["model"]["version"] == good
        assert answer["predictions"] == versions.expected[good]
        assert "alphard_model_rejected 1" in ask(endpoint.port, "GET", "/metrics").body.decode()
    assert any(line["level"] == "ERROR" and line.get("model_version") == bad for line in endpoint.lines())


def test_a_model_that_is_not_there_leaves_the_endpoint_unready_with_a_reason(tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "ALPHARD_MODEL_URI": f"file://{tmp_path}/none@production",
        "ALPHARD_PORT": str(port),
        "ALPHARD_HOST": "127.0.0.1",
        "ALPHARD_DRAIN_HOLD_SECONDS": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], stdout=subprocess.DEVNULL, env={**os.environ, **variables}
    ) as popen:
        try:
            until(lambda: _reason(port) == "failed", "the failure to show")
            assert ask(port, "GET", "/live").status == 200
            assert ask(port, "POST", "/predict", {"instances": [[1]]}).status == 503
        finally:
            popen.terminate()


def _reason(port: int) -> str | None:
    try:
        reply = ask(port, "GET", "/ready")
    except OSError:
        return None
    assert reply.status == 503
    return str(reply.json()["reason"])
