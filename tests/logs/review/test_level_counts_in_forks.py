from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tasks.core.programs.forks import in_forks, processors
from tasks.logs.reading.log_levels import Level, level_finder
from tasks.logs.review import level_counts
from tasks.logs.review.level_counts import CountContext, LevelCounts, count_log


@pytest.fixture(autouse=True)
def _forks_beside_the_threads_of_the_tests() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def counted(root: Path) -> LevelCounts:
    return count_log(
        CountContext(root, level_finder(), Level.WARNING, 3, None, lambda _number: None, Event()), "logs/app.log"
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    lines = [
        f"2025-06-02 11:{number // 60 % 60:02d}:{number % 60:02d} - app - {level} - record {number}\n"
        for number, level in enumerate(["INFO", "ERROR", "WARNING", "CRITICAL"] * 500)
    ]
    (tmp_path / "logs/app.log").write_text("".join(lines))
    return tmp_path


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_a_large_log_counted_in_parts_gives_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    whole = counted(project)
    monkeypatch.setattr(level_counts, "_LARGE", 1)
    monkeypatch.setattr(level_counts, "processors", lambda: workers)
    parts = counted(project)
    assert parts.levels == whole.levels == {Level.ERROR: 500, Level.WARNING: 500, Level.CRITICAL: 500}
    assert list(parts.latest) == list(whole.latest)


def test_a_part_whose_process_failed_is_counted_here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted(project)
    monkeypatch.setattr(level_counts, "_LARGE", 1)
    monkeypatch.setattr(level_counts, "processors", lambda: 3)
    monkeypatch.setattr(level_counts, "in_forks", lambda jobs: [None for _ in jobs])
    assert counted(project).levels == whole.levels


def test_jobs_answer_in_their_order_and_a_failing_one_with_nothing() -> None:
    def fail() -> bytes:
        raise ValueError

    here = os.getpid()
    answers = in_forks([lambda: str(os.getpid()).encode(), fail, lambda: str(os.getpid()).encode()])
    assert answers[1] is None
    assert answers[2] == str(here).encode()
    assert answers[0] not in {None, answers[2]}


def test_where_no_process_can_be_made_the_job_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError

    monkeypatch.setattr(os, "fork", refuse)
    assert in_forks([lambda: b"one", lambda: b"two"]) == [None, b"two"]


def test_forks_are_made_only_where_they_are_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1, 2}, raising=False)
    assert processors() == 3
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert processors() == 1
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert processors() == 1
