"""When a failed request may be sent once more: the waits that servers name in their headers, and what is safe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .provider_faults import Failure, Fault

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_SPAN = re.compile(
    r"(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9})ms)?", re.ASCII
)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT.*", re.ASCII | re.DOTALL)
_SECONDS = (86_400, 3_600, 60, 1, 0.001)

_EPOCH = 1_000_000_000
"""A larger number, which would be more than 31 years of waiting, is a moment in seconds since 1970."""


def named_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds after which the server wants to be asked again; ``None`` where it names none.

    ``Retry-After`` (RFC 9110, 10.2.3: seconds, or a date, which is taken relative to the answer's own ``Date``),
    else the longest of the resets of the limits that are used up; where none says that it is, of all.

    Args:
        headers: the answer's headers, names in lower case.
        now: the present moment, aware of its zone, for a server that sends no ``Date``.
    """
    moment = present(headers, now)
    if text := headers.get("retry-after"):
        return span(text, moment)
    resets = {
        what: seconds
        for what in ("requests", "tokens")
        if (seconds := span(headers.get(f"x-ratelimit-reset-{what}", ""), moment)) is not None
    }
    used_up = [resets[what] for what in resets if headers.get(f"x-ratelimit-remaining-{what}", "").strip() == "0"]
    return max(used_up or resets.values(), default=None)


def present(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return the moment of an answer by its server's clock, else *now*: its other moments are by that clock too."""
    return _date(headers.get("date", "")) or now


def span(text: str, now: datetime) -> float | None:
    """Return the seconds from *now* that *text* stands for; ``None`` where it is no time.

    Read are seconds (``12``, ``0.5``), spans (``6m0s``, ``120ms``), seconds since 1970, HTTP dates and ISO 8601.
    What lies in the past is no wait: 0.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        number = float(text)
        return max(number - now.timestamp(), 0) if number > _EPOCH else number
    if text and (match := _SPAN.fullmatch(text)):
        return sum(float(part) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True) if part)
    moment = _date(text)
    return None if moment is None else max((moment - now).total_seconds(), 0)


def _date(text: str) -> datetime | None:
    read = datetime.fromisoformat if _ISO.fullmatch(text) else parsedate_to_datetime
    try:
        moment = read(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PAUSE = 0.5
"""Seconds before a request is sent again where the server names none."""

LONGEST_WAIT = 5.0
"""Seconds that a server may ask for; with more, the answer is that it is not available now."""

ATTEMPTS = 2

_NOT_PROCESSED_IF_NAMED = frozenset({429, 503})
_LOST = frozenset({Fault.CONNECTION_LOST, Fault.OVERLOADED})


def pause(failure: Failure, *, free: bool, attempts: int, remaining: float) -> float | None:
    """Return the seconds after which the request may be sent again; ``None`` where it may not.

    A chat completion costs money and is repeated only where it was surely not processed: the connection was
    refused, or the server said 429 or 503 and when to come back (RFC 9110, 15.6.4; RFC 6585, 4). Free requests
    only read and are repeated after a lost connection and after any 5xx as well.

    Args:
        failure: what became of it.
        free: whether it costs nothing and changes nothing.
        attempts: how often it was sent so far.
        remaining: the seconds left for it.
    """
    if attempts >= ATTEMPTS:
        return None
    named = (
        failure.status in _NOT_PROCESSED_IF_NAMED
        and failure.wait is not None
        and failure.fault is not Fault.OUT_OF_QUOTA
    )
    if not (named or failure.fault is Fault.CONNECTION_REFUSED or (free and failure.fault in _LOST)):
        return None
    seconds = PAUSE if failure.wait is None else failure.wait
    return seconds if seconds <= min(LONGEST_WAIT, remaining) else None
