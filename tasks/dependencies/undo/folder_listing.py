"""What lies in a folder: the entries of an environment, read and compared by descriptor so that no link leads out."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from ...core.files import safe_files
from ...core.files.state_files import Size

_Mode = Annotated[int, Meta(ge=0, le=0o177777)]
_Time = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Target = Annotated[str, Meta(pattern=r"\A[^\x00]*\Z", max_length=4096)]
_Owner = Annotated[int, Meta(ge=0, le=(1 << 32) - 2)]

OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderEntry(msgspec.Struct, frozen=True, array_like=True):
    """One entry.

    Attributes:
        mode: its type and permissions, as ``st_mode`` has them.
        size: in bytes; 0 for what is no file.
        mtime_ns: when it was last written; 0 for a link, whose time nothing restores.
        target: where a link leads.
        owner: the numbers of its user and group.
    """

    mode: _Mode
    size: Size = 0
    mtime_ns: _Time = 0
    target: _Target = ""
    owner: tuple[_Owner, _Owner] = (0, 0)

    @property
    def is_folder(self) -> bool:
        """True for a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        """True for a regular file."""
        return stat.S_ISREG(self.mode)


FolderListing: TypeAlias = Mapping[str, FolderEntry]
"""Entries by their path below the folder, ``.`` for itself; a folder comes before what lies in it."""


def list_folder(folder: Path | int) -> dict[str, FolderEntry]:
    """Return what lies in a folder and below it; links are not followed.

    Args:
        folder: its path, or its descriptor.

    Raises:
        Refused, OSError: something in it cannot be read.
    """
    with safe_files.folder(folder, ".") as top:
        found = {".": _entry(os.fstat(top), "")}
        pending = [""]
        while pending:
            below = pending.pop()
            with safe_files.folder(top, below or ".") as descriptor:
                for name in sorted(os.listdir(descriptor)):  # noqa: PTH208 - by descriptor
                    entry = _entry_in(descriptor, name)
                    found[f"{below}{name}"] = entry
                    if entry.is_folder:
                        pending.append(f"{below}{name}/")
    return found


def entry_at(root: Path | int, path: str) -> FolderEntry | None:
    """Return one entry below a folder; ``None`` where there is none.

    Raises:
        Refused, OSError: it cannot be looked at.
    """
    place = PurePosixPath(path)
    try:
        with safe_files.folder(root, str(place.parent)) as descriptor:
            return _entry_in(descriptor, place.name)
    except FileNotFoundError:
        return None


def _entry_in(folder: int, name: str) -> FolderEntry:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return _entry(status, os.readlink(name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else "")


def _entry(status: os.stat_result, target: str) -> FolderEntry:
    owner = (status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return FolderEntry(status.st_mode, target=target, owner=owner)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return FolderEntry(status.st_mode, size, status.st_mtime_ns, owner=owner)


def digest(root: Path | int, path: str) -> str | None:
    """Return the SHA-256 of a file below a folder; ``None`` where it cannot be read."""
    place = PurePosixPath(path)
    try:
        with safe_files.folder(root, str(place.parent)) as folder:
            descriptor = os.open(place.name, OPEN, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (safe_files.Refused, OSError):
        return None
