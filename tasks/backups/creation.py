"""``backup.create``: one archive of what was changed, or the one that holds the state already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.disk_usage import usage_by_entry
from ..core.files.lock import project_lock, require_writable
from ..core.output.report_files import with_file
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Action, Finding, Interrupted, Metric, Report, Status
from ..core.run.clock import ClockDoubt, Withheld, clock_doubt
from ..core.run.registry import own_files
from ..core.settings.model import Settings
from ..core.text.formatting import count, hours, percent, size
from .archive_format import Damaged, Stopped
from .archive_making import MadeBackup, NothingRead, free_name, make_backup
from .backup_folder import (
    IN_PLACE_FOLDER,
    TEST_FOLDER,
    Backup,
    archive_digest,
    backups,
    clear_scratches,
    confirm,
    delete,
    newest_whole,
)
from .backup_history import outdated
from .creation_findings import (
    creation_finding,
    delete_action,
    failure_findings,
    held_finding,
    left_out,
    not_as_selected,
    not_as_written,
    not_confirmed,
    not_deleted,
    nothing_findings,
    vanished_sources,
    write_action,
)
from .interruption import interrupted, stopped
from .manifest import Manifest, ManifestEntry, manifest_name
from .project_state import changed_own_files, state_of
from .source_selection import Selected, select

TASK = "backup.create"

FILE = "created.json"
"""What the last creation reported and how large the backups were after each: their growth can be read from it."""


def create(
    settings: Settings, *, now: datetime, dry_run: bool = False, advance: Callable[[int], None] = lambda _count: None
) -> Report:
    """Back up the project's sources, and delete the backups that are outdated by then.

    Where nothing was changed since the newest backup but the suite's own files, no second archive is made: the newest
    one is compared with its SHA-256, and its age counts from this run.

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
        clear_scratches(root, directory, name)


class _Creation(NamedTuple):
    """What a creation goes by, and what is known so far.

    Attributes:
        settings: the project's settings.
        now: the moment of the run.
        is_own: by path, whether a file is the suite's own.
        selected: what is there to back up.
        found: the backups that there are, the newest first.
        findings: what was found so far.
        doubt: why the clock is not believed, so that no backup is deleted for its age; ``None`` where it is.
    """

    settings: Settings
    now: datetime
    is_own: Callable[[str], bool]
    selected: Selected
    found: list[Backup]
    findings: list[Finding]
    doubt: ClockDoubt | None = None

    @property
    def root(self) -> Path:
        """The project."""
        return Path(self.settings.root)

    @property
    def directory(self) -> str:
        """The folder of the backups."""
        return self.settings.backups.directory

    def metrics(self) -> list[Metric]:
        """Return how much there is to back up."""
        files = [entry.size for entry in self.selected.entries if entry.is_file]
        return [
            Metric(name="backup.files", value=len(files), unit="files", subject=self.directory),
            Metric(name="backup.bytes", value=sum(files), unit="B", subject=self.directory),
        ]

    def outdated(
        self, found: list[Backup], findings: list[Finding], unread: Iterable[tuple[str, str]] = (), *, dry_run: bool
    ) -> list[Backup]:
        """Return which of the backups are outdated: none where the clock is not believed, which is then reported."""
        own = self.settings.backups
        paths = {path for path, _ in (*self.selected.unread, *unread)}
        gone = outdated(found, self.now, own.keep, own.keep_days, own.sources, paths)
        if not gone or self.doubt is None or not own.keep_days:
            return gone
        withheld = Withheld(len(gone), ("backup", "backups"), hours(24 * own.keep_days))
        findings.append(self.doubt.finding(withheld, subject=self.directory, task=TASK, dry_run=dry_run))
        return []


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
    is_own = own_files(settings).owns
    if all(is_own(entry.path) for entry in selected.entries if entry.is_file):  # what the suite wrote is no project
        selected = selected._replace(entries=[])
    findings = [*left_out(selected), *vanished_sources(found, selected, own.sources)]
    if not any(entry.is_file for entry in selected.entries):
        findings += nothing_findings(own, findings)
        return Report(summary="nothing to back up", findings=findings, dry_run=dry_run)
    this = _Creation(settings, now, is_own, selected, found, findings, clock_doubt(settings, now))
    try:
        if held_by := _holder_of_this_state(this, stop):
            return _report_held(this, held_by, dry_run=dry_run)
        return _plan(this) if dry_run else _made(this, stop, advance)
    except Stopped:
        return stopped(TASK, "no archive was made", dry_run=dry_run)


# Where nothing was changed


def _holder_of_this_state(this: _Creation, stop: Event) -> Backup | None:
    """Return the newest backup where it holds all that there is, and is the archive that was written."""
    newest = newest_whole(this.found)
    if newest is None or newest.manifest is None or not newest.manifest.state:
        return None
    if newest.manifest.state != state_of(this.selected.entries, this.is_own):
        return None
    too_old = this.now - newest.made > timedelta(days=this.settings.backups.max_age_days)
    if too_old and changed_own_files(this.selected.entries, newest.manifest, this.is_own):
        return None
    try:
        is_intact = archive_digest(this.root, this.directory, newest.name, stop) == newest.manifest.archive_sha256
    except (safe_files.Refused, OSError):
        is_intact = False
    if not is_intact:
        this.findings.append(not_as_written(this.directory, newest))
    return newest if is_intact else None


def _report_held(this: _Creation, backup: Backup, *, dry_run: bool) -> Report:
    """Report which backup holds the state, and renew its age."""
    changed = changed_own_files(this.selected.entries, backup.manifest, this.is_own) if backup.manifest else 0
    findings = [*this.findings, held_finding(this.directory, backup, changed)]
    gone = this.outdated(this.found, findings, dry_run=dry_run)
    names = [manifest_name(backup.name)]
    if dry_run:
        actions = [write_action(this.directory, name, done=False) for name in (*names, FILE)]
        actions += [delete_action(this.directory, each, done=False) for each in gone]
    else:
        try:
            confirm(this.root, this.directory, backup, this.now)
        except (safe_files.Refused, OSError) as error:
            findings.append(not_confirmed(this.directory, backup, error))
            names = []
        actions = [write_action(this.directory, name, done=True) for name in names]
        actions += _delete(this, gone, findings)
    summary = f"nothing changed; {this.directory}/{backup.name} holds the state"
    report = Report(summary=summary, findings=findings, metrics=this.metrics(), actions=actions, dry_run=dry_run)
    return report if dry_run else _recorded(this, report, backup.size)


# Where an archive is made


def _plan(this: _Creation) -> Report:
    name = free_name({each.name for each in this.found}, this.now)
    actions = [write_action(this.directory, each, done=False) for each in (name, manifest_name(name), FILE)]
    findings = [*this.findings]
    gone = this.outdated([_planned(name, this), *this.found], findings, dry_run=True)
    actions += [delete_action(this.directory, backup, done=False) for backup in gone]
    files, total = (int(metric.value) for metric in this.metrics())
    summary = f"{count(files, 'file')} of {size(total)} would be backed up"
    return Report(summary=summary, findings=findings, metrics=this.metrics(), actions=actions, dry_run=True)


def _planned(name: str, this: _Creation) -> Backup:
    """Return the backup that a run would make, as far as it counts for which others are outdated."""
    files = [
        ManifestEntry(each.path, each.mode, each.mtime_ns, each.size, "-")
        for each in this.selected.entries
        if each.is_file
    ]
    return Backup(name, this.now, 0, Manifest(1, "", [], files), "")


def _made(this: _Creation, stop: Event, advance: Callable[[int], None]) -> Report:
    sources = this.settings.backups.sources
    try:
        made = make_backup(
            this.root, this.directory, this.selected, sources, this.now, stop, advance, is_own=this.is_own
        )
    except (NothingRead, Damaged, safe_files.Refused, OSError) as error:
        findings = [*this.findings, *failure_findings(this.directory, error)]
        return Report(summary="no backup", findings=findings, metrics=this.metrics())
    return _report_made(this, made)


def _report_made(this: _Creation, made: MadeBackup) -> Report:
    files = [entry for entry in made.manifest.entries if entry.is_file]
    total, packed = sum(entry.size for entry in files), made.manifest.archive_bytes
    share = f" ({percent(packed / total)})" if packed < total else ""
    message = f"{count(len(files), 'file')} of {size(total)} in {size(packed)}{share}, read back and compared."
    findings = [*this.findings, creation_finding(Status.OK, f"{this.directory}/{made.name}", message, None)]
    findings += not_as_selected(made.written)
    actions = [write_action(this.directory, name, done=True) for name in (made.name, manifest_name(made.name))]
    gone = this.outdated(_backups_found(this.root, this.directory), findings, made.written.unread, dry_run=False)
    actions += _delete(this, gone, findings)
    summary = f"{count(len(files), 'file')} of {size(total)} backed up in {size(packed)}"
    report = Report(summary=summary, findings=findings, metrics=this.metrics(), actions=actions)
    return _recorded(this, report, packed)


def _delete(this: _Creation, gone: Iterable[Backup], findings: list[Finding]) -> Iterator[Action]:
    """Delete backups; yield those that are gone, and add a finding for each that stays."""
    for backup in gone:
        try:
            delete(this.root, this.directory, backup.name)
        except (safe_files.Refused, OSError) as error:
            findings.append(not_deleted(this.directory, backup, error))
        else:
            yield delete_action(this.directory, backup, done=True)


def _recorded(this: _Creation, report: Report, packed: int) -> Report:
    """Return the report once it is among those of earlier creations; *packed*: bytes of the archive."""
    used = usage_by_entry(this.root / this.directory).total()
    metrics = [
        *report.metrics,
        Metric(name="backup.archive_bytes", value=packed, unit="B", subject=this.directory),
        Metric(name="capacity.used", value=used, unit="B", subject="backups"),
    ]
    written = [action.target for action in report.actions if action.verb == "write"]
    report = msgspec.structs.replace(report, metrics=metrics, files=written)
    return with_file(this.root, f"{this.directory}/{FILE}", report, this.now, check="backup.report")


def _backups_found(root: Path, directory: str) -> list[Backup]:
    try:
        return backups(root, directory)
    except (safe_files.Refused, OSError):
        return []
