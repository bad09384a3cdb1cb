from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

import tasks
from tasks.core.report.model import Status
from tasks.logs.rotation.log_rotation import rotate

from .test_error_monitor import DAY, HOUR, NOW, Project, at, found, line, reported, seen

_APPEND = """
import os, sys
print("ready", flush=True)
file = None
for text in sys.stdin:
    verb, _, rest = text.rstrip("\\n").partition(" ")
    if file is not None and verb != "write":
        os.close(file)
        file = None
    if verb == "open":
        file = os.open(rest, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    elif verb == "write":
        os.write(file, rest.encode("utf-8").decode("unicode_escape").encode("utf-8"))
    print("done", flush=True)
"""


@contextmanager
def child(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python *code* in another process until the end of the block; wait for its first line."""
    paths = [str(Path(tasks.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


class Writer:
    """Another process that can have one file open for appending."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.path: Path | None = None

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def open(self, path: Path) -> None:
        """Open a file."""
        self._tell(f"open {path}")
        self.path = path

    def write(self, text: str) -> None:
        """Append to it."""
        self._tell("write " + text.encode("unicode_escape").decode("ascii"))

    def close(self) -> None:
        """Close it."""
        self._tell("close")
        self.path = None


@contextmanager
def writer() -> Iterator[Writer]:
    """Start the other process."""
    with child(_APPEND) as process:
        yield Writer(process)


def rotated(project: Project, hours: float = 0, *, force: bool = True) -> None:
    """Archive the logs, so many hours after :data:`NOW`."""
    rotate(project.settings, now=NOW + timedelta(hours=hours), force=force)


def lines(word: str, number: int, *, ago: float = 60, width: int = 0) -> list[str]:
    return [line(f"{word} {'x' * width}", ago) for _ in range(number)]


# The rotation of the suite


def test_what_was_read_before_a_rotation_is_not_read_again(project: Project) -> None:
    project.log(*lines("alpha", 5))
    assert seen(project.watch()) == (5, 5)
    rotated(project)
    assert seen(project.watch()) == (5, 0)
    project.log(*lines("alpha", 2))
    assert seen(project.watch()) == (7, 2)
    assert project.counted() == 7


def test_what_was_written_before_a_rotation_and_not_read_is_read_in_the_archive(project: Project) -> None:
    project.log(*lines("alpha", 5))
    project.watch()
    project.log(*lines("bravo", 3))
    rotated(project)
    project.log(*lines("charlie", 2))
    rotated(project)
    project.log(*lines("delta", 1))
    assert seen(project.watch()) == (11, 6)
    assert {title: group["count"] for title, group in project.kept().items()} == {
        "alpha": 5,
        "bravo": 3,
        "charlie": 2,
        "delta": 1,
    }
    assert seen(project.watch()) == (11, 0)


def test_a_log_that_a_process_keeps_open_is_counted_once(project: Project) -> None:
    path = project.logs / "app.log"
    with writer() as other:
        other.open(path)
        other.write("".join(f"{one}\n" for one in lines("alpha", 400, width=100)))
        assert seen(project.watch()) == (400, 400)
        other.write("".join(f"{one}\n" for one in lines("bravo", 300, width=100)))
        rotated(project, force=False)
        other.write("".join(f"{one}\n" for one in lines("charlie", 200, width=100)))
        rotated(project, force=False)
        other.write(f"{lines('delta', 1)[0]}\n")
        assert seen(project.watch()) == (901, 501)
        assert seen(project.watch()) == (901, 0)
    assert project.counted() == 901
    assert len(list(project.logs.glob("archive/*/*/*.gz"))) == 2


def test_a_rotation_that_parts_a_record_from_its_traceback_raises_no_alarm(project: Project) -> None:
    path = project.logs / "app.log"
    trace = 'Traceback (most recent call last):\n  File "/srv/a.py", line 2, in run\nOSError\n'
    broken = f"{line('broken ' + 'y' * 3000)}\n{trace}"
    with writer() as other:
        other.open(path)
        other.write(broken * 2)
        assert list(reported(project.watch()).values()) == ["new"]
        rotated(project, force=False)
        if not list(project.logs.glob("archive/*/*/*.gz")):
            pytest.skip("the file system under the temporary folder is neither ext4 nor XFS")
        report = project.watch()
        assert reported(report) == {}
        assert seen(report) == (2, 0)
    assert project.counted() == 2
    assert len(project.alerts()) == 1


def test_a_log_that_is_truncated_after_a_rotation_is_counted_once(project: Project) -> None:
    path = project.logs / "app.log"
    with writer() as other:
        other.open(path)
        other.write("".join(f"{one}\n" for one in lines("alpha", 100, width=100)))
        project.watch()
        rotated(project, force=False)
        os.truncate(path, 0)
        assert seen(project.watch())[1] == 0
    assert project.counted() == 100


def test_a_log_that_was_rotated_before_the_first_visit_counts_with_its_archive(project: Project) -> None:
    project.log(line("alpha", 30 * DAY), *lines("bravo", 2))
    rotated(project)
    project.log(*lines("charlie", 3))
    assert seen(project.watch()) == (5, 5)


def test_an_archive_older_than_the_window_is_not_read(project: Project) -> None:
    project.log(*lines("alpha", 2), ago=3 * DAY)
    rotated(project)
    project.log(*lines("charlie", 3))
    assert seen(project.watch()) == (3, 3)


# What others do


def test_a_log_that_its_program_renamed_is_read_to_its_end(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    project.log(*lines("bravo", 2))
    path.rename(project.logs / "app.log.1")
    project.log(*lines("charlie", 1))
    assert seen(project.watch())[1] == 3
    assert {title: group["count"] for title, group in project.kept().items()} == {"alpha": 3, "bravo": 2, "charlie": 1}
    (project.logs / "app.log.1").rename(project.logs / "app.log.2")
    path.rename(project.logs / "app.log.1")
    project.log(*lines("delta", 1))
    assert seen(project.watch())[1] == 1
    assert project.counted() == 7


def test_a_log_that_its_program_renamed_to_another_log_is_counted_once(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    project.log(*lines("bravo", 2))
    path.rename(project.logs / "app.2025-06-02.log")
    project.log(*lines("charlie", 1))
    assert seen(project.watch()) == (6, 3)
    assert project.counted() == 6
    assert seen(project.watch()) == (6, 0)


def test_logs_that_move_up_one_number_each_are_counted_once(project: Project) -> None:
    project.set_logs(pattern="*.log*")
    project.log(*lines("alpha", 3))
    project.watch()
    for number, word in enumerate(("bravo", "charlie", "delta"), 1):
        project.log(*lines(word, 2))
        for old in range(number - 1, 0, -1):
            (project.logs / f"app.log.{old}").rename(project.logs / f"app.log.{old + 1}")
        (project.logs / "app.log").rename(project.logs / "app.log.1")
        project.log(*lines(f"{word}s", 1))
        assert seen(project.watch())[1] == 3
    assert project.counted() == 12


def test_another_log_in_the_place_of_a_file_is_another_log(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    path.write_text("")
    project.log(line("old", 2 * DAY), *lines("bravo", 4))
    path.rename(project.logs / "other.log")
    assert seen(project.watch()) == (4, 4)
    assert project.counted() == 7


def test_a_log_that_got_the_name_of_another_keeps_the_archives_of_that_name(project: Project) -> None:
    project.log(*lines("alpha", 2), name="app.1.log")
    rotated(project)
    path = project.log(*lines("bravo", 3))
    assert seen(project.watch()) == (5, 5)
    path.rename(project.logs / "app.1.log")
    project.log(*lines("charlie", 1))
    assert seen(project.watch()) == (6, 1)


def test_a_log_that_was_renamed_while_the_new_one_is_not_there_yet(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    project.log(*lines("bravo", 2))
    path.rename(project.logs / "app.log.1")
    assert seen(project.watch())[1] == 2
    project.log(*lines("charlie", 1))
    assert seen(project.watch())[1] == 1
    assert project.counted() == 6


def test_a_truncated_log_is_read_from_its_start(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    os.truncate(path, 0)
    project.log(*lines("bravo", 2))
    assert seen(project.watch())[1] == 2
    os.truncate(path, 0)
    project.log(*lines("charlie", 9))
    assert seen(project.watch())[1] == 9
    assert project.counted() == 14


def test_a_log_that_was_copied_and_truncated_elsewhere_is_counted_once(project: Project, tmp_path: Path) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    shutil.copy(path, tmp_path / "copy")
    os.truncate(path, 0)
    project.watch()
    project.log(*lines("alpha", 3))
    project.watch()
    assert project.counted() == 6


def test_a_log_that_is_gone_is_no_trouble(project: Project) -> None:
    path = project.log(*lines("alpha", 3))
    project.watch()
    path.unlink()
    assert project.watch().status is Status.SKIPPED
    project.log(*lines("alpha", 1))
    assert seen(project.watch())[1] == 1


def test_the_places_of_logs_that_are_gone_for_good_are_forgotten(project: Project) -> None:
    import json

    for number in range(20):
        project.log(*lines("alpha", 1), name=f"run-{number}.log").unlink()
        project.log(*lines("alpha", 1), name=f"run-{number}.log")
        project.watch()
        (project.logs / f"run-{number}.log").unlink()
    project.watch()
    assert json.loads(project.tracking.read_text())["logs"] == {}


@pytest.mark.parametrize("rename", [True, False])
def test_a_state_lives_on_over_a_rotation(project: Project, rename: bool) -> None:  # noqa: FBT001 - a parameter
    project.log(line("alpha"))
    project.watch()
    if rename:
        (project.logs / "app.log").rename(project.logs / "app.log.1")
    else:
        rotated(project)
    project.log(line("alpha", -HOUR + 1))
    report = project.watch(hours=1)
    assert reported(report) == {}
    assert found(report, "errors.ongoing").value == 1
    assert project.kept()["alpha"]["last_seen"] == at(-HOUR + 1).replace(".000", "")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
