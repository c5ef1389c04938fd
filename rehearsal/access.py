"""Who may do what in S3: requests as actions on resources, and the statements of roles that allow them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from rehearsal.deployed import Statement

_OBJECT_ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/")


class Ask(NamedTuple):
    """What a request needs to be allowed."""

    action: str
    resource: str


def access_key(authorization: str | None) -> str | None:
    """The access key id that a request is signed with (Signature Version 4), or None if it is not."""
    found = _CREDENTIAL.search(authorization or "")
    return found[1] if found else None


def asked(method: str, path: str, query: str) -> Ask | None:
    """What a request of S3's path style asks, if that is to read, write, delete or list objects; else None.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    bucket, _, key = path.lstrip("/").partition("/")
    # ``x-id`` only repeats the operation's name; anything else makes it another operation, with an action of its own.
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)} - {"x-id"}
    arn = f"arn:aws:s3:::{bucket}"
    if key and not names and method in _OBJECT_ACTIONS:
        return Ask(_OBJECT_ACTIONS[method], f"{arn}/{key}")
    if bucket and not key and ((method == "GET" and "list-type" in names) or (method == "HEAD" and not names)):
        return Ask("s3:ListBucket", arn)
    return None


def list_of(ask: Ask) -> Ask:
    """What it takes to list the bucket of what was asked for."""
    return Ask("s3:ListBucket", ask.resource.partition("/")[0])


def allows(statements: Sequence[Statement], ask: Ask) -> bool:
    """Whether one of the statements does. Actions are compared without regard to case, as IAM does."""
    return any(
        any(_matches(pattern.lower(), ask.action.lower()) for pattern in statement.actions)
        and any(_matches(pattern, ask.resource) for pattern in statement.resources)
        for statement in statements
    )


def _matches(pattern: str, text: str) -> bool:
    """IAM's patterns: ``*`` is any text, also of several folders, and ``?`` any one character."""
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
