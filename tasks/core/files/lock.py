"""The project's lock, which lets one changing run in at a time, and the short one for a small file."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pwd
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..text.formatting import printable
from . import file_locks, lock_files

LOCK_FILE = ".maintenance.lock"
"""In the root, while a run changes something; removed at its end."""

SHORT_LOCK_FILE = ".maintenance-write.lock"
"""In a folder, while one small file in it is read and written again; removed at once."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Why a file cannot be made where everything else may be well: no blocks, no inodes, or none left to this user."""

_locked_roots: ContextVar[frozenset[Path]] = ContextVar("locked_roots", default=frozenset())

_TRIES = 100
_PAUSE = 0.05
"""Seconds between two tries to take a short lock: who holds it writes a small file."""


class NotAcquired(UserError):
    """The project's lock could not be had, so nothing was changed."""


class LockedByOther(NotAcquired):
    """Another run is changing the project; the message says which."""


class NotWritable(NotAcquired):
    """The lock file cannot be made or opened; the message says why."""


@contextmanager
def project_lock(root: Path, owner: str, now: datetime) -> Iterator[None]:
    """Hold the project's lock; within the same call chain, take part in it.

    The kernel releases the lock when its process ends, however it ends, so a file left by a killed run
    locks nobody out. What the file says about the holder is for people only and may be missing on a full disk.
    :mod:`.lock_files` says who can hold it: nobody who can only read the root.

    Where the disk has no room for a new file, the folder itself is locked in its place (flock(2)): whoever comes to
    free space must not fail for want of it. So that both sorts of holders keep each other out, one that has the file
    shares a lock on the folder. Whoever can read the folder can lock it as well: a process of a user who could not
    change the project is passed over, and of any other the number is reported. File systems that lock no folders
    (NFS) do without.

    Args:
        root: the project.
        owner: the task that holds it.
        now: since when.

    Raises:
        LockedByOther: another run has it.
        NotWritable: the root cannot be written, or its file system has no locks.
    """
    if root in _locked_roots.get():
        yield
        return
    with ExitStack() as stack:
        try:
            folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotWritable(_not_writable(root, error.strerror)) from None
        stack.callback(os.close, folder)
        try:
            descriptor = lock_files.take(folder, LOCK_FILE)
        except OSError as error:
            if error.errno not in _FULL:
                raise NotWritable(_no_lock(root, error)) from None
            _lock_folder(root, folder)
        except lock_files.Held as held:
            raise LockedByOther(
                f"{_holder(held)} is changing this project; nothing was changed. Run it again when that has ended."
            ) from None
        except lock_files.NoLockFile as error:
            raise NotWritable(
                f"{printable(root / LOCK_FILE)} {error}, so it is no lock file. Nothing was changed. "
                "Look at what made it, then move it away."
            ) from None
        else:
            stack.callback(lock_files.release, folder, LOCK_FILE, descriptor)
            _share_folder(root, folder)
            _sign(descriptor, owner, now)
        stack.callback(_locked_roots.reset, _locked_roots.set(_locked_roots.get() | {root}))
        yield


def _lock_folder(root: Path, folder: int) -> None:
    """Lock the open root in the place of a file in it, for as long as it is open.

    Raises:
        LockedByOther: somebody else has locked it.
        NotWritable: it cannot be locked.
    """
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedByOther(_folder_is_locked(root, file_locks.holders(os.fstat(folder).st_ino))) from None
    except OSError as error:
        raise NotWritable(_no_lock(root, error)) from None


def _share_folder(root: Path, folder: int) -> None:
    """Share a lock on the open root, so that a run which found no room for a file is kept out, or keeps this one out.

    Raises:
        LockedByOther: somebody else has locked it who could be such a run.
    """
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        found = file_locks.holders(os.fstat(folder).st_ino)
        if not found or any(_could_change(os.fstat(folder), process) for process in found):
            raise LockedByOther(_folder_is_locked(root, found)) from None
    except OSError:
        return


def _could_change(root: os.stat_result, process: int) -> bool:
    """Tell whether a process could be a run that changes the project, by its user; one that is unknown could."""
    if root.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return True
    return file_locks.user_of(process) in {None, 0, os.geteuid(), root.st_uid}


def _folder_is_locked(root: Path, found: list[int]) -> str:
    if found:
        return (
            f"Another maintenance run, or a program that has locked the project's folder (flock), is at work here: "
            f"{file_locks.described(found)}; nothing was changed. Run it again when that has ended."
        )
    return (
        "Another maintenance run, or a program that has locked the project's folder (flock), is at work here; "
        f"nothing was changed. Run it again when that has ended. Run `lsof {printable(root)}` to see which it is."
    )


@contextmanager
def short_lock(folder: int) -> Iterator[None]:
    """Hold a lock in an open folder for as long as it takes to read a small file and write it again.

    Where no lock file can be made, it is as if nobody else were there.

    Args:
        folder: its descriptor.

    Raises:
        LockedByOther: somebody else has had it for seconds.
    """
    descriptor = None
    for _ in range(_TRIES):
        try:
            descriptor = lock_files.take(folder, SHORT_LOCK_FILE)
        except lock_files.Held:
            time.sleep(_PAUSE)
        except (lock_files.NoLockFile, OSError):
            break
        else:
            break
    else:
        raise LockedByOther("Another process has been writing there for seconds. End it if it hangs.")
    try:
        yield
    finally:
        if descriptor is not None:
            lock_files.release(folder, SHORT_LOCK_FILE, descriptor)


def require_writable(root: Path) -> None:
    """Refuse a root in which a run could not take the lock: a dry run must not promise what a run cannot do.

    Raises:
        NotWritable: the root cannot be written.
    """
    if not os.access(root, os.W_OK | os.X_OK):
        raise NotWritable(_not_writable(root, os.strerror(errno.EACCES)))


def _no_lock(root: Path, error: OSError) -> str:
    if error.errno in lock_files.NO_LOCKS:
        return (
            f"The file system of {printable(root)} has no locks (flock: {error.strerror}), so nothing keeps two runs "
            "apart. Nothing was changed. Mount it with locks, or move the project to a file system that has them."
        )
    return _not_writable(root / LOCK_FILE, error.strerror)


def _not_writable(path: Path, reason: str | None) -> str:
    return (
        f"{printable(path)} cannot be written by {_user()}: {reason}. Nothing was changed. "
        "Run it as the project's owner, on a file system that can be written."
    )


def _sign(descriptor: int, owner: str, now: datetime) -> None:
    text = {"task": owner, "process": os.getpid(), "host": socket.gethostname(), "since": now.isoformat("T", "seconds")}
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(text).encode(), 0)


def _user() -> str:
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"user {os.geteuid()}"


def _holder(held: lock_files.Held) -> str:
    """Return who holds the lock, by the system's table where that knows better than the file."""
    processes = file_locks.holders(held.inode)
    try:
        signature: Any = json.loads(held.text)
        is_elsewhere = signature["host"] != socket.gethostname()
        is_true = not processes or is_elsewhere or signature["process"] in processes
        text = (
            f"{signature['task']} (process {signature['process']} on {signature['host']}, since {signature['since']})"
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        is_true, text = False, ""
    if is_true:
        return printable(text)
    if processes:
        return f"Another maintenance run, or a program that has locked {LOCK_FILE} ({file_locks.described(processes)}),"
    return "Another maintenance run"
