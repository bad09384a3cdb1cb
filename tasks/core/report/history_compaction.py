"""What stays of a history that has grown too large, and its replacement by that.

In the daily life of a project a history reaches this size after many years; where something is checked every ten
minutes, after months. What every reader needs stays at any size: see :func:`kept`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ..files import safe_files, state_files
from .history_entries import READ_LIMIT, Benchmarks, Entry, Line, ProviderMeasurement, Run, Sizes, lines
from .history_entries import seconds_since_1970 as posix

COMPACT_OVER = 64_000_000
"""Bytes above which a history is made smaller."""

TARGET = 48_000_000
"""Bytes that are left of it at most, so that it is not made smaller at every run."""

THINNED_AFTER_DAYS = 31
"""Of older runs, where age alone does not make it small enough, a few of each day stay."""

_DAY = 86_400

Series: TypeAlias = tuple[type[Entry], str, bool, bool]
"""The kind of an entry; its procedure, provider or machine; for a run whether it was whole and came to its end."""


class Ages(NamedTuple):
    """For how many days entries are kept in a history that has grown too large.

    Attributes:
        runs: days that runs, sizes and benchmarks are kept.
        measurements: days that measurements of providers are kept.
        clock_newest: where the clock is too far past the newest log, stamp and archive to be believed, the moment of
            that: nothing is dropped for its age then, and what is thinned is older than that moment.
    """

    runs: float
    measurements: float
    clock_newest: datetime | None = None


class Place(NamedTuple):
    """A line of the file, as far as it matters for whether it stays.

    Attributes:
        offset: its place in the file.
        length: its bytes.
        series: to what its entry belongs; ``None`` where it has none that is known.
        moment: that of its entry, in POSIX seconds.
        is_torn: True where it is only the beginning of an entry.
    """

    offset: int
    length: int
    series: Series | None
    moment: float
    is_torn: bool


class _Survey:
    """All lines of a history, and which of them are the last or the highest of something, by their offsets."""

    def __init__(self, found: Iterable[Line]) -> None:
        self.places: list[Place] = []
        self.last: dict[Series, int] = {}
        self.last_of_month: dict[tuple[Series, int, int], int] = {}
        self.last_of_day: dict[tuple[Series, date], int] = {}
        self._highest: dict[tuple[Series, date, str], tuple[float, int]] = {}
        self._series: dict[Series, Series] = {}
        for line in found:
            self._add(line)

    @property
    def highest_of_day(self) -> set[int]:
        """The runs with the highest sizes of their days."""
        return {offset for _, offset in self._highest.values()}

    def _add(self, line: Line) -> None:
        entry = line.entry
        if entry is None:
            self.places.append(Place(line.offset, line.length, None, 0.0, line.is_torn))
            return
        series = _series(entry)
        series = self._series.setdefault(series, series)  # one object of each: there may be very many lines
        moment = entry.began if isinstance(entry, Run) else entry.moment
        self.places.append(Place(line.offset, line.length, series, posix(moment), is_torn=False))
        if isinstance(entry, ProviderMeasurement):
            return
        self.last_of_month[series, moment.year, moment.month] = line.offset
        if isinstance(entry, Benchmarks) or (isinstance(entry, Run) and entry.whole):
            self.last[series] = line.offset
        if isinstance(entry, Run | Sizes):
            day = moment.date()
            self.last_of_day[series, day] = line.offset
            for name, value in _sizes(entry):
                key = series, day, name
                if key not in self._highest or value > self._highest[key][0]:
                    self._highest[key] = value, line.offset


def compact(root: Path, path: str, ages: Ages) -> None:
    """Replace a history by what is to stay of it, whole or not at all; the caller holds the lock of its folder.

    One that is too large to be read whole is kept aside. Where the replacement cannot be written, it stays as it is.

    Args:
        root: the project.
        path: the history, below it.
        ages: how long entries stay.
    """
    with suppress(safe_files.Refused, OSError):
        with state_files.opened(root, path) as (descriptor, status):
            left = kept(lines(descriptor, status.st_size), ages, TARGET)
            content = b"".join(os.pread(descriptor, place.length, place.offset) for place in left)
        safe_files.write(root, path, content, keep_old=status.st_size > READ_LIMIT)


def kept(found: Iterable[Line], ages: Ages, target: int) -> list[Place]:
    """Return the lines that stay, in their order. The last of them was written just now.

    Dropped are, the second and third only where more than *target* bytes are left before them:

    1. lines that are torn, and, where the clock is believed, entries that are too old, but for the last of each month
       of a procedure;
    2. of the older runs of a day all but the last and those with the day's highest sizes;
    3. the oldest lines.

    The last run of each procedure that came to its end, and the last that did not, always stay, and so do the last
    benchmarks of each machine. Lines that are not understood stay until the third step.

    Args:
        found: all lines.
        ages: how long entries stay.
        target: bytes that are to be left at most.
    """
    survey = _Survey(found)
    now = survey.places[-1].moment if survey.places else 0.0
    always = {*survey.last.values()}
    left = [place for place in survey.places if not place.is_torn]
    if ages.clock_newest is not None:
        now = posix(ages.clock_newest)
    else:
        spared = always | {*survey.last_of_month.values()}
        left = [place for place in left if place.offset in spared or not _is_older(place, now, ages)]
    if _bytes(left) > target:
        spared = always | survey.highest_of_day | {*survey.last_of_day.values()}
        left = [place for place in left if place.offset in spared or not _is_thinned(place, now)]
    return [*_newest(left, always, target)]


def _newest(left: Sequence[Place], always: set[int], target: int) -> Iterator[Place]:
    """Yield the lines that always stay, and the newest of the others that make *target* bytes with them."""
    too_many = _bytes(left) - target
    for place in left:
        if too_many > 0 and place.offset not in always:
            too_many -= place.length
        else:
            yield place


def _bytes(found: Iterable[Place]) -> int:
    return sum(place.length for place in found)


def _is_older(place: Place, now: float, ages: Ages) -> bool:
    """Tell whether an entry is older than its kind is kept; one that is dated ahead is not."""
    days = ages.measurements if place.series and place.series[0] is ProviderMeasurement else ages.runs
    return place.series is not None and now - place.moment > days * _DAY


def _is_thinned(place: Place, now: float) -> bool:
    is_of_run = place.series is not None and place.series[0] in {Run, Sizes}
    return is_of_run and now - place.moment > THINNED_AFTER_DAYS * _DAY


def _series(entry: Entry) -> Series:
    """Return to what an entry belongs: one procedure and whether it came to its end, one provider, one machine."""
    match entry:
        case Run():
            return Run, entry.task, entry.whole, entry.reason is None
        case ProviderMeasurement():
            return ProviderMeasurement, entry.provider, True, True
        case Sizes():
            return Sizes, entry.source, True, True
        case Benchmarks():
            return Benchmarks, entry.identity, True, True


def _sizes(entry: Run | Sizes) -> Iterator[tuple[str, float]]:
    if isinstance(entry, Sizes):
        yield from entry.held.items()
    else:
        sized = (each for each in entry.figures if each.unit in {"B", "inodes"})
        yield from ((f"{each.name} {each.subject}", each.value) for each in sized)
