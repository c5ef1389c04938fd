"""Kills publishers: ``python -m tests.service.stores.killed URI`` prints how many.

The n-th of them works in the store ``URI/n``, where version 0 is in production, publishes version 1, moves the alias to
it, and is killed just before its n-th step. A step is a call that changes the store's folder, or a block of bytes on
the way to its server. The last one comes to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from itertools import count

from service.bundle import Alias, sha256
from service.stores import Store, open_store
from tests.service.bundles import make_bundle

_STEPS = {"open", "os.mkdir", "os.link", "os.rename", "os.remove", "http.client.send"}


def publish(store: Store, version: str, expected_tag: str | None) -> None:
    manifest, files = make_bundle(version=version, data=f"artifact {version}".encode() * 10_000)
    store.create_version(manifest, files)
    alias = Alias(version=version, manifest_sha256=sha256(manifest.encode()), promoted_at=datetime.now(UTC).isoformat())
    store.move_alias("iris", "production", alias, expected_tag=expected_tag)


def _die_before(last: int) -> None:
    steps = 0

    def notice(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event not in _STEPS:
            return
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(notice)


def _main(uri: str) -> None:
    for step in count(1):
        publish(open_store(f"{uri}/{step}"), "0", None)
        process = os.fork()
        if process == 0:
            store = open_store(f"{uri}/{step}")
            pointer = store.read_alias("iris", "production")
            _die_before(step)
            publish(store, "1", pointer.tag)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status == 0:
            sys.stdout.write(f"{step}\n")
            return
        assert status == -signal.SIGKILL


if __name__ == "__main__":
    _main(sys.argv[1])
