"""The benchmarks: typical work of the project, measured on this machine, whose identity is kept with the figures.

Each is made several times and the fastest counts: other work on the machine can only make a run slower, never faster
(the reasoning of ``timeit`` in Python's library). Benchmarks of two machines cannot be compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import NamedTuple, TypeAlias

from ...core.files import safe_files

_TIMES = 5
_HASHED = 16 << 20
_WRITTEN = 8 << 20
_RECORDS = 20_000

Benchmark: TypeAlias = Callable[[], object]


def measure_benchmarks(root: Path, directory: str, stop: Event, advance: Callable[[int], None]) -> dict[str, float]:
    """Return the seconds that each benchmark took.

    ``processor`` hashes 16 MB, ``json`` writes and reads 20,000 records, ``disk`` writes 8 MB to an unnamed file in
    the log folder and waits until the disk has it; it is left out where nothing can be written there.

    Args:
        root: the project.
        directory: the log folder below it.
        stop: ends it between two of them where it is set.
        advance: called after each.
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


_IDENTITIES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
"""Where Linux keeps what systemd's ``machine-id(5)`` describes: an identity that outlives restarts."""

_CPUINFO = Path("/proc/cpuinfo")


class Machine(NamedTuple):
    """A machine.

    Attributes:
        identity: twelve hexadecimal digits, the same as long as all that follows and the machine's own id are.
        processor: its name.
        processors: how many there are.
        python: the implementation and version that ran the benchmarks.
    """

    identity: str
    processor: str
    processors: int
    python: str


def this_machine() -> Machine:
    """Return the machine that this runs on. Its own id and name are in the identity as a hash only."""
    processor, processors = _processor(), os.cpu_count() or 1
    python = f"{platform.python_implementation()} {platform.python_version()}"
    own = next((text for path in _IDENTITIES if (text := _text_of(path))), platform.node())
    parts = "\n".join([own, platform.system(), platform.machine(), processor, str(processors), python])
    return Machine(
        hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:12], processor, processors, python
    )


def _processor() -> str:
    for line in _text_of(_CPUINFO).splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "cpu model"}:
            return value.strip()
    return platform.processor() or platform.machine()


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
