"""One log: looked at, its way chosen, and archived that way."""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from ...core.files.safe_files import Refused
from ..archives import FOLDER
from .lines import end_of_last_line, end_of_line, is_blank
from .packing import Changed, Corrupt
from .recovery import reason_of
from .releasing import Unsupported, release
from .renaming import rename
from .rotation_outcome import Left, Rotated, Why
from .strategy import Choice, Cut, Filesystem, Strategy, choose, cut
from .work import OPEN, Slot, Work

_ATTEMPTS = 3
"""A log that changes while it is archived is looked at anew, for another way may fit it now."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Plan(NamedTuple):
    """What is to be done with a log: the way, and how much of it is archived."""

    choice: Choice
    cut: Cut


def rotate_file(
    work: Work, ground: Filesystem, name: str, *, force: bool = False, dry_run: bool = False
) -> Rotated | Left | None:
    """Archive one log and return what became of it; ``None`` where there is nothing in it.

    Args:
        work: what all logs of the run share.
        ground: what the log lies on.
        name: the log's.
        force: archive every complete line of a log that is in use, not only whole blocks.
        dry_run: only say what would become of it.

    Raises:
        Stopped: it was told to stop; the log is as it was.
    """
    result: Rotated | Left | None = None
    for _attempt in range(_ATTEMPTS):
        try:
            log = os.open(name, OPEN, dir_fd=work.logs)
        except FileNotFoundError:
            return result
        except OSError as error:
            return Left(name, Why.UNREADABLE, f"It cannot be read: {reason_of(error)}.")
        try:
            return _rotate_open(work, ground, name, log, force=force, dry_run=dry_run) or result
        except Changed as error:
            result = Left(name, Why.IN_USE, f"It was left, for {error}.")
        except Unsupported as error:
            ground = ground._replace(refusal=str(error))
        finally:
            os.close(log)
    return result


def _rotate_open(
    work: Work, ground: Filesystem, name: str, log: int, *, force: bool, dry_run: bool
) -> Rotated | Left | None:
    try:
        planned = plan(work, ground, name, log, force=force)
        if not isinstance(planned, Plan):
            return planned
        return _pretend(work, name, planned) if dry_run else _act(work, name, log, planned)
    except Corrupt as error:
        return Left(name, Why.FAILED, f"Its archive was not kept, for {reason_of(error)}; the log is as it was.")
    except (Refused, OSError) as error:
        why = Why.FULL if isinstance(error, OSError) and error.errno in _FULL else Why.FAILED
        return Left(name, why, f"It could not be archived: {reason_of(error)}. No line is lost.")


def plan(work: Work, ground: Filesystem, name: str, log: int, *, force: bool) -> Plan | Left | None:
    """Return what is to be done with an open log, or why nothing is; ``None`` where there is nothing in it.

    Raises:
        OSError: it cannot be read.
    """
    status = os.fstat(log)
    if refusal := _refusal(Slot(name, work.now.date(), 1), status):
        return Left(name, Why.REFUSED, f"It was left, for {refusal}.")
    if is_blank(log, status.st_size):
        return None
    choice = choose(work.watch.writers(log), ground)
    if choice.way is Strategy.ALONE:
        return Left(name, Why.IN_USE, f"It was left, for {choice.reason}.")
    if choice.way is Strategy.RENAME and os.geteuid() not in {0, status.st_uid}:
        # Not to be told by us, either: the kernel grants a lease to the owner only.
        return Left(name, Why.FOREIGN, "It was left, for it is another user's, who could not write to one made by us.")
    if choice.way is not Strategy.COLLAPSE:
        return Plan(choice, Cut(status.st_size, status.st_size))
    return _plan_in_use(name, log, status.st_size, choice, force=force)


def _refusal(slot: Slot, status: os.stat_result) -> str | None:
    """Return what keeps a file from being rotated at all, whoever writes to it."""
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_nlink > 1:
        return f"the file has {status.st_nlink} names (hard links)"
    return None if slot.fits() else "its name is too long for that of an archive"


def _plan_in_use(name: str, log: int, size: int, choice: Choice, *, force: bool) -> Plan | Left:
    block = os.fstatvfs(log).f_bsize
    where = cut(size, end_of_last_line(log, size), block, lambda offset: end_of_line(log, offset), force=force)
    if where is None or is_blank(log, where.end):
        reason = f"In use, and less than a block ({block:,} bytes) of whole lines: left for the next time."
        return Left(name, Why.NOTHING_YET, reason)
    return Plan(choice, where)


def _act(work: Work, name: str, log: int, planned: Plan) -> Rotated:
    choice = planned.choice
    if choice.way is Strategy.RENAME:
        archive, packing = rename(work, name, log)
    else:
        archive, packing = release(work, name, log, planned.cut, choice.way)
    path = f"{work.directory}/{FOLDER}/{work.month}/{archive}"
    return Rotated(name, choice.way, packing.end, packing.size, path, choice.reason)


def _pretend(work: Work, name: str, planned: Plan) -> Rotated | Left:
    """Return what a run would make of the log, as far as permissions tell."""
    way, reason = planned.choice
    if not _permitted(work, name, way):
        reason = os.strerror(errno.EACCES)
        return Left(name, Why.FAILED, f"It could not be archived: {reason}. No line is lost.")
    return Rotated(name, way, planned.cut.end, None, f"{work.directory}/{FOLDER}/{work.month}", reason)


def _permitted(work: Work, name: str, way: Strategy) -> bool:
    needed = name if way is not Strategy.RENAME else "."
    if not os.access(needed, os.W_OK, dir_fd=work.logs):
        return False
    year = work.month.partition("/")[0]
    for path in (f"{FOLDER}/{work.month}", f"{FOLDER}/{year}", FOLDER):
        if os.access(path, os.F_OK, dir_fd=work.logs):
            return os.access(path, os.W_OK | os.X_OK, dir_fd=work.logs)
    return os.access(".", os.W_OK | os.X_OK, dir_fd=work.logs)
