"""A small project to clean, and a look at a whole tree that tells whether anything in it has changed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import pytest

import tasks
from tasks.cache.cleanup import clean_up
from tasks.core.report.model import Action, Finding, Report
from tasks.core.settings.model import CacheSettings, Settings

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
"""A moment that lies behind every clock, so that what a run touches is never old to the next one."""

NOW_NS = int(NOW.timestamp()) * 10**9
HOUR_NS = 3_600_000_000_000


class Seen(NamedTuple):
    """What there is to see of one entry without following a link."""

    mode: int
    mtime_ns: int
    size: int
    content: bytes
    inode: int
    links: int


def look(folder: Path | str, prefix: str = "") -> dict[str, Seen]:
    """Return every entry below *folder*, by its path below it."""
    found: dict[str, Seen] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            content, size = b"", status.st_size
            if stat.S_ISLNK(status.st_mode):
                content = os.fsencode(os.readlink(entry.path))  # noqa: PTH115 - as it is, whatever its text
            elif stat.S_ISREG(status.st_mode):
                with open(entry.path, "rb") as file:  # noqa: PTH123 - the name may be no text
                    content = file.read()
            elif stat.S_ISDIR(status.st_mode):
                size = 0
                found |= look(entry.path, f"{prefix}{entry.name}/")
            found[prefix + entry.name] = Seen(
                status.st_mode, status.st_mtime_ns, size, content, status.st_ino, status.st_nlink
            )
    return found


class Project:
    """A project below *root* whose cache is cleaned at :data:`NOW`."""

    now = NOW
    now_ns = NOW_NS
    hour_ns = HOUR_NS

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(root=str(root))

    def set_cache(self, **values: Any) -> None:
        """Give settings of the cache other values."""
        cache: CacheSettings = msgspec.structs.replace(self.settings.cache, **values)
        self.settings = msgspec.structs.replace(self.settings, cache=cache)

    def path(self, name: str) -> Path:
        """Return the path of *name* in the cache."""
        return self.root / "cache" / name

    def folder(self, name: str) -> Path:
        """Make the folder *name* in the cache."""
        path = self.path(name)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def entry(self, name: str, hours: float = 0, *, content: bytes = b"content", extra_ns: int = 0) -> Path:
        """Write the file *name* in the cache, *hours* and *extra_ns* nanoseconds old."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.age(path, hours, extra_ns)
        return path

    def age(self, path: Path, hours: float, extra_ns: int = 0) -> None:
        """Date *path* so many hours and nanoseconds before now."""
        moment = NOW_NS - round(hours * HOUR_NS) - extra_ns
        os.utime(path, ns=(moment, moment), follow_symlinks=False)

    def run(
        self,
        *,
        dry_run: bool = False,
        kinds: tuple[str, ...] = (),
        older_than: float | None = None,
        advance: Callable[[int], None] = lambda _count: None,
        now: datetime = NOW,
    ) -> Report:
        """Clean the cache."""
        return clean_up(self.settings, now=now, dry_run=dry_run, kinds=kinds, older_than=older_than, advance=advance)

    def look(self) -> dict[str, Seen]:
        """Return every entry of the project."""
        return look(self.root)

    @property
    def report_file(self) -> Path:
        """The weekly report of the day."""
        return self.root / "logs/cache_reports/cache_report_20250602.json"


def found(report: Report, check: str, subject: str | None = None) -> Finding:
    """Return the one finding of *check* (about *subject*)."""
    (finding,) = every(report, check, subject)
    return finding


def every(report: Report, check: str, subject: str | None = None) -> list[Finding]:
    """Return all findings of *check* (about *subject*)."""
    return [one for one in report.findings if one.check == check and subject in {None, one.subject}]


def done(report: Report, verb: str) -> dict[str, tuple[int, int]]:
    """Return count and bytes of each action of *verb*, by its target."""
    return {one.target: (one.count, one.bytes) for one in report.actions if one.verb == verb}


def planned(report: Report) -> list[Action]:
    """Return the actions as if none had been done."""
    return [msgspec.structs.replace(action, done=False) for action in report.actions]


def environment() -> dict[str, str]:
    """Return the environment of another process that imports the suite from here."""
    paths = [str(Path(tasks.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@contextmanager
def child(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python *code* in another process until the end of the block; wait for its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here, and waiting until all is on the disk takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class Scanned:
    """Stands in for the result of ``os.scandir`` and lets something else happen at some of its entries."""

    def __init__(self, entries: Iterator[Any], change: Callable[[Any], Any]) -> None:
        self._entries, self._change = entries, change

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._entries.close()  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:
        return map(self._change, self._entries)


class Unseen:
    """An entry whose status the system does not tell."""

    def __init__(self, name: str, error: OSError) -> None:
        self.name, self._error = name, error

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        assert not follow_symlinks
        raise self._error


def scan_with(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Let every scan of a folder give something else for some of its entries."""
    real = os.scandir
    patch.setattr(os, "scandir", lambda folder: Scanned(real(folder), change))
