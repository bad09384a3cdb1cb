"""The generations of the last 30 days against the 30 days before: a part of ``monthly.performance-analysis``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from ..core.report.model import Finding, Report, Status
from ..core.settings.model import GenerationSettings, Settings
from ..core.text.formatting import count, duration, percent, printable
from .comparison import Component, change, compared, table
from .entry_times import DAY, Periods
from .generation_figures import Figures, metrics, slowness, summary, together
from .generation_records import Records, read_records
from .record_faults import faults, unusable

DAYS = 30

_BEFORE, _NOW = 1, 2


def compare_months(settings: Settings, *, now: datetime, redact: Callable[[str], str] = str) -> Report:
    """Compare the generations of the last 30 days with those of the 30 days before, component by component.

    How many there are is one finding; the others are recommendations, each with the figure that calls for it, and
    none where nothing does.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        redact: takes secrets out of what comes from the file.
    """
    seconds = now.timestamp()
    periods = Periods((seconds - 2 * DAYS * DAY, seconds - DAYS * DAY), seconds)
    records = read_records(Path(settings.root), settings.generation.file, periods)
    return evaluate(settings.generation, records, redact)


def evaluate(settings: GenerationSettings, records: Records, redact: Callable[[str], str]) -> Report:
    """Return the report on *records*, whose periods are the two spans of 30 days."""
    subject = printable(settings.file)
    missing = unusable(records, subject, redact)
    if missing is not None:
        return missing
    when = f"in the last {DAYS} days"
    components = compared(records.tally, _BEFORE, _NOW)
    total = together(one.now.figures for one in components)
    findings = [*faults(records, subject, redact)]
    status = Status.OK if total.count else Status.SKIPPED
    text = (
        f"{count(total.count, 'generation')} counted {when}." if total.count else f"No generation was recorded {when}."
    )
    findings.append(Finding(check="generation.count", subject=subject, status=status, message=text, value=total.count))
    for one in components:
        findings += recommendations(settings, one, redact(one.name), DAYS)
    return Report(
        summary=summary(total, when),
        findings=findings,
        metrics=[*metrics(subject, total)],
        data={"generation": table(components, redact)},
    )


SLOWER_PERCENT = 20
"""By how much the 95th percentile may rise from one period to the next."""

FALL = Fraction(5, 100)
"""By how much the share of successes may fall from one period to the next."""


def recommendations(settings: GenerationSettings, one: Component, name: str, days: int) -> Iterator[Finding]:
    """Yield what the figures of a component call for, nothing where they are well or too few.

    Args:
        settings: the thresholds.
        one: the component in both periods.
        name: how it is called in messages.
        days: the length of each period.
    """
    yield from _failures(settings, one, name, days)
    yield from _slow(settings, one, name, days)
    yield from _slower(one, name, days)
    yield from _fall(one, name, days)


def _failures(settings: GenerationSettings, one: Component, name: str, days: int) -> Iterator[Finding]:
    now = one.now.figures
    if one.now.is_evaluated and (rate := now.succeeded / now.evaluated) < settings.min_success_rate:
        yield Finding(
            check="generation.success_rate",
            subject=name,
            status=Status.WARNING,
            message=f"{now.succeeded:,} of {count(now.evaluated, 'generation')} of {name} succeeded ({percent(rate)}) "
            f"in the last {days} days; at least {percent(settings.min_success_rate)} was expected.",
            value=rate,
            unit="share",
            warning=settings.min_success_rate,
            remedy=f"See why {name} fails: inv daily.log-review --since {days}d shows the latest errors.",
        )


def _slow(settings: GenerationSettings, one: Component, name: str, days: int) -> Iterator[Finding]:
    mean = one.now.figures.mean
    status, expected = slowness(settings, mean)
    if one.now.is_timed and mean is not None and status is not Status.OK:
        yield Finding(
            check="generation.duration",
            subject=name,
            status=status,
            message=f"{name} took {duration(mean)} on average in the last {days} days{expected}.",
            value=mean,
            unit="s",
            warning=settings.slow_seconds,
            critical=settings.very_slow_seconds,
            remedy=f"Look at what {name} asks for: the model, the length of the prompts, the retries.",
        )


def _slower(one: Component, name: str, days: int) -> Iterator[Finding]:
    before, now = one.before.spread, one.now.spread
    if not (before and now and one.before.is_timed and one.now.is_timed):
        return
    rise = change(before.p95, now.p95)
    if rise is not None and now.p95 * 100 > before.p95 * (100 + SLOWER_PERCENT):
        yield Finding(
            check="generation.slower",
            subject=name,
            status=Status.WARNING,
            message=f"95 % of the generations of {name} took up to {duration(now.p95)} in the last {days} days, "
            f"{rise:.1f} % more than the {duration(before.p95)} of the {days} days before; "
            f"at most {SLOWER_PERCENT} % more was expected.",
            value=rise,
            unit="%",
            warning=SLOWER_PERCENT,
            remedy=f"Look at what changed in {name} since: model, prompts, provider.",
        )


def _fall(one: Component, name: str, days: int) -> Iterator[Finding]:
    if not (one.before.is_evaluated and one.now.is_evaluated):
        return
    before, now = _share(one.before.figures), _share(one.now.figures)
    if before - now > FALL:
        points = float(before - now) * 100
        yield Finding(
            check="generation.success_fall",
            subject=name,
            status=Status.WARNING,
            message=f"The share of generations of {name} that succeeded fell by {points:.1f} points, from "
            f"{percent(float(before))} in the {days} days before to {percent(float(now))} in the last {days}; "
            f"at most {float(FALL) * 100:g} points were expected.",
            value=points,
            unit="points",
            warning=float(FALL) * 100,
            remedy=f"Look at what changed in {name} since, and at its errors: inv daily.log-review --since {days}d.",
        )


def _share(figures: Figures) -> Fraction:
    return Fraction(figures.succeeded, figures.evaluated)
