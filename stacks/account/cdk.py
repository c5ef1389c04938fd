"""The CDK's command line, pinned in package-lock.json, with the account and the environment of a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stacks.account.connection import Account
from stacks.assembly import ROOT, Assembly
from stacks.errors import CommandError

CLI = ROOT / "node_modules" / ".bin" / "cdk"


def cdk(account: Account, assembly: Assembly, command: str, *arguments: str) -> None:
    """Runs it on what was synthesized; what it writes is for the person to read.

    Raises CommandError if it fails or is not installed.
    """
    if not CLI.exists():
        raise CommandError("the CDK's command line is not installed: run `make install`")
    run = subprocess.run(  # noqa: S603 - the pinned tool
        [str(CLI), command, *arguments, "--app", str(assembly.folder), "--no-notices"],
        cwd=ROOT,
        env=_environment(account),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if run.returncode != 0:
        raise CommandError(f"cdk {command} failed with status {run.returncode}: see above")


def _environment(account: Account) -> dict[str, str]:
    """Ours, with our Python and its Node.js first, the region that was chosen, and no report to the CDK's maker."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
