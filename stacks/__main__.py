"""``python -m stacks``: what an environment costs, the way into an account, and the proof that it answers there."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from stacks.account.archive import find_archive, find_digest, push
from stacks.account.cdk import cdk
from stacks.account.connection import UnreadError, connect
from stacks.account.deploy import deploy, describe, make_plan
from stacks.account.doctor import examine
from stacks.account.image import Builder, build_and_push, head_commit
from stacks.account.model import read_golden
from stacks.account.promotion import promote
from stacks.account.proof import READY_SECONDS, prove
from stacks.account.release import deployed_commit, read_release
from stacks.account.verify import verify
from stacks.assembly import environment_names, load_environment, synthesized
from stacks.cost import assumptions, estimate, table
from stacks.errors import CommandError
from stacks.settings import SettingsError

_EPILOG = """exit status:
  0    done, and in order
  1    failed, or not in order: one line says why
  2    wrong usage or settings
  130  interrupted"""

_ANY_TAG = "0" * 40
"""A tag for templates that nobody deploys."""

_MOST_REQUESTS = 1_000_000


class _Parser(argparse.ArgumentParser):
    """Complains in one line, as every command does."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"alphard: {message} (try {self.prog} --help)\n")
        raise SystemExit(2)


def main(
    arguments: Sequence[str] | None = None,
    *,
    build: Builder = build_and_push,
    reach: Callable[[str], str] = str,
) -> int:
    """Runs one command; the exit status of the process. ``build`` and ``reach`` are as ``deploy`` takes them."""
    parsed = _parser(build, reach).parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except SettingsError as error:
        return _complain(str(error), 2)
    except (CommandError, UnreadError) as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    return status


def _parser(build: Builder, reach: Callable[[str], str]) -> _Parser:
    parser = _Parser(
        prog="python -m stacks",
        description="Alphard's environments on AWS, as cdk.json describes them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str) -> _Parser:
        command: _Parser = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        command.set_defaults(run=run)
        command.add_argument("--env", metavar="NAME", default=None if run is _cost else "dev")
        return command

    def run_deploy(parsed: argparse.Namespace) -> int:
        return _deploy(parsed, build, reach)

    cost = add("cost", _cost, "estimate what a month costs, idle and under load, without an account")
    add("doctor", _doctor, "look at the account: collisions, and whether what a deployment stands on is there")
    add("deployed", _deployed, "print which commit is deployed, or nothing after commit=")
    add("push", _push, "push the image that `make image` left in dist, unless its tag is there")
    promoting = add("promote", _promote, "verify a version of the model that is served, and point an alias to it")
    add("diff", _diff, "show the difference against what is deployed, and create nothing")
    deploying = add("deploy", run_deploy, "deploy the work tree's commit, image and model included, and verify it")
    verifying = add("verify", _verify, "compare what a deployment answers to the golden rows with what was published")
    for command in (cost, deploying):
        command.add_argument("--requests-per-second", type=_rate, default=100.0, metavar="N", help="default: 100")
    for option in ("--model", "--version", "--alias"):
        promoting.add_argument(option, required=True, metavar=option.removeprefix("--").upper())
    deploying.add_argument("--yes", action="store_true", help="go on without asking")
    verifying.add_argument("--url", help="where it is reached, if not where the stack says")
    return parser


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 <= rate <= _MOST_REQUESTS:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {_MOST_REQUESTS:,}, got {text}")
    return rate


def _cost(parsed: argparse.Namespace) -> int:
    for name in [parsed.env] if parsed.env else environment_names():
        with synthesized(name, _ANY_TAG) as assembly:
            found = estimate(assembly.resources(), parsed.requests_per_second)
        _say(table(f"{name}: monthly estimate", found) + "\n")
    _say(assumptions())
    return 0


def _doctor(parsed: argparse.Namespace) -> int:
    environment = load_environment(parsed.env)
    with synthesized(parsed.env, head_commit()) as assembly:
        account = connect(environment)
        _say(f"{environment.name} in account {account.id}, {account.region}, as {account.caller}")
        found = examine(environment, account, assembly, read_release(account, assembly))
    for finding in found:
        _say(str(finding))
    wrong = [finding for finding in found if finding.kind != "pending"]
    _say(f"{len(wrong)} not in order" if wrong else "in order")
    return 1 if wrong else 0


def _deployed(parsed: argparse.Namespace) -> int:
    account = connect(load_environment(parsed.env))
    with synthesized(parsed.env, _ANY_TAG) as assembly:
        _say(f"commit={deployed_commit(account, assembly.stack_names['Serving']) or ''}")
    return 0


def _push(parsed: argparse.Namespace) -> int:
    """Prints what an attestation is made of; the digest only where the tag names to the bit what was built here."""
    environment, commit = load_environment(parsed.env), head_commit()
    account = connect(environment)
    with synthesized(parsed.env, commit) as assembly:
        image = read_release(account, assembly).image
    archive = find_archive(image.target, commit)
    pushed = push(account, image, archive)
    digest = find_digest(account, image, archive)
    sys.stderr.write(f"{image} {'was pushed' if pushed else 'is there'}, {digest or 'and is of another build'}\n")
    _say(f"name={image.registry}/{image.repository}\ndigest={digest or ''}\nsbom=dist/{image.target}.cdx.json")
    return 0


def _promote(parsed: argparse.Namespace) -> int:
    account = connect(load_environment(parsed.env))
    with synthesized(parsed.env, _ANY_TAG) as assembly:
        served = read_release(account, assembly).model
    promote(account, served, name=parsed.model, version=parsed.version, alias=parsed.alias)
    return 0


def _diff(parsed: argparse.Namespace) -> int:
    environment = load_environment(parsed.env)
    with synthesized(parsed.env, head_commit()) as assembly:
        cdk(connect(environment), assembly, "diff", "--method", "template")
    return 0


def _deploy(parsed: argparse.Namespace, build: Builder, reach: Callable[[str], str]) -> int:
    environment, commit = load_environment(parsed.env), head_commit()
    with synthesized(parsed.env, commit) as assembly:
        account = connect(environment)
        release, rate = read_release(account, assembly), parsed.requests_per_second
        plan = make_plan(environment, account, assembly, release, commit=commit, requests_per_second=rate)
        for line in describe(plan):
            _say(line)
        if not _agreed(parsed.yes):
            raise CommandError("nothing was done")
        _say(deploy(plan, lambda line: _say(f"==> {line}"), build=build, reach=reach))
    return 0


def _agreed(yes: bool) -> bool:
    """Asks where somebody can answer."""
    if yes or not sys.stdin.isatty():
        _say("going on without asking: " + ("so it was said" if yes else "there is no terminal"))
        return True
    return input("Go on? [y/N] ").strip().lower() in ("y", "yes")


def _verify(parsed: argparse.Namespace) -> int:
    environment = load_environment(parsed.env)
    account = connect(environment)
    with synthesized(parsed.env, _ANY_TAG) as assembly:
        model = read_release(account, assembly).model
        if parsed.url:
            _say(verify(parsed.url, read_golden(account, model), deadline_seconds=READY_SECONDS))
        else:
            _say(prove(environment, account, assembly, model, say=_say, reach=str))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(line: str, status: int) -> int:
    sys.stderr.write(f"alphard: {line}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
