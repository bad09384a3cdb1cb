"""The error monitor on the last day of a month against a search through the month."""

from __future__ import annotations

from ..entry import Entry, Quantity
from ..log_files import LogFile
from ..log_sides import error_monitor, grep


def entry(scale: float) -> Entry:
    """Return the entry with 4 GB times *scale*."""
    log = LogFile.scaled(4_000_000_000, scale)
    return Entry(
        name="error-monitor",
        about="the errors of the last 24 hours of a log of 4 GB and 30 days, grouped, against grep -c",
        quantity=Quantity.TIME,
        bar=0.35,
        rounds=5,
        changes_input=False,
        ours=error_monitor(log, "inv daily.error-monitor"),
        peer=grep(log),
        note="each run of ours is a first visit, and writes tracking and alert; the log is in memory where it fits.",
    )
