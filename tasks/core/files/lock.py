"""Locks: the project's own, which lets one changing run in at a time, and those that others hold on files."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pwd
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..text.formatting import printable

LOCK_FILE = ".maintenance.lock"
"""In the root, while a run changes something; removed at its end."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Why a file cannot be made where everything else may be well: no blocks, no inodes, or none left to this user."""

_FILE = re.compile(rb"[0-9a-f]+:[0-9a-f]+:[0-9]+")
"""How ``/proc/locks`` names a file: the device's major and minor number, and the inode."""

_locked_roots: ContextVar[frozenset[Path]] = ContextVar("locked_roots", default=frozenset())


_TRIES = 100
_PAUSE = 0.05
"""Seconds between two tries to lock a folder: who holds that lock writes a small file."""


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

    Where the disk has no room for a new file, the folder itself is locked in its place (flock(2)): whoever comes to
    free space must not fail for want of it. So that both sorts of holders keep each other out, one that has the file
    shares a lock on the folder; file systems that lock no folders (NFS) do without.

    Args:
        root: the project.
        owner: the task that holds it.
        now: since when.

    Raises:
        Held: another run has it.
        Closed: the root cannot be written.
    """
    if root in _locked_roots.get():
        yield
        return
    path = root / LOCK_FILE
    with ExitStack() as stack:
        try:
            descriptor = _acquire(path)
        except OSError as error:
            if error.errno not in _FULL:
                raise NotWritable(_not_writable(path, error.strerror)) from None
            _lock_folder(root, stack, fcntl.LOCK_EX)
        else:
            stack.callback(_release, descriptor, path)
            _lock_folder(root, stack, fcntl.LOCK_SH)
            _sign(descriptor, path, owner, now)
        stack.callback(_locked_roots.reset, _locked_roots.set(_locked_roots.get() | {root}))
        yield


def _release(descriptor: int, path: Path) -> None:
    with suppress(OSError):
        if _is_current(descriptor, path):
            path.unlink()
    os.close(descriptor)


def _lock_folder(root: Path, stack: ExitStack, kind: int) -> None:
    """Lock the root itself for as long as *held* lasts."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedByOther(
            "Another maintenance run, or a program that has locked the project's folder (flock), is at work here; "
            "nothing was changed. Run it again when that has ended."
        ) from None
    except OSError as error:
        if kind == fcntl.LOCK_EX:
            raise NotWritable(_not_writable(root, error.strerror)) from None


@contextmanager
def folder_lock(descriptor: int) -> Iterator[None]:
    """Hold a lock on an open folder for as long as it takes to read a small file and write it again.

    It needs no file of its own, so that it leaves nothing behind. Where the file system has no locks, it is as if
    nobody else were there.

    Args:
        descriptor: that of the folder.

    Raises:
        Held: somebody else has had it for seconds.
    """
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        except OSError:
            break
        else:
            break
    else:
        raise LockedByOther("Another process has been writing there for seconds. End it if it hangs.")
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def require_writable(root: Path) -> None:
    """Refuse a root in which a run could not take the lock: a dry run must not promise what a run cannot do.

    Raises:
        Closed: the root cannot be written.
    """
    if not os.access(root, os.W_OK | os.X_OK):
        raise NotWritable(_not_writable(root, os.strerror(errno.EACCES)))


def _not_writable(path: Path, reason: str | None) -> str:
    return (
        f"{printable(path)} cannot be written by {_user()}: {reason}. Nothing was changed. "
        "Run it as the project's owner, on a file system that can be written."
    )


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_current(descriptor, path):
                return descriptor
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise LockedByOther(
                f"{holder} is changing this project; nothing was changed. Run it again when that has ended."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    """Tell whether the locked file still has its name: its last holder may have removed it meanwhile."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _sign(descriptor: int, path: Path, owner: str, now: datetime) -> None:
    project = path.parent.stat()
    text = {"task": owner, "process": os.getpid(), "host": socket.gethostname(), "since": now.isoformat("T", "seconds")}
    with suppress(OSError):
        if os.geteuid() == 0:  # left behind by a kill, the project's owner must still be able to take it
            os.fchown(descriptor, project.st_uid, project.st_gid)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(text).encode(), 0)


def _user() -> str:
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"user {os.geteuid()}"


def _holder(descriptor: int) -> str:
    try:
        holder: Any = json.loads(os.pread(descriptor, 4096, 0))
        return printable(f"{holder['task']} (process {holder['process']} on {holder['host']}, since {holder['since']})")
    except (OSError, ValueError, KeyError, TypeError):
        return "Another maintenance run"


def held_by_others(table: Path = Path("/proc/locks")) -> Callable[[int, str, int], bool]:
    """Return a test that tells whether somebody holds a lock on a file now.

    Linux lists all locks of all processes that we can see in ``/proc/locks``, which costs one read for any
    number of files. Elsewhere each file is asked for with a lock of our own, which sees ``flock`` only.
    The answer is as old as this call: ask again for each batch.

    Returns:
        A function of a folder's descriptor, a file's name in it and its inode.
    """
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return _refuses_lock
    # "1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF"; a waiting one has "->" in front. The device is left
    # out: on some file systems it is not the one that stat reports.
    inodes = {int(field.rpartition(b":")[2]) for line in lines for field in line.split() if _FILE.fullmatch(field)}
    return lambda _folder, _name, inode: inode in inodes


def _refuses_lock(folder: int, name: str, _inode: int) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    else:
        return False
    finally:
        os.close(descriptor)
