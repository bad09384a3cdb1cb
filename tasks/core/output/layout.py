"""How a report reads: lines of styled pieces, the same for a terminal and for a pipe."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from ..report.model import Action, Finding, Metric, Report, RunReport, Status
from ..text.formatting import count, duration, printable, size

Line: TypeAlias = Sequence[tuple[str, str]]
"""Pieces of text with their rich styles; joined, they are the plain line."""

_STYLES = {
    Status.OK: "green",
    Status.SKIPPED: "dim",
    Status.WARNING: "yellow",
    Status.UNKNOWN: "magenta",
    Status.CRITICAL: "bold red",
}

_STATUS_WIDTH = max(len(status.value) for status in Status)

_COUNTED = {"delete": "file", "move": "file", "remove": "folder"}
"""The verbs of actions that touch any number of entries, and what those are."""

_SUBJECT_WIDTH = 44
"""Columns for the subject at most; the messages after a longer one are not aligned."""


def report_lines(report: Report) -> Iterator[Line]:
    """Yield the lines of one report: heading, findings with the worst first, tables, actions, numbers, files."""
    yield [
        (report.task, "bold"),
        ("  ", ""),
        (report.status.value, _STYLES[report.status]),
        ("  ", ""),
        (report.summary, ""),
        (" (dry run: nothing was changed)" if report.dry_run else "", "dim"),
    ]
    for part in report.data.get("reports", ()):
        if isinstance(part, Report):
            yield []
            yield from ([("    ", ""), *line] for line in report_lines(part) if line)
            yield []
    width = min(max((len(finding.subject) for finding in report.findings), default=0), _SUBJECT_WIDTH)
    for finding in sorted(report.findings, key=lambda finding: -finding.status.severity):
        yield from _finding(finding, width)
    for name, records in report.data.items():
        if _is_table(records):
            yield from _table(name, records)
    for action in report.actions:
        if not (action.done and action.target in report.files):
            yield _action(action)
    for path in report.files:
        yield [("  wrote ", "dim"), (path, "")]
    evaluated = {finding.subject for finding in report.findings}
    yield from _metrics(
        [metric for metric in report.metrics if metric.subject not in evaluated], dry_run=report.dry_run
    )
    yield []


def verdict_lines(document: RunReport) -> Iterator[Line]:
    """Yield the closing line: the verdict, how many findings of which status, and the duration."""
    numbers = Counter(finding.status for report in document.reports for finding in report.findings)
    parts = [f"{numbers[status]} {status.value}" for status in reversed(Status) if numbers[status]]
    yield [
        ("verdict: ", "bold"),
        (document.status.value, _STYLES[document.status]),
        (f"  ({', '.join(parts) or 'no findings'})", ""),
        (f"  {count(len(document.reports), 'procedure')} in {duration(document.duration_seconds)}", "dim"),
    ]


def _finding(finding: Finding, width: int) -> Iterator[Line]:
    yield [
        ("  ", ""),
        (finding.status.value.ljust(_STATUS_WIDTH), _STYLES[finding.status]),
        ("  ", ""),
        (finding.subject.ljust(width), "bold" if finding.status.severity > Status.OK.severity else ""),
        ("  ", ""),
        (finding.message, ""),
    ]
    for line in finding.excerpt.splitlines() if isinstance(finding.excerpt, str) else ():
        yield [(" " * (_STATUS_WIDTH + 6), ""), (line, "dim")]
    if finding.remedy and finding.status.severity > Status.OK.severity:
        yield [(" " * (_STATUS_WIDTH + 4), ""), ("→ ", "cyan"), (finding.remedy, "cyan")]


def _action(action: Action) -> Line:
    amount = f"  {count(action.count, _COUNTED[action.verb])}" if action.verb in _COUNTED else ""
    weight = f"  {size(action.bytes)}" if action.bytes else ""
    will = "" if action.done else "would "
    return [(f"  {will}{action.verb} ", "dim"), (action.target, ""), (f"{amount}{weight}", "")]


def _metrics(metrics: Sequence[Metric], *, dry_run: bool) -> Iterator[Line]:
    """Yield one line per subject with all of its numbers; the caller leaves out those with a finding."""
    subjects: dict[str, list[str]] = {}
    for metric in metrics:
        value = size(metric.value) if metric.unit == "B" else f"{metric.value:,} {metric.unit}"
        subjects.setdefault(metric.subject or metric.name, []).append(value)
    width = max(map(len, subjects), default=0)
    for subject, values in subjects.items():
        yield [
            ("  expected " if dry_run else "  measured ", "dim"),
            (f"{subject.ljust(width)}  ", ""),
            (", ".join(values), ""),
        ]


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(record, dict) for record in value)


def _table(name: str, records: list[dict[str, Any]]) -> Iterator[Line]:
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = [[_cell(record.get(column)) for column in columns] for record in records]
    widths = [max(len(column), *(len(row[place]) for row in rows)) for place, column in enumerate(columns)]
    yield []
    yield [("  ", ""), (name, "bold")]
    yield [("  " + "  ".join(map(str.ljust, columns, widths)), "dim")]
    for row in rows:
        yield [("  " + "  ".join(map(str.ljust, row, widths)).rstrip(), "")]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
