from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.log_archives import LogArchive
from tasks.logs.rotation import log_filesystem
from tasks.logs.rotation.archive_retention import is_old
from tasks.logs.rotation.log_filesystem import Filesystem
from tasks.logs.rotation.rotate_file import end_of_last_line, end_of_line, is_blank
from tasks.logs.rotation.strategy import (
    LogCut,
    LogWriter,
    LogWriters,
    Strategy,
    StrategyChoice,
    choose_strategy,
    cut_point,
    writer_names,
)

EXT4 = Filesystem("ext4", collapses=True, allow_copytruncate=False)
APPENDS = LogWriter(7, "python", append=True)
OVERWRITES = LogWriter(8, "tee", append=False)
UNKNOWN_MODE = LogWriter(9, "", append=None)


def test_a_log_that_nobody_writes_to_is_renamed() -> None:
    assert choose_strategy(LogWriters(), EXT4) == StrategyChoice(Strategy.RENAME)


@pytest.mark.parametrize("file_system", ["ext4", "xfs"])
def test_a_log_whose_writers_all_append_is_collapsed(file_system: str) -> None:
    assert choose_strategy(LogWriters((APPENDS,)), EXT4._replace(file_system=file_system)) == StrategyChoice(
        Strategy.COLLAPSE
    )


@pytest.mark.parametrize(
    ("writers", "filesystem", "reason"),
    [
        (LogWriters(unseen=True), EXT4, "cannot be seen"),
        (
            LogWriters((APPENDS, UNKNOWN_MODE)),
            EXT4,
            "python (process 7), a program (process 9) has it open, and the system",
        ),
        (LogWriters((APPENDS, OVERWRITES)), EXT4, "tee (process 8) writes to it and not in append mode"),
        (LogWriters((APPENDS,)), EXT4._replace(collapses=False), "this system cannot"),
        (LogWriters((APPENDS,)), EXT4._replace(file_system="btrfs"), "a file on btrfs cannot"),
        (LogWriters((APPENDS,)), EXT4._replace(file_system=None), "unknown type"),
        (LogWriters((APPENDS,)), EXT4._replace(refusal="Operation not supported"), "(Operation not supported)"),
    ],
)
def test_any_other_log_is_left_alone_unless_the_settings_accept_a_loss(
    writers: LogWriters, filesystem: Filesystem, reason: str
) -> None:
    alone = choose_strategy(writers, filesystem)
    assert alone.strategy is Strategy.ALONE
    assert reason in alone.reason
    assert choose_strategy(writers, filesystem._replace(allow_copytruncate=True)) == StrategyChoice(
        Strategy.TRUNCATE, alone.reason
    )


def test_of_many_writers_three_are_named() -> None:
    many = LogWriters(tuple(LogWriter(number, "a\nb", append=True) for number in range(5)))
    assert writer_names(many) == r"a\nb (process 0), a\nb (process 1), a\nb (process 2) and 2 more"


@given(
    content=st.binary(max_size=300).map(lambda data: data.replace(b"\x07", b"\n")),
    block=st.integers(1, 64),
    force=st.booleans(),
)
def test_a_cut_leaves_whole_lines_on_both_sides(content: bytes, block: int, *, force: bool) -> None:
    complete = content.rfind(b"\n") + 1

    def end(offset: int) -> int:
        return offset if offset == 0 or content[offset - 1 : offset] == b"\n" else content.index(b"\n", offset) + 1

    where = cut_point(len(content), complete, block, end, force=force)
    if where is None:
        assert complete < max(block, 1) or (not force and complete <= block) or not complete
        return
    assert where.released % block == 0
    assert 0 <= where.released < len(content)
    assert where.released <= where.end <= complete
    assert content[where.end - 1 : where.end] == b"\n"
    if force:
        assert where.end == complete
    else:
        assert content[where.released : where.end].count(b"\n") <= 1


def test_a_file_is_never_released_to_its_end() -> None:
    assert cut_point(8192, 8192, 4096, lambda offset: offset + 5) == LogCut(4096, 4101)
    assert cut_point(8193, 8192, 4096, lambda offset: offset) == LogCut(8192, 8192)
    assert cut_point(4096, 4096, 4096, lambda offset: offset) is None
    assert cut_point(4096, 4096, 4096, lambda offset: offset, force=True) == LogCut(0, 4096)
    assert cut_point(50, 0, 4096, lambda offset: offset, force=True) is None


@given(st.binary(max_size=100).map(lambda data: data.replace(b"\x01", b"\n").replace(b"\x02", b" ")), st.data())
def test_lines_are_found_in_open_files(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("lines") / "app.log"
    path.write_bytes(content)
    offset = data.draw(st.integers(0, len(content)))
    log = os.open(path, os.O_RDONLY)
    try:
        assert end_of_last_line(log, len(content)) == content.rfind(b"\n") + 1
        end = end_of_line(log, offset)
        assert is_blank(log, len(content)) == (not content.strip(b" \n"))
        assert is_blank(log, len(content) + 1) == (not content.strip(b" \n"))
    finally:
        os.close(log)
    if offset == 0 or content[offset - 1 : offset] == b"\n":
        assert end == offset
    else:
        newline = content.find(b"\n", offset)
        assert end == (newline + 1 if newline >= 0 else len(content))


def test_lines_longer_than_what_is_read_at_once_are_found(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"short\n" + b" " * 1_000_000 + b"\n" + b"x" * 1_000_000)
    log = os.open(path, os.O_RDONLY)
    try:
        assert end_of_last_line(log, 2_000_007) == 1_000_007
        assert end_of_line(log, 7) == 1_000_007
        assert not is_blank(log, 2_000_007)
    finally:
        os.close(log)


def test_the_type_of_a_file_system_is_that_of_its_device(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text("1 2 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n3 1 0:5 / /proc rw - proc proc rw\nodd\n")
    assert log_filesystem.filesystem_type(os.makedev(254, 0), table) == "ext4"
    assert log_filesystem.filesystem_type(os.makedev(0, 5), table) == "proc"
    assert log_filesystem.filesystem_type(os.makedev(9, 9), table) is None
    assert log_filesystem.filesystem_type(os.makedev(254, 0), tmp_path / "none") is None


def test_what_the_system_cannot_do_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    log_filesystem._fallocate.cache_clear()
    try:
        assert not log_filesystem.collapse_available()
        with pytest.raises(NotImplementedError):
            log_filesystem.collapse_range(0, 4096)
    finally:
        log_filesystem._fallocate.cache_clear()


def test_a_library_without_the_operation_does_not_offer_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_arguments, **_options: object())
    monkeypatch.setattr("sys.platform", "linux")
    log_filesystem._fallocate.cache_clear()
    try:
        assert not log_filesystem.collapse_available()
    finally:
        log_filesystem._fallocate.cache_clear()


@pytest.mark.parametrize(
    ("age", "days", "old"),
    [(90, 90, False), (91, 90, True), (0, 0, False), (1, 0, True), (-5, 0, False), (9999, 10**9, False)],
)
def test_an_archive_is_old_by_the_day_in_its_name_else_by_its_last_write(
    tmp_path: Path, age: int, days: int, *, old: bool
) -> None:
    now = datetime(2025, 6, 2, 12, tzinfo=UTC)
    then = now - timedelta(days=age)
    path = tmp_path / "x.gz"
    path.touch()
    new = LogArchive("2025/06", "x.gz", None, then.date(), 1, path.stat())
    assert is_old(new, now, days) is old
    os.utime(path, (then.timestamp(), then.timestamp()))
    assert is_old(new._replace(day=None, status=path.stat()), now, days) is old


def test_a_refusal_of_the_system_is_an_error(tmp_path: Path) -> None:
    if not log_filesystem.collapse_available():
        pytest.skip("this system cannot release the start of a file")
    path = tmp_path / "app.log"
    path.write_bytes(b"x" * 9000)
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        log_filesystem.collapse_range(file.fileno(), 4096)
