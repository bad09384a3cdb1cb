from __future__ import annotations

import gzip
import os
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.core.settings.model import Settings
from tasks.logs.errors.error_monitor import watch
from tasks.logs.errors.monitor_files import read_tracking
from tasks.logs.reading.log_levels import Level, LevelClassifiers, find_with_hyperscan, find_with_re
from tasks.logs.reading.log_records import records
from tasks.logs.reading.log_source import open_log
from tasks.logs.reading.timestamps import time_of

CRASH = """Traceback (most recent call last):
  File "/srv/app/run.py", line 3, in <module>
    main()
KeyError: 'density'
"""
INFO = "2025-06-02 11:59:00,000 - app - INFO - begun\n"
ERROR = "2025-06-02 11:59:00,000 - app - ERROR - it failed\n"
WARNING = "2025-06-02 11:59:00,000 - app - WARNING - slow\n"
CHAINED = (
    CRASH
    + "\nDuring handling of the above exception, another exception occurred:\n\n"
    + CRASH.replace("KeyError: 'density'", "ValueError: no")
)
NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


def levels(root: Path, text: str) -> list[tuple[str, str]]:
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs/app.log").write_text(text)
    found = []
    for find in (find_with_hyperscan(), find_with_re()):
        with open_log(root, "logs/app.log") as source:
            classifier = LevelClassifiers().of(source)
            here = [(record.level.name, record.message) for record in records(source, find, classifier)]
            data = source.text.read_at(0, 1 << 20)
            assert classifier.count(data, find(data)) == Counter(Level[name] for name, _ in here)
        found.append(here)
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CRASH, [("ERROR", "Uncaught: KeyError: 'density'")]),
        (INFO + CRASH, [("ERROR", "Uncaught: KeyError: 'density'")]),
        (INFO + CRASH + INFO, [("ERROR", "Uncaught: KeyError: 'density'")]),
        (ERROR + CRASH, [("ERROR", "it failed")]),
        (WARNING + CRASH, [("WARNING", "slow")]),
        ('{"level": "error", "message": "no"}\n' + CRASH, [("ERROR", "no")]),
        ('{"level": "info", "message": "no"}\n' + CRASH, [("ERROR", "Uncaught: KeyError: 'density'")]),
        ("ts=2025-06-02T11:59:00Z level=error msg=no\n" + CRASH, [("ERROR", "no")]),
        ("2025-06-02T11:59:00Z [error    ] no\n" + CRASH, [("ERROR", "no")]),
        (CHAINED, [("ERROR", "Uncaught: ValueError: no")]),
        (INFO + CHAINED, [("ERROR", "Uncaught: ValueError: no")]),
        ("begun\n" + CRASH, [("ERROR", "Uncaught: KeyError: 'density'")]),
        (INFO + "  " + CRASH, []),
        (" " * 40 + "\n" + CRASH + INFO, []),
    ],
    ids=[
        "alone", "after info", "between", "of an error", "of a warning", "of json", "after json", "of logfmt",
        "of structlog", "chain", "chain after info", "free text",
        "indented", "parted from its record by a rotation",
    ],
)  # fmt: skip
def test_a_traceback_that_no_record_was_written_for_is_an_error(
    tmp_path: Path, text: str, expected: list[tuple[str, str]]
) -> None:
    if text is CHAINED:  # in free text the first line that is not indented ends a traceback
        expected = [("ERROR", "Uncaught: KeyError: 'density'")]
    assert levels(tmp_path, text) == expected


def counts(root: Path) -> list[int]:
    watch(Settings(root=str(root)), now=NOW)
    kept, _ = read_tracking(root, "logs", NOW)
    return sorted(group.count for group in kept.groups.values())


def line(second: int) -> str:
    return f"2025-06-02 11:58:{second:02d},000 - app - ERROR - Writing the article failed\n"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TZ", "UTC")
    path = tmp_path / "logs/app.log"
    path.parent.mkdir()
    path.write_text(line(1))
    assert counts(tmp_path) == [1]
    with path.open("a") as file:
        file.write(line(2))
    return path


def test_a_copy_and_a_truncation_by_another_program_lose_nothing(tmp_path: Path, log: Path) -> None:
    shutil.copy(log, log.with_name("app.log.1"))
    os.truncate(log, 0)
    with log.open("a") as file:
        file.write(line(3))
    assert counts(tmp_path) == [3]
    assert counts(tmp_path) == [3]


def test_a_log_that_was_renamed_and_packed_by_another_program_is_read_on(tmp_path: Path, log: Path) -> None:
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    log.write_text(line(3))
    assert counts(tmp_path) == [3]
    assert counts(tmp_path) == [3]


def test_a_log_that_was_turned_over_twice_is_read_in_all_its_parts(tmp_path: Path, log: Path) -> None:
    old = log.with_name("app.log.3")
    old.write_text(line(0) * 5)
    log.rename(log.with_name("app.log.2"))
    log.with_name("app.log.1").write_text(line(3) + line(4))
    log.write_text(line(5))
    assert counts(tmp_path) == [5]
    assert counts(tmp_path) == [5]


def test_errors_behind_a_hole_of_nuls_are_read(tmp_path: Path) -> None:
    assert levels(tmp_path, "\0" * 100_000 + ERROR + ERROR) == [("ERROR", "it failed")] * 2


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Z", "+00:00"])
def test_utc_in_letters_is_a_zone(zone: str) -> None:
    gap = "" if zone == "Z" else " "
    assert time_of(f"2025-06-02 12:00:00{gap}{zone} ERROR boom".encode()) == NOW.timestamp()
