"""What is kept of the entries: per period and component their durations and how many succeeded."""

from __future__ import annotations

import reprlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any

import msgspec

from ..core.secrets.redaction import redactor, shortened
from ..core.text.formatting import printable
from .entry_times import Periods, moment

NONE = "(none)"
"""The component of entries that name none."""

LONGEST = 1e9
"""Seconds (32 years) from which on a duration is none."""

_LONGEST_NAME = 60
"""Characters of a component's name that are shown and tell it from others."""

_EXACT = 1 << 63
"""Integers from here on are not shown: they can have millions of digits."""


class Fault(Enum):
    """What can be wrong with an entry, and the order in which it is reported."""

    DAMAGED = "damaged"
    NO_OBJECT = "no object"
    NO_TIME = "no time"
    BAD_TIME = "bad time"
    FUTURE = "future"
    NO_COMPONENT = "no component"
    NO_DURATION = "no duration"
    NEGATIVE_DURATION = "negative duration"
    IMPOSSIBLE_DURATION = "impossible duration"
    BAD_DURATION = "bad duration"
    NO_SUCCESS = "no success"
    BAD_SUCCESS = "bad success"


class Entry(msgspec.Struct, gc=False):
    """An entry with nothing wrong in it: the type that can be decoded without a second look."""

    timestamp: datetime
    component: Annotated[str, msgspec.Meta(min_length=1)]
    duration: Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
    success: bool


class LooseEntry(msgspec.Struct, gc=False):
    """An entry that is any JSON object."""

    timestamp: Any = None
    component: Any = None
    duration: Any = None
    success: Any = None


class FaultCount(msgspec.Struct):
    """How often a fault was met, and the first time."""

    count: int
    example: str


@dataclass(slots=True)
class Group:
    """The entries of one component in one period.

    Attributes:
        count: how many.
        evaluated: how many of them say whether they succeeded.
        succeeded: how many did.
        durations: those that are usable, in seconds.
        seconds: their sum.
    """

    count: int = 0
    evaluated: int = 0
    succeeded: int = 0
    durations: array[float] = field(default_factory=lambda: array("d"))
    seconds: float = 0.0


class Tally:
    """The entries read so far.

    Attributes:
        groups: those in a period, by period and component.
        earlier: how many lie before the first period; nothing else of them is looked at.
        faults: what was wrong; of a duration, a success or a component only within the periods.
    """

    def __init__(self, periods: Periods) -> None:
        self.periods = periods
        self.groups: defaultdict[tuple[int, str], Group] = defaultdict(Group)
        self.earlier = 0
        self.faults: dict[Fault, FaultCount] = {}

    def add_clean(self, entries: Sequence[Entry]) -> None:
        """Add entries with nothing wrong in them, with next to no work for each one.

        As a record grows at its end, entries that follow each other are most often of one period.
        """
        of_day = self.periods.of_day
        days = {entry.timestamp.toordinal() for entry in entries}
        found = {of_day(day) for day in days}
        if len(found) == 1 and None not in found:
            self._add_to_period(found.pop() or 0, entries)
            return
        parts: defaultdict[int, list[Entry]] = defaultdict(list)
        of = self.periods.of
        for entry in entries:
            parts[of(entry.timestamp)].append(entry)
        for period, part in parts.items():
            self._add_to_period(period, part)

    def _add_to_period(self, period: int, entries: Sequence[Entry]) -> None:
        if period == 0:
            self.earlier += len(entries)
            return
        if period == self.periods.future:
            self.note(Fault.FUTURE, shown(entries[0].timestamp.isoformat()), len(entries))
            return
        durations: defaultdict[str, list[float]] = defaultdict(list)
        for entry in entries:
            durations[entry.component].append(entry.duration)
        failed = Counter([entry.component for entry in entries if not entry.success])
        for component, values in durations.items():
            group = self.groups[period, _name(component)]
            group.count += len(values)
            group.evaluated += len(values)
            group.succeeded += len(values) - failed[component]
            group.durations.fromlist(values)
            group.seconds += sum(values)

    def add_any(self, entry: object) -> None:
        """Add an entry that may be anything."""
        if isinstance(entry, LooseEntry):
            self._add_loose(entry.timestamp, entry.component, entry.duration, entry.success)
        elif isinstance(entry, dict):
            self._add_loose(*map(entry.get, ("timestamp", "component", "duration", "success")))
        else:
            self.note(Fault.NO_OBJECT, shown(entry))

    def _add_loose(self, timestamp: object, component: object, duration: object, success: object) -> None:
        time = moment(timestamp)
        if time is None:
            if timestamp is None:
                self.note(Fault.NO_TIME, f"one of {shown(component)}")
            else:
                self.note(Fault.BAD_TIME, shown(timestamp))
            return
        period = self.periods.of(time)
        if period == 0:
            self.earlier += 1
        elif period == self.periods.future:
            self.note(Fault.FUTURE, shown(timestamp))
        else:
            self._add_to(period, shown(timestamp), component, duration, success)

    def _add_to(self, period: int, when: str, component: object, duration: object, success: object) -> None:
        if not isinstance(component, str) or not component:
            self.note(Fault.NO_COMPONENT, f"that of {when}")
            component = NONE
        group = self.groups[period, _name(component)]
        group.count += 1
        fault = _fault_of_duration(duration)
        if fault is None:
            group.durations.append(duration)  # type: ignore[arg-type] # without a fault it is a number
            group.seconds += duration  # type: ignore[operator] # the same
        else:
            self.note(fault, f"that of {when}" if duration is None else f"{shown(duration)} at {when}")
        if isinstance(success, bool):
            group.evaluated += 1
            group.succeeded += success
        elif success is None:
            self.note(Fault.NO_SUCCESS, f"that of {when}")
        else:
            self.note(Fault.BAD_SUCCESS, f"{shown(success)} at {when}")

    def note(self, fault: Fault, example: str, count: int = 1) -> None:
        """Count a fault; the first example of its kind stays."""
        self.faults.setdefault(fault, FaultCount(0, example)).count += count


def _name(component: str) -> str:
    """Return a component's name as it is shown, which is also what tells components apart."""
    if len(component) > _LONGEST_NAME:
        component = shortened(component, _LONGEST_NAME - 1, redactor(), mark="…")
    return printable(component)


def _fault_of_duration(duration: object) -> Fault | None:
    if duration is None:
        return Fault.NO_DURATION
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        return Fault.BAD_DURATION
    if duration < 0:
        return Fault.NEGATIVE_DURATION
    return None if duration <= LONGEST else Fault.IMPOSSIBLE_DURATION  # NaN included


def shown(value: object) -> str:
    """Return a value from the file, short and on one line."""
    if isinstance(value, int) and abs(value) >= _EXACT:
        return "a number out of range"
    return printable(_without_secrets().repr(value))


class _Repr(reprlib.Repr):
    """Values as Python writes them, shortened; their texts are redacted before they are cut."""

    def __init__(self) -> None:
        super().__init__()
        self._redact = redactor()

    def repr_str(self, x: str, level: int) -> str:
        """Return a text without secrets, shortened."""
        return super().repr_str(self._redact(x), level)


@cache
def _without_secrets() -> _Repr:
    return _Repr()
