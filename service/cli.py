"""The command line: serve a model, publish one, and move, list, show and verify what a store holds.

Whatever a command needs is imported when it runs: serving never imports what publishing needs, nor the reverse.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from service.errors import AlphardError, SettingsError, UsageError

if TYPE_CHECKING:
    from service.promotion import Promotion
    from service.stores.uri import ModelUri

_EPILOG = """exit status:
  0    done
  1    failed: one line on standard error says why
  2    wrong usage or settings
  130  interrupted"""
_STORE = "file:///dir, s3://bucket/prefix, or a plain path"


class _Parser(argparse.ArgumentParser):
    """Complains in one line, as every command does."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"alphard: {message} (try {self.prog} --help)\n")
        raise SystemExit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status of the process."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.run is None:
        parser.print_help()
        return 0
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except AlphardError as error:
        return _complain(" ".join(str(error).split()), 2 if isinstance(error, UsageError | SettingsError) else 1)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:  # whoever read our output has had enough: the end of Python must not write once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m service",
        description="Alphard: one scikit-learn model, compiled on publish, proven on load, served over HTTP.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def add(name: str, run: Callable[[argparse.Namespace], int], about: str) -> _Parser:
        command: _Parser = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "serve the model that ALPHARD_MODEL_URI names; all settings are ALPHARD_* variables")
    _add_publish(add("publish", _publish, "compile a fitted estimator, prove it, and write it into a store"))
    promote = add("promote", _promote, "verify a version and point an alias to it")
    promote.add_argument("name", metavar="NAME")
    promote.add_argument("version", metavar="VERSION")
    rollback = add("rollback", _rollback, "verify the version that an alias pointed to before, and point it back")
    rollback.add_argument("name", metavar="NAME")
    for command in (promote, rollback):
        command.add_argument("--alias", required=True, metavar="ALIAS")
        command.add_argument("--store", required=True, metavar="URI", help=_STORE)
    listing = add("list", _list, "list models, their versions and aliases")
    listing.add_argument("name", metavar="NAME", nargs="?")
    listing.add_argument("--store", required=True, metavar="URI", help=_STORE)
    _add_target(add("inspect", _inspect, "show the card of a model"))
    _add_target(add("verify", _verify, "fetch a version, check every hash, and reproduce its golden answers"))
    for command in commands.choices.values():
        if command.get_default("run") is not _serve:
            command.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    return parser


def _add_publish(command: _Parser) -> None:
    command.add_argument("estimator", metavar="ESTIMATOR", type=Path, help="a file of joblib, pickle or skops")
    command.add_argument(
        "--rows",
        required=True,
        type=Path,
        help="sample rows as the estimator takes them: .npy, .csv, .parquet, .jsonl or .joblib",
    )
    command.add_argument("--name", required=True)
    command.add_argument("--store", required=True, metavar="URI", help=_STORE)
    command.add_argument("--version", help="derived from the content unless given")
    command.add_argument("--alias", help="point this alias to the version once it is written")
    command.add_argument("--engine", choices=("auto", "onnx", "sklearn"), default="auto")
    command.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="KEY=NUMBER|FILE.json",
        help="a figure for the model card, or a file with an object of them; may be repeated",
    )
    command.add_argument("--tag", action="append", default=[], metavar="KEY=TEXT", help="may be repeated")


def _add_target(command: _Parser) -> None:
    command.add_argument("target", metavar="URI|NAME", help="a model's URI, or its name in --store")
    command.add_argument("version", metavar="VERSION|@ALIAS", nargs="?")
    command.add_argument("--store", metavar="URI", help=_STORE)


def _serve(_: argparse.Namespace) -> int:
    from service.server import serve
    from service.settings import read_settings

    try:
        return serve(read_settings(os.environ))
    except UsageError as error:
        raise SettingsError(f"ALPHARD_MODEL_URI: {error}") from error


def _publish(parsed: argparse.Namespace) -> int:
    metrics, tags = _metrics(parsed.metrics), dict(_pair(text) for text in parsed.tag)

    from service.progress import Progress

    try:
        from service.publish import publish
        from service.publish.inputs import load_estimator, load_rows
    except ModuleNotFoundError as error:
        raise UsageError(f"publishing is not installed here: there is no {error.name}") from None

    with Progress() as progress:
        progress(f"loading {parsed.estimator}")
        published = publish(
            load_estimator(parsed.estimator),
            load_rows(parsed.rows),
            name=parsed.name,
            store=parsed.store,
            version=parsed.version,
            alias=parsed.alias,
            engine=parsed.engine,
            metrics=metrics,
            tags=tags,
            progress=progress,
        )
    parity = published.parity
    found = {**published._asdict(), "parity": parity.model_dump(mode="json")}
    said = "published" if published.created else "nothing to do: the store holds this content as"
    rows = f"{parity.sample_rows + parity.hard_rows:,} rows"
    return _answer(
        parsed,
        found,
        f"{said} {published.uri}\n{published.engine}: {parity.label_agreement:.4%} of labels equal on {rows}, "
        f"largest difference {parity.max_abs_diff:.3g}",
    )


def _promote(parsed: argparse.Namespace) -> int:
    from service.progress import Progress
    from service.promotion import promote
    from service.stores import open_store
    from service.stores.uri import check_name

    name, version = check_name(parsed.name), check_name(parsed.version, "a version")
    alias = check_name(parsed.alias, "an alias")
    with Progress() as progress:
        promotion = promote(open_store(parsed.store), name, version, alias, progress=progress)
    return _answer_promotion(parsed, promotion)


def _rollback(parsed: argparse.Namespace) -> int:
    from service.progress import Progress
    from service.promotion import rollback
    from service.stores import open_store
    from service.stores.uri import check_name

    name, alias = check_name(parsed.name), check_name(parsed.alias, "an alias")
    with Progress() as progress:
        promotion = rollback(open_store(parsed.store), name, alias, progress=progress)
    return _answer_promotion(parsed, promotion)


def _list(parsed: argparse.Namespace) -> int:
    from service.card import listing
    from service.promotion import list_models
    from service.stores import open_store
    from service.stores.uri import check_name

    models = list_models(open_store(parsed.store), check_name(parsed.name) if parsed.name else None)
    found = [
        {
            "name": model.name,
            "versions": [
                {
                    "version": listed.version,
                    "engine": listed.manifest and listed.manifest.engine.name,
                    "estimator": listed.manifest and listed.manifest.estimator,
                    "created_at": listed.manifest and listed.manifest.created_at,
                    "problem": listed.problem,
                }
                for listed in model.versions
            ],
            "aliases": model.aliases,
        }
        for model in models
    ]
    return _answer(parsed, {"models": found}, listing(models) if models else f"there are no models in {parsed.store}")


def _inspect(parsed: argparse.Namespace) -> int:
    from service.card import card
    from service.promotion import resolve
    from service.stores import open_store
    from service.stores.fetch import fetch_manifest

    uri = _model_uri(parsed)
    store = open_store(uri.store)
    manifest, manifest_sha256 = fetch_manifest(store, uri.name, *resolve(store, uri))
    found = {"manifest_sha256": manifest_sha256, "manifest": manifest.model_dump(mode="json")}
    return _answer(parsed, found, card(manifest, manifest_sha256))


def _verify(parsed: argparse.Namespace) -> int:
    from service.progress import Progress
    from service.promotion import resolve, verify
    from service.stores import open_store

    uri = _model_uri(parsed)
    store = open_store(uri.store)
    with Progress() as progress:
        version, manifest_sha256 = resolve(store, uri)
        proof = verify(store, uri.name, version, manifest_sha256, progress=progress)
    golden, engine = len(proof.manifest.golden.instances), proof.manifest.engine.name
    found = {
        "name": uri.name,
        "version": version,
        "manifest_sha256": proof.manifest_sha256,
        "engine": engine,
        "golden_rows": golden,
    }
    return _answer(
        parsed, found, f"{uri.name} {version} is in order: every hash, and {golden} golden answers given by {engine}"
    )


def _model_uri(parsed: argparse.Namespace) -> ModelUri:
    from service.stores.uri import ModelUri, check_name, parse_model, parse_store

    if ":/" in parsed.target and parsed.version is None and parsed.store is None:
        return parse_model(parsed.target)
    if parsed.version is None or parsed.store is None:
        raise UsageError("write the model's URI, or NAME and VERSION or @ALIAS with --store")
    store, name = parse_store(parsed.store), check_name(parsed.target)
    if parsed.version.startswith("@"):
        return ModelUri(store, name, None, check_name(parsed.version[1:], "an alias"))
    return ModelUri(store, name, check_name(parsed.version, "a version"), None)


def _answer_promotion(parsed: argparse.Namespace, promotion: Promotion) -> int:
    change = f"{promotion.replaced or 'nowhere'} -> {promotion.version}" if promotion.moved else "already there"
    return _answer(parsed, promotion._asdict(), f"{promotion.name}@{promotion.alias}: {change}")


def _answer(parsed: argparse.Namespace, found: dict[str, Any], text: str) -> int:
    sys.stdout.write((json.dumps(found) if parsed.json else text) + "\n")
    return 0


def _metrics(given: Sequence[str]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for text in given:
        items = _read_object(text) if text.endswith(".json") else dict((_pair(text),))
        for key, value in items.items():
            metrics[key] = _number(key, value)
    return metrics


def _read_object(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise UsageError(f"the metrics in {path!r} cannot be read: {reason}") from error
    if not isinstance(found, dict):
        raise UsageError(f"the metrics in {path!r} are not an object of numbers")
    return found


def _number(key: str, value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"the metric {key!r} is not a finite number: {value!r}")
    return number


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"{text!r} is not of the form KEY=VALUE")
    return key, value


def _complain(line: str, status: int) -> int:
    sys.stderr.write(f"alphard: {line}\n")
    return status
