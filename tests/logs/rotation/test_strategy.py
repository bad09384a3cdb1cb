from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.archives import Archive
from tasks.logs.rotation import blocks
from tasks.logs.rotation.lines import end_of_last_line, end_of_line, is_blank
from tasks.logs.rotation.retention import is_old
from tasks.logs.rotation.strategy import Choice, Cut, Filesystem, Strategy, Writer, Writers, choose, cut, named

EXT4 = Filesystem("ext4", collapses=True, allow_copytruncate=False)
APPENDS = Writer(7, "python", append=True)
OVERWRITES = Writer(8, "tee", append=False)
UNTOLD = Writer(9, "", append=None)


def test_a_log_that_nobody_writes_to_is_renamed() -> None:
    assert choose(Writers(), EXT4) == Choice(Strategy.RENAME)


@pytest.mark.parametrize("file_system", ["ext4", "xfs"])
def test_a_log_whose_writers_all_append_is_collapsed(file_system: str) -> None:
    assert choose(Writers((APPENDS,)), EXT4._replace(file_system=file_system)) == Choice(Strategy.COLLAPSE)


@pytest.mark.parametrize(
    ("writers", "ground", "reason"),
    [
        (Writers(unseen=True), EXT4, "cannot be seen"),
        (Writers((APPENDS, UNTOLD)), EXT4, "python (process 7), a program (process 9) has it open, and the system"),
        (Writers((APPENDS, OVERWRITES)), EXT4, "tee (process 8) writes to it and not in append mode"),
        (Writers((APPENDS,)), EXT4._replace(collapses=False), "this system cannot"),
        (Writers((APPENDS,)), EXT4._replace(file_system="btrfs"), "a file on btrfs cannot"),
        (Writers((APPENDS,)), EXT4._replace(file_system=None), "unknown type"),
        (Writers((APPENDS,)), EXT4._replace(refusal="Operation not supported"), "(Operation not supported)"),
    ],
)
def test_any_other_log_is_left_alone_unless_the_settings_accept_a_loss(
    writers: Writers, ground: Filesystem, reason: str
) -> None:
    alone = choose(writers, ground)
    assert alone.way is Strategy.ALONE
    assert reason in alone.reason
    assert choose(writers, ground._replace(allow_copytruncate=True)) == Choice(Strategy.TRUNCATE, alone.reason)


def test_of_many_writers_three_are_named() -> None:
    many = Writers(tuple(Writer(number, "a\nb", append=True) for number in range(5)))
    assert named(many) == r"a\nb (process 0), a\nb (process 1), a\nb (process 2) and 2 more"


@given(
    content=st.binary(max_size=300).map(lambda data: data.replace(b"\x07", b"\n")),
    block=st.integers(1, 64),
    force=st.booleans(),
)
def test_a_cut_leaves_whole_lines_on_both_sides(content: bytes, block: int, *, force: bool) -> None:
    complete = content.rfind(b"\n") + 1

    def end(offset: int) -> int:
        return offset if offset == 0 or content[offset - 1 : offset] == b"\n" else content.index(b"\n", offset) + 1

    where = cut(len(content), complete, block, end, force=force)
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
    assert cut(8192, 8192, 4096, lambda offset: offset + 5) == Cut(4096, 4101)
    assert cut(8193, 8192, 4096, lambda offset: offset) == Cut(8192, 8192)
    assert cut(4096, 4096, 4096, lambda offset: offset) is None
    assert cut(4096, 4096, 4096, lambda offset: offset, force=True) == Cut(0, 4096)
    assert cut(50, 0, 4096, lambda offset: offset, force=True) is None


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
    assert blocks.file_system(os.makedev(254, 0), table) == "ext4"
    assert blocks.file_system(os.makedev(0, 5), table) == "proc"
    assert blocks.file_system(os.makedev(9, 9), table) is None
    assert blocks.file_system(os.makedev(254, 0), tmp_path / "none") is None


def test_what_the_system_cannot_do_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    blocks._fallocate.cache_clear()
    try:
        assert not blocks.available()
        with pytest.raises(NotImplementedError):
            blocks.collapse(0, 4096)
    finally:
        blocks._fallocate.cache_clear()


def test_a_library_without_the_operation_does_not_offer_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_arguments, **_options: object())
    monkeypatch.setattr("sys.platform", "linux")
    blocks._fallocate.cache_clear()
    try:
        assert not blocks.available()
    finally:
        blocks._fallocate.cache_clear()


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
    new = Archive("2025/06", "x.gz", None, then.date(), 1, path.stat())
    assert is_old(new, now, days) is old
    os.utime(path, (then.timestamp(), then.timestamp()))
    assert is_old(new._replace(day=None, status=path.stat()), now, days) is old


def test_a_refusal_of_the_system_is_an_error(tmp_path: Path) -> None:
    if not blocks.available():
        pytest.skip("this system cannot release the start of a file")
    path = tmp_path / "app.log"
    path.write_bytes(b"x" * 9000)
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        blocks.collapse(file.fileno(), 4096)
