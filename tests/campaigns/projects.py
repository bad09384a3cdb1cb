"""The project of a trial, with everything that a procedure may change beside it, and what must not be lost in it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import select
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOUR = 3600.0
LINES = 800
"""Lines in each log of a new project."""

KINDS = ("api_responses", "component_cache", "temp")
_ENTRIES = 8
_LINE = re.compile(rb"(idle|live) line (\d{6}) x{60}\n")
_NOT_LOGS = {".json", ".jsonl", ".md", ".key"}


@dataclass(frozen=True)
class Place:
    """A folder of a trial: the project, and a home, programs and a crontab of its own.

    Attributes:
        folder: where all of it lies.
    """

    folder: Path

    @property
    def project(self) -> Path:
        """The root of the project."""
        return self.folder / "project"

    @property
    def home(self) -> Path:
        """The home of the user."""
        return self.folder / "home"

    @property
    def programs(self) -> Path:
        """Stand-ins for programs that would change the machine."""
        return self.folder / "programs"

    @property
    def crontab(self) -> Path:
        """The table that the stand-in for ``crontab`` keeps."""
        return self.folder / "crontab"

    @property
    def suite(self) -> Path:
        """A copy of the folder from which ``inv`` is started."""
        return self.folder / "suite"

    def remember(self, name: str, value: Any) -> None:
        """Keep what a later check of a copy of this place needs; *value* can be written as JSON."""
        (self.folder / f"{name}.remembered").write_text(json.dumps(value))

    def remembered(self, name: str) -> Any:
        """Return what was kept; ``None`` where nothing was."""
        path = self.folder / f"{name}.remembered"
        return json.loads(path.read_text()) if path.exists() else None


def put(path: Path, content: str | bytes, *, hours: float = 0.0, mode: int = 0o644) -> None:
    """Write a file that was last changed *hours* ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    changed = time.time() - hours * HOUR
    os.utime(path, (changed, changed))


def build(place: Place) -> None:
    """Make a small project with everything that procedures read: data, configuration, logs, a cache, a record."""
    project = place.project
    materials = "".join(f"  M{number}: {{density: {number}}}\n" for number in range(50))
    put(project / "data/Materials.yaml", f"materials:\n  A: {{density: 1, melting_point: 2}}\n{materials}")
    put(project / "data/Categories.yaml", "categories:\n  a: {}\n")
    put(project / "data/deep/numbers.json", '{"numbers": [1, 2]}', mode=0o640)
    put(project / "data/private.yaml", "name: value\n", mode=0o600)
    put(project / "config/settings.py", "RETRIES = 1\nLIMITS = {'words': 2}\n")
    put(project / "components/text/config.yaml", "name: text\n")
    put(project / "requirements.txt", "demo-widget==1.0  # keep this comment\n")
    put(project / "run.py", "def main() -> None: ...\n")
    put(project / "README.md", "# A project\n")
    for log in ("idle", "live"):
        put(project / f"logs/{log}.log", "".join(line(log, number) for number in range(LINES)))
    put(project / "logs/archive/2020/01/idle_20200101.log.gz", gzip.compress(b"long ago\n"))
    _put_records(project)
    for kind in KINDS:
        for number in range(_ENTRIES):
            put(project / f"cache/{kind}/{number}.json", '{"a": 1}', hours=200 if number % 2 else 0.1)
    put(project / "cache/api_loose.json", "{}", hours=1)
    put(project / "cache/stats.json", json.dumps({"hit_rate": 0.5, "mine": [1, 2, 3]}))
    place.home.mkdir()


def _put_records(project: Path) -> None:
    now = time.time()
    moments = [time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - day * 24 * HOUR)) for day in range(1, 21)]
    generations = [{"timestamp": each, "component": "text", "duration": 3.0, "success": True} for each in moments]
    put(project / "logs/performance.json", json.dumps(generations))
    answers = {"stand-in": {"avg_response_time": 0.2, "success_rate": 1.0, "model": "stand-in"}}
    times = [
        {"timestamp": each, "source": "daily.health-check", "providers": answers, **answers["stand-in"]}
        for each in moments
    ]
    put(project / "logs/api_performance.json", json.dumps(times))
    run = {"task": "weekly.api-health", "status": "ok", "duration_seconds": 1.0, "results": {}, "figures": []}
    history = [{"kind": "run", "began": each, "ended": each, **run} for each in moments]
    put(project / "logs/maintenance_history.jsonl", "".join(f"{json.dumps(each)}\n" for each in history))


def line(log: str, number: int) -> str:
    """Return one line of a log, which tells its log and its number."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - 2 * HOUR))
    level = "ERROR" if number % 400 == 3 else "INFO"
    return f"{moment},000 - api.{log} - {level} - {log} line {number:06d} {'x' * 60}\n"


def fresh_entries(project: Path) -> list[Path]:
    """Return the entries of the cache that have not expired."""
    return [project / f"cache/{kind}/{number}.json" for kind in KINDS for number in range(0, _ENTRIES, 2)]


def expired_entries(project: Path) -> list[Path]:
    """Return the entries of the cache that have expired."""
    return [project / f"cache/{kind}/{number}.json" for kind in KINDS for number in range(1, _ENTRIES, 2)]


def state(project: Path) -> dict[str, tuple[Any, ...]]:
    """Return type, mode, owner, time and content of each file, type, mode and owner of each folder, by its path."""
    found: dict[str, tuple[Any, ...]] = {}
    for folder, folders, files in os.walk(project):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            owned: tuple[Any, ...] = (status.st_mode, status.st_uid, status.st_gid)
            if stat.S_ISREG(status.st_mode):
                owned += (status.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            elif stat.S_ISLNK(status.st_mode):
                owned += (str(path.readlink()),)
            found[str(path.relative_to(project))] = owned
    return found


def line_problems(project: Path, lines: dict[str, int], *, at_rest: bool) -> Iterator[str]:
    """Yield what is wrong with the lines of the logs, which are in a log or in an archive.

    Args:
        project: the root.
        lines: how many lines each log has had.
        at_rest: a line is there once. Before that, until an interrupted rotation is finished, it may be there twice.
    """
    seen: dict[str, Counter[int]] = {log: Counter() for log in lines}
    for path in (project / "logs").rglob("*"):
        if not path.is_file() or path.suffix in _NOT_LOGS:
            continue
        content = path.read_bytes()
        if path.suffix == ".gz":
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError) as error:
                yield f"the archive {path.name} cannot be read: {error}"
                continue
        for log, number in _LINE.findall(content):
            if log.decode() in seen:
                seen[log.decode()][int(number)] += 1
    for log, total in lines.items():
        if lost := [number for number in range(total) if number not in seen[log]]:
            yield f"{len(lost)} lines of {log}.log are lost, the first is {lost[0]}"
        doubled = [number for number, times in seen[log].items() if times > 1]
        if at_rest and doubled:
            yield f"{len(doubled)} lines of {log}.log are doubled, the first is {doubled[0]}"


class Writer:
    """A program that holds ``live.log`` open for appending and goes on writing.

    Attributes:
        lines: how many lines it has written, with those that were there; known when it has ended.
    """

    lines = LINES


@contextmanager
def writing(project: Path) -> Iterator[Writer]:
    """Let a program write until the block ends."""
    writer = Writer()
    command = [sys.executable, __file__, str(project / "logs/live.log"), line("live", 0)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        try:
            yield writer
        finally:
            written, _ = process.communicate()
            writer.lines = int(written)


def _write(path: str, pattern: str) -> None:
    """Write a line every few milliseconds until standard input ends; print how many there are then."""
    number = LINES
    with Path(path).open("a", buffering=1) as log:
        print("writing", flush=True)  # noqa: T201 - what the other side waits for
        while not select.select([sys.stdin], [], [], 0.004)[0]:
            log.write(pattern.replace("line 000000", f"line {number:06d}"))
            number += 1
    print(number)  # noqa: T201 - the same


if __name__ == "__main__":
    _write(*sys.argv[1:])
