"""How the cache has grown over the last weekly reports: the cache's part of ``monthly.performance-analysis``.

What is compared is what each clean-up left: what it deleted is not growth.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import safe_files, state_files
from ..core.report.model import Finding, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, printable, size
from .cache_usage import is_count

REPORTS = 4
"""How many weekly reports count: a month of clean-ups."""

GROWTH_PERCENT = 50.0
"""Growth over them above which something is recommended, when it is also more than :data:`GROWTH_BYTES`. A cache
whose entries expire settles at a size; one that is half as large again after a month has not."""

GROWTH_BYTES = 10_000_000
"""Growth in bytes up to which nothing is recommended: a small cache doubles by a few entries."""

_NAME = re.compile(r"cache_report_(\d{4})(\d{2})(\d{2})\.json", re.ASCII)

_MEGABYTE = 1024 * 1024
_MOST_MEGABYTES = 2**43
"""Of the older scripts; a greater number is no size."""

_SHOWN = 5
"""How many unusable reports are named with their reasons."""


class Week(NamedTuple):
    """What the clean-up of one day left: entries, their bytes, and bytes per kind."""

    day: date
    entries: int
    bytes: int
    kinds: dict[str, int]


class Read(NamedTuple):
    """The newest reports, oldest first, and a sentence about each file that is no usable one."""

    weeks: list[Week]
    problems: list[str]


def growth(settings: Settings, *, now: datetime) -> Report:
    """Report how the cache has grown over the last four weekly reports, and recommend something where it calls for it.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the analysis, aware of its zone; reports of later days do not count.
    """
    directory = f"{settings.logs.directory}/cache_reports"
    subject = printable(directory)
    try:
        with safe_files.folder(Path(settings.root), directory) as descriptor, os.scandir(descriptor) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return _no_reports(Status.SKIPPED, subject, f"There is no folder {subject}: no clean-up has reported yet.")
    except safe_files.Refused as error:
        return _no_reports(Status.UNKNOWN, subject, str(error))
    except OSError as error:
        return _no_reports(Status.UNKNOWN, subject, f"{subject} cannot be read: {error.strerror}.")
    read = _read(Path(settings.root), directory, names, now.date())
    cache = printable(settings.cache.directory)
    broken = [_broken(subject, read.problems)] if read.problems else []
    if not read.weeks[1:]:
        message = f"There are not enough weekly reports: {len(read.weeks)} of at least 2."
        few = Finding(check="cache.growth", subject=cache, status=Status.SKIPPED, message=message)
        return Report(summary="not enough weekly reports", findings=[few, *broken], data=_data(read.weeks))
    grown = read.weeks[-1].bytes - read.weeks[0].bytes
    return Report(
        summary=f"the cache {_change(read.weeks)} over {len(read.weeks)} weekly reports",
        findings=[_growth_finding(cache, read.weeks), *broken],
        metrics=[Metric(name="cache.growth", value=grown, unit="B", subject=cache)],
        data=_data(read.weeks),
    )


def _no_reports(status: Status, subject: str, message: str) -> Report:
    remedy = "Put that right, or name another folder in maintenance.logs." if status is Status.UNKNOWN else None
    finding = Finding(check="cache.growth", subject=subject, status=status, message=message, remedy=remedy)
    return Report(summary="no weekly reports", findings=[finding])


def _read(root: Path, directory: str, names: Sequence[str], today: date) -> Read:
    """Read the newest usable reports among *names*; files that are named otherwise are no concern of ours."""
    weeks: list[Week] = []
    problems: list[str] = []
    for name, match in sorted(((name, match) for name in names if (match := _NAME.fullmatch(name))), reverse=True):
        if len(weeks) == REPORTS:
            break
        path = f"{directory}/{name}"
        try:
            day = date(*map(int, match.groups()))
        except ValueError:
            problems.append(f"{printable(path)} is named after no day.")
            continue
        if day > today:
            problems.append(f"{printable(path)} is dated in the future.")
            continue
        found = state_files.read(root, path, dict[str, Any])
        week = found.problem or _week(found.content or {}, day, printable(path))
        if isinstance(week, str):
            problems.append(week)
        elif week:
            weeks.insert(0, week)
    return Read(weeks, problems)


def _week(content: dict[str, Any], day: date, path: str) -> Week | str | None:
    """Return what a report counted, a sentence that says why it is none, or nothing where it counted nothing.

    The report of a day on which every clean-up was interrupted holds null for both numbers. Those of the older scripts
    have other names for them, and count in megabytes.
    """
    entries, weight, kinds = content.get("entries"), content.get("bytes"), content.get("kinds")
    older = content.get("cache_efficiency")
    if isinstance(older, dict):
        entries, weight, kinds = _of_older_script(older)
    if "runs" in content and "entries" in content and entries is None and weight is None:
        return None
    if not (is_count(entries) and is_count(weight)):
        return f"{path} is no report of a clean-up: it holds no number of entries and bytes."
    sizes = {
        name: kind["bytes"]
        for name, kind in (kinds.items() if isinstance(kinds, dict) else ())
        if isinstance(kind, dict) and is_count(kind.get("bytes"))
    }
    return Week(day, entries, weight, sizes)


def _of_older_script(held: dict[str, Any]) -> tuple[object, object, object]:
    """Return entries, bytes and kinds of a report of the older scripts, which may hold anything."""
    megabytes, folders = held.get("total_size_mb"), held.get("directories")
    weight = None
    if isinstance(megabytes, int | float) and not isinstance(megabytes, bool) and 0 <= megabytes < _MOST_MEGABYTES:
        weight = round(megabytes * _MEGABYTE)
    kinds = {
        name: {"bytes": folder.get("total_size")}
        for name, folder in (folders.items() if isinstance(folders, dict) else ())
        if isinstance(folder, dict)
    }
    return held.get("total_files"), weight, kinds


def _data(weeks: Sequence[Week]) -> dict[str, Any]:
    return {
        "cache_growth": [
            {"date": week.day.isoformat(), "entries": week.entries, "bytes": week.bytes, "size": size(week.bytes)}
            for week in weeks
        ]
    }


def _percent(weeks: Sequence[Week]) -> float | None:
    """Return the growth of bytes from the first to the last in percent; ``None`` where it began with nothing."""
    first, last = weeks[0].bytes, weeks[-1].bytes
    return round(100 * (last - first) / first, 1) if first else None


def _change(weeks: Sequence[Week]) -> str:
    percent, grown = _percent(weeks), weeks[-1].bytes - weeks[0].bytes
    if not grown:
        return "did not grow"
    share = "" if percent is None else f"{abs(percent):,} % or "
    return f"{'grew' if grown > 0 else 'shrank'} by {share}{size(abs(grown))}"


def _growth_finding(cache: str, weeks: Sequence[Week]) -> Finding:
    """Judge the growth; from nothing, any growth is more than every percentage."""
    first, last = weeks[0], weeks[-1]
    percent, grown = _percent(weeks), last.bytes - first.bytes
    much = grown > GROWTH_BYTES and (percent is None or percent > GROWTH_PERCENT)
    message = (
        f"The cache {_change(weeks)} from {first.day} to {last.day} "
        f"({size(first.bytes)} to {size(last.bytes)}, {first.entries:,} to {count(last.entries, 'entry', 'entries')})"
    )
    if much:
        message += f"; up to {GROWTH_PERCENT:g} % or {size(GROWTH_BYTES)} is expected"
    return Finding(
        check="cache.growth",
        subject=cache,
        status=Status.WARNING if much else Status.OK,
        message=f"{message}.",
        value=percent,
        unit="%",
        warning=GROWTH_PERCENT,
        remedy=_remedy(first, last) if much else None,
    )


def _remedy(first: Week, last: Week) -> str:
    """Say what to do, and name the kind that grew most."""
    grown = {kind: weight - first.kinds.get(kind, 0) for kind, weight in last.kinds.items()}
    kind = max(grown, key=lambda name: grown[name], default=None)
    if kind is None or grown[kind] <= 0:
        return "Look what fills the cache; its folders outside the kinds never expire."
    return (
        f"Look whether the entries of {printable(kind)}, which grew most (by {size(grown[kind])}), may expire "
        f"earlier: maintenance.cache.expiry_hours."
    )


def _broken(subject: str, problems: Sequence[str]) -> Finding:
    more = f" And {len(problems) - _SHOWN:,} more." if len(problems) > _SHOWN else ""
    return Finding(
        check="cache.reports",
        subject=subject,
        status=Status.WARNING,
        message=f"{count(len(problems), 'weekly report')} left out. {' '.join(problems[:_SHOWN])}{more}",
        value=len(problems),
        unit="files",
        remedy="Look at what wrote them, then move them away.",
    )
