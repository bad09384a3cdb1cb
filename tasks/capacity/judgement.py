"""What a forecast means: a limit that was reached, one that comes near, or nothing yet to go by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from ..core.names import count, percent, printable, size
from ..core.report import Finding, Status
from ..core.settings.model import CapacitySettings
from ..core.weighing import TOP
from .forecast import FEWEST, SHORTEST_DAYS, Forecast, Point, When, forecast, reached
from .history import CACHE, INODES, LOGS
from .present import Amount

CLOSE = 0.95
"""Of the limit, from which a level that still rises is a warning whatever the forecast."""

_INODES = " inodes"

_FOREVER = 36_500.0
"""Days beyond which a date says nothing."""

_REMEDY = {
    CACHE: "Let entries expire earlier (maintenance.cache.expiry_hours) and run inv weekly.cache-cleanup.",
    LOGS: "Run inv weekly.log-rotation more often, or keep archives for fewer days (maintenance.logs.archive_days).",
}


class Judged(NamedTuple):
    """A series with what was found of it."""

    name: str
    amount: Amount
    points: Sequence[Point]
    found: Forecast | None
    when: When | None


def judged(name: str, amount: Amount, points: Sequence[Point]) -> Judged:
    """Return where a series goes.

    Args:
        name: of the series.
        amount: what it is now, the last of the points.
        points: its measurements in order of time.
    """
    limit = math.inf if amount.limit is None else amount.limit
    found = forecast(points, limit)
    return Judged(name, amount, points, found, None if found is None else reached(found, limit))


def judge(settings: CapacitySettings, each: Judged, today: date, helps: str) -> Finding:
    """Return the finding on one series.

    It is critical where the limit is reached; a warning where it is reached within the horizon, the growth is beyond
    doubt and the level is high; ok where it is not, or where there is not enough history to say so.

    Args:
        settings: those of the planning.
        each: the series.
        today: from which days count.
        helps: what would help most, as sentences.
    """
    amount, found, when = each.amount, each.found, each.when
    value = None if not amount.total else round(100 * amount.used / amount.total, 1)
    limit = None if not (amount.total and amount.limit) else round(100 * amount.limit / amount.total, 1)
    status = _status(settings, each)
    message = _standing(each)
    if status is Status.CRITICAL:
        message += "; the limit is reached."
    elif found is None:
        message += f"; {_shortage(each.points)}"
    else:
        message += f"; {_growth(each.name, found)}{_dates(when, amount, today)}"
    return Finding(
        check="capacity.forecast",
        subject=each.name,
        status=status,
        message=message,
        value=value,
        unit=None if value is None else "%",
        critical=limit,
        remedy=f"{_REMEDY.get(each.name, '')} {helps}".strip() if status.severity > Status.SKIPPED.severity else None,
    )


def row(each: Judged, today: date) -> dict[str, Any]:
    """Return the line of a series in the table."""
    unit = _unit(each.name)
    slope = None if each.found is None else each.found.slope
    finite = each.when is not None and each.when.expected < _FOREVER
    return {
        "series": each.name,
        "now": unit(each.amount.used),
        "limit": None if each.amount.limit is None else unit(each.amount.limit),
        "a day": None if slope is None else unit(slope.middle),
        "from": None if slope is None else unit(slope.low),
        "to": None if slope is None else unit(slope.high),
        "reached": _day(today, each.when.expected) if finite and each.when else None,
        "measurements": len(each.points),
        "clean-ups": None if each.found is None else each.found.cleanups,
    }


def growers(earlier: Sequence[tuple[float, Mapping[str, float]]], now: float, folders: Mapping[str, float]) -> Finding:
    """Return which folders of the project grew most since the first planning that is at least a day old."""
    before = next((each for each in earlier if each[0] <= now - 1), None)
    if before is None:
        largest = sorted(folders.items(), key=lambda item: -item[1])[:3]
        told = ", ".join(f"{printable(name)} ({size(weight)})" for name, weight in largest if weight and name != TOP)
        message = f"The largest are {told}; what grows is told from the next day on." if told else "It holds nothing."
        return Finding(check="capacity.growers", subject="project", status=Status.OK, message=message)
    days = max(1.0, now - before[0])
    grown = {name: weight - before[1][name] for name, weight in folders.items() if name in before[1]}
    most = [(name, more) for name, more in sorted(grown.items(), key=lambda item: -item[1])[:3] if more > 0]
    told = ", ".join(f"{printable(name)} by {size(more)} to {size(folders[name])}" for name, more in most)
    message = f"Over {count(round(days), 'day')} grew most: {told}." if most else "Nothing in the project grew."
    return Finding(check="capacity.growers", subject="project", status=Status.OK, message=message)


def _status(settings: CapacitySettings, each: Judged) -> Status:
    amount, found, when = each.amount, each.found, each.when
    if amount.limit is None or not amount.total:
        return Status.OK
    if amount.used >= amount.limit:
        return Status.CRITICAL
    if found is None or when is None or found.slope.low <= 0:
        return Status.OK
    high = found.level >= amount.total * settings.high_percent / 100
    near = when.expected <= settings.horizon_days or found.level >= CLOSE * amount.limit
    return Status.WARNING if high and near else Status.OK


def _standing(each: Judged) -> str:
    amount, unit = each.amount, _unit(each.name)
    if not amount.total:
        return f"{unit(amount.used)}, without a limit"
    limit = "" if amount.limit is None or amount.limit == amount.total else f", the limit is {unit(amount.limit)}"
    used = unit(amount.used).removesuffix(_INODES)
    return f"{percent(amount.used / amount.total)} used, {used} of {unit(amount.total)}{limit}"


def _shortage(points: Sequence[Point]) -> str:
    span = points[-1].day - points[0].day if points else 0.0
    return (
        f"not enough history for a forecast: {count(len(points), 'measurement')} over {span:.0f} days, "
        f"of at least {FEWEST} over {SHORTEST_DAYS:g}."
    )


def _growth(name: str, found: Forecast) -> str:
    unit, slope = _unit(name), found.slope
    what = "what it rises to between clean-ups grows by" if found.held else "it grows by"
    return f"{what} {unit(slope.middle)} a day ({unit(slope.low)} to {unit(slope.high)})"


def _dates(when: When | None, amount: Amount, today: date) -> str:
    if amount.limit is None or when is None:
        return "."
    if when.expected > _FOREVER:
        return ", so the limit is not in sight."
    latest = "never" if when.latest > _FOREVER else _day(today, when.latest)
    return (
        f", so the limit is reached about {_day(today, when.expected)} "
        f"(between {_day(today, when.earliest)} and {latest})."
    )


def _day(today: date, days: float) -> str:
    return (today + timedelta(days=math.ceil(days))).isoformat()


def _unit(name: str) -> Callable[[float], str]:
    return (lambda number: f"{number:,.0f}{_INODES}") if name == INODES else size
