"""What ran when, what came of it, and when it is due again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.report.model import Finding, Report, Status
from ..core.run.cadence import Standing, evaluate, standings
from ..core.run.definition import Cadence
from ..core.settings.model import Settings
from ..core.text.formatting import count, duration


def review(settings: Settings, cadences: Mapping[str, Cadence], *, now: datetime) -> Report:
    """Report where each procedure stands; a warning for what is overdue, critical by more than a further period.

    Args:
        settings: the project's settings, ``root`` absolute.
        cadences: by the name of a procedure, how often it is to run.
        now: the moment of the run, aware of its zone.
    """
    found = standings(Path(settings.root), settings.logs.directory, cadences, now)
    due = [each.task for each in found if each.is_due]
    overdue = [each.task for each in found if each.overdue_days]
    findings = evaluate(found)
    if not findings:
        findings = [up_to_date(found)]
    return Report(
        summary=f"{count(len(found), 'procedure')}, {len(due) or 'none'} due, {len(overdue) or 'none'} overdue",
        findings=findings,
        data={"schedule": [_row(each) for each in found]},
    )


def up_to_date(found: Sequence[Standing]) -> Finding:
    """Return the finding that nothing is overdue, with what comes next."""
    coming = min(found, key=lambda each: each.due, default=None)
    told = "" if coming is None else f" The next is {coming.task}, {_day(coming)}."
    return Finding(check="schedule.next", subject="schedule", status=Status.OK, message=f"Nothing is overdue.{told}")


def _row(each: Standing) -> dict[str, Any]:
    completed = each.stamp.completed
    return {
        "procedure": each.task,
        "cadence": each.cadence,
        "last run": completed and f"{completed.began:%Y-%m-%d %H:%M}",
        "result": completed and completed.status.value,
        "took": completed and duration(completed.duration_seconds),
        "next due": _day(each),
        "overdue by": count(each.overdue_days, "day") if each.overdue_days else None,
    }


def _day(each: Standing) -> str:
    days = (each.due - each.today).days
    return "today" if each.last is None or not days else "tomorrow" if days == 1 else each.due.isoformat()
