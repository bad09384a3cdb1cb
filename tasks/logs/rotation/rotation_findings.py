"""The report on the outcome of a rotation: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...core.report.model import Action, Finding, Metric, Report, Status
from ...core.run.clock import Withheld
from ...core.text.formatting import count, hours, listed, printable, size
from ..log_archives import FOLDER
from ..log_folder import no_logs
from .rotation_outcome import ArchiveExpiry, LeftLog, LeftReason, RecoveredRotation, RotatedLog, RotationOutcome
from .strategy import Strategy

MOST = 20
"""Findings of one kind that are reported one by one; more of them become one finding with their number."""


class _LeftKind(NamedTuple):
    check: str
    status: Status
    several: str
    remedy: str | None


_LEFT_KINDS = {
    LeftReason.IN_USE: _LeftKind(
        "logs.in-use",
        Status.WARNING,
        "were left, for somebody writes to them in a way that allows no safe rotation",
        "Rotate while it is stopped; on ext4 and XFS, a program that appends may go on. "
        "maintenance.logs.allow_copytruncate accepts that lines are lost.",
    ),
    LeftReason.NOTHING_YET: _LeftKind(
        "logs.in-use",
        Status.OK,
        "are in use and hold less than a block of whole lines: left for the next time",
        None,
    ),
    LeftReason.REFUSED: _LeftKind(
        "logs.refused",
        Status.WARNING,
        "were left, for they are links, have several names or are no regular files",
        "Put a regular file with one name in its place, or exclude the name in maintenance.logs.pattern.",
    ),
    LeftReason.FOREIGN: _LeftKind(
        "logs.refused",
        Status.WARNING,
        "were left, for they belong to another user, who could not write to logs that we begin anew",
        "Run it as root, or as the owner of the logs.",
    ),
    LeftReason.UNREADABLE: _LeftKind(
        "logs.unreadable",
        Status.UNKNOWN,
        "cannot be read",
        "Run it as the owner of the logs, or let that user read them.",
    ),
    LeftReason.FAILED: _LeftKind(
        "logs.rotation-failed",
        Status.CRITICAL,
        "could not be archived",
        "Put that right and run inv weekly.log-rotation again.",
    ),
    LeftReason.FULL: _LeftKind(
        "logs.rotation-failed",
        Status.CRITICAL,
        "could not be archived, for there is no room",
        "Free space on that disk (--older-than-days 30 deletes more archives), then run it again.",
    ),
}


def evaluate(outcome: RotationOutcome) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    return Report(
        summary=_summary(outcome),
        dry_run=outcome.dry_run,
        findings=[*findings(outcome)],
        metrics=[*metrics(outcome)],
        actions=[*actions(outcome)],
        data=_data(outcome),
    )


def _summary(outcome: RotationOutcome) -> str:
    if outcome.missing:
        return "there is no log folder"
    if outcome.closed and not outcome.rotated:
        return "the logs could not be rotated"
    if _found_nothing(outcome):
        return "no logs"
    archived_bytes = sum(entry.bytes for entry in outcome.rotated)
    would = "would be " if outcome.dry_run else ""
    text = f"{count(len(outcome.rotated), 'log')} {would}archived ({size(archived_bytes)}"
    text += f", {size(_written(outcome))} packed)" if outcome.rotated and not outcome.dry_run else ")"
    if outcome.expiry:
        number = sum(number for number, _ in outcome.expiry.deleted.values())
        text += f", {count(number, 'old archive')} {would}deleted"
    left = sum(1 for entry in outcome.left if _LEFT_KINDS[entry.why].status is not Status.OK)
    if left:
        text += f", {left:,} left"
    return f"interrupted: {text} until then" if outcome.interrupted else text


def _found_nothing(outcome: RotationOutcome) -> bool:
    """Tell whether there was neither a log nor an archive."""
    expiry = outcome.expiry
    if expiry is None or outcome.missing or outcome.closed or outcome.interrupted:
        return False
    return not (outcome.logs or outcome.left or expiry.deleted or expiry.withheld or expiry.failed or expiry.months)


def _written(outcome: RotationOutcome) -> int:
    return sum(entry.size or 0 for entry in outcome.rotated)


def findings(outcome: RotationOutcome) -> Iterator[Finding]:
    """Yield the findings on a rotation, for its own report or that of a procedure which rotates."""
    directory = printable(outcome.directory)
    if outcome.interrupted:
        yield Finding(
            check="logs.interrupted",
            subject=directory,
            status=Status.UNKNOWN,
            message="It was told to stop (Ctrl-C or kill); what it had not reached is as it was.",
            remedy="Run inv weekly.log-rotation again.",
        )
    if outcome.missing:
        yield Finding(
            check="logs.folder",
            subject=directory,
            status=Status.SKIPPED,
            message="There is no such folder, so there are no logs to rotate.",
            remedy="Correct maintenance.logs.directory, should the project log elsewhere.",
        )
    if outcome.closed:
        yield Finding(
            check="logs.folder",
            subject=directory,
            status=Status.UNKNOWN,
            message=outcome.closed,
            remedy="Put that right, or name another folder in maintenance.logs.directory.",
        )
    yield from map(_recovery_finding, outcome.recovered)
    yield from _rotated_findings(directory, outcome)
    for why in LeftReason:
        yield from _left_findings(directory, why, [entry for entry in outcome.left if entry.why is why])
    if _found_nothing(outcome):
        yield no_logs(directory)
    elif outcome.expiry:
        yield from _expiry_findings(directory, outcome.expiry, dry_run=outcome.dry_run)


def _recovery_finding(recovered: RecoveredRotation) -> Finding:
    status = Status.CRITICAL if recovered.corrupt else Status.WARNING if recovered.problem else Status.OK
    return Finding(
        check="logs.archive-corrupt" if recovered.corrupt else "logs.recovered",
        subject=printable(recovered.subject),
        status=status,
        message=recovered.message,
        remedy="Look at the files named, then move them away." if recovered.problem else None,
    )


def _rotated_findings(directory: str, outcome: RotationOutcome) -> Iterator[Finding]:
    would = "would be " if outcome.dry_run else ""
    lossy = [entry for entry in outcome.rotated if entry.strategy is Strategy.TRUNCATE]
    if len(outcome.rotated) > MOST:
        archived_bytes = sum(entry.bytes for entry in outcome.rotated)
        text = f"{count(len(outcome.rotated), 'log')} {would}archived: {size(archived_bytes)}"
        text += "." if outcome.dry_run else _ratio(archived_bytes, _written(outcome))
        yield Finding(
            check="logs.rotated",
            subject=directory,
            status=Status.OK,
            message=text,
            value=len(outcome.rotated),
            unit="files",
        )
        if lossy:
            text = f"{listed([entry.log for entry in lossy], len(lossy))} {would}copied and truncated: {_LOSS}"
            yield Finding(
                check="logs.rotated",
                subject=directory,
                status=Status.OK,
                message=text,
                value=len(lossy),
                unit="files",
            )
        return
    for entry in outcome.rotated:
        yield Finding(
            check="logs.rotated",
            subject=f"{directory}/{printable(entry.log)}",
            status=Status.OK,
            message=_rotated_message(entry, would),
            value=entry.bytes,
            unit="B",
        )


_LOSS = "what was written in that moment may be lost, which maintenance.logs.allow_copytruncate accepts."


def _rotated_message(entry: RotatedLog, would: str) -> str:
    text = f"{size(entry.bytes)} {would}archived"
    if entry.size is not None:
        text += f" in {printable(entry.archive)}{_ratio(entry.bytes, entry.size)}"
    else:
        text += "."
    if entry.strategy is Strategy.RENAME:
        return f"{text} Nobody writes to it: {would}renamed and begun anew."
    if entry.strategy is Strategy.COLLAPSE:
        return f"{text} Its writers keep it open: {would}released at its start, nothing is lost."
    return f"{text} It {would or 'was '}copied and truncated, for {entry.reason}; {_LOSS}"


def _ratio(archived_bytes: int, packed: int) -> str:
    share = f" ({packed / archived_bytes:.1%})" if packed < archived_bytes else ""
    return f", {size(packed)} packed{share}." if archived_bytes else "."


def _left_findings(directory: str, why: LeftReason, left: list[LeftLog]) -> Iterator[Finding]:
    kind = _LEFT_KINDS[why]
    if len(left) > MOST:
        names = listed([entry.log for entry in left], len(left))
        message = f"{len(left):,} logs {kind.several}: {names}. The first: {left[0].reason}"
        yield Finding(
            check=kind.check,
            subject=directory,
            status=kind.status,
            message=message,
            value=len(left),
            unit="files",
            remedy=kind.remedy,
        )
        return
    for entry in left:
        yield Finding(
            check=kind.check,
            subject=f"{directory}/{printable(entry.log)}",
            status=kind.status,
            message=entry.reason,
            remedy=kind.remedy,
        )


def _expiry_findings(directory: str, expiry: ArchiveExpiry, *, dry_run: bool) -> Iterator[Finding]:
    number = sum(number for number, _ in expiry.deleted.values())
    freed = sum(freed for _, freed in expiry.deleted.values())
    age = hours(24 * expiry.days) if expiry.days > 1 else count(expiry.days, "day")
    would = "would be " if dry_run else ""
    if expiry.doubt is not None and expiry.withheld:
        yield expiry.doubt.finding(
            Withheld(expiry.withheld, ("archive", "archives"), age),
            subject=f"{directory}/{FOLDER}",
            task="weekly.log-rotation",
            dry_run=dry_run,
        )
        return
    yield Finding(
        check="logs.expired",
        subject=f"{directory}/{FOLDER}",
        status=Status.OK,
        message=f"{count(number, 'archive')} older than {age} {would}deleted ({size(freed)}).",
        value=number,
        unit="files",
    )
    if expiry.failed:
        first, reason = next(iter(expiry.failed.items()))
        yield Finding(
            check="logs.expired",
            subject=f"{directory}/{FOLDER}",
            status=Status.WARNING,
            message=(
                f"{count(len(expiry.failed), 'old archive')} could not be deleted: "
                f"{listed([*expiry.failed], len(expiry.failed))}. The first, {printable(first)}: {reason}."
            ),
            value=len(expiry.failed),
            unit="files",
            remedy="Run it as the owner of the archive folder, or delete them by hand.",
        )


def metrics(outcome: RotationOutcome) -> Iterator[Metric]:
    """Yield the bytes that were archived, as they were in the logs and as they are in the archives."""
    if outcome.missing or (outcome.closed and not outcome.rotated):
        return
    subject = printable(f"{outcome.directory}/{FOLDER}")
    archived_bytes = sum(entry.bytes for entry in outcome.rotated)
    yield Metric(name="logs.archived", value=archived_bytes, unit="B", subject=subject)
    if not outcome.dry_run:
        yield Metric(name="logs.packed", value=_written(outcome), unit="B", subject=subject)


def actions(outcome: RotationOutcome) -> Iterator[Action]:
    """Yield the changes made, or that a run would make."""
    done = not outcome.dry_run
    for recovered in outcome.recovered:
        if not recovered.problem:
            yield Action(verb="finish", target=printable(recovered.subject), done=done)
    for entry in outcome.rotated:
        target = printable(f"{outcome.directory}/{entry.log}")
        yield Action(verb="archive", target=target, bytes=entry.bytes, done=done)
    if outcome.expiry:
        folder = printable(f"{outcome.directory}/{FOLDER}")
        for month, (number, freed) in outcome.expiry.deleted.items():
            yield Action(verb="delete", target=f"{folder}/{month}", count=number, bytes=freed, done=done)
        for path in outcome.expiry.removed:
            yield Action(verb="remove", target=printable(path), done=done)


def _data(outcome: RotationOutcome) -> dict[str, object]:
    if not outcome.expiry:
        return {}
    months = []
    for name, month in outcome.expiry.months.items():
        row: dict[str, object] = {"month": name, "archives": month.archives, "size": size(month.bytes)}
        if month.original:
            row |= {"original": size(month.original), "ratio": f"{month.telling / month.original:.1%}"}
        months.append(row)
    return {"months": months} if months else {}
