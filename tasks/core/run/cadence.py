"""How often a procedure is to run, whether it is due, and what it means where it is overdue.

Days are those of the calendar where it ran: a run at 03:05 yesterday and one at 03:01 today are one a day, and neither
a random delay nor daylight saving moves anything by a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ..report.model import Finding, Status
from ..text.formatting import count, printable
from .definition import Cadence, Definition
from .stamps import Attempt, Stamp, read_all

DAYS: Mapping[Cadence, int] = {"daily": 1, "weekly": 7, "monthly": 30, "quarterly": 90}
"""Days from one run to the next."""


def cadence_of(definition: Definition, chosen: Mapping[str, Cadence]) -> Cadence | None:
    """Return how often a procedure is to run; ``None`` where it is not to run by itself.

    Args:
        definition: its declaration, which says how often.
        chosen: ``schedule.cadence`` of the settings, which counts more.
    """
    cadence = chosen.get(definition.name, definition.cadence) if definition.cadence else None
    return None if cadence == "never" else cadence


class Standing(NamedTuple):
    """Where a procedure stands.

    Attributes:
        task: its name.
        cadence: how often it is to run.
        stamp: what its runs left.
        last: the day of the last run that counts; ``None`` where there is none.
        today: the day of the judgement.
        doubt: why what its runs left does not count, as a sentence; ``None`` where it does.
    """

    task: str
    cadence: Cadence
    stamp: Stamp
    last: date | None
    today: date
    doubt: str | None

    @property
    def due(self) -> date:
        """The day of the next run: today where it has not run."""
        return self.today if self.last is None else self.last + timedelta(days=DAYS[self.cadence])

    @property
    def is_due(self) -> bool:
        """True where that day has come."""
        return self.due <= self.today

    @property
    def overdue_days(self) -> int:
        """Days since that day, 0 or more."""
        return max(0, (self.today - self.due).days)

    @property
    def never_ran(self) -> bool:
        """True where its runs left nothing."""
        return self.last is None and self.doubt is None


def standing(task: str, cadence: Cadence, stamp: Stamp, now: datetime) -> Standing:
    """Return where a procedure stands.

    A run in the future is one of a clock that was wrong: it counts as none, for else nothing would run until then.

    Args:
        task: its name.
        cadence: how often it is to run.
        stamp: what its runs left.
        now: the moment of the judgement, aware of its zone.
    """
    last, doubt, today = None, stamp.problem, now.date()
    if stamp.completed is not None:
        began = stamp.completed.began
        if began > now and began.date() > today:
            doubt = f"Its last run is dated {_moment(began)}, which is to come: a clock was wrong. It counts as none."
        else:
            last = began.date()
    return Standing(task, cadence, stamp, last, today, doubt)


def standings(root: Path, directory: str, cadences: Mapping[str, Cadence], now: datetime) -> list[Standing]:
    """Return where each procedure stands, read from what its runs left.

    Args:
        root: the project.
        directory: the folder of the logs, below it.
        cadences: by the name of a procedure, how often it is to run.
        now: the moment of the judgement, aware of its zone.
    """
    stamps = read_all(root, directory, cadences, now)
    return [standing(task, cadence, stamps[task], now) for task, cadence in cadences.items()]


def evaluate(found: Sequence[Standing]) -> list[Finding]:
    """Return the findings on procedures: those overdue, those that never ran, and what is doubtful.

    One that is overdue is a warning; by more than a whole further period, critical. All that never ran are one
    warning: a project that has just adopted the suite is warned once.
    """
    return [
        *(_overdue(each) for each in found if each.overdue_days),
        *_never(found),
        *doubts(found),
        *(_attempt(each.task, each.stamp.attempt) for each in found if each.stamp.attempt),
    ]


def doubts(found: Iterable[Standing]) -> Iterator[Finding]:
    """Yield a warning per procedure whose last run is not known."""
    for each in found:
        if each.doubt is not None:
            yield Finding(
                check="schedule.stamp",
                subject=each.task,
                status=Status.WARNING,
                message=f"When it last ran was not known, so that it counts as due. {each.doubt}",
                remedy="Its next run mends this. See that the clock is right and that nothing else writes there.",
            )


def _overdue(each: Standing) -> Finding:
    period = DAYS[each.cadence]
    return Finding(
        check="schedule.overdue",
        subject=each.task,
        status=Status.CRITICAL if each.overdue_days > period else Status.WARNING,
        message=f"It is to run {_EVERY[each.cadence]}, ran last on {each.last} and is overdue by "
        f"{count(each.overdue_days, 'day')}.",
        value=each.overdue_days,
        unit="days",
        warning=0,
        critical=period,
        remedy=f"Run inv {each.task}, or inv schedule.due for all that is due; "
        "inv schedule.install makes that happen by itself.",
    )


def _never(found: Sequence[Standing]) -> Iterator[Finding]:
    never = [each.task for each in found if each.never_ran]
    if never:
        all_of_them = len(never) == len(found)
        summary = "None of {} ever ran" if all_of_them else f"{len(never)} of {{}} never ran"
        yield Finding(
            check="schedule.never",
            subject="schedule",
            status=Status.WARNING,
            message=f"{summary.format(count(len(found), 'procedure'))}: {', '.join(never)}.",
            value=len(never),
            unit="procedures",
            warning=0,
            remedy="Run inv schedule.due, which runs what is due; inv schedule.install makes that happen by itself.",
        )


def _attempt(task: str, attempt: Attempt) -> Finding:
    return Finding(
        check="schedule.attempt",
        subject=task,
        status=Status.WARNING,
        message=f"The last attempt, of {_moment(attempt.began)}, did not come to its end: {printable(attempt.reason)}",
        remedy=f"Run inv {task} to see whether it still does not.",
    )


_EVERY: Mapping[Cadence, str] = {
    "daily": "every day",
    "weekly": "every 7 days",
    "monthly": "every 30 days",
    "quarterly": "every 90 days",
}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
