from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.core.errors import UserError
from tasks.core.files import file_locks, lock
from tasks.core.files.lock import LOCK_FILE, SHORT_LOCK_FILE, LockedByOther, NotWritable, project_lock, short_lock

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
OTHER = 12345

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
import fcntl, os, sys
os.setuid(int(sys.argv[2]))
descriptor = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
        with pytest.raises(
            LockedByOther, match=r"^Another maintenance run(, or a program that has .*,)? is changing this project"
        ):
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
            (project / LOCK_FILE).chmod(0o600)
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

    def refuse(path: Any, flags: int, *rest: Any, **names: Any) -> int:
        if path == LOCK_FILE and flags & os.O_CREAT and not (project / LOCK_FILE).exists():
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **names)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.usefixtures("full")
def test_on_a_full_disk_the_folder_is_locked_in_the_place_of_the_file(project: Path) -> None:
    before = _open_descriptors()
    with project_lock(project, "emergency.recover", NOW):
        assert [*project.iterdir()] == []
        _lock(project)
        with (
            ThreadPoolExecutor(1) as pool,
            pytest.raises(LockedByOther, match=r"at work here(: process \d+ \(.+\))?; nothing was changed"),
        ):
            pool.submit(_lock, project).result()
    _lock(project)
    assert _open_descriptors() == before


def test_whoever_finds_room_again_is_kept_out_by_whoever_found_none(project: Path) -> None:
    descriptor = os.open(project, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    before = _open_descriptors()
    with pytest.raises(LockedByOther, match="is at work here"):
        _lock(project)
    assert ([*project.iterdir()], _open_descriptors()) == ([], before)
    os.close(descriptor)
    _lock(project)


@pytest.mark.usefixtures("full")
def test_on_a_full_disk_a_holder_with_a_file_keeps_others_out(project: Path) -> None:
    (project / LOCK_FILE).write_text("")
    (project / LOCK_FILE).chmod(0o600)
    with project_lock(project, "weekly.log-rotation", NOW):
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match=r"^weekly\.log-rotation"):
            pool.submit(_lock, project).result()
        (project / LOCK_FILE).unlink()
        with ThreadPoolExecutor(1) as pool, pytest.raises(LockedByOther, match="is at work here"):
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
    with pytest.raises(NotWritable, match=r"\.maintenance\.lock is a symbolic link, so it is no lock file\. Nothing"):
        _lock(project)
    assert (tmp_path / "victim").read_text() == "mine"
    assert (project / LOCK_FILE).is_symlink()


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_no_lock(project: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(project / LOCK_FILE)
    else:
        (project / LOCK_FILE).mkdir()
    before = _open_descriptors()
    with pytest.raises(NotWritable, match="is not a regular file, so it is no lock file"):
        _lock(project)
    assert _open_descriptors() == before


def test_a_hard_link_in_the_place_of_the_lock_is_removed_and_never_written_through(
    project: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    victim.chmod(0o600)
    (project / LOCK_FILE).hardlink_to(victim)
    before = victim.stat()
    with project_lock(project, "t", NOW):
        assert json.loads((project / LOCK_FILE).read_text())["task"] == "t"
    after = victim.stat()
    assert victim.read_text() == "mine"
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (before.st_mode, before.st_uid, before.st_mtime_ns)


# Who can hold the lock


@pytest.mark.parametrize(
    ("folder", "mode"), [(0o755, 0o600), (0o700, 0o600), (0o775, 0o660), (0o777, 0o666), (0o757, 0o606)]
)
def test_the_lock_can_be_opened_by_those_alone_who_can_write_the_root(project: Path, folder: int, mode: int) -> None:
    project.chmod(folder)
    before = os.umask(0o077)
    try:
        with project_lock(project, "t", NOW):
            assert (project / LOCK_FILE).stat().st_mode & 0o7777 == mode
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o640, 0o666])
def test_a_wider_lock_that_a_killed_run_left_is_made_anew(project: Path, mode: int) -> None:
    project.chmod(0o755)
    path = project / LOCK_FILE
    path.write_text("left")
    path.chmod(mode)
    inode = path.stat().st_ino
    keeping = path.open()
    with keeping, project_lock(project, "t", NOW):
        assert path.stat().st_ino != inode
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_lock_that_a_killed_run_left_is_taken_as_it_is(project: Path) -> None:
    project.chmod(0o755)
    path = project / LOCK_FILE
    path.write_text("left")
    path.chmod(0o600)
    inode = path.stat().st_ino
    with project_lock(project, "t", NOW):
        assert path.stat().st_ino == inode


def test_whoever_holds_a_lock_that_does_not_say_so_is_named_by_the_system(
    project: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    """A file that an earlier version left could be opened by everybody: what it says need not be true."""
    content = {"task": "daily.log-review", "process": 1, "host": socket.gethostname(), "since": "long ago"}
    (project / LOCK_FILE).write_text(json.dumps(content))
    process = child(LOCKER, project / LOCK_FILE, os.getuid())
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    with pytest.raises(
        LockedByOther, match=rf"a program that has locked \.maintenance\.lock \(process {process.pid} \("
    ):
        _lock(project)
    process.kill()
    process.wait()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@needs_root
def test_who_can_only_read_the_root_stops_nobody(
    project: Path, open_to_others: None, child: Callable[..., subprocess.Popen[str]]
) -> None:
    assert open_to_others is None
    process = child(LOCKER, project, OTHER)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    _lock(project)
    with project_lock(project, "t", NOW):
        other = child(LOCKER, project / LOCK_FILE, OTHER)
        assert other.wait() != 0, "it cannot even open the lock"
    process.kill()
    process.wait()


@needs_root
@pytest.mark.usefixtures("full")
def test_on_a_full_disk_whoever_has_locked_the_root_is_named(
    project: Path, open_to_others: None, child: Callable[..., subprocess.Popen[str]]
) -> None:
    assert open_to_others is None
    process = child(LOCKER, project, OTHER)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    with pytest.raises(LockedByOther, match=rf"is at work here: process {process.pid} \(.+\); nothing was changed"):
        _lock(project)
    process.kill()
    process.wait()


@pytest.fixture
def open_to_others(project: Path) -> Iterator[None]:
    """Let every user reach the project and read it, and write nothing."""
    changed = []
    for folder in (project, *project.parents):
        if not folder.stat().st_mode & 0o001:
            changed.append((folder, folder.stat().st_mode))
            folder.chmod(folder.stat().st_mode | 0o055)
    project.chmod(0o755)
    yield
    for folder, mode in changed:
        if folder.exists():
            folder.chmod(mode & 0o7777)


@needs_root
def test_the_owner_and_root_keep_each_other_out(
    project: Path, open_to_others: None, child: Callable[..., subprocess.Popen[str]]
) -> None:
    assert open_to_others is None
    os.chown(project, OTHER, OTHER)
    with project_lock(project, "of root", NOW):
        assert (project / LOCK_FILE).stat().st_uid == OTHER
        second = child(AS_USER, project, OTHER)
        assert second.communicate(timeout=60)[0].startswith("of root (process")
    first = child(AS_USER, project, OTHER)
    assert first.stdout is not None
    assert first.stdout.readline() == "holding\n"
    with pytest.raises(LockedByOther, match=rf"^of the owner \(process {first.pid} on "):
        _lock(project)
    first.kill()
    first.wait()
    _lock(project)


AS_USER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.core.files.lock import LockedByOther, project_lock
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
try:
    with project_lock(Path(sys.argv[1]), "of the owner", datetime(2026, 11, 23, 12, tzinfo=UTC)):
        print("holding", flush=True)
        sys.stdin.readline()
except LockedByOther as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("mode", "user", "passed_over"),
    [
        (0o755, OTHER, True),
        (0o755, None, False),
        (0o755, 0, False),
        (0o755, "ours", False),
        (0o775, OTHER, False),
        (0o757, OTHER, False),
    ],
)
def test_a_lock_on_the_root_counts_where_its_holder_could_be_a_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, mode: int, user: int | str | None, *, passed_over: bool
) -> None:
    project.chmod(mode)
    monkeypatch.setattr(file_locks, "holders", lambda _inode: [4_000_000])
    monkeypatch.setattr(file_locks, "user_of", lambda _process: os.geteuid() if user == "ours" else user)
    with _root_locked(project):
        if passed_over:
            _lock(project)
        else:
            with pytest.raises(LockedByOther, match="is at work here: process 4000000; nothing was changed"):
                _lock(project)


def test_a_holder_that_cannot_be_known_counts_and_how_to_find_it_is_reported(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "holders", lambda _inode: [])
    with _root_locked(project), pytest.raises(LockedByOther, match=f"Run `lsof {project}` to see which it is"):
        _lock(project)


@contextmanager
def _root_locked(project: Path) -> Iterator[None]:
    descriptor = os.open(project, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_as_that(
    project: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(NotWritable) as caught:
        _lock(project)
    assert str(caught.value) == (
        f"The file system of {project} has no locks (flock: {os.strerror(number)}), so nothing keeps two runs apart. "
        "Nothing was changed. Mount it with locks, or move the project to a file system that has them."
    )


# The short lock


def test_a_short_lock_lets_one_in_at_a_time_and_leaves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    descriptor, before = os.open(project, os.O_RDONLY), _open_descriptors()
    with short_lock(descriptor):
        assert [path.name for path in project.iterdir()] == [SHORT_LOCK_FILE]
        with pytest.raises(LockedByOther, match="has been writing there for seconds"), short_lock(descriptor):
            pass
    assert (len(waited), [*project.iterdir()], _open_descriptors()) == (lock._TRIES, [], before)
    with short_lock(descriptor):
        pass
    os.close(descriptor)


def test_where_no_short_lock_can_be_made_it_is_done_without(project: Path) -> None:
    (project / SHORT_LOCK_FILE).symlink_to("nowhere")
    descriptor = os.open(project, os.O_RDONLY)
    with short_lock(descriptor):
        assert [path.name for path in project.iterdir()] == [SHORT_LOCK_FILE]
    os.close(descriptor)


def test_a_missing_project_cannot_be_locked(project: Path) -> None:
    with pytest.raises(NotWritable, match="No such file or directory"):
        _lock(project / "missing")


def test_a_lock_file_removed_by_hand_does_not_break_its_holder(project: Path) -> None:
    with project_lock(project, "t", NOW):
        (project / LOCK_FILE).unlink()
    assert list(project.iterdir()) == []


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
