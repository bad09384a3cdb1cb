"""The folder that a backup is restored into: what is made there, and that all of it can be removed again."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from ..core.files import safe_files
from .archive_format import BLOCK
from .archive_reading import Member
from .attributes import give
from .manifest import Manifest, ManifestEntry

_SYNC_EVERY = 64 << 20
"""Bytes after which the disk is waited for, so that the wait at the end, which nothing interrupts, is short."""

_HOLE = 4096
"""Bytes of a block: a file system has holes of whole blocks only."""


class Target:
    """The folder that is restored into, and what was made in it.

    Args:
        root: the project.
        into: the folder, below it.
        manifest: that of the backup.
        continues: True where folders may be there that a killed run has left, because they hold what is somebody's.

    Attributes:
        lost: by path, what could not be given to a restored file or folder: its owner, an attribute.
    """

    def __init__(self, root: Path, into: str, manifest: Manifest, *, continues: bool = False) -> None:
        self._root, self._into, self._manifest = root, into, manifest
        self._continues = continues
        self._made: list[ManifestEntry] = []
        self.lost: dict[str, list[str]] = {}

    def add(self, member: Member) -> None:
        """Make a folder, a file with its content, or a further name of a file.

        Raises:
            Refused, OSError: it cannot be made.
            Damaged, Stopped: the content cannot be read.
        """
        entry = member.entry
        path = PurePosixPath(entry.name)
        with safe_files.folder(self._root, f"{self._into}/{path.parent}", create=True) as parent:
            if not entry.is_file:
                with suppress(FileExistsError) if self._continues else nullcontext():
                    os.mkdir(path.name, 0o700, dir_fd=parent)
                self._made.append(entry)
            elif member.content is None:
                self._add_name(parent, path.name, entry)
            else:
                self._add_file(parent, path.name, entry, member.content)

    def _add_file(self, parent: int, name: str, entry: ManifestEntry, content: IO[bytes]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=parent)
        self._made.append(entry)
        with os.fdopen(descriptor, "wb") as file:
            _copy(content, file, entry)
            file.flush()
            self._give(descriptor, entry, parent)
            os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))

    def _add_name(self, parent: int, name: str, entry: ManifestEntry) -> None:
        """Give a restored file a further name; where the file system has no such names, make a copy of it."""
        first = self._manifest.entries[entry.link]
        path = PurePosixPath(first.name)
        with safe_files.folder(self._root, f"{self._into}/{path.parent}") as source:
            try:
                os.link(path.name, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
                self._made.append(entry)
            except FileExistsError:
                raise
            except OSError:
                descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
                with os.fdopen(descriptor, "rb") as content:
                    self._add_file(parent, name, entry, content)
                self.lost.setdefault(entry.name, []).append(f"hard link to {first.path}")

    def _give(self, descriptor: int, entry: ManifestEntry, above: int) -> None:
        if lost := give(descriptor, entry, self._manifest.owner_of(entry), os.fstat(above)):
            self.lost[entry.name] = lost

    def finish(self) -> None:
        """Give the folders what they had, the deepest first, and see that all of it is on the disk."""
        for entry in reversed([each for each in self._made if not each.is_file]):
            above = PurePosixPath(entry.name).parent
            with (
                safe_files.folder(self._root, f"{self._into}/{above}") as parent,
                safe_files.folder(self._root, f"{self._into}/{entry.name}") as folder,
            ):
                self._give(folder, entry, parent)
                os.utime(folder, ns=(entry.mtime_ns, entry.mtime_ns))
        os.sync()

    def remove(self) -> None:
        """Remove what was made, and nothing else; what cannot be removed keeps nothing else from it."""
        for entry in reversed(self._made):
            path = PurePosixPath(entry.name)
            with (
                suppress(OSError, safe_files.Refused),
                safe_files.folder(self._root, f"{self._into}/{path.parent}") as parent,
            ):
                if entry.is_file:
                    os.unlink(path.name, dir_fd=parent)
                else:
                    os.rmdir(path.name, dir_fd=parent)


def _copy(content: IO[bytes], file: IO[bytes], entry: ManifestEntry) -> None:
    unsynced = 0
    while piece := content.read(BLOCK):
        if entry.sparse:
            _write_around_holes(piece, file)
        else:
            file.write(piece)
        unsynced += len(piece)
        if unsynced >= _SYNC_EVERY:
            file.flush()
            os.fsync(file.fileno())
            unsynced = 0
    if entry.sparse:
        file.truncate(entry.size)


def _write_around_holes(piece: bytes, file: IO[bytes]) -> None:
    """Write a piece, and leave out blocks of zeros, which become holes."""
    if piece.count(0) == len(piece):
        file.seek(len(piece), os.SEEK_CUR)
        return
    for place in range(0, len(piece), _HOLE):
        block = piece[place : place + _HOLE]
        if block.count(0) == len(block):
            file.seek(len(block), os.SEEK_CUR)
        else:
            file.write(block)
