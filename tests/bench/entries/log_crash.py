"""Rotations that are killed before each of their file operations, against logrotate's copytruncate."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..entry import Entry, Figure, NoInput, Quantity, Side
from ..process import Command, Outcome
from ..programs import program
from ..suite import REPOSITORY

_FEWEST = 100
"""Kills of ours, below which something else than a rotation was killed."""


def entry(scale: float) -> Entry:
    """Return the entry; from *scale* 1 on the run after the first kill is killed as well."""
    depth = "2" if scale >= 1 else "1"
    return Entry(
        name="log-crash",
        about="kills that lose or double a line, one before each file operation of a rotation, against logrotate",
        quantity=Quantity.KILLS,
        bar=0,
        rounds=1,
        changes_input=True,
        ours=Side(
            f"weekly.log-rotation, {'two kills in a row' if depth == '2' else 'one kill'}",
            NoInput(),
            lambda folder: _crash(folder, "ours", depth),
            lambda _folder, outcome: _problem(outcome, _FEWEST),
            figure=_figure,
        ),
        peer=Side(
            "logrotate with copytruncate and compress, one kill",
            NoInput(),
            lambda folder: _crash(folder, "logrotate", program("strace"), program("logrotate")),
            lambda _folder, outcome: _problem(outcome, 1),
            figure=_figure,
        ),
        note="nobody writes meanwhile; after each kill the rotation runs once more, undisturbed.",
    )


def _crash(folder: Path, *arguments: str | Path) -> Command:
    return Command((sys.executable, "-m", "tests.bench.crash", folder, *arguments), REPOSITORY)


def _problem(outcome: Outcome, fewest: int) -> str | None:
    kills = json.loads(outcome.output)["kills"]
    return None if kills >= fewest else f"{kills} kills where at least {fewest} were expected"


def _figure(_folder: Path, outcome: Outcome) -> Figure:
    counted = json.loads(outcome.output)
    return Figure(counted["wrong"], counted["kills"])
