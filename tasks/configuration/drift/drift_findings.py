"""What is told of drift: a finding for each file, a row for each change, a line of history for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...core.report.model import Finding, Status
from ...core.text.formatting import count
from ..reading.places import lines_of
from . import authorship
from .comparison import Change, Kind
from .state import Drifted

TASK = "monthly.config-review"

_ROWS = 20
"""Changes that are told without ``--diff``."""

_MOST = 1000
"""Changes that are told with it, and remembered."""

_CELL = 60

_WORDS = {"moved": "moved", "unclear": "not comparable", "reordered": "in another order"}


class ReportedDrift(NamedTuple):
    """One change with what is known of it.

    Attributes:
        file: the file's path.
        change: what changed.
        line: where, from 1; 0 where it cannot be told.
        author: who changed it, and when; ``None`` where nobody knows.
    """

    file: str
    change: Change
    line: int
    author: authorship.Change | None


def report_drift(root: Path, drifted: Iterable[Drifted]) -> list[ReportedDrift]:
    """Return the first thousand changes, those of the files in turn, with their lines and authors.

    Args:
        root: the project.
        drifted: the files.
    """
    left = _MOST
    found: list[ReportedDrift] = []
    for each in drifted:
        changes = each.changes[:left]
        left -= len(changes)
        found += _told(root, each, changes)
    return found


def _told(root: Path, drifted: Drifted, changes: Sequence[Change]) -> Iterator[ReportedDrift]:
    if not changes:
        return
    here = [change.path for change in changes if change.kind != "removed"]
    lines = lines_of(drifted.path, drifted.text, here) if drifted.text and here else {}
    authors = authorship.line_changes(root, drifted.path, [*lines.values()][:_ROWS]) if lines else {}
    rest = authorship.file_change(root, drifted.path)
    for change in changes:
        line = 0 if change.kind == "removed" else lines.get(change.path, 0)
        yield ReportedDrift(drifted.path, change, line, authors.get(line, rest))


def drift_findings(drifted: Sequence[Drifted], known: Sequence[ReportedDrift]) -> Iterator[Finding]:
    """Yield a finding for each file that differs; the same items in another order are no drift.

    Args:
        drifted: the files.
        known: what is known of their changes.
    """
    for each in drifted:
        kinds = Counter(change.kind for change in each.changes)
        drifting = len(each.changes) - kinds["reordered"]
        status = Status.UNKNOWN if kinds["unclear"] == drifting > 0 else Status.WARNING if drifting else Status.OK
        first = next((one for one in known if one.file == each.path and one.change.kind != "reordered"), None)
        since = f" since {each.accepted[:10]}" if each.accepted else ""
        if drifting == 1 and first is not None:
            message = f"{_sentence(first)}{_where(first)}."
        else:
            parts = ", ".join(f"{number:,} {_WORDS.get(kind, kind)}" for kind, number in kinds.items())
            message = f"{count(len(each.changes), 'change')}{since}: {parts}."
        yield Finding(
            check="configuration.drift",
            subject=each.path,
            status=status,
            message=message,
            value=drifting,
            unit="changes",
            remedy=_remedy(each, kinds) if drifting else None,
        )


def _remedy(each: Drifted, kinds: Mapping[Kind, int]) -> str:
    if kinds["unclear"]:
        return f"The key beside the baseline is not the one of these hashes; inv {TASK} --accept begins anew."
    more = f" inv {TASK} --diff shows every change." if len(each.changes) > _ROWS else ""
    return f"If this is meant: inv {TASK} --accept-path {each.path} (or --accept for all); else undo it.{more}"


def _sentence(one: ReportedDrift) -> str:
    change = one.change
    path = change.path or "the whole file"
    match change.kind:
        case "changed":
            return f"{path}: {_short(change.old)} → {_short(change.new)}"
        case "moved":
            return f"{change.origin} is {path} now"
        case "added":
            return f"{path} is new: {_short(change.new)}" if change.path else f"It is new, with {change.new}"
        case "removed":
            return f"{path} is gone: {_short(change.old)}" if change.path else f"It is gone, with {change.old}"
        case _:
            return f"{path} cannot be compared: its hash was made with another key"


def _where(one: ReportedDrift) -> str:
    parts = [f"line {one.line}"] if one.line else []
    if one.author is not None:
        parts.append(f"{one.author.who}, {one.author.when[:10]}" if one.author.when else one.author.who)
    return f" ({'; '.join(parts)})" if parts else ""


def rows(known: Sequence[ReportedDrift], *, diff: bool) -> list[dict[str, Any]]:
    """Return the table of changes; without *diff* it has the first twenty, with their values shortened."""
    return [
        {
            "file": one.file,
            "path": one.change.path or "(the whole file)",
            "change": _WORDS.get(one.change.kind, one.change.kind),
            "before": one.change.origin if one.change.kind == "moved" else _cell(one.change.old, diff=diff),
            "now": _cell(one.change.new, diff=diff),
            "line": one.line or None,
            "who": one.author.who if one.author else None,
            "when": (one.author.when or None) if one.author else None,
        }
        for one in (known if diff else known[:_ROWS])
    ]


def _cell(text: str | None, *, diff: bool) -> str | None:
    return text if text is None or diff else _short(text)


def _short(text: str | None) -> str:
    return "" if text is None else text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def entries(event: str, known: Iterable[ReportedDrift], at: str) -> list[dict[str, Any]]:
    """Return the lines of history for changes.

    Args:
        event: ``drift`` or ``accepted``.
        known: what is known of the changes.
        at: the moment (ISO 8601).
    """
    return [
        {
            "at": at,
            "event": event,
            "file": one.file,
            "path": one.change.path,
            "change": one.change.kind,
            "old": one.change.origin if one.change.kind == "moved" else one.change.old,
            "new": one.change.new,
            "who": one.author.who if one.author else None,
            "when": one.author.when if one.author else None,
        }
        for one in known
        if one.change.kind != "reordered"
    ]
