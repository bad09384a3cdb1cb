"""How far each archive is known to be a backup, and what the verification reports of it: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec

from ..core.report.model import Finding, Report, Status
from ..core.settings.model import BackupSettings
from ..core.text.formatting import count, listed, printable, size
from .backup_folder import Backup
from .backup_history import days_old, usual_sizes, vanished
from .source_selection import Selected

_SHOWN = 3

_AHEAD = 5 / 1440
"""Days that a moment may lie ahead: clocks that are set by the network go back by seconds."""


class Level(StrEnum):
    """How far a backup is known to be one, each level with all before it."""

    PRESENT = "present"
    WHOLE = "whole"  # of the size that it had when it was made, with a manifest
    INTACT = "intact"  # read in full, every checksum right
    RESTORED = "restored"  # restored, every file as it was saved, and readable by its own format


class Verified(NamedTuple):
    """What was found of one archive.

    Attributes:
        backup: the archive.
        level: the highest that it reached.
        problem: why it did not reach the next; empty where it was not tried, or reached the last.
        hindered: why it could not be restored, where that says nothing of the archive.
        faults: files that were restored well and are broken by their own format, with what is wrong.
    """

    backup: Backup
    level: Level
    problem: str = ""
    hindered: str = ""
    faults: tuple[tuple[str, str], ...] = ()


class VerificationRecord(NamedTuple):
    """When an archive was tried last, and when it was restored last; ISO 8601, ``None`` for never."""

    tried: str
    restored: str | None


def no_backup_report(own: BackupSettings, logs: str, selected: Selected, is_own: Callable[[str], bool]) -> Report:
    """Return the report where the folder has no backup; it matters where there is anything to back up.

    Args:
        own: the settings.
        logs: the log folder.
        selected: what is there to back up.
        is_own: by path, whether a file is the suite's own: these are no reason for a backup.
    """
    if own.repositories:
        message = "There is no backup in this folder; the repositories are judged by themselves."
        return Report(
            summary="no backup in this folder",
            findings=[backup_finding("present", own.directory, Status.SKIPPED, message, None)],
        )
    there = [each.path for each in selected.entries if each.is_file and not is_own(each.path)]
    if not there:
        sources = listed(own.sources, len(own.sources))
        message = f"There is no backup, and nothing to back up in {sources}."
        return Report(
            summary="no backup", findings=[backup_finding("present", own.directory, Status.SKIPPED, message, None)]
        )
    message = f"There is no backup of {count(len(there), 'file')}: {listed(there, len(there), _SHOWN)}."
    only_records = all(PurePosixPath(path).is_relative_to(logs) for path in there)  # of a project that has just begun
    status = Status.WARNING if only_records else Status.CRITICAL
    finding = backup_finding("present", own.directory, status, message, "Run inv backup.create.")
    return Report(summary="no backup", findings=[finding])


_AHEAD_REMEDY = (
    "Look at the clock (date). Where it is right, it was wrong when that archive was made: move the archive and its "
    "manifest away, after restoring from it what no other one holds."
)


def age_finding(own: BackupSettings, found: Sequence[Backup], sound: Sequence[Backup], now: datetime) -> Finding:
    """Return the finding on how old the newest backup is that has no fault; of what is damaged the age says nothing."""
    warning, critical = own.max_age_days, 3 * own.max_age_days
    if not sound:
        message = f"Of {count(len(found), 'backup')}, none is without a fault."
        return backup_finding("recent", own.directory, Status.CRITICAL, message, "Run inv backup.create now.")
    days = days_old(sound[0], now)
    if days < -_AHEAD:
        message = f"The newest backup is dated {-days:.1f} days in the future, so that its age is not known."
        return backup_finding("recent", own.directory, Status.WARNING, message, _AHEAD_REMEDY)
    status = Status.CRITICAL if days > critical else Status.WARNING if days > warning else Status.OK
    which = "backup" if sound[0] is found[0] else "backup without a fault"
    return Finding(
        check="backup.recent",
        subject=own.directory,
        status=status,
        message=f"The newest {which} is {max(0.0, days):.1f} days old{_unchanged(sound[0])}.",
        value=round(days, 2),
        unit="days",
        warning=warning,
        critical=critical,
        remedy=None if status is Status.OK else "Run inv backup.create, and see that something runs it regularly.",
    )


def _unchanged(backup: Backup) -> str:
    return f"; it was made on {backup.made:%Y-%m-%d} and nothing changed since" if backup.as_of > backup.made else ""


def size_findings(own: BackupSettings, found: Sequence[Backup]) -> Iterator[Finding]:
    """Yield a warning where the newest backup is smaller or larger than is usual."""
    usual = usual_sizes(found[1:])
    newest = found[0]
    if usual is None or usual[0] <= newest.size <= usual[1]:
        return
    message = f"{newest.name} has {size(newest.size)}, where {size(usual[0])} to {size(usual[1])} are usual."
    path = f"{own.directory}/{newest.name}"
    yield backup_finding("size", path, Status.WARNING, message, "See whether data has gone, or much has come.")


def archive_findings(own: BackupSettings, each: Verified, *, tried: bool) -> Iterator[Finding]:
    """Yield the findings on one archive; *tried*: its turn was in this run."""
    path = f"{own.directory}/{printable(each.backup.name)}"
    if each.problem:
        what = "cannot be used" if each.level is Level.PRESENT else "is damaged"
        message = f"It {what}: {each.problem}."
        remedy = "Make a new one with inv backup.create, and delete this one where there is a better one."
        yield backup_finding("verified", path, Status.CRITICAL, message, remedy)
    elif each.hindered:
        message = f"Whether it can be restored is not known: {each.hindered}."
        remedy = f"Make room, and see that {printable(own.directory)} can be written; then run it again."
        yield backup_finding("verified", path, Status.UNKNOWN, message, remedy)
    elif tried and each.level is Level.RESTORED and each.backup.manifest is not None:
        number = sum(entry.is_file for entry in each.backup.manifest.entries)
        message = f"Restored: {count(number, 'file')}, each as it was saved."
        yield backup_finding("verified", path, Status.OK, message, None)
    elif tried:
        yield backup_finding("verified", path, Status.OK, f"It is {each.level.value}; it was not restored.", None)
    if each.backup.beside:
        message = f"It is known by the manifest inside only: {each.backup.beside}."
        remedy = "See who changed the folder of the backups; a copy elsewhere may have the manifest."
        yield backup_finding("verified", path, Status.WARNING, message, remedy)
    if each.faults:
        broken = [f"{printable(name)} ({found})" for name, found in each.faults]
        more = f" and {len(broken) - _SHOWN:,} more" if len(broken) > _SHOWN else ""
        message = f"{count(len(broken), 'file')} broken when it was saved: {'; '.join(broken[:_SHOWN])}{more}."
        yield backup_finding("content", path, Status.WARNING, message, "Look at these; an older backup may help.")


def unsaved_findings(
    own: BackupSettings, sound: Sequence[Backup], selected: Selected, is_own: Callable[[str], bool]
) -> Iterator[Finding]:
    """Yield the files of the sources that were there when the newest backup was made and that no backup holds.

    Only backups without a fault count; where there is none, the finding on their age says so. The suite's own files are
    left out: each run writes some.
    """
    if not sound:
        return
    if gone := vanished(sound, selected, own.sources):
        message = f"Of what the last backup holds, nothing is there any more: {gone}."
        remedy = "See whether a disk is not mounted; if it is to be gone, take it out of backups.sources."
        yield backup_finding("sources", "sources", Status.WARNING, message, remedy)
        return
    if unread := [path for path, _ in selected.unread]:
        message = f"What is there is not known: {listed(unread, len(unread))} cannot be read."
        yield backup_finding("sources", "sources", Status.UNKNOWN, message, "Run it as a user who can read these.")
        return
    saved = {entry.name for backup in sound if backup.manifest for entry in backup.manifest.entries}
    made = sound[0].made.timestamp() * 1e9
    missing = [
        entry for entry in selected.entries if entry.is_file and entry.path not in saved and not is_own(entry.path)
    ]
    unsaved = [entry.path for entry in missing if entry.mtime_ns < made]
    if unsaved:
        message = f"{count(len(unsaved), 'file')} in no backup: {listed(unsaved, len(unsaved), _SHOWN)}."
        finding = backup_finding("sources", "sources", Status.WARNING, message, "Run inv backup.create.")
        yield msgspec.structs.replace(finding, value=len(unsaved), unit="files")
    else:
        new = f"; {count(len(missing), 'file')} came after the newest one" if missing else ""
        yield backup_finding("sources", "sources", Status.OK, f"Every file that was there is in a backup{new}.", None)


def backup_rows(verified: Sequence[Verified], ledger: Mapping[str, VerificationRecord]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of backups."""
    for each in verified:
        manifest = each.backup.manifest
        yield {
            "backup": each.backup.name,
            "size": size(each.backup.size),
            "files": None if manifest is None else sum(entry.is_file for entry in manifest.entries),
            "level": each.level.value,
            "last restored": _day(ledger.get(each.backup.name)),
        }


def _day(turn: VerificationRecord | None) -> str | None:
    return turn.restored[:10] if turn and turn.restored else None


def backup_finding(check: str, subject: str, status: Status, message: str, remedy: str | None) -> Finding:
    """Return a finding of ``backup.`` and the name of a check."""
    return Finding(check=f"backup.{check}", subject=subject, status=status, message=message, remedy=remedy)
