"""One report from several domains: each part measured on its own, all of them evaluated together.

Domains do not know each other. A procedure that needs several is given their parts by its collection, and what
one part cannot do keeps none of the others from telling what they found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TypeAlias

import msgspec

from ..errors import UserError
from ..files.lock import NotWritable, project_lock
from ..output.report_files import with_file
from ..programs.interrupt import deferred_interrupt
from ..report.model import Action, Finding, Interrupted, Report, Status
from ..text.formatting import printable
from .definition import ReportFile

Part: TypeAlias = Callable[[Event], Report]
"""Measures and evaluates one domain; it ends early where the event is set."""

_TICK = 0.25
"""Seconds after which progress is shown again while nothing has ended: a live display looks dead otherwise."""

_log = logging.getLogger(__name__)


def compose(
    parts: Mapping[str, Part],
    root: Path,
    task: str,
    file: ReportFile,
    *,
    now: datetime,
    advance: Callable[[int], None],
    side_by_side: bool = False,
    dry_run: bool = False,
) -> Report:
    """Run *parts*, join what they report, and keep it as a file.

    The project's lock is held meanwhile. Where the root cannot be written, on a full disk for one, the parts run
    all the same: that is when people need to know.

    Args:
        parts: what to run, by name.
        root: the project.
        task: the procedure's full name, which the lock shows to others.
        file: the report file, below the root, and the id of the finding on it.
        now: the moment of the run, aware of its zone.
        advance: called with how many parts have ended since its last call; where they run in threads, several times a
            second.
        side_by_side: run the parts in threads, so that together they take as long as the slowest of them.
        dry_run: write nothing, and say that it would be written.

    Raises:
        LockedByOther: another changing run is at work in this project.
        Interrupted: Ctrl-C; it carries the report of what was found until then.
    """
    with ExitStack() as stack:
        unlocked = None if dry_run else _lock(stack, root, task, now, file.check)
        with deferred_interrupt() as stop:
            run = _run_side_by_side if side_by_side else _run_in_turn
            reports = run(parts, stop, advance)
            report = joined(reports)
            if dry_run:
                planned = Action(verb="write", target=file.path, done=False)
                report = msgspec.structs.replace(report, dry_run=True, actions=[*report.actions, planned])
            elif unlocked is not None:
                report = msgspec.structs.replace(report, findings=[*report.findings, unlocked])
            elif not stop.is_set():
                report = with_file(root, file.path, report, now, check=file.check)
    if stop.is_set():
        raise Interrupted(_interrupted(report, task))
    return report


def joined(reports: Sequence[Report]) -> Report:
    """Return one report of all that *reports* hold; its summary is theirs, one after the other."""
    return Report(
        summary="; ".join(report.summary for report in reports if report.summary),
        findings=[finding for report in reports for finding in report.findings],
        metrics=[metric for report in reports for metric in report.metrics],
        actions=[action for report in reports for action in report.actions],
        files=[file for report in reports for file in report.files],
        data={key: value for report in reports for key, value in report.data.items()},
    )


def _lock(stack: ExitStack, root: Path, task: str, now: datetime, check: str) -> Finding | None:
    """Take the project's lock; return the finding where the root cannot be written."""
    try:
        stack.enter_context(project_lock(root, task, now))
    except NotWritable as error:
        return Finding(
            check=check,
            subject="report file",
            status=Status.WARNING,
            message=f"No report file was written: {error}",
            remedy="Make room, or see that the root can be written.",
        )
    return None


def _run_in_turn(parts: Mapping[str, Part], stop: Event, advance: Callable[[int], None]) -> list[Report]:
    reports = []
    for name, part in parts.items():
        if not stop.is_set():
            reports.append(attempt(name, part, stop))
            advance(1)
    return reports


def _run_side_by_side(parts: Mapping[str, Part], stop: Event, advance: Callable[[int], None]) -> list[Report]:
    with ThreadPoolExecutor(len(parts)) as pool:
        running = [pool.submit(attempt, name, part, stop) for name, part in parts.items()]
        pending = {*running}
        while pending:
            ended, pending = wait(pending, _TICK, FIRST_COMPLETED)
            advance(len(ended))
    return [each.result() for each in running]


def attempt(name: str, part: Part, stop: Event) -> Report:
    """Run one part and return its report; an exception in it becomes a critical finding."""
    try:
        return part(stop)
    except UserError as error:
        message, remedy = str(error), None
    except Exception as error:  # noqa: BLE001 - the other parts go on, and the finding tells of it
        _log.debug("%s failed", name, exc_info=error)
        message = printable(" ".join(f"{type(error).__name__}: {error}".split()))
        remedy = "Run it again with inv --debug to see where; please report it if it is a fault of the suite."
    finding = Finding(check="run.error", subject=name, status=Status.CRITICAL, message=message, remedy=remedy)
    return Report(summary=f"{name} could not be checked", findings=[finding])


def _interrupted(report: Report, task: str) -> Report:
    finding = Finding(
        check="run.interrupted",
        subject=task,
        status=Status.UNKNOWN,
        message="It was told to stop; what it had not asked by then is not known, and no report file was written.",
    )
    summary = f"interrupted: {report.summary}"
    return msgspec.structs.replace(report, summary=summary, findings=[*report.findings, finding])
