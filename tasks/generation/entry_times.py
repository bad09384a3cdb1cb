"""Times of entries, and the periods into which they fall."""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import datetime

import msgspec

DAY = 86_400

AHEAD = 300
"""Seconds by which an entry may lie in the future: clocks of two machines differ."""

_MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds: as seconds they would be in the year 5138."""

_EPOCH = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day of the calendar, no moment


class Periods:
    """Consecutive periods up to the present, each from its start (included) to the next one's.

    Entries up to :data:`AHEAD` seconds in the future belong to the last period.

    Args:
        starts: where each begins, in seconds since 1970, ascending.
        now: the present moment, in seconds since 1970.
    """

    def __init__(self, starts: tuple[float, ...], now: float) -> None:
        self._edges = (*starts, math.nextafter(now + AHEAD, math.inf))
        self._days: dict[int, int | None] = {}
        self._hours: dict[tuple[int, int], int | None] = {}

    @property
    def future(self) -> int:
        """What :meth:`of` returns for the time after the last period."""
        return len(self._edges)

    def of(self, moment: datetime | float) -> int:
        """Return the period of *moment*: 0 for the time before the first, 1 for the first and so on.

        Args:
            moment: a time, local where it is naive, or seconds since 1970.
        """
        if isinstance(moment, float):
            return bisect_right(self._edges, moment)
        day = moment.toordinal()
        period = self.of_day(day)
        if period is None and moment.tzinfo is None:
            period = self._of_hour(day, moment.hour)
        return bisect_right(self._edges, moment.timestamp()) if period is None else period

    def of_day(self, day: int) -> int | None:
        """Return the one period in which a date (a proleptic Gregorian ordinal) lies; ``None`` near an edge.

        No offset from UTC reaches a day (:class:`datetime.timezone`), so whatever the zone of a time on that date,
        the moment lies between the begin of the day before and the end of the day after in UTC.
        """
        try:
            return self._days[day]
        except KeyError:
            midnight = (day - _EPOCH) * DAY
            first, last = (bisect_right(self._edges, midnight + days * DAY) for days in (-1, 2))
            return self._days.setdefault(day, first if first == last else None)

    def _of_hour(self, day: int, hour: int) -> int | None:
        """Return the one period in which an hour of local time lies; ``None`` where an edge is in it.

        To ask for each local time costs ten times as much. A zone changes its offset once in an hour at most, and
        of a time that such a change repeats or leaves out, ``fold`` gives the offset before it and the one after it.
        """
        try:
            return self._hours[day, hour]
        except KeyError:
            first = datetime.fromordinal(day).replace(hour=hour)
            ends = (first, first.replace(minute=59, second=59, microsecond=999_999))
            found = {bisect_right(self._edges, end.replace(fold=fold).timestamp()) for end in ends for fold in (0, 1)}
            return self._hours.setdefault((day, hour), found.pop() if len(found) == 1 else None)


def moment(value: object) -> datetime | float | None:
    """Return the time that the *timestamp* of an entry names, ``None`` where it names none.

    ISO 8601 is read as RFC 3339 and :meth:`datetime.datetime.fromisoformat` have it: with ``Z``, an offset or
    neither (local time), with a fraction after a point or a comma, with a blank in place of the T. A number is
    seconds since 1970, milliseconds from 1e11 on.
    """
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_number(value)
    return None


def _of_number(number: float) -> float | None:
    try:
        seconds = float(number)
    except OverflowError:  # an integer may have any number of digits
        return None
    if not math.isfinite(seconds):
        return None
    return seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds


def _of_text(text: str) -> datetime | None:
    if text.isdigit():  # of which fromisoformat would make something
        return None
    try:
        return msgspec.convert(text, datetime)
    except (msgspec.ValidationError, ValueError):
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
