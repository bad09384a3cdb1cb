"""The context of a rotation run, and the steps that all strategies are made of."""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import TEMPORARY
from ...core.text.formatting import printable
from ..log_archives import FOLDER, PENDING_PREFIX, ArchiveOrigin, archive_name
from .archive_writer import ArchiveWriter, LogChanged
from .log_writers import WriterWatch

OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OPEN_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RotationContext:
    """What all logs of one run share.

    Attributes:
        root: the project.
        directory: the log folder, below it.
        logs: the log folder's descriptor.
        now: the moment of the run.
        watch: who has a file open for writing.
        pool: threads that compress.
        stop: ends the work between two blocks of a log.
    """

    root: Path
    directory: str
    logs: int
    now: datetime
    watch: WriterWatch
    pool: Executor
    stop: Event

    @property
    def month(self) -> str:
        """The folder of this run's archives in the archive folder: ``2026/11``."""
        return f"{self.now:%Y/%m}"

    def archive_folder(self, month: str = ".", *, create: bool = False) -> AbstractContextManager[int]:
        """Open a folder of the archive, the archive folder itself without *month*.

        Raises:
            Refused, OSError: as :func:`~tasks.core.files.safe_files.folder` says.
        """
        return safe_files.folder(self.root, f"{self.directory}/{FOLDER}/{month}", create=create)

    def origin(self, log: str, status: os.stat_result, end: int, released: int) -> ArchiveOrigin:
        """Return what the header of an archive made by this run says."""
        return ArchiveOrigin(
            log=log,
            device=status.st_dev,
            inode=status.st_ino,
            end=end,
            released=released,
            rotated=self.now.isoformat(),
        )


@contextmanager
def open_file(folder: int, name: str, flags: int = OPEN_READ) -> Iterator[int]:
    """Open a file without following a link, and give its descriptor.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(name, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def temporary_file(folder: int) -> Iterator[int]:
    """Create a folder's temporary file and give its descriptor; on an error the file is removed.

    Raises:
        OSError: it cannot be created.
    """
    with suppress(FileNotFoundError):
        os.unlink(TEMPORARY, dir_fd=folder)
    descriptor = os.open(TEMPORARY, _CREATE, 0o600, dir_fd=folder)
    try:
        yield descriptor
    except BaseException:
        with suppress(OSError):
            os.unlink(TEMPORARY, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def name_exists(folder: int, name: str) -> bool:
    """Tell whether a name is taken, by a dangling link for one."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def has_name(folder: int, name: str, status: os.stat_result) -> bool:
    """Tell whether a name is that of the file with this *status*."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), status)
    return False


class ArchiveSlot(NamedTuple):
    """The place of an archive: the *serial*-th of a *log* on one *day*."""

    log: str
    day: date
    serial: int

    @property
    def archive(self) -> str:
        """The archive's name."""
        return archive_name(self.log, self.day, self.serial)

    @property
    def pending(self) -> str:
        """The name in the archive folder that the log has between its rename and its removal: nobody else's."""
        return f"{PENDING_PREFIX}{self.day:%Y%m%d}-{self.serial}-{self.log}"

    @classmethod
    def of_pending(cls, name: str) -> ArchiveSlot | None:
        """Return the place that a pending log is on its way to; ``None`` where the name is no pending log's."""
        match = _PENDING.fullmatch(name)
        with suppress(ValueError):
            return cls(match["log"], date.fromisoformat(match["day"]), int(match["serial"])) if match else None
        return None

    def fits(self) -> bool:
        """Tell whether file systems take names of that length."""
        return max(len(os.fsencode(self.archive)), len(os.fsencode(self.pending))) <= _LONGEST


_PENDING = re.compile(
    re.escape(PENDING_PREFIX) + r"(?P<day>\d{8})-(?P<serial>\d{1,9})-(?P<log>(?!\.{1,2}\Z).+)", re.DOTALL
)
_LONGEST = 255
"""Bytes of a name, on every file system that collapses blocks and on nearly every other one."""


def free_slot(folder: int, log: str, now: datetime) -> ArchiveSlot:
    """Return the first place for an archive of *log* on this day that is not taken, nor its pending name."""
    slots = (ArchiveSlot(log, now.date(), serial) for serial in itertools.count(1))
    return next(
        slot for slot in slots if not name_exists(folder, slot.archive) and not name_exists(folder, slot.pending)
    )


def give_final_name(folder: int, name: str) -> None:
    """Give the temporary file its name, never over another file, and wait until that is on the disk.

    Raises:
        OSError: the name is taken, or the folder cannot be written.
    """
    if not safe_files.move((folder, TEMPORARY), (folder, name)):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
    os.fsync(folder)


def copy_attributes(descriptor: int, status: os.stat_result, like: int, *, dated: bool = True) -> None:
    """Give a file the mode of another one, its owner and group, its access list, and the time of its last write.

    Args:
        descriptor: the file.
        status: what the other one was like.
        like: the other one, for its extended attributes, which hold the access list.
        dated: give it the time of the last write as well.

    Raises:
        OSError: the system refuses.
    """
    mine = os.fstat(descriptor)
    if os.geteuid() == 0:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    elif mine.st_gid != status.st_gid and mine.st_uid == status.st_uid:
        os.fchown(descriptor, -1, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o777)
    if hasattr(os, "listxattr"):  # Linux; an access list of macOS is left behind
        with suppress(OSError):  # labels that only the system sets
            for name in os.listxattr(like):
                os.setxattr(descriptor, name, os.getxattr(like, name))
    if dated:
        os.utime(descriptor, ns=(status.st_mtime_ns, status.st_mtime_ns))


def verify_archive(folder: int, packing: ArchiveWriter) -> None:
    """Read the temporary file back through a descriptor of its own, and compare.

    Raises:
        ArchiveCorrupt, RotationStopped, OSError: see :meth:`ArchiveWriter.verify`.
    """
    with open_file(folder, TEMPORARY) as again:
        packing.verify(again)


def require_unchanged(context: RotationContext, name: str, log: int, size: int) -> None:
    """Look whether an open log still has its name, no other, and at least *size* bytes.

    Raises:
        LogChanged: it has not.
    """
    status = os.fstat(log)
    if not safe_files.is_only_name(context.logs, name, log):
        if has_name(context.logs, name, status):
            raise LogChanged("it has got a second name meanwhile (hard link)")
        raise LogChanged("another file has taken its place meanwhile")
    if status.st_size < size:
        raise LogChanged(f"it has become shorter than the {size:,} bytes that it had")


def error_reason(error: Exception) -> str:
    """Return why something failed, in words."""
    text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return printable(text).rstrip(".")
