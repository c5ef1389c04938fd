"""``python -m rehearsal``: deploys into a stand-in for AWS, and plays every scene with what it reads from there.

Each run draws its scenes on the page dist/rehearsal.html; only a whole run of the default environment changes
RESULTS.md and results.svg, which are kept. Exits with 1 where a scene with all its protections lost a request, or ended
otherwise than it should; a protection whose absence costs nothing is only named.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rehearsal.errors import RehearsalError
from rehearsal.production import Production, deploy
from rehearsal.protections import exposed
from rehearsal.report import all_held, keep, write_page
from rehearsal.results import SceneResult
from rehearsal.scene import Scene, perform
from rehearsal.scenes import SCENES, SHIFTED
from stacks.settings import SettingsError

_PAGE = Path("dist", "rehearsal.html")
"""In the repository, from which it is run."""

_SHIFTING = "staging"
_SCENES_AT_ONCE, _APART_SECONDS = 3 * (os.cpu_count() or 1), 8.0
"""They mostly wait. If they began together, all would start tasks in the same moment, and wait for each other's."""


class Part(NamedTuple):
    """A scene and what it begins from."""

    production: Production
    scene: Scene


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal")
    parser.add_argument("--env", default="dev", help="the environment of cdk.json that is rehearsed (dev)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the scenes that have this in their name")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        try:
            parts = [part for part in _parts(given.env, Path(folder)) if given.only in part.scene.name]
            results = asyncio.run(_play(parts, Path(folder)))
        except (RehearsalError, SettingsError) as error:
            print(error, file=sys.stderr)  # noqa: T201 - as below
            return 1
    _say(write_page(results, _PAGE))
    if given.env == parser.get_default("env") and not given.only:
        keep(results, Path(__file__).parent)
    _say(f"Each scene as a picture: {_PAGE}")
    return 0 if all_held(results) else 1


def _parts(environment: str, folder: Path) -> Iterator[Part]:
    """All scenes of the environment. Beside one that rolls, how a release takes over where traffic is shifted."""
    _say(f"deploying {environment}")
    production = deploy(environment, _made(folder / environment))
    for scene in [*SCENES, *exposed()]:
        yield Part(production, scene)
    if production.deployed.service.strategy.kind == "ROLLING":
        _say(f"deploying {_SHIFTING}")
        shifting = deploy(_SHIFTING, _made(folder / _SHIFTING))
        for scene in SHIFTED:
            yield Part(shifting, scene)


async def _play(parts: Sequence[Part], folder: Path) -> list[SceneResult]:
    """Some at a time; the results are in the order of the parts."""
    turns, beginning = asyncio.Semaphore(_SCENES_AT_ONCE), asyncio.Lock()

    async def play(number: int, part: Part) -> SceneResult:
        async with turns:
            async with beginning:
                await asyncio.sleep(_APART_SECONDS)
            result = await perform(part.scene, part.production, _made(folder / f"scene-{number}"))
        without = f" without {result.without}" if result.without else ""
        failed = sum(outcome.kind != "answered" for outcome in result.outcomes)
        _say(f"{result.name}{without}: {result.found}, {len(result.outcomes):,} requests, {failed:,} failed")
        return result

    return await asyncio.gather(*(play(number, part) for number, part in enumerate(parts)))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own output


if __name__ == "__main__":
    sys.exit(main())
