"""Child processes in a project's tree that hold files open or keep a processor busy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import tasks

Start = Callable[..., subprocess.Popen[str]]

WAIT = "print('ready', flush=True); sys.stdin.readline()"
BURN = "print('ready', flush=True)\nwhile True: pass"
HOLD = "held = [open(sys.executable, 'rb') for _ in range(int(sys.argv[1]))]"
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)"


@contextmanager
def _child(code: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-I", "-c", f"import sys\n{code}", *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def environment() -> dict[str, str]:
    """Return the environment of another process that imports the suite from here."""
    paths = [str(Path(tasks.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that runs Python code in a folder, waits until it is ready and ends it after the test."""
    with ExitStack() as stack:
        yield lambda code, folder, *arguments: stack.enter_context(_child(code, folder, *arguments))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of an empty project."""
    folder = tmp_path.resolve() / "project"
    folder.mkdir()
    return folder
