"""``quarterly.backup-verification``: what is there, how old, how large, and whether it can be restored."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import msgspec
from msgspec import Meta

from ..core.files import safe_files, state_files
from ..core.files.state_files import Plain, StateFile
from ..core.files.validation import fault
from ..core.report.model import Action, Metric, Report, Status
from ..core.run.registry import own_files
from ..core.settings.model import Settings
from ..core.text.formatting import count, printable
from .archive_format import Damaged, Stopped, go_on
from .archive_reading import read_archive
from .backup_folder import TEST_FOLDER, Backup, backups, clear_scratches, fresh_scratch, with_manifest_inside
from .backup_history import days_old
from .manifest import Manifest
from .restore_target import Target
from .source_selection import select
from .verification_findings import (
    Level,
    VerificationRecord,
    Verified,
    age_finding,
    archive_findings,
    backup_finding,
    backup_rows,
    no_backup_report,
    size_findings,
    unsaved_findings,
)

TASK = "quarterly.backup-verification"


def verify(settings: Settings, *, now: datetime, stop: Event, dry_run: bool, advance: Callable[[int], None]) -> Report:
    """Verify the backups: the newest and, in turn, the others are restored and compared.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        stop: ends it where it is set; nothing stays of what was being restored.
        dry_run: read the archives in full, restore and write nothing.
        advance: called after each entry.
    """
    root, own = Path(settings.root), settings.backups
    is_own = own_files(settings).owns
    selected = select(root, own.sources, own.exclude, own.directory, stop)
    try:
        found = backups(root, own.directory)
    except (safe_files.Refused, OSError) as error:
        message = f"The folder cannot be read: {printable(error).rstrip('.')}."
        finding = backup_finding(
            "present", own.directory, Status.UNKNOWN, message, "See that it is a folder that can be read."
        )
        return Report(summary="no backup could be looked at", findings=[finding])
    if not found:
        return no_backup_report(own, settings.logs.directory, selected, is_own)
    ledger, kept = read_ledger(root, own.directory, now)
    chosen = {backup.name for backup in due_archives(found, ledger, own.verify_runs)}
    verified = _verify_chosen(root, own.directory, found, chosen, stop, advance, restore=not dry_run)
    restored = [each.backup.name for each in verified if each.level is Level.RESTORED]
    if not dry_run:
        ledger |= {each.backup.name: _record_of(each, ledger, now) for each in verified if each.backup.name in chosen}
    sound = [each.backup for each in verified if not each.problem]
    findings = [
        age_finding(own, found, [each for each in sound if not each.is_state_before], now),
        *size_findings(own, found),
        *(finding for each in verified for finding in archive_findings(own, each, tried=each.backup.name in chosen)),
        *unsaved_findings(own, sound, selected, is_own),
    ]
    if kept.problem:
        findings.append(
            backup_finding("ledger", f"{own.directory}/{FILE}", Status.WARNING, kept.problem, "Look at what wrote it.")
        )
    actions: list[Action] = []
    if dry_run:
        actions = [Action(verb="write", target=f"{own.directory}/{FILE}", done=False)]
    elif chosen and not stop.is_set():
        try:
            write_ledger(root, own.directory, ledger, kept, [backup.name for backup in found])
        except (safe_files.Refused, OSError) as error:
            message = f"What was verified could not be kept: {printable(error).rstrip('.')}."
            findings.append(
                backup_finding("ledger", own.directory, Status.WARNING, message, "See that it can be written.")
            )
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
        data={"backups": [*backup_rows(verified, ledger)]},
    )


def _verify_chosen(
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
            _verify_archive(root, directory, backup, stop, advance, restore=restore)
            if backup.name in chosen and not stop.is_set()
            else _without_reading(backup)
        )
    return verified


# One archive


def _without_reading(backup: Backup) -> Verified:
    if backup.manifest is None:
        return Verified(backup, Level.PRESENT, backup.problem)
    if not backup.is_whole:
        expected = backup.manifest.archive_bytes
        return Verified(backup, Level.PRESENT, f"it has {backup.size:,} bytes where {expected:,} were written")
    return Verified(backup, Level.WHOLE)


def _verify_archive(
    root: Path, directory: str, backup: Backup, stop: Event, advance: Callable[[int], None], *, restore: bool
) -> Verified:
    looked_at = _without_reading(backup)
    try:
        backup = with_manifest_inside(root, directory, backup, stop)
        looked_at = _without_reading(backup)
        if looked_at.level is not Level.WHOLE or backup.manifest is None:
            return looked_at
        if restore:
            faults = _faults_once_restored(root, directory, backup.name, backup.manifest, stop, advance)
            return Verified(backup, Level.RESTORED, faults=faults)
        _read_members(root, f"{directory}/{backup.name}", backup.manifest, None, stop, advance)
        return Verified(backup, Level.INTACT)
    except Stopped:
        return looked_at
    except Damaged as error:
        return Verified(backup, Level.WHOLE, str(error))
    except (safe_files.Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else printable(error).rstrip(".")
        return Verified(backup, Level.WHOLE, hindered=reason)
    finally:
        if restore:
            clear_scratches(root, directory, TEST_FOLDER)


def _faults_once_restored(
    root: Path, directory: str, name: str, manifest: Manifest, stop: Event, advance: Callable[[int], None]
) -> tuple[tuple[str, str], ...]:
    """Restore an archive and return the files that are broken by their own format."""
    scratch = fresh_scratch(root, directory, TEST_FOLDER)
    target = Target(root, scratch, manifest)
    _read_members(root, f"{directory}/{name}", manifest, target, stop, advance)
    target.finish()
    return tuple(_faults(root / scratch, manifest, stop))


def _record_of(each: Verified, ledger: Mapping[str, VerificationRecord], now: datetime) -> VerificationRecord:
    moment, before = now.isoformat(timespec="seconds"), ledger.get(each.backup.name)
    restored = moment if each.level is Level.RESTORED else before.restored if before else None
    return VerificationRecord(moment, restored)


def _read_members(
    root: Path,
    path: str,
    manifest: Manifest,
    target: Target | None,
    stop: Event,
    advance: Callable[[int], None],
) -> None:
    with safe_files.regular_file(root, path) as (descriptor, _), os.fdopen(descriptor, "rb", closefd=False) as archive:
        for member in read_archive(archive, manifest, stop):
            go_on(stop)
            if target is not None:
                target.add(member)
            advance(1)


def _faults(folder: Path, manifest: Manifest, stop: Event) -> Iterator[tuple[str, str]]:
    """Yield the files that are broken by their own format; one that is not as it was saved raises.

    Raises:
        Damaged: a restored file has another size or time than was saved.
        Stopped: that was asked for.
    """
    for entry in manifest.entries:
        if entry.is_file:
            path = folder / entry.name
            status = path.stat()
            if (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime_ns):
                raise Damaged(f'"{printable(entry.name)}" was restored with another size or time')
            found = fault(path, entry.name, stop)
            go_on(stop)
            if found:
                yield entry.name, found


FILE = "verified.json"


class _Turn(msgspec.Struct):
    """When an archive was tried and restored last (ISO 8601)."""

    tried: Annotated[str, Meta(max_length=64)]
    restored: Annotated[str, Meta(max_length=64)] | None = None


_Ledger = dict[Plain, _Turn]


def read_ledger(root: Path, directory: str, now: datetime) -> tuple[dict[str, VerificationRecord], StateFile[_Ledger]]:
    """Return the records by the names of archives, and what reading the file gave; one in the future counts as none."""
    found = state_files.read(root, f"{directory}/{FILE}", _Ledger)
    turns = (found.content or {}).items()
    return {name: VerificationRecord(turn.tried, turn.restored) for name, turn in turns if _is_past(turn, now)}, found


def _is_past(turn: _Turn, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(turn.tried) <= now
    except (ValueError, TypeError):
        return False


def due_archives(found: Sequence[Backup], ledger: Mapping[str, VerificationRecord], runs: int) -> list[Backup]:
    """Return the archives to restore in this run: the newest, and of the others those that wait longest.

    Args:
        found: all archives, the newest first.
        ledger: when each had its turn.
        runs: in how many runs each archive is to have its turn, at least 1.
    """
    newest = next((backup for backup in found if backup.is_whole), None)
    others = [backup for backup in found if backup is not newest]
    waiting = sorted(others, key=lambda backup: (_last_tried(ledger, backup), backup.name))
    return [*([newest] if newest else []), *waiting[: math.ceil(len(others) / max(runs, 1))]]


def _last_tried(ledger: Mapping[str, VerificationRecord], backup: Backup) -> str:
    return ledger[backup.name].tried if backup.name in ledger else ""


def write_ledger(
    root: Path,
    directory: str,
    ledger: Mapping[str, VerificationRecord],
    before: StateFile[_Ledger],
    names: Collection[str],
) -> None:
    """Keep the turns of the archives that are still there.

    Raises:
        Refused, OSError: it was not written.
    """
    kept = {name: turn._asdict() for name, turn in ledger.items() if name in names}
    state_files.write(root, f"{directory}/{FILE}", kept, before)
