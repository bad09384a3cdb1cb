"""The generations of the last hours: a part of ``daily.health-check``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.report.model import Finding, Report, Status
from ..core.settings.model import GenerationSettings, Settings
from ..core.text import formatting
from ..core.text.formatting import count, duration, percent, printable
from .entry_times import Periods
from .generation_figures import Figures, by_component, metrics, rounded, slowness, summary, together
from .generation_records import Records, read_records
from .record_faults import faults, unusable

_HOUR = 3600


def review_recent(
    settings: Settings, *, now: datetime, hours: float = 24, redact: Callable[[str], str] = str
) -> Report:
    """Judge how many of the generations of the last hours succeeded, and how long they took.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        hours: how far back to look.
        redact: takes secrets out of what comes from the file.
    """
    seconds = now.timestamp()
    periods = Periods((seconds - hours * _HOUR,), seconds)
    records = read_records(Path(settings.root), settings.generation.file, periods)
    return evaluate(settings.generation, records, hours, redact)


def evaluate(settings: GenerationSettings, records: Records, hours: float, redact: Callable[[str], str]) -> Report:
    """Return the report on *records*, whose first period is that of the last *hours*."""
    subject = printable(settings.file)
    missing = unusable(records, subject, redact)
    if missing is not None:
        return missing
    when = f"in the last {formatting.hours(hours)}"
    components = by_component(records.tally, 1)
    total = together(components.values())
    findings = [*faults(records, subject, redact)]
    if total.count:
        findings.append(_success(settings, subject, total, when, _most_failing(components, hours, redact)))
        findings.append(_duration(settings, subject, total, when, _slowest(components, redact)))
    else:
        text = f"No generation was recorded {when}."
        findings.append(Finding(check="generation.count", subject=subject, status=Status.SKIPPED, message=text))
    return Report(
        summary=summary(total, when),
        findings=findings,
        metrics=[*metrics(subject, total)],
        data={"generation": _data(components, total, redact)},
    )


def _success(settings: GenerationSettings, subject: str, total: Figures, when: str, remedy: str) -> Finding:
    rate, least = total.success_rate, settings.min_success_rate
    if rate is None:
        status, remedy = Status.UNKNOWN, "Let the project write success, true or false, into each entry."
        text = f"None of {count(total.count, 'generation')} {when} says whether it succeeded."
    else:
        text = f"{total.succeeded:,} of {count(total.evaluated, 'generation')} succeeded ({percent(rate)}) {when}"
        status = Status.OK if rate >= least else Status.WARNING
        text += "." if status is Status.OK else f"; at least {percent(least)} was expected."
    return Finding(
        check="generation.success_rate",
        subject=subject,
        status=status,
        message=text,
        value=rate,
        unit="share",
        warning=least,
        remedy=None if status is Status.OK else remedy,
    )


def _duration(settings: GenerationSettings, subject: str, total: Figures, when: str, remedy: str) -> Finding:
    status, expected = slowness(settings, total.mean)
    if total.mean is None:
        remedy = "Let the project write duration, in seconds, into each entry."
        text = f"None of {count(total.count, 'generation')} {when} has a usable duration."
    else:
        text = f"{count(total.timed, 'generation')} took {duration(total.mean)} on average {when}{expected}."
    return Finding(
        check="generation.duration",
        subject=subject,
        status=status,
        message=text,
        value=total.mean,
        unit="s",
        warning=settings.slow_seconds,
        critical=settings.very_slow_seconds,
        remedy=None if status is Status.OK else remedy,
    )


def _most_failing(components: Mapping[str, Figures], hours: float, redact: Callable[[str], str]) -> str:
    """Return what to do about failures, with the component that succeeds least."""
    evaluated = {name: one for name, one in components.items() if one.evaluated}
    worst = min(
        evaluated,
        key=lambda name: (evaluated[name].succeeded / evaluated[name].evaluated, -evaluated[name].evaluated),
        default="",
    )
    one = components.get(worst, Figures())
    return (
        f"Begin with {redact(worst)}, where {one.evaluated - one.succeeded:,} of {one.evaluated:,} failed: "
        f"inv daily.log-review --since {hours:g}h shows the latest errors."
    )


def _slowest(components: Mapping[str, Figures], redact: Callable[[str], str]) -> str:
    """Return what to do about slowness, with the component that takes longest."""
    worst = max(components, key=lambda name: components[name].mean or 0)
    return (
        f"Begin with {redact(worst)}, which takes {duration(components[worst].mean or 0)} on average: look at its "
        "model, the length of its prompts and its retries; inv weekly.api-health tells how fast providers answer."
    )


def _data(components: Mapping[str, Figures], total: Figures, redact: Callable[[str], str]) -> dict[str, Any]:
    return {
        "count": total.count,
        "mean_seconds": rounded(total.mean),
        "success_rate": rounded(total.success_rate),
        "components": [
            {
                "component": redact(name),
                "count": one.count,
                "mean": rounded(one.mean),
                "success": rounded(one.success_rate),
            }
            for name, one in components.items()
        ],
    }
