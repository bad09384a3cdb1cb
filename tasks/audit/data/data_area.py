"""The checks of data integrity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.report.model import Action, Finding, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, listed, printable
from ..checks import Check
from . import checksum_ledger
from .changes import Change, Kind, changes, kept
from .git_history import history
from .inventory import Found, take

PARSES = Check("audit.data", "data", 8, "every data file can be read by its own format")
CHECKSUMS = Check("audit.checksums", "data", 6, "every data file is what it was, or somebody changed it")

CHECKS = (PARSES, CHECKSUMS)

_SHOWN = 5


class Examined(NamedTuple):
    """What was found, and what was written or would be."""

    findings: list[Finding]
    actions: list[Action]


def examine(
    settings: Settings, *, now: datetime, stop: Event, advance: Callable[[int], None], dry_run: bool
) -> Examined:
    """Read every data file, and compare it with what the last audit kept.

    Args:
        settings: the project's.
        now: the moment of the audit.
        stop: ends it between two files where it is set; then nothing is kept.
        advance: told after each file.
        dry_run: keep nothing.
    """
    root, directory = Path(settings.root), settings.logs.directory
    found, before = take(root, settings.audit.data, stop, advance), checksum_ledger.read(root, directory)
    if not found.records and not found.unread and not before.records:
        message = f"There are no files in {listed(settings.audit.data, len(settings.audit.data))}."
        return Examined([check.finding(Status.SKIPPED, "data", message) for check in CHECKS], [])
    findings = [*_parsing(found)]
    changed: list[Change] = []
    if before.taken is None:
        findings.append(_first(before, len(found.records)))
    else:
        since, reason = history(root, [*found.records, *before.records], before.taken)
        unread = found.unread.keys()
        known = {path: record for path, record in before.records.items() if path not in unread}
        changed = changes(known, found.records, since)
        findings += _judged(changed, len(found.records), before.taken, reason)
    if stop.is_set():
        return Examined(findings, [])
    target = f"{directory}/{checksum_ledger.FILE}"
    if not dry_run:
        still = {path: record for path, record in before.records.items() if path in found.unread}
        try:
            checksum_ledger.write(
                root, directory, {**still, **kept(before.records, found.records, changed)}, now, before
            )
        except (safe_files.Refused, OSError) as error:
            message = f"The checksums could not be kept: {printable(error).rstrip('.')}."
            findings.append(CHECKSUMS.finding(Status.WARNING, target, message, "See that it can be written."))
            return Examined(findings, [])
    return Examined(findings, [Action(verb="write", target=target, done=not dry_run)])


def _parsing(found: Found) -> Iterator[Finding]:
    for path, reason in found.unread.items():
        message = f"It cannot be read: {reason}."
        yield PARSES.finding(Status.UNKNOWN, printable(path), message, "See that it can be read.")
    for path, problem in found.faults.items():
        message = f"It cannot be used: {problem}."
        yield PARSES.finding(Status.CRITICAL, printable(path), message, "Mend it, or restore it from a backup.")
    if not found.faults:
        message = f"{count(len(found.records), 'file')} read; each that has a known format can be used."
        yield PARSES.finding(Status.OK, "data", message, value=len(found.records), unit="files")


def _first(before: checksum_ledger.Kept, number: int) -> Finding:
    if before.found.problem:
        message = f"{before.found.problem} Nothing can be compared; the checksums begin anew."
        return CHECKSUMS.finding(Status.UNKNOWN, checksum_ledger.FILE, message, "Look at what wrote it.")
    message = f"The checksums of {count(number, 'file')} are kept from now on."
    return CHECKSUMS.finding(Status.SKIPPED, "data", message)


def _judged(found: Sequence[Change], number: int, taken: datetime, no_git: str) -> Iterator[Finding]:
    for change in found:
        if change.kind is Kind.SILENT and not change.explained:
            message = f"It was damaged since {taken.date()}: {change.why}."
            remedy = "Restore it from a backup (inv backup.restore); look at the disk. If it is meant, touch it."
            yield CHECKSUMS.finding(Status.CRITICAL, printable(change.path), message, remedy)
    odd = [change for change in found if not change.explained and change.kind is not Kind.SILENT]
    for kind, remedy in (
        (Kind.CHANGED, "Look at it with git diff; commit it, or restore it."),
        (Kind.GONE, "Restore it from a backup (inv backup.restore) unless it is meant to be gone."),
    ):
        paths = [change.path for change in odd if change.kind is kind]
        if paths:
            why = next(change.why for change in odd if change.kind is kind)
            message = f"{count(len(paths), 'file')} {kind.value} since {taken.date()}, and {why}: "
            message += f"{listed(paths, len(paths), _SHOWN)}."
            yield CHECKSUMS.finding(
                Status.WARNING, f"data {kind.value}", message, remedy, value=len(paths), unit="files"
            )
    if not odd and not any(change.kind is Kind.SILENT and not change.explained for change in found):
        explained = [f"{printable(change.path)} ({change.why})" for change in found if change.kind is not Kind.NEW]
        told = f"; changed: {', '.join(explained[:_SHOWN])}" if explained else ""
        told += f" and {len(explained) - _SHOWN:,} more" if len(explained) > _SHOWN else ""
        git = f" Git was not asked: {no_git}." if explained and no_git else ""
        message = f"{count(number, 'file')} compared with {taken.date()}{told}.{git}"
        yield CHECKSUMS.finding(Status.OK, "data", message, value=len(explained), unit="files")
