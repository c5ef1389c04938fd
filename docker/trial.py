"""Tries a built image: readiness, a prediction, the drain, and how long all that takes to come up."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from socket import create_server
from typing import Any, NamedTuple
from urllib.error import HTTPError

from build import ROOT
from container import MODELS, Containers

_STARTS = 5
_WAIT_SECONDS = 60
_POLL_SECONDS = 0.005
_LIFE = {"ALPHARD_DRAIN_HOLD_SECONDS": "1"}


class Trial(NamedTuple):
    """What was seen. Seconds are medians: to the first ready answer, and of ``python -c pass`` in the same image."""

    ready_seconds: float
    pass_seconds: float
    imports_ms: dict[str, float]


def publish_example(store: Path) -> Mapping[str, Any]:
    """Publishes the example model into a folder; its manifest."""
    command = [sys.executable, "-m", "service.example", str(store)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    store.chmod(0o755)
    [path] = store.glob("*/versions/*/manifest.json")
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def try_image(containers: Containers, manifest: Mapping[str, Any]) -> Trial:
    """Starts it some times, asks each time for the golden answers, and stops it. Ends the process at what is wrong."""
    plain = [_seconds(lambda: _check_runs(containers)) for _ in range(_STARTS)]
    ready = [_try_once(containers, manifest) for _ in range(_STARTS)]
    return Trial(statistics.median(ready), statistics.median(plain), measure_imports(containers))


def _check_runs(containers: Containers) -> None:
    done = containers.run(["python", "-c", "pass"])
    _check(done.returncode == 0, f"the image does not run: {done.stderr}")


def _try_once(containers: Containers, manifest: Mapping[str, Any]) -> float:
    port = _free_port()
    variables = {"ALPHARD_MODEL_URI": f"file://{MODELS}/{manifest['name']}@production", **_LIFE}
    started_at = time.monotonic()
    with containers.start(port, variables) as running:
        try:
            _until(lambda: _ask(port, "/ready")[0] == 200, "readiness")
            seconds = time.monotonic() - started_at
            _check_predictions(port, manifest)
            running.stop()
            _until(lambda: _ask(port, "/ready")[0] == 503, "the drain")
            _check_predictions(port, manifest)
        except SystemExit as fault:
            raise SystemExit(f"{fault}; it wrote:\n{running.kill()}") from None
        status, written = running.wait()
    _check(status == 0, f"it ended with {status}, not 0: {written}")
    for line in written.splitlines():
        _check(line.startswith("{"), f"it wrote a line that is no object: {line}")
    return seconds


def _check_predictions(port: int, manifest: Mapping[str, Any]) -> None:
    golden = manifest["golden"]
    status, answer = _ask(port, "/predict", {"instances": golden["instances"]})
    _check(status == 200 and answer["predictions"] == golden["predictions"], f"wrong answer: {status} {answer}")


def measure_imports(containers: Containers) -> dict[str, float]:
    """Milliseconds that the modules of each package take to import, the largest first; the standard library is one."""
    command = ["python", "-X", "importtime", "-c", "import service.server, service.engines.onnx"]
    spent: Counter[str] = Counter()
    for own, name in re.findall(r"import time: +(\d+) \| +\d+ \| +(\S+)", containers.run(command).stderr):
        package = name.partition(".")[0]
        spent["the standard library" if package in sys.stdlib_module_names else package] += int(own)
    return {package: microseconds / 1000 for package, microseconds in spent.most_common()}


def _ask(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and document; status 0 while nobody answers."""
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", sent, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310  # http, see above
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, None


def _until(done: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + _WAIT_SECONDS
    while not done():
        _check(time.monotonic() < give_up_at, f"waited in vain for {what}")
        time.sleep(_POLL_SECONDS)


def _seconds(work: Callable[[], None]) -> float:
    started_at = time.monotonic()
    work()
    return time.monotonic() - started_at


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _check(holds: bool, complaint: str) -> None:
    if not holds:
        raise SystemExit(complaint)
