"""An image as one file, as ``docker save`` writes it: its configuration, its layers, its root file system."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

OURS = {"app", "venv"}
_GONE = ".wh."
_ALL_GONE = ".wh..wh..opq"


class Layer(NamedTuple):
    """A layer: the digest of its content, the bytes of its files unpacked, and the top folders that it changes."""

    digest: str
    size_bytes: int
    folders: tuple[str, ...]

    @property
    def of_base(self) -> bool:
        return not OURS.issuperset(self.folders)


class Image(NamedTuple):
    """What an archive holds. ``config`` is the image's own: Env, Cmd, User, Labels and so on."""

    id: str
    config: dict[str, Any]
    layers: tuple[Layer, ...]

    @property
    def size_bytes(self) -> int:
        """The bytes of its files, besides the base's."""
        return sum(layer.size_bytes for layer in self.layers if not layer.of_base)


def read_image(archive: Path) -> Image:
    """Reads the archive's description and each layer's table of contents."""
    with _opened(archive) as (outer, manifest, config):
        digests = config["rootfs"]["diff_ids"]
        layers = []
        for digest, layer in zip(digests, _layers(outer, manifest), strict=True):
            members = layer.getmembers()
            folders = {member.name.removeprefix("./").partition("/")[0] for member in members} - {"", "."}
            layers.append(Layer(digest, sum(member.size for member in members), tuple(sorted(folders))))
        name = Path(manifest["Config"]).name
        return Image(f"sha256:{name.removesuffix('.json')}", config["config"], tuple(layers))


def unpack(archive: Path, root: Path) -> None:
    """Lays the layers over each other into a folder, devices left out."""
    with _opened(archive) as (outer, manifest, _):
        for layer in _layers(outer, manifest):
            kept = [member for member in layer.getmembers() if not _remove(root, member) and not member.isdev()]
            layer.extractall(root, kept, filter="tar")


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, Any], dict[str, Any]]]:
    with tarfile.open(archive) as outer:
        [manifest] = json.loads(_read(outer, "manifest.json"))
        yield outer, manifest, json.loads(_read(outer, manifest["Config"]))


def _read(outer: tarfile.TarFile, name: str) -> bytes:
    found = outer.extractfile(name)
    if found is None:
        raise ValueError(f"{name} is no file of the archive")
    return found.read()


def _layers(outer: tarfile.TarFile, manifest: dict[str, Any]) -> Iterator[tarfile.TarFile]:
    for name in manifest["Layers"]:
        with tarfile.open(fileobj=outer.extractfile(name)) as layer:
            yield layer


def _remove(root: Path, member: tarfile.TarInfo) -> bool:
    """Whether the member only says that something below is gone, which is then removed.

    https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
    """
    path = root / member.name
    if not path.name.startswith(_GONE):
        return False
    if path.name == _ALL_GONE:
        gone = list(path.parent.iterdir()) if path.parent.is_dir() else []
    else:
        gone = [path.with_name(path.name.removeprefix(_GONE))]
    for each in gone:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
    return True
