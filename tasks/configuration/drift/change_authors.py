"""On which line each change is, who made it and when, as the file and Git show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ...core.programs import git
from ...core.text.formatting import printable
from ..reading.value_lines import lines_of
from .comparison import Change
from .file_drift import DriftedFile

ROWS = 20
"""Changes that are shown without ``--diff``; only for these Git is asked who made them."""

_LOCATED = 1000
"""Changes that are shown with it, and kept in the history."""

_HEAD = re.compile(r"(?P<commit>[0-9a-f]{40,64}) \d+ (?P<line>\d+)(?: \d+)?$")


class Author(NamedTuple):
    """Who changed something, and when (ISO 8601); the moment is empty for what was not committed yet."""

    who: str
    when: str


NOT_COMMITTED = Author("not committed", "")


def line_authors(root: Path, path: str, lines: Sequence[int]) -> dict[int, Author]:
    """Return who changed each line last; nothing where Git does not know the file or is not there.

    Args:
        root: the project.
        path: the file, below it.
        lines: their numbers, from 1.
    """
    ranges = [f"-L{line},{line}" for line in dict.fromkeys(lines)]
    blame = _git(root, "blame", "--no-textconv", "--line-porcelain", *ranges, "--", path) if ranges else ""
    found: dict[int, Author] = {}
    line, commit, who, when = 0, "", "", 0
    for text in blame.splitlines():
        if head := _HEAD.match(text):
            line, commit = int(head["line"]), head["commit"]
        elif text.startswith("author "):
            who = text.removeprefix("author ")
        elif text.startswith("author-time "):
            when = int(text.removeprefix("author-time "))
        elif text.startswith("\t"):
            found[line] = NOT_COMMITTED if not commit.strip("0") else Author(printable(who), _moment(when))
    return found


def file_author(root: Path, path: str) -> Author | None:
    """Return who changed a file last; ``None`` where Git does not know it or is not there."""
    if _git(root, "status", "--porcelain", "--untracked-files=no", "--", path).strip():
        return NOT_COMMITTED
    who, _, when = _git(root, "log", "-1", "--no-textconv", "--format=%an%x00%at", "--", path).strip().partition("\0")
    return Author(printable(who), _moment(int(when))) if when.isdecimal() else None


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat()


def _git(root: Path, *arguments: str) -> str:
    """Return what Git prints; empty where it fails."""
    try:
        return git.ask(root, *arguments)
    except git.GitError:
        return ""


class LocatedChange(NamedTuple):
    """One change with what is known of it.

    Attributes:
        file: the file's path.
        change: what changed.
        line: where, from 1; 0 where it is not known.
        author: who changed it, and when; ``None`` where nobody knows.
    """

    file: str
    change: Change
    line: int
    author: Author | None


def locate_drift(root: Path, drifted: Iterable[DriftedFile]) -> list[LocatedChange]:
    """Return the first thousand changes, those of the files in turn, with their lines and authors.

    Args:
        root: the project.
        drifted: the files.
    """
    left = _LOCATED
    found: list[LocatedChange] = []
    for each in drifted:
        changes = each.changes[:left]
        left -= len(changes)
        found += _located(root, each, changes)
    return found


def _located(root: Path, drifted: DriftedFile, changes: Sequence[Change]) -> Iterator[LocatedChange]:
    if not changes:
        return
    here = [change.path for change in changes if change.kind != "removed"]
    lines = lines_of(drifted.path, drifted.text, here) if drifted.text and here else {}
    authors = line_authors(root, drifted.path, [*lines.values()][:ROWS]) if lines else {}
    rest = file_author(root, drifted.path)
    for change in changes:
        line = 0 if change.kind == "removed" else lines.get(change.path, 0)
        yield LocatedChange(drifted.path, change, line, authors.get(line, rest))
