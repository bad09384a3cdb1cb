"""The processes that have a log open for writing.

The kernel says without a race whether there is any: it grants a read lease (fcntl(2), ``F_SETLEASE``) only on a file
that nobody has open for writing. Which process it is, and whether in append mode, is in ``/proc``; without
``/proc``, psutil knows who has the file open at all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .strategy import LogWriter, LogWriters

_FRESH = 0.2
"""Seconds for which a look at all processes is good enough to say who a known writer is."""

_SET_LEASE: int | None = getattr(fcntl, "F_SETLEASE", None)
_SET_SIGNAL: int | None = getattr(fcntl, "F_SETSIG", None)

_FileId = tuple[int, int]


@dataclass(slots=True)
class OpenFiles:
    """Which processes had which files of one file system open for writing.

    Attributes:
        writers: per device and inode.
        hidden: the users whose processes could not be looked into.
    """

    writers: dict[_FileId, set[LogWriter]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)


def may_write(hidden: Iterable[int], status: os.stat_result) -> bool:
    """Tell whether a process of one of the users *hidden* is likely to have the file open for writing.

    The system's own processes do not write to a project's logs, unless root owns the log.
    """
    others = stat.S_IMODE(status.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
    return any(user == status.st_uid or (others and user != 0) for user in hidden)


def lease_granted(log: int) -> bool | None:
    """Ask the kernel whether nobody has a file open for writing.

    Args:
        log: the file, open for reading only; nothing else in this process may have it open for writing.

    Returns:
        True where nobody has, False where somebody has, ``None`` where the kernel does not tell: no such
        system, a file of another user, a file system without leases.
    """
    if _SET_LEASE is None or _SET_SIGNAL is None:
        return None
    try:
        # Who opens the file while the lease is held waits for our answer; the signal that asks for it would
        # end the process, were it not one that is ignored.
        fcntl.fcntl(log, _SET_SIGNAL, signal.SIGURG)
        fcntl.fcntl(log, _SET_LEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    fcntl.fcntl(log, _SET_LEASE, fcntl.F_UNLCK)
    return True


class WriterWatch:
    """Finds the writers of logs; looks at all processes only where it must, and then for all logs at once.

    Args:
        device: the file system that holds the logs.
        look: takes a snapshot of that file system.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        device: int,
        look: Callable[[int], OpenFiles] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._look = look or open_files
        self._clock = clock
        self._snapshot: OpenFiles | None = None
        self._looked_at = 0.0

    def writers(self, log: int, *, afresh: bool = False) -> LogWriters:
        """Return who has a file open for writing, this process apart.

        Args:
            log: the file, open for reading only.
            afresh: do not go by what was seen before, where that would matter.
        """
        lease = lease_granted(log)
        if lease:
            return LogWriters()
        status = os.fstat(log)
        known = self._known(status, old=not afresh)
        if not known and lease is False:
            known = self._known(status, old=False)
            if not known:  # it may have closed the file meanwhile
                return LogWriters(unseen=not lease_granted(log))
        if known or lease is False:
            hidden = self._snapshot.hidden if self._snapshot else set()
            return LogWriters(known, unseen=status.st_uid in hidden)
        return LogWriters(unseen=self._snapshot is not None and may_write(self._snapshot.hidden, status))

    def _known(self, status: os.stat_result, *, old: bool) -> tuple[LogWriter, ...]:
        if self._snapshot is None or not old:
            self._snapshot, self._looked_at = self._look(self._device), self._clock()
        known = self._snapshot.writers.get((status.st_dev, status.st_ino), ())
        return tuple(
            entry._replace(mapped=maps_writable(entry.pid, status))
            for entry in sorted(known, key=lambda writer: writer.pid)
        )

    def again(self, log: int) -> LogWriters:
        """Return who writes to a file of known writers, by a look not older than a moment.

        Args:
            log: the file, open in any mode.
        """
        return LogWriters(self._known(os.fstat(log), old=self._clock() - self._looked_at < _FRESH))


def open_files(device: int, processes: Path = Path("/proc")) -> OpenFiles:
    """Look at every process for files on *device* that are open for writing."""
    if (processes / "self" / "fd").is_dir():
        return _from_proc(device, processes)
    return _from_psutil(device)


def maps_writable(pid: int, status: os.stat_result, processes: Path = Path("/proc")) -> bool:
    """Tell whether a process has a file mapped into memory so that it can write to it there (proc_pid_maps(5))."""
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    with suppress(OSError):
        for line in (processes / str(pid) / "maps").read_bytes().splitlines():
            _, mode, _, where, inode, *_ = line.split()
            if mode[1:2] == b"w" and mode[3:4] == b"s" and (where.decode(), int(inode)) == (device, status.st_ino):
                return True
    return False


def _from_proc(device: int, processes: Path) -> OpenFiles:
    seen = OpenFiles()
    own = os.getpid()
    for name in os.listdir(processes):  # noqa: PTH208 - thousands of them
        if not name.isdigit() or int(name) == own:
            continue
        process = f"{processes}/{name}"
        try:
            descriptors = os.listdir(f"{process}/fd")  # noqa: PTH208
        except PermissionError:
            with suppress(OSError):
                seen.hidden.add(os.stat(process).st_uid)  # noqa: PTH116
            continue
        except OSError:  # it has ended
            continue
        for descriptor in descriptors:
            with suppress(OSError, ValueError, StopIteration):
                _look_into(process, int(name), descriptor, device, seen)
    return seen


def _look_into(process: str, pid: int, descriptor: str, device: int, seen: OpenFiles) -> None:
    status = os.stat(f"{process}/fd/{descriptor}")  # noqa: PTH116
    if status.st_dev != device or not stat.S_ISREG(status.st_mode):
        return
    text = Path(f"{process}/fdinfo/{descriptor}").read_text(encoding="ascii", errors="replace")
    flags = int(next(line for line in text.splitlines() if line.startswith("flags:")).split()[1], 8)
    if flags & os.O_ACCMODE != os.O_RDONLY:
        program = Path(f"{process}/comm").read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n")
        writer = LogWriter(pid, program, bool(flags & os.O_APPEND))
        seen.writers.setdefault((status.st_dev, status.st_ino), set()).add(writer)


def _from_psutil(device: int) -> OpenFiles:
    import psutil

    seen = OpenFiles()
    own = os.getpid()
    for process in psutil.process_iter():
        if process.pid == own:
            continue
        try:
            opened = process.open_files()
        except psutil.AccessDenied:
            with suppress(psutil.Error):
                seen.hidden.add(process.uids().effective)
            continue
        except psutil.Error:  # it has ended
            continue
        for entry in opened:
            mode = getattr(entry, "mode", None)  # only Linux tells
            if mode == "r":
                continue
            with suppress(OSError, psutil.Error):
                status = os.stat(entry.path)  # noqa: PTH116
                if status.st_dev == device:
                    append = None if mode is None else mode.startswith("a")
                    writer = LogWriter(process.pid, process.name(), append)
                    seen.writers.setdefault((status.st_dev, status.st_ino), set()).add(writer)
    return seen
