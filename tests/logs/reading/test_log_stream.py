from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tasks.logs.log_archives import ArchiveOrigin, archive_name, gzip_header
from tasks.logs.reading.log_source import chunks, open_log
from tasks.logs.reading.log_stream import (
    ArchivedPart,
    Cursor,
    StreamSegment,
    archives_by_log,
    cursor_at,
    stream_segments,
)
from tests.examples import examples

from .conftest import write

DAY = date(2025, 6, 2)
MONTH = "2025/06"
RECORD = re.compile(rb"#(\d+)#")


class Reader:
    """Reads the logs of a folder as the monitor does, and keeps its cursors as JSON."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: dict[str, bytes] = {}
        self.all_names = False

    def cursor(self, name: str) -> Cursor | None:
        return msgspec.json.decode(self.kept[name], type=Cursor) if name in self.kept else None

    def parts(self, name: str, packed: dict[str, list[ArchivedPart]], *, since: float = 0) -> list[StreamSegment]:
        logs = self.root / "logs"
        others = [path for path in logs.iterdir() if path.is_file() and (self.all_names or path.suffix != ".log")]
        names = {path.stat().st_ino: f"logs/{path.name}" for path in others}
        cursor = self.cursor(name)
        present = (logs / name).exists()
        found = stream_segments(
            self.root, f"logs/{name}", cursor, packed.get(name, ()), names, present=present, since=since
        )
        return list(found)

    def visit(self, only: str | None = None, *, since: float = 0) -> dict[str, list[int]]:
        """Return the numbers of the records that are new, by log."""
        packed = archives_by_log(self.root, "logs")
        present = {path.name for path in (self.root / "logs").glob("*.log")}
        seen: dict[str, list[int]] = {}
        for name in sorted({*present, *packed, *self.kept} if only is None else {only}):
            for part in self.parts(name, packed, since=since):
                with open_log(self.root, part.path) as source:
                    text = b"".join(chunk.data for chunk in chunks(source))
                    if part.new_from is not None:
                        seen.setdefault(name, []).extend(map(int, RECORD.findall(text[part.new_from :])))
                    if not part.packed:
                        cursor = cursor_at(source, len(text), packed.get(name, ()))
                        self.kept[name] = msgspec.json.encode(cursor)
        return seen


class Logs:
    """A folder of logs, and what may happen to them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "logs"
        self.folder.mkdir()
        self.number = 0

    def record(self, padding: int = 0) -> tuple[int, bytes]:
        self.number += 1
        return self.number, b"2025-06-02 12:00:00 ERROR #%d# %s\n" % (self.number, b"x" * padding)

    def append(self, name: str, *paddings: int) -> list[int]:
        """Append a record for each padding, and return their numbers."""
        added = [self.record(padding) for padding in paddings or (0,)]
        with (self.folder / name).open("ab") as file:
            file.writelines(line for _, line in added)
        return [number for number, _ in added]

    def truncate(self, name: str) -> None:
        os.truncate(self.folder / name, 0)

    def replace(self, name: str) -> None:
        """Put an empty file in the place of a log, as an editor would."""
        other = self.folder / "new"
        other.write_bytes(b"")
        other.rename(self.folder / name)

    def shift(self, name: str, *, recreate: bool = True) -> None:
        """Rename a log as ``RotatingFileHandler`` does."""
        (self.folder / name).rename(self.folder / f"{name}.1")
        if recreate:
            (self.folder / name).write_bytes(b"")

    def archive(self, name: str, end: int, released: int) -> Path:
        path = self.folder / name
        status = path.stat()
        origin = ArchiveOrigin(
            log=name, device=status.st_dev, inode=status.st_ino, end=end, released=released, rotated="2025-06-02T12:00"
        )
        month = self.folder / "archive" / MONTH
        month.mkdir(parents=True, exist_ok=True)
        serial = 1
        while (target := month / archive_name(name, DAY, serial)).exists():
            serial += 1
        packed = gzip.compress(path.read_bytes()[:end])
        target.write_bytes(gzip_header(origin, 0) + packed[10:])
        return target

    def rotate_by_renaming(self, name: str) -> None:
        path = self.folder / name
        size = path.stat().st_size
        if size:
            self.archive(name, size, size)
            fresh = self.folder / "fresh"
            fresh.write_bytes(b"")
            fresh.rename(path)

    def rotate_by_collapsing(self, name: str, block: int, *, force: bool = False, back: int = 0) -> None:
        """Archive and release the blocks of a log, all but the last ones (*back*)."""
        path = self.folder / name
        text = path.read_bytes()
        released = len(text) // block * block
        if released and released >= len(text):
            released -= block
        released = max(released - back * block, min(released, block))
        end = len(text) if force else text.find(b"\n", released - 1) + 1 if released else 0
        if not end:
            return
        self.archive(name, end, released)
        blanks = (b" " * (end - released))[:-1] + b"\n" if end > released else b""
        with path.open("r+b") as file:
            file.truncate(0)
            file.write(blanks + text[end:])

    def rotate_by_truncating(self, name: str) -> None:
        path = self.folder / name
        size = path.stat().st_size
        if size:
            self.archive(name, size, size)
            os.truncate(path, 0)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


@pytest.fixture
def reader(tmp_path: Path, logs: Logs) -> Reader:
    assert logs.root == tmp_path
    return Reader(tmp_path)


NAMES = ("api.log", "zbeam.log")
names = st.sampled_from(NAMES)
paddings = st.lists(st.sampled_from([0, 7, 100, 400, 1500]), min_size=1, max_size=4)


class Streams(RuleBasedStateMachine):
    """Whatever happens between two visits, every record that is still somewhere is told once."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.logs = Logs(self.root)
        self.reader = Reader(self.root)
        self.reported: Counter[int] = Counter()
        self.due: dict[str, set[int]] = {name: set() for name in NAMES}
        self.live: dict[str, set[int]] = {name: set() for name in NAMES}
        self.shifted: dict[str, set[int]] = {name: set() for name in NAMES}
        """Records in NAME.1 that nobody has seen."""
        self.led: dict[str, int | None] = dict.fromkeys(NAMES)
        """The inode of the file that the cursor knows."""

    @initialize(all_names=st.booleans())
    def begin(self, all_names: bool) -> None:  # noqa: FBT001
        self.reader.all_names = all_names
        for name in NAMES:
            self.logs.append(name, 0)
        self.visit()
        self.reported.clear()

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def inode(self, name: str) -> int:
        return (self.root / "logs" / name).stat().st_ino

    @rule(name=names, sizes=paddings)
    def append(self, name: str, sizes: list[int]) -> None:
        self.live[name] |= set(self.logs.append(name, *sizes))

    @rule(name=names)
    def truncate(self, name: str) -> None:
        self.logs.truncate(name)
        self.live[name].clear()

    @rule(name=names)
    def replace(self, name: str) -> None:
        self.logs.replace(name)
        self.live[name].clear()

    @rule(name=names)
    def rename(self, name: str) -> None:
        self.shifted[name] = self.live[name] if self.led[name] == self.inode(name) else set()
        self.live[name] = set()
        self.logs.shift(name)

    @rule(name=names, sizes=paddings)
    def append_to_the_renamed(self, name: str, sizes: list[int]) -> None:
        renamed = f"{name}.1"
        if (self.root / "logs" / renamed).exists() and self.led[name] == self.inode(renamed):
            self.shifted[name] |= set(self.logs.append(renamed, *sizes))

    def archived(self, name: str, numbers: set[int]) -> None:
        self.due[name] |= numbers
        self.live[name] -= numbers

    def numbers(self, name: str) -> set[int]:
        return set(map(int, RECORD.findall((self.root / "logs" / name).read_bytes())))

    @rule(name=names)
    def rotate_by_renaming(self, name: str) -> None:
        self.logs.rotate_by_renaming(name)
        self.archived(name, set(self.live[name]))

    @rule(name=names)
    def rotate_by_truncating(self, name: str) -> None:
        self.logs.rotate_by_truncating(name)
        self.archived(name, set(self.live[name]))

    @rule(name=names, block=st.sampled_from([64, 512, 2048]), back=st.integers(-1, 5))
    def rotate_by_collapsing(self, name: str, block: int, back: int) -> None:
        self.logs.rotate_by_collapsing(name, block, force=back < 0, back=max(back, 0))
        self.archived(name, self.live[name] - self.numbers(name))

    @rule()
    def visit(self) -> None:
        for name, numbers in self.reader.visit().items():
            self.reported.update(numbers)
            assert len(numbers) == len(set(numbers))
            if name in self.due:
                expected = self.due[name] | self.live[name] | self.shifted[name]
                if self.led[name] is not None:
                    assert set(numbers) == expected
                    others = [number for number in numbers if number not in self.shifted[name]]
                    assert others == sorted(others), "in the order of the stream"
        for name in NAMES:
            if self.led[name] is not None:
                missing = (self.due[name] | self.live[name] | self.shifted[name]) - set(self.reported)
                assert not missing
            for waiting in (self.due, self.live, self.shifted):
                waiting[name] = set()
            self.led[name] = self.inode(name)

    @invariant()
    def nothing_is_reported_twice(self) -> None:
        assert not [number for number, times in self.reported.items() if times > 1]


Streams.TestCase.settings = settings(
    max_examples=examples(150), stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_whatever_happens_every_record_is_told_once = Streams.TestCase


def test_at_the_first_visit_only_the_window_is_new(logs: Logs, reader: Reader) -> None:
    for mtime in (1000, 2000, 3000):
        logs.append("a.log")
        logs.rotate_by_renaming("a.log")
        (logs.folder / "archive" / MONTH / archive_name("a.log", DAY, mtime // 1000)).touch()
        os.utime(logs.folder / "archive" / MONTH / archive_name("a.log", DAY, mtime // 1000), (mtime, mtime))
    logs.append("a.log")
    parts = reader.parts("a.log", archives_by_log(logs.root, "logs"), since=2000)
    assert parts == [
        StreamSegment("logs/archive/2025/06/a_20250602_2.log.gz", 0, packed=True),
        StreamSegment("logs/archive/2025/06/a_20250602_3.log.gz", 0, packed=True),
        StreamSegment("logs/a.log", 0, packed=False),
    ]
    (logs.folder / "a.log").unlink()
    assert reader.parts("a.log", archives_by_log(logs.root, "logs"), since=2000) == parts[:2]


def test_what_lies_in_the_window_is_read_again_but_is_not_new(logs: Logs, reader: Reader) -> None:
    logs.append("a.log")
    logs.rotate_by_renaming("a.log")
    logs.append("a.log")
    reader.visit()
    archive = "logs/archive/2025/06/a_20250602.log.gz"
    size = (logs.folder / "a.log").stat().st_size
    packed = archives_by_log(logs.root, "logs")
    assert reader.parts("a.log", packed) == [
        StreamSegment(archive, None, packed=True),
        StreamSegment("logs/a.log", size, packed=False),
    ]
    mtime = (logs.root / archive).stat().st_mtime
    assert reader.parts("a.log", packed, since=mtime + 1) == [StreamSegment("logs/a.log", size, packed=False)]


@pytest.mark.parametrize("back", [0, 1, 3])
@pytest.mark.parametrize("block", [64, 512, 4096])
@pytest.mark.parametrize("read", [1, 5, 20, 60])
def test_a_log_whose_start_was_archived_is_read_on(
    logs: Logs, reader: Reader, read: int, block: int, back: int
) -> None:
    logs.append("a.log", *[100] * read)
    reader.visit()
    for _ in range(3):
        logs.rotate_by_collapsing("a.log", block, back=back)
        logs.append("a.log", 0)
    logs.append("a.log", *[100] * 30)
    logs.rotate_by_collapsing("a.log", block, back=back)
    logs.append("a.log", 0)
    assert reader.visit() == {"a.log": [*range(read + 1, read + 35)]}
    assert reader.visit() == {"a.log": []}


@pytest.mark.parametrize("back", [0, 1, 2])
def test_what_was_read_is_not_told_again_where_the_rest_of_the_log_is_gone(
    logs: Logs, reader: Reader, back: int
) -> None:
    """The archive holds what was read; then the log was truncated."""
    logs.append("a.log", *[100] * 20)
    reader.visit()
    logs.rotate_by_collapsing("a.log", 512, back=back)
    logs.truncate("a.log")
    logs.append("a.log", *[100] * 30)
    assert reader.visit() == {"a.log": [*range(21, 51)]}


def test_a_place_in_a_second_archive_with_little_text_before_it_is_found(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 0, 0, 0, 0)
    reader.visit()
    logs.rotate_by_collapsing("a.log", 64)
    logs.rotate_by_renaming("a.log")
    assert reader.visit() == {"a.log": []}


def test_a_place_in_the_log_with_little_text_before_it_is_found(logs: Logs, reader: Reader) -> None:
    for replaced in (False, True):
        (logs.folder / "a.log").write_bytes(b"")
        reader.visit()
        logs.append("a.log", 0, 0, 0, 0)
        reader.visit()
        logs.rotate_by_collapsing("a.log", 64)
        if replaced:
            logs.replace("a.log")
        numbers = logs.append("a.log", 0, 0, 0)
        assert reader.visit() == {"a.log": numbers}


@pytest.mark.parametrize("change", ["shift", "truncate", "replace"])
def test_a_new_log_that_reads_alike_at_the_place_is_known_by_its_head(logs: Logs, reader: Reader, change: str) -> None:
    logs.append("a.log", 0, 1500)
    reader.visit()
    if change == "shift":
        logs.shift("a.log")
    else:
        (logs.folder / "a.log").write_bytes(b"")
        if change == "replace":
            logs.replace("a.log")
    numbers = logs.append("a.log", 0, 1500)
    assert reader.visit() == {"a.log": numbers}


def test_the_rest_of_a_renamed_log_is_read_before_the_archive_of_the_next(logs: Logs, reader: Reader) -> None:
    logs.append("a.log")
    assert reader.visit() == {"a.log": [1]}
    logs.append("a.log")
    logs.shift("a.log")
    logs.append("a.log")
    logs.rotate_by_renaming("a.log")
    logs.append("a.log")
    assert reader.visit() == {"a.log": [2, 3, 4]}


def test_the_rest_of_a_renamed_log_is_read_after_its_own_archive(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", *[100] * 20)
    reader.visit()
    logs.append("a.log", *[100] * 20)
    logs.rotate_by_collapsing("a.log", 4096)
    logs.append("a.log")
    logs.shift("a.log")
    logs.append("a.log")
    assert reader.visit() == {"a.log": [*range(21, 43)]}


def test_a_log_that_was_empty_when_it_was_visited_is_followed_by_its_inode(logs: Logs, reader: Reader) -> None:
    (logs.folder / "a.log").write_bytes(b"")
    (logs.folder / "other.log").write_bytes(b"")
    reader.visit()
    logs.append("a.log")
    logs.shift("a.log")
    logs.append("a.log")
    assert reader.visit("a.log") == {"a.log": [1, 2]}


def test_a_renamed_log_without_a_new_one_is_read_on(logs: Logs, reader: Reader) -> None:
    logs.append("a.log")
    reader.visit()
    logs.append("a.log")
    logs.shift("a.log", recreate=False)
    assert reader.visit() == {"a.log": [2]}
    assert reader.visit() == {"a.log": []}
    logs.append("a.log")
    assert reader.visit() == {"a.log": [3]}


def test_a_log_that_bears_any_other_name_is_read_on_where_its_text_goes_on(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 100)
    reader.visit()
    logs.append("a.log")
    (logs.folder / "a.log").rename(logs.folder / "yesterday")
    logs.append("a.log")
    assert reader.visit() == {"a.log": [2, 3]}


def test_another_file_of_the_same_inode_is_not_taken_for_the_log(logs: Logs, reader: Reader) -> None:
    for content in (b"", b"#98# of something else\n" * 90):
        (logs.folder / "a.log").write_bytes(b"")
        reader.visit()
        logs.append("a.log", 100)
        reader.visit()
        (logs.folder / "a.log").rename(logs.folder / "notes")
        (logs.folder / "notes").write_bytes(content)
        (number,) = logs.append("a.log", 2000)
        assert reader.visit() == {"a.log": [number]}
        (logs.folder / "a.log").unlink()
        (logs.folder / "notes").unlink()


def test_a_copy_that_takes_the_place_of_the_log_is_read_on(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 100)
    reader.visit()
    logs.append("a.log")
    path = logs.folder / "a.log"
    path.rename(logs.folder / "a.log.1")
    shutil.copy(logs.folder / "a.log.1", path)
    logs.append("a.log")
    assert reader.visit() == {"a.log": [2, 3]}


def test_a_project_that_was_moved_is_read_on(logs: Logs, reader: Reader, tmp_path: Path) -> None:
    logs.append("a.log", *[100] * 20)
    reader.visit()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(logs.folder, elsewhere / "logs")
    moved = Logs.__new__(Logs)
    moved.root, moved.folder, moved.number = elsewhere, elsewhere / "logs", logs.number
    moved.append("a.log", *[100] * 60)
    moved.rotate_by_collapsing("a.log", 512)
    moved.append("a.log")
    moved.rotate_by_collapsing("a.log", 512)
    moved.append("a.log")
    reader.root = elsewhere
    assert reader.visit() == {"a.log": [*range(21, 83)]}


def test_an_archive_of_another_making_is_gone_through(logs: Logs, reader: Reader) -> None:
    lines = [logs.record(200)[1] for _ in range(10)]
    (logs.folder / "a.log").write_bytes(b"".join(lines[:5]))
    reader.visit()
    write(logs.root, "logs/archive/2025/06/a_20250602.log.gz", b"".join(lines))
    (logs.folder / "a.log").write_bytes(b"")
    logs.append("a.log")
    assert reader.visit() == {"a.log": [*range(6, 12)]}


def test_whatever_was_archived_since_a_log_was_empty_is_new(logs: Logs, reader: Reader) -> None:
    (logs.folder / "a.log").write_bytes(b"")
    reader.visit()
    write(logs.root, "logs/archive/2025/06/a_20250602.log.gz", logs.record()[1])
    logs.append("a.log")
    assert reader.visit() == {"a.log": [1, 2]}
    assert reader.visit() == {"a.log": []}


def test_an_archive_of_another_making_and_another_time_proves_nothing(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 200)
    reader.visit()
    write(logs.root, "logs/archive/2025/06/a_20250602.log.gz", logs.record(200)[1])
    (number,) = logs.append("a.log")
    assert reader.visit() == {"a.log": [number]}


def test_where_the_text_is_gone_an_archive_of_another_making_is_new(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 200)
    reader.visit()
    logs.truncate("a.log")
    write(logs.root, "logs/archive/2025/06/a_20250602.log.gz", logs.record(200)[1])
    logs.append("a.log")
    assert reader.visit() == {"a.log": [2, 3]}


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_archive_proves_nothing(logs: Logs, reader: Reader, damage: str) -> None:
    logs.append("a.log", *[300] * 20)
    reader.visit()
    logs.append("a.log")
    logs.rotate_by_renaming("a.log")
    logs.append("a.log")
    archive = logs.folder / "archive" / MONTH / "a_20250602.log.gz"
    packed = archive.read_bytes()
    content = packed.index(b"\0", 10) + 1
    archive.write_bytes(packed[:250] if damage == "cut" else packed[:content] + b"\xff" * 20)
    parts = reader.parts("a.log", archives_by_log(logs.root, "logs"))
    assert [(part.path[-6:], part.new_from) for part in parts] == [("log.gz", 0), ("/a.log", 0)]
    archive.unlink()
    archive.symlink_to("nowhere")
    assert reader.visit() == {"a.log": [22]}


def test_archives_are_known_by_their_names_even_when_the_oldest_are_deleted(logs: Logs, reader: Reader) -> None:
    for _ in range(5):
        logs.append("a.log")
        logs.rotate_by_renaming("a.log")
    assert reader.visit() == {"a.log": [1, 2, 3, 4, 5]}
    cursor = reader.cursor("a.log")
    assert cursor is not None
    assert cursor.archives == [f"{MONTH}/a_20250602_{serial}.log.gz" for serial in (3, 4, 5)]
    month = logs.folder / "archive" / MONTH
    for name in ("a_20250602.log.gz", "a_20250602_2.log.gz", "a_20250602_3.log.gz"):
        (month / name).unlink()
    logs.append("a.log")
    assert reader.visit() == {"a.log": [6]}
    for path in month.iterdir():
        path.unlink()
    logs.append("a.log")
    assert reader.visit() == {"a.log": [7]}


def test_archives_belong_to_the_log_that_their_header_names(logs: Logs) -> None:
    logs.append("a.log")
    archive = logs.archive("a.log", 10, 10)
    archive.rename(archive.with_name("b_20250601_2.log.gz"))
    write(logs.root, "logs/archive/2025/06/a_20250603.log.gz", b"x")
    write(logs.root, "logs/archive/2025/06/a_20250601_10.log.gz", b"x")
    write(logs.root, "logs/archive/2025/06/foreign.gz", b"x")
    found = archives_by_log(logs.root, "logs")
    assert {log: [each.key[8:] for each in packed] for log, packed in found.items()} == {
        "a.log": ["b_20250601_2.log.gz", "a_20250601_10.log.gz", "a_20250603.log.gz"]
    }
    assert [each.origin is None for each in found["a.log"]] == [False, True, True]


def test_what_vanishes_while_its_header_is_read_is_an_archive_without_one(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.append("a.log")
    logs.archive("a.log", 10, 10)
    real = os.open

    def vanishing(path: Any, *arguments: Any, **named: Any) -> int:
        if str(path).endswith(".gz"):
            raise FileNotFoundError(2, "No such file or directory")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", vanishing)
    (packed,) = archives_by_log(logs.root, "logs")["a.log"]
    assert packed.origin is None


def test_a_cursor_keeps_no_text_of_the_log(logs: Logs, reader: Reader) -> None:
    logs.append("a.log", 300)
    reader.visit()
    kept = reader.kept["a.log"]
    assert b"xxx" not in kept
    cursor = reader.cursor("a.log")
    assert cursor is not None
    assert sorted(map(int, cursor.before)) == [32, 256, cursor.offset]
    with open_log(logs.root, "logs/a.log") as source:
        assert cursor_at(source, cursor.offset, ()) == cursor
        assert cursor_at(source, 0, ()).before == {}
