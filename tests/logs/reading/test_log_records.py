from __future__ import annotations

import codecs
import gzip
import tracemalloc
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.reading import log_records as module
from tasks.logs.reading.log_levels import CONTEXT, Level, LevelClassifiers, LevelFinder
from tasks.logs.reading.log_records import LINE, Record, records, text_after, text_before
from tasks.logs.reading.log_source import BLOCK, Chunk, DamagedArchive, LogSource, chunks, open_log
from tasks.logs.reading.timestamps import time_of

from .conftest import FINDERS, HYPERSCAN, SetZone, in_memory, read, read_file, write

NOON = datetime(2025, 6, 2, 12, 0, tzinfo=UTC).timestamp()
TRACEBACK = b"""Traceback (most recent call last):
  File "x.py", line 1, in <module>
    ask()

During handling of the above exception, another exception occurred:

ValueError: ERROR: it failed"""


def stamped(second: int, level: bytes = b"ERROR", message: bytes = b"it failed") -> bytes:
    return b"2025-06-02T12:00:%02dZ - api - %s - %s\n" % (second, level, message)


def in_blocks(patch: pytest.MonkeyPatch, block: int) -> None:
    """Let the records be read in blocks of another size."""
    patch.setattr(module, "chunks", lambda source, start: chunks(source, start, block=block))


def test_a_record_has_its_place_time_and_parts() -> None:
    before = stamped(0, b"INFO", b"all is well")
    line = stamped(1)
    after = stamped(2, b"INFO", b"it goes on")
    (record,) = read(before + line + TRACEBACK + b"\n" + after)
    assert record == Record(
        offset=len(before),
        end=len(before + line + TRACEBACK) + 1,
        level=Level.ERROR,
        time=NOON + 1,
        logger="api",
        message="it failed",
        details=TRACEBACK.decode(),
    )


def test_a_record_is_a_value() -> None:
    assert len({*read(stamped(1)), *read(stamped(1)), *read(stamped(2))}) == 2


@FINDERS
@pytest.mark.parametrize("structured", [True, False])
def test_an_empty_log_has_no_records(find: LevelFinder, *, structured: bool) -> None:
    source = in_memory(b"")
    classifier = LevelClassifiers().shaped if structured else LevelClassifiers().free
    assert list(records(source, find, classifier)) == []


shapes = st.sampled_from(
    [
        stamped(1),
        stamped(2, b"WARNING"),
        stamped(3, b"INFO", b"an ERROR inside"),
        b"ERROR: without a time\n",
        b'{"level": "error", "msg": "x", "ts": 1748865605}\n',
        b"[critical ] it is gone\n",
        TRACEBACK + b"\n",
        b"\n",
        b"  and more, \0 \xff\r\n",
        b"2025-06-02T12:00:09Z no level\n",
        b"x" * 300 + b"\n",
    ]
)


@given(lines=st.lists(shapes, max_size=20), more=st.integers(1, 800), last=st.booleans(), seekable=st.booleans())
def test_records_do_not_depend_on_how_the_log_is_cut_into_blocks(
    lines: list[bytes],
    more: int,
    last: bool,  # noqa: FBT001
    seekable: bool,  # noqa: FBT001
) -> None:
    data = b"".join(lines)
    data = data if last else data.removesuffix(b"\n")
    classifier = LevelClassifiers().shaped
    whole = list(records(in_memory(data), HYPERSCAN, classifier))
    with pytest.MonkeyPatch.context() as patch:
        in_blocks(patch, 301 + more)
        assert list(records(in_memory(data, seekable=seekable), HYPERSCAN, classifier)) == whole
    assert all(record.end <= len(data) for record in whole)
    for one, other in pairwise(whole):
        assert one.end <= other.offset


@given(lines=st.lists(shapes.filter(lambda line: line[:1] != b"{"), max_size=20), place=st.integers(0, 20))
def test_from_any_line_on_the_records_are_the_same(lines: list[bytes], place: int) -> None:
    data = b"".join(lines)
    start = sum(map(len, lines[:place]))
    classifier = LevelClassifiers().shaped
    whole = list(records(in_memory(data), HYPERSCAN, classifier))
    assert list(records(in_memory(data), HYPERSCAN, classifier, start)) == [
        each for each in whole if each.offset >= start
    ]


@pytest.mark.parametrize("block", [60, 61, 100, 150, 200])
def test_a_traceback_is_joined_across_many_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    in_blocks(monkeypatch, block)
    lines = b"".join(b"    line %d of a traceback\n" % number for number in range(200))
    data = stamped(0) + lines + stamped(1) + lines
    first, second = read(data)
    assert first.details == second.details == lines.decode().rstrip()
    assert (first.end, second.offset, second.end) == (len(data) // 2, len(data) // 2, len(data))


def test_the_rest_of_a_record_before_the_start_is_passed_over() -> None:
    data = stamped(0) + TRACEBACK + b"\n"
    assert read(data + stamped(1), start=len(stamped(0)))[0].offset == len(data)


def test_a_traceback_whose_error_speaks_of_a_time_is_one_record() -> None:
    last = b"ValueError: time data '2025-06-02 12:00:00' does not match format '%Y'"
    (record,) = read(stamped(0) + b"Traceback (most recent call last):\n" + last + b"\n")
    assert record.details.endswith(last.decode())


def test_in_free_text_every_line_is_a_record_of_its_own() -> None:
    one, other = read(b"well\nan ERROR here\n  with more\n  and a WARNING there\nfine\n")
    assert (one.message, one.details, one.offset, one.end) == ("here", "", 5, 19)
    assert (other.level, other.message, other.details) == (Level.WARNING, "there", "")


def test_the_last_line_without_its_end() -> None:
    (record,) = read(b"x: y\nERROR: it failed")
    assert (record.offset, record.end, record.message) == (5, 21, "it failed")
    (record,) = read(b"ERROR: it failed\n  more")
    assert (record.end, record.details) == (23, "  more")


def test_the_last_line_without_its_end_in_a_block_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch, 20)
    (record,) = read(b"ERROR: it failed\n" + b"  more than one\n" * 3 + b"  more")
    assert (record.end, record.details) == (71, "  more than one\n" * 3 + "  more")


@pytest.mark.parametrize("block", [BLOCK, 5000])
def test_of_details_64_kib_are_kept(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    in_blocks(monkeypatch, block)
    lines = b"".join(b"x%07d\n" % number for number in range(100_000))  # the limit is inside a line
    (record,) = read(stamped(0) + lines)
    assert record.details == lines[: 64 * 1024].decode().rstrip()
    assert record.end == len(stamped(0) + lines)


def test_of_a_first_line_64_kib_are_kept() -> None:
    head = len(stamped(0, message=b"")) - 1
    for length in (64 * 1024 - head, 64 * 1024 - head + 1, 100_000):
        (record,) = read(stamped(0, message=b"x" * length))
        assert record.message == "x" * min(length, 64 * 1024 - head)


def test_lines_after_a_json_record_follow_the_details_that_it_has_itself() -> None:
    line = b'{"level": "error", "msg": "no", "exc_info": "in itself"}\n'
    assert [record.details for record in read(line)] == ["in itself"]
    assert [record.details for record in read(line + b"\n\n")] == ["in itself"]
    assert [record.details for record in read(line + b"  more\n")] == ["in itself\n  more"]


def test_in_free_text_a_traceback_ends_after_the_first_line_that_is_not_indented() -> None:
    traceback = b"Traceback (most recent call last):\n  File\n x\n    main()\nKeyError: 1\n"
    (record,) = read(b"begun\n" + traceback + b"fine\n")
    assert (record.offset, record.end) == (6, 6 + len(traceback))
    assert record.details == traceback.decode().rstrip()
    for text in (traceback.rstrip(), traceback[:-13], traceback[:34], traceback[:35]):
        (record,) = read(b"begun\n" + text)
        assert (record.end, record.details.rstrip()) == (6 + len(text), text.decode().rstrip())
    one, other = read(b"begun\n" + traceback[:-12] + b"an ERROR here\n")
    assert (one.end, other.offset) == (6 + len(traceback) - 12, 6 + len(traceback) - 12)


def test_odd_bytes_are_replaced() -> None:
    (record,) = read(b"ERROR: \0 and \xff\xfe\n  \xc3\x28\n")
    assert record.message == "\0 and \ufffd\ufffd"
    assert record.details == "  \ufffd("


# Times


def test_a_record_without_a_time_has_the_last_one_before_it() -> None:
    data = b"ERROR: first\n" + stamped(1, b"INFO") + b"ERROR: second\n" + stamped(2) + b"ERROR: third\nERROR: fourth\n"
    assert [record.time for record in read(data)] == [None, NOON + 1, NOON + 2, NOON + 2, NOON + 2]


def test_the_time_of_a_json_record_passes_on_as_well() -> None:
    data = stamped(1) + b'{"level": "error", "ts": 1748865605}\nERROR: x\n'
    assert [record.time for record in read(data)] == [NOON + 1, NOON + 5, NOON + 5]


def test_an_indented_time_is_not_passed_on() -> None:
    data = stamped(1, b"INFO") + b"  2025-06-02T13:00:00Z in a traceback\n2025-13-45T13:00:00Z never\nERROR: x\n"
    assert [record.time for record in read(data)] == [NOON + 1]


def test_the_last_time_is_found_in_an_earlier_block(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch, 100)
    data = stamped(1) + stamped(2, b"INFO") + b"INFO: x\n" * 10 + b"ERROR: x\n" + b"INFO: x\n" * 30 + b"ERROR: y\n"
    assert [record.time for record in read(data)] == [NOON + 1, NOON + 2, NOON + 2]


def test_the_last_time_is_looked_for_in_no_more_than_a_megabyte_or_two() -> None:
    rest = b"INFO: x\n" * (1 << 16)
    for blocks, expected in ((1, NOON + 1), (8, None)):
        assert read(stamped(1, b"INFO") + rest * blocks + b"ERROR: x\n")[0].time == expected


def test_the_last_time_is_found_up_to_a_megabyte_before_the_start() -> None:
    line = stamped(1, b"INFO")
    limit = (1 << 20) - len(line)
    for between, expected in ((0, NOON + 1), (10, NOON + 1), (limit, NOON + 1), (limit + 1, None)):
        data = line + (b"x" * (between - 1) + b"\n" if between else b"")
        assert read(data + b"ERROR: x\n", start=len(data))[0].time == expected


@pytest.mark.parametrize("before", [b"", b'ERROR: x\n{"level": "error", "ts": 1748865601}\n'])
def test_the_last_time_is_looked_for_in_the_latest_blocks_that_are_a_megabyte(
    monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """Of blocks that are shorter than the limit, the oldest goes once the others reach it without it."""
    monkeypatch.setattr(module, "_BACK", 200)
    line = stamped(5, b"INFO")
    first = NOON + 1 if before else None
    for lengths, expected in (
        ((199,), NOON + 5),
        ((200,), first),
        ((100, 99), NOON + 5),
        ((100, 100), first),
        ((150, 40, 9), NOON + 5),
        ((50, 100, 50), first),
    ):
        texts = [before, line, *(b"x" * (length - 1) + b"\n" for length in lengths), b"ERROR: y\n"]
        texts = [text for text in texts if text]
        starts = [*accumulate(map(len, texts), initial=0)]
        pieces = [Chunk(start, text) for start, text in zip(starts, texts, strict=False)]
        with monkeypatch.context() as patch:
            patch.setattr(module, "chunks", lambda _source, _start, pieces=pieces: iter(pieces))
            assert read(b"".join(texts))[-1].time == expected, lengths


def test_a_time_that_was_found_is_forgotten_once_a_later_one_is_known() -> None:
    data = stamped(1, b"INFO") + b'ERROR: x\n{"level": "error", "ts": 1748865605}\nERROR: y\n'
    assert [record.time for record in read(data)] == [NOON + 1, NOON + 5, NOON + 5]


@pytest.mark.parametrize("indent", [b" ", b"\t", b"  "])
def test_a_time_that_is_indented_is_not_the_last_one(indent: bytes) -> None:
    data = stamped(1, b"INFO") + indent + b"2025-06-02T13:00:00Z in a traceback\n\nERROR: x\n"
    assert [record.time for record in read(data)] == [NOON + 1]


def test_many_errors_without_a_time_take_no_more_than_one_look_each(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0

    def counted(line: bytes) -> float | None:
        nonlocal looked
        looked += 1
        return time_of(line)

    monkeypatch.setattr(module, "time_of", counted)
    number = 2000
    assert len(read(b"ERROR: it failed\nINFO: x\n" * number)) == number
    assert looked <= 3 * number


# Files


def test_a_huge_line_is_read_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.log").open("wb") as file:
        file.write(stamped(0) + stamped(1, message=b""))
        file.seek(-1, 2)
        for _ in range(30):
            file.write(b"ERROR x " * (1 << 17))
        file.write(b"\n" + stamped(2))
    tracemalloc.start()
    try:
        found = read_file(tmp_path, "a.log")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert [record.time for record in found] == [NOON, NOON + 1, NOON + 2]
    assert len(found[1].message) <= LINE
    assert found[2].message == "it failed"


def test_a_huge_line_of_a_traceback_ends_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks(monkeypatch, 1000)
    data = stamped(0) + b"  " + b"x" * 10_000 + b"\nKeyError: 1\n" + stamped(1)
    first, second = read(data)
    assert first.details.endswith("KeyError: 1")
    assert first.end == second.offset


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF8, "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_logs_in_other_encodings(tmp_path: Path, bom: bytes, encoding: str) -> None:
    text = (stamped(0) + TRACEBACK + b"\n").decode() + stamped(1, b"CRITICAL").decode() + "  \u00e9\n"
    write(tmp_path, "a.log", bom + text.encode(encoding))
    first, second = read_file(tmp_path, "a.log")
    assert (first.level, first.time, first.logger, first.details) == (Level.ERROR, NOON, "api", TRACEBACK.decode())
    assert (second.level, second.message, second.details) == (Level.CRITICAL, "it failed", "  \u00e9")


def test_an_archive_is_read_like_its_log(tmp_path: Path) -> None:
    data = (stamped(0) + TRACEBACK + b"\n" + stamped(1, b"INFO")) * (3 * BLOCK // 300)
    write(tmp_path, "a.log", data)
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(data[:1_000_000], 1) + gzip.compress(data[1_000_000:], 1))
    assert read_file(tmp_path, "a.log.gz") == read_file(tmp_path, "a.log")


def test_of_a_damaged_archive_the_records_before_the_damage_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(stamped(0) + TRACEBACK + b"\n" + stamped(1))[:-5])
    with open_log(tmp_path, "a.log.gz") as source:
        found = records(source, HYPERSCAN, LevelClassifiers().of(source))
        assert next(found).time == NOON
        with pytest.raises(DamagedArchive):
            list(found)


def test_the_zone_of_local_times(tmp_path: Path, set_zone: SetZone) -> None:
    write(tmp_path, "a.log", b"2025-06-02 14:00:00,500 ERROR x\n")
    set_zone("Europe/Berlin")
    assert read_file(tmp_path, "a.log")[0].time == NOON + 0.5


@given(data=st.binary(max_size=300), start=st.integers(0, 300))
def test_any_bytes_are_survived(data: bytes, start: int) -> None:
    for find in (HYPERSCAN,):
        for classifier in (LevelClassifiers().shaped, LevelClassifiers().free):
            source: LogSource = in_memory(data)
            assert all(record.offset >= start for record in records(source, find, classifier, start))


# The text in front of what is read


def test_the_text_before_an_offset_is_what_a_traceback_there_is_judged_by() -> None:
    text = bytes(number % 251 for number in range(3 * CONTEXT))
    for offset in (0, 1, CONTEXT - 1, CONTEXT, CONTEXT + 1, 2 * CONTEXT):
        before = text_before(in_memory(text), offset)
        assert before == text[max(offset - CONTEXT, 0) : offset]
        for end in (offset, offset + 1, offset + CONTEXT - 1, offset + CONTEXT, 3 * CONTEXT):
            assert text_after(before, text[offset:end]) == text[max(end - CONTEXT, 0) : end]
