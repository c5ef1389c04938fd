"""The model that an environment serves, as it stands in its bucket: the alias, the manifest, its golden rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any, NamedTuple

from stacks.account.connection import Account
from stacks.assembly import ROOT
from stacks.errors import CommandError

EXAMPLE = ("breast-cancer", "production")
"""The name and the alias of the model that ``python -m service.example`` publishes."""

_URI = re.compile(
    r"^s3://(?P<bucket>[^/]+)/(?:(?P<prefix>.+)/)?(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[^/@]+))$"
)
_MISSING = ("NoSuchKey", "NoSuchBucket", "404")


class Model(NamedTuple):
    """Where the model is that the tasks are told to serve; either ``alias`` or ``version`` is given."""

    bucket: str
    prefix: str
    name: str
    alias: str | None
    version: str | None

    @property
    def store(self) -> str:
        """The store's URI, as the model tools take it."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def is_example(self) -> bool:
        return (self.name, self.alias) == EXAMPLE

    def __str__(self) -> str:
        return f"{self.store}/{self.name}" + (f"@{self.alias}" if self.alias else f"/{self.version}")

    def key(self, *parts: str) -> str:
        """The key of an object beneath the model."""
        return "/".join(part for part in (self.prefix, self.name, *parts) if part)


class Golden(NamedTuple):
    """What a version must answer: ``rows`` as a request's ``instances``, and the published answers to them."""

    name: str
    version: str
    rows: list[Any]
    predictions: list[Any]
    probabilities: list[Any] | None


def parse_model(uri: str) -> Model:
    """The parts of ``s3://bucket/prefix/name@alias`` or ``s3://bucket/prefix/name/version``. Raises CommandError."""
    found = _URI.match(uri)
    if found is None:
        raise CommandError(f"{uri!r} names no model in a bucket")
    return Model(found["bucket"], found["prefix"] or "", found["name"], found["alias"], found["version"])


def find_version(account: Account, model: Model) -> str | None:
    """The version that is to be served, or None if the alias or the pinned version is not published (or there is no
    bucket). Raises UnreadError."""
    if model.version is not None:
        return model.version if _read(account, model, "versions", model.version, "manifest.json") else None
    alias = _read(account, model, "aliases", f"{model.alias}.json")
    return str(alias["version"]) if alias else None


def read_golden(account: Account, model: Model) -> Golden:
    """The golden rows and answers of the version to be served. Raises CommandError if it is not published."""
    version = find_version(account, model)
    manifest = version and _read(account, model, "versions", version, "manifest.json")
    if not version or not manifest:
        raise CommandError(f"{model} is not published: {how_to_publish(model)}")
    golden = manifest["golden"]
    return Golden(model.name, version, golden["instances"], golden["predictions"], golden.get("probabilities"))


def how_to_publish(model: Model) -> str:
    """The command that publishes it, for a person."""
    where = f"--name {model.name} --store {model.store}"
    target = f"--alias {model.alias}" if model.alias else f"--version {model.version}"
    return f"python -m service publish ESTIMATOR --rows ROWS {where} {target}"


def publish_example(account: Account, model: Model) -> None:
    """Publishes the example into the model's bucket; its progress goes to standard error. Raises CommandError."""
    run = subprocess.run(  # noqa: S603 - the model tools of this repository
        [sys.executable, "-m", "service.example", model.store],
        cwd=ROOT,
        env={**os.environ, "AWS_REGION": account.region, "AWS_DEFAULT_REGION": account.region},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if run.returncode != 0:
        raise CommandError(f"the example could not be published into {model.store}: see above")


def _read(account: Account, model: Model, *parts: str) -> Any:
    """A JSON object beneath the model, or None if it does not exist."""
    answer = account.ask("s3", "get_object", _MISSING, Bucket=model.bucket, Key=model.key(*parts))
    return answer and json.loads(answer["Body"].read())
