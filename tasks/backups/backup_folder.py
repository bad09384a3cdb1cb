"""The folder of backups: its archives with the manifests beside them, and the deletion of both."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import MAXYEAR, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ..core.files import safe_files, state_files
from ..core.files.tree_removal import remove_tree
from ..core.settings.model import Settings
from .archive_format import BLOCK, Damaged, go_on
from .archive_reading import read_inside
from .manifest import LARGEST, Manifest, Unusable, decode, encode, made_at, manifest_name

TEST_FOLDER, IN_PLACE_FOLDER = ".restore-test", ".restore-in-place"
"""Folders beside the archives into which they are restored, and which are removed again."""


class Backup(NamedTuple):
    """One archive in the folder.

    Attributes:
        name: of the archive.
        made: when, by its manifest, else by its name, which says nothing of the zone.
        size: bytes.
        manifest: the one beside it, else the one inside; ``None`` where there is none that can be used.
        problem: why there is none, as the end of a sentence; empty where there is one.
        confirmed: when a later run found the state that it holds unchanged; ``None`` where none did.
        beside: why the manifest beside it cannot be used, as the end of a sentence, where that is the one inside.
    """

    name: str
    made: datetime
    size: int
    manifest: Manifest | None
    problem: str = ""
    confirmed: datetime | None = None
    beside: str = ""

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
            statuses = dict(_looked_at(entries))
    except FileNotFoundError:
        return []
    found = []
    for name, status in statuses.items():
        made = made_at(name)
        assert made is not None  # noqa: S101 - only such names are in it
        backup = _backup(root, directory, name, made[0], status)
        found.append(((backup.made, *made), backup))
    return [backup for _, backup in sorted(found, key=lambda each: each[0], reverse=True)]


def _looked_at(entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, os.stat_result]]:
    for entry in entries:
        if made_at(entry.name):
            with suppress(OSError):  # it has gone again
                yield entry.name, entry.stat(follow_symlinks=False)


def _backup(root: Path, directory: str, name: str, made: datetime, status: os.stat_result) -> Backup:
    """Return one backup; whatever is wrong with it is told by it and stops no other."""
    if not stat.S_ISREG(status.st_mode):
        return Backup(name, made, status.st_size, None, "it is not a regular file")
    manifest, problem = read_manifest(root, directory, name)
    backup = Backup(name, made, status.st_size, manifest, problem)
    if manifest is None:
        return _by_inside(root, directory, backup, Event(), to_the_end=False)
    return backup._replace(made=_moment(manifest.created) or made, confirmed=_moment(manifest.confirmed))


def with_manifest_inside(root: Path, directory: str, backup: Backup, stop: Event) -> Backup:
    """Return a backup with the manifest inside, where none can be used so far; the archive is read to its end for it.

    Raises:
        Stopped: that was asked for.
    """
    if backup.manifest is not None:
        return backup
    return _by_inside(root, directory, backup, stop, to_the_end=True)


def _by_inside(root: Path, directory: str, backup: Backup, stop: Event, *, to_the_end: bool) -> Backup:
    try:
        with (
            state_files.opened(root, f"{directory}/{backup.name}") as (descriptor, _),
            os.fdopen(descriptor, "rb", closefd=False) as archive,
        ):
            inside = read_inside(archive, stop, to_the_end=to_the_end)
    except (Damaged, safe_files.Refused, OSError):
        return backup  # what is wrong with the manifest beside it says enough
    if inside is None:
        return backup
    # What it had when it was written is known to nobody: that it is whole shows once it is read.
    inside = msgspec.structs.replace(inside, archive_bytes=backup.size)
    return backup._replace(manifest=inside, problem="", beside=backup.problem)


_EARLIEST = 1970


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and _EARLIEST < moment.year < MAXYEAR else None


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
        content = state_files.read_bytes(root, f"{directory}/{manifest_name(archive)}", limit=LARGEST)
        return decode(content), ""
    except FileNotFoundError:
        return None, "there is no manifest beside it"
    except safe_files.Refused as error:
        return None, str(error).rstrip(".")
    except OSError as error:
        return None, f"its manifest cannot be read: {error.strerror}"
    except Unusable as error:
        return None, f"of its manifest: {error}"


AHEAD = timedelta(days=1)
"""More than drift and a wrong zone set a clock ahead by: what is dated later was made while a clock was wrong."""


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


_SCRATCHES = 9


def fresh_scratch(root: Path, directory: str, name: str) -> str:
    """Return the path of a folder into which an archive can be restored, and in whose place there is nothing.

    What a killed run left there is removed; where that cannot be, the folder has another name.

    Raises:
        Refused, OSError: there is no such name.
    """
    for each in _scratch_names(name):
        try:
            clear_scratch(root, directory, each)
        except OSError as error:
            problem = error
        else:
            return f"{directory}/{each}"
    raise problem


def clear_scratches(root: Path, directory: str, name: str) -> None:
    """Remove what earlier runs left of the folders into which archives are restored, as far as it can be removed."""
    for each in _scratch_names(name):
        with suppress(safe_files.Refused, OSError):
            clear_scratch(root, directory, each)


def _scratch_names(name: str) -> list[str]:
    return [name, *(f"{name}-{number}" for number in range(2, _SCRATCHES + 1))]


def clear_scratch(root: Path, directory: str, name: str) -> None:
    """Remove a folder into which archives are restored; a link in its place is not followed.

    Raises:
        Refused, OSError: it cannot be removed.
    """
    with suppress(FileNotFoundError), safe_files.folder(root, directory) as folder:
        remove_tree(folder, name)


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
