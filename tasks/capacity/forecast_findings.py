"""What a forecast means: a limit that was reached, one that comes near, or nothing yet to go by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from ..core.files.disk_usage import TOP
from ..core.report.model import Finding, Status
from ..core.settings.model import CapacitySettings
from ..core.text.formatting import count, percent, printable, size
from .forecast import FEWEST, SHORTEST_DAYS, Forecast, Point, When, forecast, reached
from .present_sizes import Amount
from .recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS

CLOSE = 0.95
"""Of the limit, from which a level that still rises is a warning whatever the forecast."""

RECORDED = 20
"""Of the project's folders, so many are recorded at a planning."""

_INODES = " inodes"

_FOREVER = 36_500.0
"""Days beyond which a date says nothing."""

_REMEDY = {
    DISK: "Delete or move away what grows most (capacity.growers), or enlarge the disk.",
    INODES: "Find the folder with most files (du --inodes) and delete or pack them.",
    LOGS: "Run inv weekly.log-rotation more often, or keep archives for fewer days (maintenance.logs.archive_days).",
    CACHE: "Let entries expire earlier (maintenance.cache.expiry_hours), or raise maintenance.capacity.limits_mb.",
    BACKUPS: "Keep fewer backups (maintenance.backups.keep and keep_days), or raise maintenance.capacity.limits_mb.",
}


class EvaluatedSeries(NamedTuple):
    """A series with what was found of it."""

    name: str
    amount: Amount
    points: Sequence[Point]
    found: Forecast | None
    when: When | None


def evaluated_series(name: str, amount: Amount, points: Sequence[Point]) -> EvaluatedSeries:
    """Return where a series goes.

    Args:
        name: of the series.
        amount: what it is now, the last of the points.
        points: its measurements in order of time.
    """
    limit = amount.limit or math.inf
    found = forecast([*_as_now(points)], limit)
    return EvaluatedSeries(name, amount, points, found, None if found is None else reached(found, limit))


def _as_now(points: Sequence[Point]) -> Iterator[Point]:
    """Yield the points, those of today as low as the last: since this morning there may have been a clean-up."""
    last = points[-1]
    for point in points:
        same_day = math.floor(point.day) == math.floor(last.day)
        yield point._replace(value=min(point.value, last.value)) if same_day else point


def evaluate(settings: CapacitySettings, each: EvaluatedSeries, today: date, helps: str) -> Finding:
    """Return the finding on one series.

    It is critical where the limit is reached; a warning where it is reached within the horizon, the growth is beyond
    doubt and the level is high, or where it is reached again and again between clean-ups; ok where it is not, or
    where there is not enough history to say so.

    Args:
        settings: those of the planning.
        each: the series.
        today: from which days count.
        helps: what would help now, as sentences; empty where nothing would.
    """
    amount, found = each.amount, each.found
    value = None if not amount.total else round(100 * amount.used / amount.total, 1)
    limit = None if not (amount.total and amount.limit) else round(100 * amount.limit / amount.total, 1)
    status = _status(settings, each)
    message = _standing(each)
    if status is Status.CRITICAL:
        message += "; the limit is reached."
    elif found is None:
        message += f"; {_shortage(each.points)}"
    else:
        message += f"; {_growth(each.name, found)}{_dates(each, today)}"
    return Finding(
        check="capacity.forecast",
        subject=each.name,
        status=status,
        message=message,
        value=value,
        unit=None if value is None else "%",
        critical=limit,
        remedy=None if status is Status.OK else f"{helps} {_REMEDY[each.name]}".strip(),
    )


def row(each: EvaluatedSeries, today: date) -> dict[str, Any]:
    """Return the line of a series in the table."""
    unit = _unit(each.name)
    slope = None if each.found is None else each.found.slope
    finite = each.when is not None and each.when.expected < _FOREVER
    return {
        "series": each.name,
        "now": unit(each.amount.used),
        "limit": unit(each.amount.limit) if each.amount.limit else None,
        "a day": None if slope is None else unit(slope.middle),
        "from": None if slope is None else unit(slope.low),
        "to": None if slope is None else unit(slope.high),
        "reached": _day(today, each.when.expected) if finite and each.when else None,
        "measurements": len(each.points),
        "clean-ups": None if each.found is None else each.found.cleanups,
    }


def growers(earlier: Sequence[tuple[float, Mapping[str, float]]], now: float, folders: Mapping[str, float]) -> Finding:
    """Return which folders of the project grew most since the first planning that is at least a day old.

    Args:
        earlier: the folders at earlier plannings, as :func:`recorded` returns them, in order of time.
        now: the day.
        folders: what they hold now, by name.
    """
    before = next((each for each in earlier if each[0] <= now - 1), None)
    if before is None:
        listed = ", ".join(f"{_folder(name)} ({size(weight)})" for name, weight in _greatest(folders))
        message = (
            f"The largest are {listed}; what grows is told from the next day on." if listed else "It holds nothing."
        )
        return Finding(check="capacity.growers", subject="project", status=Status.OK, message=message)
    day, held = before
    # One that is not among those recorded held at most as much as the smallest of them: so much it grew for sure.
    least = min(held.values()) if len(held) >= RECORDED else 0.0
    grown = _greatest({name: weight - held.get(printable(name), least) for name, weight in folders.items()})
    listed = ", ".join(f"{_folder(name)} by {size(more)} to {size(folders[name])}" for name, more in grown)
    since = count(round(now - day), "day")
    message = f"What grew most in {since}: {listed}." if listed else f"Nothing in the project grew in {since}."
    return Finding(check="capacity.growers", subject="project", status=Status.OK, message=message)


def recorded(folders: Mapping[str, float]) -> dict[str, float]:
    """Return those folders of the project that are recorded at a planning: the largest, by printable names."""
    return {printable(name): weight for name, weight in _greatest(folders, RECORDED)}


def _greatest(numbers: Mapping[str, float], most: int = 3) -> list[tuple[str, float]]:
    return sorted(((name, more) for name, more in numbers.items() if more > 0), key=lambda item: -item[1])[:most]


def _folder(name: str) -> str:
    return "files in the root" if name == TOP else printable(name)


def _status(settings: CapacitySettings, each: EvaluatedSeries) -> Status:
    amount, found, when = each.amount, each.found, each.when
    if not amount.limit or not amount.total:
        return Status.OK
    if amount.used >= amount.limit:
        return Status.CRITICAL
    if found is None or when is None:
        return Status.OK
    if found.level >= amount.limit:
        return Status.WARNING
    if found.slope.low <= 0:
        return Status.OK
    high = found.level >= amount.total * settings.high_percent / 100
    near = when.expected <= settings.horizon_days or found.level >= CLOSE * amount.limit
    return Status.WARNING if high and near else Status.OK


def _standing(each: EvaluatedSeries) -> str:
    amount, unit = each.amount, _unit(each.name)
    if not amount.total:
        return f"{unit(amount.used)}, without a limit"
    limit = "" if not amount.limit or amount.limit == amount.total else f", the limit is {unit(amount.limit)}"
    used = unit(amount.used).removesuffix(_INODES)
    return f"{percent(amount.used / amount.total)} used, {used} of {unit(amount.total)}{limit}"


def _shortage(points: Sequence[Point]) -> str:
    span = points[-1].day - points[0].day
    return (
        f"there is not enough history for a forecast: {count(len(points), 'measurement')} over "
        f"{count(math.floor(span), 'day')}, where at least {FEWEST} over {SHORTEST_DAYS:g} days are needed."
    )


def _growth(name: str, found: Forecast) -> str:
    unit, slope = _unit(name), found.slope
    what = "what it rises to between clean-ups" if found.held else "it"
    if not slope.middle:
        return f"{what} does not grow"
    verb = "grows" if slope.middle > 0 else "shrinks"
    return f"{what} {verb} by {unit(abs(slope.middle))} a day ({unit(slope.low)} to {unit(slope.high)} with 95 %)"


def _dates(each: EvaluatedSeries, today: date) -> str:
    found, when = each.found, each.when
    if not each.amount.limit or found is None or when is None:
        return "."
    if not when.expected:
        return f". At about {_unit(each.name)(found.level)} it is at the limit already."
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
