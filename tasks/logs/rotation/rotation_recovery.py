"""Recovery of interrupted rotations: finished or undone before the next rotation begins.

A killed rotation leaves a journal (see :mod:`.release_journal`), logs under their pending name in the archive folder
(see :mod:`.renaming`), and temporary files there. A dry run reports them and changes nothing.
"""

from __future__ import annotations

import errno
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
from .rotation_steps import OPEN_WRITE, ArchiveSlot, RotationContext, error_reason, has_name, name_exists, open_file
from .strategy import writer_names

_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d\d")
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO})
"""How the system says that a name is that of a link, a folder or a socket (open(2))."""


class _PendingLog(NamedTuple):
    """A log under its pending name: in which folder of the archive, that name, and where it was on its way to."""

    month: str
    name: str
    slot: ArchiveSlot

    @property
    def log(self) -> str:
        """The name of the log that it was."""
        return self.slot.log


def recover_interrupted(context: RotationContext, outcome: RotationOutcome) -> None:
    """Finish or undo what killed rotations left; what becomes of it is noted in *outcome*.

    Args:
        context: what all logs of the run share.
        outcome: its ``dry_run`` says whether to change anything.

    Raises:
        Refused, OSError: the archive folder cannot be walked.
        RotationStopped: the run is to end.
    """
    _recover_journal(context, outcome)
    for month in _months(context):
        with context.archive_folder(month) as folder:
            names = os.listdir(folder)  # noqa: PTH208 - by descriptor
            if TEMPORARY in names and not outcome.dry_run:
                with suppress(FileNotFoundError):
                    os.unlink(TEMPORARY, dir_fd=folder)
            for name in sorted(names):
                slot = ArchiveSlot.of_pending(name)
                if slot and _is_regular(folder, name):
                    _recover_pending(context, folder, _PendingLog(month, name, slot), outcome)


def _is_regular(folder: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False


def _months(context: RotationContext) -> list[str]:
    """Return the folders in which archives may lie, the archive folder itself first."""
    found: list[str] = []
    with suppress(FileNotFoundError), context.archive_folder() as top:
        found.append(".")
        for year in _subfolders(top, _YEAR):
            with context.archive_folder(year) as folder:
                found += [year, *(f"{year}/{month}" for month in _subfolders(folder, _MONTH))]
    return found


def _subfolders(folder: int, pattern: re.Pattern[str]) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name for entry in entries if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        )


# Logs under their pending name


def _recover_pending(context: RotationContext, folder: int, pending: _PendingLog, outcome: RotationOutcome) -> None:
    subject = f"{context.directory}/{FOLDER}/{pending.month}/{pending.name}"
    if outcome.dry_run:
        message = f"An interrupted rotation of {printable(pending.log)} would be finished."
        outcome.recovered.append(RecoveredRotation(subject, message))
        return
    try:
        with open_file(folder, pending.name) as descriptor:
            recovered = _settle_pending(context, folder, pending, descriptor, outcome)
    except (LogChanged, ArchiveCorrupt, safe_files.Refused, OSError) as error:
        message = (
            f"What an interrupted rotation of {printable(pending.log)} left is not archived: {error_reason(error)}."
        )
        recovered = RecoveredRotation(subject, message, problem=True)
    outcome.recovered.append(recovered._replace(subject=subject))


def _settle_pending(
    context: RotationContext, folder: int, pending: _PendingLog, descriptor: int, outcome: RotationOutcome
) -> RecoveredRotation:
    status = os.fstat(descriptor)
    log = printable(pending.log)
    if status.st_nlink > 1:
        if not has_name(context.logs, pending.log, status):
            return RecoveredRotation(
                "", "A log with a second name elsewhere (hard link) is left as it is.", problem=True
            )
        os.unlink(pending.name, dir_fd=folder)
        return RecoveredRotation("", f"An interrupted rotation of {log} was undone; nothing was lost.")
    if not safe_files.is_only_name(folder, pending.name, descriptor):
        raise LogChanged("another file has taken its place meanwhile")
    writers = context.watch.writers(descriptor, afresh=True)
    if not writers.nobody:
        if safe_files.move((folder, pending.name), (context.logs, pending.log)):
            return RecoveredRotation("", f"An interrupted rotation of {log} was undone; nothing was lost.")
        who = writer_names(writers) or "a process that cannot be seen from here"
        return RecoveredRotation(
            "", f"{who} still writes to what was {log}; it is archived once that ends.", problem=True
        )
    if not name_exists(context.logs, pending.log):
        recreate_missing_log(context, pending.log, descriptor)
    archive, corrupt = _archive_for(folder, pending.slot, descriptor)
    if archive is None:
        os.fsync(folder)
        os.unlink(pending.name, dir_fd=folder)
        return RecoveredRotation("", f"An interrupted rotation of {log} was finished; nothing was lost.")
    archive_pending(context, pending.log, descriptor, folder, pending=pending.name, archive=archive)
    outcome.made.add(f"{pending.month}/{archive}")
    message = f"An interrupted rotation of {log} was finished; nothing was lost."
    if corrupt:
        message = (
            f"{printable(corrupt)} is damaged; it was left, and what an interrupted rotation left is in {archive}."
        )
    return RecoveredRotation("", message, problem=bool(corrupt), corrupt=bool(corrupt))


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
                length = _common_length(archive, descriptor)
                origin = origin_of(os.pread(archive, HEADER_LIMIT, 0))
        except ArchiveCorrupt:
            corrupt = name
        else:
            status = os.fstat(descriptor)
            if length == status.st_size:
                return None, None
            if length is not None and origin and (origin.device, origin.inode) == (status.st_dev, status.st_ino):
                os.unlink(name, dir_fd=folder)
    later = (slot._replace(serial=serial).archive for serial in itertools.count(slot.serial + 1))
    return next(
        candidate for candidate in itertools.chain([name], later) if not name_exists(folder, candidate)
    ), corrupt


def _common_length(archive: int, log: int) -> int | None:
    """Return how many bytes of the log's start the archive holds; ``None`` where it holds something else."""
    offset = 0
    for block in archive_content(archive):
        if os.pread(log, len(block), offset) != block:
            return None
        offset += len(block)
    return offset


# The journal


def _recover_journal(context: RotationContext, outcome: RotationOutcome) -> None:
    subject = release_journal.journal_path(context.directory)
    try:
        entry = release_journal.read_journal(context.root, context.directory)
    except UnreadableJournal as torn:
        message = f"The journal of an interrupted rotation is not used. {torn}"
        if not outcome.dry_run:
            aside = release_journal.set_journal_aside(context.root, context.directory)
            message += f" It was kept aside as {printable(aside)}."
        outcome.recovered.append(RecoveredRotation(subject, message, problem=True))
        return
    if entry is None:
        return
    subject = f"{context.directory}/{entry.log}"
    if outcome.dry_run:
        outcome.recovered.append(
            RecoveredRotation(subject, "An interrupted rotation of it would be finished or undone.")
        )
        return
    outcome.made.add(entry.archive)
    try:
        recovered = _settle_journal(context, entry)
    except (_UnusableArchive, _UnusableLog) as error:
        aside = printable(release_journal.set_journal_aside(context.root, context.directory))
        is_archive = isinstance(error, _UnusableArchive)
        what = f"its archive {printable(entry.archive)}" if is_archive else "it"
        message = (
            f"An interrupted rotation of it can be neither finished nor undone, for {what} {error}; "
            f"the log was left as it is and the journal kept as {aside}."
        )
        outcome.recovered.append(RecoveredRotation(subject, message, problem=True, corrupt=is_archive))
    else:
        outcome.recovered.append(recovered._replace(subject=subject))


_FINISHED = RecoveredRotation("", "An interrupted rotation of it was finished; nothing was lost.")
_UNDONE = RecoveredRotation("", "An interrupted rotation of it was undone; nothing was lost.")


class _UnusableArchive(Exception):
    """The archive that the journal speaks of is needed and cannot be used; the message says why."""


class _UnusableLog(Exception):
    """The log that the journal speaks of is not touched; the message says why."""


def _settle_journal(context: RotationContext, entry: ReleaseJournal) -> RecoveredRotation:
    """Finish or undo the release, and say which and whether something is left to be done."""
    try:
        live = os.open(entry.log, OPEN_WRITE, dir_fd=context.logs)
    except FileNotFoundError:
        return _keep_archive(context, entry, "is gone")
    except OSError as error:
        if error.errno in _NO_FILE:
            return _keep_archive(context, entry, "is no file now")
        raise
    try:
        if not safe_files.is_only_name(context.logs, entry.log, live):
            raise _UnusableLog("has a second name elsewhere (hard link), or another file has taken its place")
        status = os.fstat(live)
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) != (entry.device, entry.inode):
            return _keep_archive(context, entry, "is another file now")
        if not has_mark(entry, live) and entry.state != "restoring":
            return _settle_unmarked(context, entry, live)
        if status.st_size < entry.end:
            return _keep_archive(context, entry, "has been cut since")
        _require_archive(context, entry, live)
        finished = _release_goes_on(context, entry, live)
        if finished:
            try:
                finish(context, entry, live)
            except (LogChanged, Unsupported):
                finished = False
        else:
            undo(context, entry, live)
        return _FINISHED if finished else _UNDONE
    finally:
        os.close(live)


def _settle_unmarked(context: RotationContext, entry: ReleaseJournal, live: int) -> RecoveredRotation:
    if entry.state == "marked":
        release_journal.remove_journal(context.root, context.directory)
        return _FINISHED
    if os.fstat(live).st_size < entry.end:
        return _keep_archive(context, entry, "has been cut since")
    return (
        _UNDONE
        if _remove_unneeded_archive(context, entry, live)
        else _keep_archive(context, entry, "has been rewritten since")
    )


def _release_goes_on(context: RotationContext, entry: ReleaseJournal, live: int) -> bool:
    """Tell whether a marked log can be released; a truncation would lose what was written since."""
    if entry.state == "restoring" or entry.strategy == "truncate":
        return False
    return all(writer.append for writer in context.watch.again(live).known)


def _keep_archive(context: RotationContext, entry: ReleaseJournal, what: str) -> RecoveredRotation:
    release_journal.remove_journal(context.root, context.directory)
    message = (
        f"It {what}, after a rotation of it was interrupted; the archive {printable(entry.archive)} is kept as it is. "
        "Lines may stand in both."
    )
    return RecoveredRotation("", message, problem=True)


def _remove_unneeded_archive(context: RotationContext, entry: ReleaseJournal, live: int) -> bool:
    """Remove the archive of a log from which nothing was released; False where the log no longer holds the same."""
    with _archive_of(context, entry) as archive:
        try:
            if archive is not None and _common_length(archive, live) != entry.end:
                return False
        except ArchiveCorrupt as error:
            raise _UnusableArchive(f"cannot be read: {error}") from None
    undo(context, entry, live)
    return True


def _require_archive(context: RotationContext, entry: ReleaseJournal, live: int) -> None:
    """Make sure that the archive holds what is to be released or to be copied back.

    Raises:
        _UnusableArchive: it does not.
    """
    with _archive_of(context, entry) as archive:
        if archive is None:
            if entry.state == "restoring" and not has_mark(entry, live):  # it is removed once all is copied back
                return
            raise _UnusableArchive("is missing")
        length = 0
        try:
            for block in archive_content(archive):
                length += len(block)
                if entry.strategy == "truncate":
                    return  # the first bytes are all that is needed; its end may be torn
        except ArchiveCorrupt as error:
            raise _UnusableArchive(f"cannot be read: {error}") from None
        if length != entry.end:
            raise _UnusableArchive(f"holds {length:,} bytes in the place of {entry.end:,}")


@contextmanager
def _archive_of(context: RotationContext, entry: ReleaseJournal) -> Iterator[int | None]:
    """Open the journal's archive; ``None`` where there is none, or another one has its name."""
    month, _, name = entry.archive.rpartition("/")
    with ExitStack() as stack:
        archive = None
        with suppress(FileNotFoundError):
            folder = stack.enter_context(context.archive_folder(month))
            archive = stack.enter_context(open_file(folder, name))
        yield archive if archive is not None and is_of(entry, archive) else None
