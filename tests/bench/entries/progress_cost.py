"""What the live count on a terminal costs a clean-up that looks at 200,000 files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..cache_files import CacheFiles
from ..entry import Entry, Quantity, Side
from ..process import Command, Outcome, Terminal
from ..suite import inv

_LIVE = b"\x1b[?25l"
"""What a terminal is told before something on it is drawn again and again: hide the cursor."""


def entry(scale: float) -> Entry:
    """Return the entry with 200,000 times *scale* files."""
    files = CacheFiles.scaled(200_000, scale, size=0)
    return Entry(
        name="progress-cost",
        about="a dry run on 200,000 files with the live count against the same without",
        quantity=Quantity.TIME,
        bar=1.02,
        rounds=30,
        changes_input=False,
        ours=Side("a dry run with the live count", files, _dry_run(Terminal.OUTPUT | Terminal.ERROR), _shown),
        peer=Side("the same with standard error on a file", files, _dry_run(Terminal.OUTPUT), _not_shown),
        note="the machine's own noise may exceed 2 %: look at the spread, and repeat with more rounds.",
    )


def _dry_run(terminal: Terminal) -> Callable[[Path], Command]:
    """Return the command; the report is on a terminal either way, so that only the live count differs."""
    return lambda project: inv(
        "weekly.cache-cleanup", "--dry-run", root=project, settings={"TERM": "xterm"}, terminal=terminal
    )


def _shown(_project: Path, outcome: Outcome) -> str | None:
    if _LIVE not in outcome.shown:
        return f"was over after {outcome.seconds:.2f} s, before the live count came up; a larger --scale shows its cost"
    return None


def _not_shown(_project: Path, outcome: Outcome) -> str | None:
    return "showed the live count" if _LIVE in outcome.shown else None
