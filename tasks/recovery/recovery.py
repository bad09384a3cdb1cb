"""``emergency.recover``: diagnose, put right what can be put right, diagnose again, and report what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..core.files.disk_usage import TOP, usage_by_entry
from ..core.report.model import Finding, Metric, Report, Status
from ..core.text.formatting import count, printable, size
from .diagnosis import DISK, INODES, Diagnosis, DiskRoom, FreedSpace, diagnose, is_bad
from .ports import STEPS, Context
from .recovery_steps import StepResult, run_step


def recover(context: Context, advance: Callable[[int], None] = lambda _count: None) -> Report:
    """Get the project running again.

    Nothing of it needs room on the disk. A step that fails stops none of the later ones; where *stop* is set, the
    report says what was done until then.

    Args:
        context: the project, and what others do for it.
        advance: called after each step.
    """
    before = diagnose(context)
    advance(1)
    results: list[StepResult] = []
    for step in STEPS:
        if step in context.steps and not context.stop.is_set():
            results.append(run_step(step, context, results[-1].room if results else before.room))
            advance(1)
    return recovery_report(context, before, _after(context, before, results), results)


def _after(context: Context, before: Diagnosis, results: list[StepResult]) -> Diagnosis:
    """Look again; a dry run changed nothing, and whoever stops it does not wait for more than the disk."""
    if context.dry_run or not results:
        return before
    after = None if context.stop.is_set() else diagnose(context, before)
    return before._replace(room=results[-1].room) if after is None or context.stop.is_set() else after


_NAMED = 3
"""The largest folders that are named."""


def recovery_report(context: Context, before: Diagnosis, after: Diagnosis, results: list[StepResult]) -> Report:
    """Return the report; the runner adds task and times."""
    solved = [*_solved(before, after)]
    freed = after.room.freed_since(before.room)
    findings = [
        *(_recovered(each) for each in solved),
        *(_with_next_step(context, each) for each in after.findings),
        *_freed_finding(before.room, after.room, freed, context),
        *(finding for each in results for finding in each.report.findings),
    ]
    parts = [part for each in results for part in each.parts]
    return Report(
        summary=_summary(context, before, after, results, len(solved)),
        dry_run=context.dry_run,
        findings=findings,
        metrics=[
            *([] if context.dry_run else [Metric(name="recovery.freed", value=freed.bytes, unit="B", subject=".")]),
            *(metric for each in results for metric in each.report.metrics),
        ],
        actions=[action for each in results for action in each.report.actions],
        files=[file for each in results for file in each.report.files],
        data={
            **({"reports": parts} if parts else {}),
            **({"steps": [_row(each) for each in results]} if results and not context.dry_run else {}),
        },
    )


def _solved(before: Diagnosis, after: Diagnosis) -> Iterator[Finding]:
    """Yield the problems that are no more; none where the second look failed, for nobody knows then."""
    first, left = {_key(each) for each in before.problems}, {_key(each) for each in after.problems}
    if not any(check == "run.error" for check, _ in left - first):
        yield from (each for each in before.problems if _key(each) not in left)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.subject


def _summary(context: Context, before: Diagnosis, after: Diagnosis, results: list[StepResult], gone: int) -> str:
    in_steps = sum(is_bad(each) for step in results for each in step.report.findings)
    disk, problems = f"disk {_percent(before.room)} full", f"{count(len(before.problems) + in_steps, 'problem')} found"
    if context.dry_run:
        return f"{disk}, {problems}"
    return f"{disk} before, {_percent(after.room)} now; {problems}, {gone:,} put right"


def _percent(room: DiskRoom) -> str:
    return "unknown" if room.percent is None else f"{room.percent:g} %"


def _recovered(finding: Finding) -> Finding:
    return Finding(
        check="recovery.recovered",
        subject=finding.subject,
        status=Status.OK,
        message=f"Put right. It was {finding.status.value}: {finding.message}",
    )


def _freed_finding(before: DiskRoom, after: DiskRoom, freed: FreedSpace, context: Context) -> Iterator[Finding]:
    """Yield what there is more of now, whoever freed it: others write to that disk as well."""
    if not context.dry_run and max(freed) > 0:
        more = [size(freed.bytes)] if freed.bytes > 0 else []
        more += [count(freed.inodes, "inode")] if freed.inodes > 0 else []
        message = f"{' and '.join(more)} more free: the disk was {_percent(before)} full, and is {_percent(after)} now."
        yield Finding(
            check="recovery.freed", subject=".", status=Status.OK, message=message, value=freed.bytes, unit="B"
        )


def _with_next_step(context: Context, finding: Finding) -> Finding:
    """Return a finding whose remedy knows that what others would do was done here."""
    if not is_bad(finding) or context.dry_run:
        return finding
    root = printable(context.root)
    if finding.check == DISK:
        largest = _largest(context)
        remedy = f"Delete or move what is not needed.{largest} du -ah {root} | sort -rh | head -20 shows the files."
    elif finding.check == INODES:
        remedy = (
            f"Delete small files that nobody needs: du --inodes {root} | sort -rn | head -20 counts them per folder."
        )
    else:
        return finding
    return msgspec.structs.replace(finding, remedy=remedy)


def _largest(context: Context) -> str:
    try:
        weights = usage_by_entry(context.root, context.stop)
    except OSError:
        return ""
    named = [
        f"{'files in the root' if name == TOP else printable(name)} ({size(weight)})"
        for name, weight in weights.most_common(_NAMED)
        if weight
    ]
    return f" The largest below the root: {', '.join(named)}." if named else ""


def _row(results: StepResult) -> dict[str, Any]:
    freed = results.freed
    return {"step": results.step, "freed": size(freed.bytes), "inodes": freed.inodes, "disk": _percent(results.room)}
