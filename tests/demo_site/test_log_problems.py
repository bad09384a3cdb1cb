from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.core.report.model import Status
from tasks.core.settings.model import Settings
from tasks.demo_site import demo_project, log_problems
from tasks.demo_site.log_problems import WrittenLines, evaluate_lines, live_writer
from tasks.logs.rotation.log_rotation import rotate

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_the_planted_log_is_over_the_limit_and_measured(logs: Path) -> None:
    (logs / demo_project.LOG).touch()
    problems = {problem.name: problem for problem in log_problems.plant(logs, NOW)}
    size = problems["a log over the limit"].value
    assert size == (logs / "logs/generator.log").stat().st_size > Settings().logs.rotate_over_mb * 1e6
    assert "sk-demo" in (logs / demo_project.LOG).read_text()


def test_the_writer_of_a_demo_that_was_killed_ends_in_silence(logs: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-c", log_problems._PROGRAM, str(logs / "logs/worker.log")]
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_no_line_is_lost_while_logs_are_rotated(logs: Path) -> None:
    with live_writer(logs) as written:
        for _ in range(3):
            rotate(Settings(root=str(logs)), now=NOW)
    assert written.lines >= 400
    finding = evaluate_lines(logs, written)
    assert (finding.status, finding.value) == (Status.OK, 0)


@pytest.mark.parametrize(
    ("archived", "live", "message"),
    [
        ([0], [2], "1 line lost, 0 double."),
        ([0, 1], [1, 2], "0 lines lost, 1 double."),
        ([0, 1, 2], [], "Each of its 3 lines is there once, in 1 archive and its log."),
    ],
)
def test_lost_and_double_lines_are_told(logs: Path, archived: list[int], live: list[int], message: str) -> None:
    def lines(numbers: list[int]) -> bytes:
        return "".join(
            demo_project.log_line(NOW, "worker", "INFO", f"line {number:06d}") for number in numbers
        ).encode()

    (logs / "logs/archive").mkdir()
    (logs / "logs/archive/worker_1.gz").write_bytes(gzip.compress(lines(archived)))
    (logs / "logs/worker.log").write_bytes(lines(live))
    finding = evaluate_lines(logs, WrittenLines(3))
    assert finding.message == message
    assert finding.status is (Status.OK if message.startswith("Each") else Status.CRITICAL)


def test_the_live_writer_ends_when_the_suite_fails(logs: Path) -> None:
    with pytest.raises(RuntimeError), live_writer(logs) as written:
        raise RuntimeError
    assert written.lines >= 400
