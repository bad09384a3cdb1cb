from __future__ import annotations

import codecs
import gzip
import os
import random
import signal
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.files.safe_files import Refused
from tasks.logs.reading import log_source as module
from tasks.logs.reading.log_source import (
    BLOCK,
    DamagedArchive,
    LogSource,
    after_line,
    chunks,
    open_log,
    unreadable_reason,
    up_to,
)
from tests.examples import examples

from .conftest import in_memory, write

LINES = b"".join(b"%06d %d\n" % (number, random.Random(number).getrandbits(80)) for number in range(60_000))
"""A few blocks that hardly compress."""

WHOLE = LINES[: LINES.index(b"\n", 200_000) + 1]


def text_of(root: Path, path: str, block: int = BLOCK) -> bytes:
    with open_log(root, path) as source:
        return b"".join(chunk.data for chunk in chunks(source, block=block))


@contextmanager
def within_seconds(seconds: int) -> Iterator[None]:
    """Fail where the block waits for ever."""

    def stop(_signal: int, _frame: object) -> None:
        pytest.fail("it hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Which files are opened


def test_a_file_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "logs/a.log", b"one\0\xff\r\ntwo")
    with open_log(tmp_path, "logs/a.log") as source:
        assert source.seekable
        assert source.size == 10
        assert source.path == "logs/a.log"
        assert source.status.st_ino == (tmp_path / "logs/a.log").stat().st_ino
        assert source.sample() == source.text.read_at(0, 100) == b"one\0\xff\r\ntwo"
        assert source.text.read_at(4, 3) == b"\xff\r\n"
        assert source.text.read_at(10, 3) == source.text.read_at(99, 3) == b""


def test_what_is_written_meanwhile_is_left_to_the_next_reader(tmp_path: Path) -> None:
    for path, data in (("a.log", b"one\n"), ("b.log", codecs.BOM_UTF16_LE + "one\n".encode("utf-16-le"))):
        write(tmp_path, path, data)
        with open_log(tmp_path, path) as source:
            with (tmp_path / path).open("ab") as file:
                file.write(b"t\0w\0o\0\n\0")
            assert b"".join(chunk.data for chunk in chunks(source)) == b"one\n"


@pytest.mark.parametrize("name", ["link.log", "broken.log", "link.log.gz"])
def test_a_symbolic_link_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, "secret", b"x")
    (tmp_path / name).symlink_to("nowhere" if "broken" in name else "secret")
    with pytest.raises(Refused, match="is a symbolic link"), open_log(tmp_path, name):
        pass


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "real/a.log", b"x")
    (tmp_path / "logs").symlink_to("real")
    with pytest.raises(Refused), open_log(tmp_path, "logs/a.log"):
        pass


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.log")
    with within_seconds(5), pytest.raises(Refused, match="not a regular file"), open_log(tmp_path, "a.log"):
        pass


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.log").mkdir()
    with pytest.raises(Refused, match="not a regular file"), open_log(tmp_path, "a.log"):
        pass


def test_a_socket_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.log")
        with pytest.raises(OSError, match="device"), open_log(tmp_path, "a.log"):
            pass


@pytest.mark.parametrize("path", ["a.log", "logs/a.log"])
def test_a_missing_file_is_not_found(tmp_path: Path, path: str) -> None:
    with pytest.raises(FileNotFoundError), open_log(tmp_path, path):
        pass


def test_a_path_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused), open_log(tmp_path, "../a.log"):
        pass


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    write(tmp_path, "a.log.gz", LINES)
    os.mkfifo(tmp_path / "pipe")
    before = set(os.listdir("/dev/fd"))  # noqa: PTH208 - a listing that opens nothing else
    for path in ("a.log.gz", "pipe", "missing"):
        try:
            with open_log(tmp_path, path) as source:
                source.text.read_at(5, 5)
        except (Refused, OSError):
            pass
    assert set(os.listdir("/dev/fd")) == before  # noqa: PTH208


# Archives


def test_an_archive_of_several_members(tmp_path: Path) -> None:
    packed = b"".join(gzip.compress(part) for part in (LINES[:100], b"", LINES[100:900_001], LINES[900_001:]))
    (tmp_path / "a.log.gz").write_bytes(packed + b"\0" * 600)
    assert text_of(tmp_path, "a.log.gz") == LINES
    assert text_of(tmp_path, "a.log.gz", block=1000) == LINES
    with open_log(tmp_path, "a.log.gz") as source:
        assert not source.seekable
        assert source.size is None


def test_an_archive_of_thousands_of_members(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(b"".join(gzip.compress(b"%d\n" % number) for number in range(5000)))
    assert text_of(tmp_path, "a.log.gz") == b"".join(b"%d\n" % number for number in range(5000))


def test_an_archive_that_unpacks_to_a_multiple_of_itself(tmp_path: Path) -> None:
    data = (b"x" * 99 + b"\n") * 200_000
    write(tmp_path, "a.log.gz", data)
    with open_log(tmp_path, "a.log.gz") as source:
        tracemalloc.start()
        try:
            assert sum(len(chunk.data) for chunk in chunks(source)) == len(data)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()


def test_an_empty_archive(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(b"")
    write(tmp_path, "b.log.gz", b"")
    assert text_of(tmp_path, "a.log.gz") == text_of(tmp_path, "b.log.gz") == b""


@pytest.mark.parametrize("size", [3, 30, 200, 1_000_000, 2_000_000])
def test_an_archive_is_read_in_any_order(tmp_path: Path, size: int) -> None:
    write(tmp_path, "a.log.gz", LINES)
    with open_log(tmp_path, "a.log.gz") as source:
        for place in (0, 10, 5, 1_500_000, 1_500_001, 0, len(LINES) - 1, len(LINES), len(LINES) + 5, 700_000):
            assert source.text.read_at(place, size) == LINES[place : place + size]


def until_broken(root: Path, path: str) -> bytes:
    read = b""
    with open_log(root, path) as source:
        stream = chunks(source)
        with suppress(DamagedArchive):
            while True:
                read += next(stream).data
        with pytest.raises(DamagedArchive):  # and again: the damage is not forgotten
            source.text.read_at(len(LINES) * 2, 1)
        if read:
            assert source.text.read_at(0, 1) == read[:1]
    return read


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_of_an_archive_that_ends_too_early_everything_before_is_read(tmp_path: Path, kept: float) -> None:
    packed = gzip.compress(LINES)
    (tmp_path / "a.log.gz").write_bytes(packed[: int(len(packed) * kept)])
    read = until_broken(tmp_path, "a.log.gz")
    assert len(read) > len(LINES) * kept * 0.9 - 40_000
    assert LINES.startswith(read.removesuffix(b"\n"))


def test_of_a_small_archive_without_its_end_all_lines_are_read(tmp_path: Path) -> None:
    packed = gzip.compress(b"one\ntwo\n")
    for missing in (1, 4, 8):
        (tmp_path / "a.log.gz").write_bytes(packed[:-missing])
        assert until_broken(tmp_path, "a.log.gz") == b"one\ntwo\n"


def test_a_whole_member_before_a_damaged_one_is_read(tmp_path: Path) -> None:
    one = gzip.compress(LINES[:900_000], mtime=0)
    for bad in (b"garbage", b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff\xff\xff" + b"x" * 99):
        (tmp_path / "a.log.gz").write_bytes(one + bad)
        assert until_broken(tmp_path, "a.log.gz").startswith(LINES[:900_000])


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"one\ntwo\n"))
    packed[-8] ^= 1
    (tmp_path / "a.log.gz").write_bytes(bytes(packed))
    until_broken(tmp_path, "a.log.gz")


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), change=st.binary(min_size=1, max_size=30))
def test_any_damage_is_either_harmless_or_told(tmp_path: Path, place: float, change: bytes) -> None:
    packed = bytearray(gzip.compress(WHOLE, mtime=0))
    start = int(place * (len(packed) - 1))
    packed[start : start + len(change)] = change
    (tmp_path / "a.log.gz").write_bytes(bytes(packed))
    try:
        assert text_of(tmp_path, "a.log.gz") == WHOLE
    except DamagedArchive:
        until_broken(tmp_path, "a.log.gz")


@pytest.mark.parametrize("content", [b"x", b"no archive at all\n", b"\0" * 100, b"\x1f\x8b", b"PK\3\4" + b"x" * 99])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.log.gz").write_bytes(content)
    assert until_broken(tmp_path, "a.log.gz") == b""
    with open_log(tmp_path, "a.log.gz") as source, pytest.raises(DamagedArchive):
        source.sample()


# Encodings


@pytest.mark.parametrize(("bom", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
def test_utf_16(tmp_path: Path, bom: bytes, encoding: str) -> None:
    text = "ein Fehler: \u00e9 \U0001f600\n" * 70_000  # more than one piece, with a pair across the border
    write(tmp_path, "a.log", bom + ("x" + text).encode(encoding))
    assert text_of(tmp_path, "a.log") == ("x" + text).encode()
    with open_log(tmp_path, "a.log") as source:
        assert not source.seekable


def test_utf_16_that_is_cut_or_wrong(tmp_path: Path) -> None:
    write(tmp_path, "a.log", codecs.BOM_UTF16_LE + "one\n".encode("utf-16-le") + b"\x00\xd8x\0\n\0y")
    assert text_of(tmp_path, "a.log") == "one\n\ufffdx\n\ufffd\n".encode()
    write(tmp_path, "a.log", codecs.BOM_UTF16_LE + b"y")
    assert text_of(tmp_path, "a.log") == "\ufffd\n".encode()
    write(tmp_path, "a.log", codecs.BOM_UTF16_LE)
    assert text_of(tmp_path, "a.log") == b""


# Blocks


@given(
    lines=st.lists(st.integers(0, 12_000).map(lambda length: b"x" * length), max_size=12),
    block=st.integers(1, 30_000),
    start=st.integers(0, 11),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_every_line_is_given_once_and_whole_where_it_fits(
    lines: list[bytes], block: int, start: int, flags: tuple[bool, bool]
) -> None:
    last, seekable = flags
    data = b"\n".join(lines) + b"\n" * last
    begin = sum(len(line) + 1 for line in lines[:start])
    source = in_memory(data, seekable=seekable)
    given_ = list(chunks(source, min(begin, len(data)), block=block))
    expected = data[begin:]
    if expected and not expected.endswith(b"\n"):
        expected += b"\n"
    if max((len(line) for line in expected.split(b"\n")), default=0) < block:
        assert b"".join(chunk.data for chunk in given_) == expected
    for chunk in given_:
        assert len(chunk.data) <= block + chunk.cut
        assert data[chunk.offset :].startswith(chunk.data[: len(chunk.data) - chunk.cut])
        assert chunk.offset == 0 or data[chunk.offset - 1 : chunk.offset] == b"\n" or chunk.offset == begin
        assert chunk.data.endswith(b"\n") or len(chunk.data) == block
    assert sum(chunk.cut for chunk in given_) <= 1
    offsets = [chunk.offset for chunk in given_]
    assert offsets == sorted(set(offsets))
    starts = [
        begin + sum(len(line) + 1 for line in lines[start : start + place]) for place in range(len(lines) - start)
    ]
    covered = {chunk.offset + place for chunk in given_ for place in range(len(chunk.data))}
    assert all(place in covered for place in starts if place < len(data))


@given(
    lines=st.lists(st.integers(0, 100_000).map(lambda length: b"x" * length), max_size=4),
    place=st.floats(0, 1),
)
def test_the_end_of_a_line(lines: list[bytes], place: float) -> None:
    data = b"\n".join(lines)
    offset = int(place * len(data))
    found = data.find(b"\n", offset)
    assert after_line(in_memory(data), offset) == (found + 1 if found >= 0 else len(data))


def test_of_a_huge_line_only_a_block_is_held() -> None:
    class Endless:
        """A line of 30 MB between two short ones, made up as it is read."""

        size = 30 << 20

        def read_at(self, offset: int, size: int) -> bytes:
            whole = [b"first\n", b"x" * max(min(size, self.size), 0), b"\nlast\n"]
            if offset < 6:
                return (whole[0][offset:] + whole[1])[:size]
            if offset + size <= 6 + self.size:
                return b"x" * size
            held = max(6 + self.size - offset, 0)
            return (b"x" * held + whole[2][max(offset - 6 - self.size, 0) :])[:size]

    source = LogSource("a.log", Endless(), Endless.size + 12, in_memory(b"").status, seekable=True)
    tracemalloc.start()
    try:
        found = [(chunk.offset, len(chunk.data), chunk.data[-6:]) for chunk in chunks(source)]
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
    assert found == [(0, 6, b"first\n"), (6, BLOCK, b"xxxxxx"), (Endless.size + 7, 5, b"last\n")]


@given(data=st.binary(max_size=60), end=st.integers(0, 70), place=st.integers(0, 70), size=st.integers(0, 70))
def test_a_log_can_be_read_as_if_it_ended_before(data: bytes, end: int, place: int, size: int) -> None:
    part = up_to(in_memory(data), end)
    assert part.size == end
    assert part.text.read_at(place, size) == data[:end][place : place + size]


def test_reasons() -> None:
    assert unreadable_reason(PermissionError(13, "Permission denied")) == "It cannot be read: Permission denied."
    assert (
        unreadable_reason(DamagedArchive("it ends")) == "It is damaged (it ends); what came before the damage was read."
    )
    assert unreadable_reason(Refused("It is a link.")) == "It is a link."
    assert module.BLOCK == 1 << 20
