"""Lock files: files of the suite's own that one process at a time holds (flock), and nobody else can open.

Whoever can open a file can hold a lock on it, even who can only read it. So a lock file can be opened by those alone
who could write its folder: its owner, and others only where the folder is open to them as well. One that is wider,
such as earlier versions made, or that has a second name or another owner, is removed and made anew once nobody holds
it. Nothing is ever written through it before that is known.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress

from .ownership import distrust

_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
"""How a file system says that it has no locks (flock(2))."""


class NoLockFile(Exception):
    """What has the name of a lock file is none and is left alone; the message is the end of a clause."""


class Held(Exception):
    """Another process holds the lock.

    Attributes:
        inode: that of the lock file.
        text: what it says about the holder, for people only.
    """

    def __init__(self, inode: int, text: bytes) -> None:
        super().__init__(inode)
        self.inode = inode
        self.text = text


def take(folder: int, name: str) -> int:
    """Return the descriptor of a lock file that this process holds from now on; it is made where it is missing.

    Args:
        folder: the descriptor of its folder.
        name: its name there.

    Raises:
        Held: another process holds it.
        NoLockFile: something else has its name.
        OSError: it cannot be made, opened or locked.
    """
    while True:
        descriptor, is_new = _opened(folder, name)
        if descriptor is None:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            named = _status(folder, name)
            if named is not None and os.path.samestat(named, os.fstat(descriptor)):
                if is_new or _is_ours(named, os.fstat(folder)):
                    return descriptor
                os.unlink(name, dir_fd=folder)
        except BlockingIOError:
            held = Held(os.fstat(descriptor).st_ino, _text(descriptor))
            os.close(descriptor)
            raise held from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def release(folder: int, name: str, descriptor: int) -> None:
    """Give a lock file up that this process holds: its name goes first, unless another file has it."""
    with suppress(OSError):
        named = _status(folder, name)
        if named is not None and os.path.samestat(named, os.fstat(descriptor)):
            os.unlink(name, dir_fd=folder)
    os.close(descriptor)


def _opened(folder: int, name: str) -> tuple[int | None, bool]:
    """Return the descriptor of the lock file, and whether it was made now; ``None`` where it vanished meanwhile."""
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=folder)
    except FileExistsError:
        return _open_existing(folder, name), False
    with suppress(OSError):
        _open_to_those_who_can_write(folder, descriptor)
    return descriptor, True


def _open_existing(folder: int, name: str) -> int | None:
    status = _status(folder, name)
    if status is None:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise NoLockFile("is a symbolic link" if stat.S_ISLNK(status.st_mode) else "is not a regular file")
    with suppress(FileNotFoundError):
        try:
            return os.open(name, os.O_RDWR | _OPEN, dir_fd=folder)
        except PermissionError:
            return os.open(name, os.O_RDONLY | _OPEN, dir_fd=folder)
    return None


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _open_to_those_who_can_write(folder: int, descriptor: int) -> None:
    """Let those open a new lock file who can write its folder: left by a kill, they must still be able to take it."""
    status = os.fstat(folder)
    if os.geteuid() == 0:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    elif os.fstat(descriptor).st_gid != status.st_gid:
        os.fchown(descriptor, -1, status.st_gid)
    os.fchmod(descriptor, _widest(status))


def _widest(folder: os.stat_result) -> int:
    """Return the mode of a lock file: what its folder lets others write, they can read and write in it."""
    return 0o600 | sum(right << 1 | right for right in (stat.S_IWGRP, stat.S_IWOTH) if folder.st_mode & right)


def _is_ours(status: os.stat_result, folder: os.stat_result) -> bool:
    """Tell whether a lock file can be opened by those alone who can write its folder, and has one name."""
    others = stat.S_IMODE(status.st_mode) & ~_widest(folder)
    # That everybody can write it where everybody can write the folder is no fault of the file's.
    narrow = os.stat_result((status.st_mode & ~stat.S_IWOTH, *status[1:]))
    return not others and distrust(narrow, folder) is None


def _text(descriptor: int) -> bytes:
    with suppress(OSError):
        return os.pread(descriptor, 4096, 0)
    return b""
