"""``backup.restore --force``: over the project itself, once the present state is in a backup of its own."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.lock import project_lock, require_writable
from ..core.files.safe_files import ASIDE
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Action, Finding, Interrupted, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, printable, size
from .archive_format import BLOCK, Damaged, Stopped, go_on
from .archive_making import NothingRead, make_backup
from .attributes import are_given, give
from .backup_folder import IN_PLACE_FOLDER, clear_scratches, fresh_scratch
from .creation_findings import unread_findings
from .interruption import interrupted, stopped
from .manifest import Manifest, ManifestEntry, Owner, manifest_name
from .restore import TASK, chosen, extract, lost_findings, remedy_for, without_manifest
from .restore_target import Target
from .source_selection import select


class _StateBefore(NamedTuple):
    """The copy of the state before: the archive's name, empty where there is none, and the files that it lacks.

    Attributes:
        name: of the archive.
        unread: by path, why a file could not be read.
    """

    name: str = ""
    unread: Mapping[str, str] = {}


class _Done(NamedTuple):
    """What was done.

    Attributes:
        before: the copy of the state before.
        replaced: the files that were replaced or made.
        aside: by path, under which name a file is kept that could not be read, and so not be copied.
        lost: by path, what could not be given to a restored file or folder.
    """

    before: _StateBefore
    replaced: list[ManifestEntry]
    aside: Mapping[str, str] = {}
    lost: Mapping[str, Sequence[str]] = {}


def restore_in_place(
    settings: Settings,
    *,
    name: str = "",
    now: datetime,
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Give every file of a backup its place in the project, where it is not as it was saved.

    The backup is restored beside the archives first and compared; then, where anything differs, the present state is
    backed up; only then each file that differs is replaced, at once and whole. What the backup does not hold stays. A
    run that is killed between two files leaves each of them old or new, and can be repeated.

    Args:
        settings: the project's settings, ``root`` absolute.
        name: the archive's name; empty: the newest whole one that is no copy of a state before a restoring.
        now: the moment of the run.
        dry_run: read the archive in full and say what would be replaced.
        advance: called with the number of entries that were read.

    Raises:
        UserError: there is no such backup.
        LockedByOther, NotWritable: another run is at work, or the root cannot be written.
        Interrupted: Ctrl-C; nothing in the project was changed, unless the report says so.
    """
    root, directory = Path(settings.root), settings.backups.directory
    backup, passed_over = chosen(root, directory, name, now)
    path = f"{directory}/{backup.name}"
    if dry_run:
        require_writable(root)
    if backup.manifest is None:
        return without_manifest(path, backup.problem, dry_run=dry_run)
    manifest = backup.manifest
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        try:
            if dry_run:
                extract(root, path, manifest, None, stop, advance)
                done = _Done(_StateBefore(), _different(root, manifest, stop))
            else:
                done = _restore(settings, path, manifest, now, stop, advance)
        except Stopped:
            raise Interrupted(stopped(TASK, "nothing in the project was changed", dry_run=dry_run)) from None
        except _Halfway as halfway:
            return _refused(path, halfway.error, dry_run=dry_run, kept=f"{directory}/{halfway.safety}")
        except (Damaged, safe_files.Refused, OSError) as error:
            return _refused(path, error, dry_run=dry_run)
        finally:
            if not dry_run:
                clear_scratches(root, directory, IN_PLACE_FOLDER)
    report = _report(directory, path, manifest, done, dry_run=dry_run)
    report = msgspec.structs.replace(report, findings=[*report.findings, *passed_over])
    if stop.is_set():  # once the first file is replaced, the others are as well
        raise Interrupted(interrupted(TASK, report))
    return report


class _Halfway(Exception):
    """It failed after the present state was backed up: some files may be replaced."""

    def __init__(self, safety: str, error: safe_files.Refused | OSError) -> None:
        super().__init__(safety)
        self.safety = safety
        self.error = error


def _restore(
    settings: Settings, path: str, manifest: Manifest, now: datetime, stop: Event, advance: Callable[[int], None]
) -> _Done:
    root, own = Path(settings.root), settings.backups
    scratch = fresh_scratch(root, own.directory, IN_PLACE_FOLDER)
    target = Target(root, scratch, manifest)
    extract(root, path, manifest, target, stop, advance)
    # Anything in the way is found before anything changes, and before there is a copy that nobody needs.
    replaced = _different(root, manifest, stop)
    folders = [entry for entry in manifest.entries if not entry.is_file]
    if not replaced and not [entry for entry in folders if not _is_there(root, entry)]:
        return _Done(_StateBefore(), [])
    before = _saved(settings, manifest, now, stop, advance)
    aside = {}
    try:
        for entry in folders:
            _make_folder(root, entry)
        for entry in replaced:
            if entry.name in before.unread:
                aside[entry.name] = _put_aside(root, entry)
            _replace(root, scratch, entry)
        for entry in reversed(folders):
            if lost := _give_folder(root, entry, manifest):
                target.lost[entry.name] = lost
    except (safe_files.Refused, OSError) as error:
        raise _Halfway(before.name, error) from error
    os.sync()
    names = {entry.name for entry in [*replaced, *folders]}
    return _Done(before, replaced, aside, {path: lost for path, lost in target.lost.items() if path in names})


def _saved(
    settings: Settings, manifest: Manifest, now: datetime, stop: Event, advance: Callable[[int], None]
) -> _StateBefore:
    """Back up the present state, as far as it can be read."""
    root, own = Path(settings.root), settings.backups
    sources = [*dict.fromkeys((*own.sources, *(entry.name for entry in manifest.entries if entry.is_file)))]
    present = select(root, sources, (), own.directory, stop)
    go_on(stop)  # else what is there is only a part of what there is
    if not any(entry.is_file for entry in present.entries):
        return _StateBefore(unread=dict(present.unread))
    try:
        made = make_backup(root, own.directory, present, own.sources, now, stop, advance)
    except NothingRead as error:
        return _StateBefore(unread=dict([*present.unread, *error.written.unread]))
    return _StateBefore(made.name, dict([*present.unread, *made.written.unread]))


def _put_aside(root: Path, entry: ManifestEntry) -> str:
    """Give a file that cannot be read, and so not be copied, another name, and return its path below the root."""
    path = PurePosixPath(entry.name)
    with safe_files.folder(root, str(path.parent)) as folder:
        with os.scandir(folder) as entries:
            existing = {each.name for each in entries}
        names = (f"{path.name}{ASIDE}{number}" for number in itertools.count(1))
        name = next(each for each in names if each not in existing)
        os.rename(path.name, name, src_dir_fd=folder, dst_dir_fd=folder)
    return str(path.with_name(name))


def _is_there(root: Path, entry: ManifestEntry) -> bool:
    """Tell whether a folder is there.

    Raises:
        Refused: something else is in its place.
    """
    try:
        with safe_files.folder(root, entry.name):
            return True
    except FileNotFoundError:
        return False


def _different(root: Path, manifest: Manifest, stop: Event) -> list[ManifestEntry]:
    """Return the files that are missing in the project, or not as they were saved, or that cannot be read.

    Of a file with several names all are among them where one is, and where they are several files by now.
    """
    places = {
        place
        for place, entry in enumerate(manifest.entries)
        if entry.is_file and not _is_same(root, entry, manifest.owner_of(entry), stop)
    }
    for names in _names_of_files(manifest):
        if places & {*names} or len({_inode(root, manifest.entries[place]) for place in names}) > 1:
            places |= {*names}
    return [manifest.entries[place] for place in sorted(places)]


def _names_of_files(manifest: Manifest) -> Iterable[list[int]]:
    """Return the places of the names of each file that has several."""
    names: dict[int, list[int]] = {}
    for place, entry in enumerate(manifest.entries):
        if entry.link >= 0:
            names.setdefault(entry.link, [entry.link]).append(place)
    return names.values()


def _inode(root: Path, entry: ManifestEntry) -> int:
    try:
        with safe_files.regular_file(root, entry.name) as (_, status):
            return status.st_ino
    except OSError:
        return -1


def _is_same(root: Path, entry: ManifestEntry, owner: Owner | None, stop: Event) -> bool:
    try:
        with safe_files.regular_file(root, entry.name) as (descriptor, status):
            known = (status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))
            if known != (entry.size, entry.mtime_ns, entry.mode) or not are_given(descriptor, entry, owner):
                return False
            digest = hashlib.sha256()
            while piece := os.read(descriptor, BLOCK):
                go_on(stop)
                digest.update(piece)
            return digest.hexdigest() == entry.sha256
    except OSError:
        return False


def _make_folder(root: Path, entry: ManifestEntry) -> None:
    with safe_files.folder(root, entry.name, create=True):
        return


def _replace(root: Path, scratch: str, entry: ManifestEntry) -> None:
    path = PurePosixPath(entry.name)
    with (
        safe_files.folder(root, f"{scratch}/{path.parent}") as source,
        safe_files.folder(root, str(path.parent)) as target,
    ):
        os.rename(path.name, path.name, src_dir_fd=source, dst_dir_fd=target)


def _give_folder(root: Path, entry: ManifestEntry, manifest: Manifest) -> list[str]:
    """Give a folder what it had, and return what could not be given."""
    owner, lost = manifest.owner_of(entry), list[str]()
    with safe_files.folder(root, entry.name) as folder:
        if owner is None:
            os.fchmod(folder, entry.mode)
        else:
            lost = give(folder, entry, owner, os.fstat(folder))
        os.utime(folder, ns=(entry.mtime_ns, entry.mtime_ns))
    return lost


# What is reported


def _report(directory: str, path: str, manifest: Manifest, done: _Done, *, dry_run: bool) -> Report:
    number = sum(entry.is_file for entry in manifest.entries)
    total = sum(entry.size for entry in done.replaced)
    would = "would be " if dry_run else ""
    message = (
        f"{len(done.replaced):,} of {count(number, 'file')} {would}replaced or made; the others are as they were saved."
    )
    safety = done.before.name
    if safety:
        message += f" The state before is kept as {safety}."
    written = [f"{directory}/{each}" for each in (safety, manifest_name(safety)) if safety]
    actions = [Action(verb="write", target=each) for each in written]
    actions += [
        Action(verb="restore", target=printable(entry.name), bytes=entry.size, done=not dry_run)
        for entry in done.replaced
    ]
    return Report(
        summary=f"{count(len(done.replaced), 'file')} of {size(total)} {would}restored in place",
        findings=[
            Finding(check="backup.restore", subject=path, status=Status.OK, message=message),
            *_unsaved(done),
            *lost_findings(done.lost),
        ],
        actions=actions,
        files=written,
        dry_run=dry_run,
    )


def _unsaved(done: _Done) -> Iterator[Finding]:
    """Yield what the copy of the state before lacks, because it could not be read."""
    others = [(path, reason) for path, reason in done.before.unread.items() if path not in done.aside]
    yield from unread_findings("backup.restore", others)
    for path, name in done.aside.items():
        message = f"Restored. Its state before is not backed up: {done.before.unread[path]}. It is kept as {name}."
        yield Finding(
            check="backup.restore",
            subject=printable(path),
            status=Status.CRITICAL,
            message=printable(message),
            remedy="Look at the file that is kept; delete it once nobody needs it.",
        )


def _refused(path: str, error: Exception, *, dry_run: bool, kept: str = "") -> Report:
    """Return the report on a restoring that failed; *kept* is the copy of the state before, if there is one."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
    state = f" Some files may be replaced; the state before is kept as {printable(kept)}." if kept else ""
    finding = Finding(
        check="backup.restore",
        subject=path,
        status=Status.CRITICAL,
        message=f"It was not restored: {reason}.{state}",
        remedy=remedy_for(error, "inv backup.restore --force"),
    )
    written = [kept, manifest_name(kept)] if kept else []
    actions = [Action(verb="write", target=each) for each in written]
    return Report(summary="not restored", findings=[finding], actions=actions, files=written, dry_run=dry_run)
