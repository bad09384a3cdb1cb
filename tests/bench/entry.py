"""What is measured: an entry sets ours against a peer and declares the bar that the ratio must not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol

from .process import Command, Outcome

MEMORY_LIMIT = 150_000_000
"""Bytes that no run of ours may need at its peak, whatever it works on."""


class Input(Protocol):
    """What a measured process works on. Equal inputs are interchangeable, so inputs are hashable values."""

    def make(self, folder: Path) -> None:
        """Make the input in *folder*, which is empty."""
        ...


@dataclass(frozen=True, slots=True)
class NoInput:
    """For a process that needs nothing there: it works on the repository, or makes what it needs."""

    def make(self, folder: Path) -> None:
        """Leave *folder* empty."""


class Figure(NamedTuple):
    """What is compared, of one run.

    Attributes:
        value: seconds, bytes, lines or kills.
        whole: what it is a part of: all lines that were written, all kills; 0 where it is a part of nothing.
    """

    value: float
    whole: float = 0


class Quantity(Enum):
    """What is compared; the value is for people."""

    TIME = "wall time"
    MEMORY = "peak memory"
    SIZE = "bytes of the archive"
    LINES = "lines lost or doubled"
    KILLS = "kills after which a line was lost or doubled"

    def of(self, outcome: Outcome) -> Figure:
        """Return the figure of a process for time or memory; the others only a side itself can tell."""
        if self is Quantity.TIME:
            return Figure(outcome.seconds)
        if self is Quantity.MEMORY:
            return Figure(outcome.peak_bytes)
        raise ValueError(f"{self.value}: the side has to tell")


@dataclass(frozen=True, slots=True)
class Side:
    """Ours or the peer.

    Attributes:
        label: what runs, for people.
        input: what it works on.
        command: given the folder of the input, what to run.
        problem: given the folder and the outcome, why the work was not done as it should be; ``None`` where
            it was. Asked after the clock has stopped. An exit status other than 0 needs no mention here.
        before: given the folder, takes away what an earlier run left there, where each run is to find the same.
            Called before the clock starts.
        figure: given the folder and the outcome, what is compared, where that is neither time nor memory.
    """

    label: str
    input: Input
    command: Callable[[Path], Command]
    problem: Callable[[Path, Outcome], str | None] = lambda _folder, _outcome: None
    before: Callable[[Path], None] = lambda _folder: None
    figure: Callable[[Path, Outcome], Figure] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One comparison.

    Attributes:
        name: what ``--only`` takes.
        about: what it shows, on one line.
        quantity: what is compared.
        bar: the largest ratio of ours to the peer that is well.
        rounds: how many rounds are measured where nobody says otherwise.
        changes_input: True where a run uses its input up, so that each gets a fresh one; otherwise each
            input is made once, and shared by both sides where they ask for the same.
        ours: our side.
        peer: what it is held against.
        note: what a reader of the figure should know.
    """

    name: str
    about: str
    quantity: Quantity
    bar: float
    rounds: int
    changes_input: bool
    ours: Side
    peer: Side
    note: str = ""
