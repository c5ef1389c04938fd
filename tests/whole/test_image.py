"""The image itself: built twice from the Dockerfile, looked into, and run. Slow, and asks for buildah and bubblewrap.

It stands on a base of Debian's packages that is made once a machine, so that no registry of images is needed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal, NamedTuple

import boto3
import numpy as np
import pytest
from archive import unpack
from container import BubblewrapContainers
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sklearn.linear_model import LogisticRegression

from rehearsal.stand_in import s3_environment
from service.publish import publish
from tests.service.lambda_runtime import environment
from tests.test_contract import PUBLISHING_ONLY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
BASE = "localhost/alphard-base"
TOOLS = ("buildah", "bwrap", "debootstrap")
WITHOUT_SKLEARN_BYTES = 200_000_000
WITH_SKLEARN_BYTES = 350_000_000


class Built(NamedTuple):
    """What ``make image`` leaves: an archive, a bill and a report for each target."""

    folder: Path

    def report(self, target: str) -> Any:
        return json.loads((self.folder / f"{target}.json").read_text())

    def bill(self, target: str) -> str:
        return (self.folder / f"{target}.cdx.json").read_text()


@pytest.fixture(scope="session")
def base() -> str:
    """The name of the base; made if this machine has none yet."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    assert not missing, f"these tests build an image: apt-get install buildah bubblewrap debootstrap ({missing})"
    storage = {"STORAGE_DRIVER": "vfs", **os.environ}
    found = subprocess.run(["buildah", "inspect", "--type=image", BASE], env=storage, capture_output=True, check=False)
    if found.returncode:
        subprocess.run([sys.executable, ROOT / "docker/base.py", BASE], check=True)
    return BASE


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the image is made of, so that nobody changes it meanwhile."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in (".git", "docker", "service"):
        shutil.copytree(ROOT / path, folder / path)
    shutil.copyfile(ROOT / ".dockerignore", folder / ".dockerignore")
    return folder


def build(checkout: Path, base: str, folder: Path, *options: str) -> Built:
    command = [sys.executable, str(checkout / "docker/image.py"), f"--base={base}", f"--output={folder}", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(folder)


@pytest.fixture(scope="session")
def whole(checkout: Path, base: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both images with scikit-learn in them: built and tried."""
    return build(checkout, base, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def graphs_only(checkout: Path, base: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both images without scikit-learn: built and tried."""
    return build(checkout, base, tmp_path_factory.mktemp("graphs"), "--without-sklearn")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model for each engine."""
    folder = tmp_path_factory.mktemp("store")
    rows = np.random.default_rng(0).normal(size=(200, 3))
    labels = np.where(rows[:, 0] > 0, "yes", "no")
    kinds: dict[str, Literal["onnx", "sklearn"]] = {"graph": "onnx", "archive": "sklearn"}
    for name, engine in kinds.items():
        estimator = LogisticRegression().fit(rows, labels)
        publish(estimator, rows, name=name, store=str(folder), alias="live", engine=engine)
    return folder


def opened(built: Built, target: str, store: Path, folder: Path) -> BubblewrapContainers:
    root = folder / "root"
    root.mkdir()
    unpack(built.folder / f"{target}.tar", root)
    return BubblewrapContainers(root, built.report(target)["config"], store)


@pytest.fixture(scope="session")
def serving(whole: Built, store: Path, tmp_path_factory: pytest.TempPathFactory) -> BubblewrapContainers:
    """The serving image, unpacked, to run commands in."""
    return opened(whole, "serve", store, tmp_path_factory.mktemp("serving"))


def files(containers: BubblewrapContainers) -> set[str]:
    """Every path that the image has beside its base's."""
    root = containers.root
    return {str(path.relative_to(root)) for top in ("app", "venv") for path in (root / top).rglob("*")}


def python(containers: BubblewrapContainers, code: str) -> str:
    """What a script of Python writes in the image."""
    done = containers.run(["python", "-c", code])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_small(whole: Built, graphs_only: Built) -> None:
    for target in ("serve", "lambda"):
        assert whole.report(target)["size_bytes"] < WITH_SKLEARN_BYTES
        assert graphs_only.report(target)["size_bytes"] < WITHOUT_SKLEARN_BYTES


def test_the_same_commit_gives_the_same_images(whole: Built, checkout: Path, base: str, tmp_path: Path) -> None:
    """Of files that another umask made, at another time."""
    elsewhere = shutil.copytree(checkout, tmp_path / "checkout")
    for path in elsewhere.glob("service/**/*"):
        path.chmod(path.stat().st_mode & ~0o077)
        os.utime(path)
    again = build(elsewhere, base, tmp_path / "images")
    for target in ("serve", "lambda"):
        assert again.report(target)["layers"] == whole.report(target)["layers"]
        assert again.report(target)["id"] == whole.report(target)["id"]
        assert again.bill(target) == whole.bill(target)


def test_it_says_how_it_is_run_and_of_which_commit(whole: Built, checkout: Path) -> None:
    report = whole.report("serve")
    config, head = report["config"], git(checkout, "rev-parse", "HEAD")
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "service", "serve"]
    assert not config.get("Entrypoint")
    assert config["StopSignal"] == "SIGTERM"
    assert set(config["Volumes"]) == {"/tmp"}  # noqa: S108  # the container's own
    assert config["Labels"]["org.opencontainers.image.revision"].removesuffix("-dirty") == head
    assert report["tag"].removesuffix("-dirty") == f"alphard:{head}"


def git(checkout: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True).stdout.strip()


def test_a_volume_at_tmp_would_be_writable_by_everybody(whole: Built) -> None:
    """A mount over a folder that the image declares a volume takes that folder's mode."""
    modes = {}
    with tarfile.open(whole.folder / "serve.tar") as outer:
        [manifest] = json.loads(read(outer, "manifest.json"))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                modes.update({member.name.removeprefix("./"): member.mode for member in layer.getmembers()})
    assert modes["tmp"] & 0o7777 == 0o1777


def read(outer: tarfile.TarFile, name: str) -> bytes:
    found = outer.extractfile(name)
    assert found is not None
    return found.read()


def test_its_user_may_write_nowhere_but_in_tmp(serving: BubblewrapContainers) -> None:
    code = (
        "import os, tempfile\n"
        "tempfile.NamedTemporaryFile().write(b'x')\n"
        "found = [path for path in ('/', '/app', '/venv', '/tmp') if os.access(path, os.W_OK)]\n"
        "print(os.getuid(), found)"
    )
    assert python(serving, code) == "10001 ['/tmp']"


def test_it_holds_only_what_serves(serving: BubblewrapContainers) -> None:
    paths = files(serving)
    assert not [path for path in paths if re.search(r"/tests?/", path)]
    assert not [path for path in paths if re.search(r"app/service/(compile|publish|example)", path)]
    assert {path.split("/")[1] for path in paths if path.startswith("app/")} == {"pycache", "service"}
    assert not [path for path in paths if path.endswith((".c", ".h", ".pyi", ".pyx", ".a"))]
    assert not [path for path in paths if re.search(r"site-packages/(onnx|pyarrow|pytest|aws_cdk|pip)(/|-)", path)]
    assert not [tool for tool in ("cc", "gcc", "ld", "make") if (serving.root / "usr/bin" / tool).exists()]


def test_what_publishes_is_left_out_in_so_many_words(serving: BubblewrapContainers) -> None:
    arguments = ["publish", "a.joblib", "--rows", "a.csv", "--name", "a", "--store", "/mnt"]
    done = serving.run(["python", "-m", "service", *arguments])
    assert (done.returncode, done.stderr[:38]) == (2, "alphard: publishing is not installed h")


def test_every_record_of_an_installed_file_is_true(serving: BubblewrapContainers) -> None:
    [site_packages] = serving.root.glob("venv/lib/python*/site-packages")
    recorded = set()
    for record in site_packages.glob("*.dist-info/RECORD"):
        for path, digest, _ in csv.reader(record.read_text("utf-8").splitlines()):
            recorded.add((site_packages / path).resolve())
            if digest:
                assert digest == sha256(site_packages / path), path
    assert {path.resolve() for path in site_packages.rglob("*") if path.is_file()} <= recorded


def sha256(path: Path) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
    return f"sha256={digest}"


@pytest.mark.parametrize("target", ["serve", "lambda"])
def test_whatever_a_package_needs_is_installed(target: str, graphs_only: Built, store: Path, tmp_path: Path) -> None:
    root = opened(graphs_only, target, store, tmp_path).root
    [site_packages] = root.glob("venv/lib/python*/site-packages")
    installed = {canonicalize_name(found.name): found for found in distributions(path=[str(site_packages)])}
    for found in installed.values():
        for requirement in map(Requirement, found.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed = installed[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(needed.version, prereleases=True)


def test_nothing_is_compiled_when_it_starts(serving: BubblewrapContainers) -> None:
    code = (
        "import os, sys, service.server, service.engines.onnx, service.engines.sklearn, service.stores.s3, skops.io\n"
        "specs = [getattr(module, '__spec__', None) for module in sys.modules.values()]\n"
        "cached = [spec.cached for spec in specs if spec and spec.has_location and spec.origin.endswith('.py')]\n"
        "print(len(cached) > 1000, [path for path in cached if not os.path.exists(path)])"
    )
    assert python(serving, code) == "True []"


def test_each_engine_gives_its_golden_answers(serving: BubblewrapContainers) -> None:
    for name in ("graph", "archive"):
        done = serving.run(["python", "-m", "service", "verify", f"file:///mnt/{name}@live"])
        assert done.returncode == 0, done.stderr


def test_it_reads_a_store_in_s3(serving: BubblewrapContainers, store: Path, bucket: str, s3: str) -> None:
    client = boto3.session.Session().client("s3")
    for path in store.rglob("*.*"):
        client.upload_file(str(path), bucket, str(path.relative_to(store)))
    reading = serving._replace(config={**serving.config, "Env": [*serving.config["Env"], *pairs(s3_environment(s3))]})
    done = reading.run(["python", "-m", "service", "verify", f"s3://{bucket}/graph@live"])
    assert done.returncode == 0, done.stderr


def pairs(variables: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in variables.items()]


def test_without_scikit_learn_it_serves_graphs_and_says_what_it_cannot(
    graphs_only: Built, store: Path, tmp_path: Path
) -> None:
    containers = opened(graphs_only, "serve", store, tmp_path)
    done = containers.run(["python", "-m", "service", "verify", "file:///mnt/graph@live"])
    assert done.returncode == 0, done.stderr
    refused = containers.run(["python", "-m", "service", "verify", "file:///mnt/archive@live"])
    assert refused.returncode == 1
    assert "the model needs scikit-learn itself, and skops is not installed here" in refused.stderr


def test_a_model_that_is_a_graph_imports_no_scikit_learn(whole: Built) -> None:
    imported = whole.report("serve")["imports_ms"]
    assert {"numpy", "onnxruntime", "fastapi"} <= imported.keys()
    assert not (PUBLISHING_ONLY | {"boto3"}) & imported.keys()


def test_the_same_commit_answers_as_a_function_of_lambda(whole: Built, store: Path, tmp_path: Path) -> None:
    containers = opened(whole, "lambda", store, tmp_path)
    config = containers.config
    command = [*containers.command(), *config["Entrypoint"], *config["Cmd"]]
    with environment("file:///mnt/graph@live", tmp_path, containers.variables, command=command) as function:
        reply = function.ask("POST", "/predict", {"instances": [[2.0, 0.0, 0.0], [-2.0, 0.0, 0.0]]})
    assert (reply.status, reply.json()["predictions"]) == (200, ["yes", "no"])


@pytest.mark.parametrize("target", ["serve", "lambda"])
def test_its_bill_names_every_package_of_python_and_debian(
    target: str, whole: Built, store: Path, tmp_path: Path
) -> None:
    text = whole.bill(target)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    root = opened(whole, target, store, tmp_path).root
    [site_packages] = root.glob("venv/lib/python*/site-packages")
    found = {component["purl"].partition("@")[0] for component in json.loads(text)["components"]}
    installed = {canonicalize_name(one.name) for one in distributions(path=[str(site_packages)])}
    of_debian = re.findall(r"^Package: (\S+)$", (root / "var/lib/dpkg/status").read_text(), re.MULTILINE)
    assert {f"pkg:pypi/{name}" for name in installed} <= found
    assert {f"pkg:deb/debian/{name.replace('+', '%2B')}" for name in of_debian} <= found
