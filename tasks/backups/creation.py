"""``backup.create``: select, write, read back, and only then give the archive its name."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import IO, NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.disk_usage import usage_by_entry
from ..core.files.lock import project_lock, require_writable
from ..core.files.safe_files import TEMPORARY
from ..core.output.report_files import with_file
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Action, Finding, Interrupted, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, percent, printable, size
from .archive import Damaged, Stopped, Written, read_archive, write_archive
from .backup_folder import IN_PLACE_FOLDER, TEST_FOLDER, Backup, backups, clear_scratch, delete
from .backup_history import outdated, vanished
from .manifest import Manifest, ManifestEntry, archive_name, encode, manifest_name
from .source_selection import Selected, select

TASK = "backup.create"

FILE = "created.json"
"""What the last creation reported and how large the backups were after each: their growth can be read from it."""


class MadeBackup(NamedTuple):
    """A backup that was made: the archive's name, the manifest beside it, and what was left out of it."""

    name: str
    manifest: Manifest
    written: Written


def create(
    settings: Settings, *, now: datetime, dry_run: bool = False, advance: Callable[[int], None] = lambda _count: None
) -> Report:
    """Back up the project's sources, and delete the backups that are outdated by then.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, report what a run would do.
        advance: called with the number of entries that were written or read back.

    Raises:
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written.
        Interrupted: Ctrl-C; no archive was left then.
    """
    root, own = Path(settings.root), settings.backups
    if dry_run:
        require_writable(root)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        if not dry_run:
            _clear_scratches(root, own.directory)
        selected = select(root, own.sources, own.exclude, own.directory, stop)
        report = _report(settings, selected, now, stop, advance, dry_run=dry_run)
    if stop.is_set():
        raise Interrupted(report)
    return report


def _clear_scratches(root: Path, directory: str) -> None:
    """Remove what killed restores left: a copy of the project's data, which needs room."""
    for name in (TEST_FOLDER, IN_PLACE_FOLDER):
        with suppress(safe_files.Refused, OSError):
            clear_scratch(root, directory, name)


def _report(
    settings: Settings,
    selected: Selected,
    now: datetime,
    stop: Event,
    advance: Callable[[int], None],
    *,
    dry_run: bool,
) -> Report:
    root, own = Path(settings.root), settings.backups
    found = _backups_found(root, own.directory)
    findings = [*_left_out(selected), *_vanished_sources(found, selected, own.sources)]
    number = sum(entry.is_file for entry in selected.entries)
    total = sum(entry.size for entry in selected.entries)
    if not number:
        sources = listed(own.sources, len(own.sources))
        if not any(each.status is Status.WARNING for each in findings):
            findings.append(_finding(Status.SKIPPED, own.directory, f"There is nothing to back up in {sources}.", None))
        return Report(summary="nothing to back up", findings=findings, dry_run=dry_run)
    metrics = [
        Metric(name="backup.files", value=number, unit="files", subject=own.directory),
        Metric(name="backup.bytes", value=total, unit="B", subject=own.directory),
    ]
    if dry_run:
        name = _free_name({each.name for each in found}, now)
        actions = [_write(own.directory, each, done=False) for each in (name, manifest_name(name), FILE)]
        gone = outdated([_planned(name, now, selected), *found], now, own.keep, own.keep_days, own.sources)
        actions += [_delete(own.directory, backup, done=False) for backup in gone]
        summary = f"{count(number, 'file')} of {size(total)} would be backed up"
        return Report(summary=summary, findings=findings, metrics=metrics, actions=actions, dry_run=True)
    try:
        made = make_backup(root, own.directory, selected, own.sources, now, stop, advance)
    except Stopped:
        return Report(summary="stopped; no archive was made", findings=findings)
    except Damaged as error:
        message = f"The archive was written and did not read back well: {error}. It was removed."
        findings.append(_finding(Status.CRITICAL, own.directory, message, "Look at the disk, then run it again."))
        return Report(summary="no backup", findings=findings, metrics=metrics)
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        message = f"No archive could be written: {reason}."
        remedy = "Make room, and see that the folder can be written."
        findings.append(_finding(Status.CRITICAL, own.directory, message, remedy))
        return Report(summary="no backup", findings=findings, metrics=metrics)
    return _report_made(settings, made, findings, metrics, now)


def _report_made(
    settings: Settings, made: MadeBackup, findings: list[Finding], metrics: list[Metric], now: datetime
) -> Report:
    root, own = Path(settings.root), settings.backups
    files = [entry for entry in made.manifest.entries if entry.is_file]
    total, packed = sum(entry.size for entry in files), made.manifest.archive_bytes
    path = f"{own.directory}/{made.name}"
    share = f" ({percent(packed / total)})" if packed < total else ""
    message = f"{count(len(files), 'file')} of {size(total)} in {size(packed)}{share}, read back and compared."
    findings.append(_finding(Status.OK, path, message, None))
    findings += _not_as_selected(made)
    actions = [_write(own.directory, name, done=True) for name in (made.name, manifest_name(made.name))]
    for backup in outdated(_backups_found(root, own.directory), now, own.keep, own.keep_days, own.sources):
        try:
            delete(root, own.directory, backup.name)
        except (safe_files.Refused, OSError) as error:
            message = f"{printable(backup.name)} is outdated and could not be deleted: {printable(error)}."
            findings.append(_finding(Status.WARNING, own.directory, message, "See that the folder can be written."))
        else:
            actions.append(_delete(own.directory, backup, done=True))
    metrics = [
        *metrics,
        Metric(name="backup.archive_bytes", value=packed, unit="B", subject=own.directory),
        Metric(name="capacity.used", value=usage_by_entry(root / own.directory).total(), unit="B", subject="backups"),
    ]
    written = [action.target for action in actions if action.verb == "write"]
    summary = f"{count(len(files), 'file')} of {size(total)} backed up in {size(packed)}"
    report = Report(summary=summary, findings=findings, metrics=metrics, actions=actions, files=written)
    return with_file(root, f"{own.directory}/{FILE}", report, now, check="backup.report")


def _planned(name: str, now: datetime, selected: Selected) -> Backup:
    """Return the backup that a run would make, as far as it counts for which others are outdated."""
    files = [
        ManifestEntry(each.path, each.mode, each.mtime_ns, each.size, "-") for each in selected.entries if each.is_file
    ]
    return Backup(name, now, 0, Manifest(1, "", [], files), "")


def _backups_found(root: Path, directory: str) -> list[Backup]:
    try:
        return backups(root, directory)
    except (safe_files.Refused, OSError):
        return []


# Making one


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
    """Write an archive under another name, read it back, and name it; a kill leaves no archive that is not whole."""
    with safe_files.folder(root, directory, create=True) as folder:
        with suppress(FileNotFoundError):
            os.unlink(TEMPORARY, dir_fd=folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(TEMPORARY, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "r+b") as file:
                output = _HashingWriter(file)
                written = write_archive(root, selected.entries, sources, output, stop, advance)
                file.flush()
                os.fsync(file.fileno())
                manifest = msgspec.structs.replace(
                    written.manifest,
                    created=now.isoformat(),
                    archive_bytes=file.tell(),
                    archive_sha256=output.sum.hexdigest(),
                    before_restore=before_restore,
                )
                _read_back(file, manifest, stop, advance)
                owner = os.fstat(folder)
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            with os.scandir(folder) as entries:
                name = _free_name({each.name for each in entries}, now)
            os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(TEMPORARY, dir_fd=folder)
            raise
    safe_files.write(root, f"{directory}/{manifest_name(name)}", encode(manifest), private=True)
    return MadeBackup(name, manifest, written)


def _read_back(file: IO[bytes], manifest: Manifest, stop: Event, advance: Callable[[int], None]) -> None:
    if hasattr(os, "posix_fadvise"):  # what is read back is to come from the disk
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    file.seek(0)
    for _ in read_archive(file, manifest):
        if stop.is_set():
            raise Stopped
        advance(1)


class _HashingWriter(io.RawIOBase):
    """A file with the digest of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, content: object) -> int:
        """Write the next bytes."""
        piece = bytes(content)  # type: ignore[call-overload]
        self.sum.update(piece)
        return self._file.write(piece)


def _free_name(existing: Collection[str], now: datetime) -> str:
    """Return a name that neither an archive nor a manifest has."""
    number = 1
    while {archive_name(now, number), manifest_name(archive_name(now, number))} & {*existing}:
        number += 1
    return archive_name(now, number)


# What is reported


def _left_out(selected: Selected) -> Iterator[Finding]:
    if selected.left:
        entries = [f"{printable(path)} ({reason})" for path, reason in selected.left]
        message = f"{count(len(entries), 'entry', 'entries')} left out: {'; '.join(entries[:3])}{_more(entries)}."
        unread = any("cannot be" in reason for _, reason in selected.left)
        remedy = (
            "Run it as a user who can read these, or leave them out in backups.exclude."
            if unread
            else "Name what a link leads to in backups.sources, or leave these out in backups.exclude."
        )
        yield _finding(Status.WARNING, "sources", message, remedy)
    if selected.missing:
        names = listed(selected.missing, len(selected.missing))
        status = Status.OK if selected.entries else Status.SKIPPED  # that something was backed up is what counts
        yield _finding(status, "sources", f"Nothing is there of {names}.", None)


def _vanished_sources(found: Sequence[Backup], selected: Selected, sources: Sequence[str]) -> Iterator[Finding]:
    """Yield a warning where nothing is there any more of what the last backup holds: a disk may not be mounted."""
    if gone := vanished(found, selected, sources):
        remedy = (
            "See whether a disk is not mounted; what the last backup holds comes back with inv backup.restore. If it "
            "is to be gone, take it out of backups.sources: until then that backup is kept."
        )
        yield _finding(
            Status.WARNING, "sources", f"Of what the last backup holds, nothing is there any more: {gone}.", remedy
        )


def _not_as_selected(made: MadeBackup) -> Iterator[Finding]:
    changed = [printable(entry.name) for entry in made.manifest.entries if entry.changed]
    if changed:
        message = f"{count(len(changed), 'file')} changed while being read: {listed(changed, len(changed), 3)}."
        yield _finding(Status.WARNING, "sources", message, "Make the backup while nobody writes these.")
    if made.written.gone:
        entries = [f"{printable(path)} ({reason})" for path, reason in made.written.gone]
        message = f"{count(len(entries), 'entry', 'entries')} not backed up: {'; '.join(entries[:3])}{_more(entries)}."
        yield _finding(Status.WARNING, "sources", message, "See that they can be read, then run it again.")


def _more(entries: Sequence[str]) -> str:
    return f" and {len(entries) - 3:,} more" if len(entries) > 3 else ""  # noqa: PLR2004 - as many are named


def _finding(status: Status, subject: str, message: str, remedy: str | None) -> Finding:
    return Finding(check="backup.create", subject=printable(subject), status=status, message=message, remedy=remedy)


def _write(directory: str, name: str, *, done: bool) -> Action:
    return Action(verb="write", target=f"{directory}/{name}", done=done)


def _delete(directory: str, backup: Backup, *, done: bool) -> Action:
    return Action(verb="delete", target=f"{directory}/{printable(backup.name)}", bytes=backup.size, done=done)
