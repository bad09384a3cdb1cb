"""How well the cache serves and how large it is: the cache's part of ``daily.health-check``.

Both are read from ``stats.json``. The hit rate is the project's own measurement; entries and bytes are those that
the last clean-up counted, for a health check does not walk the cache.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from ..core.files import json_files, safe_files
from ..core.report.model import Finding, Metric, Report, Status
from ..core.secrets.redaction import redactor, shortened
from ..core.settings.model import Settings
from ..core.text.formatting import count, duration, printable, size
from .cleanup_report import STATISTICS_FILE

STALE = timedelta(days=8)
"""Age above which a count is a warning: the clean-up that counts is weekly and may be a day late."""

_SHOWN = 40
"""Characters of an unexpected value that are shown."""


class Counted(NamedTuple):
    """What the last clean-up counted: entries and their bytes, when, and how many folders it could not read."""

    entries: int
    bytes: int
    updated: datetime
    unread: int


def usage(settings: Settings, *, now: datetime) -> Report:
    """Report the cache's hit rate, its entries and its bytes.

    An absent hit rate is unknown, not 0; without a cache folder both checks are skipped.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment from which the age of the count is reckoned, aware of its zone.
    """
    root, directory = Path(settings.root), settings.cache.directory
    subject, path = printable(directory), f"{directory}/{STATISTICS_FILE}"
    if _is_missing(root, directory):
        return _neither_known(subject, Status.SKIPPED, f"There is no folder {subject}.", "there is no cache")
    found = json_files.read_object(root, path)
    if found.problem:
        return _neither_known(subject, Status.UNKNOWN, found.problem, "the cache's statistics cannot be read")
    rate: float | str
    counted: Counted | str
    if os.path.lexists(root / path):
        rate, counted = _hit_rate(found.content, printable(path)), _counted(found.content, now, printable(path))
    else:
        rate = counted = f"There is no {printable(path)}."
    return Report(
        summary=_summary(rate, counted),
        findings=[_rate_finding(subject, rate, settings.cache.min_hit_rate), _count_finding(subject, counted, now)],
        metrics=[*_metrics(subject, rate, counted)],
        data={"cache": _data(rate, counted)},
    )


def _is_missing(root: Path, directory: str) -> bool:
    """Tell whether there is no cache folder; one that is refused or closed to us is there, and reading says why."""
    try:
        with safe_files.folder(root, directory):
            return False
    except FileNotFoundError:
        return True
    except (safe_files.Refused, OSError):
        return False


def _neither_known(subject: str, status: Status, message: str, summary: str) -> Report:
    """Return a report in which neither check could be made, for one reason."""
    remedy = "Look at what wrote it, and see that it can be read." if status is Status.UNKNOWN else None
    checks = ("cache.hit_rate", "cache.entries")
    return Report(
        summary=summary,
        findings=[
            Finding(check=check, subject=subject, status=status, message=message, remedy=remedy) for check in checks
        ],
    )


def _hit_rate(content: Mapping[str, Any], path: str) -> float | str:
    """Return the project's hit rate, or a sentence that says why there is none."""
    if "hit_rate" not in content:
        return f"{path} holds no hit_rate."
    value = content["hit_rate"]
    # NaN is in no range.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return round(float(value), 4)
    return f"{path} holds {_shown(value)} as hit_rate, where a share from 0 to 1 was expected."


def _shown(value: object) -> str:
    """Return an unexpected value for people: of what has parts its kind, else the start of its JSON."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return shortened(printable(json.dumps(value, ensure_ascii=False)), _SHOWN, redactor(), mark="…")


def _counted(content: Mapping[str, Any], now: datetime, path: str) -> Counted | str:
    """Return what the last clean-up counted, or a sentence that says why there is nothing."""
    if "maintenance" not in content:
        return f"{path} holds no count: no clean-up has counted the entries yet."
    unusable = f"{path} holds a count that no clean-up of this suite wrote."
    ours = content["maintenance"]
    if not isinstance(ours, dict):
        return unusable
    entries, weight, unread = ours.get("entries"), ours.get("bytes"), ours.get("incomplete", [])
    updated = _moment(ours.get("updated"), now)
    if not (is_count(entries) and is_count(weight) and isinstance(unread, list) and updated):
        return unusable
    return Counted(entries, weight, updated, len(unread))


def is_count(value: object) -> TypeGuard[int]:
    """Tell whether a value out of JSON is a number of something: a whole one, not below 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _moment(value: object, now: datetime) -> datetime | None:
    """Return a moment in ISO 8601, in the zone of *now* where it names none; ``None`` where it is no moment."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or now.tzinfo) if moment else None


def _rate_finding(subject: str, rate: float | str, expected: float) -> Finding:
    check = "cache.hit_rate"
    if isinstance(rate, str):
        remedy = "See that the project writes its hit rate (0 to 1) there."
        return Finding(check=check, subject=subject, status=Status.UNKNOWN, message=rate, remedy=remedy)
    low = rate < expected
    return Finding(
        check=check,
        subject=subject,
        status=Status.WARNING if low else Status.OK,
        message=f"The hit rate is {rate:g}{f'; at least {expected:g} is expected' if low else ''}.",
        value=rate,
        unit="share",
        warning=expected,
        remedy="Look whether maintenance.cache.expiry_hours is too short, or what the keys of the cache depend on."
        if low
        else None,
    )


def _count_finding(subject: str, counted: Counted | str, now: datetime) -> Finding:
    check, clean = "cache.entries", "Run inv weekly.cache-cleanup, which counts."
    if isinstance(counted, str):
        return Finding(check=check, subject=subject, status=Status.UNKNOWN, message=counted, remedy=clean)
    age = now - counted.updated
    message = f"{count(counted.entries, 'entry', 'entries')} ({size(counted.bytes)}), counted "
    message += f"{_age(age)} ago" if age >= timedelta(0) else "in the future"
    if counted.unread:
        message += f", without {count(counted.unread, 'folder')} that could not be read"
    status, remedy = Status.OK, None
    if age < timedelta(0):
        status, remedy = Status.WARNING, f"Check the clock (date), then {clean[0].lower()}{clean[1:]}"
    elif age > STALE:
        status, remedy = Status.WARNING, clean
        message += f"; a count every week is expected, {STALE.days} days ago at most"
    return Finding(
        check=check,
        subject=subject,
        status=status,
        message=f"{message}.",
        value=counted.entries,
        unit="entries",
        remedy=remedy,
    )


def _age(age: timedelta) -> str:
    return f"{age.days:,} days" if age >= timedelta(days=2) else duration(age.total_seconds())


def _metrics(subject: str, rate: float | str, counted: Counted | str) -> Iterator[Metric]:
    if not isinstance(rate, str):
        yield Metric(name="cache.hit_rate", value=rate, unit="share", subject=subject)
    if not isinstance(counted, str):
        yield Metric(name="cache.entries", value=counted.entries, unit="entries", subject=subject)
        yield Metric(name="cache.bytes", value=counted.bytes, unit="B", subject=subject)


def _data(rate: float | str, counted: Counted | str) -> dict[str, Any]:
    data: dict[str, Any] = {"hit_rate": None if isinstance(rate, str) else rate}
    if not isinstance(counted, str):
        data |= {"entries": counted.entries, "bytes": counted.bytes, "counted": counted.updated.isoformat()}
    return data


def _summary(rate: float | str, counted: Counted | str) -> str:
    hits = "hit rate unknown" if isinstance(rate, str) else f"hit rate {rate:g}"
    if isinstance(counted, str):
        return f"{hits}, entries unknown"
    return f"{hits}, {count(counted.entries, 'entry', 'entries')} ({size(counted.bytes)})"
