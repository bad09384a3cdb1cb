"""The benchmarks: what the project's work is made of, measured on this machine as it is now.

Each is made several times and the fastest counts: other work on the machine can only make a run slower, never faster
(the reasoning of ``timeit`` in Python's library).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TypeAlias

from ...core.files import safe_files

_TIMES = 5
_HASHED = 16 << 20
_WRITTEN = 8 << 20
_RECORDS = 20_000

Benchmark: TypeAlias = Callable[[], object]


def measure(root: Path, directory: str, stop: Event, advance: Callable[[int], None]) -> dict[str, float]:
    """Return the seconds that each benchmark took.

    ``processor`` hashes 16 MB, ``json`` writes and reads 20,000 records, ``disk`` writes 8 MB to an unnamed file in
    the log folder and waits until the disk has it; it is left out where nothing can be written there.

    Args:
        root: the project.
        directory: the log folder below it.
        stop: ends it between two of them where it is set.
        advance: told after each.
    """
    measured = {}
    with _benchmarks(root, directory) as benchmarks:
        for name, benchmark in benchmarks.items():
            if stop.is_set():
                break
            try:
                measured[name] = min(_seconds(benchmark) for _ in range(_TIMES))
            except OSError:  # the disk is full: the others say what they can
                continue
            advance(1)
    return measured


@contextmanager
def _benchmarks(root: Path, directory: str) -> Iterator[Mapping[str, Benchmark]]:
    block = bytes(range(256)) * (_HASHED // 256)
    records = [{"timestamp": f"2026-01-01T00:00:{number:06d}", "seconds": number / 7} for number in range(_RECORDS)]
    own: dict[str, Benchmark] = {
        "processor": lambda: hashlib.sha256(block).digest(),
        "json": lambda: json.loads(json.dumps(records)),
    }
    try:
        with safe_files.folder(root, directory, create=True), tempfile.TemporaryFile(dir=root / directory) as file:
            descriptor = file.fileno()

            def written() -> None:
                os.pwrite(descriptor, block[:_WRITTEN], 0)
                os.fsync(descriptor)

            yield {**own, "disk": written}
    except (safe_files.Refused, OSError):
        yield own


def _seconds(benchmark: Benchmark) -> float:
    started = perf_counter()
    benchmark()
    return perf_counter() - started
