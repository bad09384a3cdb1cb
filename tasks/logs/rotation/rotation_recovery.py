"""Recovery of interrupted rotations: finished or undone before the next rotation begins.

A killed rotation leaves a journal (see :mod:`.release_journal`), logs under their pending name in the archive folder
(see :mod:`.renaming`), and temporary files there. A dry run reports them and changes nothing.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import TEMPORARY
from ...core.text.formatting import printable
from ..log_archives import FOLDER, HEADER_LIMIT, origin_of
from . import release_journal
from .archive_writer import ArchiveCorrupt, LogChanged, archive_content
from .release_journal import ReleaseJournal, UnreadableJournal
from .releasing import Unsupported, finish, has_mark, is_of, undo
from .renaming import archive_pending, recreate_missing_log
from .rotation_outcome import RecoveredRotation, RotationOutcome
from .rotation_steps import ArchiveSlot, RotationContext, error_reason, has_name, name_exists, open_file
from .strategy import writer_names

_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d\d")
_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _PendingLog(NamedTuple):
    """A log under its pending name: in which folder of the archive, that name, and where it was on its way to."""

    month: str
    name: str
    slot: ArchiveSlot

    @property
    def log(self) -> str:
        """The name of the log that it was."""
        return self.slot.log


def recover_interrupted(work: RotationContext, outcome: RotationOutcome) -> None:
    """Finish or undo what killed rotations left; what becomes of it is noted in *outcome*.

    Args:
        work: what all logs of the run share.
        outcome: its ``dry_run`` says whether to change anything.

    Raises:
        Refused, OSError: the archive folder cannot be walked.
        RotationStopped: it was told to stop.
    """
    _recover_journal(work, outcome)
    for month in _months(work):
        with work.archive_folder(month) as folder:
            names = os.listdir(folder)  # noqa: PTH208 - by descriptor
            if TEMPORARY in names and not outcome.dry_run:
                os.unlink(TEMPORARY, dir_fd=folder)
            for name in sorted(names):
                slot = ArchiveSlot.of_pending(name)
                if slot and stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    _recover_pending(work, folder, _PendingLog(month, name, slot), outcome)


def _months(work: RotationContext) -> list[str]:
    """Return the folders in which archives may lie, the archive folder itself first."""
    found: list[str] = []
    with suppress(FileNotFoundError), work.archive_folder() as top:
        found.append(".")
        for year in _subfolders(top, _YEAR):
            with work.archive_folder(year) as folder:
                found += [year, *(f"{year}/{month}" for month in _subfolders(folder, _MONTH))]
    return found


def _subfolders(folder: int, pattern: re.Pattern[str]) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name for entry in entries if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        )


# Logs under their pending name


def _recover_pending(work: RotationContext, folder: int, pending: _PendingLog, outcome: RotationOutcome) -> None:
    subject = f"{work.directory}/{FOLDER}/{pending.month}/{pending.name}"
    if outcome.dry_run:
        told = f"An interrupted rotation of {printable(pending.log)} would be finished."
        outcome.mended.append(RecoveredRotation(subject, told))
        return
    try:
        with open_file(folder, pending.name) as descriptor:
            mended = _settle_pending(work, folder, pending, descriptor, outcome)
    except (LogChanged, ArchiveCorrupt, safe_files.Refused, OSError) as error:
        told = f"What an interrupted rotation of {printable(pending.log)} left is not archived: {error_reason(error)}."
        mended = RecoveredRotation(subject, told, problem=True)
    outcome.mended.append(mended._replace(subject=subject))


def _settle_pending(
    work: RotationContext, folder: int, pending: _PendingLog, descriptor: int, outcome: RotationOutcome
) -> RecoveredRotation:
    status = os.fstat(descriptor)
    log = printable(pending.log)
    if status.st_nlink > 1:
        if not has_name(work.logs, pending.log, status):
            return RecoveredRotation(
                "", "A log with a second name elsewhere (hard link) is left as it is.", problem=True
            )
        os.unlink(pending.name, dir_fd=folder)
        return RecoveredRotation("", f"An interrupted rotation of {log} was undone; nothing was lost.")
    writers = work.watch.writers(descriptor, afresh=True)
    if not writers.nobody:
        if safe_files.move((folder, pending.name), (work.logs, pending.log)):
            return RecoveredRotation("", f"An interrupted rotation of {log} was undone; nothing was lost.")
        who = writer_names(writers) or "a process that cannot be seen from here"
        return RecoveredRotation(
            "", f"{who} still writes to what was {log}; it is archived once that ends.", problem=True
        )
    if not name_exists(work.logs, pending.log):
        recreate_missing_log(work, pending.log, descriptor)
    archive, corrupt = _archive_for(folder, pending.slot, descriptor)
    if archive is None:
        os.fsync(folder)
        os.unlink(pending.name, dir_fd=folder)
        return RecoveredRotation("", f"An interrupted rotation of {log} was finished; nothing was lost.")
    archive_pending(work, pending.log, descriptor, folder, pending=pending.name, archive=archive)
    outcome.made.add(f"{pending.month}/{archive}")
    told = f"An interrupted rotation of {log} was finished; nothing was lost."
    if corrupt:
        told = f"{printable(corrupt)} is damaged; it was left, and what an interrupted rotation left is in {archive}."
    return RecoveredRotation("", told, problem=bool(corrupt), corrupt=bool(corrupt))


def _archive_for(folder: int, slot: ArchiveSlot, descriptor: int) -> tuple[str | None, str | None]:
    """Return the name for the archive of a pending log, and that of a damaged one that has it already.

    The name is ``None`` where the archive is there. An archive of ours that holds only the beginning is
    replaced by one of the whole: all that it holds is in the pending log.
    """
    name = slot.archive
    corrupt = None
    if name_exists(folder, name):
        try:
            with open_file(folder, name) as archive:
                held = _common_length(archive, descriptor)
                said = origin_of(os.pread(archive, HEADER_LIMIT, 0))
        except ArchiveCorrupt:
            corrupt = name
        else:
            status = os.fstat(descriptor)
            if held == status.st_size:
                return None, None
            if held is not None and said and (said.device, said.inode) == (status.st_dev, status.st_ino):
                os.unlink(name, dir_fd=folder)
    later = (slot._replace(serial=serial).archive for serial in itertools.count(slot.serial + 1))
    return next(one for one in itertools.chain([name], later) if not name_exists(folder, one)), corrupt


def _common_length(archive: int, log: int) -> int | None:
    """Return how many bytes of the log's start the archive holds; ``None`` where it holds something else."""
    offset = 0
    for block in archive_content(archive):
        if os.pread(log, len(block), offset) != block:
            return None
        offset += len(block)
    return offset


# The journal


def _recover_journal(work: RotationContext, outcome: RotationOutcome) -> None:
    subject = release_journal.journal_path(work.directory)
    try:
        entry = release_journal.read_journal(work.root, work.directory)
    except UnreadableJournal as torn:
        told = f"The journal of an interrupted rotation cannot be understood ({printable(torn)})"
        if not outcome.dry_run:
            told += f" and was kept aside as {printable(release_journal.set_journal_aside(work.root, work.directory))}"
        outcome.mended.append(RecoveredRotation(subject, f"{told}.", problem=True))
        return
    if entry is None:
        return
    subject = f"{work.directory}/{entry.log}"
    if outcome.dry_run:
        outcome.mended.append(RecoveredRotation(subject, "An interrupted rotation of it would be finished or undone."))
        return
    outcome.made.add(entry.archive)
    try:
        mended = _settle_journal(work, entry)
    except _UnusableArchive as error:
        aside = printable(release_journal.set_journal_aside(work.root, work.directory))
        told = (
            f"An interrupted rotation of it can be neither finished nor undone, for its archive "
            f"{printable(entry.archive)} {error}; the log was left as it is and the journal kept as {aside}."
        )
        outcome.mended.append(RecoveredRotation(subject, told, problem=True, corrupt=True))
    else:
        outcome.mended.append(mended._replace(subject=subject))


_FINISHED = RecoveredRotation("", "An interrupted rotation of it was finished; nothing was lost.")
_UNDONE = RecoveredRotation("", "An interrupted rotation of it was undone; nothing was lost.")


class _UnusableArchive(Exception):
    """The archive that the journal speaks of is needed and cannot be used; the message says why."""


def _settle_journal(work: RotationContext, entry: ReleaseJournal) -> RecoveredRotation:
    """Finish or undo the release, and say which and whether something is left to be done."""
    try:
        live = os.open(entry.log, _WRITE, dir_fd=work.logs)
    except FileNotFoundError:
        return _keep_archive(work, entry, "is gone")
    try:
        status = os.fstat(live)
        if (status.st_dev, status.st_ino) != (entry.device, entry.inode):
            return _keep_archive(work, entry, "is another file now")
        if not has_mark(entry, live) and entry.state != "restoring":
            return _settle_unmarked(work, entry, live)
        if status.st_size < entry.end:
            return _keep_archive(work, entry, "has been cut since")
        _require_archive(work, entry)
        finished = _release_goes_on(work, entry, live)
        if finished:
            try:
                finish(work, entry, live)
            except (LogChanged, Unsupported):
                finished = False
        else:
            undo(work, entry, live)
        return _FINISHED if finished else _UNDONE
    finally:
        os.close(live)


def _settle_unmarked(work: RotationContext, entry: ReleaseJournal, live: int) -> RecoveredRotation:
    if entry.state == "marked":
        release_journal.remove_journal(work.root, work.directory)
        return _FINISHED
    if os.fstat(live).st_size < entry.end:
        return _keep_archive(work, entry, "has been cut since")
    return (
        _UNDONE
        if _remove_unneeded_archive(work, entry, live)
        else _keep_archive(work, entry, "has been rewritten since")
    )


def _release_goes_on(work: RotationContext, entry: ReleaseJournal, live: int) -> bool:
    """Tell whether a marked log can be released; a truncation would lose what was written since."""
    if entry.state == "restoring" or entry.way == "truncate":
        return False
    return all(writer.append for writer in work.watch.again(live).known)


def _keep_archive(work: RotationContext, entry: ReleaseJournal, what: str) -> RecoveredRotation:
    release_journal.remove_journal(work.root, work.directory)
    told = (
        f"It {what}, after a rotation of it was interrupted; the archive {printable(entry.archive)} is kept as it is. "
        "Lines may stand in both."
    )
    return RecoveredRotation("", told, problem=True)


def _remove_unneeded_archive(work: RotationContext, entry: ReleaseJournal, live: int) -> bool:
    """Remove the archive of a log from which nothing was released; False where the log no longer holds the same."""
    with _archive_of(work, entry) as archive:
        try:
            if archive is not None and _common_length(archive, live) != entry.end:
                return False
        except ArchiveCorrupt as error:
            raise _UnusableArchive(f"cannot be read: {error}") from None
    undo(work, entry, live)
    return True


def _require_archive(work: RotationContext, entry: ReleaseJournal) -> None:
    """Make sure that the archive holds what is to be released or to be copied back.

    Raises:
        _Unusable: it does not.
    """
    with _archive_of(work, entry) as archive:
        if archive is None:
            if entry.state == "restoring":  # it is removed once all is copied back
                return
            raise _UnusableArchive("is missing")
        held = 0
        try:
            for block in archive_content(archive):
                held += len(block)
                if entry.way == "truncate":
                    return  # the first bytes are all that is needed; its end may be torn
        except ArchiveCorrupt as error:
            raise _UnusableArchive(f"cannot be read: {error}") from None
        if held != entry.end:
            raise _UnusableArchive(f"holds {held:,} bytes in the place of {entry.end:,}")


@contextmanager
def _archive_of(work: RotationContext, entry: ReleaseJournal) -> Iterator[int | None]:
    """Open the journal's archive; ``None`` where there is none, or another one has its name."""
    month, _, name = entry.archive.rpartition("/")
    with ExitStack() as stack:
        archive = None
        with suppress(FileNotFoundError):
            folder = stack.enter_context(work.archive_folder(month))
            archive = stack.enter_context(open_file(folder, name))
        yield archive if archive is not None and is_of(entry, archive) else None
