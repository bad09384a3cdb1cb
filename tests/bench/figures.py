"""From measured rounds to figures and a verdict: nothing in here runs or prints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import NamedTuple

from .entry import MEMORY_LIMIT, Entry
from .process import Outcome


class Round(NamedTuple):
    """One run of each side, one straight after the other."""

    ours: Outcome
    peer: Outcome


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
    def ours(self) -> float:
        """The median of our side, in seconds or bytes."""
        return median(self.entry.quantity.of(each.ours) for each in self.rounds)

    @property
    def peer(self) -> float:
        """The median of the peer, in seconds or bytes."""
        return median(self.entry.quantity.of(each.peer) for each in self.rounds)

    @property
    def ratio(self) -> float:
        """Our median over the peer's."""
        return self.ours / self.peer

    @property
    def spread(self) -> Spread:
        """How far the ratios of the single rounds lie apart."""
        ratios = [ratio(self.entry, each) for each in self.rounds]
        return Spread(min(ratios), max(ratios))

    @property
    def peak_bytes(self) -> int:
        """The most memory that any run of ours needed, in bytes."""
        return max(each.ours.peak_bytes for each in self.rounds)

    @property
    def verdict(self) -> Verdict:
        """Whether ratio and memory are within their bars."""
        if self.void:
            return Verdict.VOID
        within = self.ratio <= self.entry.bar and self.peak_bytes < MEMORY_LIMIT
        return Verdict.OK if within else Verdict.OVER


def ratio(entry: Entry, measured: Round) -> float:
    """Return ours over the peer's in one round."""
    return entry.quantity.of(measured.ours) / entry.quantity.of(measured.peer)
