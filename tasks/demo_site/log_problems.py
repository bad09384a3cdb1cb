"""The problems planted in the demo project's logs, and a program that goes on writing while the suite works."""

from __future__ import annotations

import gzip
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ..core.report.model import Finding, Status
from ..core.text.formatting import count
from .demo_project import KNOWN_ERROR, LOG, log_line
from .planted import Planted

_LARGE = "logs/generator.log"
_LARGE_BYTES = 10_500_000
_OLD_DAYS = 120

_WORKER = "logs/worker.log"
_LINE = re.compile(rb"^.* - worker - INFO - line (\d+)$", re.MULTILINE)

_PROGRAM = """
import logging, signal, sys, threading, time
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
shape = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
logging.basicConfig(filename=sys.argv[1], level=logging.INFO, format=shape)
log, stop, number = logging.getLogger("worker"), threading.Event(), 0
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
while not stop.is_set():
    log.info("line %06d", number)
    number += 1
    if number == 400:
        print("ready", flush=True)
    if number > 400:
        time.sleep(0.002)
print(number, flush=True)
"""
"""The live writer: it ends when its input is closed, which happens however we end; in silence where we were killed."""


def plant(site: Path, now: datetime) -> Iterator[Planted]:
    """Plant them in the project at *site* and yield them."""
    minute = timedelta(minutes=1)
    with (site / LOG).open("a", encoding="utf-8") as log:
        log.write(log_line(now - 5 * minute, "api.client", "ERROR", KNOWN_ERROR.format(7_340_112)))
        for number in (3, 2):
            log.write(log_line(now - number * minute, "generator.text", "ERROR", f"Writing article {number}81 failed"))
            log.write(_TRACEBACK)
        log.write(log_line(now - minute, "api.client", "ERROR", "API key sk-demo-4f1c09b7d2e84a6f is invalid"))
    yield Planted("an error that was told yesterday", "errors.ongoing", "logs", 1, Status.OK)
    yield Planted("a new error with a traceback", "errors.new", None, 2, Status.WARNING)
    yield Planted("a new error with a critical pattern", "errors.new", None, 1, Status.CRITICAL)

    yield Planted("a log over the limit", "logs.rotated", _LARGE, _large(site / _LARGE, now), Status.OK)

    day = now - timedelta(days=_OLD_DAYS)
    old = site / f"logs/archive/{day:%Y/%m}/zbeam_{day:%Y%m%d}.log.gz"
    old.parent.mkdir(parents=True)
    old.write_bytes(gzip.compress(b"what was logged then\n", mtime=0))
    os.utime(old, (day.timestamp(), day.timestamp()))
    yield Planted("an archive past its time", "logs.expired", "logs/archive", 1, Status.OK)


_TRACEBACK = """Traceback (most recent call last):
  File "/srv/zbeam/components/text/generate.py", line 88, in generate
    density = material["density"]["value"]
KeyError: 'density'
"""


def _large(path: Path, now: datetime) -> int:
    """Write a log over the limit and return its size."""
    chance = random.Random("log")  # noqa: S311 - varied, not secret
    lines = "".join(
        log_line(now - timedelta(hours=30), "generator.table", "DEBUG", f"cell {chance.randrange(10**9)} of {number}")
        for number in range(2000)
    )
    path.write_text(lines * (_LARGE_BYTES // len(lines) + 1), encoding="utf-8")
    return path.stat().st_size


@dataclass(slots=True)
class WrittenLines:
    """How many lines the live writer wrote; known when it has ended."""

    lines: int = 0


@contextmanager
def live_writer(site: Path) -> Iterator[WrittenLines]:
    """Let another process append numbered lines to a log through Python's ``logging`` all the while."""
    written = WrittenLines()
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, site / _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        process.stdout.readline()
        try:
            yield written
        finally:
            written.lines = int(process.communicate()[0])


def evaluate_lines(site: Path, written: WrittenLines) -> Finding:
    """Return the finding on whether every line of the live writer is there once, in an archive or in its log."""
    texts = [gzip.decompress(path.read_bytes()) for path in sorted((site / "logs/archive").rglob("worker_*.gz"))]
    texts.append((site / _WORKER).read_bytes())
    numbers = Counter(int(match[1]) for text in texts for match in _LINE.finditer(text))
    lost = written.lines - len(numbers)
    double = numbers.total() - len(numbers)
    return Finding(
        check="demo.lines",
        subject="a program that went on writing",
        status=Status.CRITICAL if lost or double else Status.OK,
        message=f"{count(lost, 'line')} lost, {double:,} double."
        if lost or double
        else f"Each of its {written.lines:,} lines is there once, in {count(len(texts) - 1, 'archive')} and its log.",
        value=lost + double,
        unit="lines",
    )
