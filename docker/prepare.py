"""Run by the build: takes what serving does not need out of an environment, compiles, and seals.

``python prepare.py TREE`` treats the tree in place and writes its bytecode into its folder ``pycache``; that of the
environment holds the standard library's, too, and leads on to the code's. The same files in give the same bytes out,
with the same modes and times, wherever and whenever it runs. Standard library only.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import py_compile
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

CODE = "/app"
# One time for every commit: a layer of packages stays the same for as long as the lists do.
SEALED_AT = 315532800
# Patterns of paths in site-packages that nothing imports or reads while a model is served.
UNNEEDED = (
    "*/test/*",
    "*/tests/*",
    *(f"*.{ending}" for ending in ("a", "c", "cpp", "h", "hpp", "pxd", "pxi", "pyi", "pyx", "tp")),
    *(
        f"aws_lambda_powertools/utilities/{name}/*"
        for name in ("auth_alpha", "batch", "circuit_breaker", "data_masking", "feature_flags", "idempotency")
    ),
    *(f"aws_lambda_powertools/utilities/{name}/*" for name in ("kafka", "parameters", "parser", "streaming")),
    "boto3/data/*",
    "boto3/examples/*",
    "numpy/_core/_simd.*",
    "numpy/distutils/*",
    "onnxruntime/capi/libonnxruntime.so.*",  # for programs in C: the module for Python has all of it inside
    "onnxruntime/quantization/*",
    "onnxruntime/tools/*",
    "onnxruntime/transformers/*",
    "scipy/io/_fast_matrix_market/_fmm_core.*",
    "sklearn/datasets/data/*",
    "sklearn/datasets/images/*",
)
# The models of AWS's services: botocore has hundreds, and finds credentials by the others.
SERVICES = ("s3", "signin", "sso", "sso-oidc", "sts")
# Of the standard library, whose bytecode the official image leaves out.
NOT_COMPILED = (
    "dist-packages",
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "site-packages",
    "test",
    "tkinter",
    "turtledemo",
)


def trim(site_packages: Path) -> None:
    """Removes files that no serving process needs, and their lines from each distribution's RECORD."""
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        rows = list(csv.reader(io.StringIO(record.read_text("utf-8"))))
        kept = [row for row in rows if not is_unneeded(row[0])]
        if len(kept) == len(rows):
            continue
        for path in {row[0] for row in rows} - {row[0] for row in kept}:
            (site_packages / path).unlink()
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(kept)
        record.write_text(lines.getvalue(), "utf-8")
    _remove_empty_folders(site_packages)


def is_unneeded(path: str) -> bool:
    """Whether to remove a path of a RECORD. Metadata, licences among it, always stays."""
    if ".dist-info/" in path:
        return False
    if path.startswith("botocore/data/") and path.count("/") > 2:
        return path.split("/")[2] not in SERVICES
    return any(fnmatch(path, pattern) for pattern in UNNEEDED)


def _remove_empty_folders(tree: Path) -> None:
    for folder, _, _ in os.walk(tree, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)


def compile_tree(tree: Path) -> None:
    """Compiles every module beneath it, to be used without a look at its source: neither changes in an image."""
    for source in _sources(tree):
        py_compile.compile(
            str(source),
            cfile=importlib.util.cache_from_source(str(source)),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def _sources(tree: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(set(folders) - {"__pycache__", *(NOT_COMPILED if Path(folder) == tree else ())})
        yield from (Path(folder, file) for file in sorted(files) if file.endswith(".py"))


def seal(tree: Path) -> None:
    """Gives everything in the tree the modes and the time that it has in every build, whatever the checkout had."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for path in (Path(folder, name) for name in (*files, *folders)):
            _seal(path)
    _seal(tree)


def _seal(path: Path) -> None:
    if not path.is_symlink():
        executable = path.is_dir() or path.stat().st_mode & 0o111
        path.chmod(0o755 if executable else 0o644)
    os.utime(path, (SEALED_AT, SEALED_AT), follow_symlinks=False)


def main(tree: Path) -> None:
    bytecode = tree / "pycache"
    sys.pycache_prefix = str(bytecode)
    for site_packages in tree.glob("lib/python*/site-packages"):
        trim(site_packages)
        compile_tree(Path(sysconfig.get_path("stdlib")))
        link = bytecode / CODE.strip("/")
        link.unlink(missing_ok=True)
        link.symlink_to(f"{CODE}/pycache{CODE}")
    compile_tree(tree)
    seal(tree.resolve())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
