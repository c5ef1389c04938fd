"""Moving an alias of the model that an environment serves, by the model tools of this repository."""

from __future__ import annotations

import os
import subprocess
import sys

from stacks.account.connection import Account
from stacks.account.model import Model
from stacks.assembly import ROOT
from stacks.errors import CommandError


def promote(account: Account, served: Model, *, name: str, version: str, alias: str) -> None:
    """Verifies the version, every hash and golden answer, then points the alias to it; what was done goes to standard
    output.

    ``served`` is what the environment serves, in whose store the version is. Raises CommandError if that is another
    model, or if the model tools refuse: they have said why.
    """
    if name != served.name:
        raise CommandError(f"the environment serves the model {served.name}, not {name!r}")
    options = [f"--alias={alias}", f"--store={served.store}"]
    done = subprocess.run(  # noqa: S603 - the model tools of this repository
        [sys.executable, "-m", "service", "promote", *options, "--", name, version],
        cwd=ROOT,
        env={**os.environ, "AWS_REGION": account.region, "AWS_DEFAULT_REGION": account.region},
        check=False,
    )
    if done.returncode != 0:
        raise CommandError(f"{alias} was not moved: see above")
