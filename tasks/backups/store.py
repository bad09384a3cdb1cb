"""The folder of backups: archives with their manifests beside them, and which of them are old."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ..core import files
from .manifest import Manifest, Unusable, decode, made_at, manifest_name

_LARGEST_MANIFEST = 1 << 30


class Backup(NamedTuple):
    """One archive in the folder.

    Attributes:
        name: of the archive.
        made: when, by its name.
        size: bytes.
        manifest: the one beside it; ``None`` where there is none that can be used.
        problem: why there is none, as the end of a sentence; empty where there is one.
    """

    name: str
    made: datetime
    size: int
    manifest: Manifest | None
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """True where it was verified when it was made, and still has the size that it had."""
        return self.manifest is not None and self.manifest.archive_bytes == self.size


def backups(root: Path, directory: str) -> list[Backup]:
    """Return the backups in a folder below *root*, the newest first; none where there is no folder.

    Raises:
        Refused, OSError: the folder cannot be read.
    """
    try:
        with files.folder(root, directory) as descriptor, os.scandir(descriptor) as entries:
            sizes = {each.name: each.stat(follow_symlinks=False).st_size for each in entries if made_at(each.name)}
    except FileNotFoundError:
        return []
    found = []
    for name, size in sizes.items():
        made = made_at(name)
        assert made is not None  # noqa: S101 - only such names are in it
        manifest, problem = read_manifest(root, directory, name)
        found.append((made, Backup(name, made[0], size, manifest, problem)))
    return [backup for _, backup in sorted(found, key=lambda each: each[0], reverse=True)]


def read_manifest(root: Path, directory: str, archive: str) -> tuple[Manifest | None, str]:
    """Return the manifest beside an archive, or why there is none."""
    try:
        content = files.read(root, f"{directory}/{manifest_name(archive)}", limit=_LARGEST_MANIFEST)
        return decode(content), ""
    except FileNotFoundError:
        return None, "there is no manifest beside it"
    except files.Refused as error:
        return None, str(error).rstrip(".")
    except OSError as error:
        return None, f"its manifest cannot be read: {error.strerror}"
    except Unusable as error:
        return None, f"of its manifest: {error}"


def outdated(found: list[Backup], now: datetime, keep: int, days: float) -> list[Backup]:
    """Return the backups to delete: beyond the newest *keep*, or older than *days*; never the newest whole one.

    Args:
        found: all of them, the newest first.
        now: the moment of the run.
        keep: how many stay; at least one does.
        days: how old one may become.
    """
    newest = next((backup for backup in found if backup.is_whole), None)
    oldest = now - timedelta(days=days)
    return [
        backup
        for place, backup in enumerate(found)
        if backup is not newest and (place >= max(keep, 1) or backup.made < oldest)
    ]


def delete(root: Path, directory: str, name: str) -> None:
    """Delete an archive and then its manifest.

    Raises:
        OSError: it cannot be deleted.
    """
    with files.folder(root, directory) as descriptor:
        os.unlink(name, dir_fd=descriptor)
        try:
            os.unlink(manifest_name(name), dir_fd=descriptor)
        except FileNotFoundError:
            return
