"""Who changed a line, and when, as Git knows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ...core.programs import git
from ...core.text.formatting import printable

_HEAD = re.compile(r"(?P<commit>[0-9a-f]{40,64}) \d+ (?P<line>\d+)(?: \d+)?$")


class Change(NamedTuple):
    """Who changed something, and when (ISO 8601); the moment is empty for what was not committed yet."""

    who: str
    when: str


NOT_COMMITTED = Change("not committed", "")


def line_changes(root: Path, path: str, lines: Sequence[int]) -> dict[int, Change]:
    """Return who changed each line last; nothing where Git does not know the file or is not there.

    Args:
        root: the project.
        path: the file, below it.
        lines: their numbers, from 1.
    """
    ranges = [f"-L{line},{line}" for line in dict.fromkeys(lines)]
    told = _git(root, "blame", "--no-textconv", "--line-porcelain", *ranges, "--", path) if ranges else ""
    found: dict[int, Change] = {}
    line, commit, who, when = 0, "", "", 0
    for text in told.splitlines():
        if head := _HEAD.match(text):
            line, commit = int(head["line"]), head["commit"]
        elif text.startswith("author "):
            who = text.removeprefix("author ")
        elif text.startswith("author-time "):
            when = int(text.removeprefix("author-time "))
        elif text.startswith("\t"):
            found[line] = NOT_COMMITTED if not commit.strip("0") else Change(printable(who), _moment(when))
    return found


def file_change(root: Path, path: str) -> Change | None:
    """Return who changed a file last; ``None`` where Git does not know it or is not there."""
    if _git(root, "status", "--porcelain", "--untracked-files=no", "--", path).strip():
        return NOT_COMMITTED
    who, _, when = _git(root, "log", "-1", "--no-textconv", "--format=%an%x00%at", "--", path).strip().partition("\0")
    return Change(printable(who), _moment(int(when))) if when.isdecimal() else None


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat()


def _git(root: Path, *arguments: str) -> str:
    """Return what Git prints; empty where it fails."""
    try:
        return git.ask(root, *arguments)
    except git.GitError:
        return ""
