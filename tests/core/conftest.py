"""What the tests of the core share: a project, a terminal that remembers, and child processes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tasks
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.sources import Level, Sources


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("INVOKE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return an empty project."""
    root = tmp_path.resolve() / "project"
    root.mkdir()
    return root


@pytest.fixture
def loaded(project: Path) -> Loaded:
    """Return the default settings for the project."""
    return load(Sources([Level("file test", {"root": str(project)})], {}, [], project))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return a stream that says it is a terminal with colours and remembers what it was told."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    return _Terminal()


@pytest.fixture
def _deadline() -> Iterator[None]:
    """Turn a call that hangs into a failure after five seconds."""

    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 5)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts Python with a text of code and arguments; what is left of it ends with the test."""
    processes: list[subprocess.Popen[str]] = []
    places = [str(Path(tasks.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
