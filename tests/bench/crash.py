"""Kills rotations before each of their file operations in turn, and looks for every line after the next run.

``python -m tests.bench.crash FOLDER ours DEPTH`` from the top of the repository kills ours, with DEPTH 2 the run
after it as well, in every way of rotating; ``… FOLDER logrotate STRACE LOGROTATE`` kills logrotate's copytruncate
with compression, once. FOLDER is empty before. Standard output gets one JSON object: how many times something was
killed, and after how many of these a line was lost or doubled or a temporary file left.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from .suite import REPOSITORY

_PROGRAM = REPOSITORY / "tests" / "logs" / "rotation" / "crash.py"
_WAYS = ("rename", "collapse", "blank", "truncate", "refused")
_CONTENTS = ("distinct", "equal", "crossing")

_CALLS = ("openat", "write", "copy_file_range", "sendfile", "ftruncate", "rename", "unlink", "fsync")
"""What logrotate and its gzip change files with on Linux."""

_MOST = 60
"""Calls of one kind that are tried at most."""

_CONFIGURATION = """\
"{log}" {{
    copytruncate
    compress
    rotate 100000
    dateext
    dateformat -%s
}}
"""


def _ours(folder: Path, depth: str) -> tuple[int, int]:
    def killed(way: str, content: str) -> tuple[int, int]:
        place = folder / f"{way}-{content}"
        place.mkdir()
        command = (sys.executable, _PROGRAM, way, content, depth, place)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        *wrong, last = done.stdout.splitlines()
        shutil.rmtree(place)
        return int(last.split()[0]), len(wrong)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = [*pool.map(lambda each: killed(*each), product(_WAYS, _CONTENTS))]
    return sum(kills for kills, _ in answers), sum(wrong for _, wrong in answers)


def _logrotate(folder: Path, strace: str, logrotate: str) -> tuple[int, int]:
    kills = wrong = 0
    for call in _CALLS:
        for number in range(1, _MOST):
            place = folder / f"{call}-{number}"
            inject = f"--inject={call}:signal=SIGKILL:when={number}"
            tracing = (strace, "-f", "-qq", "-o", os.devnull, f"--trace={call}", inject)
            command = _prepare(place, logrotate)
            if subprocess.run((*tracing, *command), capture_output=True, check=False).returncode == 0:
                break
            kills += 1
            log = place / "app.log"
            with log.open("a") as file:
                file.write("written after\n")
            subprocess.run(command, capture_output=True, check=False)
            expected = Counter([*_lines(), b"written after\n"])
            wrong += Counter(_found(place)) != expected
            shutil.rmtree(place)
    return kills, wrong


def _prepare(place: Path, logrotate: str) -> tuple[str | Path, ...]:
    """Make a log and logrotate's configuration for it, and return the command that rotates it."""
    place.mkdir(mode=0o755)
    log = place / "app.log"
    log.write_bytes(b"".join(_lines()))
    configuration = place / "logrotate.conf"
    configuration.write_text(_CONFIGURATION.format(log=log), encoding="utf-8")
    configuration.chmod(0o644)  # it refuses what others may write
    return (logrotate, "--force", "--state", place / "state", configuration)


def _lines() -> Iterator[bytes]:
    yield from (b"line %d of many\n" % number for number in range(300))


def _found(place: Path) -> Iterator[bytes]:
    for path in place.glob("app.log*"):
        try:
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError):  # half an archive: what it holds must be elsewhere
            continue
        yield from content.splitlines(keepends=True)


def main(folder: Path, tool: str, *rest: str) -> int:
    """Kill, print what came of it, and return the exit status."""
    kills, wrong = _ours(folder, *rest) if tool == "ours" else _logrotate(folder, *rest)
    print(json.dumps({"kills": kills, "wrong": wrong}))  # noqa: T201 - a command that prints
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
