"""What the tests of the reading share: a root with logs in it, texts that count what is read of them, and levels."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.logs.reading import timestamps
from tasks.logs.reading.log_levels import Level, LevelClassifiers, LevelFinder, find_with_hyperscan, find_with_re
from tasks.logs.reading.log_records import Record, records
from tasks.logs.reading.log_source import LogSource, LogText, open_log

HYPERSCAN = find_with_hyperscan()
RE = find_with_re()
FINDERS = pytest.mark.parametrize("find", [HYPERSCAN, RE], ids=["hyperscan", "re"])


class Counting:
    """A text that counts the bytes that are read of it."""

    def __init__(self, text: LogText) -> None:
        self._text = text
        self.read = 0

    def read_at(self, offset: int, size: int) -> bytes:
        data = self._text.read_at(offset, size)
        self.read += len(data)
        return data


class Memory:
    """A text in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_at(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


def in_memory(data: bytes, *, seekable: bool = True) -> LogSource:
    """Return a log that holds *data*."""
    return LogSource("logs/app.log", Memory(data), len(data) if seekable else None, Path(__file__).stat(), seekable)


def read(data: bytes, start: int = 0, find: LevelFinder = HYPERSCAN) -> list[Record]:
    """Return the records of a log that holds *data*."""
    source = in_memory(data)
    return list(records(source, find, LevelClassifiers().of(source), start))


def levels(data: bytes) -> list[Level]:
    """Return the levels of the records of a log that holds *data*, and make sure that both finders agree."""
    found = [record.level for record in read(data)]
    assert found == [record.level for record in read(data, find=RE)]
    return found


def write(root: Path, path: str, data: bytes, *, mtime: float | None = None) -> str:
    """Write a file below *root*; one in gzip's format where its name says so."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
    if mtime is not None:
        os.utime(target, (mtime, mtime))
    return path


def read_file(root: Path, path: str) -> list[Record]:
    """Return the records of a file below *root*."""
    with open_log(root, path) as source:
        return list(records(source, HYPERSCAN, LevelClassifiers().of(source)))


SetZone = Callable[[str], None]


@pytest.fixture
def set_zone() -> Iterator[SetZone]:
    """Give a function that sets the zone of local times until the end of the test."""
    with pytest.MonkeyPatch.context() as patch:

        def set_to(name: str) -> None:
            patch.setenv("TZ", name)
            time.tzset()
            timestamps._minute.cache_clear()

        yield set_to
    time.tzset()
    timestamps._minute.cache_clear()
