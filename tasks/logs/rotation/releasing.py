"""The strategies for a log that its writers keep open: its start is archived, then released while they write.

:mod:`.release_journal` says in which order the steps are taken, and how a kill between any two of them is recognised.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress

import msgspec

from ..log_archives import HEADER_LIMIT, origin_of
from . import log_filesystem, release_journal
from .archive_writer import ArchiveCorrupt, ArchiveWriter, LogChanged, archive_content
from .release_journal import MARK_LENGTH, ReleaseJournal
from .rotation_steps import (
    OPEN_WRITE,
    RotationContext,
    copy_attributes,
    free_slot,
    give_final_name,
    open_file,
    require_unchanged,
    temporary_file,
    verify_archive,
)
from .strategy import LogCut, Strategy

_REFUSALS = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.ENOSYS})
"""How a file system says that it cannot release blocks (fallocate(2))."""

_ROUNDS = 10
"""Times at most that what was written during the last round is added before a truncation."""

_STEP = 1 << 20


class Unsupported(Exception):
    """The file system does not release blocks of this file; nothing has changed. The message is the system's."""


def release(
    context: RotationContext, name: str, log: int, cut: LogCut, strategy: Strategy
) -> tuple[str, ArchiveWriter]:
    """Archive the start of a log and release it, while others go on writing.

    Args:
        context: what all logs of the run share.
        name: the log's.
        log: the log, open for reading.
        cut: how much of it.
        strategy: collapse or truncate.

    Returns:
        The archive's name in the folder of the month, and what it holds.

    Raises:
        Unsupported: the file system refuses; nothing has changed.
        LogChanged: the log is not as it was planned; nothing has changed.
        RotationStopped: the run is to end; nothing has changed.
        ArchiveCorrupt, Refused, OSError: it failed; nothing has changed, or the next run undoes or finishes it.
    """
    status = os.fstat(log)
    origin = context.origin(name, status, cut.end, cut.released)
    with (
        open_file(context.logs, name, OPEN_WRITE) as live,
        context.archive_folder(context.month, create=True) as folder,
        temporary_file(folder) as descriptor,
    ):
        archive = free_slot(folder, name, context.now).archive
        packing = ArchiveWriter(descriptor, context.pool, context.stop)
        packing.extend(log, cut.end, origin, status.st_mtime)
        verify_archive(folder, packing)
        require_unchanged(context, name, live, cut.end)
        copy_attributes(descriptor, status, log)
        entry = ReleaseJournal(
            strategy="truncate" if strategy is Strategy.TRUNCATE else "collapse" if cut.released else "blank",
            log=name,
            device=status.st_dev,
            inode=status.st_ino,
            released=cut.released,
            end=cut.end,
            archive=f"{context.month}/{archive}",
            rotated=origin.rotated,
            token=_token(log, cut.end),
        )
        try:
            entry = _mark(context, entry, live, folder, archive)
            if strategy is Strategy.TRUNCATE:
                _catch_up(context, packing, (name, live), (folder, archive))
            _free(entry, live)
            os.fsync(descriptor)
        except BaseException:
            undo(context, entry, live)
            raise
    release_journal.remove_journal(context.root, context.directory)
    return archive, packing


def _token(log: int, end: int) -> str:
    """Return a text that is neither what the log begins with nor what will stand there."""
    length = min(MARK_LENGTH, end)
    there = os.pread(log, length, 0)
    while True:
        token = secrets.token_hex(length)[: length - 1] + "\n"
        if token.encode("ascii") != there:
            return token


def _mark(context: RotationContext, entry: ReleaseJournal, live: int, folder: int, archive: str) -> ReleaseJournal:
    """Take the steps from the journal's *prepared* to its *marked*."""
    release_journal.write_journal(context.root, context.directory, entry)
    give_final_name(folder, archive)
    require_unchanged(context, entry.log, live, entry.end)
    if entry.strategy != "truncate" and not all(writer.append for writer in context.watch.again(live).known):
        raise LogChanged("somebody has opened it meanwhile who does not append")
    return put_mark(context, entry, live)


def put_mark(context: RotationContext, entry: ReleaseJournal, live: int) -> ReleaseJournal:
    """Overwrite the log's first bytes with the token, blank the rest of the crossing line, and note it.

    Returns:
        The journal's new entry.

    Raises:
        OSError: it failed somewhere on the way.
    """
    _write_at(live, entry.mark, 0)
    os.fdatasync(live)
    if entry.strategy != "truncate":
        _blank(live, max(entry.released, len(entry.mark)), entry.end)
        os.fdatasync(live)
    marked = msgspec.structs.replace(entry, state="marked")
    release_journal.write_journal(context.root, context.directory, marked)
    return marked


def _catch_up(context: RotationContext, packing: ArchiveWriter, log: tuple[str, int], archive: tuple[int, str]) -> None:
    """Add to the archive what was written to the log meanwhile.

    Where that never ends, the last round is not waited for until it is on the disk: the less time passes before
    the truncation, the less is written in it.
    """
    name, live = log
    with open_file(*archive) as again:
        for number in range(_ROUNDS):
            status = os.fstat(live)
            if status.st_size <= packing.end:
                return
            origin = context.origin(name, status, status.st_size, status.st_size)
            packing.extend(live, status.st_size, origin, status.st_mtime)
            packing.seal(origin, status.st_mtime)
            if number < _ROUNDS - 1:
                packing.verify(again)


def _free(entry: ReleaseJournal, live: int) -> None:
    """Take the archived start away; with it, or by it, the token goes.

    Raises:
        LogChanged: somebody has cut the log since it was marked.
        Unsupported, OSError: it could not be taken away.
    """
    if not has_mark(entry, live) or os.fstat(live).st_size < entry.end:
        raise LogChanged("somebody has cut it meanwhile")
    if entry.strategy == "truncate":
        os.ftruncate(live, 0)
    elif entry.strategy == "blank":
        _blank(live, 0, len(entry.mark), last=b"\n" if entry.end == len(entry.mark) else b" ")
    else:
        try:
            log_filesystem.collapse_range(live, entry.released)
        except OSError as error:
            if error.errno in _REFUSALS:
                raise Unsupported(error.strerror or "refused") from None
            raise
    os.fsync(live)


def finish(context: RotationContext, entry: ReleaseJournal, live: int) -> None:
    """Take the steps that a killed run did not come to, where the token stands in the log.

    Raises:
        LogChanged, Unsupported, OSError: the start could not be released; it is as it was before the rotation.
    """
    try:
        if entry.state == "prepared":
            entry = put_mark(context, entry, live)
        _free(entry, live)
    except (LogChanged, Unsupported, OSError):
        undo(context, entry, live)
        raise
    release_journal.remove_journal(context.root, context.directory)


def undo(context: RotationContext, entry: ReleaseJournal, live: int) -> None:
    """Copy back what was overwritten in the log, and remove archive and journal.

    The archive stays where its content is no longer in the log: the start was released already, or somebody has
    cut the log meanwhile. As long as the journal says *prepared*, the token goes last, so that a kill leaves
    either a release to be finished or nothing at all; afterwards the journal says *restoring* first.

    Raises:
        ArchiveCorrupt: the archive does not hold what was overwritten.
        OSError: it failed; the journal is there for the next run.
    """
    if (entry.state == "marked" and not has_mark(entry, live)) or os.fstat(live).st_size < entry.end:
        release_journal.remove_journal(context.root, context.directory)
        return
    if entry.state == "marked":
        entry = msgspec.structs.replace(entry, state="restoring")
        release_journal.write_journal(context.root, context.directory, entry)
    month, _, name = entry.archive.rpartition("/")
    with suppress(FileNotFoundError), context.archive_folder(month) as folder, open_file(folder, name) as archive:
        if is_of(entry, archive):
            if entry.state == "restoring" or has_mark(entry, live):
                _copy_back(entry, live, archive)
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)
    release_journal.remove_journal(context.root, context.directory)


def has_mark(entry: ReleaseJournal, live: int) -> bool:
    """Tell whether the token stands at the start of the log."""
    return os.pread(live, len(entry.mark), 0) == entry.mark


def is_of(entry: ReleaseJournal, archive: int) -> bool:
    """Tell whether an archive is the one that the journal speaks of."""
    origin = origin_of(os.pread(archive, HEADER_LIMIT, 0))
    return origin is not None and (origin.log, origin.device, origin.inode, origin.rotated) == (
        entry.log,
        entry.device,
        entry.inode,
        entry.rotated,
    )


def _copy_back(entry: ReleaseJournal, live: int, archive: int) -> None:
    # A truncation overwrites nothing but the first bytes, and the end of its archive may be torn.
    end = len(entry.mark) if entry.strategy == "truncate" else entry.end
    start = max(entry.released, len(entry.mark))
    first = b""
    offset = 0
    for block in archive_content(archive):
        first += block[: len(entry.mark) - len(first)]
        _write_at(live, block[max(start - offset, 0) : end - offset], max(start, offset))
        offset += len(block)
        if offset >= end:
            break
    else:
        raise ArchiveCorrupt("it is shorter than what was taken from the log")
    os.fdatasync(live)
    _write_at(live, first, 0)
    os.fdatasync(live)


def _blank(live: int, start: int, end: int, last: bytes = b"\n") -> None:
    """Overwrite with spaces, and with *last* at the end."""
    while start < end:
        stop = min(start + _STEP, end)
        _write_at(live, (b" " * (stop - start))[:-1] + (last if stop == end else b" "), start)
        start = stop


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
