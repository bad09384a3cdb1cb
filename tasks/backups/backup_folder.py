"""The folder of backups: its archives with the manifests beside them, and the deletion of both."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.settings.model import Settings
from .archive_format import BLOCK, go_on
from .manifest import Manifest, Unusable, decode, encode, made_at, manifest_name

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
        confirmed: when a later run found the state that it holds unchanged; ``None`` where none did.
    """

    name: str
    made: datetime
    size: int
    manifest: Manifest | None
    problem: str = ""
    confirmed: datetime | None = None

    @property
    def as_of(self) -> datetime:
        """The last moment at which it held the project's state, which its age counts from."""
        return max(self.made, self.confirmed or self.made)

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
        moment = _moment(manifest.created if manifest else "") or made[0]
        confirmed = _moment(manifest.confirmed if manifest else "")
        found.append(((moment, *made), Backup(name, moment, size, manifest, problem, confirmed)))
    return [backup for _, backup in sorted(found, key=lambda each: each[0], reverse=True)]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


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


def newest_whole(found: Iterable[Backup]) -> Backup | None:
    """Return the first of the backups that is whole and no copy of a state before a restore."""
    return next((each for each in found if each.is_whole and not each.is_state_before), None)


def confirm(root: Path, directory: str, backup: Backup, now: datetime) -> None:
    """Keep beside an archive that the state which it holds was found unchanged at a moment.

    Raises:
        Refused, OSError: it cannot be written; what is beside the archive is as it was.
    """
    assert backup.manifest is not None  # noqa: S101 - only whole ones are confirmed
    manifest = msgspec.structs.replace(backup.manifest, confirmed=now.isoformat())
    safe_files.write(root, f"{directory}/{manifest_name(backup.name)}", encode(manifest), private=True)


def archive_digest(root: Path, directory: str, name: str, stop: Event) -> str:
    """Return the SHA-256 of an archive, in hexadecimal.

    Raises:
        Stopped: that was asked for.
        Refused, OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with safe_files.regular_file(root, f"{directory}/{name}") as (descriptor, _):
        while piece := os.read(descriptor, BLOCK):
            go_on(stop)
            digest.update(piece)
    return digest.hexdigest()


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
