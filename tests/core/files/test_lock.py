from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.errors import UserError
from tasks.core.files.lock import LOCK_FILE, LockedByOther, NotWritable, held_by_others, project_lock
from tasks.core.files.safe_files import folder

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
PROC_LOCKS = Path("/proc/locks")
NO_TABLE = Path("/nonexistent/locks")

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.core.files.lock import project_lock
with project_lock(Path(sys.argv[1]), "weekly.cache-cleanup", datetime(2026, 11, 23, 12, tzinfo=UTC)):
    print("holding", flush=True)
    sys.stdin.readline()
"""

LOCKER = """
import fcntl, sys
file = open(sys.argv[1])
fcntl.flock(file, {"exclusive": fcntl.LOCK_EX, "shared": fcntl.LOCK_SH}[sys.argv[2]])
print("holding", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(project: Path, child: Callable[..., subprocess.Popen[str]]) -> Iterator[subprocess.Popen[str]]:
    process = child(HOLDER, project)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    yield process
    process.kill()
    process.wait()


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _lock(root: Path) -> None:
    with project_lock(root, "daily.log-review", NOW):
        pass


def test_somebody_who_waits_for_a_lock_is_a_user_error() -> None:
    assert issubclass(LockedByOther, UserError)


def test_the_lock_says_who_holds_it_and_is_removed_at_the_end(project: Path) -> None:
    with project_lock(project, "daily.log-review", NOW):
        assert json.loads((project / LOCK_FILE).read_bytes()) == {
            "task": "daily.log-review",
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": "2026-11-23T12:00:00+00:00",
        }
    assert not (project / LOCK_FILE).exists()


def test_a_released_lock_is_taken_anew_and_not_believed_to_be_held(project: Path) -> None:
    for task in ("first", "second"):
        with project_lock(project, task, NOW):
            assert json.loads((project / LOCK_FILE).read_bytes())["task"] == task


def test_the_lock_is_removed_where_the_work_fails(project: Path) -> None:
    with pytest.raises(RuntimeError, match="work"), project_lock(project, "daily.log-review", NOW):
        raise RuntimeError("work")
    assert list(project.iterdir()) == []
    _lock(project)


def test_a_second_run_is_refused_and_told_who_holds_the_lock(project: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockedByOther) as caught:
        _lock(project)
    assert str(caught.value) == (
        f"weekly.cache-cleanup (process {holder.pid} on {socket.gethostname()}, since 2026-11-23T12:00:00+00:00) "
        "is changing this project; nothing was changed. Run it again when that has ended."
    )
    assert (project / LOCK_FILE).exists()


def test_the_refusal_leaves_no_descriptor_open(project: Path, holder: subprocess.Popen[str]) -> None:
    before = _open_descriptors()
    with pytest.raises(LockedByOther, match=str(holder.pid)):
        _lock(project)
    assert _open_descriptors() == before


def test_the_lock_is_free_when_its_holder_has_ended(project: Path, holder: subprocess.Popen[str]) -> None:
    holder.communicate("\n", timeout=300)
    assert holder.returncode == 0
    assert list(project.iterdir()) == []
    _lock(project)


def test_a_killed_holder_locks_nobody_out(project: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert str(holder.pid) in (project / LOCK_FILE).read_text()
    with project_lock(project, "t", NOW):
        assert json.loads((project / LOCK_FILE).read_bytes())["process"] == os.getpid()
    assert list(project.iterdir()) == []


def test_whoever_holds_the_lock_takes_part_in_it_again(project: Path) -> None:
    with project_lock(project, "emergency.recover", NOW):
        _lock(project)
        assert "emergency.recover" in (project / LOCK_FILE).read_text()
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther):
            pool.submit(_lock, project).result()
    assert not (project / LOCK_FILE).exists()


def test_the_lock_of_one_project_is_not_that_of_another(project: Path, holder: subprocess.Popen[str]) -> None:
    other = project / "other"
    other.mkdir()
    with project_lock(other, "t", NOW), pytest.raises(LockedByOther, match=str(holder.pid)):
        _lock(project)


def test_another_thread_is_another_run(project: Path) -> None:
    with (
        project_lock(project, "t", NOW),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(LockedByOther, match=rf"^t \(process {os.getpid()} on "),
    ):
        pool.submit(_lock, project).result()


@pytest.mark.parametrize(
    "content", ["", "half a sen", "[1]", "{}", '"text"', "null", "\xff", '{"task": 1, "process": 2, "host": 3}']
)
def test_a_holder_that_left_no_name_still_holds_the_lock(project: Path, content: str) -> None:
    with (project / LOCK_FILE).open("w", encoding="latin-1") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedByOther, match=r"^Another maintenance run is changing this project"):
            _lock(project)


def test_what_the_holder_says_cannot_steer_a_terminal(project: Path) -> None:
    with (project / LOCK_FILE).open("w", encoding="utf-8") as file:
        json.dump({"task": "\x1b[2J", "process": 1, "host": "h\n", "since": ""}, file)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedByOther) as caught:
            _lock(project)
    assert str(caught.value).isprintable()


def test_a_full_disk_does_not_keep_the_lock_from_being_taken(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with project_lock(project, "t", NOW):
        assert (project / LOCK_FILE).read_bytes() == b""
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match=r"^Another maintenance run"):
            pool.submit(_lock, project).result()
    assert not (project / LOCK_FILE).exists()


@pytest.mark.parametrize(("user", "given"), [(0, True), (1000, False)])
def test_root_leaves_the_lock_to_the_projects_owner(
    project: Path, monkeypatch: pytest.MonkeyPatch, user: int, *, given: bool
) -> None:
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fchown", lambda _descriptor, owner, group: owners.append((owner, group)))
    _lock(project)
    status = project.stat()
    assert owners == ([(status.st_uid, status.st_gid)] if given else [])


def test_a_lock_file_that_its_last_holder_removes_meanwhile_is_not_the_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            (project / LOCK_FILE).unlink()
        elif len(calls) == 2:
            (project / LOCK_FILE).unlink()
            (project / LOCK_FILE).write_text("another's")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    before = _open_descriptors()
    with project_lock(project, "t", NOW):
        assert len(calls) == 4
        assert json.loads((project / LOCK_FILE).read_bytes())["task"] == "t"
        assert _open_descriptors() == before + 2
    assert _open_descriptors() == before


def test_a_file_system_without_locks_is_an_error_and_leaves_no_descriptor_open(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    before = _open_descriptors()
    with pytest.raises(NotWritable, match="No locks available"):
        _lock(project)
    assert _open_descriptors() == before


# Where there is no room for the lock file

FULL = {"no room": errno.ENOSPC, "no quota": errno.EDQUOT}


@pytest.fixture(params=FULL)
def full(project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No lock file can be made in the project."""
    real, number = os.open, FULL[request.param]

    def refuse(path: Path, flags: int, *rest: Any, **names: Any) -> int:
        if path == project / LOCK_FILE and flags & os.O_CREAT and not path.exists():
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **names)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.usefixtures("full")
def test_on_a_full_disk_the_folder_is_locked_in_the_place_of_the_file(project: Path) -> None:
    before = _open_descriptors()
    with project_lock(project, "emergency.recover", NOW):
        assert [*project.iterdir()] == []
        _lock(project)
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match="at work here; nothing was changed"):
            pool.submit(_lock, project).result()
    _lock(project)
    assert _open_descriptors() == before


def test_whoever_finds_room_again_is_kept_out_by_whoever_found_none(project: Path) -> None:
    descriptor = os.open(project, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    before = _open_descriptors()
    with pytest.raises(LockedByOther, match="at work here"):
        _lock(project)
    assert ([*project.iterdir()], _open_descriptors()) == ([], before)
    os.close(descriptor)
    _lock(project)


@pytest.mark.usefixtures("full")
def test_on_a_full_disk_a_holder_with_a_file_keeps_others_out(project: Path) -> None:
    (project / LOCK_FILE).write_text("")
    with project_lock(project, "weekly.log-rotation", NOW):
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match=r"^weekly\.log-rotation"):
            pool.submit(_lock, project).result()
        (project / LOCK_FILE).unlink()
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match="at work here"):
            pool.submit(_lock, project).result()


def test_a_file_system_that_locks_no_folders_does_without(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if os.path.samestat(os.fstat(descriptor), project.stat()):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with project_lock(project, "t", NOW):
        assert (project / LOCK_FILE).exists()


@pytest.mark.usefixtures("full")
def test_where_neither_can_be_locked_nothing_is_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    before = _open_descriptors()
    with pytest.raises(NotWritable, match="No locks available"):
        _lock(project)
    assert _open_descriptors() == before


def test_a_link_in_the_place_of_the_lock_is_not_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (project / LOCK_FILE).symlink_to(tmp_path / "victim")
    with pytest.raises(NotWritable, match=re.escape(os.strerror(errno.ELOOP))):
        _lock(project)
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_missing_project_cannot_be_locked(project: Path) -> None:
    with pytest.raises(NotWritable, match="No such file or directory"):
        _lock(project / "missing")


def test_a_lock_file_removed_by_hand_does_not_break_its_holder(project: Path) -> None:
    with project_lock(project, "t", NOW):
        (project / LOCK_FILE).unlink()
    assert list(project.iterdir()) == []


# Locks that others hold on files

tables = pytest.mark.parametrize(
    "table",
    [
        pytest.param(
            PROC_LOCKS,
            marks=pytest.mark.skipif(not PROC_LOCKS.exists(), reason="only Linux lists all locks in /proc/locks"),
        ),
        NO_TABLE,
    ],
    ids=["table", "no table"],
)


def _held(root: Path, table: Path) -> set[str]:
    held = held_by_others(table)
    with folder(root, ".") as descriptor:
        return {path.name for path in root.iterdir() if held(descriptor, path.name, path.stat().st_ino)}


@tables
@pytest.mark.parametrize("kind", ["exclusive", "shared"])
def test_a_file_that_another_process_has_locked_is_held(
    project: Path, child: Callable[..., subprocess.Popen[str]], table: Path, kind: str
) -> None:
    for name in ("free", "locked"):
        (project / name).write_text("")
    assert _held(project, table) == set()
    process = child(LOCKER, project / "locked", kind)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    assert _held(project, table) == {"locked"}
    process.kill()
    process.wait()
    assert _held(project, table) == set()


@tables
def test_asking_leaves_no_lock_and_no_descriptor_behind(project: Path, table: Path) -> None:
    (project / "free").write_text("")
    before = _open_descriptors()
    for _ in range(2):
        assert _held(project, table) == set()
    assert _open_descriptors() == before
    with (project / "free").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.skipif(not PROC_LOCKS.exists(), reason="only Linux lists all locks in /proc/locks")
@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 5)))
def test_both_ways_of_asking_give_the_same_answer(locked: set[int]) -> None:
    with tempfile.TemporaryDirectory() as place, ExitStack() as open_files:
        root = Path(place)
        for number in range(6):
            (root / str(number)).write_text("")
        for number in locked:
            fcntl.flock(open_files.enter_context((root / str(number)).open()), fcntl.LOCK_EX)
        assert _held(root, PROC_LOCKS) == _held(root, NO_TABLE) == set(map(str, locked))


@pytest.mark.usefixtures("_deadline")
def test_without_a_table_whatever_cannot_be_opened_is_free(project: Path) -> None:
    (project / "link").symlink_to("nowhere")
    os.mkfifo(project / "fifo")
    held = held_by_others(NO_TABLE)
    with folder(project, ".") as descriptor:
        assert not held(descriptor, "missing", 0)
        assert not held(descriptor, "link", 0)
        assert not held(descriptor, "fifo", 0)


def test_every_kind_of_lock_in_the_table_counts(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text(
        "1: FLOCK  ADVISORY  WRITE 1234 fd:00:101 0 EOF\n"
        "2: POSIX  ADVISORY  READ  1234 08:01:102 128 128\n"
        "2: -> POSIX  ADVISORY  WRITE 1235 08:01:103 128 128\n"
        "3: OFDLCK ADVISORY  WRITE -1 00:2a:104 0 EOF\n"
        "4: LEASE  ACTIVE    READ  1234 fe:00:105 0 EOF\n"
        "5: POSIX  *NOINODE* WRITE 1234 <none>:0 0 EOF\n"
    )
    held = held_by_others(tmp_path / "locks")
    assert [inode for inode in (0, 1, 2, 101, 102, 103, 104, 105, 128, 1234) if held(-1, "", inode)] == [
        *(101, 102, 103, 104, 105)
    ]


def test_who_cannot_write_the_root_is_told_so_by_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(
            NotWritable, match=r"cannot be written by user .+: Permission denied\. Nothing was changed\."
        ):
            _lock(project)
        patch.setattr(os, "geteuid", lambda: 4_000_000)
        with pytest.raises(NotWritable, match="by user 4000000: "):
            _lock(project)
    assert not (project / LOCK_FILE).exists()


def test_where_nothing_can_be_locked_nothing_is_locked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "file").write_text("")

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    descriptor = os.open(project, os.O_RDONLY)
    try:
        assert held_by_others(project / "no table")(descriptor, "file", 0) is False
    finally:
        os.close(descriptor)
