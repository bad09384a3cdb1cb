"""Checks of command-line arguments: each takes the settings and the text, and returns what a procedure takes."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from ..errors import UsageError
from ..settings.all_settings import gate_names
from ..settings.model import MOST_HOURS, Settings


def hours(_settings: Settings, text: str | None) -> float | None:
    """Return a number of hours, 0 or more; ``None`` where the flag was not given.

    Raises:
        UsageError: it is no such number.
    """
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= MOST_HOURS:
        raise UsageError(
            f"--older-than takes a number of hours from 0 to {MOST_HOURS}, as in --older-than=12; got {text!r}."
        )
    return number


_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?(min|m|h|d|w)", re.IGNORECASE)
_HOURS = {"m": 1 / 60, "min": 1 / 60, "h": 1, "d": 24, "w": 168}

LEVELS = ("warning", "error", "critical")
"""The levels that a log review can begin at."""


def days(_settings: Settings, text: str | None) -> int | None:
    """Return a whole number of days, 0 or more; ``None`` where the flag was not given.

    Raises:
        UsageError: it is no such number.
    """
    if text is None:
        return None
    most = MOST_HOURS // 24
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
        raise UsageError(
            f"--older-than-days takes a whole number of days from 0 to {most}, as in --older-than-days=30; "
            f"got {text!r}."
        )
    return int(text)


def since(_settings: Settings, text: str | None) -> datetime | timedelta | None:
    """Return a moment, or how long before now; ``None`` where the flag was not given. Without a zone it is local.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    if span := _SPAN.fullmatch(text.strip()):
        number = float(span[1]) * _HOURS[span[2].lower()]
        if number <= MOST_HOURS:
            return timedelta(hours=number)
    elif moment := _moment(text):
        return moment
    raise UsageError(
        f"--since takes a time span or a moment, as in --since=24h, --since=7d, --since=2030-01-31 or "
        f"--since='2030-01-31 12:00'; got {text!r}."
    )


def until(_settings: Settings, text: str | None) -> datetime | None:
    """Return a moment, the end of the day where only a date is given; ``None`` where the flag was not given.

    Raises:
        UsageError: it is no moment.
    """
    if text is None:
        return None
    moment = _moment(text)
    if moment is not None and re.fullmatch(r"[0-9-]+", text.strip()):
        moment = _moment(f"{moment.date().isoformat()}T23:59:59")
    if moment is None:
        raise UsageError(f"--until takes a date, as in --until=2030-01-31; got {text!r}.")
    return moment


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def level(_settings: Settings, text: str) -> str:
    """Return a level in capitals, as ``logging`` has it.

    Raises:
        UsageError: it is none of :data:`LEVELS`.
    """
    if text.lower() not in LEVELS:
        raise UsageError(f"--level takes {', '.join(LEVELS)}; got {text!r}.")
    return text.upper()


def cache_kinds(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the kinds of cache entries asked for; none where the flag was not given.

    Raises:
        UsageError: a name is no configured kind.
    """
    return some_of("--kind", "a kind of maintenance.cache.expiry_hours", settings.cache.expiry_hours, names)


def folder_apart(settings: Settings, path: str) -> str:
    """Return the path of a folder below the root in which neither the project nor the suite keeps anything.

    Raises:
        UsageError: it is none, or is in the folder of logs, cache or backups, or in what is backed up.
    """
    own = PurePosixPath(folder_below(path))
    reserved = [
        settings.logs.directory,
        settings.cache.directory,
        settings.backups.directory,
        *settings.backups.sources,
    ]
    for each in reserved:
        if PurePosixPath(each).parts and (own.is_relative_to(each) or PurePosixPath(each).is_relative_to(own)):
            raise UsageError(
                f"--into takes a folder of its own, as in --into=restored; {each} is the project's own. "
                "To restore over it there is --force."
            )
    return str(own)


def some_of(flag: str, what: str, known: Collection[str], names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names given with a repeatable flag; none where it was not given.

    Args:
        flag: the flag.
        what: what it takes.
        known: the names that there are.
        names: those that were given.

    Raises:
        UsageError: a name is none of those.
    """
    for name in names or ():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise UsageError(f"{flag} takes {what} ({', '.join(known) or 'none is set'}); got {name!r}.{hint}")
    return tuple(names or ())


def gates(_settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the gates of the release checklist that are named; none where the flag was not given.

    Raises:
        UsageError: a name is no gate's.
    """
    return some_of("--skip", "a gate", gate_names(), names)


_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def packages(_settings: Settings, names: Sequence[str] | None) -> frozenset[str]:
    """Return the normalized names (PEP 503) of the packages asked for; none where the flag was not given.

    Raises:
        UsageError: one of them can be no package's name.
    """
    for name in names or ():
        if not _PACKAGE.fullmatch(name):
            raise UsageError(f"--only takes the name of an installed package, as in --only=httpx; got {name!r}.")
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names or ())


def folder_below(text: str) -> str:
    """Return the path of a folder below the root, as ``--into`` takes it.

    Raises:
        UsageError: it leads elsewhere, or is the root itself.
    """
    path = PurePosixPath(text)
    if not path.parts or path.is_absolute() or {"..", ".git"} & {*path.parts} or "\0" in text:
        raise UsageError(f"--into takes a folder below the root, as in --into=restored; got {text!r}.")
    return str(path)
