"""Two periods side by side, component by component."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..core.report.quantile import quantile
from .generation_figures import Figures, figures, rounded, together
from .generation_tally import Group, Tally

FEWEST = 10
"""Generations below which nothing is concluded from a share, a mean or a percentile."""

ROWS = 30
"""Components of the table that have a row of their own."""


class Spread(NamedTuple):
    """Median, 95th percentile and maximum of the durations, in seconds."""

    median: float
    p95: float
    longest: float


class Side(NamedTuple):
    """One period of a component; *spread* is ``None`` where no duration is usable."""

    figures: Figures = Figures()
    spread: Spread | None = None

    @property
    def is_evaluated(self) -> bool:
        """Whether enough generations say if they succeeded."""
        return self.figures.evaluated >= FEWEST

    @property
    def is_timed(self) -> bool:
        """Whether enough generations have a duration."""
        return self.figures.timed >= FEWEST


class Component(NamedTuple):
    """A component in the period before and in the present one."""

    name: str
    before: Side
    now: Side

    @property
    def note(self) -> str:
        """Why nothing, or only the present period, is evaluated; empty where both are."""
        if not (self.now.is_evaluated or self.now.is_timed):
            return "too few to judge"
        return "" if self.before.is_evaluated or self.before.is_timed else "too few before to compare"


def compared(tally: Tally, before: int, now: int) -> list[Component]:
    """Return each component of two periods of *tally*, those with the most generations first."""
    names = {name for period, name in tally.groups if period in {before, now}}
    groups = tally.groups
    found = [Component(name, _side(groups.get((before, name))), _side(groups.get((now, name)))) for name in names]
    return sorted(found, key=lambda one: (-one.now.figures.count, -one.before.figures.count, one.name))


def _side(group: Group | None) -> Side:
    if group is None:
        return Side()
    ordered = sorted(group.durations)
    spread = Spread(quantile(ordered, 0.5), quantile(ordered, 0.95), ordered[-1]) if ordered else None
    return Side(figures(group), spread)


def change(before: float, now: float) -> float | None:
    """Return by how many percent *now* is more than *before*; ``None`` where that was nothing."""
    return (now / before - 1) * 100 if before else None


def table(components: Sequence[Component], redact: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return a row for each component, durations in seconds, changes in percent, success as a share.

    Beyond :data:`ROWS` components, a last row is for all the others together.
    """
    rows = [_row(one, redact(one.name)) for one in components[:ROWS]]
    others = components[ROWS:]
    if others:
        before = Side(together(one.before.figures for one in others))
        now = Side(together(one.now.figures for one in others))
        rows.append({**_row(Component("", before, now), f"({len(others):,} others)"), "note": ""})
    return rows


def _row(one: Component, name: str) -> dict[str, Any]:
    now, before = one.now.spread, one.before.spread
    both = (before, now) if before and now and one.now.is_timed and one.before.is_timed else None
    return {
        "component": name,
        "count": one.now.figures.count,
        "mean": rounded(one.now.figures.mean),
        "p50": rounded(now and now.median),
        "p95": rounded(now and now.p95),
        "max": rounded(now and now.longest),
        "success": rounded(one.now.figures.success_rate),
        "count_before": one.before.figures.count,
        "p50_before": rounded(before and before.median),
        "p95_before": rounded(before and before.p95),
        "success_before": rounded(one.before.figures.success_rate),
        "p50_change": rounded(both and change(both[0].median, both[1].median)),
        "p95_change": rounded(both and change(both[0].p95, both[1].p95)),
        "note": one.note,
    }
