"""``backup.restore``: into an empty folder, every file compared with what was saved while it is written."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Event

import msgspec

from ..core.errors import UserError
from ..core.files import safe_files
from ..core.files.lock import project_lock, require_writable
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Action, Finding, Interrupted, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, printable, size
from .archive_format import Damaged, Stopped, go_on
from .archive_reading import read_archive
from .backup_folder import AHEAD, Backup, backups, with_manifest_inside
from .interruption import interrupted, stopped
from .manifest import ENDING, Manifest
from .restore_target import Target
from .unfinished_restore import clear, mark, unfinished, unmark

TASK = "backup.restore"

_SHOWN = 3

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk says that has no room, of blocks or inodes, or none for this user."""


def restore(
    settings: Settings,
    *,
    into: str,
    name: str = "",
    now: datetime,
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Restore a backup into a folder that is empty or missing.

    A dry run reads the archive in full and writes nothing. Where anything is wrong with the archive, what was
    restored of it is removed again. Bits for set-user-id and set-group-id are not given to files.

    Args:
        settings: the project's settings, ``root`` absolute.
        into: the folder, below the root.
        name: the archive's name in the folder of the backups; empty: the newest whole one that is no copy of a state
            before a restoring.
        now: the moment of the run.
        dry_run: only read.
        advance: called with the number of entries that were read.

    Raises:
        UserError: there is no such backup, or the folder is not empty.
        LockedByOther, NotWritable: another run is at work, or the root cannot be written.
        Interrupted: Ctrl-C; what was restored is removed again.
    """
    root, directory = Path(settings.root), settings.backups.directory
    interrupted_backup = unfinished(root, into)
    backup, notes = chosen(root, directory, name or interrupted_backup or "", now)
    _require_empty(root, into, interrupted_backup, backup)
    if dry_run:
        require_writable(root)
    path = f"{directory}/{backup.name}"
    if backup.manifest is None:
        return without_manifest(path, backup.problem, dry_run=dry_run)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        if interrupted_backup is not None:
            notes += _continued(root, into, backup.manifest, dry_run=dry_run)
        target = None if dry_run else Target(root, into, backup.manifest, continues=interrupted_backup is not None)
        report = _restored(root, path, backup.manifest, into, target, stop, advance)
        report = msgspec.structs.replace(report, findings=[*report.findings, *notes])
    if stop.is_set():
        raise Interrupted(interrupted(TASK, report))
    return report


def chosen(root: Path, directory: str, name: str, now: datetime) -> tuple[Backup, list[Finding]]:
    """Return the backup of a name, else the newest whole one, and a finding on newer ones that were passed over.

    A copy of the state before a restore is used only by its name: that state may be the damaged one. So is one that is
    dated in the future, unless there is no other: which state it holds, a clock that was wrong does not tell.

    Raises:
        UserError: there is none.
    """
    found = backups(root, directory)
    if name:
        named = next((backup for backup in found if backup.name in {name, f"{name}{ENDING}"}), None)
        if named is None:
            there = f"there are {listed([each.name for each in found], len(found), 5)}" if found else "there are none"
            raise UserError(f"There is no backup {printable(name)} in {directory}; {there}.")
        named = with_manifest_inside(root, directory, named, Event())
        return named, by_the_one_inside(directory, named)
    usable = [backup for backup in found if backup.is_whole and not backup.is_state_before]
    ahead = [backup for backup in usable if backup.made > now + AHEAD]
    whole = next((backup for backup in usable if backup not in ahead), usable[0] if usable else None)
    if whole is None and not found:
        raise UserError(f"There is no backup in {directory}.")
    if whole is None:
        raise UserError(
            f"There is no whole backup in {directory}; --backup NAME says what is wrong with one, and restores the "
            "copy of a state before a restoring."
        )
    newer = [each for each in found[: found.index(whole)] if not each.is_state_before]
    broken = [each.name for each in newer if each not in ahead]
    notes = [_newer(directory, broken)] if broken else []
    if ahead:
        notes.append(_ahead(directory, [each.name for each in ahead], is_used=whole in ahead))
    return whole, [*notes, *by_the_one_inside(directory, whole)]


def by_the_one_inside(directory: str, backup: Backup) -> list[Finding]:
    """Return a warning where the manifest inside an archive was read, because there is none beside it."""
    if not backup.beside:
        return []
    return [
        Finding(
            check="backup.restore",
            subject=f"{directory}/{printable(backup.name)}",
            status=Status.WARNING,
            message=f"It was read by the manifest inside: {backup.beside}.",
            remedy="See who changed the folder of the backups; a copy elsewhere may have the manifest.",
        )
    ]


def _newer(directory: str, names: list[str]) -> Finding:
    message = f"{count(len(names), 'newer archive')} passed over, not whole: {listed(names, len(names))}."
    return Finding(
        check="backup.restore",
        subject=directory,
        status=Status.WARNING,
        message=message,
        remedy="inv quarterly.backup-verification says what is wrong with it.",
    )


def _ahead(directory: str, names: list[str], *, is_used: bool) -> Finding:
    done = "and one of them was taken, for there is no other" if is_used else "and passed over"
    return Finding(
        check="backup.restore",
        subject=directory,
        status=Status.WARNING,
        message=f"{count(len(names), 'archive')} dated in the future {done}: {listed(names, len(names))}.",
        remedy="Look at the clock (date). Where it is right, --backup NAME restores one of them; then move them away.",
    )


def without_manifest(path: str, problem: str, *, dry_run: bool) -> Report:
    """Return the report on an archive that cannot be checked, because its manifest is missing."""
    remedy = (
        f"Restore another one. What this one holds comes out unchecked with: mkdir unchecked && tar xzf "
        f"{shlex.quote(printable(path))} -C unchecked"
    )
    finding = _finding(path, f"It was not restored: {problem}.", remedy)
    return Report(summary="nothing restored", findings=[finding], dry_run=dry_run)


def remedy_for(error: Exception, command: str) -> str:
    """Return what to do about what kept a backup from being restored.

    Args:
        error: what it was.
        command: by which the same is tried with another backup.
    """
    if isinstance(error, Damaged):
        return f"Restore another one: {command} --backup NAME; inv quarterly.backup-verification says which are well."
    if isinstance(error, OSError) and error.errno in FULL:
        return "Make room, then run it again."
    return "Move away what is in its place, or see that it can be written; then run it again."


def _is_half_a_mark(entry: os.DirEntry[str]) -> bool:
    """Tell whether a file is what a run leaves that was killed before it had marked the folder."""
    return entry.name == safe_files.TEMPORARY and entry.is_file(follow_symlinks=False)


def _require_empty(root: Path, into: str, interrupted_backup: str | None, backup: Backup) -> None:
    """Refuse a folder in which there is anything but what a killed restore of the same backup has left."""
    if interrupted_backup is not None:
        if interrupted_backup == backup.name:
            return
        raise UserError(
            f"{printable(into)} holds an unfinished restore of {printable(interrupted_backup)}. "
            f"Run `inv backup.restore --backup {shlex.quote(printable(interrupted_backup))} "
            f"--into {shlex.quote(printable(into))}` to finish it, or name another folder with --into."
        )
    try:
        with safe_files.folder(root, into) as descriptor, os.scandir(descriptor) as entries:
            if all(_is_half_a_mark(entry) for entry in entries):
                return
    except FileNotFoundError:
        return
    raise UserError(
        f"{printable(into)} is not empty; a backup is restored into an empty or a new folder. "
        "Name another one with --into."
    )


def _continued(root: Path, into: str, manifest: Manifest, *, dry_run: bool) -> list[Finding]:
    """Make way for what a killed restore has left, and report that it is restored again.

    Raises:
        UserError: something of it cannot be removed.
    """
    kept: list[str] = []
    if not dry_run:
        try:
            kept = clear(root, into, manifest)
        except OSError as error:
            raise UserError(
                f"What a restore that was interrupted has left in {printable(into)} cannot be removed: "
                f"{error.strerror}. Delete the folder, or name another one with --into."
            ) from None
    would = "would be" if dry_run else "is"
    aside = f" Changed since and kept aside: {listed(kept, _SHOWN)}." if kept else ""
    return [
        Finding(
            check="backup.restore",
            subject=printable(into),
            status=Status.WARNING if kept else Status.OK,
            message=f"A restore that was interrupted {would} finished; what it had left {would} restored again.{aside}",
            remedy="Compare them with the restored files." if kept else None,
        )
    ]


@contextmanager
def _marked(root: Path, into: str, backup: str) -> Iterator[None]:
    """Have a folder marked for as long as it is restored into, so that a run after a kill finds it."""
    mark(root, into, backup)
    try:
        yield
    except BaseException:
        with suppress(safe_files.Refused, OSError):
            unmark(root, into)
        raise
    unmark(root, into)


def _restored(
    root: Path,
    path: str,
    manifest: Manifest,
    into: str,
    target: Target | None,
    stop: Event,
    advance: Callable[[int], None],
) -> Report:
    number = sum(entry.is_file for entry in manifest.entries)
    total = sum(entry.size for entry in manifest.entries)
    try:
        with nullcontext() if target is None else _marked(root, into, PurePosixPath(path).name):
            extract(root, path, manifest, target, stop, advance)
    except Stopped:
        return stopped(TASK, "nothing was restored", dry_run=target is None)
    except (Damaged, safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        removed = "" if target is None else " What was restored of it is removed again."
        remedy = remedy_for(error, f"inv backup.restore --into {shlex.quote(printable(into))}")
        finding = _finding(path, f"It cannot be restored: {reason}.{removed}", remedy)
        return Report(summary="nothing restored", findings=[finding], dry_run=target is None)
    would = "can be " if target is None else ""
    message = f"{count(number, 'file')} of {size(total)} {would}restored into {printable(into)}, each as it was saved."
    return Report(
        summary=f"{count(number, 'file')} of {size(total)} {would}restored",
        findings=[
            Finding(check="backup.restore", subject=path, status=Status.OK, message=message),
            *([] if target is None else lost_findings(target.lost)),
        ],
        metrics=[Metric(name="backup.restored", value=number, unit="files", subject=into)],
        actions=[Action(verb="restore", target=into, count=number, bytes=total, done=target is not None)],
        dry_run=target is None,
    )


def lost_findings(lost: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Yield a warning where files did not get all that they had.

    Args:
        lost: by path, what was not given: an owner, an attribute.
    """
    if lost:
        each = [f"{printable(path)} ({', '.join(map(printable, what))})" for path, what in lost.items()]
        first, more = "; ".join(each[:_SHOWN]), f" and {len(each) - _SHOWN:,} more" if len(each) > _SHOWN else ""
        yield Finding(
            check="backup.restore",
            subject="attributes",
            status=Status.WARNING,
            message=f"Not all attributes of {count(len(each), 'entry', 'entries')} were restored: {first}{more}.",
            remedy="Restore as root to a file system that keeps these, or give them by hand.",
        )


def extract(
    root: Path,
    path: str,
    manifest: Manifest,
    target: Target | None,
    stop: Event,
    advance: Callable[[int], None],
) -> None:
    """Read an archive in full, into *target* where there is one; after any error nothing of it stays there."""
    try:
        with (
            safe_files.regular_file(root, path) as (descriptor, _),
            os.fdopen(descriptor, "rb", closefd=False) as archive,
        ):
            for member in read_archive(archive, manifest, stop):
                go_on(stop)
                if target is not None:
                    target.add(member)
                advance(1)
        if target is not None:
            target.finish()
    except BaseException:
        if target is not None:
            target.remove()
        raise


def _finding(path: str, message: str, remedy: str) -> Finding:
    return Finding(check="backup.restore", subject=path, status=Status.CRITICAL, message=message, remedy=remedy)
