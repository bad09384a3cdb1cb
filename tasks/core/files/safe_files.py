"""Changing files so that nothing outside the project changes and nothing is ever half done.

Every path is walked from the root one name at a time, relative to a directory descriptor and without
following a symbolic link, so no link planted on the way can lead a change elsewhere. Whoever changes
something holds the lock of :mod:`.lock`; a dry run calls nothing in here that writes.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import UserError
from ..text.formatting import printable

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

ASIDE = ".broken-"
"""Between the name of a file that could not be used and the number that it is kept aside under."""

TEMPORARY = ".maintenance-tmp"
"""The name under which a file is written before it takes the place of the old one: one name per folder, so that
the next write there replaces what a killed run left behind."""


class Refused(UserError):
    """A path that the suite does not touch; the message says which and why."""


class Identity(NamedTuple):
    """What tells that a file is still the one that was planned for: a rewrite changes one of these."""

    device: int
    inode: int
    mtime_ns: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return the identity that *status* shows."""
        return cls(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


@contextmanager
def folder(root: Path | int, relative: str, *, create: bool = False) -> Iterator[int]:
    """Open the folder *relative* below *root* and give its descriptor.

    Args:
        root: the project, which may itself be reached through links; or the descriptor of an open folder.
        relative: a path below the root, ``.`` for the root itself.
        create: make what is missing; as root, with the owner of the folder above, so that the project can
            still write there.

    Raises:
        Refused: the path leads out of the root, or a part of it is a symbolic link, is no folder or lies on
            another file system.
        FileNotFoundError: a part is missing and *create* is off.
        OSError: anything else that the system says, permission denied for one.
    """
    parts = PurePosixPath(relative).parts
    if parts[:1] == ("/",) or ".." in parts:
        raise Refused(f"{printable(relative)} leads out of the project. Name a path below its root.")
    if isinstance(root, int):
        descriptor = os.open(".", _OPEN_FOLDER, dir_fd=root)
    else:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        device = os.fstat(descriptor).st_dev
        walked = PurePosixPath()
        for part in parts:
            walked /= part
            if create:
                _make_folder(descriptor, part)
            below = _open_below(descriptor, part, walked)
            os.close(descriptor)
            descriptor = below
            if os.fstat(descriptor).st_dev != device:
                raise Refused(
                    f"{printable(walked)} is on another file system than the root; mounts are not crossed. "
                    "Clean it from a project root on that file system."
                )
        yield descriptor
    finally:
        os.close(descriptor)


def _open_below(parent: int, name: str, walked: PurePosixPath) -> int:
    try:
        return os.open(name, _OPEN_FOLDER, dir_fd=parent)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            error.filename = printable(walked)
            raise
    if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        raise Refused(
            f"{printable(walked)} is a symbolic link, which is not followed. "
            "Put a folder in its place; a bind mount leads to another disk."
        )
    raise Refused(f"{printable(walked)} is not a folder. Move it away or correct the setting that names it.")


def _make_folder(parent: int, name: str) -> None:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return
    if os.geteuid() != 0:
        return
    descriptor = os.open(name, _OPEN_FOLDER, dir_fd=parent)
    try:
        if not os.listdir(descriptor):  # noqa: PTH208 - another folder may have taken its place meanwhile
            _give_to_owner_of(parent, descriptor)
    finally:
        os.close(descriptor)


def _give_to_owner_of(parent: int, descriptor: int) -> None:
    """Give a new entry to the owner of its folder where we run as root, as cron jobs often do.

    It is given by its descriptor: under its name there may be something else by now.
    """
    if os.geteuid() == 0:
        owner = os.fstat(parent)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def refuse_precious(root: Path, descriptor: int, relative: str) -> None:
    """Refuse a folder in which nothing may ever be deleted.

    Raises:
        Refused: it is the root of the project, of the file system or a home, or a Git repository.
    """
    here = os.fstat(descriptor)
    for what, path in (
        ("the root of the project", root),
        ("the root of the file system", Path("/")),
        ("a home", Path("~")),
    ):
        with suppress(OSError, RuntimeError):  # a user without a home
            if os.path.samestat(here, path.expanduser().stat()):
                raise Refused(f"{printable(relative)} is {what}; nothing is deleted there. Name a folder below it.")
    if is_repository(descriptor):
        raise Refused(f"{printable(relative)} contains a .git or is a bare repository; nothing is deleted there.")


def is_repository(descriptor: int) -> bool:
    """Tell whether the open folder is the top of a Git work tree, or a bare repository."""
    return _holds(descriptor, ".git") or all(_holds(descriptor, name) for name in ("HEAD", "objects", "refs"))


def _holds(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def regular_file(root: Path, relative: str) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file below *root* for reading, and give its descriptor and its status.

    Args:
        root: the project.
        relative: the file's path below it.

    Raises:
        Refused: it is a link or no regular file.
        OSError: it is missing or cannot be read.
    """
    path = PurePosixPath(relative)
    with folder(root, str(path.parent)) as parent:
        try:
            descriptor = os.open(path.name, _OPEN_FILE, dir_fd=parent)
        except OSError:
            if _is_link(parent, path.name):
                raise Refused(f"{printable(relative)} is a symbolic link, which is not followed.") from None
            raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{printable(relative)} is not a regular file.")
        yield descriptor, status
    finally:
        os.close(descriptor)


def is_only_name(parent: int, name: str, descriptor: int) -> bool:
    """Tell whether a name is that of an open file, and the file has no other name anywhere.

    Both are read in one call. Of two, the file could be outside in the first and back under its name in the second.
    """
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        return os.path.samestat(status, os.fstat(descriptor)) and status.st_nlink == 1
    return False


def _is_link(parent: int, name: str) -> bool:
    """Tell whether a name is a link: some systems have another error for one than ``ELOOP``."""
    with suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    return False


def read(root: Path, relative: str, *, limit: int) -> bytes:
    """Return the content of a regular file below *root*.

    Args:
        root: the project.
        relative: the file's path below it.
        limit: the most bytes to read.

    Raises:
        Refused: it is a link, no regular file, or larger than *limit*.
        OSError: it is missing or cannot be read.
    """
    with regular_file(root, relative) as (descriptor, status):
        if status.st_size > limit:
            raise Refused(f"{printable(relative)} has {status.st_size:,} bytes, more than the {limit:,} expected.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)


def write(root: Path, relative: str, content: bytes, *, keep_old: bool = False, private: bool = False) -> str | None:
    """Write a file below *root* so that at any moment there is the old one or the new one, whole.

    A temporary file beside it is written, synced and renamed over it. Missing parents are made; mode and
    owner of the file stay. Two writes to one folder at the same time are the caller's to prevent, by the lock.

    Args:
        root: the project.
        relative: the file's path below it.
        content: what it is to hold.
        keep_old: rename the old file, once the new one is complete, to the first free ``NAME.broken-N``.
        private: it can be read by its owner only, also where others could read the old one.

    Returns:
        The path below the root under which the old file was kept; ``None`` where it was replaced.

    Raises:
        Refused: the target is there and is no regular file, or its folder is refused.
        OSError: it cannot be written; the old file is as it was and no temporary file is left.
    """
    path = PurePosixPath(relative)
    with folder(root, str(path.parent), create=True) as parent:
        before = _existing(parent, path)
        aside = None
        with suppress(FileNotFoundError):
            os.unlink(TEMPORARY, dir_fd=parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # the third of them follows no link either
        descriptor = os.open(TEMPORARY, flags, 0o600 if private else 0o664, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                _set_owner(parent, file.fileno(), before)
                if before is not None and not private:
                    os.fchmod(file.fileno(), before.st_mode & 0o777)
                os.fsync(file.fileno())
            if keep_old and before is not None:
                aside = _second_name(parent, path.name, before)
            os.rename(TEMPORARY, path.name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            if aside is not None:
                with suppress(OSError):
                    os.unlink(aside, dir_fd=parent)
            with suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=parent)
            raise
        os.fsync(parent)
    return None if aside is None else str(path.with_name(aside))


def remove_temporary(root: Path, relative: str) -> None:
    """Remove what a killed write left in a folder, where a run has nothing to write that would replace it.

    The caller holds the project's lock, so that no write is under way. What cannot be removed stays.

    Args:
        root: the project.
        relative: the folder's path below it.
    """
    with suppress(Refused, OSError), folder(root, relative) as parent:
        os.unlink(TEMPORARY, dir_fd=parent)


def _second_name(parent: int, name: str, status: os.stat_result) -> str:
    """Give a file the first free ``NAME.broken-N`` as well, and return that; a killed run may have done so."""
    for number in itertools.count(1):
        aside = f"{name}{ASIDE}{number}"
        try:
            os.link(name, aside, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except FileExistsError:
            if os.path.samestat(os.stat(aside, dir_fd=parent, follow_symlinks=False), status):
                break
        else:
            break
    return aside


def _existing(parent: int, path: PurePosixPath) -> os.stat_result | None:
    try:
        status = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{printable(path)} is not a regular file and is not replaced. Move it away.")
    return status


def _set_owner(parent: int, descriptor: int, before: os.stat_result | None) -> None:
    if before is None:
        _give_to_owner_of(parent, descriptor)
    elif os.geteuid() == 0:
        os.fchown(descriptor, before.st_uid, before.st_gid)


def move(source: tuple[int, str], target: tuple[int, str]) -> bool:
    """Move a file to another folder of the same file system, never over another file.

    A second name is made first and the first one removed then: a kill between leaves both, and the next
    call sees that they are one file and removes the first.

    Args:
        source: the descriptor of its folder and its name.
        target: the descriptor of the new folder and the name there.

    Returns:
        False where the name is taken by another file: then nothing has changed.

    Raises:
        OSError: the file has gone, or one of the folders cannot be written.
    """
    from_folder, from_name = source
    to_folder, to_name = target
    try:
        os.link(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    except FileExistsError:
        ours = os.stat(from_name, dir_fd=from_folder, follow_symlinks=False)
        theirs = os.stat(to_name, dir_fd=to_folder, follow_symlinks=False)
        if not os.path.samestat(ours, theirs):
            return False
        if ours.st_nlink == 1:  # one name in two spellings, or the very same: removing it would lose the file
            return True
    os.unlink(from_name, dir_fd=from_folder)
    return True
