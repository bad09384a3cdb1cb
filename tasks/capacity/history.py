"""Sizes that the procedures recorded in the log folder: read back, whatever lies there."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ..core import files, json_files
from .forecast import Point

DISK, INODES, LOGS, CACHE, BACKUPS = "disk", "inodes", "logs", "cache", "backups"

_FIGURES = {
    "disk.used_bytes .": DISK,
    "disk.inodes_used .": INODES,
    f"capacity.used {DISK}": DISK,
    f"capacity.used {INODES}": INODES,
    f"capacity.used {LOGS}": LOGS,
    f"capacity.used {CACHE}": CACHE,
    f"capacity.used {BACKUPS}": BACKUPS,
}
"""Figures of reports' runs, as :func:`core.report_files.with_file` names them, and the series to which they belong."""

FOLDERS_OF_REPORTS = ("health_reports", "capacity_reports", "cache_reports")

REVIEW = "log_review.json"

_NAME = re.compile(r"[a-z_]+_(\d{8}|\d{6}|\d{4}Q[1-4])\.json", re.ASCII)
_MOST = 1000
"""Reports of a folder that are read, the newest."""


class History(NamedTuple):
    """What was recorded.

    Attributes:
        series: measurements in order of time by the name of their series.
        folders: bytes of the project's folders at earlier plannings, in order of time.
        broken: reports that could not be read.
        strange: measurements left out because their moment lies ahead or is none.
    """

    series: dict[str, list[Point]]
    folders: list[tuple[float, dict[str, float]]]
    broken: list[str]
    strange: int


def day_of(moment: datetime) -> float:
    """Return a moment as days since 1970 by its own clock, so that a day begins at midnight there."""
    offset = moment.utcoffset() or timedelta()
    return (moment.timestamp() + offset.total_seconds()) / 86_400


def read_history(root: Path, directory: str, *, now: datetime, days: float) -> History:
    """Read what was measured in the days before now.

    Args:
        root: the project.
        directory: the log folder, below it.
        now: later moments are left out, and counted.
        days: how far back.
    """
    history = History({}, [], [], 0)
    strange = 0
    until, since = day_of(now), day_of(now) - days
    for path in _reports(root, directory):
        found = json_files.read_object(root, path)
        if found.problem:
            history.broken.append(path)
            continue
        for moment, figures in _runs(found.content):
            day = _day(moment, now)
            if day is None or day > until:
                strange += 1
            elif day >= since:
                for name, value in figures.items():
                    if (series := _FIGURES.get(name)) and _is_size(value):
                        history.series.setdefault(series, []).append(Point(day, value))
                folders = {
                    name.removeprefix("capacity.folder "): value
                    for name, value in figures.items()
                    if name.startswith("capacity.folder ") and _is_size(value)
                }
                if folders:
                    history.folders.append((day, folders))
    for points in history.series.values():
        points.sort()
    history.folders.sort(key=lambda each: each[0])
    return history._replace(strange=strange)


def _reports(root: Path, directory: str) -> Iterator[str]:
    for folder in FOLDERS_OF_REPORTS:
        try:
            with files.folder(root, f"{directory}/{folder}") as descriptor:
                names = sorted(filter(_NAME.fullmatch, os.listdir(descriptor)))  # noqa: PTH208 - by descriptor
        except (files.Refused, OSError):
            continue
        yield from (f"{directory}/{folder}/{name}" for name in names[-_MOST:])
    if (root / directory / REVIEW).is_file():
        yield f"{directory}/{REVIEW}"


def _runs(content: Mapping[str, Any]) -> Iterator[tuple[object, dict[str, Any]]]:
    """Yield moments and figures, from whichever of the suite's files this is."""
    runs = content.get("runs")
    for run in runs if isinstance(runs, list) else []:
        if isinstance(run, dict):
            figures = run.get("figures")
            if isinstance(figures, dict):
                yield run.get("started"), figures
            elif "bytes_before" in run:
                yield run.get("started"), {f"capacity.used {CACHE}": run["bytes_before"]}
    totals = content.get("totals")
    for total in totals if isinstance(totals, list) else []:
        if isinstance(total, dict):
            yield total.get("reviewed"), {f"capacity.used {LOGS}": total.get("bytes")}


def _day(moment: object, now: datetime) -> float | None:
    try:
        read = datetime.fromisoformat(moment) if isinstance(moment, str) else None
    except ValueError:
        return None
    if read is None or read.tzinfo is None:
        return None
    return day_of(read.astimezone(now.tzinfo))


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
