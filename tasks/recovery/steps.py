"""The steps that put something right, each followed by another look at the disk."""

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
from .diagnosis import measure
from .folders import rebuild
from .leftovers import remove_leftovers
from .ports import Context
from .room import Freed, Room

_MEGABYTE = 1_000_000

_ROUNDS = 3
"""How often a step is repeated that frees room and cannot do all for want of it: small logs make room for larger."""


@dataclass(slots=True)
class StepResult:
    """A step that was taken.

    Attributes:
        step: its name.
        before: how much room there was.
        room: how much there is after it.
        report: what it has to tell by itself.
        parts: the reports of the procedures that were performed for it, the last one last.
    """

    step: str
    before: Room
    room: Room
    report: Report = field(default_factory=lambda: Report(summary=""))
    parts: list[Report] = field(default_factory=list)

    @property
    def freed(self) -> Freed:
        """What is in use no more since it began."""
        return self.room.freed_since(self.before)


def take(step: str, scene: Context, room: Room) -> StepResult:
    """Take a step, whatever happens in it.

    Args:
        step: one of :data:`~.ports.STEPS`.
        scene: what it needs.
        room: how much room there is.
    """
    taken = StepResult(step, room, room)

    def act(_stop: object) -> Report:
        return _ACTS[step](scene, taken)

    try:
        taken.report = attempt(step, act, scene.stop)
    except Interrupted as error:
        scene.stop.set()
        taken.parts.append(error.report)
    taken.room = measure(scene)
    return taken


def _clear(scene: Context, taken: StepResult) -> Report:
    """Clear the cache where that is agreed to, else delete what has expired, as every week."""
    subject = printable(scene.settings.cache.directory)
    planned = [] if scene.yes or scene.dry_run else _deletions(scene.means.plan_clearing())
    held = f"{count(sum(each.count for each in planned), 'entry', 'entries')} ({_weight(planned)})"
    agreed = scene.yes or scene.dry_run or not planned
    if not agreed and scene.ask is not None:
        agreed = scene.ask(_shown(subject, planned), f"Clear these {held}?")
    if scene.stop.is_set():
        return Report(summary="not cleared")
    _thoroughly(scene, taken, lambda anew: scene.means.clean(agreed, anew))
    findings = [_result("recovery.cache", subject, taken.parts)]
    if scene.dry_run and not scene.yes:
        message = (
            "A run asks before it clears; where nobody can be asked and --yes is not given, only what has expired goes."
        )
        findings.append(Finding(check="recovery.clearing", subject=subject, status=Status.OK, message=message))
    elif not agreed:
        findings.append(_kept(subject, held, asked=scene.ask is not None))
    return Report(summary="", findings=findings)


def _deletions(report: Report) -> list[Action]:
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


def _kept(subject: str, held: str, *, asked: bool) -> Finding:
    if asked:
        message = f"Not cleared, as you answered: {held} stay, but for what had expired."
        return Finding(check="recovery.clearing", subject=subject, status=Status.SKIPPED, message=message)
    return Finding(
        check="recovery.clearing",
        subject=subject,
        status=Status.WARNING,
        message=f"Not cleared, for nobody can be asked here: {held}, of which only what had expired was deleted.",
        remedy="inv emergency.recover --only cache --yes clears it.",
    )


def _rotate(scene: Context, taken: StepResult) -> Report:
    """Archive the logs where they are too large in all, or where the disk is short."""
    directory, limit = scene.settings.logs.directory, scene.settings.logs.emergency_total_mb * _MEGABYTE
    subject, held = printable(directory), _held(scene, directory)
    if not taken.before.short and (held is None or held <= limit):
        holds = "what the log folder holds is unknown" if held is None else f"the log folder holds {size(held)}"
        message = f"Not rotated: the disk is not short, and {holds}; up to {size(limit)} is expected."
        return Report(summary="", findings=[_log_finding(subject, Status.OK, message, held, limit)])
    _thoroughly(scene, taken, scene.means.rotate)
    findings = [_result("recovery.logs", subject, taken.parts)]
    if scene.dry_run:
        message = "A run rotates where they exceed their limit, or the disk is still short once the cache is cleared."
        return Report(summary="", findings=[*findings, _log_finding(subject, Status.OK, message, held, limit)])
    left = _held(scene, directory)
    if left is not None and left > limit:
        message = f"The log folder still holds {size(left)}; up to {size(limit)} is expected."
        remedy = (
            "inv weekly.log-rotation --older-than-days 30 deletes more archives; "
            "maintenance.logs.emergency_total_mb is the limit."
        )
        findings.append(_log_finding(subject, Status.WARNING, message, left, limit, remedy))
    return Report(summary="", findings=findings)


def _log_finding(
    subject: str, status: Status, message: str, held: int | None, limit: float, remedy: str | None = None
) -> Finding:
    return Finding(
        check="recovery.log-size",
        subject=subject,
        status=status,
        message=message,
        value=held,
        unit="B",
        warning=limit,
        remedy=remedy,
    )


def _held(scene: Context, directory: str) -> int | None:
    """Return the bytes in a folder; ``None`` where it is missing, cannot be read or is none of the project's."""
    try:
        with safe_files.folder(scene.root, directory):
            return usage_by_entry(scene.root / directory, scene.stop).total()
    except (safe_files.Refused, OSError):
        return None


def _thoroughly(scene: Context, taken: StepResult, perform: Callable[[bool], Report]) -> None:
    """Perform a procedure, and on a short disk again for as long as it frees room and something is left to do.

    A report from before this run is no reason to go by: what stood in the way may be gone by now.

    Args:
        scene: what it needs.
        taken: where the reports go.
        perform: performs it; told whether to do so although this run has.
    """
    room = taken.before
    for number in range(_ROUNDS):
        report = perform(number > 0)
        taken.parts.append(report)
        after = measure(scene)
        done = report.status.severity <= Status.WARNING.severity or scene.dry_run or not taken.before.short
        helped = max(after.freed_since(room)) > 0 or _is_earlier(report, scene.now)
        if done or scene.stop.is_set() or not helped:
            return
        room = after


def _is_earlier(report: Report, now: datetime) -> bool:
    return report.started is not None and datetime.fromisoformat(report.started) < now


def _result(check: str, subject: str, parts: list[Report]) -> Finding:
    """Return what the procedures of a step came to: the last one tells how it is now."""
    last = parts[-1]
    status = last.status
    return Finding(
        check=check,
        subject=subject,
        status=status,
        message=f"{last.task}: {'; then '.join(each.summary for each in parts)}.",
        remedy=f"See the findings of {last.task}." if status.severity > Status.SKIPPED.severity else None,
    )


def _test_providers(scene: Context, _taken: StepResult) -> Report:
    if not scene.settings.providers:
        message = "None is set in maintenance.providers, so none was asked."
        finding = Finding(check="recovery.providers", subject="providers", status=Status.OK, message=message)
        return Report(summary="", findings=[finding])
    report = scene.means.providers(scene.stop)
    return msgspec.structs.replace(report, data={})


_ACTS: Mapping[str, Callable[[Context, StepResult], Report]] = {
    "leftovers": lambda scene, _taken: remove_leftovers(scene),
    "cache": _clear,
    "logs": _rotate,
    "structure": lambda scene, _taken: rebuild(scene),
    "providers": _test_providers,
}
