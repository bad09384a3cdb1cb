"""Rotates a log again and again while another process writes to it, and looks for every line afterwards.

``python -m tests.bench.soak ROTATIONS FOLDER TOOL…`` from the top of the repository, where TOOL is ``ours``, or
``logrotate`` and the program's path. FOLDER is empty before. Standard output gets one JSON object: lines written,
lost and doubled, archives made.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .suite import inv

_EVERY = 0.5
"""Seconds from one rotation's start to the next's, unless it takes longer."""

_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - soak - INFO - line (\d{9})\n")

_WRITER = """
import itertools, logging, sys, threading
shape = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
logging.basicConfig(handlers=[logging.FileHandler(sys.argv[1])], level=logging.INFO, format=shape)
log, stop = logging.getLogger("soak"), threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
for number in itertools.count():
    if stop.is_set():
        break
    log.info("line %09d", number)
    if number == 0:
        print("ready", flush=True)
print(number, flush=True)
"""
"""Writes as fast as it can, and ends when its input is closed, which happens however we end."""

_LOGROTATE = """\
"{log}" {{
    copytruncate
    rotate 100000
    nocompress
}}
"""


class Failed(Exception):
    """A rotation ended with a status other than 0."""


class Written:
    """How many lines the writer wrote; known when it has ended."""

    lines = 0


@contextmanager
def _writer(log: Path) -> Iterator[Written]:
    """Let another process write numbered lines to *log* all the while."""
    written = Written()
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield written
        finally:
            written.lines = int(process.communicate()[0])


def _rotate_with_ours(folder: Path) -> None:
    command = inv("weekly.log-rotation", root=folder, settings={"INVOKE_MAINTENANCE_FAIL_ON": "never"})
    _run(command.arguments, command.folder, dict(command.environment))


def _rotate_with_logrotate(folder: Path, program: str) -> None:
    configuration = folder / "logrotate.conf"
    if not configuration.exists():
        configuration.write_text(_LOGROTATE.format(log=_log(folder)), encoding="utf-8")
        configuration.chmod(0o644)  # it refuses what others may write
    _run((program, "--force", "--state", folder / "logrotate.state", configuration), folder, {})


def _run(arguments: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        arguments, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"a rotation ended with status {done.returncode}: {done.stderr}{done.stdout}")


def _log(folder: Path) -> Path:
    return folder / "logs" / "soak.log"


def _count(files: Iterable[Path], written: int) -> tuple[int, int]:
    """Return how many of the lines are in none of the files, and how many are there once more than once."""
    seen = bytearray(written)
    doubled = 0
    for path in files:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                match = _LINE.fullmatch(line)
                if match and int(match[1]) < written:
                    doubled += seen[int(match[1])]
                    seen[int(match[1])] = 1
    return seen.count(0), doubled


def main(rotations: int, folder: Path, tool: str, program: str = "") -> int:
    """Soak, print what came of it, and return the exit status."""
    log = _log(folder)
    log.parent.mkdir(mode=0o755)
    rotate: Callable[[], None] = (
        (lambda: _rotate_with_ours(folder)) if tool == "ours" else (lambda: _rotate_with_logrotate(folder, program))
    )
    try:
        with _writer(log) as written:
            began = time.monotonic()
            for number in range(1, rotations + 1):
                time.sleep(max(began + number * _EVERY - time.monotonic(), 0))
                rotate()
    except Failed as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command that prints
        return 1
    archives = [path for path in log.parent.rglob(f"{log.stem}*") if path != log]
    lost, doubled = _count([*archives, log], written.lines)
    result = {"written": written.lines, "lost": lost, "doubled": doubled, "archives": len(archives)}
    print(json.dumps(result))  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
