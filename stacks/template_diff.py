"""The comment that tells what a pull request changes in the templates; ``make template-comment``.

It is made of text that whoever opens a pull request wrote, and by the standard library alone, so that nothing else must
be installed where comments may be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

DIFFERENCE, COMMENT = Path("dist/template-diff.txt"), Path("dist/template-diff.md")

_MOST = 60_000
"""Characters of the difference: GitHub takes 65,536 of a comment."""

_PLAIN = frozenset(map(chr, range(32, 127))) - {"`"} | {"\t", "\n"}
"""Without backticks no line ends the block of code, and without other line ends and control characters none is
hidden."""


def main() -> None:
    """Writes the comment, and prints for GitHub whether anything differs."""
    difference = DIFFERENCE.read_text(encoding="utf-8", errors="replace")
    COMMENT.write_text(compose(difference))
    sys.stdout.write(f"changed={str(bool(difference.strip())).lower()}\n")


def compose(difference: str) -> str:
    """The comment in Markdown, of what ``git diff`` wrote about the snapshots of the stacks."""
    if not difference.strip():
        return "The CloudFormation templates stay as they are.\n"
    plain = "".join(character if character in _PLAIN else "?" for character in difference)
    shown = plain[:_MOST]
    rest = "" if shown == plain else f"\nand {len(plain) - len(shown):,} characters more: see the snapshots' files.\n"
    return f"What this changes in the CloudFormation templates:\n\n```diff\n{shown.rstrip()}\n```\n{rest}"


if __name__ == "__main__":
    main()
