"""Benchmarks of earlier audits: read back from the history, and added to it.

Earlier versions kept them in ``audit_benchmarks.json`` in the log folder. What that holds still counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...core.files import state_files
from ...core.report import history
from ...core.report.history_entries import Benchmarks
from .benchmarks import Machine

OLD_FILE = "audit_benchmarks.json"

SCHEMA = 1


class Entry(NamedTuple):
    """The benchmarks of one audit: when, on which machine, and the seconds of each by name."""

    moment: datetime
    machine: str
    seconds: dict[str, float]


class Ledger(NamedTuple):
    """What is known of earlier audits.

    Attributes:
        entries: their benchmarks, the oldest first.
        problem: what cannot be read, as a sentence; ``None`` where all can, or where that does not matter any more.
    """

    entries: list[Entry]
    problem: str | None


def path(directory: str) -> str:
    """Return the path of the file that is written, below the root; *directory* is the log folder."""
    return history.history_path(directory)


def read(root: Path, directory: str) -> Ledger:
    """Return the entries that can be used, those of the history and of the old file together.

    An old file that cannot be used is a problem until the history has benchmarks.
    """
    entries: list[Entry] = []

    def take(each: Benchmarks) -> None:
        entry = Entry(each.moment, each.identity, each.seconds)
        if _is_usable(entry):
            entries.append(entry)

    scan = history.scan(root, directory, take, Benchmarks)
    found = state_files.read(root, f"{directory}/{OLD_FILE}", dict[str, Any])
    content = found.content or {}
    rows, problem = content.get("runs"), found.problem
    if content and (content.get("schema") != SCHEMA or not isinstance(rows, list)):
        rows, problem = [], f"{directory}/{OLD_FILE} holds no benchmarks of this version."
    known = {(entry.moment, entry.machine) for entry in entries}
    older = [entry for entry in _of_rows(rows or ()) if (entry.moment, entry.machine) not in known]
    if scan.is_closed:
        problem = scan.problem
    elif entries:
        problem = None
    return Ledger(sorted([*entries, *older], key=lambda entry: entry.moment), problem)


def write(root: Path, directory: str, seconds: Mapping[str, float], machine: Machine, now: datetime) -> None:
    """Add an entry.

    Raises:
        UserError, OSError: it was not added.
    """
    history.append(root, directory, [Benchmarks(moment=now, **machine._asdict(), seconds=dict(seconds))])


def _of_rows(rows: Iterable[Any]) -> list[Entry]:
    return [entry for row in rows if (entry := _entry(row))]


def _entry(row: Any) -> Entry | None:
    try:
        moment = datetime.fromisoformat(row["moment"])
        seconds = {str(name): float(value) for name, value in row["seconds"].items()}
        entry = Entry(moment, str(row["identity"]), seconds)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return entry if _is_usable(entry) else None


def _is_usable(entry: Entry) -> bool:
    return entry.moment.tzinfo is not None and all(0 < value < math.inf for value in entry.seconds.values())
