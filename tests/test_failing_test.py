"""A test that fails ends the processes that it started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

TESTS = """
import subprocess, sys
from pathlib import Path

def test_fails(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path({seen!r}).write_text(str(process.pid))
    assert False

def test_comes_after():
    import psutil
    pid = int(Path({seen!r}).read_text())
    Path({seen!r} + ".after").write_text(str(psutil.pid_exists(pid)))
"""


@pytest.mark.slow
def test_what_a_failed_test_left_running_is_ended_before_the_next(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "test_it.py").write_text(TESTS.format(seen=str(seen)))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
    ]
    done = subprocess.run([*command, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert Path(f"{seen}.after").read_text() == "False"
    assert not psutil.pid_exists(int(seen.read_text()))
