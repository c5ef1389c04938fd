"""``make image``: builds both images of the commit, tries the serving one, and says what they hold, weigh and take."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archive import Image, read_image, unpack
from bill import write_bill
from build import ROOT, Commit, build, find_builder, read_commit
from container import BubblewrapContainers, Containers, DockerContainers
from trial import Trial, publish_example, try_image

TARGETS = ("serve", "lambda")
_IMPORTS_SHOWN = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", metavar="IMAGE", help="the image to stand on, in place of the Dockerfile's")
    parser.add_argument(
        "--without-sklearn", action="store_true", help="leave out what only models without a graph need"
    )
    parser.add_argument("--output", metavar="DIR", type=Path, default=ROOT / "dist", help="where the images go")
    parsed = parser.parse_args()
    arguments = {"BASE": parsed.base} if parsed.base else {}
    if parsed.without_sklearn:
        arguments["WITH_SKLEARN"] = "0"
    builder, commit = find_builder(), read_commit()
    output: Path = parsed.output
    output.mkdir(exist_ok=True)
    for target in TARGETS:
        archive = output / f"{target}.tar"
        tag = build(builder, target, commit, arguments, archive)
        image = read_image(archive)
        _say(f"{tag}, built by {builder}: {archive}\n{_weights(image)}")
        with TemporaryDirectory(prefix="alphard-") as folder:
            _examine(Path(folder), archive, builder, tag, commit, image)


def _examine(folder: Path, archive: Path, builder: str, tag: str, commit: Commit, image: Image) -> None:
    root, store = folder / "root", folder / "store"
    root.mkdir()
    unpack(archive, root)
    write_bill(root, image, tag, commit, archive.with_suffix(".cdx.json"))
    report: dict[str, Any] = {"tag": tag, "id": image.id, "layers": [layer._asdict() for layer in image.layers]}
    report |= {"size_bytes": image.size_bytes, "config": image.config}
    if archive.stem == "serve":
        manifest = publish_example(store)
        containers: Containers = BubblewrapContainers(root, image.config, store)
        if builder == "docker":
            folder.chmod(0o755)
            containers = DockerContainers(tag, store)
        trial = try_image(containers, manifest)
        report |= trial._asdict()
        _say(_times(trial))
    archive.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")


def _weights(image: Image) -> str:
    base = sum(layer.size_bytes for layer in image.layers if layer.of_base)
    ours = [layer for layer in image.layers if layer.folders and not layer.of_base]
    lines = [f"{_megabytes(layer.size_bytes)}  {' '.join(f'/{folder}' for folder in layer.folders)}" for layer in ours]
    return "\n".join([f"{_megabytes(base)}  the base", *lines, f"{_megabytes(image.size_bytes)}  besides the base"])


def _megabytes(size_bytes: int) -> str:
    return f"  {size_bytes / 1e6:8.1f} MB"


def _times(trial: Trial) -> str:
    shown = list(trial.imports_ms.items())[:_IMPORTS_SHOWN]
    imports = ", ".join(f"{package} {milliseconds:.0f}" for package, milliseconds in shown)
    return (
        "  serves read-only as its own user, gives the golden answers, and drains on its stop signal as PID 1\n"
        f"  ready {trial.ready_seconds:.2f} s after its start; python -c pass takes {trial.pass_seconds:.2f} s\n"
        f"  of {sum(trial.imports_ms.values()):.0f} ms of imports: {imports}"
    )


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
