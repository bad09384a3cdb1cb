"""``quarterly.capacity-planning``: what grows, when it reaches its limit, and what would help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import cast

from ..core.errors import UserError
from ..core.report.model import Finding, Interrupted, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, printable, size
from .forecast import Point
from .forecast_findings import evaluate, evaluated_series, growers, recorded, row
from .present_sizes import measure
from .recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS, day_of, read_history

TASK = "quarterly.capacity-planning"

_EVERYTHING = (DISK, INODES, LOGS, CACHE, BACKUPS)

_FOR = {"weekly.cache-cleanup": (DISK, INODES, CACHE), "weekly.log-rotation": (DISK, INODES, LOGS)}
"""The series that a procedure makes smaller."""


def plan(settings: Settings, *, now: datetime, stop: Event, frees: Mapping[str, Callable[[], Report]]) -> Report:
    """Forecast every size that was recorded, and say what a clean-up would free now.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        stop: ends it where it is set.
        frees: by the name of a procedure, a dry run of it: what it would delete, it would free.
    """
    root, own = Path(settings.root), settings.capacity
    try:
        present = measure(settings, stop)
    except OSError as error:
        message = f"The project {printable(root)} cannot be measured: {error.strerror}."
        finding = Finding(
            check="capacity.forecast",
            subject="disk",
            status=Status.UNKNOWN,
            message=message,
            remedy="See that this folder is there and can be read, or correct maintenance.root.",
        )
        return Report(summary="nothing could be measured", findings=[finding])
    history = read_history(root, settings.logs.directory, settings.backups.directory, now=now, days=own.history_days)
    today = day_of(now)
    freeable = [*_freeable(frees, stop)]
    found = [
        evaluated_series(name, amount, [*history.series.get(name, ()), Point(today, amount.used)])
        for name, amount in present.amounts.items()
    ]
    findings = [
        *(evaluate(own, each, now.date(), _helps(each.name, freeable)) for each in found),
        *(_closed(name, reason) for name, reason in present.closed.items()),
        growers(history.folders, today, present.folders),
        *freeable,
        *_history_findings(history.broken, history.strange),
    ]
    return Report(
        summary=_summary(findings[: len(found)]),
        findings=findings,
        metrics=[
            *(
                Metric(
                    name="capacity.used",
                    value=each.amount.used,
                    unit="inodes" if each.name == INODES else "B",
                    subject=each.name,
                )
                for each in found
            ),
            *(
                Metric(name="capacity.folder", value=weight, unit="B", subject=name)
                for name, weight in recorded(present.folders).items()
            ),
        ],
        data={"capacity": [row(each, now.date()) for each in found]},
    )


def _closed(name: str, reason: str) -> Finding:
    return Finding(
        check="capacity.forecast",
        subject=name,
        status=Status.UNKNOWN,
        message=f"How much it holds is not known: {reason}",
        remedy="Put a folder of the project's own in its place, or name another one in the settings.",
    )


def _summary(forecasts: Sequence[Finding]) -> str:
    full = [each.subject for each in forecasts if each.status is Status.CRITICAL]
    near = [each.subject for each in forecasts if each.status is Status.WARNING]
    parts = [f"at the limit: {', '.join(full)}"] * bool(full) + [f"near it: {', '.join(near)}"] * bool(near)
    return f"{count(len(forecasts), 'series', 'series')}, {'; '.join(parts) or 'none near its limit'}"


def _helps(series: str, freeable: Sequence[Finding]) -> str:
    """Return which procedures would make a series smaller now, the one that would most first, as sentences."""
    found = [each for each in freeable if each.value and series in _FOR.get(each.subject, _EVERYTHING)]
    return " ".join(each.message for each in sorted(found, key=lambda each: -cast("int", each.value)))


def _freeable(frees: Mapping[str, Callable[[], Report]], stop: Event) -> Iterator[Finding]:
    for name, dry_run in frees.items():
        if stop.is_set():
            return
        try:
            report = dry_run()
        except Interrupted:  # meanwhile Ctrl-C was the dry run's to notice
            stop.set()
            return
        except (UserError, OSError) as error:
            yield _not_known(name, f"{error.strerror}." if isinstance(error, OSError) else str(error))
            continue
        freed = sum(action.bytes for action in report.actions if action.verb == "delete")
        if not freed and report.status.severity >= Status.UNKNOWN.severity:
            yield _not_known(name, next(each.message for each in report.findings if each.status is report.status))
            continue
        message = f"inv {name} would free {size(freed)} now." if freed else f"inv {name} would free nothing now."
        yield Finding(check="capacity.freeable", subject=name, status=Status.OK, message=message, value=freed, unit="B")


def _not_known(name: str, reason: str) -> Finding:
    message = f"What inv {name} would free is not known: {printable(reason)}"
    return Finding(check="capacity.freeable", subject=name, status=Status.SKIPPED, message=message)


def _history_findings(broken: Sequence[str], strange: Mapping[str, int]) -> Iterator[Finding]:
    if broken:
        message = (
            f"{count(len(broken), 'report')} left out of the history, unreadable or of another form: "
            f"{listed(broken, len(broken))}."
        )
        remedy = "Look at what wrote it, then move it away: it cannot be used."
        yield Finding(
            check="capacity.history",
            subject="reports",
            status=Status.WARNING,
            message=message,
            value=len(broken),
            unit="files",
            remedy=remedy,
        )
    if strange:
        number = sum(strange.values())
        message = (
            f"{count(number, 'measurement')} left out of the history, dated ahead or not at all, in "
            f"{listed([*strange], len(strange))}."
        )
        yield Finding(
            check="capacity.history",
            subject="clock",
            status=Status.WARNING,
            message=message,
            value=number,
            unit="measurements",
            remedy="See that the machine's clock is right; if it is, take the runs that it dated wrongly out of there.",
        )
