"""Rotating one log: looked at, its strategy chosen, and archived with it."""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from ..log_archives import FOLDER
from .archive_writer import ArchiveCorrupt, LogChanged
from .log_filesystem import Filesystem
from .releasing import Unsupported, release
from .renaming import rename
from .rotation_outcome import LeftLog, LeftReason, RotatedLog
from .rotation_steps import OPEN_READ, ArchiveSlot, RotationContext, error_reason
from .strategy import LogCut, Strategy, StrategyChoice, choose_strategy, cut_point

_ATTEMPTS = 3
"""A log that changes while it is archived is planned again, for another strategy may suit it now."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FilePlan(NamedTuple):
    """What is to be done with a log: the strategy, and how much of it is archived."""

    choice: StrategyChoice
    cut: LogCut


def rotate_file(
    context: RotationContext, filesystem: Filesystem, name: str, *, force: bool = False, dry_run: bool = False
) -> RotatedLog | LeftLog | None:
    """Archive one log and return what became of it; ``None`` where there is nothing in it.

    Args:
        context: what all logs of the run share.
        filesystem: what the log lies on.
        name: the log's.
        force: archive every complete line of a log that is in use, not only whole blocks.
        dry_run: only say what would become of it.

    Raises:
        RotationStopped: the run is to end; the log is as it was.
    """
    result: RotatedLog | LeftLog | None = None
    for _attempt in range(_ATTEMPTS):
        try:
            log = os.open(name, OPEN_READ, dir_fd=context.logs)
        except FileNotFoundError:
            return result
        except OSError as error:
            return LeftLog(name, LeftReason.UNREADABLE, f"It cannot be read: {error_reason(error)}.")
        try:
            return _rotate_open(context, filesystem, name, log, force=force, dry_run=dry_run) or result
        except LogChanged as error:
            result = LeftLog(name, LeftReason.IN_USE, f"It was left, for {error}.")
        except Unsupported as error:
            filesystem = filesystem._replace(refusal=str(error))
        finally:
            os.close(log)
    return result


def _rotate_open(
    context: RotationContext, filesystem: Filesystem, name: str, log: int, *, force: bool, dry_run: bool
) -> RotatedLog | LeftLog | None:
    try:
        planned = plan_file(context, filesystem, name, log, force=force)
        if not isinstance(planned, FilePlan):
            return planned
        return _dry_run_result(context, name, planned) if dry_run else _archive_file(context, name, log, planned)
    except ArchiveCorrupt as error:
        return LeftLog(
            name, LeftReason.FAILED, f"Its archive was not kept, for {error_reason(error)}; the log is as it was."
        )
    except (Refused, OSError) as error:
        why = LeftReason.FULL if isinstance(error, OSError) and error.errno in _FULL else LeftReason.FAILED
        return LeftLog(name, why, f"It could not be archived: {error_reason(error)}. No line is lost.")


def plan_file(
    context: RotationContext, filesystem: Filesystem, name: str, log: int, *, force: bool
) -> FilePlan | LeftLog | None:
    """Return what is to be done with an open log, or why nothing is; ``None`` where there is nothing in it.

    Raises:
        LogChanged: the open file has lost its name, or has got a second one.
        OSError: it cannot be read.
    """
    status = os.fstat(log)
    if refusal := _refusal_reason(ArchiveSlot(name, context.now.date(), 1), status):
        return LeftLog(name, LeftReason.REFUSED, f"It was left, for {refusal}.")
    if not safe_files.is_only_name(context.logs, name, log):
        raise LogChanged("another file has taken its place meanwhile")
    if is_blank(log, status.st_size):
        return None
    choice = choose_strategy(context.watch.writers(log), filesystem)
    if choice.strategy is Strategy.ALONE:
        return LeftLog(name, LeftReason.IN_USE, f"It was left, for {choice.reason}.")
    if choice.strategy is Strategy.RENAME and os.geteuid() not in {0, status.st_uid}:
        # Nor could we know its writers: the kernel grants a lease to the owner only.
        return LeftLog(
            name, LeftReason.FOREIGN, "It was left, for it is another user's, who could not write to one made by us."
        )
    if choice.strategy is not Strategy.COLLAPSE:
        return FilePlan(choice, LogCut(status.st_size, status.st_size))
    return _plan_in_use(name, log, status.st_size, choice, force=force)


def _refusal_reason(slot: ArchiveSlot, status: os.stat_result) -> str | None:
    """Return what keeps a file from being rotated with any strategy."""
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_nlink > 1:
        return f"the file has {status.st_nlink} names (hard links)"
    return None if slot.fits() else "its name is too long for that of an archive"


def _plan_in_use(name: str, log: int, size: int, choice: StrategyChoice, *, force: bool) -> FilePlan | LeftLog:
    block = os.fstatvfs(log).f_bsize
    where = cut_point(size, end_of_last_line(log, size), block, lambda offset: end_of_line(log, offset), force=force)
    if where is None or is_blank(log, where.end):
        reason = f"In use, and less than a block ({block:,} bytes) of whole lines: left for the next time."
        return LeftLog(name, LeftReason.NOTHING_YET, reason)
    return FilePlan(choice, where)


def _archive_file(context: RotationContext, name: str, log: int, planned: FilePlan) -> RotatedLog:
    choice = planned.choice
    if choice.strategy is Strategy.RENAME:
        archive, packing = rename(context, name, log)
    else:
        archive, packing = release(context, name, log, planned.cut, choice.strategy)
    path = f"{context.directory}/{FOLDER}/{context.month}/{archive}"
    return RotatedLog(name, choice.strategy, packing.end, packing.size, path, choice.reason)


def _dry_run_result(context: RotationContext, name: str, planned: FilePlan) -> RotatedLog | LeftLog:
    """Return what a run would make of the log, as far as permissions tell."""
    strategy, reason = planned.choice
    if not _has_permission(context, name, strategy):
        reason = os.strerror(errno.EACCES)
        return LeftLog(name, LeftReason.FAILED, f"It could not be archived: {reason}. No line is lost.")
    return RotatedLog(name, strategy, planned.cut.end, None, f"{context.directory}/{FOLDER}/{context.month}", reason)


def _has_permission(context: RotationContext, name: str, strategy: Strategy) -> bool:
    needed = name if strategy is not Strategy.RENAME else "."
    if not os.access(needed, os.W_OK, dir_fd=context.logs):
        return False
    year = context.month.partition("/")[0]
    for path in (f"{FOLDER}/{context.month}", f"{FOLDER}/{year}", FOLDER):
        if os.access(path, os.F_OK, dir_fd=context.logs):
            return os.access(path, os.W_OK | os.X_OK, dir_fd=context.logs)
    return os.access(".", os.W_OK | os.X_OK, dir_fd=context.logs)


_STEP = 1 << 18
_BLANKS = b" \n"


def end_of_last_line(log: int, size: int) -> int:
    """Return the offset after the last newline within the first *size* bytes; 0 where there is none."""
    end = size
    while end > 0:
        start = max(end - _STEP, 0)
        place = os.pread(log, end - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0


def end_of_line(log: int, offset: int) -> int:
    """Return the end of the line that contains *offset*, or *offset* where a line begins there.

    The end of the file counts as the end of a line.
    """
    if offset == 0 or os.pread(log, 1, offset - 1) == b"\n":
        return offset
    while block := os.pread(log, _STEP, offset):
        place = block.find(b"\n")
        if place >= 0:
            return offset + place + 1
        offset += len(block)
    return offset


def is_blank(log: int, size: int) -> bool:
    """Tell whether the first *size* bytes are spaces and newlines: what a rotation leaves, and no record."""
    offset = 0
    while offset < size:
        block = os.pread(log, min(_STEP if offset else 4096, size - offset), offset)
        if not block or block.strip(_BLANKS):
            return not block
        offset += len(block)
    return True
