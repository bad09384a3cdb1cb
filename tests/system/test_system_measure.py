from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.system import control_groups, measure
from tasks.system.machine_figures import Amount, Cpu, Disk, OpenFiles, Times, Unmeasured
from tasks.system.running_processes import Stopped

from .conftest import BURN, WAIT, Start, environment

AFFINITY = hasattr(os, "sched_setaffinity")
OTHER = Path("/dev")
"""A folder on another file system than any test's, on Linux and macOS."""

seconds_of_work = st.floats(min_value=0, max_value=1e6)
times = st.builds(Times, seconds_of_work, seconds_of_work, seconds_of_work)


# Processors


def test_a_process_at_work_makes_the_processors_busy(root: Path, start: Start) -> None:
    def watched() -> Cpu:
        if AFFINITY:  # of this thread, and of the child that it starts
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        for _ in measure.usable_places(len(psutil.cpu_times(percpu=True))):
            start(BURN, root)
        return measure.processors(Event(), 0.5)

    with ThreadPoolExecutor(1) as pool:
        cpu = pool.submit(watched).result()
    assert cpu.percent > 25  # all that this thread may use are at work; the rest may have been stolen
    assert cpu.seconds >= 0.5


def test_own_work_does_not() -> None:
    used = 0.0
    done = Event()

    def burn() -> None:
        nonlocal used
        while not done.is_set():
            sum(range(1000))
        used = time.thread_time()

    worker = Thread(target=burn)
    worker.start()
    cpu = measure.processors(Event(), 0.5)
    done.set()
    worker.join()
    counted = cpu.own_percent / 100 * cpu.processors * cpu.seconds
    assert counted > 0.25 * used * min(1, 0.5 / cpu.seconds)
    assert cpu.percent + cpu.own_percent <= 100.01


def test_the_time_watched_is_told() -> None:
    began = time.monotonic()
    seconds = measure.processors(Event(), 0.1).seconds
    assert 0.1 <= seconds <= time.monotonic() - began


def test_watching_ends_early_when_told_to() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        measure.processors(stop, 3600)


@pytest.mark.skipif(not AFFINITY, reason="this system binds no process to processors")
def test_only_the_processors_that_may_be_used_are_watched() -> None:
    def bound() -> tuple[int, tuple[Times, int]]:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return len(os.sched_getaffinity(0)), measure.times()

    with ThreadPoolExecutor(1) as pool:
        allowed, (one, number) = pool.submit(bound).result()
    every, _ = measure.times()
    if os.sysconf("SC_NPROCESSORS_CONF") == len(psutil.cpu_times(percpu=True)):
        assert number == allowed == 1
        assert one.idle + one.busy <= every.idle + every.busy


def test_where_numbers_are_no_places_all_processors_count() -> None:
    configured = os.sysconf("SC_NPROCESSORS_CONF")
    assert measure.usable_places(configured + 1) == [*range(configured + 1)]
    assert measure.usable_places(0) == []


@pytest.mark.skipif(not AFFINITY, reason="this system binds no process to processors")
def test_a_number_beyond_the_places_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = os.sysconf("SC_NPROCESSORS_CONF")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, configured})
    assert measure.usable_places(configured) == [*range(configured)]


def test_where_processes_are_not_bound_all_processors_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert measure.usable_places(3) == [0, 1, 2]


def test_shares_are_parts_of_all_the_time() -> None:
    before, after = Times(10, 100, 1), Times(16, 102.5, 2.5)
    assert measure.shares(before, after, own=1.0) == pytest.approx((50.0, 10.0, 15.0))


def test_all_the_work_may_be_ones_own() -> None:
    assert measure.shares(Times(0, 0, 0), Times(1, 1, 0), own=3.0) == pytest.approx((0.0, 50.0, 0.0))


def test_a_counter_that_goes_back_a_step_counts_as_still() -> None:
    assert measure.shares(Times(1, 5, 1), Times(2, 4.99, 0.99), own=0.0) == pytest.approx((100.0, 0.0, 0.0))
    assert measure.shares(Times(1, 5, 1), Times(0.99, 6, 1), own=0.5) == pytest.approx((0.0, 0.0, 0.0))


def test_processors_without_time_are_not_measured() -> None:
    with pytest.raises(RuntimeError, match="counted no time"):
        measure.shares(Times(1, 2, 3), Times(1, 2, 3), own=0.0)


@settings(deadline=None)
@given(times, times, seconds_of_work)
def test_shares_lie_between_0_and_100(before: Times, passed: Times, own: float) -> None:
    after = Times(before.busy + passed.busy, before.idle + passed.idle, before.stolen + passed.stolen)
    if after == before:
        return
    shares = measure.shares(before, after, own)
    assert all(0 <= share <= 100.001 for share in shares)
    assert sum(shares) <= 100.001


def test_guests_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counters:
        user, nice, system, idle, iowait = 10.0, 1.0, 2.0, 50.0, 5.0
        irq, softirq, steal, guest, guest_nice = 0.5, 0.25, 3.0, 9.0, 1.0

    monkeypatch.setattr(psutil, "cpu_times", lambda *, percpu: [Counters] if percpu else None)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert measure.times() == (Times(13.75, 55.0, 3.0), 1)


def test_what_a_system_does_not_count_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counters:
        user, nice, system, idle = 10.0, 1.0, 2.0, 50.0

    monkeypatch.setattr(psutil, "cpu_times", lambda *, percpu: [Counters, Counters] if percpu else None)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert measure.times() == (Times(26.0, 100.0, 0.0), 2)


def test_a_quota_is_watched_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("1000 1000000")
    (tmp_path / "cpu.stat").write_text("usage_usec 0")
    monkeypatch.setattr(control_groups, "own_groups", lambda: [tmp_path])

    class Working(Event):
        def wait(self, timeout: float | None = None) -> bool:
            (tmp_path / "cpu.stat").write_text("usage_usec 900000000")
            return super().wait(timeout)

    quota = measure.processors(Working(), 0.05).quota
    assert quota is not None
    assert quota.processors == 0.001
    assert quota.percent > 100


# The rest


def test_the_load_is_that_of_the_machine() -> None:
    load = measure.load()
    assert min(load.one, load.five, load.fifteen) >= 0
    assert load.processors == os.cpu_count()


def test_the_memory_is_partly_used() -> None:
    memory = measure.memory()
    assert 0 < memory.machine.used < memory.machine.total
    assert memory.machine.total == psutil.virtual_memory().total
    assert memory.group is None or memory.group.total < memory.machine.total


def test_the_swap_space_holds_what_is_used() -> None:
    swap = measure.swap()
    assert 0 <= swap.used <= swap.total


def test_the_disk_is_as_full_as_df_says(root: Path) -> None:
    program = shutil.which("df")
    assert program
    answer = subprocess.run([program, "-kP", str(root)], capture_output=True, text=True, check=True).stdout
    percent = int(answer.splitlines()[-1].split("%")[0].split()[-1])  # rounded up
    assert measure.disk(root).space.percent == pytest.approx(percent, abs=2)


def test_inodes_are_of_the_same_file_system(root: Path) -> None:
    status, inodes = os.statvfs(root), measure.disk(root).inodes
    if status.f_favail == status.f_ffree:  # none kept for the administrator
        assert inodes.total == max(status.f_files, status.f_ffree)
    assert 0 <= inodes.used <= inodes.total


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_file_system_without_a_size_is_not_measured(root: Path) -> None:
    (root / "logs").symlink_to("/proc")
    found = dict(measure.disks(root, ["logs"]))
    assert found["logs"] == Unmeasured("the file system has no size")


def test_each_file_system_counts_once(root: Path) -> None:
    (root / "logs").mkdir()
    (root / "cache").mkdir()
    assert [*dict(measure.disks(root, ["logs", "cache"]))] == ["."]


def test_a_folder_on_another_file_system_counts_by_itself(root: Path) -> None:
    (root / "logs").symlink_to(OTHER)
    (root / "cache").symlink_to(OTHER)
    found = dict(measure.disks(root, ["logs", "cache"]))
    assert [*found] == [".", "logs"]
    assert isinstance(found["."], Disk)


def test_a_missing_folder_is_left_out(root: Path) -> None:
    assert [*dict(measure.disks(root, ["logs", "cache"]))] == ["."]


def test_a_missing_root_is_not_measured(root: Path) -> None:
    assert dict(measure.disks(root / "missing", ["logs"])) == {".": Unmeasured("No such file or directory")}


def test_a_folder_that_cannot_be_reached_is_not_measured(root: Path) -> None:
    (root / "logs").symlink_to("logs")
    found = dict(measure.disks(root, ["logs", "cache"]))
    assert isinstance(found["."], Disk)
    assert isinstance(found["logs"], Unmeasured)
    assert "symbolic links" in found["logs"].reason


def _fails(error: BaseException) -> Callable[[], int]:
    def measurement() -> int:
        raise error

    return measurement


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(13, "Permission denied"), "Permission denied"),
        (OSError("of no number"), "of no number"),
        (OSError(), "OSError"),
        (NotImplementedError(), "NotImplementedError"),
        (RuntimeError("not in this kernel"), "not in this kernel"),
        (psutil.AccessDenied(7), str(psutil.AccessDenied(7))),
        (Stopped(), "it was told to stop before that was done"),
    ],
)
def test_a_measurement_that_fails_says_why(error: Exception, reason: str) -> None:
    assert measure.attempt(_fails(error)) == Unmeasured(reason)


def test_a_mistake_is_no_failed_measurement() -> None:
    with pytest.raises(TypeError):
        measure.attempt(_fails(TypeError("mistake")))


def test_everything_is_measured_in_one_go(root: Path, start: Start) -> None:
    process = start(WAIT, root)
    figures = measure.measure(root, ["logs"], Event(), 0.2)
    assert isinstance(figures.cpu, Cpu)
    assert isinstance(figures.swap, Amount)
    assert isinstance(figures.open_files, OpenFiles)
    assert [holder.pid for holder in figures.open_files.holders] == [process.pid]


def test_where_processes_cannot_be_listed_the_rest_is_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "pids", _fails(PermissionError(13, "Permission denied")))
    figures = measure.measure(root, ["logs"], Event(), 0.2)
    assert figures.open_files == Unmeasured("Permission denied")
    assert figures.busiest == ()
    assert isinstance(figures.cpu, Cpu)


def test_where_the_busiest_cannot_be_told_the_rest_is_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(measure, "busiest", fails)
    figures = measure.measure(root, ["logs"], Event(), 0.2)
    assert figures.busiest == ()
    assert isinstance(figures.open_files, OpenFiles)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, tasks.system.machine_review; sys.exit('psutil' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
