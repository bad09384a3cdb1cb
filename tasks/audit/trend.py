"""This audit against the last one: the score, and which checks have become better or worse."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import safe_files, state_files
from ..core.report import history
from ..core.report.history_entries import Run
from ..core.report.model import Finding, Status
from ..core.text.formatting import listed, printable
from .score import Score

SCORE = "audit.score"
"""The metric of an audit's score, in percent: a run that has it was an audit."""

FOLDER = "audit_reports"
"""In the log folder."""

_NAME = re.compile(r"audit_(\d{4}Q[1-4])\.json", re.ASCII)
_BETTER = (Status.OK.value, Status.WARNING.value, Status.CRITICAL.value)
"""Results that can be set against each other, the best first."""


class Last(NamedTuple):
    """The last audit before this quarter's.

    Attributes:
        quarter: ``2026Q3``.
        percent: its score.
        results: its checks' results by name.
    """

    quarter: str
    percent: int
    results: Mapping[str, str]


class Before(NamedTuple):
    """The last audit, if there is one, and a sentence on what could not be read; empty where all could."""

    last: Last | None
    left_out: str


def last_audit(root: Path, directory: str, now: datetime, quarter: Callable[[datetime], str]) -> Before:
    """Return the last audit of an earlier quarter that has a score, and which reports could not be read.

    It is taken from the history of runs. A report counts where that knows of no audit in its quarter or a later one.

    Args:
        root: the project.
        directory: the log folder, below it.
        now: the moment of the present audit.
        quarter: tells the quarter of a moment, ``2026Q4``.
    """
    recorded = _recorded(root, directory, now, quarter)
    reported = _reported(root, directory, quarter(now), recorded.quarter if recorded else "")
    return reported if reported.last else Before(recorded, reported.left_out)


def _recorded(root: Path, directory: str, now: datetime, quarter: Callable[[datetime], str]) -> Last | None:
    """Return the last audit of an earlier quarter in the history."""
    last: list[tuple[datetime, Last]] = []

    def take(run: Run) -> None:
        percent = next((each.value for each in run.figures if each.name == SCORE), None)
        if run.reason is not None or percent is None or quarter(run.began) >= quarter(now):
            return
        if not last or last[0][0] <= run.began:
            results = {check: status.value for check, status in run.results.items()}
            last[:] = [(run.began, Last(quarter(run.began), int(percent), results))]

    history.scan(root, directory, take, Run)
    return last[0][1] if last else None


def _reported(root: Path, directory: str, quarter: str, since: str) -> Before:
    """Return the last audit between two quarters that has a report, and which reports could not be read."""
    try:
        with safe_files.folder(root, f"{directory}/{FOLDER}") as descriptor:
            names = os.listdir(descriptor)  # noqa: PTH208 - by descriptor
    except (safe_files.Refused, OSError):
        return Before(None, "")
    broken: list[str] = []
    for name in sorted(names, reverse=True):
        match = _NAME.fullmatch(name)
        if match and since < match[1] < quarter:
            content = state_files.read(root, f"{directory}/{FOLDER}/{name}", dict[str, Any]).content or {}
            if found := _read(match[1], content):
                return Before(found, _left_out(broken))
            broken.append(name)
    return Before(None, _left_out(broken))


def compared(last: Last | None, now: Score, left_out: str) -> Finding:
    """Return the finding on how the score has changed; a fall is told, and judged where it is made: in its checks."""
    if last is None:
        message = left_out or "There is no earlier audit to compare with."
        status = Status.WARNING if left_out else Status.SKIPPED
        remedy = "Look at what wrote it, then move it away." if left_out else None
        return Finding(check="audit.trend", subject="trend", status=status, message=message, remedy=remedy)
    changed = {
        line.check.name: _BETTER.index(last.results[line.check.name]) - _BETTER.index(line.result.value)
        for line in now.lines
        if line.result.value in _BETTER and last.results.get(line.check.name) in _BETTER
    }
    parts = [f"It was {last.percent} in {last.quarter}"]
    parts += _group("better", [name for name, change in changed.items() if change > 0])
    parts += _group("worse", [name for name, change in changed.items() if change < 0])
    since = [line.check.name for line in now.lines if line.points is not None and line.check.name not in changed]
    parts += _group("not judged then", since)
    change = None if now.percent is None else now.percent - last.percent
    message = "; ".join(parts) + "." + (f" {left_out}" if left_out else "")
    return Finding(check="audit.trend", subject="trend", status=Status.OK, message=message, value=change, unit="points")


def _group(what: str, names: list[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}"] if names else []


def _read(quarter: str, content: Mapping[str, Any]) -> Last | None:
    data = content.get("data")
    rows = data.get("score") if isinstance(data, dict) else None
    percent = data.get("percent") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not isinstance(percent, int) or isinstance(percent, bool):
        return None
    results = {str(row.get("check")): str(row.get("result")) for row in rows if isinstance(row, dict)}
    return Last(quarter, percent, results)


def _left_out(broken: list[str]) -> str:
    if not broken:
        return ""
    return f"Left out, for no score can be read from it: {listed([printable(name) for name in broken], len(broken))}."
