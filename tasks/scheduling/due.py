"""Running what is due: once, in a safe order, and whatever the single procedures find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from ..core.files.lock import project_lock, require_writable
from ..core.report.model import Finding, Interrupted, Report, Status
from ..core.run.cadence import Standing, doubts, standings
from ..core.run.definition import Cadence
from ..core.settings.model import Settings
from ..core.text.formatting import count
from .schedule_status import up_to_date

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
        Held: another changing run is at work in this project.
        Closed: the root cannot be written, so that no run could leave its stamp.
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
    bad = sum(each.status.severity > Status.SKIPPED.severity for each in reports)
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
