"""Kills a rotation before each of its file operations in turn, and looks what the next run makes of it.

Run as a program, so that it may fork without threads of its own: ``python crash.py WAY CONTENT DEPTH FOLDER``
prints what was wrong, one line each, and the number of kills at the end.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tasks.core.settings.model import LogSettings, Settings
from tasks.logs.rotation import log_filesystem
from tasks.logs.rotation.log_rotation import rotate

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
WAYS = ("rename", "collapse", "blank", "truncate", "refused")
OPERATIONS = (
    *("open", "write", "pwrite", "fsync", "fdatasync", "ftruncate"),
    *("rename", "link", "unlink", "mkdir", "rmdir", "fchmod", "fchown", "chown", "utime"),
)
_WAITING = {"fsync", "fdatasync"}
_DONE, _FAILED = 0, 9


def kill_before(number: int) -> None:
    """Let this process be killed before its *number*-th file operation that changes something."""
    left = [number]

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return None if name in _WAITING else real(*arguments, **options)

        return operation

    for name in OPERATIONS:
        setattr(os, name, counted(name, getattr(os, name)))
    log_filesystem.collapse_range = counted("collapse", log_filesystem.collapse_range)


def refuse(log: int, length: int) -> None:
    """Stand in for a file system that does not release blocks."""
    raise OSError(errno.EOPNOTSUPP, f"Operation not supported ({log}, {length})")


def run(root: Path, strategy: str, number: int) -> int:
    """Rotate in a process that is killed before operation *number* (0: never); return how it ended."""
    pid = os.fork()
    if pid == 0:
        try:
            if strategy == "truncate":
                log_filesystem.collapse_available = lambda: False
            if strategy == "refused":
                log_filesystem.collapse_range = refuse
            kill_before(number)
            logs = LogSettings(allow_copytruncate=strategy == "truncate")
            settings = msgspec.structs.replace(Settings(root=str(root)), logs=logs)
            rotate(settings, now=NOW, force=strategy == "blank")
        except BaseException:  # noqa: BLE001 - a forked process must not go on
            traceback.print_exc()
            os._exit(_FAILED)
        os._exit(_DONE)
    _, status = os.waitpid(pid, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def lines_in(root: Path) -> Iterator[bytes]:
    """Yield every line in archives and logs that is no blank rest."""
    for path in sorted((root / "logs").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield from (line for line in (gzip.decompress(content) if path.suffix == ".gz" else content).split(b"\n"))


def problems_in(root: Path, expected: Counter[bytes]) -> list[str]:
    """Return what is not as it must be after the last run."""
    seen = Counter(line for line in lines_in(root) if line.strip(b" "))
    problems = []
    if seen != expected:
        problems.append(f"lost {(expected - seen).most_common(3)}, doubled {(seen - expected).most_common(3)}")
    archive = root / "logs" / "archive"
    leftovers = [path.name for path in archive.rglob("*") if path.is_file() and path.suffix != ".gz"]
    if leftovers:
        problems.append(f"left {leftovers}")
    if not (root / "logs" / "app.log").is_file():
        problems.append("the log is gone")
    return problems


def scenario(root: Path, strategy: str, content: str, kills: tuple[int, ...]) -> tuple[int, list[str]]:
    """Rotate with a kill in each run; return how the last of these runs ended, and what is wrong after one more."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "logs").mkdir(parents=True)
    number = 20 if strategy == "blank" else 300
    lines = [b"the same line over and over" if content == "equal" else b"line %d of many" % n for n in range(number)]
    if strategy == "collapse" and content == "crossing":
        lines.insert(250, b"x" * 9000)
    log = root / "logs" / "app.log"
    log.write_bytes(b"".join(line + b"\n" for line in lines))
    held = None if strategy == "rename" else os.open(log, os.O_WRONLY | os.O_APPEND)
    expected = Counter(lines)
    ended = _DONE
    try:
        for turn, kill in enumerate((*kills, 0)):
            ended_now = run(root, strategy, kill)
            if ended_now == _FAILED:
                return ended_now, ["a run failed"]
            if turn == len(kills) - 1:
                ended = ended_now
            if held is not None:
                os.write(held, b"written after %d\n" % turn)
                expected[b"written after %d" % turn] += 1
        return ended, problems_in(root, expected)
    finally:
        if held is not None:
            os.close(held)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(strategy: str, content: str, depth: int, folder: str) -> None:
    """Go through all kills of one run, or of two in a row."""
    root = Path(folder) / "project"
    total = 0
    first = _DONE - 1
    number = 0
    while first != _DONE:
        number += 1
        first, problems = scenario(root, strategy, content, (number,))
        total += 1
        for problem in problems:
            _say(f"killed before operation {number}: {problem}")
        second, again = first, 0
        while depth > 1 and _DONE not in {first, second}:
            again += 1
            second, problems = scenario(root, strategy, content, (number, again))
            total += 1
            for problem in problems:
                _say(f"killed before operations {number} and {again}: {problem}")
    _say(f"{total} runs")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
