"""What stops a command: one line that says what to do about it."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot go on, or what it looked at is not in order."""
