from __future__ import annotations

import gzip
import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.files.safe_files import Refused
from tasks.logs import log_archives as module
from tasks.logs.log_archives import (
    HEADER_LIMIT,
    ArchiveOrigin,
    LogArchive,
    archive_name,
    gzip_header,
    list_archives,
    origin_of,
    stem_of,
)

DAY = date(2025, 6, 2)
ORIGIN = ArchiveOrigin(log="app.log", device=1, inode=2, end=300, released=256, rotated="2025-06-02T12:00:00+00:00")


def listed(root: Path) -> list[LogArchive]:
    return list(list_archives(root, "logs"))


def put(root: Path, path: str, content: bytes = b"x") -> None:
    target = root / "logs/archive" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def test_names() -> None:
    assert archive_name("app.log", DAY, 1) == "app_20250602.log.gz"
    assert archive_name("app.log", DAY, 2) == "app_20250602_2.log.gz"
    assert archive_name("app", DAY, 12) == "app_20250602_12.log.gz"
    assert archive_name("app.log.log", DAY, 1) == "app.log_20250602.log.gz"
    assert archive_name("app.txt", DAY, 1) == "app.txt_20250602.log.gz"
    assert stem_of("app.log") == stem_of("app") == "app"


ODD = [
    "a",
    "a b",
    "new\nline",
    "\udcff\udcfe",
    "é",
    "a_20250602",
    "a_20250602_2",
    "-rf",
    "x" * 200,
    "a'\"\\",
    "\x1b[31m",
]
names = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40),
)


@given(
    stem=names,
    day=st.dates(date(1000, 1, 1)),
    serial=st.one_of(st.integers(1, 3), st.integers(1, 10**6)),
)
def test_what_is_named_is_understood_again(stem: str, day: date, serial: int) -> None:
    name = archive_name(f"{stem}.log", day, serial)
    status = Path(__file__).stat()
    assert module._parse_archive("2025/06", name, status) == LogArchive("2025/06", name, stem, day, serial, status)


def test_the_walk_goes_from_the_oldest_month_to_the_newest(tmp_path: Path) -> None:
    for path in (
        "2025/10/app_20251001.log.gz",
        "2025/09/app_20250930_2.log.gz",
        "2025/09/app_20250930.log.gz",
        "2024/12/app_20241231.log.gz",
        "2025/09/api_20250930.log.gz",
    ):
        put(tmp_path, path, b"12345")
    found = listed(tmp_path)
    assert [(each.month, each.stem, each.day, each.serial) for each in found] == [
        ("2024/12", "app", date(2024, 12, 31), 1),
        ("2025/09", "api", date(2025, 9, 30), 1),
        ("2025/09", "app", date(2025, 9, 30), 1),
        ("2025/09", "app", date(2025, 9, 30), 2),
        ("2025/10", "app", date(2025, 10, 1), 1),
    ]
    assert {each.status.st_size for each in found} == {5}


FOREIGN = [
    "old.gz",
    "app_2025.log.gz",
    "app_20251341.log.gz",
    "app_20250230.log.gz",
    "app_20250602_x.log.gz",
    "app_20250602_.log.gz",
    "app-20250602.log.gz",
    "_20250602.log.gz",
    "app_20250602.gz",
    "app_20250602.log.gz.gz",
    "app_00000000.log.gz",
]


def test_other_gzip_files_are_given_without_a_day(tmp_path: Path) -> None:
    for name in FOREIGN:
        put(tmp_path, f"2025/06/{name}")
    found = listed(tmp_path)
    assert sorted(each.name for each in found) == sorted(FOREIGN)
    assert {(each.stem, each.day, each.serial) for each in found} == {(None, None, 1)}


def test_what_is_no_archive_is_passed_over(tmp_path: Path) -> None:
    for path in ("2025/06/notes.txt", "2025/06/app_20250602.log", "2025/x/a.gz", "2025/6/a.gz", "25/06/a.gz", "a.gz"):
        put(tmp_path, path)
    put(tmp_path, "2025/07", b"a file where a month would be")
    put(tmp_path, "2026", b"a file where a year would be")
    month = tmp_path / "logs/archive/2025/06"
    (month / "folder.gz").mkdir()
    (month / "link.gz").symlink_to("notes.txt")
    os.mkfifo(month / "pipe.gz")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/app_20250602.log.gz").write_bytes(b"x")
    (tmp_path / "logs/archive/2025/08").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "logs/archive/2027").symlink_to(tmp_path / "logs/archive/2025")
    assert listed(tmp_path) == []


def test_without_an_archive_there_is_nothing(tmp_path: Path) -> None:
    assert listed(tmp_path) == []
    (tmp_path / "logs").mkdir()
    assert listed(tmp_path) == []


def test_an_archive_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/archive").symlink_to("..")
    with pytest.raises(Refused):
        listed(tmp_path)


def test_a_month_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "2025/05/app_20250502.log.gz")
    put(tmp_path, "2025/06/app_20250602.log.gz")
    real = os.open

    def refuse(path: Any, *arguments: Any, **named: Any) -> int:
        if path == "06":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    walk = list_archives(tmp_path, "logs")
    assert next(walk).name == "app_20250502.log.gz"
    with pytest.raises(PermissionError):
        next(walk)


def test_what_vanishes_during_the_walk_is_passed_over(tmp_path: Path) -> None:
    for path in ("2025/06/a_20250602.log.gz", "2025/06/b_20250602.log.gz", "2025/06/c_20250602.log.gz"):
        put(tmp_path, path)
    put(tmp_path, "2025/07/d_20250702.log.gz")
    put(tmp_path, "2025/08/e_20250802.log.gz")
    walk = list_archives(tmp_path, "logs")
    assert next(walk).stem == "a"
    (tmp_path / "logs/archive/2025/06/b_20250602.log.gz").unlink()
    (tmp_path / "logs/archive/2025/07/d_20250702.log.gz").unlink()
    (tmp_path / "logs/archive/2025/07").rmdir()
    assert [each.stem for each in walk] == ["c", "e"]


# Headers


@given(
    log=st.one_of(st.sampled_from([f"{name}.log" for name in ODD]), st.text(max_size=60)),
    numbers=st.tuples(*[st.integers(0, 2**63 - 1)] * 4),
    rotated=st.text(max_size=40),
    mtime=st.one_of(st.floats(-1e12, 1e12), st.sampled_from([0, -1, 2**32 - 1, 2**32])),
    content=st.binary(max_size=100),
)
def test_a_header_says_what_was_put_into_it(
    log: str, numbers: tuple[int, int, int, int], rotated: str, mtime: float, content: bytes
) -> None:
    device, inode, end, released = numbers
    origin = ArchiveOrigin(log=log, device=device, inode=inode, end=end, released=released, rotated=rotated)
    start = gzip_header(origin, mtime)
    assert origin_of(start) == origin
    packed = start + gzip.compress(content)[10:]
    assert gzip.decompress(packed) == content
    assert origin_of(packed) == origin
    assert all(origin_of(packed[:cut]) is None for cut in range(0, len(start), 7))


@pytest.mark.parametrize("name", ["\udcff" * 255, "x" * 255, "\U0001f600" * 63, "\x01" * 255])
def test_the_longest_header_ends_within_its_limit(name: str) -> None:
    origin = msgspec.structs.replace(ORIGIN, log=name, device=2**63, inode=2**63, end=2**63, released=2**63)
    assert len(gzip_header(origin, 0)) <= HEADER_LIMIT


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x10",
        b"PK\3\4" + b"x" * 20,
        gzip.compress(b"x", mtime=0),
        gzip_header(ORIGIN, 0).replace(b"\x10", b"\x18", 1),
        gzip_header(ORIGIN, 0)[:-1],
        gzip_header(ORIGIN, 0).replace(b"released", b"realised"),
        gzip_header(ORIGIN, 0).replace(b"300", b'"x"'),
        gzip_header(ORIGIN, 0).replace(b"app.log", b"\xff\xfe"),
        b"\x1f\x8b\x08\x10" + b"\0" * 6 + b"a comment\0",
        b"\x1f\x8b\x08\x10" + b"\0" * 6 + b"\0",
        b"\x1f\x8b\x08\x10" + b"\0" * 6 + b"[1]\0",
        b"\x1f\x8b\x08\x10" + b"\0" * 6 + b"[" * 4000 + b"\0",
        b"\x1f\x8b\x08\x10" + b"\0" * 6 + b'{"a":' * 800 + b"\0",
    ],
)
def test_what_is_not_our_header(start: bytes) -> None:
    assert origin_of(start) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_no_header(data: bytes) -> None:
    assert origin_of(data) is None
    assert origin_of(b"\x1f\x8b\x08\x10" + data) is None


def test_status_is_what_lstat_says(tmp_path: Path) -> None:
    put(tmp_path, "2025/06/app_20250602.log.gz")
    (found,) = listed(tmp_path)
    assert stat.S_ISREG(found.status.st_mode)
    assert found.status.st_ino == (tmp_path / "logs/archive/2025/06/app_20250602.log.gz").stat().st_ino
