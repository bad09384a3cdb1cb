from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tasks.logs.rotation import log_writers
from tasks.logs.rotation.log_writers import OpenFiles, WriterWatch, lease_granted, may_write, open_files
from tasks.logs.rotation.strategy import LogWriter, LogWriters

from .conftest import writer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases and /proc are Linux's")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n")
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def name_of(log: int) -> Path:
    return Path(f"/proc/self/fd/{log}").readlink()


def test_a_lease_tells_whether_anybody_has_a_file_open_for_writing(log: int) -> None:
    assert lease_granted(log) is True
    with writer(name_of(log)):
        assert lease_granted(log) is False
    with name_of(log).open("rb"):
        assert lease_granted(log) is True


def test_where_there_are_no_leases_the_kernel_does_not_tell(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert lease_granted(log) is None
    monkeypatch.setattr(log_writers, "_SET_LEASE", None)
    assert lease_granted(log) is None


def test_a_writer_is_named_with_its_mode(log: int) -> None:
    watch = WriterWatch(os.fstat(log).st_dev)
    assert watch.writers(log).nobody
    with writer(name_of(log)) as first, writer(name_of(log), 0) as second:
        (one, other) = sorted(watch.writers(log).known, key=lambda known: known.append is False)
        assert (one.pid, one.append) == (first.pid, True)
        assert (other.pid, other.append) == (second.pid, False)
        assert one.program.startswith("python")
        assert set(watch.again(log).known) == {one, other}


def test_a_writer_that_came_after_the_snapshot_is_found_and_an_invisible_one_said(
    log: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = os.fstat(log)
    there = OpenFiles({(status.st_dev, status.st_ino): {LogWriter(1, "a", append=True)}})
    looks = [OpenFiles(), OpenFiles(), there]
    watch = WriterWatch(status.st_dev, lambda _device: looks.pop(0), lambda: 0.0)
    answers = [False, False, False, False, True]
    monkeypatch.setattr(log_writers, "lease_granted", lambda _log: answers.pop(0))
    assert watch.writers(log) == LogWriters(unseen=True)
    assert watch.writers(log).known == (LogWriter(1, "a", append=True),)
    assert watch.again(log).known == (LogWriter(1, "a", append=True),)
    assert answers == [False, True][0:2]


def test_without_a_lease_hidden_processes_of_the_owner_count(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writers, "lease_granted", lambda _log: None)
    status = os.fstat(log)
    for hidden, unseen in ((set(), False), ({status.st_uid}, True), ({status.st_uid + 1}, False)):
        watch = WriterWatch(status.st_dev, lambda _device, hidden=hidden: OpenFiles(hidden=hidden))  # type: ignore[misc]
        assert watch.writers(log) == LogWriters(unseen=unseen)


def test_others_may_write_only_where_the_mode_lets_them(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    path.chmod(0o644)
    own = path.stat().st_uid
    assert may_write({own}, path.stat())
    assert not may_write({own + 5}, path.stat())
    path.chmod(0o664)
    assert may_write({own + 5}, path.stat())


def test_processes_that_end_or_are_closed_to_us_are_passed_over(tmp_path: Path) -> None:
    processes = tmp_path / "proc"
    (processes / "self" / "fd").mkdir(parents=True)
    (processes / "12").mkdir()
    (processes / "13" / "fd").mkdir(parents=True)
    (processes / "13" / "fd" / "1").touch()
    seen = open_files(tmp_path.stat().st_dev, processes)
    assert seen == OpenFiles()


def test_a_process_closed_to_us_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = tmp_path / "proc"
    (processes / "self" / "fd").mkdir(parents=True)
    (processes / "12").mkdir()
    real = os.listdir

    def refuse(path: str) -> list[str]:
        if str(path).endswith("/12/fd"):
            raise PermissionError
        return real(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert open_files(0, processes).hidden == {processes.stat().st_uid}


def test_without_proc_psutil_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.log"
    path.touch()
    key = (path.stat().st_dev, path.stat().st_ino)

    def process(pid: int, opened: Any) -> SimpleNamespace:
        def files() -> list[SimpleNamespace]:
            if isinstance(opened, Exception):
                raise opened
            return [SimpleNamespace(path=str(path), **mode) for mode in opened]

        return SimpleNamespace(
            pid=pid, open_files=files, name=lambda: f"p{pid}", uids=lambda: SimpleNamespace(effective=77)
        )

    everybody = [
        process(os.getpid(), [{"mode": "a"}]),
        process(1, [{"mode": "a"}, {"mode": "r"}]),
        process(2, [{"mode": "w"}]),
        process(3, [{}]),
        process(4, psutil.AccessDenied(4)),
        process(5, psutil.NoSuchProcess(5)),
    ]
    monkeypatch.setattr(psutil, "process_iter", lambda: everybody)
    seen = open_files(key[0], tmp_path / "none")
    assert seen.hidden == {77}
    assert seen.writers == {
        key: {LogWriter(1, "p1", append=True), LogWriter(2, "p2", append=False), LogWriter(3, "p3", append=None)}
    }
    assert open_files(key[0] + 1, tmp_path / "none").writers == {}
