from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from stacks.account import image
from stacks.account.archive import Archive, find_archive, find_digest, push
from stacks.account.connection import Account
from stacks.account.image import parse_image
from stacks.errors import CommandError
from tests.serving import WAIT_SECONDS, free_port, until
from tests.stacks.account.archives import put_manifest, write_archive
from tests.stacks.account.images import put_image

COMMIT = "0123456789abcdef0123456789abcdef01234567"
URI = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/alphard-dev-service:{COMMIT}"
IMAGE = parse_image(URI, architecture="x86_64", target="serve")
KINDS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
LAMBDA = parse_image(f"{URI}-lambda", architecture="x86_64", target="lambda")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    write_archive(tmp_path / "dist" / "serve.tar", f"alphard:{COMMIT}")
    return find_archive("serve", COMMIT, tmp_path / "dist")


@pytest.fixture
def repository(account: Account) -> None:
    account.ask("ecr", "create_repository", repositoryName=IMAGE.repository)


@pytest.mark.parametrize(("target", "suffix"), [("serve", ""), ("lambda", "-lambda")])
def test_an_archive_says_what_it_holds(target: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"{target}.tar"
    image_id = write_archive(path, f"alphard:{COMMIT}{suffix}", architecture="arm64")
    found = find_archive(target, COMMIT, tmp_path)
    assert found == Archive(path, f"alphard:{COMMIT}{suffix}", image_id, "linux/arm64")


def test_without_an_archive_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no .*lambda\.tar: run `make image`"):
        find_archive("lambda", COMMIT, tmp_path)


@pytest.mark.parametrize("tag", ["f" * 40, f"{COMMIT}-dirty", f"{COMMIT}-lambda"])
def test_an_archive_of_another_commit_is_not_taken(tag: str, tmp_path: Path) -> None:
    write_archive(tmp_path / "serve.tar", f"alphard:{tag}")
    with pytest.raises(CommandError, match=f"holds alphard:{tag}, and the commit is {COMMIT}"):
        find_archive("serve", COMMIT, tmp_path)


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("docker", "load --quiet --input {}"),
        ("podman", "load --quiet --input {}"),
        ("buildah", "pull --quiet docker-archive:{}"),
    ],
)
def test_the_tool_that_is_there_loads_names_signs_in_and_pushes(
    name: str, load: str, tool: Callable[..., Path], archive: Archive, account: Account, repository: None
) -> None:
    record = tool(name)
    assert push(account, IMAGE, archive)
    loaded, named, signed_in, pushed = record.read_text().splitlines()
    assert loaded.rstrip() == f"{name} {load.format(archive.path)}"
    assert named.rstrip() == f"{name} tag alphard:{COMMIT} {URI}"
    assert signed_in.startswith(f"{name} login --username AWS --password-stdin {IMAGE.registry} ")
    assert pushed.rstrip() == f"{name} push {URI}"


def test_a_tag_that_is_there_is_not_pushed_again(archive: Archive, account: Account, repository: None) -> None:
    put_image(account, IMAGE)
    assert not push(account, IMAGE, archive)


def test_an_image_for_another_processor_is_not_pushed(archive: Archive, account: Account) -> None:
    other = IMAGE._replace(platform="linux/arm64")
    with pytest.raises(CommandError, match=r"is for linux/amd64, and .* must be for linux/arm64"):
        push(account, other, archive)


def test_a_digest_is_told_of_what_the_archive_holds_and_of_nothing_else(
    archive: Archive, account: Account, repository: None
) -> None:
    assert find_digest(account, IMAGE, archive) is None
    digest = put_manifest(account, IMAGE, archive.id)
    assert digest.startswith("sha256:")
    assert find_digest(account, IMAGE, archive) == digest
    put_manifest(account, LAMBDA, "sha256:" + "0" * 64)
    assert find_digest(account, LAMBDA, archive) is None


def test_of_an_index_no_digest_is_told(archive: Archive, account: Account, repository: None) -> None:
    put_image(account, IMAGE)
    assert find_digest(account, IMAGE, archive) is None


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "serve.tar").write_bytes(b"no archive")
    with pytest.raises(CommandError, match="holds no image"):
        find_archive("serve", COMMIT, tmp_path)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry of Debian's on loopback, and buildah trusting it and keeping what it loads in a folder of its own."""
    tools = ("buildah", "docker-registry", "openssl")
    missing = [tool for tool in tools if shutil.which(tool) is None]
    assert not missing, f"this test pushes an image: apt-get install {' '.join(tools)} ({missing})"
    key, certificate, port = tmp_path / "key.pem", tmp_path / "certificate.pem", free_port()
    request = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*request.split(), "-keyout", key, "-out", certificate], capture_output=True, check=True)
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}", "tls": {"certificate": str(certificate), "key": str(key)}},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(settings))  # which is YAML, too
    command = ["docker-registry", "serve", str(tmp_path / "registry.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        (tmp_path / "auth.json").write_text("{}")
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
        storage = {"graphroot": str(tmp_path / "images"), "runroot": str(tmp_path / "run")}
        lines = [f'{key} = "{value}"' for key, value in {"driver": "vfs", **storage}.items()]
        (tmp_path / "storage.conf").write_text("\n".join(["[storage]", *lines]))
        monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
        monkeypatch.setattr(image, "_TOOLS", ("buildah",))  # whatever else is here
        until(lambda: _ask(f"localhost:{port}", "") is not None, "the registry to answer")
        yield f"localhost:{port}"
        process.terminate()


def _ask(registry: str, path: str) -> bytes | None:
    """What the registry has there, or None."""
    trusting = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    connection = HTTPSConnection(registry, context=trusting, timeout=WAIT_SECONDS)
    with closing(connection):
        try:
            connection.request("GET", f"/v2/{path}", headers={"accept": KINDS})
            answer = connection.getresponse()
        except OSError:
            return None
        return answer.read() if answer.status == 200 else None


@pytest.mark.slow
def test_what_reaches_a_real_registry_is_to_the_bit_what_the_archive_holds(
    registry: str, archive: Archive, account: Account
) -> None:
    there = IMAGE._replace(registry=registry)
    assert push(account, there, archive)
    written = _ask(registry, f"{there.repository}/manifests/{COMMIT}")
    assert written is not None
    manifest = json.loads(written)
    assert manifest["config"]["digest"] == archive.id
    for part in (manifest["config"], *manifest["layers"]):
        assert len(_ask(registry, f"{there.repository}/blobs/{part['digest']}") or b"") == part["size"]
    account.ask("ecr", "create_repository", repositoryName=there.repository)
    account.ask(
        "ecr",
        "put_image",
        repositoryName=there.repository,
        imageManifest=written.decode(),
        imageManifestMediaType=manifest["mediaType"],
        imageTag=there.tag,
    )
    assert find_digest(account, there, archive) is not None
