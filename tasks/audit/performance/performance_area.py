"""The area *performance*: this machine against itself in an earlier quarter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any, NamedTuple

from ...core.errors import UserError
from ...core.report.model import Action, Finding, Metric, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, duration, printable
from ..audit_checks import BENCHMARKS
from . import benchmark_ledger
from .benchmark_ledger import Entry
from .benchmarks import Machine, measure_benchmarks, this_machine


class MeasuredPerformance(NamedTuple):
    """What was found and measured, and what was written or would be."""

    findings: list[Finding]
    metrics: list[Metric]
    actions: list[Action]
    rows: list[dict[str, Any]]


def examine_performance(
    settings: Settings,
    *,
    now: datetime,
    quarter: Callable[[datetime], str],
    stop: Event,
    advance: Callable[[int], None],
    dry_run: bool,
) -> MeasuredPerformance:
    """Measure the benchmarks, and compare them with those of an earlier quarter on the same machine.

    Args:
        settings: the project's.
        now: the moment of the audit.
        quarter: returns the quarter of a moment, ``2026Q4``.
        stop: ends it between two benchmarks where it is set; then nothing is kept.
        advance: called after each benchmark.
        dry_run: write nothing; the disk is then not measured, nor anything compared.
    """
    root, directory = Path(settings.root), settings.logs.directory
    target = benchmark_ledger.path(directory)
    if dry_run:
        finding = BENCHMARKS.finding(Status.SKIPPED, "benchmarks", "A dry run measures nothing.")
        return MeasuredPerformance([finding], [], [Action(verb="write", target=target, done=False)], [])
    ledger = benchmark_ledger.read(root, directory)
    machine, measured = this_machine(), measure_benchmarks(root, directory, stop, advance)
    metrics = [
        Metric(name="audit.benchmark", value=round(seconds, 6), unit="s", subject=name)
        for name, seconds in measured.items()
    ]
    usual = usual_seconds(ledger.entries, machine.identity, quarter(now), quarter)
    findings = [benchmark_finding(measured, usual, machine, settings.audit.benchmark_percent)]
    rows = [
        {"benchmark": name, "now": duration(seconds), "before": duration(usual[name]) if name in usual else None}
        for name, seconds in measured.items()
    ]
    if ledger.problem:
        findings.append(BENCHMARKS.finding(Status.WARNING, target, ledger.problem, "Look at what wrote it."))
    if stop.is_set():
        return MeasuredPerformance(findings, metrics, [], rows)
    try:
        benchmark_ledger.write(root, directory, measured, machine, now)
    except (UserError, OSError) as error:
        message = f"The benchmarks could not be kept: {printable(error).rstrip('.')}."
        findings.append(BENCHMARKS.finding(Status.WARNING, target, message, "See that it can be written."))
        return MeasuredPerformance(findings, metrics, [], rows)
    return MeasuredPerformance(findings, metrics, [Action(verb="write", target=target)], rows)


def usual_seconds(
    entries: Sequence[Entry], machine: str, now: str, quarter: Callable[[datetime], str]
) -> dict[str, float]:
    """Return the usual seconds of each benchmark in the last earlier quarter that has some of this machine."""
    own = [entry for entry in entries if entry.machine == machine and quarter(entry.moment) < now]
    last = max((quarter(entry.moment) for entry in own), default=None)
    of_it = [entry for entry in own if quarter(entry.moment) == last]
    names = {name for entry in of_it for name in entry.seconds}
    return {name: median([entry.seconds[name] for entry in of_it if name in entry.seconds]) for name in names}


def benchmark_finding(measured: dict[str, float], usual: dict[str, float], machine: Machine, percent: int) -> Finding:
    """Return the finding: a warning where a benchmark takes more than *percent* longer than it did."""
    both = sorted(measured.keys() & usual.keys())
    where = f"{printable(machine.processor)}, {count(machine.processors, 'processor')}, {machine.python}"
    if not both:
        message = f"No earlier quarter has benchmarks of this machine ({where}); these are kept."
        return BENCHMARKS.finding(Status.SKIPPED, "benchmarks", message)
    changes = {name: 100 * (measured[name] / usual[name] - 1) for name in both}
    worst = max(changes.values())
    compared = ", ".join(
        f"{name} {duration(usual[name])} → {duration(measured[name])} ({changes[name]:+.0f} %)" for name in both
    )
    slow = worst > percent
    remedy = "See what else runs here (inv daily.health-check), then run it again; a disk or a fan may be failing."
    return BENCHMARKS.finding(
        Status.WARNING if slow else Status.OK,
        "benchmarks",
        f"On the same machine ({where}): {compared}.",
        remedy if slow else None,
        value=round(worst, 1),
        unit="%",
        warning=percent,
    )
