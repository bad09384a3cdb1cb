"""Fifty rotations under the hands of a program that goes on writing, against logrotate's copytruncate."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from ..entry import Entry, Figure, NoInput, Quantity, Side
from ..process import Command, Outcome
from ..programs import program
from ..suite import REPOSITORY

_ROTATIONS = 50
_NO_RELEASE = (
    "; it leaves a log in use alone where the file system cannot release the start of a file: "
    "name a folder on ext4 or XFS with --folder"
)


def entry(scale: float) -> Entry:
    """Return the entry with 50 times *scale* rotations."""
    rotations = max(round(_ROTATIONS * scale), 1)

    def side(label: str, why_not: str, command: Callable[[Path], Command]) -> Side:
        def problem(_folder: Path, outcome: Outcome) -> str | None:
            archives = json.loads(outcome.output)["archives"]
            return None if archives == rotations else f"made {archives} archives in {rotations} rotations{why_not}"

        return Side(f"{label}, {rotations} times", NoInput(), command, problem, figure=_figure)

    return Entry(
        name="log-soak",
        about="lines lost while a program writes as fast as it can and 50 rotations run, against logrotate",
        quantity=Quantity.LINES,
        bar=0,
        rounds=1,
        changes_input=True,
        ours=side("inv weekly.log-rotation", _NO_RELEASE, lambda folder: _soak(folder, rotations, "ours")),
        peer=side(
            "logrotate with copytruncate",
            "",
            lambda folder: _soak(folder, rotations, "logrotate", program("logrotate")),
        ),
        note="copytruncate loses what is written between its last read and the truncation: chance has its part.",
    )


def _soak(folder: Path, rotations: int, *tool: str | Path) -> Command:
    return Command((sys.executable, "-m", "tests.bench.soak", str(rotations), folder, *tool), REPOSITORY)


def _figure(_folder: Path, outcome: Outcome) -> Figure:
    counted = json.loads(outcome.output)
    return Figure(counted["lost"] + counted["doubled"], counted["written"])
