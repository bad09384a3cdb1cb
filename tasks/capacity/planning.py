"""``quarterly.capacity-planning``: what grows, when it reaches its limit, and what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event

from ..core.errors import UserError
from ..core.names import count, listed, printable, size
from ..core.report import Finding, Metric, Report, Status
from ..core.settings.model import Settings
from .forecast import Point
from .history import INODES, day_of, read_history
from .judgement import growers, judge, judged, row
from .present import measure

TASK = "quarterly.capacity-planning"

_FOLDERS = 20
"""Of the project's folders, the largest are recorded."""


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
        message = f"The project cannot be measured: {error.strerror}."
        finding = Finding(
            check="capacity.forecast",
            subject="disk",
            status=Status.UNKNOWN,
            message=message,
            remedy="See that its folder can be read.",
        )
        return Report(summary="nothing could be measured", findings=[finding])
    history = read_history(root, settings.logs.directory, now=now, days=own.history_days)
    today = day_of(now)
    freeable = [*_freeable(frees)]
    found = [
        judged(name, amount, [*history.series.get(name, ()), Point(today, amount.used)])
        for name, amount in present.amounts.items()
    ]
    helps = " ".join(finding.message for finding in freeable if finding.value)
    findings = [
        *(judge(own, each, now.date(), helps) for each in found),
        growers(history.folders, today, present.folders),
        *freeable,
        *_history_findings(history.broken, history.strange),
    ]
    worst = [each for each, finding in zip(found, findings, strict=False) if finding.status is not Status.OK]
    return Report(
        summary=f"{count(len(found), 'series', 'series')}, "
        + (f"{listed([each.name for each in worst], len(worst))} near the limit" if worst else "none near its limit"),
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
                Metric(name="capacity.folder", value=weight, unit="B", subject=printable(name))
                for name, weight in Counter(present.folders).most_common(_FOLDERS)
            ),
        ],
        data={"capacity": [row(each, now.date()) for each in found]},
    )


def _freeable(frees: Mapping[str, Callable[[], Report]]) -> Iterator[Finding]:
    for name, dry_run in frees.items():
        try:
            actions = dry_run().actions
        except (UserError, OSError) as error:
            message = f"What inv {name} would free is not known: {printable(error)}"
            yield Finding(check="capacity.freeable", subject=name, status=Status.OK, message=message)
            continue
        freed = sum(action.bytes for action in actions if action.verb == "delete")
        message = f"inv {name} would free {size(freed)} now." if freed else f"inv {name} would free nothing now."
        yield Finding(check="capacity.freeable", subject=name, status=Status.OK, message=message, value=freed, unit="B")


def _history_findings(broken: list[str], strange: int) -> Iterator[Finding]:
    if broken:
        message = f"{count(len(broken), 'report')} left out, for it cannot be read: {listed(broken, len(broken))}."
        remedy = "Look at what wrote it, then move it away."
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
        message = f"{count(strange, 'measurement')} left out, for the moment lies ahead or is none."
        yield Finding(
            check="capacity.history",
            subject="clock",
            status=Status.WARNING,
            message=message,
            value=strange,
            unit="measurements",
            remedy="See that the machine's clock is right.",
        )
