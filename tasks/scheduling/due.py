"""What is due: ``schedule.status`` shows it, ``schedule.due`` runs it, once and in a safe order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ..core.files.lock import project_lock, require_writable
from ..core.report.model import Finding, Interrupted, Report, Status
from ..core.run.cadence import Standing, doubts, evaluate, standings
from ..core.run.definition import Cadence
from ..core.settings.model import Settings
from ..core.text.formatting import count, duration

TASK = "schedule.due"


def run_due(
    settings: Settings,
    cadences: Mapping[str, Cadence],
    run: Callable[[str], Report],
    *,
    now: datetime,
    dry_run: bool = False,
) -> Report:
    """Run what is due, in the order of *cadences*, and return one report of all.

    The project's lock is held from before it is read what is due until the last has run, so that two calls at the
    same time run nothing twice.

    Args:
        settings: the project's settings, ``root`` absolute.
        cadences: by the name of a procedure, how often it is to run.
        run: runs a procedure by its name; it leaves its stamp.
        now: the moment of the run, aware of its zone.
        dry_run: run nothing; say what would run.

    Raises:
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written, so that no run could leave its stamp.
        Interrupted: Ctrl-C; it carries the report of what had run.
    """
    root, logs = Path(settings.root), settings.logs.directory
    if dry_run:
        require_writable(root)
        return _planned(standings(root, logs, cadences, now))
    with project_lock(root, TASK, now):
        found = standings(root, logs, cadences, now)
        reports: list[Report] = []
        try:
            for each in found:
                if each.is_due:
                    reports.append(run(each.task))  # noqa: PERF401 - an interruption leaves what there is
        except KeyboardInterrupt as stop:
            if isinstance(stop, Interrupted):
                reports.append(stop.report)
            raise Interrupted(_interrupted(_report(found, reports))) from None
    return _report(found, reports)


def _planned(found: Sequence[Standing]) -> Report:
    due = [each for each in found if each.is_due]
    return Report(
        summary=f"{_procedures(len(due))} would run",
        dry_run=True,
        findings=[
            *(
                Finding(
                    check="schedule.run", subject=each.task, status=Status.OK, message=f"It would run: {_why(each)}."
                )
                for each in due
            ),
            *doubts(found),
            *_idle(found, due),
        ],
    )


def _report(found: Sequence[Standing], reports: Sequence[Report]) -> Report:
    bad = sum(each.status.severity > Status.OK.severity for each in reports)
    return Report(
        summary=f"{_procedures(len(reports))} ran" + (f", {bad} with something to look at" if bad else ""),
        findings=[
            *(
                Finding(check="schedule.run", subject=each.task, status=each.status, message=f"{each.summary}.")
                for each in reports
            ),
            *doubts(found),
            *_idle(found, reports),
        ],
        data={"reports": [*reports]},
    )


def _interrupted(report: Report) -> Report:
    finding = Finding(
        check="run.interrupted",
        subject=TASK,
        status=Status.UNKNOWN,
        message="It was told to stop; what has not run to its end is due again.",
    )
    return msgspec.structs.replace(report, findings=[*report.findings, finding])


def _idle(found: Sequence[Standing], ran: Sequence[object]) -> list[Finding]:
    return [] if ran else [up_to_date(found)]


def _procedures(number: int) -> str:
    return count(number, "procedure") if number else "nothing is due, no procedure"


def _why(each: Standing) -> str:
    if each.last is None:
        return "it is not known when it last ran" if each.doubt else "it never ran"
    return f"it is {each.cadence} and ran last on {each.last}"


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
    following = "" if coming is None else f" The next is {coming.task}, {_day(coming)}."
    return Finding(
        check="schedule.next", subject="schedule", status=Status.OK, message=f"Nothing is overdue.{following}"
    )


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
