"""A test tool: ``python -m stacks`` in a checkout, where AWS is a stand-in that neither builds nor serves.

What is built is an index, put into the repository; where the URL leads to, the real service answers, with the model of
the account's own bucket. The release of the commit ``BROKEN_COMMIT`` answers nobody. With ``pushed URI`` in place of a
command it does what a push of the archive in ``dist`` does; with ``built-elsewhere URI`` the tag gets another image.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

from service.example import NAME
from stacks.__main__ import main
from stacks.account import proof
from stacks.account.archive import find_archive
from stacks.account.connection import Account, connect
from stacks.account.image import Image, head_commit, parse_image
from stacks.assembly import ROOT, load_environment
from tests.serving import free_port
from tests.stacks.account.archives import put_manifest
from tests.stacks.account.images import put_image


def build(account: Account, image: Image, commit: str) -> None:
    put_image(account, image)


def push(uri: str, *, built_elsewhere: bool) -> None:
    account, image = connect(load_environment("dev")), parse_image(uri, architecture="x86_64", target="serve")
    if built_elsewhere:
        put_image(account, image)
    else:
        put_manifest(account, image, find_archive("serve", head_commit()).id)


def serve(processes: ExitStack) -> str:
    account, port = connect(load_environment("dev")), free_port()
    told = {
        "ALPHARD_MODEL_URI": f"s3://alphard-dev-models-{account.id}-{account.region}/models/{NAME}@production",
        "ALPHARD_HOST": "127.0.0.1",
        "ALPHARD_PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.DEVNULL
    )
    processes.callback(process.wait)
    processes.callback(process.kill)
    return f"http://127.0.0.1:{port}"


def run(arguments: list[str]) -> int:
    if arguments[0] in ("pushed", "built-elsewhere"):
        push(arguments[1], built_elsewhere=arguments[0] == "built-elsewhere")
        return 0
    if head_commit() == os.environ.get("BROKEN_COMMIT"):
        proof.READY_SECONDS = 0.0
        return main(arguments, build=build, reach=lambda _: f"http://127.0.0.1:{free_port()}")
    with ExitStack() as processes:
        return main(arguments, build=build, reach=lambda _: serve(processes))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
