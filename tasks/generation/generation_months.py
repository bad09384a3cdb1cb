"""The generations of the last 30 days against the 30 days before: a part of ``monthly.performance-analysis``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ..core.report.model import Finding, Report, Status
from ..core.settings.model import GenerationSettings, Settings
from ..core.text.formatting import count, printable
from .comparison import compared, table
from .entry_times import DAY, Periods
from .generation_figures import metrics, summary, together
from .generation_records import Records, read_records
from .recommendations import recommendations
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
