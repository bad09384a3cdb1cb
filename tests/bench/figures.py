"""From measured rounds to figures and a verdict: nothing in here runs or prints."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import NamedTuple

from .entry import MEMORY_LIMIT, Entry, Figure
from .process import Outcome


class Run(NamedTuple):
    """One run of a side: how the process ended, and the figure that is compared."""

    outcome: Outcome
    figure: Figure


class Round(NamedTuple):
    """One run of each side, one straight after the other."""

    ours: Run
    peer: Run

    @property
    def ratio(self) -> float:
        """Ours over the peer's in this round."""
        return ratio(self.ours.figure, self.peer.figure)


class Verdict(Enum):
    """What the figures of an entry say; the value is for people."""

    OK = "ok"
    OVER = "OVER"
    VOID = "VOID"


class Spread(NamedTuple):
    """The smallest and the largest ratio that any one round gave."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Result:
    """What the rounds of an entry gave.

    Attributes:
        entry: what was measured.
        rounds: at least one, unless the result is void.
        void: why there are no figures to trust; empty where there are.
    """

    entry: Entry
    rounds: tuple[Round, ...] = ()
    void: str = ""

    @property
    def ours(self) -> Figure:
        """The median of our side."""
        return _median(each.ours.figure for each in self.rounds)

    @property
    def peer(self) -> Figure:
        """The median of the peer."""
        return _median(each.peer.figure for each in self.rounds)

    @property
    def ratio(self) -> float:
        """Our median over the peer's."""
        return ratio(self.ours, self.peer)

    @property
    def spread(self) -> Spread:
        """How far the ratios of the single rounds lie apart."""
        ratios = [each.ratio for each in self.rounds]
        return Spread(min(ratios), max(ratios))

    @property
    def peak_bytes(self) -> int:
        """The most memory that any run of ours needed, in bytes."""
        return max(each.ours.outcome.peak_bytes for each in self.rounds)

    @property
    def verdict(self) -> Verdict:
        """Whether ratio and memory are within their bars."""
        if self.void:
            return Verdict.VOID
        within = self.ratio <= self.entry.bar and self.peak_bytes < MEMORY_LIMIT
        return Verdict.OK if within else Verdict.OVER


def ratio(ours: Figure, peer: Figure) -> float:
    """Return ours over the peer's: 0 for nothing of ours, whatever the peer's; without bound for some over none."""
    if not ours.value:
        return 0.0
    return ours.value / peer.value if peer.value else math.inf


def _median(figures: Iterable[Figure]) -> Figure:
    values, wholes = zip(*figures, strict=True)
    return Figure(median(values), median(wholes))
