"""The strategy for a log without writers: archived whole, renamed, and recreated empty.

The content is archived and verified before anything happens to the log. Only then it gets its pending name in the
archive folder, where no program opens it any more, is checked once more, and is replaced by its archive. A kill
leaves it under one of the two names; :mod:`.rotation_recovery` finishes the work.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ...core.files import safe_files
from ...core.files.safe_files import TEMPORARY, Identity
from .archive_writer import ArchiveWriter, LogChanged
from .log_writers import lease_granted
from .rotation_steps import (
    RotationContext,
    copy_attributes,
    free_slot,
    give_final_name,
    has_name,
    require_unchanged,
    temporary_file,
    verify_archive,
)
from .strategy import writer_names


def rename(context: RotationContext, name: str, log: int) -> tuple[str, ArchiveWriter]:
    """Archive a log that nobody writes to, and put an empty one in its place.

    Args:
        context: what all logs of the run share.
        name: the log's.
        log: the log, open for reading.

    Returns:
        The archive's name in the folder of the month, and what it holds.

    Raises:
        LogChanged: somebody has written to it, has it open or replaced it meanwhile; it is as they left it.
        RotationStopped: the run is to end; the log is as it was.
        ArchiveCorrupt, Refused, OSError: it could not be archived; the log is as it was.
    """
    before = os.fstat(log)
    with context.archive_folder(context.month, create=True) as folder, temporary_file(folder) as descriptor:
        slot = free_slot(folder, name, context.now)
        archive, pending = slot.archive, slot.pending
        packing = ArchiveWriter(descriptor, context.pool, context.stop)
        archive_whole_log(context, packing, (name, log), before, folder)
        require_unchanged(context, name, log, packing.end)
        with context.archive_folder() as top, temporary_file(top) as fresh:
            copy_attributes(fresh, before, log, dated=False)
            os.rename(name, pending, src_dir_fd=context.logs, dst_dir_fd=folder)
            try:
                after = _require_archived(context, packing, (name, log), before, (folder, pending))
                recreate_log(context, top, name)
            except BaseException:
                _restore_name(context, (folder, pending), name)
                raise
        copy_attributes(descriptor, after, log)
        replace_by_archive(log, after, folder, pending, archive)
    return archive, packing


def archive_whole_log(
    context: RotationContext, packing: ArchiveWriter, log: tuple[str, int], status: os.stat_result, folder: int
) -> None:
    """Archive the whole of a log as *status* shows it, into the temporary file of *folder*, and verify it.

    Raises:
        LogChanged, RotationStopped, ArchiveCorrupt, OSError: it is not archived.
    """
    name, descriptor = log
    origin = context.origin(name, status, status.st_size, status.st_size)
    packing.extend(descriptor, status.st_size, origin, status.st_mtime)
    packing.seal(origin, status.st_mtime)
    verify_archive(folder, packing)


def recreate_log(context: RotationContext, top: int, name: str) -> None:
    """Let the temporary file in the archive folder become the log; one that a program created meanwhile stays."""
    if not safe_files.move((top, TEMPORARY), (context.logs, name)):
        os.unlink(TEMPORARY, dir_fd=top)


def replace_by_archive(log: int, status: os.stat_result, folder: int, pending: str, archive: str) -> None:
    """Name the archive for good and remove the log under its pending name.

    Args:
        log: the log, open for reading.
        status: the log as it was archived.
        folder: the descriptor of the folder that holds both names.
        pending: the log's pending name.
        archive: the name that the temporary file gets.

    Raises:
        LogChanged: somebody wrote to it at the last moment; no archive is made, and the log keeps its pending name.
        OSError: the system refuses; the log keeps its pending name.
    """
    give_final_name(folder, archive)
    if lease_granted(log) is False or Identity.of(os.fstat(log)) != Identity.of(status):
        os.unlink(archive, dir_fd=folder)
        raise LogChanged("somebody wrote to it in the moment in which it was renamed; the next run archives it")
    os.unlink(pending, dir_fd=folder)


def _require_archived(
    context: RotationContext,
    packing: ArchiveWriter,
    log: tuple[str, int],
    before: os.stat_result,
    pending: tuple[int, str],
) -> os.stat_result:
    """Make sure that the renamed log is the one that was archived, and add what was written until now."""
    name, descriptor = log
    if not has_name(*pending, before):
        raise LogChanged("another file has taken its place meanwhile")
    writers = context.watch.writers(descriptor, afresh=True)
    if not writers.nobody:
        raise LogChanged(f"{writer_names(writers) or 'somebody'} has opened it meanwhile")
    after = os.fstat(descriptor)
    if Identity.of(after) != Identity.of(before):
        if after.st_size < packing.end or not packing.still_holds(descriptor):
            raise LogChanged("it was not only appended to meanwhile")
        archive_whole_log(context, packing, (name, descriptor), after, pending[0])
    return after


def _restore_name(context: RotationContext, pending: tuple[int, str], name: str) -> None:
    """Give the log its name back, unless that is taken: then it waits under its pending name for the next run."""
    with suppress(OSError):
        safe_files.move(pending, (context.logs, name))


def recreate_missing_log(context: RotationContext, name: str, like: int) -> None:
    """Begin an empty log where there is none of that name.

    Raises:
        Refused, OSError: it cannot be created.
    """
    with context.archive_folder() as top, temporary_file(top) as fresh:
        copy_attributes(fresh, os.fstat(like), like, dated=False)
        recreate_log(context, top, name)


def archive_pending(
    context: RotationContext, log: str, descriptor: int, folder: int, *, pending: str, archive: str
) -> ArchiveWriter:
    """Archive a log that a killed run left under its pending name.

    Args:
        context: what all logs of the run share.
        log: the log's name.
        descriptor: the file, open for reading.
        folder: the descriptor of the folder that holds it.
        pending: its name there.
        archive: the name that its archive gets there.

    Raises:
        LogChanged, RotationStopped, ArchiveCorrupt, OSError: it is not archived and stays.
    """
    status = os.fstat(descriptor)
    with temporary_file(folder) as target:
        packing = ArchiveWriter(target, context.pool, context.stop)
        archive_whole_log(context, packing, (log, descriptor), status, folder)
        copy_attributes(target, status, descriptor)
        replace_by_archive(descriptor, status, folder, pending, archive)
    return packing
