"""A project with one log of a given size that covers a given number of days and ends a minute ago."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .log_text import MINUTES, PLACEHOLDER, Minute, minutes

DAYS_PER_GB = 7.5
"""So that logs of different sizes have the same rate: 4 GB are 30 days."""

_MINUTE = 60
_DAY = 86_400
_FEWEST = 4
"""Minutes of text in the smallest log."""

_MADE = "made.json"


class Made(NamedTuple):
    """What was written.

    Attributes:
        bytes: the log's size.
        sha256: its digest.
        last: when its last minute began, in seconds since 1970.
    """

    bytes: int
    sha256: str
    last: int


class Levels(NamedTuple):
    """Records by level, and the lines in which ``grep`` finds :data:`~.log_text.GREP_PATTERN`."""

    warnings: int
    errors: int
    criticals: int
    matching: int


@dataclass(frozen=True, slots=True)
class LogFile:
    """The input: ``logs/api.log``, which reads like :mod:`.log_text` says, its times ascending, in local time.

    Minutes of text are made once and written with the date and time of each in its place, which takes some ten
    seconds for 4 GB. On a smaller scale the text of a minute stays as it is, and the minutes lie further apart.

    Attributes:
        size: the log's size in bytes, give or take a minute of text.
        days: the days that it covers.
    """

    size: int
    days: float

    @classmethod
    def scaled(cls, size: int, scale: float) -> LogFile:
        """Return a log of *size* bytes times *scale* that covers the days of *size* bytes."""
        return cls(round(size * scale), size / 1e9 * DAYS_PER_GB)

    def minutes(self, last: int) -> Iterator[tuple[int, Minute]]:
        """Yield every minute of the log with the time at which it begins, the last one at *last*."""
        texts = minutes()
        number = max(round(self.size * MINUTES / sum(len(each.text) for each in texts)), _FEWEST)
        apart = max(self.days * _DAY / _MINUTE / number, 1)
        for index in range(number):
            yield last - round((number - 1 - index) * apart) * _MINUTE, texts[index % MINUTES]

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        last = int(time.time()) // _MINUTE * _MINUTE - 2 * _MINUTE
        digest = hashlib.sha256(usedforsecurity=False)
        size = 0
        log = log_path(folder)
        log.parent.mkdir()
        with log.open("wb", buffering=0) as file:
            for began, minute in self.minutes(last):
                moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(began))
                text = minute.text.replace(PLACEHOLDER, moment.encode("ascii"))
                file.write(text)
                digest.update(text)
                size += len(text)
        (folder / _MADE).write_text(json.dumps(Made(size, digest.hexdigest(), last)._asdict()), encoding="ascii")

    def levels(self) -> Levels:
        """Return how many records of each level there are."""
        return _total(minute for _, minute in self.minutes(0))

    def levels_since(self, since: float, last: int) -> tuple[Levels, Levels]:
        """Return the least and the most records from a moment on, which lies within a minute.

        Args:
            since: the moment, in seconds since 1970.
            last: when the log's last minute began.
        """
        later = [(began, minute) for began, minute in self.minutes(last) if began > since - _MINUTE]
        return _total(minute for began, minute in later if began >= since), _total(minute for _, minute in later)


def _total(chosen: Iterable[Minute]) -> Levels:
    total = [0, 0, 0, 0]
    for minute in chosen:
        total = [sum(pair) for pair in zip(total, minute[1:], strict=True)]
    return Levels(*total)


def log_path(project: Path) -> Path:
    """Return the log."""
    return project / "logs" / "api.log"


def made(project: Path) -> Made:
    """Return what was written as the log when it was made."""
    return Made(**json.loads((project / _MADE).read_text(encoding="ascii")))
