from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.files.file_locks import described, held_by_others, holders, user_of
from tasks.core.files.safe_files import folder
from tests.examples import examples

PROC_LOCKS = Path("/proc/locks")
NO_TABLE = Path("/nonexistent/locks")

LOCKER = """
import fcntl, sys
file = open(sys.argv[1])
fcntl.flock(file, {"exclusive": fcntl.LOCK_EX, "shared": fcntl.LOCK_SH}[sys.argv[2]])
print("holding", flush=True)
sys.stdin.readline()
"""


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


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
@settings(max_examples=examples(25), deadline=None)
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


# Who holds them


@pytest.mark.skipif(not PROC_LOCKS.exists(), reason="only Linux lists all locks in /proc/locks")
def test_who_holds_a_lock_is_found(project: Path, child: Callable[..., subprocess.Popen[str]]) -> None:
    (project / "locked").write_text("")
    inode = (project / "locked").stat().st_ino
    assert holders(inode) == []
    process = child(LOCKER, project / "locked", "shared")
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    assert holders(inode) == [process.pid]
    assert user_of(process.pid) == os.geteuid()
    assert described([process.pid]).startswith(f"process {process.pid} (py")
    process.kill()
    process.wait()
    assert holders(inode) == []


def test_only_who_holds_the_whole_file_counts_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text(
        "1: FLOCK  ADVISORY  WRITE 1234 fd:00:101 0 EOF\n"
        "1: -> FLOCK  ADVISORY  WRITE 1235 fd:00:101 0 EOF\n"
        "2: POSIX  ADVISORY  READ  1236 fd:00:101 0 EOF\n"
        "3: FLOCK  ADVISORY  READ 99 fd:00:101 0 EOF\n"
        "4: FLOCK  ADVISORY  READ 99 fe:00:101 0 EOF\n"
        "5: FLOCK  ADVISORY  READ 0 fd:00:101 0 EOF\n"
        "6: FLOCK  ADVISORY  WRITE 1237 fd:00:1012 0 EOF\n"
    )
    assert holders(101, tmp_path / "locks") == [99, 1234]
    assert holders(1, tmp_path / "locks") == []
    assert holders(101, NO_TABLE) == []


def test_a_process_that_is_gone_has_a_number_only() -> None:
    gone = 1 << 30
    assert user_of(gone) is None
    assert described([gone, gone + 1]) == f"process {gone}, process {gone + 1}"
