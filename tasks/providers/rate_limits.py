"""Rate limits as providers report them: the headers ``x-ratelimit-…`` of OpenAI's API, which xAI sends as well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, duration, printable
from .exchange_outcome import Asked
from .retries import present, span

CHECK = "providers.rate_limit"

LOW = 0.1
"""The share of a limit below which what remains is a warning."""

_WHOLE = re.compile(r"\d{1,15}", re.ASCII)


class Limit(NamedTuple):
    """One limit.

    Attributes:
        what: what is counted.
        limit: how many are allowed; ``None`` where that is not reported.
        remaining: how many are left.
        reset: seconds until all are there again; ``None`` where that is not reported.
    """

    what: Literal["requests", "tokens"]
    limit: int | None
    remaining: int
    reset: float | None


def limits(headers: Mapping[str, str], now: datetime) -> list[Limit]:
    """Return the limits in *headers*, names in lower case; none where nothing tells how much is left.

    *now* is the present moment, for a reset that is a moment and a server that sends no ``Date``.
    """
    kinds: tuple[Literal["requests", "tokens"], ...] = ("requests", "tokens")
    found = []
    for what in kinds:
        limit, remaining = (_number(headers.get(f"x-ratelimit-{part}-{what}", "")) for part in ("limit", "remaining"))
        if remaining is not None:
            reset = span(headers.get(f"x-ratelimit-reset-{what}", ""), present(headers, now))
            found.append(Limit(what, limit, remaining, reset))
    return found


def _number(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text.strip()) else None


def of(asked: Asked, now: datetime) -> list[Limit]:
    """Return the limits that the last of a provider's answers reports, of those that report any."""
    for outcome in reversed(asked.outcomes):
        if found := limits(outcome.headers, now):
            return found
    return []


def evaluate(asked: Asked, now: datetime) -> Iterator[Finding]:
    """Yield a finding per limit, or one that says that none is reported."""
    name = printable(asked.name)
    found = of(asked, now)
    if not found and any(outcome.failure is None for outcome in asked.outcomes):
        yield Finding(check=CHECK, subject=name, status=Status.OK, message="Rate limits are not reported.")
    for limit in found:
        status = _status(limit)
        left = count(limit.remaining, limit.what[:-1])
        if limit.limit is not None:
            left = f"{limit.remaining:,} of {count(limit.limit, limit.what[:-1])}"
        reset = "" if limit.reset is None else f", all of them again in {duration(limit.reset)}"
        yield Finding(
            check=CHECK,
            subject=name,
            status=status,
            message=f"{left} left{reset}.",
            value=limit.remaining,
            unit=limit.what,
            warning=None if limit.limit is None else limit.limit * LOW,
            critical=0,
            remedy=None
            if status is Status.OK
            else "Ask less often, or have the limit raised in the provider's console.",
        )


def _status(limit: Limit) -> Status:
    if limit.remaining == 0:
        return Status.CRITICAL
    low = limit.limit is not None and limit.remaining < limit.limit * LOW
    return Status.WARNING if low else Status.OK


def rows(asked: Asked, now: datetime) -> list[dict[str, Any]]:
    """Return the lines of a provider in the table of limits; the reset in seconds."""
    return [
        {
            "provider": printable(asked.name),
            "what": limit.what,
            "limit": limit.limit,
            "left": limit.remaining,
            "reset": limit.reset,
        }
        for limit in of(asked, now)
    ]
