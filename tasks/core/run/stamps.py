"""When each procedure ran last and what came of it, as the history of runs says.

Earlier versions kept that in one small file per procedure, in the folder ``schedule`` of the log folder. Such a file
still counts where the history knows of no later run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from ..errors import UserError
from ..files import state_files
from ..report import history
from ..report.history_compaction import Ages
from ..report.history_entries import Run
from ..report.model import Report, Status
from ..text.formatting import count, printable

FOLDER = "schedule"
"""In the log folder: where earlier versions kept their stamps."""

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Seconds = Annotated[float, msgspec.Meta(ge=-(2.0**63), le=2.0**63)]


class Completed(msgspec.Struct, frozen=True):
    """A run that came to its end, with any result.

    Attributes:
        began: when, with the offset of the zone it ran in.
        ended: when, likewise.
        status: what it found.
        duration_seconds: how long it took.
    """

    began: _Moment
    ended: _Moment
    status: Status
    duration_seconds: _Seconds


class Attempt(msgspec.Struct, frozen=True):
    """A run that did not come to its end: when it began, and why, as a sentence."""

    began: _Moment
    reason: str


class Stamp(NamedTuple):
    """What the runs of a procedure left.

    Attributes:
        completed: the last run that came to its end; ``None`` where none is known.
        attempt: one after it that did not.
        problem: why nothing is known, as a sentence; ``None`` where that is what is known.
    """

    completed: Completed | None = None
    attempt: Attempt | None = None
    problem: str | None = None


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of an earlier version holds."""

    completed: Completed | None
    attempt: Attempt | None
    schema: Literal[1] = 1


def path_of(directory: str, task: str) -> str:
    """Return where earlier versions kept a procedure's stamp, below the root; *directory* is the log folder."""
    return f"{directory}/{FOLDER}/{task}.json"


def read(root: Path, directory: str, task: str) -> Stamp:
    """Return what the runs of a procedure left; see :func:`read_all`."""
    return read_all(root, directory, [task])[task]


def read_all(root: Path, directory: str, tasks: Iterable[str], now: datetime | None = None) -> dict[str, Stamp]:
    """Return what the runs of procedures left, by their names, from one reading of the history.

    What was written last counts, not what has the latest date: so the next run corrects one of a wrong clock.

    Args:
        root: the project.
        directory: the log folder, below it.
        tasks: the procedures' names, ``weekly.cache-cleanup``.
        now: a stamp of an earlier version that is dated after it does not count where the history has a run.
    """
    found = dict.fromkeys(tasks, Stamp())

    def take(run: Run) -> None:
        stamp = found.get(run.task)
        if stamp is None or not run.whole:
            return
        if run.reason is None:
            found[run.task] = Stamp(Completed(run.began, run.ended, run.status, run.duration_seconds))
        else:
            found[run.task] = stamp._replace(attempt=Attempt(run.began, run.reason))

    scan = history.scan(root, directory, take, Run)
    if scan.is_closed:
        return dict.fromkeys(found, Stamp(problem=scan.problem))
    merged = {
        task: _merged(stamp, stamp_of_earlier_version(root, directory, task), now) for task, stamp in found.items()
    }
    problem = scan.problem or _unreadable(directory, scan.unreadable)
    return {task: stamp._replace(problem=problem) if stamp == Stamp() else stamp for task, stamp in merged.items()}


def _unreadable(directory: str, lines: int) -> str | None:
    """Return why it is not known that a procedure without an entry never ran; ``None`` where it is known."""
    if not lines:
        return None
    path = printable(history.history_path(directory))
    return f"{path} has {count(lines, 'line')} that cannot be read, and its run may be in there."


def _merged(stamp: Stamp, earlier: Stamp, now: datetime | None) -> Stamp:
    """Return what is known of a procedure from the history and from the stamp of an earlier version together."""
    if stamp.completed is None:
        return earlier._replace(attempt=stamp.attempt or earlier.attempt)
    began = stamp.completed.began
    if earlier.completed is None or earlier.completed.began <= began or (now and earlier.completed.began > now):
        return stamp
    # An earlier version has run after this one.
    is_later = stamp.attempt is not None and stamp.attempt.began > earlier.completed.began
    return Stamp(earlier.completed, stamp.attempt if is_later else earlier.attempt)


def stamp_of_earlier_version(root: Path, directory: str, task: str) -> Stamp:
    """Return what the file says that an earlier version kept for a procedure; *directory* is the log folder."""
    path = path_of(directory, task)
    state = state_files.read(root, path, _Content)
    if state.content is None:
        # What a full disk leaves is a file without a byte.
        is_empty = state.exists and state.problem is None
        return Stamp(problem=f"{printable(path)} is empty." if is_empty else state.problem)
    return Stamp(state.content.completed, state.content.attempt)


class Recorded(NamedTuple):
    """What became of the record of a run.

    Attributes:
        is_kept: True where the run is in the history.
        problem: what went wrong, as a sentence; ``None`` where nothing did.
    """

    is_kept: bool
    problem: str | None = None


def record(
    root: Path,
    directory: str,
    task: str,
    report: Report,
    *,
    ended: datetime,
    reason: str | None,
    whole: bool = True,
    ages: Ages | None = None,
    clock_newest: datetime | None = None,
) -> Recorded:
    """Add a run to the history; one that is not believed is kept aside, and another begun.

    Args:
        root: the project.
        directory: the log folder, below it.
        task: the procedure's name.
        report: what the runner made of its report, with its times.
        ended: when it ended, aware of its zone.
        reason: why it did not come to its end; ``None`` where it did.
        whole: True where it did all that the procedure does.
        ages: how long entries of the history are kept.
        clock_newest: what the clock was too far past to be believed; ``None`` where it was believed.
    """
    run = history.run_of(task, report, ended=ended, whole=whole, reason=reason, clock_newest=clock_newest)
    try:
        try:
            history.append(root, directory, [run], ages=ages)
        except state_files.Distrusted as error:
            aside = history.replace(root, directory, [run])
            return Recorded(is_kept=True, problem=f"{error} It was kept aside as {printable(aside)}.")
    except UserError as error:
        return Recorded(is_kept=False, problem=str(error))
    except OSError as error:
        problem = f"{printable(history.history_path(directory))} cannot be written: {error.strerror}."
        return Recorded(is_kept=False, problem=problem)
    return Recorded(is_kept=True)
