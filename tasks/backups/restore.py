"""``backup.restore``: into an empty folder, every file compared with what was saved while it is written."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO

import msgspec

from ..core.errors import UserError
from ..core.files import safe_files
from ..core.files.lock import project_lock, require_writable
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Action, Finding, Interrupted, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, printable, size
from .archive_format import Damaged, Stopped, go_on
from .archive_reading import Member, read_archive
from .backup_folder import Backup, backups
from .interruption import interrupted, stopped
from .manifest import ENDING, Manifest, ManifestEntry

TASK = "backup.restore"

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk says that has no room, of blocks or inodes, or none for this user."""

_BLOCK = 1 << 20


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
    backup, passed_over = chosen(root, directory, name)
    _require_empty(root, into)
    if dry_run:
        require_writable(root)
    path = f"{directory}/{backup.name}"
    if backup.manifest is None:
        return without_manifest(path, backup.problem, dry_run=dry_run)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        target = None if dry_run else Target(root, into)
        report = _restored(root, path, backup.manifest, into, target, stop, advance)
        report = msgspec.structs.replace(report, findings=[*report.findings, *passed_over])
    if stop.is_set():
        raise Interrupted(interrupted(TASK, report))
    return report


def chosen(root: Path, directory: str, name: str) -> tuple[Backup, list[Finding]]:
    """Return the backup of a name, else the newest whole one, and a finding on newer ones that were passed over.

    A copy of the state before a restore is used only by its name: that state may be the damaged one.

    Raises:
        UserError: there is none.
    """
    found = backups(root, directory)
    if name:
        named = next((backup for backup in found if backup.name in {name, f"{name}{ENDING}"}), None)
        if named is None:
            there = f"there are {listed([each.name for each in found], len(found), 5)}" if found else "there are none"
            raise UserError(f"There is no backup {printable(name)} in {directory}; {there}.")
        return named, []
    whole = next((backup for backup in found if backup.is_whole and not backup.is_state_before), None)
    if whole is None and not found:
        raise UserError(f"There is no backup in {directory}.")
    if whole is None:
        raise UserError(
            f"There is no whole backup in {directory}; --backup NAME says what is wrong with one, and restores the "
            "copy of a state before a restoring."
        )
    newer = [each.name for each in found[: found.index(whole)] if not each.is_state_before]
    return whole, [_newer(directory, newer)] if newer else []


def _newer(directory: str, names: list[str]) -> Finding:
    message = f"{count(len(names), 'newer archive')} passed over, not whole: {listed(names, len(names))}."
    return Finding(
        check="backup.restore",
        subject=directory,
        status=Status.WARNING,
        message=message,
        remedy="inv quarterly.backup-verification says what is wrong with it.",
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


def _require_empty(root: Path, into: str) -> None:
    try:
        with safe_files.folder(root, into) as descriptor, os.scandir(descriptor) as entries:
            if next(entries, None) is None:
                return
    except FileNotFoundError:
        return
    raise UserError(
        f"{printable(into)} is not empty; a backup is restored into an empty or a new folder. If a restoring that was "
        "killed has left it, delete it; else name another with --into."
    )


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
        require_safe(manifest)
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
        findings=[Finding(check="backup.restore", subject=path, status=Status.OK, message=message)],
        metrics=[Metric(name="backup.restored", value=number, unit="files", subject=into)],
        actions=[Action(verb="restore", target=into, count=number, bytes=total, done=target is not None)],
        dry_run=target is None,
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


def require_safe(manifest: Manifest) -> None:
    """Refuse names that lead out of the folder or stand twice.

    Raises:
        Damaged: there is one.
    """
    seen: set[str] = set()
    for entry in manifest.entries:
        path = PurePosixPath(entry.name)
        if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in entry.name or str(path) != entry.name:
            raise Damaged(f'the name "{printable(entry.name)}" leads elsewhere')
        if entry.name in seen:
            raise Damaged(f'the name "{printable(entry.name)}" stands twice in it')
        seen.add(entry.name)


class Target:
    """The folder that is restored into, and what was made in it."""

    def __init__(self, root: Path, into: str) -> None:
        self._root, self._into = root, into
        self._made: list[ManifestEntry] = []

    def add(self, member: Member) -> None:
        """Make a folder, or a file with its content.

        Raises:
            Refused, OSError: it cannot be made.
        """
        entry = member.entry
        path = PurePosixPath(entry.name)
        with safe_files.folder(self._root, f"{self._into}/{path.parent}", create=True) as parent:
            if member.content is None:
                os.mkdir(path.name, 0o700, dir_fd=parent)
                self._made.append(entry)
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path.name, flags, 0o600, dir_fd=parent)
            self._made.append(entry)
            with os.fdopen(descriptor, "wb") as file:
                _copy(member.content, file)
                file.flush()
                owner = os.fstat(parent)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                os.fchmod(file.fileno(), entry.mode & ~(stat.S_ISUID | stat.S_ISGID))
            os.utime(path.name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)

    def finish(self) -> None:
        """Give the folders their modes and times, the deepest first, and see that all of it is on the disk."""
        for entry in reversed([each for each in self._made if not each.is_file]):
            path = PurePosixPath(entry.name)
            with safe_files.folder(self._root, f"{self._into}/{entry.name}") as folder:
                os.fchmod(folder, entry.mode)
            with safe_files.folder(self._root, f"{self._into}/{path.parent}") as parent:
                os.utime(path.name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)
        os.sync()

    def remove(self) -> None:
        """Remove what was made, and nothing else."""
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


def _copy(content: IO[bytes], file: IO[bytes]) -> None:
    while piece := content.read(_BLOCK):
        file.write(piece)


def _finding(path: str, message: str, remedy: str) -> Finding:
    return Finding(check="backup.restore", subject=path, status=Status.CRITICAL, message=message, remedy=remedy)
