"""The folder of backups: its archives with the manifests beside them, and the deletion of both."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..core.files import safe_files
from ..core.settings.model import Settings
from .manifest import Manifest, Unusable, decode, made_at, manifest_name

TEST_FOLDER, IN_PLACE_FOLDER = ".restore-test", ".restore-in-place"
"""Folders beside the archives into which they are restored, and which are removed again."""

_LARGEST_MANIFEST = 1 << 30


class Backup(NamedTuple):
    """One archive in the folder.

    Attributes:
        name: of the archive.
        made: when, by its manifest, else by its name, which says nothing of the zone.
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

    @property
    def is_state_before(self) -> bool:
        """True for the copy of a state that was replaced: kept to look into, and no backup to go by."""
        return self.manifest is not None and self.manifest.before_restore


def backups(root: Path, directory: str) -> list[Backup]:
    """Return the backups in a folder below *root*, the newest first; none where there is no folder.

    Raises:
        Refused, OSError: the folder cannot be read.
    """
    try:
        with safe_files.folder(root, directory) as descriptor, os.scandir(descriptor) as entries:
            sizes = {each.name: each.stat(follow_symlinks=False).st_size for each in entries if made_at(each.name)}
    except FileNotFoundError:
        return []
    found = []
    for name, size in sizes.items():
        made = made_at(name)
        assert made is not None  # noqa: S101 - only such names are in it
        manifest, problem = read_manifest(root, directory, name)
        moment = _created(manifest) or made[0]
        found.append(((moment, *made), Backup(name, moment, size, manifest, problem)))
    return [backup for _, backup in sorted(found, key=lambda each: each[0], reverse=True)]


def _created(manifest: Manifest | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(manifest.created) if manifest is not None else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def are_as_verified(settings: Settings, paths: Iterable[str], verified: datetime) -> bool:
    """Tell whether the archives are the ones that were verified.

    Args:
        settings: the project's settings, ``root`` absolute.
        paths: of the archives that the verification reported, below the root.
        verified: when it began.
    """
    root, directory = Path(settings.root), settings.backups.directory
    try:
        with safe_files.folder(root, directory) as descriptor, os.scandir(descriptor) as entries:
            times = {
                f"{directory}/{each.name}": each.stat(follow_symlinks=False).st_mtime
                for each in entries
                if made_at(each.name)
            }
    except (safe_files.Refused, OSError):
        return False
    return times.keys() >= {*paths} and all(time <= verified.timestamp() for time in times.values())


def read_manifest(root: Path, directory: str, archive: str) -> tuple[Manifest | None, str]:
    """Return the manifest beside an archive, or why there is none."""
    try:
        content = safe_files.read(root, f"{directory}/{manifest_name(archive)}", limit=_LARGEST_MANIFEST)
        return decode(content), ""
    except FileNotFoundError:
        return None, "there is no manifest beside it"
    except safe_files.Refused as error:
        return None, str(error).rstrip(".")
    except OSError as error:
        return None, f"its manifest cannot be read: {error.strerror}"
    except Unusable as error:
        return None, f"of its manifest: {error}"


def clear_scratch(root: Path, directory: str, name: str) -> None:
    """Remove a folder into which archives are restored; a link in its place is refused by ``rmtree`` itself.

    Raises:
        Refused, OSError: it cannot be removed.
    """
    with safe_files.folder(root, directory) as folder, suppress(FileNotFoundError):
        shutil.rmtree(name, dir_fd=folder)


def delete(root: Path, directory: str, name: str) -> None:
    """Delete an archive and then its manifest.

    Raises:
        OSError: it cannot be deleted.
    """
    with safe_files.folder(root, directory) as descriptor:
        os.unlink(name, dir_fd=descriptor)
        try:
            os.unlink(manifest_name(name), dir_fd=descriptor)
        except FileNotFoundError:
            return
