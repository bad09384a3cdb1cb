"""What all logs of one run share, and the steps that every way of rotating is made of."""

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
from ..archives import FOLDER, PENDING, Origin, archive_name
from .packing import Changed, Packing
from .writers import Watch

OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Work:
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
    watch: Watch
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

    def origin(self, log: str, status: os.stat_result, end: int, released: int) -> Origin:
        """Return what the header of an archive made by this run says."""
        return Origin(
            log=log,
            device=status.st_dev,
            inode=status.st_ino,
            end=end,
            released=released,
            rotated=self.now.isoformat(),
        )


@contextmanager
def opened(folder: int, name: str, flags: int = OPEN) -> Iterator[int]:
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
def temporary(folder: int) -> Iterator[int]:
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


def exists(folder: int, name: str) -> bool:
    """Tell whether a name is taken, by a dangling link for one."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def is_named(folder: int, name: str, status: os.stat_result) -> bool:
    """Tell whether a name is that of the file with this *status*."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), status)
    return False


class Slot(NamedTuple):
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
        return f"{PENDING}{self.day:%Y%m%d}-{self.serial}-{self.log}"

    @classmethod
    def of_pending(cls, name: str) -> Slot | None:
        """Return the place that a pending log is on its way to; ``None`` where the name is no pending log's."""
        match = _PENDING.fullmatch(name)
        with suppress(ValueError):
            return cls(match["log"], date.fromisoformat(match["day"]), int(match["serial"])) if match else None
        return None

    def fits(self) -> bool:
        """Tell whether file systems take names of that length."""
        return max(len(os.fsencode(self.archive)), len(os.fsencode(self.pending))) <= _LONGEST


_PENDING = re.compile(re.escape(PENDING) + r"(?P<day>\d{8})-(?P<serial>\d{1,9})-(?P<log>.+)", re.DOTALL)
_LONGEST = 255
"""Bytes of a name, on every file system that collapses blocks and on nearly every other one."""


def free_slot(folder: int, log: str, now: datetime) -> Slot:
    """Return the first place for an archive of *log* on this day that is not taken, nor its pending name."""
    slots = (Slot(log, now.date(), serial) for serial in itertools.count(1))
    return next(slot for slot in slots if not exists(folder, slot.archive) and not exists(folder, slot.pending))


def name_for_good(folder: int, name: str) -> None:
    """Give the temporary file its name, never over another file, and wait until that is on the disk.

    Raises:
        OSError: the name is taken, or the folder cannot be written.
    """
    if not safe_files.move((folder, TEMPORARY), (folder, name)):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
    os.fsync(folder)


def dress(descriptor: int, status: os.stat_result, like: int, *, dated: bool = True) -> None:
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
    os.fchmod(descriptor, status.st_mode & 0o7777)
    if hasattr(os, "listxattr"):  # Linux; an access list of macOS is left behind
        with suppress(OSError):  # labels that only the system sets
            for name in os.listxattr(like):
                os.setxattr(descriptor, name, os.getxattr(like, name))
    if dated:
        os.utime(descriptor, ns=(status.st_mtime_ns, status.st_mtime_ns))


def check(folder: int, packing: Packing) -> None:
    """Read the temporary file back through a descriptor of its own, and compare.

    Raises:
        Corrupt, Stopped, OSError: see :meth:`Packing.verify`.
    """
    with opened(folder, TEMPORARY) as again:
        packing.verify(again)


def require_same(work: Work, name: str, log: int, size: int) -> None:
    """Look whether an open log still has its name, no other, and at least *size* bytes.

    Raises:
        Changed: it has not.
    """
    status = os.fstat(log)
    if not is_named(work.logs, name, status):
        raise Changed("another file has taken its place meanwhile")
    if status.st_nlink > 1:
        raise Changed("it has got a second name meanwhile (hard link)")
    if status.st_size < size:
        raise Changed(f"it has become shorter than the {size:,} bytes that it had")
