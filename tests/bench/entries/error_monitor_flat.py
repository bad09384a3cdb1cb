"""Whether the error monitor's time grows with the log before its window."""

from __future__ import annotations

from ..entry import Entry, Quantity
from ..log_files import LogFile
from ..log_sides import error_monitor


def entry(scale: float) -> Entry:
    """Return the entry with 4 GB and 1 GB times *scale*, of the same rate."""
    return Entry(
        name="error-monitor-flat",
        about="the errors of the last 24 hours of a log of 4 GB and 30 days against those of 1 GB and 7.5 days",
        quantity=Quantity.TIME,
        bar=1.15,
        rounds=10,
        changes_input=False,
        ours=error_monitor(LogFile.scaled(4_000_000_000, scale), "inv daily.error-monitor on 4 GB, 30 days"),
        peer=error_monitor(LogFile.scaled(1_000_000_000, scale), "the same on 1 GB, 7.5 days"),
    )
