"""What holds the parts together: imports run one way, lists agree, serving stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICE = ROOT / "service"

# Lower may not import higher. A package stands for all of its modules.
LAYERS = (
    {"service.errors", "service.telemetry"},
    {"service.bundle"},
    {"service.agreement"},
    {"service.stores", "service.engines", "service.codec", "service.compile"},
    {"service.model"},
    {"service.loader", "service.promotion"},
    {"service.publish", "service.schemas", "service.settings", "service.drain", "service.problems"},
    {"service.routes", "service.middleware", "service.openapi", "service.example"},
    {"service.direct"},
    {"service.connection"},
    {"service.app"},
    {"service.server", "service.lambda_handler", "service.lambda_shutdown", "service.upkeep"},
    {"service.card", "service.cli", "service.progress"},
    {"service.__main__"},
)
HTTP = {"service.app", "service.routes", "service.middleware", "service.problems", "service.server"}
PUBLISHING_ONLY = {"onnx", "sklearn", "joblib", "skops", "pandas", "scipy"}
MAY_IMPORT_THEM = {"service.compile", "service.publish", "service.example", "service.engines.sklearn"}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for path in SERVICE.rglob("*.py")}


def _imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _layer(module: str) -> int | None:
    parts = module.split(".")
    for index, layer in enumerate(LAYERS):
        if any(".".join(parts[:end]) in layer for end in (2, 3)):
            return index
    return None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    if module == "service":
        return
    here = _layer(module)
    assert here is not None, f"{module} has no place among the layers"
    for imported in _imports(MODULES[module]):
        there = _layer(imported) if imported.startswith("service.") else None
        assert there is None or there <= here, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_the_http_layer_knows_http(module: str) -> None:
    if module in HTTP:
        return
    known = {name.partition(".")[0] for name in _imports(MODULES[module])}
    assert not known & {"fastapi", "starlette"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_publishing_imports_what_only_publishing_needs(module: str) -> None:
    if any(module == allowed or module.startswith(allowed + ".") for allowed in MAY_IMPORT_THEM):
        return
    imported = {name.partition(".")[0] for name in _imports(MODULES[module], top_only=True)}
    assert not imported & PUBLISHING_ONLY


def test_serving_a_graph_imports_no_scikit_learn() -> None:
    code = (
        "import sys, service.server, service.engines.onnx;"
        f"print(sorted({PUBLISHING_ONLY!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _pins(path: str) -> dict[str, str]:
    """Each requirement with its version, marker and hashes, by name."""
    text = (ROOT / path).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[=\[ ]", line, maxsplit=1)[0]: re.sub(r"\s+", " ", line) for line in lines}


@pytest.mark.parametrize(
    "path",
    ["requirements.txt", *(f"docker/requirements-{what}.txt" for what in ("fallback", "lambda", "publish", "serve"))],
)
def test_every_requirement_is_pinned_and_hashed_and_names_no_index(path: str) -> None:
    pins = _pins(path)
    assert all("==" in line and "--hash=sha256:" in line for line in pins.values())
    assert "://" not in "".join(pins.values())


def test_each_shorter_list_is_a_part_of_the_same_resolution() -> None:
    serve, fallback, publish, on_lambda = (
        _pins(f"docker/requirements-{what}.txt").items() for what in ("serve", "fallback", "publish", "lambda")
    )
    everything = _pins("requirements.txt").items()
    assert serve < fallback < publish < everything
    assert serve < on_lambda < everything


def test_what_is_served_needs_nothing_that_is_only_for_publishing() -> None:
    assert not {"onnx", "pyarrow", "pytest", "moto"} & _pins("docker/requirements-fallback.txt").keys()
    assert not PUBLISHING_ONLY & {
        name.replace("scikit-learn", "sklearn") for name in _pins("docker/requirements-serve.txt")
    }
