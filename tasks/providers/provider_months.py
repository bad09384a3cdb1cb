"""The providers' last 30 days against the 30 days before: their part of ``monthly.performance-analysis``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from ..core.report.history import history_path as recorded_path
from ..core.report.model import Finding, Metric, Report, Status
from ..core.report.quantile import quantile
from ..core.settings.model import ProviderSettings, Settings
from ..core.text.formatting import count, percent, printable
from .provider_history import CHECK, SECONDS_A_DAY, History, Measurement, history_path, read
from .trend_findings import LEAST, SLOWER, change, is_slower

DAYS = 30
"""Days of a month."""

MIN_SUCCESS_RATE = 0.95
"""A lower share of successes calls for a recommendation: one request in twenty is what retries can make good."""

_CLOCK_SECONDS = 300
"""How far clocks may be apart before a measurement counts as dated in the future."""

_PLACES = 4

_CHECK_AGAIN = "Run inv daily.health-check every day: it measures the providers."


@dataclass(frozen=True, slots=True)
class Month:
    """What was measured of one provider in 30 days.

    Attributes:
        count: the measurements.
        times: their response times in seconds, in ascending order.
        rates: their shares of successes.
        speeds: their tokens per second.
    """

    count: int
    times: list[float]
    rates: list[float]
    speeds: list[float]


_NOTHING = Month(0, [], [], [])


def compare_months(settings: Settings, *, now: datetime) -> Report:
    """Report what the history says of each provider, and recommend something where the numbers call for it.

    The last 30 days are held against the 30 days before. A provider that is not configured any more is shown and not
    judged, and none is judged by fewer than eight measurements.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the analysis, aware of its zone; what is dated after it does not count.
    """
    history = read(Path(settings.root), settings.logs.directory)
    path = printable(history_path(settings.logs.directory))
    own_path = printable(recorded_path(settings.logs.directory))
    last = _month(history.measurements, now.timestamp())
    before = _month(history.measurements, now.timestamp() - DAYS * SECONDS_A_DAY)
    findings = [*_of_history(path, history, now), *_of_own_history(own_path, history, now)]
    if last:
        for name, provider in settings.providers.items():
            findings += _evaluate(name, provider, last.get(name, _NOTHING), before.get(name, _NOTHING))
    elif not (history.problem and not history.recorded):
        message = f"No measurement of the last {DAYS} days stands in {path}."
        findings.append(_history_finding(path, Status.SKIPPED, message, _CHECK_AGAIN))
    total = sum(month.count for month in last.values())
    names = _in_order({*last, *before}, settings.providers)
    return Report(
        summary=f"{count(len(last), 'provider')}, {count(total, 'measurement')} in the last {DAYS} days",
        findings=findings,
        metrics=[metric for name in names if name in last for metric in _metrics(printable(name), last[name])],
        data={"providers": [_row(name, last.get(name, _NOTHING), before.get(name, _NOTHING)) for name in names]},
    )


def _in_order(found: set[str], configured: Mapping[str, ProviderSettings]) -> list[str]:
    return [*(name for name in configured if name in found), *sorted(found - configured.keys())]


def _month(measurements: Iterable[Measurement], until: float) -> dict[str, Month]:
    """Return what was measured of each provider in the 30 days up to *until*, in POSIX seconds."""
    found: dict[str, list[Measurement]] = {}
    for one in measurements:
        if 0 <= until - one.time < DAYS * SECONDS_A_DAY:
            found.setdefault(one.provider, []).append(one)
    return {
        name: Month(
            len(ones),
            sorted(one.response_time for one in ones if one.response_time is not None),
            [one.success_rate for one in ones if one.success_rate is not None],
            [one.tokens_per_second for one in ones if one.tokens_per_second is not None],
        )
        for name, ones in found.items()
    }


def _of_history(path: str, history: History, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the file for other programs."""
    if history.problem and not history.recorded:
        remedy = "Look at what wrote it, and see that it can be read."
        yield _history_finding(path, Status.UNKNOWN, f"{history.problem} No month can be compared.", remedy)
    elif history.problem:
        remedy = "Look at what wrote it, then move it away; the next health check writes a new one."
        yield _history_finding(
            path, Status.WARNING, f"{history.problem} Measurements that only this file has are left out.", remedy
        )
    yield from _entries_left_out(path, history.odd, history.measurements[history.recorded :], now)


def _of_own_history(path: str, history: History, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the record of this suite."""
    if history.closed:
        remedy = "Move it away, or see that it can be read."
        message = f"{history.closed} Measurements that only this file has are left out."
        yield _history_finding(path, Status.WARNING, message, remedy)
    yield from _entries_left_out(path, history.unreadable, history.measurements[: history.recorded], now)


def _entries_left_out(path: str, odd: int, measurements: Sequence[Measurement], now: datetime) -> Iterator[Finding]:
    if odd:
        what = count(odd, "entry", "entries")
        remedy = "Look at what wrote them, and correct or remove them."
        message = f"{what} of {path} could not be understood, as a whole or in part."
        yield _history_finding(path, Status.WARNING, message, remedy, odd)
    ahead = sum(one.time - now.timestamp() > _CLOCK_SECONDS for one in measurements)
    if ahead:
        message = f"{count(ahead, 'measurement')} of {path} left out, for the time lies in the future."
        yield _history_finding(path, Status.WARNING, message, "Check the clock (date), and correct their times.", ahead)


def _history_finding(path: str, status: Status, message: str, remedy: str, value: int | None = None) -> Finding:
    unit = None if value is None else "entries"
    return Finding(check=CHECK, subject=path, status=status, message=message, value=value, unit=unit, remedy=remedy)


def _evaluate(name: str, provider: ProviderSettings, last: Month, before: Month) -> Iterator[Finding]:
    subject = printable(name)
    if len(last.times) >= LEAST:
        yield from _of_mean(subject, provider, last)
        if len(before.times) >= LEAST:
            yield from _of_medians(subject, last, before)
    if len(last.rates) >= LEAST:
        yield from _of_success(subject, last)
    if max(len(last.times), len(last.rates)) < LEAST:
        yield Finding(
            check="providers.response_time",
            subject=subject,
            status=Status.SKIPPED,
            message=f"{count(last.count, 'measurement')} in the last {DAYS} days, too few to judge it by; "
            f"{LEAST} are needed.",
            value=last.count,
            unit="measurements",
            remedy=_CHECK_AGAIN,
        )


def _of_mean(subject: str, provider: ProviderSettings, last: Month) -> Iterator[Finding]:
    mean = fmean(last.times)
    status, limit = Status.WARNING, provider.slow_seconds
    if mean > provider.very_slow_seconds:
        status, limit = Status.CRITICAL, provider.very_slow_seconds
    if mean > limit:
        yield Finding(
            check="providers.response_time",
            subject=subject,
            status=status,
            message=f"It took {mean:.2f} s to answer, the mean of {count(len(last.times), 'measurement')} in the "
            f"last {DAYS} days; at most {limit:g} s was expected.",
            value=round(mean, _PLACES),
            unit="s",
            warning=provider.slow_seconds,
            critical=provider.very_slow_seconds,
            remedy="Try a faster model of it or shorter answers, see its status page, or raise "
            f"maintenance.providers.{subject}.slow_seconds.",
        )


def _of_medians(subject: str, last: Month, before: Month) -> Iterator[Finding]:
    now, then = quantile(last.times, 0.5), quantile(before.times, 0.5)
    if is_slower(then, now):
        limit = then * SLOWER
        yield Finding(
            check="providers.slower",
            subject=subject,
            status=Status.WARNING,
            message=f"It became {(now / then - 1) * 100:.1f} % slower: the median response time was {now:.2f} s in "
            f"the last {DAYS} days and {then:.2f} s in the {DAYS} days before; at most {limit:.2f} s "
            f"({(SLOWER - 1) * 100:.0f} % more) was expected.",
            value=round(now, _PLACES),
            unit="s",
            warning=round(limit, _PLACES),
            remedy="See its status page and whether the model, the prompts or the length of the answers changed.",
        )


def _of_success(subject: str, last: Month) -> Iterator[Finding]:
    rate = fmean(last.rates)
    if rate < MIN_SUCCESS_RATE:
        yield Finding(
            check="providers.success_rate",
            subject=subject,
            status=Status.WARNING,
            message=f"{percent(rate)} of its requests succeeded, the mean of {count(len(last.rates), 'measurement')} "
            f"in the last {DAYS} days; at least {percent(MIN_SUCCESS_RATE)} was expected.",
            value=round(rate, _PLACES),
            unit="share",
            warning=MIN_SUCCESS_RATE,
            remedy="Run inv weekly.api-health to see what fails, and have requests tried again or another provider "
            "take them.",
        )


def _metrics(subject: str, month: Month) -> Iterator[Metric]:
    yield Metric(name="providers.measurements", value=month.count, unit="measurements", subject=subject)
    for name, value, unit in (
        ("response_time_mean", _mean(month.times), "s"),
        ("response_time_p50", _percentile(month.times, 0.5), "s"),
        ("response_time_p95", _percentile(month.times, 0.95), "s"),
        ("success_rate", _mean(month.rates), "share"),
        ("tokens_per_second", _mean(month.speeds), "tokens/s"),
    ):
        if value is not None:
            yield Metric(name=f"providers.{name}", value=value, unit=unit, subject=subject)


def _row(name: str, last: Month, before: Month) -> dict[str, Any]:
    """Return the line of a provider in the table: times in seconds, success from 0 to 1, the change of p50."""
    now, then = _percentile(last.times, 0.5), _percentile(before.times, 0.5)
    moved = None if now is None or then is None else change(then, now)
    return {
        "provider": printable(name),
        "count": last.count,
        "mean": _mean(last.times),
        "p50": now,
        "p95": _percentile(last.times, 0.95),
        "max": round(last.times[-1], _PLACES) if last.times else None,
        "success": _mean(last.rates),
        "tokens/s": _mean(last.speeds),
        "count before": before.count,
        "p50 before": then,
        "p95 before": _percentile(before.times, 0.95),
        "success before": _mean(before.rates),
        "change %": None if moved is None else round(moved * 100, 1),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), _PLACES) if values else None


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(quantile(values, share), _PLACES) if values else None
