"""What every health check measured of the providers, oldest first.

It is kept in the history of runs and measurements, and in ``api_performance.json`` for other programs. An entry of that
file counts where the history does not have it: one of an earlier version, or of the older scripts.

The file is a JSON list of entries, as older scripts wrote it, or an object that holds such a list under ``entries``
or ``history``; the form stays as it is. An entry of this suite::

    {"timestamp": "2026-11-23T12:00:00+00:00", "source": "daily.health-check",
     "avg_response_time": 1.2, "success_rate": 1.0,
     "providers": {"deepseek": {"avg_response_time": 1.2, "success_rate": 1.0, "time_to_first_byte": 0.9,
                                "tokens_per_second": 35.0, "requests": 1, "failures": 0, "error": null,
                                "model": "deepseek-chat"}}}

Times are in seconds, rates from 0 to 1, and null stands for what was not measured. Older entries are read as well:

- the response time under ``response_time`` or ``mean_response_time``, the rate of success in percent;
- one provider in an entry, its name under ``provider`` or ``api``, with ``success`` or ``status`` for the rate;
- only figures of all providers together: they are measurements of :data:`ALL`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import UserError
from ..core.files import safe_files, state_files
from ..core.files.state_files import StateFile
from ..core.report import history
from ..core.report.history_entries import ProviderMeasurement, seconds_since_1970
from ..core.report.model import Finding, Status
from ..core.text.formatting import printable

FILE = "api_performance.json"

CHECK = "providers.history"

ALL = "(all)"
"""The provider of an entry that tells only of all providers together."""

LIMIT = 50_000_000
"""Bytes of the largest file read: a check every ten minutes for more than a year."""

_LISTS = ("entries", "history")
_NAMES = ("provider", "api")
_RESPONSE_TIMES = ("avg_response_time", "response_time", "mean_response_time")
_RATE = "success_rate"
_FIRST_BYTE = "time_to_first_byte"
_TOKENS = "tokens_per_second"
_FIGURES = (*_RESPONSE_TIMES, _RATE, _FIRST_BYTE, _TOKENS)
_FLAGS = ("success", "status")

_SUCCEEDED = frozenset({"ok", "success", "successful", "healthy", "up", "passed"})
_FAILED = frozenset({"error", "fail", "failed", "failure", "timeout", "unhealthy", "down"})

SECONDS_A_DAY = 86_400


class Measurement(NamedTuple):
    """What one check measured of one provider; ``None`` where it measured nothing.

    Attributes:
        time: the moment, in POSIX seconds.
        provider: its name, as it stands in the file.
        response_time: mean of the requests that succeeded, in seconds.
        success_rate: the share of requests that succeeded, from 0 to 1.
        first_byte: time to the first byte of the answer, in seconds.
        tokens_per_second: how fast the answer was made.
    """

    time: float
    provider: str
    response_time: float | None = None
    success_rate: float | None = None
    first_byte: float | None = None
    tokens_per_second: float | None = None


class History(NamedTuple):
    """What was measured.

    Attributes:
        measurements: those of the history, then those that only the file has, each in their order.
        odd: how many entries of the file could not be understood, as a whole or in part.
        problem: why the file could not be used; ``None`` where it could or is missing.
        recorded: how many of the measurements are those of the history.
        unreadable: how many lines of the history could not be understood.
        closed: why the history could not be read; ``None`` where it could or is missing.
    """

    measurements: list[Measurement]
    odd: int = 0
    problem: str | None = None
    recorded: int = 0
    unreadable: int = 0
    closed: str | None = None


class _Stored(NamedTuple):
    """The file as it is: its entries, and the object around them with the key of the list, where there is one."""

    entries: list[Any]
    frame: dict[str, Any] | None = None
    key: str = ""
    problem: str | None = None
    replaceable: bool = True
    broken: bool = False


def history_path(directory: str) -> str:
    """Return the path of the file below the root, for a log folder."""
    return f"{directory}/{FILE}"


def read(root: Path, directory: str) -> History:
    """Return what was measured, from the history and the file in the log folder *directory* together.

    An entry of the file is odd when it is no object, has no time that can be read, or holds a figure that is none: a
    negative time, a text, a rate above 100. What else it holds counts. NaN and infinite figures are no value.
    """
    measurements: list[Measurement] = []

    def take(entry: ProviderMeasurement) -> None:
        figures = {key: getattr(entry, key) for key in (_RESPONSE_TIMES[0], _RATE, _FIRST_BYTE, _TOKENS)}
        measured, _ = _of_record(seconds_since_1970(entry.moment), entry.provider, figures)
        if measured is not None:
            measurements.append(measured)

    scan = history.scan(root, directory, take, ProviderMeasurement)
    recorded = len(measurements)
    known = Counter((each.time, each.provider) for each in measurements)
    stored = _load(root, history_path(directory))
    odd = 0
    for entry in stored.entries:
        found, understood = _of_entry(entry)
        odd += not understood
        for each in found:
            if known[each.time, each.provider]:
                known[each.time, each.provider] -= 1
            else:
                measurements.append(each)
    closed = scan.problem if scan.is_closed else None
    return History(measurements, odd, stored.problem, recorded, scan.unreadable, closed)


def record(root: Path, directory: str, entry: Mapping[str, Any], now: datetime) -> None:
    """Add the measurements of *entry*, one of this suite's, to the history.

    Where that fails they are in the file, and what else the run has to add to the history says so.
    """
    measured = [
        ProviderMeasurement(moment=now, source=entry["source"], provider=name, **record)
        for name, record in entry["providers"].items()
    ]
    with suppress(UserError, OSError):
        history.append(root, directory, measured)


def outdated(root: Path, directory: str, *, now: datetime, days: int) -> int:
    """Return how many entries of the file are from more than *days* days before *now*."""
    return sum(_is_older(each, now, days) for each in _load(root, history_path(directory)).entries)


def append(
    root: Path, directory: str, entry: Mapping[str, Any], *, now: datetime, days: int, clock_doubted: bool = False
) -> Finding | None:
    """Add *entry* to the file and drop the entries from more than *days* days before *now*.

    Entries without a time that can be read, and those dated in the future, stay; all do where the clock is not
    believed. Every entry that stays keeps its
    value. The file is replaced as a whole or not at all, and a file that cannot be used is kept aside under another
    name. The caller holds the project's lock.

    Returns:
        A warning where the entry could not be written or the old file was kept aside; ``None`` where all went well.
    """
    path = history_path(directory)
    stored = _load(root, path)
    if not stored.replaceable:
        return _warning(path, f"{stored.problem} This run was not added.", "Move it away, or see that it can be read.")
    kept = [each for each in stored.entries if clock_doubted or not _is_older(each, now, days)]
    try:
        state: StateFile[object] = StateFile(exists=True, broken=stored.broken)
        aside = state_files.write(root, path, _text(stored, [*kept, dict(entry)]), state)
    except safe_files.Refused as error:
        return _warning(path, f"{error} This run was not added.", "Move it away.")
    except RecursionError:
        message = f"{printable(path)} is nested too deeply to be written again. This run was not added."
        return _warning(path, message, "Move it away.")
    except OSError as error:
        message = f"{printable(path)} cannot be written: {error.strerror}. This run was not added."
        return _warning(path, message, "Make room and see that the folder can be written.")
    if aside is None:
        return None
    return _warning(
        path, f"{stored.problem} It was kept as {printable(aside)} and a new one begun.", "Look at what wrote it."
    )


def _warning(path: str, message: str, remedy: str) -> Finding:
    return Finding(check=CHECK, subject=printable(path), status=Status.WARNING, message=message, remedy=remedy)


def _load(root: Path, path: str) -> _Stored:
    try:
        content = state_files.read_bytes(root, path, limit=LIMIT)
    except FileNotFoundError:
        return _Stored([])
    except state_files.Distrusted as error:
        return _Stored([], problem=str(error), broken=True)
    except safe_files.Refused as error:
        return _Stored([], problem=str(error), replaceable=False)
    except OSError as error:
        return _Stored([], problem=f"{printable(path)} cannot be read: {error.strerror}.", replaceable=False)
    return _parsed(content, printable(path)) if content.strip() else _Stored([])


def _parsed(content: bytes, name: str) -> _Stored:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        return _Stored([], problem=f"{name} is no valid JSON: {printable(error)}.", broken=True)
    if isinstance(value, list):
        return _Stored(value)
    if isinstance(value, dict):
        for key in _LISTS:
            if isinstance(value.get(key), list):
                return _Stored(value[key], value, key)
    return _Stored([], problem=f"{name} holds no JSON list of entries, which was expected.", broken=True)


def _text(stored: _Stored, entries: Sequence[Any]) -> bytes:
    """Return the file's content: an entry a line, in the object that was around them."""
    lines = "[\n" + ",\n".join(map(json.dumps, entries)) + "\n]"
    if stored.frame is not None:
        members = {name: json.dumps(value) for name, value in stored.frame.items()} | {stored.key: lines}
        lines = "{\n" + ",\n".join(f"{json.dumps(name)}: {text}" for name, text in members.items()) + "\n}"
    return lines.encode("ascii") + b"\n"


def _is_older(entry: object, now: datetime, days: int) -> bool:
    time = _time(entry.get("timestamp")) if isinstance(entry, dict) else None
    return time is not None and now.timestamp() - time > days * SECONDS_A_DAY


def _time(value: object) -> float | None:
    """Return the POSIX seconds of a time in ISO 8601, a naive one as local time; ``None`` where it is no time."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _of_entry(entry: object) -> tuple[list[Measurement], bool]:
    """Return the measurements of an entry, and whether all of it was understood."""
    time = _time(entry.get("timestamp")) if isinstance(entry, dict) else None
    if time is None or not isinstance(entry, dict):
        return [], False
    providers = entry.get("providers")
    name = next((entry[key] for key in _NAMES if isinstance(entry.get(key), str)), None)
    if isinstance(providers, dict) and providers:
        records = providers
    elif name is not None:
        records = {name: entry}
    else:
        records = {ALL: {key: entry[key] for key in _FIGURES if key in entry}}
    measured = [_of_record(time, provider, record) for provider, record in records.items()]
    return [one for one, _ in measured if one is not None], all(understood for _, understood in measured)


def _of_record(time: float, provider: str, record: object) -> tuple[Measurement | None, bool]:
    """Return what a record tells of a provider, ``None`` where that is nothing, and whether it was understood.

    The time that a failure took is no response time: it says how long the provider did not answer. Nor is 0 one:
    older scripts wrote it where there was no answer.
    """
    known = {key: record[key] for key in (*_FIGURES, *_FLAGS) if key in record} if isinstance(record, dict) else {}
    times = (_number(known.get(key)) for key in _RESPONSE_TIMES)
    response_time = next((each for each in times if each), None)
    success_rate = _rate(known.get(_RATE))
    if success_rate is None:
        success_rate = _rate_of_flags(known)
    if success_rate == 0:
        response_time = None
    figures = (response_time, success_rate, _number(known.get(_FIRST_BYTE)), _number(known.get(_TOKENS)))
    if all(figure is None for figure in figures):
        return None, bool(known) and all(map(_is_no_value, known.values()))
    understood = all(
        _is_no_value(known[key]) or (_rate if key == _RATE else _number)(known[key]) is not None
        for key in _FIGURES
        if key in known
    )
    return Measurement(time, provider, *figures), understood


def _is_no_value(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _number(value: object) -> float | None:
    """Return a finite number from 0 upwards; ``None`` for anything else, a truth value included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _rate(value: object) -> float | None:
    """Return a share from 0 to 1; what lies above 1 is percent."""
    number = _number(value)
    if number is None or number > 100:  # noqa: PLR2004 - percent
        return None
    return number / 100 if number > 1 else number


def _rate_of_flags(known: Mapping[str, Any]) -> float | None:
    """Return the rate of a single request: whether it succeeded, else its status, a word or that of HTTP."""
    success, status = known.get("success"), known.get("status")
    if isinstance(success, bool):
        return float(success)
    if isinstance(status, str):
        word = status.strip().lower()
        return 1.0 if word in _SUCCEEDED else 0.0 if word in _FAILED else None
    if isinstance(status, int) and not isinstance(status, bool):
        return 1.0 if 200 <= status < 300 else 0.0 if 300 <= status < 600 else None  # noqa: PLR2004 - HTTP's
    return None
