"""Whether the clock can be believed before anything is deleted for its age.

A clock that is years ahead makes everything old: archives, cache entries, backups. Where it is more than
:data:`DOUBTED_AFTER_DAYS` days past the newest trace of the project's life, nothing is deleted by age. Such a trace is
a log (by its mtime), a stamp (the end of the last recorded run) or an archive of a log (by the day in its name).
Without any trace the project is new, and the clock is believed; so is one that is behind a trace: nothing looks older
by that one than it is.

What the suite itself wrote while it doubted the clock is no trace: a run that is recorded then names the newest trace
before it, and neither its own moment nor the archives that it may have made count afterwards. A log that the project
writes to, or a run with ``maintenance.clock.trust: true``, ends the doubt.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..files import safe_files
from ..report import history
from ..report.model import Finding, Status
from ..settings.model import Settings
from ..text.formatting import count
from .registry import own_files, procedures
from .stamps import stamp_of_earlier_version

CHECK = "clock.trust"

DOUBTED_AFTER_DAYS = 400
"""A year, and what is compared with it: a project that rests longer is rarer than a wrong clock."""

_ARCHIVE = "archive"
"""In the log folder: where :mod:`tasks.logs` keeps archives, in folders of years and months."""

_DAY_IN_NAME = re.compile(r"_(\d{8})(?:_\d+)?\.log\.\w+$")


class Withheld(NamedTuple):
    """What was not deleted although it looks old.

    Attributes:
        number: how many.
        names: one of them and several of them, as people call them.
        age: the age above which they would be deleted, in words.
        unit: the unit of *number* in reports.
    """

    number: int
    names: tuple[str, str]
    age: str
    unit: str = "files"


class ClockDoubt(NamedTuple):
    """Why the clock is not believed.

    Attributes:
        now: what it says.
        newest: the moment of the newest log, stamp or archive.
    """

    now: datetime
    newest: datetime

    def finding(self, left: Withheld, *, subject: str, task: str, dry_run: bool) -> Finding:
        """Return the finding on what was not deleted.

        Args:
            left: what it is.
            subject: where it lies.
            task: the procedure that would delete it.
            dry_run: it would not be deleted.
        """
        look, were = ("looks", "was") if left.number == 1 else ("look", "were")
        past = count((self.now - self.newest).days, "day")
        return Finding(
            check=CHECK,
            subject=subject,
            status=Status.UNKNOWN,
            message=(
                f"{count(left.number, *left.names)} {look} older than {left.age} and {'would be' if dry_run else were} "
                f"left. The clock says {self.now:%Y-%m-%d}, {past} after the newest log, stamp and archive "
                f"({self.newest:%Y-%m-%d}), so nothing is deleted by age."
            ),
            value=left.number,
            unit=left.unit,
            remedy=(
                "Correct the clock (`date` shows it). If it is right, trust it for one run: "
                f"`INVOKE_MAINTENANCE_CLOCK_TRUST=true inv {task}`."
            ),
        )


def clock_doubt(settings: Settings, now: datetime) -> ClockDoubt | None:
    """Return why nothing may be deleted by age; ``None`` where the clock is believed.

    Call it before the run writes anything.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: what the clock says, aware of its zone.
    """
    if settings.clock.trust:
        return None
    newest: datetime | None = None
    for trace in _traces(settings, now):
        if now - trace <= timedelta(days=DOUBTED_AFTER_DAYS):
            return None
        newest = trace if newest is None else max(newest, trace)
    return None if newest is None else ClockDoubt(now, newest)


def _traces(settings: Settings, now: datetime) -> Iterator[datetime]:
    """Yield the moments of the project's life that are known, those that are found most cheaply first."""
    root, directory = Path(settings.root), settings.logs.directory
    last = history.last_run(root, directory)
    if last is not None:
        yield last.ended if last.clock_newest is None else last.clock_newest
    else:
        stamps = (stamp_of_earlier_version(root, directory, each.name) for each in procedures())
        yield from (stamp.completed.ended for stamp in stamps if stamp.completed is not None)
    yield from _log_times(root, settings, now)
    if last is None or last.clock_newest is None:
        yield from _archive_days(root, directory, now)


def _log_times(root: Path, settings: Settings, now: datetime) -> Iterator[datetime]:
    """Yield when each log was last written; an empty one may be what a rotation has left."""
    own, directory = own_files(settings), PurePosixPath(settings.logs.directory)
    for path, status in _files_below(root, str(directory), leave_out=_ARCHIVE):
        name = path.rpartition("/")[2]
        if fnmatch.fnmatchcase(name, settings.logs.pattern) and status.st_size and not own.owns(str(directory / path)):
            with suppress(ValueError, OverflowError, OSError):
                yield datetime.fromtimestamp(status.st_mtime, now.tzinfo)


def _archive_days(root: Path, directory: str, now: datetime) -> Iterator[datetime]:
    """Yield the day of each archive, by its name, else by its mtime: as their retention judges them."""
    for path, status in _files_below(root, f"{directory}/{_ARCHIVE}"):
        found = _DAY_IN_NAME.search(path)
        with suppress(ValueError, OverflowError, OSError):
            if found is not None:
                yield datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=now.tzinfo)
            elif path.endswith((".gz", ".zst")):
                yield datetime.fromtimestamp(status.st_mtime, now.tzinfo)


def _files_below(root: Path, directory: str, *, leave_out: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Yield each regular file at any depth: its path below *directory*, and what ``lstat`` says.

    What cannot be read holds no trace. Links are not followed.
    """
    with suppress(safe_files.Refused, OSError), safe_files.folder(root, directory) as descriptor:
        for folder, folders, names, inside in os.fwalk(".", dir_fd=descriptor):
            if folder == "." and leave_out in folders:
                folders.remove(leave_out)
            for name in names:
                with suppress(OSError):
                    status = os.stat(name, dir_fd=inside, follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield str(PurePosixPath(folder, name)), status
