"""``maintenance_history.jsonl``: what ran and what was measured, one entry a line, the newest last.

It is the one record that trends, the capacity planning, the audit and the schedule read. Its entries are described in
:mod:`.history_entries`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..errors import UserError
from ..files import safe_files, state_files
from ..files.lock import short_lock
from ..text.formatting import printable
from .history_compaction import COMPACT_OVER, Ages, compact
from .history_entries import READ_LIMIT, Entry, Figure, Run, Sizes, encoded, lines, starts_of_other_kinds
from .model import Report, Status, worst

FILE = "maintenance_history.jsonl"
"""In the log folder. The name says whose it is: a project may have a ``history.jsonl`` of its own."""

_REASON_LIMIT = 1000
"""Characters of a reason that are kept."""

_LARGEST = 2.0**63
"""A greater number is no figure: no reader could calculate with it."""

_TAIL = 64_000
"""Bytes of the end of the file in which the last run is looked for first."""

_Kind = TypeVar("_Kind", bound=Entry)


class Scan(NamedTuple):
    """What reading the history gave besides its entries.

    Attributes:
        unreadable: how many lines are neither an entry nor the beginning of one that was cut off.
        problem: why nothing in it could be used, as a sentence; ``None`` where something could, or it is missing.
        is_closed: True where that is because it cannot be read at all, so that nobody knows what it holds.
    """

    unreadable: int = 0
    problem: str | None = None
    is_closed: bool = False


def history_path(directory: str) -> str:
    """Return the path of the file below the root; *directory* is the log folder."""
    return f"{directory}/{FILE}"


def run_of(
    task: str,
    report: Report,
    *,
    ended: datetime,
    whole: bool,
    reason: str | None,
    clock_newest: datetime | None = None,
) -> Run:
    """Return the entry of a run.

    Args:
        task: the procedure's own name.
        report: what the runner made of its report, with its times.
        ended: when it ended, aware of its zone.
        whole: True where it did all that the procedure does.
        reason: why it did not come to its end; ``None`` where it did.
        clock_newest: what the clock was too far past to be believed; ``None`` where it was believed.
    """
    statuses: dict[str, list[Status]] = {}
    for finding in report.findings:
        statuses.setdefault(finding.check, []).append(finding.status)
    return Run(
        task=task,
        began=datetime.fromisoformat(report.started) if report.started else ended,
        ended=ended,
        status=report.status,
        duration_seconds=report.duration_seconds,
        whole=whole,
        reason=None if reason is None else reason[:_REASON_LIMIT],
        results={check: worst(found) for check, found in statuses.items()},
        figures=tuple(
            Figure(each.name, each.subject, each.value, each.unit) for each in report.metrics if _is_figure(each.value)
        ),
        clock_newest=clock_newest,
    )


def _is_figure(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value) and abs(value) < _LARGEST


def append(root: Path, directory: str, entries: Iterable[Entry], *, ages: Ages | None = None) -> None:
    """Add entries to the history.

    Args:
        root: the project.
        directory: the log folder, below it; it is made where it is missing.
        entries: what to add.
        ages: how long entries are kept where the file has grown too large; ``None``: it is not looked at now.

    Raises:
        Distrusted: the file is not believed, and is as it was.
        UserError, OSError: they were not added, and the file is as it was.
    """
    content = b"".join(encoded(entry) for entry in entries)
    path = history_path(directory)
    with safe_files.folder(root, directory, create=True) as descriptor, short_lock(descriptor):
        size = state_files.append(root, path, content)
        if ages is not None and size > COMPACT_OVER:
            compact(root, path, ages)


def replace(root: Path, directory: str, entries: Iterable[Entry]) -> str:
    """Begin a history with entries in the place of one that is not believed, and return where that is kept.

    Raises:
        UserError, OSError: the new one could not be written.
    """
    path = history_path(directory)
    with safe_files.folder(root, directory) as descriptor, short_lock(descriptor):
        aside = state_files.set_aside(root, path)
        state_files.append(root, path, b"".join(map(encoded, entries)))
    return aside


def append_sizes(root: Path, directory: str, sizes: Sizes) -> None:
    """Add the sizes of folders; where that fails, what the run itself adds to the history says so."""
    with suppress(UserError, OSError):
        append(root, directory, [sizes])


def last_run(root: Path, directory: str) -> Run | None:
    """Return the run that was written last; ``None`` where none is known. Only the end of the file is read.

    Args:
        root: the project.
        directory: the log folder, below it.
    """
    others = starts_of_other_kinds([Run])
    with (
        suppress(safe_files.Refused, OSError),
        safe_files.regular_file(root, history_path(directory)) as (descriptor, status),
    ):
        reach = _TAIL
        while True:
            found = None
            for line in lines(descriptor, status.st_size, skip=others, reach=reach):
                found = line.entry if isinstance(line.entry, Run) else found
            if found is not None or reach >= min(status.st_size, READ_LIMIT):
                return found
            reach *= 8
    return None


def scan(root: Path, directory: str, take: Callable[[_Kind], None], *kinds: type[_Kind]) -> Scan:
    """Read the history once, in the order in which it was written, in bounded memory.

    Args:
        root: the project.
        directory: the log folder, below it.
        take: called with each entry that is wanted.
        kinds: those are of these kinds.
    """
    path = history_path(directory)
    unreadable = found = 0
    others = starts_of_other_kinds(kinds)
    try:
        with state_files.opened(root, path) as (descriptor, status):
            for line in lines(descriptor, status.st_size, skip=others):
                unreadable += line.is_damaged
                found += not (line.is_damaged or line.is_torn)
                if isinstance(line.entry, kinds):
                    take(line.entry)
    except FileNotFoundError:
        return Scan()
    except safe_files.Refused as error:
        return Scan(problem=str(error), is_closed=True)
    except OSError as error:
        return Scan(problem=f"{printable(path)} cannot be read: {error.strerror}.", is_closed=True)
    if found:
        return Scan(unreadable)
    empty = f"{printable(path)} is empty." if not status.st_size else f"{printable(path)} holds no entry of this suite."
    return Scan(unreadable, empty)
