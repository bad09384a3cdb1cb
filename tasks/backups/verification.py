"""``quarterly.backup-verification``: what is there, how old, how large, and whether it can be restored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any, NamedTuple

import msgspec

from ..core.files import safe_files
from ..core.files.validation import fault
from ..core.report.model import Action, Finding, Metric, Report, Status
from ..core.settings.model import BackupSettings, Settings
from ..core.text.formatting import count, listed, printable, size
from .archive import Damaged, Stopped, read_archive
from .manifest import Manifest
from .plausibility import days_old, usual_sizes, vanished
from .restoring import Target, require_safe
from .selection import Selected, select
from .store import TEST, Backup, backups, clear_scratch
from .verification_ledger import FILE, Turn, read_ledger, turn, write_ledger

TASK = "quarterly.backup-verification"

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


def verify(settings: Settings, *, now: datetime, stop: Event, dry_run: bool, advance: Callable[[int], None]) -> Report:
    """Verify the backups: the newest and, in turn, the others are restored and compared.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        stop: ends it where it is set; nothing stays of what was being restored.
        dry_run: read the archives in full, restore and write nothing.
        advance: told after each entry.
    """
    root, own = Path(settings.root), settings.backups
    selected = select(root, own.sources, own.exclude, own.directory, stop)
    try:
        found = backups(root, own.directory)
    except (safe_files.Refused, OSError) as error:
        message = f"The folder cannot be read: {printable(error).rstrip('.')}."
        finding = _finding(
            "present", own.directory, Status.UNKNOWN, message, "See that it is a folder that can be read."
        )
        return Report(summary="no backup could be looked at", findings=[finding])
    if not found:
        return _nothing(own, settings.logs.directory, selected)
    ledger, kept = read_ledger(root, own.directory, now)
    chosen = {backup.name for backup in turn(found, ledger, own.verify_runs)}
    verified = _in_turn(root, own.directory, found, chosen, stop, advance, restore=not dry_run)
    restored = [each.backup.name for each in verified if each.level is Level.RESTORED]
    if not dry_run:
        ledger |= {each.backup.name: _turned(each, ledger, now) for each in verified if each.backup.name in chosen}
    sound = [each.backup for each in verified if not each.problem]
    findings = [
        _age(own, found, [each for each in sound if not each.is_state_before], now),
        *_sizes(own, found),
        *(finding for each in verified for finding in _judged(own, each, tried=each.backup.name in chosen)),
        *_unsaved(own, sound, selected),
    ]
    if kept.problem:
        findings.append(
            _finding("ledger", f"{own.directory}/{FILE}", Status.WARNING, kept.problem, "Look at what wrote it.")
        )
    actions: list[Action] = []
    if dry_run:
        actions = [Action(verb="write", target=f"{own.directory}/{FILE}", done=False)]
    elif chosen and not stop.is_set():
        try:
            write_ledger(root, own.directory, ledger, kept, [backup.name for backup in found])
        except (safe_files.Refused, OSError) as error:
            message = f"What was verified could not be kept: {printable(error).rstrip('.')}."
            findings.append(_finding("ledger", own.directory, Status.WARNING, message, "See that it can be written."))
        else:
            actions = [Action(verb="write", target=f"{own.directory}/{FILE}")]
    return Report(
        summary=f"{count(len(found), 'backup')}, {len(restored)} restored and compared",
        findings=findings,
        metrics=[
            Metric(name="backup.count", value=len(found), unit="backups", subject=own.directory),
            Metric(name="backup.bytes", value=sum(each.size for each in found), unit="B", subject=own.directory),
            Metric(name="backup.age", value=round(days_old(found[0], now), 2), unit="days", subject=own.directory),
        ],
        actions=actions,
        files=[action.target for action in actions if action.done],
        data={"backups": [*_rows(verified, ledger)]},
    )


def _in_turn(
    root: Path,
    directory: str,
    found: Sequence[Backup],
    chosen: set[str],
    stop: Event,
    advance: Callable[[int], None],
    *,
    restore: bool,
) -> list[Verified]:
    """Verify the chosen archives, and add those that are tried because none before them could be restored."""
    enough = Level.RESTORED if restore else Level.INTACT
    verified: list[Verified] = []
    for backup in found:
        if backup.is_whole and not any(each.level is enough for each in verified):
            chosen.add(backup.name)
        verified.append(
            _verified(root, directory, backup, stop, advance, restore=restore)
            if backup.name in chosen and not stop.is_set()
            else _looked_at(backup)
        )
    return verified


def _nothing(own: BackupSettings, logs: str, selected: Selected) -> Report:
    if own.repositories:
        message = "There is no backup in this folder; the repositories are judged by themselves."
        return Report(
            summary="no backup in this folder",
            findings=[_finding("present", own.directory, Status.SKIPPED, message, None)],
        )
    if not selected.entries:
        sources = listed(own.sources, len(own.sources))
        message = f"There is no backup, and nothing to back up in {sources}."
        return Report(summary="no backup", findings=[_finding("present", own.directory, Status.SKIPPED, message, None)])
    there = [each.path for each in selected.entries if each.is_file]
    message = f"There is no backup of {count(len(there), 'file')}: {listed(there, len(there), _SHOWN)}."
    only_records = all(PurePosixPath(path).is_relative_to(logs) for path in there)  # of a project that has just begun
    status = Status.WARNING if only_records else Status.CRITICAL
    finding = _finding("present", own.directory, status, message, "Run inv backup.create.")
    return Report(summary="no backup", findings=[finding])


# One archive


def _looked_at(backup: Backup) -> Verified:
    if backup.manifest is None:
        return Verified(backup, Level.PRESENT, backup.problem)
    if not backup.is_whole:
        expected = backup.manifest.archive_bytes
        return Verified(backup, Level.PRESENT, f"it has {backup.size:,} bytes where {expected:,} were written")
    return Verified(backup, Level.WHOLE)


def _verified(
    root: Path, directory: str, backup: Backup, stop: Event, advance: Callable[[int], None], *, restore: bool
) -> Verified:
    looked_at = _looked_at(backup)
    if looked_at.level is not Level.WHOLE or backup.manifest is None:
        return looked_at
    scratch = f"{directory}/{TEST}"
    target = Target(root, scratch) if restore else None
    try:
        if restore:
            clear_scratch(root, directory, TEST)  # what a killed run left
        require_safe(backup.manifest)
        _read(root, f"{directory}/{backup.name}", backup.manifest, target, stop, advance)
        if target is None:
            return Verified(backup, Level.INTACT)
        target.finish()
        faults = tuple(_faults(root / scratch, backup.manifest))
    except Stopped:
        return looked_at
    except Damaged as error:
        return Verified(backup, Level.WHOLE, str(error))
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        return Verified(backup, Level.WHOLE, hindered=reason)
    finally:
        if restore:
            with suppress(OSError, safe_files.Refused):
                clear_scratch(root, directory, TEST)
    return Verified(backup, Level.RESTORED, faults=faults)


def _turned(each: Verified, ledger: Mapping[str, Turn], now: datetime) -> Turn:
    moment, before = now.isoformat(timespec="seconds"), ledger.get(each.backup.name)
    restored = moment if each.level is Level.RESTORED else before.restored if before else None
    return Turn(moment, restored)


def _read(
    root: Path,
    path: str,
    manifest: Manifest,
    target: Target | None,
    stop: Event,
    advance: Callable[[int], None],
) -> None:
    with safe_files.regular_file(root, path) as (descriptor, _), os.fdopen(descriptor, "rb", closefd=False) as archive:
        for member in read_archive(archive, manifest):
            if stop.is_set():
                raise Stopped
            if target is not None:
                target.add(member)
            advance(1)


def _faults(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the files that are broken by their own format; one that is not as it was saved raises.

    Raises:
        Damaged: a restored file has another size or time than was saved.
    """
    for held in manifest.entries:
        if held.is_file:
            path = folder / held.name
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) != (held.size, held.mtime_ns):
                raise Damaged(f'"{printable(held.name)}" was restored with another size or time')
            if found := fault(path, held.name):
                yield held.name, found


# What is told


def _age(own: BackupSettings, found: Sequence[Backup], sound: Sequence[Backup], now: datetime) -> Finding:
    """Return the finding on how old the newest backup is that has no fault; of what is damaged the age says nothing."""
    warning, critical = own.max_age_days, 3 * own.max_age_days
    if not sound:
        message = f"Of {count(len(found), 'backup')}, none is without a fault."
        return _finding("recent", own.directory, Status.CRITICAL, message, "Run inv backup.create now.")
    days = days_old(sound[0], now)
    if days < -_AHEAD:
        message = f"The newest backup is dated {-days:.1f} days in the future, so that its age is not known."
        return _finding("recent", own.directory, Status.WARNING, message, "Set the clock of the machine that made it.")
    status = Status.CRITICAL if days > critical else Status.WARNING if days > warning else Status.OK
    which = "backup" if sound[0] is found[0] else "backup without a fault"
    return Finding(
        check="backup.recent",
        subject=own.directory,
        status=status,
        message=f"The newest {which} is {max(0.0, days):.1f} days old.",
        value=round(days, 2),
        unit="days",
        warning=warning,
        critical=critical,
        remedy=None if status is Status.OK else "Run inv backup.create, and see that something runs it regularly.",
    )


def _sizes(own: BackupSettings, found: Sequence[Backup]) -> Iterator[Finding]:
    usual = usual_sizes(found[1:])
    newest = found[0]
    if usual is None or usual[0] <= newest.size <= usual[1]:
        return
    message = f"{newest.name} has {size(newest.size)}, where {size(usual[0])} to {size(usual[1])} are usual."
    path = f"{own.directory}/{newest.name}"
    yield _finding("size", path, Status.WARNING, message, "See whether data has gone, or much has come.")


def _judged(own: BackupSettings, each: Verified, *, tried: bool) -> Iterator[Finding]:
    path = f"{own.directory}/{printable(each.backup.name)}"
    if each.problem:
        what = "cannot be used" if each.level is Level.PRESENT else "is damaged"
        message = f"It {what}: {each.problem}."
        remedy = "Make a new one with inv backup.create, and delete this one where there is a better one."
        yield _finding("verified", path, Status.CRITICAL, message, remedy)
    elif each.hindered:
        message = f"Whether it can be restored is not known: {each.hindered}."
        remedy = f"Make room, and see that {printable(own.directory)} can be written; then run it again."
        yield _finding("verified", path, Status.UNKNOWN, message, remedy)
    elif tried and each.level is Level.RESTORED and each.backup.manifest is not None:
        number = sum(entry.is_file for entry in each.backup.manifest.entries)
        message = f"Restored: {count(number, 'file')}, each as it was saved."
        yield _finding("verified", path, Status.OK, message, None)
    elif tried:
        yield _finding("verified", path, Status.OK, f"It is {each.level.value}; it was not restored.", None)
    if each.faults:
        told = [f"{printable(name)} ({found})" for name, found in each.faults]
        more = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
        message = f"{count(len(told), 'file')} broken when it was saved: {'; '.join(told[:_SHOWN])}{more}."
        yield _finding("content", path, Status.WARNING, message, "Look at these; an older backup may help.")


def _unsaved(own: BackupSettings, sound: Sequence[Backup], selected: Selected) -> Iterator[Finding]:
    """Yield the files of the sources that were there when the newest backup was made and that no backup holds.

    Only backups without a fault count; where there is none, that is told with their age.
    """
    if not sound:
        return
    if gone := vanished(sound, selected, own.sources):
        message = f"Of what the last backup holds, nothing is there any more: {gone}."
        remedy = "See whether a disk is not mounted; if it is to be gone, take it out of backups.sources."
        yield _finding("sources", "sources", Status.WARNING, message, remedy)
        return
    if unread := [path for path, reason in selected.left if "cannot be" in reason]:
        message = f"What is there is not known: {listed(unread, len(unread))} cannot be read."
        yield _finding("sources", "sources", Status.UNKNOWN, message, "Run it as a user who can read these.")
        return
    held = {entry.name for backup in sound if backup.manifest for entry in backup.manifest.entries}
    made = sound[0].made.timestamp() * 1e9
    missing = [entry for entry in selected.entries if entry.is_file and entry.path not in held]
    unsaved = [entry.path for entry in missing if entry.mtime_ns < made]
    if unsaved:
        message = f"{count(len(unsaved), 'file')} in no backup: {listed(unsaved, len(unsaved), _SHOWN)}."
        finding = _finding("sources", "sources", Status.WARNING, message, "Run inv backup.create.")
        yield msgspec.structs.replace(finding, value=len(unsaved), unit="files")
    else:
        new = f"; {count(len(missing), 'file')} came after the newest one" if missing else ""
        yield _finding("sources", "sources", Status.OK, f"Every file that was there is in a backup{new}.", None)


def _rows(verified: Sequence[Verified], ledger: Mapping[str, Turn]) -> Iterator[dict[str, Any]]:
    for each in verified:
        manifest = each.backup.manifest
        yield {
            "backup": each.backup.name,
            "size": size(each.backup.size),
            "files": None if manifest is None else sum(entry.is_file for entry in manifest.entries),
            "level": each.level.value,
            "last restored": _day(ledger.get(each.backup.name)),
        }


def _day(turn: Turn | None) -> str | None:
    return turn.restored[:10] if turn and turn.restored else None


def _finding(check: str, subject: str, status: Status, message: str, remedy: str | None) -> Finding:
    return Finding(check=f"backup.{check}", subject=subject, status=status, message=message, remedy=remedy)
