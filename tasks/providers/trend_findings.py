"""Whether a provider became slower: what the trend of its history means."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, duration, printable
from .provider_history import History
from .trend import Trend, trend

CHECK = "providers.trend"

THRESHOLD = 20
"""Percent above which a slower second half is a warning."""


def of(past: History, names: Iterable[str], now: datetime) -> dict[str, Trend]:
    """Return the trend of each provider over the 30 days before *now*."""
    return {name: trend([found for found in past.measurements if found.provider == name], now=now) for name in names}


def evaluate(name: str, found: Trend) -> Finding:
    """Return what the trend of the provider *name* means: a warning where it became slower."""
    slower = found.direction == "slower"
    change = None if found.change is None else round(found.change * 100, 1)
    return Finding(
        check=CHECK,
        subject=printable(name),
        status=Status.WARNING if slower else Status.OK,
        message=_sentence(found),
        value=change,
        unit=None if change is None else "%",
        warning=None if change is None else THRESHOLD,
        remedy="Look at the provider's status page, and see what else changed when it began." if slower else None,
    )


def _sentence(found: Trend) -> str:
    measured = count(found.count, "measurement")
    if found.first is None or found.last is None:
        return f"Not enough data for a trend: {measured} in the last 30 days."
    medians = f"{duration(found.first)} in the first half of the last 30 days, {duration(found.last)} in the second"
    moved = found.change is not None and found.direction != "steady"
    change = f" by {abs(found.change or 0):.0%}" if moved else ""
    return f"{found.direction.capitalize()}{change}: {medians} (medians of {measured})."


def row(name: str, found: Trend) -> dict[str, Any]:
    """Return the line of the provider *name* in the table of trends; seconds and percent."""
    return {
        "provider": printable(name),
        "trend": found.direction,
        "change %": None if found.change is None else round(found.change * 100, 1),
        "first": None if found.first is None else round(found.first, 4),
        "last": None if found.last is None else round(found.last, 4),
        "count": found.count,
    }
