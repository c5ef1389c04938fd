"""The S3 that the tasks of one scene talk to: it knows their roles, and can go away and come back."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rehearsal.deployed import Statement
from rehearsal.errors import RehearsalError
from rehearsal.stand_in import ADMINISTRATOR, s3_environment


class ObjectStore:
    """A server in a process of its own, from the block's begin to its end. Empty at first, and nobody has a role.

    >>> async with ObjectStore() as s3:
    ...     await s3.fill("models", {"models/house/versions/1/manifest.json": b"{}"})
    ...     await s3.allow("TASK", deployed.task.role)
    ...     variables = s3.environment("TASK")
    """

    def __init__(self) -> None:
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def environment(self, access_key: str = ADMINISTRATOR) -> dict[str, str]:
        """The variables that lead boto3 here, as whoever has this key."""
        return {**s3_environment(self.endpoint), "AWS_ACCESS_KEY_ID": access_key}

    async def allow(self, access_key: str, statements: Sequence[Statement]) -> None:
        """Gives the key a role that may do this and nothing else, from now on."""
        await self._ask({"allow": access_key, "statements": [list(statement) for statement in statements]})

    async def fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Writes objects by key; makes the bucket if there is none of the name. Also while it is away."""
        encoded = {key: base64.b64encode(data).decode() for key, data in objects.items()}
        await self._ask({"fill": bucket, "objects": encoded})

    async def stop(self) -> None:
        """Goes away: ends every connection, and refuses new ones. What it holds stays."""
        await self._ask({"serve": False})

    async def start(self) -> None:
        """Comes back at the same address with what it held."""
        await self._ask({"serve": True})

    async def __aenter__(self) -> ObjectStore:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rehearsal.guarded_s3"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[1],
        )
        answer = await self._ask({"serve": True})
        self._port = int(answer["port"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def _ask(self, what: Mapping[str, Any]) -> dict[str, Any]:
        """One line there and one back. Raises RehearsalError if the process has ended."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RehearsalError("the stand-in for S3 is not running")
        async with self._asking:
            process.stdin.write(json.dumps(what).encode() + b"\n")
            answer = await process.stdout.readline()
        if not answer:
            raise RehearsalError("the stand-in for S3 has ended")
        return dict(json.loads(answer))
