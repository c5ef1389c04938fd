"""Who takes part: how each is started, and what its requests and answers look like."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.models import ServedModel
from benchmarks.servers import ROOT, python

ENVIRONMENTS = ROOT / ".bench" / "peers"

_SAME_UVICORN = (
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--no-server-header",
    "--log-level",
    "critical",
    "--timeout-keep-alive",
    "75",
)


class Contestant(NamedTuple):
    """A server and its dialect. ``predictions`` reads an answer, or is None where it holds no prediction."""

    name: str
    title: str
    command: Callable[[ServedModel, int], list[str]]
    environment: Callable[[ServedModel, int], Mapping[str, str]]
    encode: Callable[[list[list[Any]]], Any]
    predictions: Callable[[Any], list[Any]] | None
    path: str = "/predict"
    start_seconds: float = 30.0

    def request(self, rows: list[list[Any]]) -> bytes:
        return http_request(self.path, self.encode(rows))


def http_request(path: str, content: Any) -> bytes:
    body = json.dumps(content, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def _instances(rows: list[list[Any]]) -> Any:
    return {"instances": rows}


def _predictions(answer: Any) -> list[Any]:
    predictions: list[Any] = answer["predictions"]
    return predictions


def _folder(model: ServedModel, _port: int) -> Mapping[str, str]:
    return {"BENCHMARK_MODEL": str(model.folder.resolve())}


def _alphard(model: ServedModel, port: int) -> Mapping[str, str]:
    return {"ALPHARD_MODEL_URI": model.uri, "ALPHARD_HOST": "127.0.0.1", "ALPHARD_PORT": str(port)}


def _by_uvicorn(module: str) -> Callable[[ServedModel, int], list[str]]:
    def command(_model: ServedModel, port: int) -> list[str]:
        return python("-m", "uvicorn", f"benchmarks.contestants.{module}:app", "--port", str(port), *_SAME_UVICORN)

    return command


def _peer(name: str, *arguments: str) -> Callable[[ServedModel, int], list[str]]:
    """By the Python of the peer's environment; without arguments, the module of its name with the port."""

    def command(_model: ServedModel, port: int) -> list[str]:
        programs = ENVIRONMENTS / name / "bin"
        if arguments:
            return [str(programs / arguments[0]), *(each.format(port=port) for each in arguments[1:])]
        return [str(programs / "python"), f"benchmarks/peers/{name}_app.py", str(port)]

    return command


def _v2_inputs(rows: list[list[Any]]) -> Any:
    """With an id, which MLServer otherwise makes up anew for each answer."""
    shape = [len(rows), len(rows[0])]
    return {"id": "1", "inputs": [{"name": "rows", "shape": shape, "datatype": "FP64", "data": rows}]}


def _v2_outputs(answer: Any) -> list[Any]:
    data: list[Any] = answer["outputs"][0]["data"]
    return data


ALPHARD = Contestant(
    "alphard", "Alphard", lambda *_: python("-m", "service", "serve"), _alphard, _instances, _predictions
)
PLAIN = Contestant("plain", "plain ASGI callable", _by_uvicorn("plain"), _folder, _instances, _predictions)
NOOP = Contestant("noop", "no-op app", _by_uvicorn("noop"), _folder, _instances, None)
BY_HAND = Contestant("by_hand", "FastAPI by hand", _by_uvicorn("by_hand"), _folder, _instances, _predictions)
BARE = Contestant("bare", "bare FastAPI app", _by_uvicorn("bare"), _folder, _instances, None)
OWN = (ALPHARD, PLAIN, NOOP, BY_HAND)

PEERS = (
    Contestant(
        "mlserver", "MLServer", _peer("mlserver"), _folder, _v2_inputs, _v2_outputs, "/v2/models/model/infer", 60
    ),
    Contestant(
        "bentoml",
        "BentoML",
        _peer("bentoml", "bentoml", "serve", "benchmarks.peers.bentoml_app:Predictor", "--port", "{port}"),
        lambda *given: {**_folder(*given), "BENTOML_DO_NOT_TRACK": "True"},
        _instances,
        list,
        start_seconds=60,
    ),
    Contestant("litserve", "LitServe", _peer("litserve"), _folder, _instances, _predictions, start_seconds=60),
    Contestant(
        "ray",
        "Ray Serve",
        _peer("ray"),
        lambda *given: {**_folder(*given), "RAY_USAGE_STATS_ENABLED": "0"},
        _instances,
        _predictions,
        start_seconds=120,
    ),
    Contestant(
        "mlflow",
        "MLflow",
        _peer("mlflow"),
        _folder,
        lambda rows: {"inputs": rows},
        _predictions,
        "/invocations",
        120,
    ),
)


def requirements(peer: Contestant) -> Path:
    return Path(__file__).parent / "peers" / f"{peer.name}.txt"
