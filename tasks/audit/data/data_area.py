"""The area *data*: every data file can be read by its format, and is what it was at the last audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ...core.files import safe_files
from ...core.report.model import Action, Finding, Status
from ...core.run.registry import own_files
from ...core.settings.model import Settings
from ...core.text.formatting import count, listed, printable
from ..audit_checks import CHECKSUMS, DATA_CHECKS, PARSES
from . import data_checksums
from .data_changes import ChangeKind, DataChange, data_changes, records_to_keep
from .data_checksums import DataFiles, take_checksums
from .data_commits import read_commits

_SHOWN = 5


class ExaminedData(NamedTuple):
    """What was found, and what was written or would be."""

    findings: list[Finding]
    actions: list[Action]


def examine_data(
    settings: Settings, *, now: datetime, stop: Event, advance: Callable[[int], None], dry_run: bool
) -> ExaminedData:
    """Read every data file, and compare it with what the last audit kept.

    Args:
        settings: the project's.
        now: the moment of the audit.
        stop: ends it between two files where it is set; then nothing is kept.
        advance: called after each file.
        dry_run: keep nothing.
    """
    root, directory = Path(settings.root), settings.logs.directory
    found, before = (
        take_checksums(root, settings.audit.data, own_files(settings).owns, stop, advance),
        data_checksums.read_checksums(root, directory),
    )
    if not found.records and not found.unread and not before.records:
        message = f"There are no files in {listed(settings.audit.data, len(settings.audit.data))}."
        return ExaminedData([check.finding(Status.SKIPPED, "data", message) for check in DATA_CHECKS], [])
    findings = [*_parse_findings(found)]
    changed: list[DataChange] = []
    if before.moment is None:
        findings.append(_first_audit(before, len(found.records)))
    else:
        since, reason = read_commits(root, [*found.records, *before.records], before.moment)
        unread = found.unread.keys()
        known = {path: record for path, record in before.records.items() if path not in unread}
        changed = data_changes(known, found.records, since)
        findings += _change_findings(changed, len(found.records), before.moment, reason)
    if stop.is_set():
        return ExaminedData(findings, [])
    target = f"{directory}/{data_checksums.FILE}"
    if not dry_run:
        still = {path: record for path, record in before.records.items() if path in found.unread}
        try:
            data_checksums.write_checksums(
                root, directory, {**still, **records_to_keep(before.records, found.records, changed)}, now, before
            )
        except (safe_files.Refused, OSError) as error:
            message = f"The checksums could not be kept: {printable(error).rstrip('.')}."
            findings.append(CHECKSUMS.finding(Status.WARNING, target, message, "See that it can be written."))
            return ExaminedData(findings, [])
    return ExaminedData(findings, [Action(verb="write", target=target, done=not dry_run)])


def _parse_findings(found: DataFiles) -> Iterator[Finding]:
    for path, reason in found.unread.items():
        message = f"It cannot be read: {reason}."
        yield PARSES.finding(Status.UNKNOWN, printable(path), message, "See that it can be read.")
    for path, problem in found.faults.items():
        message = f"It cannot be used: {problem}."
        yield PARSES.finding(Status.CRITICAL, printable(path), message, "Mend it, or restore it from a backup.")
    if not found.faults:
        message = f"{count(len(found.records), 'file')} read; each that has a known format can be used."
        yield PARSES.finding(Status.OK, "data", message, value=len(found.records), unit="files")


def _first_audit(before: data_checksums.KeptChecksums, number: int) -> Finding:
    if before.found.problem:
        message = f"{before.found.problem} Nothing can be compared; the checksums begin anew."
        return CHECKSUMS.finding(Status.UNKNOWN, data_checksums.FILE, message, "Look at what wrote it.")
    message = f"The checksums of {count(number, 'file')} are kept from now on."
    return CHECKSUMS.finding(Status.SKIPPED, "data", message)


def _change_findings(found: Sequence[DataChange], number: int, moment: datetime, no_git: str) -> Iterator[Finding]:
    for change in found:
        if change.kind is ChangeKind.SILENT and not change.explained:
            message = f"It was damaged since {moment.date()}: {change.why}."
            remedy = "Restore it from a backup (inv backup.restore); look at the disk. If it is meant, touch it."
            yield CHECKSUMS.finding(Status.CRITICAL, printable(change.path), message, remedy)
    odd = [change for change in found if not change.explained and change.kind is not ChangeKind.SILENT]
    for kind, remedy in (
        (ChangeKind.CHANGED, "Look at it with git diff; commit it, or restore it."),
        (ChangeKind.GONE, "Restore it from a backup (inv backup.restore) unless it is meant to be gone."),
    ):
        paths = [change.path for change in odd if change.kind is kind]
        if paths:
            why = next(change.why for change in odd if change.kind is kind)
            message = f"{count(len(paths), 'file')} {kind.value} since {moment.date()}, and {why}: "
            message += f"{listed(paths, len(paths), _SHOWN)}."
            yield CHECKSUMS.finding(
                Status.WARNING, f"data {kind.value}", message, remedy, value=len(paths), unit="files"
            )
    if not odd and not any(change.kind is ChangeKind.SILENT and not change.explained for change in found):
        explained = [
            f"{printable(change.path)} ({change.why})" for change in found if change.kind is not ChangeKind.NEW
        ]
        summary = f"; changed: {', '.join(explained[:_SHOWN])}" if explained else ""
        summary += f" and {len(explained) - _SHOWN:,} more" if len(explained) > _SHOWN else ""
        git = f" Git was not asked: {no_git}." if explained and no_git else ""
        message = f"{count(number, 'file')} compared with {moment.date()}{summary}.{git}"
        yield CHECKSUMS.finding(Status.OK, "data", message, value=len(explained), unit="files")
