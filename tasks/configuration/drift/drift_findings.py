"""What is reported of drift: a finding for each file, a row for each change, a line of history for each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.report.model import Finding, Status
from ...core.text.formatting import count
from .change_authors import ROWS, LocatedChange
from .comparison import Kind
from .file_drift import DriftedFile

TASK = "monthly.config-review"

_CELL = 60

_WORDS = {"moved": "moved", "unclear": "not comparable", "reordered": "in another order"}


def drift_findings(drifted: Sequence[DriftedFile], known: Sequence[LocatedChange]) -> Iterator[Finding]:
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


def _remedy(each: DriftedFile, kinds: Mapping[Kind, int]) -> str:
    if kinds["unclear"]:
        return f"The key beside the baseline is not the one of these hashes; inv {TASK} --accept begins anew."
    more = f" inv {TASK} --diff shows every change." if len(each.changes) > ROWS else ""
    return f"If this is meant: inv {TASK} --accept-path {each.path} (or --accept for all); else undo it.{more}"


def _sentence(one: LocatedChange) -> str:
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


def _where(one: LocatedChange) -> str:
    parts = [f"line {one.line}"] if one.line else []
    if one.author is not None:
        parts.append(f"{one.author.who}, {one.author.when[:10]}" if one.author.when else one.author.who)
    return f" ({'; '.join(parts)})" if parts else ""


def change_rows(known: Sequence[LocatedChange], *, diff: bool) -> list[dict[str, Any]]:
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
        for one in (known if diff else known[:ROWS])
    ]


def _cell(text: str | None, *, diff: bool) -> str | None:
    return text if text is None or diff else _short(text)


def _short(text: str | None) -> str:
    return "" if text is None else text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def history_entries(event: str, known: Iterable[LocatedChange], at: str) -> list[dict[str, Any]]:
    """Return the lines of history for changes.

    Args:
        event: ``drift``, ``accepting`` or ``accepted``.
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
