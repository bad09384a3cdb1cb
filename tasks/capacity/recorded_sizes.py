"""Sizes that were recorded: in the history of runs, and in the reports that earlier versions kept them in.

What is there may be anything. A size that a report and the history both have is one measurement.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from ..core.files import safe_files, state_files
from ..core.files.state_files import StateFile
from ..core.report import history as history_file
from ..core.report.history_entries import Entry, Run, Sizes
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
"""Figures of runs, by name and subject, and the series to which they belong."""

_FOLDER = "capacity.folder "
"""So begin the figures of the project's folders at a planning."""

FOLDERS_OF_REPORTS = ("health_reports", "capacity_reports", "cache_reports")

REVIEW = "log_review.json"
CREATED = "created.json"

_NAME = re.compile(r"[a-z_]+_(\d{8}|\d{6}|\d{4}Q[1-4])\.json", re.ASCII)
_OF_A_DAY = re.compile(r".*_(\d{8})\.json", re.ASCII)
_MOST = 1000
"""Reports of a folder that are read, the newest."""

_SKEW = 5 / 1440
"""Days that a moment may lie ahead: clocks that are set by the network go back by seconds, and that is no jump."""

_LARGEST = 2.0**63
"""Bytes of the largest file there can be; a greater number is no size, and too great to reckon with."""

_MEGABYTE = 1024 * 1024
"""Of the older scripts."""


class History(NamedTuple):
    """What was recorded.

    Attributes:
        series: measurements in order of time by the name of their series.
        folders: bytes of the project's folders at earlier plannings, in order of time.
        broken: reports, or folders of them, that could not be read or are of another form.
        strange: how many measurements were left out because their moment lies ahead or is none, by report.
    """

    series: dict[str, list[Point]]
    folders: list[tuple[float, dict[str, float]]]
    broken: list[str]
    strange: dict[str, int]


def day_of(moment: datetime) -> float:
    """Return a moment as days since 1970 by its own clock, so that a day begins at midnight there."""
    offset = moment.utcoffset() or timedelta()
    return (moment.timestamp() + offset.total_seconds()) / 86_400


def read_history(root: Path, directory: str, backups: str, *, now: datetime, days: float) -> History:
    """Read what was measured in the days before now.

    Args:
        root: the project.
        directory: the log folder, below it.
        backups: the folder of the backups, below it.
        now: later moments are left out, and counted.
        days: how far back.
    """
    history = History({}, [], [], {})
    known = _read_own(history, root, directory, now, days)
    first = f"{now - timedelta(days=days):%Y%m%d}"
    for folder in FOLDERS_OF_REPORTS:
        path = f"{directory}/{folder}"
        try:
            names = _names(root, path, first)
        except FileNotFoundError:
            continue
        except (safe_files.Refused, OSError):
            history.broken.append(path)
            continue
        for report in (f"{path}/{name}" for name in names):
            found = state_files.read(root, report, dict[str, Any])
            content = found.content or {}
            if not _note_older(history, content, now, days):
                _note(history, report, found, content.get("runs"), known, now, days)
    for path, key in ((f"{directory}/{REVIEW}", "totals"), (f"{backups}/{CREATED}", "runs")):
        found = state_files.read(root, path, dict[str, Any])
        _note(history, path, found, (found.content or {}).get(key, []), known, now, days)
    for points in history.series.values():
        points.sort()
    history.folders.sort(key=lambda each: each[0])
    return history


def _read_own(history: History, root: Path, directory: str, now: datetime, days: float) -> set[tuple[str, datetime]]:
    """Add what the history of runs has; return which series it has at which moments."""
    path = history_file.history_path(directory)
    known: set[tuple[str, datetime]] = set()

    def take(entry: Entry) -> None:
        if isinstance(entry, Run):
            moment, figures = entry.began, {f"{each.name} {each.subject}": each.value for each in entry.figures}
        elif isinstance(entry, Sizes):
            moment, figures = entry.moment, {f"capacity.used {name}": value for name, value in entry.held.items()}
        else:
            return
        used = {name: value for name, value in figures.items() if _series_of(name)}
        known.update((series, moment) for name in used if (series := _series_of(name)))
        if used:
            _place(history, path, moment, used, now, days)

    if history_file.scan(root, directory, take, Run, Sizes).is_closed:
        history.broken.append(path)
    return known


def _series_of(name: str) -> str | None:
    """Return the series of a figure, where it has one; the project's folders are one together."""
    return _FOLDER if name.startswith(_FOLDER) else _FIGURES.get(name)


def _note_older(history: History, content: Mapping[str, Any], now: datetime, days: float) -> bool:
    """Add what a report of the older scripts holds; return whether it is one.

    Their health reports hold no size. Those of the cache say how much it held on a day.
    """
    if "schema" in content or "runs" in content:
        return False
    held = content.get("cache_efficiency")
    if not isinstance(held, dict):
        return isinstance(content.get("checks_performed"), list)
    megabytes, day = held.get("total_size_mb"), _midnight(content.get("date"), now)
    if day is None or not _is_size(megabytes):
        return False
    if now - timedelta(days=days) <= day <= now:
        history.series.setdefault(CACHE, []).append(Point(day_of(day), megabytes * _MEGABYTE))
    return True


def _midnight(text: object, now: datetime) -> datetime | None:
    """Return the beginning of a day by the clock of now; ``None`` where it is no day."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), now.tzinfo) if isinstance(text, str) else None
    except ValueError:
        return None


def _names(root: Path, path: str, first: str) -> list[str]:
    """Return the names of a folder's reports in order of time, without those of days before the first.

    Raises:
        Refused, OSError: it cannot be read.
    """
    with safe_files.folder(root, path) as descriptor:
        names = sorted(filter(_NAME.fullmatch, os.listdir(descriptor)))  # noqa: PTH208 - by descriptor
    of_a_day = {name: found[1] for name in names if (found := _OF_A_DAY.fullmatch(name))}
    return [name for name in names if of_a_day.get(name, first) >= first][-_MOST:]


def _note(
    history: History,
    path: str,
    found: StateFile[Any],
    entries: object,
    known: Container[tuple[str | None, datetime | None]],
    now: datetime,
    days: float,
) -> None:
    """Add the measurements of a report's entries, which may be anything, to the history, but for those it has."""
    if found.problem or not isinstance(entries, list):
        history.broken.append(path)
        return
    for entry in entries:
        text, figures = _measured(entry) if isinstance(entry, dict) else (None, None)
        if figures is None:
            continue
        moment = _moment(text)
        new = {name: value for name, value in figures.items() if (_series_of(name), moment) not in known}
        if any(map(_series_of, new)) or not any(map(_series_of, figures)):
            _place(history, path, moment, new, now, days)


def _place(
    history: History, path: str, moment: datetime | None, figures: Mapping[str, object], now: datetime, days: float
) -> None:
    """Add the figures of a moment, or count it where that is ahead or none."""
    day, until = _day(moment, now), day_of(now)
    if day is None or day > until + _SKEW:
        history.strange[path] = history.strange.get(path, 0) + 1
    elif day >= until - days:
        _add(history, min(day, until), figures)


def _add(history: History, day: float, figures: Mapping[str, object]) -> None:
    sizes = {name: value for name, value in figures.items() if _is_size(value)}
    for name, value in sizes.items():
        if series := _FIGURES.get(name):
            history.series.setdefault(series, []).append(Point(day, value))
    folders = {name.removeprefix(_FOLDER): value for name, value in sizes.items() if name.startswith(_FOLDER)}
    if folders:
        history.folders.append((day, folders))


def _measured(entry: Mapping[str, Any]) -> tuple[object, Mapping[str, object] | None]:
    """Return moment and figures of an entry, from whichever of the suite's files it is; ``None`` where it has none."""
    if "bytes_before" in entry:
        return entry.get("started"), {f"capacity.used {CACHE}": entry["bytes_before"]}
    if "bytes" in entry:
        return entry.get("reviewed"), {f"capacity.used {LOGS}": entry["bytes"]}
    figures = entry.get("figures")
    return entry.get("started"), figures if isinstance(figures, dict) else None


def _moment(text: object) -> datetime | None:
    """Return an aware moment; ``None`` where the text is none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _day(moment: datetime | None, now: datetime) -> float | None:
    try:
        return None if moment is None else day_of(moment.astimezone(now.tzinfo))
    except (ValueError, OverflowError):
        return None


def _is_size(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LARGEST
