"""What holds the parts together: imports run one way, lists agree, serving stays light, both sides mean the same."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from service.routes import routes
from service.settings import Settings
from service.stores.uri import parse_model
from stacks.constructs.environment import model_uri
from stacks.settings import PORT, Service
from tests.stacks.wrong_settings import RIGHT

ROOT = Path(__file__).parent.parent
SERVICE = ROOT / "service"

# Lower may not import higher. A package stands for all of its modules.
LAYERS = (
    {"service.errors", "service.telemetry", "service.processor"},
    {"service.bundle"},
    {"service.agreement", "service.batching"},
    {"service.stores", "service.engines", "service.codec", "service.compile"},
    {"service.warmup"},
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
STACKS_LAYERS = (
    {"stacks.errors", "stacks.settings", "stacks.constructs"},
    {"stacks.storage", "stacks.network"},
    {"stacks.serving"},
    {"stacks.operations", "stacks.delivery"},
    {"app"},
)
# Beside the app: they read what it makes, or what stands in an account, and nothing that it is made of imports them.
BESIDE_THE_APP = (
    {"stacks.assembly", "stacks.template_diff"},
    {"stacks.prices", "stacks.traffic"},
    {"stacks.site"},
    {"stacks.charges"},
    {"stacks.cost"},
    {"stacks.account"},
    {"stacks.__main__"},
)
HTTP = {"service.app", "service.routes", "service.middleware", "service.problems", "service.server"}
PUBLISHING_ONLY = {"onnx", "sklearn", "joblib", "skops", "pandas", "scipy"}
MAY_IMPORT_THEM = {"service.compile", "service.publish", "service.example", "service.engines.sklearn"}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for path in SERVICE.rglob("*.py")}
OF_STACKS = {_module(path): path for path in (ROOT / "app.py", *(ROOT / "stacks").rglob("*.py"))}


def _imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _layer(module: str, layers: tuple[set[str], ...] = LAYERS) -> int | None:
    parts = module.split(".")
    for index, layer in enumerate(layers):
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


@pytest.mark.parametrize("module", sorted(OF_STACKS))
def test_imports_of_the_stacks_run_one_way(module: str) -> None:
    layers = (*STACKS_LAYERS, *BESIDE_THE_APP)
    here = _layer(module, layers)
    assert here is not None or module == "stacks", f"{module} has no place among the layers"
    for imported in _imports(OF_STACKS[module]):
        there = _layer(imported, layers) if imported.startswith(("stacks.", "app.")) else None
        assert here is None or there is None or there <= here, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(OF_STACKS))
def test_constructs_and_settings_know_neither_each_other_nor_a_stack(module: str) -> None:
    for part in ("stacks.constructs", "stacks.settings"):
        if module.startswith(part):
            imported = [name for name in _imports(OF_STACKS[module]) if name.startswith("stacks.")]
            assert [name for name in imported if not name.startswith(part)] == []


@pytest.mark.parametrize("module", sorted(OF_STACKS))
def test_only_the_app_is_made_of_the_cdk(module: str) -> None:
    """Settings are read and accounts looked at without it; what is synthesized is read by whoever runs the app."""
    outside = module.startswith(("stacks.settings", "stacks.account", "stacks.c")) and "constructs" not in module
    if outside or module == "stacks.__main__":
        assert "aws_cdk" not in {name.partition(".")[0] for name in _imports(OF_STACKS[module])}


@pytest.mark.parametrize("module", sorted(MODULES | OF_STACKS))
def test_the_service_and_the_stacks_never_import_each_other(module: str) -> None:
    """Nor what stands above both: the rehearsal, the benchmarks, the tests."""
    other = {"stacks", "app", "aws_cdk", "constructs"} if module.startswith("service") else {"service"}
    other |= {"rehearsal", "benchmarks", "tests"}
    assert not {name.partition(".")[0] for name in _imports((MODULES | OF_STACKS)[module])} & other


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


# --- what the stacks tell the service --------------------------------------------------------------------------------

TOLD_BY_THE_CONTAINER = {"model_uri", "port", "log_format"}
LEFT_TO_THE_SERVICE = {"host"}  # every address, which is right in a container


def test_the_stacks_tell_the_service_every_setting_that_it_reads() -> None:
    told = Service.model_fields.keys() | TOLD_BY_THE_CONTAINER
    assert told == Settings.model_fields.keys() - LEFT_TO_THE_SERVICE


@pytest.mark.parametrize("key", Service.model_fields)
def test_a_setting_has_the_same_kind_bounds_and_default_on_both_sides(key: str) -> None:
    def schema(model: type[Service] | type[Settings]) -> dict[str, Any]:
        return {**model.model_json_schema()["properties"][key], "description": None}

    assert schema(Service) == schema(Settings)


@pytest.mark.parametrize("prefix", RIGHT["model.prefix"])
@pytest.mark.parametrize("name", RIGHT["model.name"])
def test_the_service_reads_the_name_of_every_model_that_the_stacks_take(prefix: str, name: str) -> None:
    uri = model_uri(bucket="models", prefix=prefix, name=name, alias=name, version=None)
    read = parse_model(uri)
    assert ("/".join(read.store.parts), read.name, read.alias) == (prefix, name, name)


def test_the_service_listens_where_the_stacks_look_for_it() -> None:
    assert Settings.model_fields["port"].default == PORT


def test_the_stacks_name_only_paths_that_the_service_answers() -> None:
    answered = {route.path for route in routes(*(cast("Any", None) for _ in range(4)))}
    named = {
        word
        for path in OF_STACKS.values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in re.findall(r"(?<![\w./*}>-])/(?:live|ready|health|predict|model|metrics)\b(?![-/])", node.value)
    }
    assert {"/live", "/ready", "/predict"} <= named <= answered
