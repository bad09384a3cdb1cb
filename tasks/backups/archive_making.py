"""Making one archive: written under another name, read back from the disk, and only then named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import IO, NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.safe_files import TEMPORARY
from .archive_format import PackedFile, go_on
from .archive_reading import read_archive
from .archive_writing import Written, write_archive
from .manifest import Manifest, archive_name, encode, manifest_name
from .source_selection import Selected


class MadeBackup(NamedTuple):
    """A backup that was made: the archive's name, the manifest beside it, and what was left out of it."""

    name: str
    manifest: Manifest
    written: Written


class NothingRead(Exception):
    """There are files to back up and none of them could be read, so that no archive was made."""

    def __init__(self, written: Written) -> None:
        super().__init__(written.unread)
        self.written = written


def make_backup(
    root: Path,
    directory: str,
    selected: Selected,
    sources: Sequence[str],
    now: datetime,
    stop: Event,
    advance: Callable[[int], None],
    *,
    before_restore: bool = False,
) -> MadeBackup:
    """Write an archive under another name, read it back, and name it; a kill leaves no archive that is not whole.

    Raises:
        Stopped: that was asked for.
        Damaged: it was not read back as it was written.
        NothingRead: no file could be read.
        Refused, OSError: it could not be written.
    """
    with safe_files.folder(root, directory, create=True) as folder:
        with suppress(FileNotFoundError):
            os.unlink(TEMPORARY, dir_fd=folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(TEMPORARY, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "r+b") as file:
                output = PackedFile(file, lambda: os.fsync(descriptor))
                written = write_archive(root, selected.entries, sources, output, stop, advance)
                if not any(entry.is_file for entry in written.manifest.entries):
                    raise NothingRead(written)  # noqa: TRY301 - undone as any other error
                file.flush()
                os.fsync(descriptor)
                manifest = msgspec.structs.replace(
                    written.manifest,
                    created=now.isoformat(),
                    archive_bytes=file.tell(),
                    archive_sha256=_read_back(file, written.manifest, stop, advance),
                    before_restore=before_restore,
                )
                owner = os.fstat(folder)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            with os.scandir(folder) as entries:
                name = free_name({each.name for each in entries}, now)
            os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=folder)
            raise
    safe_files.write(root, f"{directory}/{manifest_name(name)}", encode(manifest), private=True)
    return MadeBackup(name, manifest, written)


def _read_back(file: IO[bytes], manifest: Manifest, stop: Event, advance: Callable[[int], None]) -> str:
    """Compare what is on the disk with the manifest inside, and return its SHA-256."""
    if hasattr(os, "posix_fadvise"):  # what is read back is to come from the disk
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    file.seek(0)
    digest = hashlib.sha256()
    for _ in read_archive(file, manifest, stop, digest):
        go_on(stop)
        advance(1)
    return digest.hexdigest()


def free_name(existing: Collection[str], now: datetime) -> str:
    """Return a name that neither an archive nor a manifest has."""
    number = 1
    while {archive_name(now, number), manifest_name(archive_name(now, number))} & {*existing}:
        number += 1
    return archive_name(now, number)
