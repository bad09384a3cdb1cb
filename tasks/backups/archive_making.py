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
from .project_state import is_settled, state_of
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
    is_own: Callable[[str], bool] | None = None,
) -> MadeBackup:
    """Write an archive under another name, read it back, and name it; a kill leaves no archive that is not whole.

    Args:
        root: the project.
        directory: the folder of the backups, below the root.
        selected: what goes into the archive.
        sources: where that comes from, for the manifest.
        now: the moment of the run.
        stop: ends the work where it is set, and nothing of it stays.
        advance: called after each entry that was written or read back.
        is_own: by path, whether a file is the suite's own; left out for the copy of a state before a restore.

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
        began_ns = os.fstat(descriptor).st_ctime_ns
        try:
            with os.fdopen(descriptor, "r+b") as file:
                output = PackedFile(file, lambda: os.fsync(descriptor))
                written = write_archive(
                    root, selected.entries, sources, output, stop, advance, before_restore=is_own is None
                )
                if not any(entry.is_file for entry in written.manifest.entries):
                    raise NothingRead(written)  # noqa: TRY301 - undone as any other error
                file.flush()
                os.fsync(descriptor)
                manifest = msgspec.structs.replace(
                    written.manifest,
                    created=now.isoformat(),
                    archive_bytes=file.tell(),
                    archive_sha256=_read_back(file, written.manifest, stop, advance),
                    state="" if is_own is None else _state(written, is_own, began_ns),
                )
                owner = os.fstat(folder)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            with os.scandir(folder) as entries:
                name = free_name({each.name for each in entries}, now)
            os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=folder)
            raise
        try:
            os.fsync(folder)
            safe_files.write(root, f"{directory}/{manifest_name(name)}", encode(manifest), private=True)
        except BaseException:  # an archive without the manifest beside it would be neither made nor not made
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
            raise
    return MadeBackup(name, manifest, written)


def _state(written: Written, is_own: Callable[[str], bool], began_ns: int) -> str:
    """Return the digest of the state that an archive holds; empty where a change of it might not show."""
    others = [entry for entry in written.read if not is_own(entry.path)]
    is_changed = any(entry.changed and not is_own(entry.name) for entry in written.manifest.entries)
    is_known = not (is_changed or written.gone or written.unread) and is_settled(others, began_ns)
    return state_of(written.read, is_own) if is_known else ""


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
