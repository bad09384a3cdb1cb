"""The review of a log of 1 GB against the search that people make in it."""

from __future__ import annotations

from pathlib import Path

from ..entry import Entry, Quantity, Side
from ..log_files import LogFile
from ..log_sides import SETTINGS, grep, metrics
from ..process import Command, Outcome
from ..suite import inv

_NEVER_ROTATE = {"INVOKE_MAINTENANCE_LOGS_ROTATE_OVER_MB": "100000"}


def entry(scale: float) -> Entry:
    """Return the entry with 1 GB times *scale*."""
    log = LogFile.scaled(1_000_000_000, scale)

    def problem(_project: Path, outcome: Outcome) -> str | None:
        found, expected = metrics(outcome), log.levels()
        for name, number in (
            ("logs.warning", expected.warnings),
            ("logs.error", expected.errors),
            ("logs.critical", expected.criticals),
        ):
            if found[name] != number:
                return f"counted {found[name]:,.0f} for {name} where there are {number:,}"
        return None

    return Entry(
        name="log-review",
        about="the review of a log of 1 GB, levels judged and the latest errors shown, against grep -c",
        quantity=Quantity.TIME,
        bar=1.5,
        rounds=5,
        changes_input=False,
        ours=Side("inv daily.log-review", log, _review, problem),
        peer=grep(log),
        note="the log was just written, so that neither side waits for the disk where memory has room for it.",
    )


def _review(project: Path) -> Command:
    """Return the command, without the rotation that the size of the log would call for."""
    return inv("daily.log-review", root=project, settings=SETTINGS | _NEVER_ROTATE)
