"""The steps that put something right; the disk is measured after each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from ..core.files import safe_files
from ..core.files.disk_usage import usage_by_entry
from ..core.report.model import Action, Finding, Interrupted, Report, Status
from ..core.run.composition import attempt
from ..core.text.formatting import count, printable, size
from .diagnosis import DiskRoom, FreedSpace, measure_room
from .ports import Context
from .temporary_files import remove_leftovers
from .writable_folders import create_folders

_MEGABYTE = 1_000_000

_ROUNDS = 3
"""How often a step is repeated that frees room and cannot do all for want of it: small logs make room for larger."""


@dataclass(slots=True)
class StepResult:
    """A step and what it achieved.

    Attributes:
        step: its name.
        before: how much room there was.
        room: how much there is after it.
        report: its own findings.
        parts: the reports of the procedures that were performed for it, the last one last.
    """

    step: str
    before: DiskRoom
    room: DiskRoom
    report: Report = field(default_factory=lambda: Report(summary=""))
    parts: list[Report] = field(default_factory=list)

    @property
    def freed(self) -> FreedSpace:
        """What is in use no more since it began."""
        return self.room.freed_since(self.before)


def run_step(step: str, context: Context, room: DiskRoom) -> StepResult:
    """Run a step; an exception in it becomes a finding.

    Args:
        step: one of :data:`~.ports.STEPS`.
        context: what it needs.
        room: how much room there is.
    """
    result = StepResult(step, room, room)

    def act(_stop: object) -> Report:
        return _STEPS[step](context, result)

    try:
        result.report = attempt(step, act, context.stop)
    except Interrupted as error:
        context.stop.set()
        result.parts.append(error.report)
    result.room = measure_room(context)
    return result


def _clear(context: Context, result: StepResult) -> Report:
    """Clear the cache where that is agreed to, else delete what has expired, as every week."""
    subject = printable(context.settings.cache.directory)
    planned = [] if context.yes or context.dry_run else _planned_deletions(context.ports.plan_clearing())
    total = f"{count(sum(each.count for each in planned), 'entry', 'entries')} ({_weight(planned)})"
    agreed = context.yes or context.dry_run or not planned
    if not agreed and context.ask is not None:
        agreed = context.ask(_shown(subject, planned), f"Clear these {total}?")
    if context.stop.is_set():
        return Report(summary="not cleared")
    _repeat_while_short(context, result, lambda again: context.ports.clean(agreed, again))
    findings = [_result("recovery.cache", subject, result.parts)]
    if context.dry_run and not context.yes:
        message = (
            "A run asks before it clears; where nobody can be asked and --yes is not given, only what has expired goes."
        )
        findings.append(Finding(check="recovery.clearing", subject=subject, status=Status.OK, message=message))
    elif not agreed:
        findings.append(_not_cleared(subject, total, asked=context.ask is not None))
    return Report(summary="", findings=findings)


def _planned_deletions(report: Report) -> list[Action]:
    return [action for action in report.actions if action.verb == "delete"]


def _weight(actions: list[Action]) -> str:
    return size(sum(each.bytes for each in actions))


def _shown(subject: str, planned: list[Action]) -> list[str]:
    """Return what is to be known before the cache is cleared."""
    rows = [f"  {each.target}  {count(each.count, 'file')}  {size(each.bytes)}" for each in planned]
    return [
        f"Everything that the program has put into {subject} so far is deleted, and made anew when it is used:",
        *rows,
    ]


def _not_cleared(subject: str, total: str, *, asked: bool) -> Finding:
    if asked:
        message = f"Not cleared, as you answered: {total} stay, but for what had expired."
        return Finding(check="recovery.clearing", subject=subject, status=Status.SKIPPED, message=message)
    return Finding(
        check="recovery.clearing",
        subject=subject,
        status=Status.WARNING,
        message=f"Not cleared, for nobody can be asked here: {total}, of which only what had expired was deleted.",
        remedy="inv emergency.recover --only cache --yes clears it.",
    )


def _rotate(context: Context, result: StepResult) -> Report:
    """Archive the logs where they are too large in all, or where the disk is short."""
    directory, limit = context.settings.logs.directory, context.settings.logs.emergency_total_mb * _MEGABYTE
    subject, total = printable(directory), _bytes_in(context, directory)
    if not result.before.short and (total is None or total <= limit):
        holds = "what the log folder holds is unknown" if total is None else f"the log folder holds {size(total)}"
        message = f"Not rotated: the disk is not short, and {holds}; up to {size(limit)} is expected."
        return Report(summary="", findings=[_log_finding(subject, Status.OK, message, total, limit)])
    _repeat_while_short(context, result, context.ports.rotate)
    findings = [_result("recovery.logs", subject, result.parts)]
    if context.dry_run:
        message = "A run rotates where they exceed their limit, or the disk is still short once the cache is cleared."
        return Report(summary="", findings=[*findings, _log_finding(subject, Status.OK, message, total, limit)])
    left = _bytes_in(context, directory)
    if left is not None and left > limit:
        message = f"The log folder still holds {size(left)}; up to {size(limit)} is expected."
        remedy = (
            "inv weekly.log-rotation --older-than-days 30 deletes more archives; "
            "maintenance.logs.emergency_total_mb is the limit."
        )
        findings.append(_log_finding(subject, Status.WARNING, message, left, limit, remedy))
    return Report(summary="", findings=findings)


def _log_finding(
    subject: str, status: Status, message: str, total: int | None, limit: float, remedy: str | None = None
) -> Finding:
    return Finding(
        check="recovery.log-size",
        subject=subject,
        status=status,
        message=message,
        value=total,
        unit="B",
        warning=limit,
        remedy=remedy,
    )


def _bytes_in(context: Context, directory: str) -> int | None:
    """Return the bytes in a folder; ``None`` where it is missing, cannot be read or is none of the project's."""
    try:
        with safe_files.folder(context.root, directory):
            return usage_by_entry(context.root / directory, context.stop).total()
    except (safe_files.Refused, OSError):
        return None


def _repeat_while_short(context: Context, result: StepResult, execute: Callable[[bool], Report]) -> None:
    """Run a procedure, and on a short disk again for as long as it frees room and something is left to do.

    A report from before this run is no reason to go by: what was in the way may be gone by now.

    Args:
        context: what it needs.
        result: where the reports go.
        execute: runs it; its argument: also where this run has done so.
    """
    room = result.before
    for number in range(_ROUNDS):
        report = execute(number > 0)
        result.parts.append(report)
        after = measure_room(context)
        done = report.status.severity <= Status.WARNING.severity or context.dry_run or not result.before.short
        helped = max(after.freed_since(room)) > 0 or _is_earlier(report, context.now)
        if done or context.stop.is_set() or not helped:
            return
        room = after


def _is_earlier(report: Report, now: datetime) -> bool:
    return report.started is not None and datetime.fromisoformat(report.started) < now


def _result(check: str, subject: str, parts: list[Report]) -> Finding:
    """Return the result of the procedures of a step: the last one shows how it is now."""
    last = parts[-1]
    status = last.status
    return Finding(
        check=check,
        subject=subject,
        status=status,
        message=f"{last.task}: {'; then '.join(each.summary for each in parts)}.",
        remedy=f"See the findings of {last.task}." if status.severity > Status.OK.severity else None,
    )


def _test_providers(context: Context, _previous: StepResult) -> Report:
    report = context.ports.providers(context.stop)
    return msgspec.structs.replace(report, data={})


_STEPS: Mapping[str, Callable[[Context, StepResult], Report]] = {
    "leftovers": lambda context, _previous: remove_leftovers(context),
    "cache": _clear,
    "logs": _rotate,
    "structure": lambda context, _previous: create_folders(context),
    "providers": _test_providers,
}
