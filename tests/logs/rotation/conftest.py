"""A small project with logs to rotate, and programs that write to them."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from tasks.core.report.model import Finding, Report
from tasks.core.settings.model import LogSettings, Settings
from tasks.logs.rotation import log_filesystem
from tasks.logs.rotation.log_filesystem import COLLAPSING_TYPES, collapse_available, filesystem_type
from tasks.logs.rotation.log_rotation import rotate
from tasks.logs.rotation.log_writers import WriterWatch
from tasks.logs.rotation.rotation_steps import RotationContext

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
MONTH = "logs/archive/2025/06"

_HOLD = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | int(sys.argv[2]))
print("ready", flush=True)
for line in sys.stdin:
    os.write(file, line.encode())
    print("done", flush=True)
"""


class Project:
    """A project below *root* whose logs are rotated at :data:`NOW`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.logs.mkdir()
        self.settings = Settings(root=str(root))

    def set_logs(self, **values: Any) -> None:
        """Give settings of the logs other values."""
        logs: LogSettings = msgspec.structs.replace(self.settings.logs, **values)
        self.settings = msgspec.structs.replace(self.settings, logs=logs)

    def log(self, name: str = "app.log", content: bytes = b"one\ntwo\n") -> Path:
        """Write a log."""
        path = self.logs / name
        path.write_bytes(content)
        return path

    def run(
        self,
        *,
        dry_run: bool = False,
        force: bool = False,
        older_than_days: int | None = None,
        advance: Callable[[int], None] = lambda _count: None,
        now: datetime = NOW,
    ) -> Report:
        """Rotate the logs."""
        return rotate(
            self.settings, now=now, dry_run=dry_run, force=force, older_than_days=older_than_days, advance=advance
        )

    def archive(self, name: str) -> Path:
        """Return the path of an archive of this month."""
        return self.root / MONTH / name

    def archived(self, name: str) -> bytes:
        """Return what an archive of this month holds."""
        return gzip.decompress(self.archive(name).read_bytes())

    def names(self) -> list[str]:
        """Return the paths of all files below the log folder."""
        return sorted(str(path.relative_to(self.logs)) for path in self.logs.rglob("*") if not path.is_dir())

    @contextmanager
    def context(self) -> Iterator[RotationContext]:
        """Give what all logs of a run share."""
        logs = os.open(self.logs, os.O_RDONLY)
        try:
            with ThreadPoolExecutor(2) as pool:
                watch = WriterWatch(os.fstat(logs).st_dev)
                yield RotationContext(self.root, "logs", logs, NOW, watch, pool, Event())
        finally:
            os.close(logs)


class Writer:
    """Another process that has a file open for writing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._process = process

    def write(self, line: str) -> None:
        """Let it write one line, and wait until it has."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def writer(path: Path, flags: int = os.O_APPEND) -> Iterator[Writer]:
    """Let another process have *path* open for writing, in append mode unless *flags* says otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", _HOLD, str(path), str(flags)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield Writer(process)
        finally:
            process.kill()


def found(report: Report, check: str, subject: str | None = None) -> Finding:
    """Return the one finding of *check* (about *subject*)."""
    (finding,) = every(report, check, subject)
    return finding


def every(report: Report, check: str, subject: str | None = None) -> list[Finding]:
    """Return all findings of *check* (about *subject*)."""
    return [one for one in report.findings if one.check == check and subject in {None, one.subject}]


def can_collapse(path: Path) -> bool:
    """Tell whether the start of a file in *path* can be released."""
    return collapse_available() and filesystem_type(path.stat().st_dev) in COLLAPSING_TYPES


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def collapsing(project: Project) -> Project:
    """A project on a file system that can release the start of a file."""
    if not can_collapse(project.root):
        pytest.skip("the file system under the temporary folder is neither ext4 nor XFS")
    return project


@pytest.fixture
def copying(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose logs in use can only be copied and truncated, and may be."""
    monkeypatch.setattr(log_filesystem, "collapse_available", lambda: False)
    project.set_logs(allow_copytruncate=True)
    return project
