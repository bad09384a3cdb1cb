"""The figures of a group of generations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.report.model import Metric, Status
from ..core.settings.model import GenerationSettings
from ..core.text.formatting import count, duration, percent
from .generation_tally import Group, Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """How many generations there were, how long they took, how many succeeded.

    Attributes:
        count: how many.
        evaluated: how many of them say whether they succeeded.
        succeeded: how many did.
        timed: how many of them have a duration; failed ones count as well.
        seconds: how long these took in all.
    """

    count: int = 0
    evaluated: int = 0
    succeeded: int = 0
    timed: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean duration in seconds; ``None`` where there is none."""
        return self.seconds / self.timed if self.timed else None

    @property
    def success_rate(self) -> float | None:
        """The share that succeeded, 0 to 1; ``None`` where nobody says."""
        return self.succeeded / self.evaluated if self.evaluated else None


def figures(group: Group) -> Figures:
    """Return the figures of *group*."""
    return Figures(group.count, group.evaluated, group.succeeded, len(group.durations), group.seconds)


def together(several: Iterable[Figures]) -> Figures:
    """Return the figures of several groups taken as one."""
    groups = [*several]
    return Figures(
        sum(one.count for one in groups),
        sum(one.evaluated for one in groups),
        sum(one.succeeded for one in groups),
        sum(one.timed for one in groups),
        sum(one.seconds for one in groups),
    )


def by_component(tally: Tally, period: int) -> dict[str, Figures]:
    """Return the figures of each component in a period, those with the most generations first."""
    found = {component: figures(group) for (where, component), group in tally.groups.items() if where == period}
    return dict(sorted(found.items(), key=lambda item: (-item[1].count, item[0])))


def rounded(number: float | None) -> float | None:
    """Return *number* with the three digits after the point that a table needs."""
    return None if number is None else round(number, 3)


def summary(total: Figures, when: str) -> str:
    """Return one line about generations: how many *when*, and the share of those that succeeded."""
    if not total.count:
        return f"no generations {when}"
    rate = total.success_rate
    return f"{count(total.count, 'generation')} {when}" + ("" if rate is None else f", {percent(rate)} succeeded")


def metrics(subject: str, total: Figures) -> Iterator[Metric]:
    """Yield ``generation.count``, and the mean in seconds and the share of successes where there are such."""
    yield Metric(name="generation.count", value=total.count, unit="generations", subject=subject)
    if total.mean is not None:
        yield Metric(name="generation.mean", value=round(total.mean, 3), unit="s", subject=subject)
    if total.success_rate is not None:
        yield Metric(name="generation.success_rate", value=round(total.success_rate, 4), unit="share", subject=subject)


def slowness(settings: GenerationSettings, mean: float | None) -> tuple[Status, str]:
    """Judge a mean duration in seconds; return the status and what was expected, as the end of a sentence."""
    if mean is None:
        return Status.UNKNOWN, ""
    for status, limit in ((Status.CRITICAL, settings.very_slow_seconds), (Status.WARNING, settings.slow_seconds)):
        if mean > limit:
            return status, f"; at most {duration(limit)} was expected"
    return Status.OK, ""
