"""From what was found before and after to one report: what was recovered, what was not, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..core.files.disk_usage import TOP, usage_by_entry
from ..core.report.model import Finding, Metric, Report, Status
from ..core.text.formatting import count, printable, size
from .diagnosis import Diagnosis, is_bad
from .ports import Context
from .room import DISK, INODES, Freed, Room
from .steps import StepResult

_NAMED = 3
"""The largest folders that are named."""


def evaluate(scene: Context, before: Diagnosis, after: Diagnosis, taken: list[StepResult]) -> Report:
    """Return the report; the runner adds task and times."""
    gone = [*_gone(before, after)]
    freed = after.room.freed_since(before.room)
    findings = [
        *(_recovered(each) for each in gone),
        *(_with_next_step(scene, each) for each in after.findings),
        *_freed(before.room, after.room, freed, scene),
        *(finding for each in taken for finding in each.report.findings),
    ]
    parts = [part for each in taken for part in each.parts]
    return Report(
        summary=_summary(scene, before, after, taken, len(gone)),
        dry_run=scene.dry_run,
        findings=findings,
        metrics=[
            *([] if scene.dry_run else [Metric(name="recovery.freed", value=freed.bytes, unit="B", subject=".")]),
            *(metric for each in taken for metric in each.report.metrics),
        ],
        actions=[action for each in taken for action in each.report.actions],
        files=[file for each in taken for file in each.report.files],
        data={
            **({"reports": parts} if parts else {}),
            **({"steps": [_row(each) for each in taken]} if taken and not scene.dry_run else {}),
        },
    )


def _gone(before: Diagnosis, after: Diagnosis) -> Iterator[Finding]:
    """Yield the problems that are no more; none where the second look failed, for nobody knows then."""
    first, left = {_key(each) for each in before.problems}, {_key(each) for each in after.problems}
    if not any(check == "run.error" for check, _ in left - first):
        yield from (each for each in before.problems if _key(each) not in left)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.subject


def _summary(scene: Context, before: Diagnosis, after: Diagnosis, taken: list[StepResult], gone: int) -> str:
    in_steps = sum(is_bad(each) for step in taken for each in step.report.findings)
    disk, problems = f"disk {_percent(before.room)} full", f"{count(len(before.problems) + in_steps, 'problem')} found"
    if scene.dry_run:
        return f"{disk}, {problems}"
    return f"{disk} before, {_percent(after.room)} now; {problems}, {gone:,} put right"


def _percent(room: Room) -> str:
    return "unknown" if room.percent is None else f"{room.percent:g} %"


def _recovered(finding: Finding) -> Finding:
    return Finding(
        check="recovery.recovered",
        subject=finding.subject,
        status=Status.OK,
        message=f"Put right. It was {finding.status.value}: {finding.message}",
    )


def _freed(before: Room, after: Room, freed: Freed, scene: Context) -> Iterator[Finding]:
    """Yield what there is more of now, whoever freed it: others write to that disk as well."""
    if not scene.dry_run and max(freed) > 0:
        more = [size(freed.bytes)] if freed.bytes > 0 else []
        more += [count(freed.inodes, "inode")] if freed.inodes > 0 else []
        message = f"{' and '.join(more)} more free: the disk was {_percent(before)} full, and is {_percent(after)} now."
        yield Finding(
            check="recovery.freed", subject=".", status=Status.OK, message=message, value=freed.bytes, unit="B"
        )


def _with_next_step(scene: Context, finding: Finding) -> Finding:
    """Return a finding whose remedy knows that what others would do was done here."""
    if not is_bad(finding) or scene.dry_run:
        return finding
    root = printable(scene.root)
    if finding.check == DISK:
        remedy = (
            f"Delete or move what is not needed.{_largest(scene)} du -ah {root} | sort -rh | head -20 shows the files."
        )
    elif finding.check == INODES:
        remedy = (
            f"Delete small files that nobody needs: du --inodes {root} | sort -rn | head -20 counts them per folder."
        )
    else:
        return finding
    return msgspec.structs.replace(finding, remedy=remedy)


def _largest(scene: Context) -> str:
    try:
        weights = usage_by_entry(scene.root, scene.stop)
    except OSError:
        return ""
    named = [
        f"{'files in the root' if name == TOP else printable(name)} ({size(weight)})"
        for name, weight in weights.most_common(_NAMED)
        if weight
    ]
    return f" The largest below the root: {', '.join(named)}." if named else ""


def _row(taken: StepResult) -> dict[str, Any]:
    freed = taken.freed
    return {"step": taken.step, "freed": size(freed.bytes), "inodes": freed.inodes, "disk": _percent(taken.room)}
