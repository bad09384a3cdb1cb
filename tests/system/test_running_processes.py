from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from tasks.system.machine_figures import Busy, Holder
from tasks.system.running_processes import BUSIEST, Clocked, Seen, Stopped, busiest, look

from .conftest import BURN, HOLD, LIMIT, WAIT, Start, environment

LINUX = sys.platform == "linux"


def seen(root: Path) -> Seen:
    return look(root, Event())


def holder(root: Path, pid: int) -> Holder:
    (found,) = (one for one in seen(root).open_files.holders if one.pid == pid)
    return found


# Which processes


def test_a_process_in_the_tree_is_seen_with_its_open_files(root: Path, start: Start) -> None:
    (root / "below").mkdir()
    few = start(WAIT, root)
    many = start(f"{HOLD}\n{WAIT}", root / "below", "40")
    base, found = holder(root, few.pid), holder(root, many.pid)
    assert found.files == base.files + 40
    assert found.name.lower().startswith("python")
    assert found.limit == (resource.getrlimit(resource.RLIMIT_NOFILE)[0] if LINUX else None)


def test_a_process_elsewhere_is_none_of_the_project(root: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "project-2").mkdir()
    start(WAIT, tmp_path)
    start(WAIT, tmp_path / "project-2")
    assert seen(root).open_files.holders == ()


def test_the_root_may_be_named_by_a_link(root: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "link").symlink_to(root)
    process = start(WAIT, root)
    assert [one.pid for one in seen(tmp_path / "link").open_files.holders] == [process.pid]


def test_this_process_and_those_that_started_it_are_left_out(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(WAIT, root)
    monkeypatch.chdir(root)
    assert [one.pid for one in seen(root).open_files.holders] == [other.pid]
    code = (
        "import pathlib, sys, threading\n"
        "from tasks.system.running_processes import look\n"
        "print(*[one.pid for one in look(pathlib.Path(sys.argv[1]), threading.Event()).open_files.holders])"
    )
    child = subprocess.run(
        [sys.executable, "-c", code, str(root)], env=environment(), capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == [str(other.pid)]


@pytest.mark.skipif(not LINUX, reason="elsewhere a limit of another process cannot be seen")
def test_the_limit_is_the_processs_own(root: Path, start: Start) -> None:
    process = start(f"{LIMIT}\n{HOLD}\n{WAIT}", root, "10", "61")
    assert holder(root, process.pid).limit == 61


def test_without_a_limit_there_is_none(root: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(WAIT, root)
    monkeypatch.setattr(
        psutil.Process, "rlimit", lambda _process, _resource: (psutil.RLIM_INFINITY,) * 2, raising=False
    )
    assert holder(root, process.pid).limit is None


def test_a_limit_that_may_not_be_seen_leaves_the_count(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(process: psutil.Process, _resource: int) -> None:
        raise psutil.AccessDenied(process.pid)

    process = start(WAIT, root)
    monkeypatch.setattr(psutil.Process, "rlimit", denied, raising=False)
    assert holder(root, process.pid).limit is None
    assert holder(root, process.pid).files >= 3


def test_where_the_system_has_no_limits_files_are_counted(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(WAIT, root)
    monkeypatch.delattr(psutil, "RLIMIT_NOFILE", raising=False)
    assert holder(root, process.pid).limit is None


def test_processes_that_may_not_be_looked_at_are_counted(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, process = psutil.Process.cwd, start(WAIT, root)
    before = seen(root).open_files

    def denied(one: psutil.Process) -> str:
        if one.pid == process.pid:
            raise psutil.AccessDenied(one.pid)
        return real(one)

    monkeypatch.setattr(psutil.Process, "cwd", denied)
    after = seen(root).open_files
    assert len(before.holders) == 1
    assert after.holders == ()
    assert after.closed >= 1


@pytest.mark.parametrize("error", [psutil.NoSuchProcess(1), OSError(3, "No such process")])
def test_a_process_that_has_ended_is_left_out(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def gone(_process: psutil.Process) -> str:
        raise error

    start(WAIT, root)
    monkeypatch.setattr(psutil.Process, "cwd", gone)
    found = seen(root).open_files
    assert (found.holders, found.closed, found.left) == ((), 0, 0)


def test_a_pid_without_a_process_is_left_out(root: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(WAIT, root)
    monkeypatch.setattr(psutil, "pids", lambda: [2**22 + 1, process.pid])
    assert [one.pid for one in seen(root).open_files.holders] == [process.pid]


def test_a_name_that_cannot_be_had_is_said_to_be_unknown(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(process: psutil.Process) -> str:
        raise psutil.NoSuchProcess(process.pid)

    process = start(WAIT, root)
    monkeypatch.setattr(psutil.Process, "name", gone)
    assert holder(root, process.pid).name == "unknown"


def test_a_name_is_not_lengthened_by_the_command_line(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(WAIT, root)
    monkeypatch.setattr(psutil.Process, "name", lambda _process: "worker --key=sk-1234567890")
    assert holder(root, process.pid).name == "worker --key=sk"


# How long


def test_a_pass_ends_early_when_told_to(root: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped, match="told to stop"):
        look(root, stop)


def test_what_is_not_reached_in_time_is_counted(root: Path, start: Start) -> None:
    start(WAIT, root)
    found = look(root, Event(), patience=0)
    assert found.open_files.holders == ()
    assert found.open_files.left >= 2
    assert found.clocked == []


@pytest.mark.parametrize(("patience", "left"), [(2.0, 4), (2.5, 3), (9.0, 0)])
def test_a_pass_ends_when_its_time_is_over(
    root: Path, monkeypatch: pytest.MonkeyPatch, patience: float, left: int
) -> None:
    monkeypatch.setattr(psutil, "pids", lambda: [os.getpid()] * 5)
    monkeypatch.setattr(time, "monotonic", partial(next, count()))  # a second later at each look
    assert look(root, Event(), patience).open_files.left == left


def test_a_pass_in_time_leaves_none(root: Path) -> None:
    assert seen(root).open_files.left == 0


# Who works


def test_the_process_that_works_is_the_busiest(root: Path, start: Start) -> None:
    idle, busy = start(WAIT, root), start(BURN, root)
    clocked = [one for one in seen(root).clocked if one.process.pid in {idle.pid, busy.pid}]
    assert len(clocked) == 2
    (before,) = (one.used for one in clocked if one.process.pid == busy.pid)
    works = psutil.Process(busy.pid)
    for _ in range(1000):  # until it has had some time; a moment unless the machine is overloaded
        if sum(works.cpu_times()[:2]) > before + 0.1:
            break
        time.sleep(0.02)
    first, *_ = busiest(clocked, Event())
    assert first.pid == busy.pid
    assert first.name.lower().startswith("python")
    assert 0 < first.percent < 150


def test_this_process_is_not_clocked(root: Path) -> None:
    assert os.getpid() not in {one.process.pid for one in seen(root).clocked}


class At14:
    """A process that has used 4 seconds, 3 of them for itself, 14 seconds after the clock began."""

    pid = 7

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=3.0, system=1.0)

    def name(self) -> str:
        return "worker"


def worked(monkeypatch: pytest.MonkeyPatch, used: float, moment: float, patience: float = 1) -> tuple[Busy, ...]:
    monkeypatch.setattr(time, "monotonic", lambda: 14.0)
    return busiest([Clocked(cast("psutil.Process", At14()), used, moment)], Event(), patience)


def test_work_is_in_percent_of_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worked(monkeypatch, 2.0, 10.0) == (Busy("worker", 7, 50.0),)


@pytest.mark.parametrize(
    ("used", "moment", "patience"),
    [
        (4.0, 10.0, 1),  # it has not worked
        (2.0, 14.0, 1),  # no time has passed
        (2.0, 10.0, 0),  # the time is over
    ],
)
def test_what_tells_of_no_work_is_left_out(
    monkeypatch: pytest.MonkeyPatch, used: float, moment: float, patience: float
) -> None:
    assert worked(monkeypatch, used, moment, patience) == ()


def test_only_so_many_are_named(root: Path, start: Start) -> None:
    start(WAIT, root)
    clocked = [one._replace(used=-1.0) for one in seen(root).clocked] * (BUSIEST + 1)
    found = busiest(clocked, Event())
    assert len(found) == BUSIEST
    assert [one.percent for one in found] == sorted((one.percent for one in found), reverse=True)


def test_who_has_not_worked_is_not_named(root: Path) -> None:
    clocked = [one._replace(used=1e12) for one in seen(root).clocked]
    assert busiest(clocked, Event()) == ()


def test_the_second_look_ends_early_too(root: Path) -> None:
    clocked = [one._replace(used=-1.0) for one in seen(root).clocked]
    assert clocked
    stop = Event()
    stop.set()
    assert busiest(clocked, stop) == ()
    assert busiest(clocked, Event(), patience=0) == ()


def test_a_process_that_ends_between_is_not_named(root: Path, start: Start) -> None:
    process = start(BURN, root)
    clocked = [one._replace(used=-1.0) for one in seen(root).clocked if one.process.pid == process.pid]
    process.kill()
    process.wait()
    assert busiest(clocked, Event()) == ()
