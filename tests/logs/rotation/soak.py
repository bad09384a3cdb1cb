"""Programs that write numbered lines as fast as they can while their log is rotated, and the count afterwards.

The short form is a test; a benchmark may call :func:`soak` with more rotations, or with another tool's.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_LINE = re.compile(rb"^.*?\b(w\d) (\d{9}) [x]{20,}$", re.MULTILINE)

_FRAME = """
import itertools, logging, logging.handlers, os, sys, threading, time
path, name = sys.argv[1:]
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
def text(number):
    return f"{name} {number:09} " + "x" * (20 + number % 60)
"""

_HANDLER = """
handler = %s
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%%(asctime)s - api - %%(levelname)s - %%(message)s")
print("ready", flush=True)
for number in itertools.count():
    if stopped.is_set():
        break
    logging.info(text(number))
print(number, flush=True)
"""

_RAW = """
file = os.open(path, os.O_WRONLY | os.O_CREAT | %s)
print("ready", flush=True)
for number in itertools.count():
    if stopped.is_set():
        break
    line = (text(number) + "\\n").encode()
    os.write(file, line[:7])
    os.write(file, line[7:])
print(number, flush=True)
"""

_COMING = """
print("ready", flush=True)
for number in itertools.count():
    if stopped.is_set():
        break
    with open(path, "a") as file:
        file.write(text(number) + "\\n")
    time.sleep(0.0005)
print(number, flush=True)
"""

KINDS = {
    "logging": (_HANDLER % "logging.FileHandler(path)",),
    "watched": (_HANDLER % "logging.handlers.WatchedFileHandler(path)",),
    "two": (_HANDLER % "logging.FileHandler(path)", _HANDLER % "logging.FileHandler(path)"),
    "pieces": (_RAW % "os.O_APPEND",),
    "comes and goes": (_COMING,),
    "not appending": (_RAW % "0",),
}


class Soaked(NamedTuple):
    """What a soak gave: lines written, how many of them are missing, and how many are there more than once."""

    written: int
    missing: int
    doubled: int


def soak(folder: Path, kind: str, rotate: Callable[[], object], *, rotations: int = 10, pause: float = 0.1) -> Soaked:
    """Rotate a log while it is written to, and look for every line.

    Args:
        folder: the log folder; the log is ``app.log``.
        kind: who writes, of :data:`KINDS`.
        rotate: rotates once.
        rotations: how often.
        pause: seconds before each rotation.
    """
    writers = [_start(folder / "app.log", code, number) for number, code in enumerate(KINDS[kind])]
    try:
        for _ in range(rotations):
            time.sleep(pause)
            rotate()
        counts = [_stop(writer) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    seen = _count(folder)
    expected = {(b"w%d" % writer, b"%09d" % number) for writer, count in enumerate(counts) for number in range(count)}
    return Soaked(sum(counts), sum(1 for line in expected if not seen[line]), sum(n - 1 for n in seen.values()))


def _start(path: Path, code: str, number: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _FRAME + code, str(path), f"w{number}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _stop(process: subprocess.Popen[str]) -> int:
    out, _ = process.communicate(timeout=300)
    return int(out)


def _count(folder: Path) -> Counter[tuple[bytes, bytes]]:
    """Count the lines in the order of time, the archives' first: a line may begin in one and end in the next."""
    seen: Counter[tuple[bytes, bytes]] = Counter()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            seen.update(_LINE.findall(gzip.decompress(content) if path.suffix == ".gz" else content))
    return seen
