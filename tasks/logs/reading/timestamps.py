"""Timestamps in log lines: ISO 8601 as Python's ``logging``, loguru, gunicorn and JSON formatters write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

TIME = re.compile(
    rb"(?<!\d)(?P<minute>\d{4}([-/])\d\d\2\d\d[T _]\d\d:\d\d)"
    rb"(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    rb"(?:\s?(?P<zone>(?<!\s)Z(?![\w-])|(?:UTC|GMT)(?![\w+-])|[+-]\d\d:?\d\d(?!\d)))?"
)
"""A date and a time of day; comma or dot before the fraction of a second, a zone or none."""

WITHIN = 100
"""Bytes at the start of a line, at most, before its time."""

_LENGTH = 48
"""Bytes that a time can have, its zone included."""


def find_time(line: bytes) -> re.Match[bytes] | None:
    """Return the place of the time that stands near the beginning of a line."""
    match = TIME.search(line, 0, WITHIN + _LENGTH)
    return match if match is not None and match.start() <= WITHIN else None


def time_of(line: bytes) -> float | None:
    """Return the time that stands near the beginning of a line, in seconds since 1970.

    A time without a zone is local time. In the hour that occurs twice when summer time ends, it is the first.

    Returns:
        ``None`` where there is none, or one that no calendar has.
    """
    match = find_time(line)
    return None if match is None else seconds_in(match)


def seconds_in(match: re.Match[bytes]) -> float | None:
    """Return the time that :func:`find_time` found, in seconds since 1970; ``None`` where no calendar has it."""
    zone = match["zone"]
    minute = _minute(match["minute"], zone)
    if minute is None:
        return None
    second = int(match["second"] or 0) + float(b"." + (match["fraction"] or b"0"))
    return minute + second if second < 61 else None  # noqa: PLR2004 - a leap second is number 60


@lru_cache(maxsize=4096)
def _minute(text: bytes, zone: bytes | None) -> float | None:
    """Return the beginning of a minute, in seconds since 1970: looked up, for many lines share it."""
    digits = text.decode("ascii")
    try:
        moment = datetime(  # noqa: DTZ001 - local time is what the text is in
            int(digits[:4]), int(digits[5:7]), int(digits[8:10]), int(digits[11:13]), int(digits[14:16])
        )
        return (moment if zone is None else moment.replace(tzinfo=_zone(zone))).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _zone(text: bytes) -> timezone:
    if text in {b"Z", b"UTC", b"GMT"}:
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[:1] == b"-" else offset)


def seconds_of(value: object) -> float | None:
    """Return the time that a JSON field holds, in seconds since 1970: ISO 8601, or such a number."""
    if isinstance(value, str):
        return time_of(value.encode("utf-8", "replace"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 < value < 1000 * _MILLISECONDS:
        return None
    return value / 1000 if value > _MILLISECONDS else float(value)


_MILLISECONDS = 1e11
"""A larger number of seconds is the year 5138; it must be milliseconds."""
