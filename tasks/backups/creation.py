"""``backup.create``: select, write, read back, and only then give the archive its name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from threading import Event

from ..core.files import safe_files
from ..core.files.disk_usage import usage_by_entry
from ..core.files.lock import project_lock, require_writable
from ..core.output.report_files import with_file
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Finding, Interrupted, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, percent, printable, size
from .archive_format import Damaged, Stopped
from .archive_making import MadeBackup, NothingRead, free_name, make_backup
from .backup_folder import IN_PLACE_FOLDER, TEST_FOLDER, Backup, backups, clear_scratch, delete
from .backup_history import outdated
from .creation_findings import (
    creation_finding,
    delete_action,
    failure_findings,
    left_out,
    not_as_selected,
    nothing_findings,
    vanished_sources,
    write_action,
)
from .interruption import interrupted, stopped
from .manifest import Manifest, ManifestEntry, manifest_name
from .source_selection import Selected, select

TASK = "backup.create"

FILE = "created.json"
"""What the last creation reported and how large the backups were after each: their growth can be read from it."""


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
        raise Interrupted(interrupted(TASK, report))
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
    if stop.is_set():  # what was selected is not all
        return stopped(TASK, "no archive was made", dry_run=dry_run)
    found = _backups_found(root, own.directory)
    findings = [*left_out(selected), *vanished_sources(found, selected, own.sources)]
    number = sum(entry.is_file for entry in selected.entries)
    total = sum(entry.size for entry in selected.entries)
    if not number:
        findings += nothing_findings(own, findings)
        return Report(summary="nothing to back up", findings=findings, dry_run=dry_run)
    metrics = [
        Metric(name="backup.files", value=number, unit="files", subject=own.directory),
        Metric(name="backup.bytes", value=total, unit="B", subject=own.directory),
    ]
    if dry_run:
        return _plan(settings, found, selected, findings, metrics, now)
    try:
        made = make_backup(root, own.directory, selected, own.sources, now, stop, advance)
    except Stopped:
        return stopped(TASK, "no archive was made", dry_run=False)
    except (NothingRead, Damaged, safe_files.Refused, OSError) as error:
        findings += failure_findings(own.directory, error)
        return Report(summary="no backup", findings=findings, metrics=metrics)
    return _report_made(settings, made, selected, findings, metrics, now)


def _plan(
    settings: Settings,
    found: list[Backup],
    selected: Selected,
    findings: list[Finding],
    metrics: list[Metric],
    now: datetime,
) -> Report:
    own = settings.backups
    name = free_name({each.name for each in found}, now)
    actions = [write_action(own.directory, each, done=False) for each in (name, manifest_name(name), FILE)]
    found = [_planned(name, now, selected), *found]
    unread = {path for path, _ in selected.unread}
    gone = outdated(found, now, own.keep, own.keep_days, own.sources, unread)
    actions += [delete_action(own.directory, backup, done=False) for backup in gone]
    files, total = metrics[0].value, metrics[1].value
    summary = f"{count(int(files), 'file')} of {size(total)} would be backed up"
    return Report(summary=summary, findings=findings, metrics=metrics, actions=actions, dry_run=True)


def _report_made(
    settings: Settings,
    made: MadeBackup,
    selected: Selected,
    findings: list[Finding],
    metrics: list[Metric],
    now: datetime,
) -> Report:
    root, own = Path(settings.root), settings.backups
    files = [entry for entry in made.manifest.entries if entry.is_file]
    total, packed = sum(entry.size for entry in files), made.manifest.archive_bytes
    path = f"{own.directory}/{made.name}"
    share = f" ({percent(packed / total)})" if packed < total else ""
    message = f"{count(len(files), 'file')} of {size(total)} in {size(packed)}{share}, read back and compared."
    findings.append(creation_finding(Status.OK, path, message, None))
    findings += not_as_selected(made.written)
    actions = [write_action(own.directory, name, done=True) for name in (made.name, manifest_name(made.name))]
    found = _backups_found(root, own.directory)
    unread = {path for path, _ in [*selected.unread, *made.written.unread]}
    for backup in outdated(found, now, own.keep, own.keep_days, own.sources, unread):
        try:
            delete(root, own.directory, backup.name)
        except (safe_files.Refused, OSError) as error:
            message = f"{printable(backup.name)} is outdated and could not be deleted: {printable(error)}."
            findings.append(
                creation_finding(Status.WARNING, own.directory, message, "See that the folder can be written.")
            )
        else:
            actions.append(delete_action(own.directory, backup, done=True))
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
