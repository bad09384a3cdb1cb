from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.files.safe_files import Refused
from tasks.core.settings.model import LogSettings, Settings
from tasks.logs.log_folder import find_logs


def settings(**values: Any) -> Settings:
    return Settings(logs=msgspec.structs.replace(LogSettings(), **values))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def names(root: Path, pattern: str) -> list[str]:
    return [log.name for log in find_logs(root, settings(pattern=pattern)).logs]


def test_logs_are_the_regular_files_of_that_pattern(tmp_path: Path, logs: Path) -> None:
    for name in ("b.log", "a.log", "c.txt", "d.log.1", ".hidden.log", "\udcff.log", "new\nline.log", "E.LOG"):
        (logs / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    (logs / "below").mkdir()
    (logs / "below/e.log").write_bytes(b"")
    found = find_logs(tmp_path, settings())
    assert [log.name for log in found.logs] == ["a.log", "b.log", "new\nline.log", "\udcff.log"]
    assert found.logs[0].status.st_size == 5
    assert found.logs[0].status.st_ino == (logs / "a.log").stat().st_ino
    assert found.refused == {}


def test_a_pattern_matches_as_in_the_shell(tmp_path: Path, logs: Path) -> None:
    for name in ("app.log", "api.log", ".app.log", "[x].log"):
        (logs / name).write_bytes(b"")
    assert names(tmp_path, "*") == ["[x].log", "api.log", "app.log"]
    assert names(tmp_path, "ap?.log") == ["api.log", "app.log"]
    assert names(tmp_path, ".*") == [".app.log"]
    assert names(tmp_path, "APP.log") == []
    assert names(tmp_path, "[[]x].log") == ["[x].log"]


def test_what_the_suite_keeps_there_and_what_is_packed_is_no_log(tmp_path: Path, logs: Path) -> None:
    for name in (
        "error_tracking.json",
        "error_tracking.json.broken-1",
        "log_review.json",
        "performance.json",
        "api_performance.json",
        "maintenance_history.jsonl",
        ".maintenance-tmp",
        "app.log.gz",
        "app.log.zst",
        "app.log.1",
        "app.json",
    ):
        (logs / name).write_bytes(b"")
    assert names(tmp_path, "*") == ["app.json", "app.log.1"]
    assert names(tmp_path, "*.gz") == names(tmp_path, ".*") == []


def test_what_is_no_regular_file_is_refused_with_the_reason(tmp_path: Path, logs: Path) -> None:
    (logs / "real.log").write_bytes(b"")
    (logs / "link.log").symlink_to("real.log")
    (logs / "dead.log").symlink_to("nowhere")
    (logs / "folder.log").mkdir()
    (logs / "other").symlink_to("real.log")
    os.mkfifo(logs / "pipe.log")
    found = find_logs(tmp_path, settings())
    assert [log.name for log in found.logs] == ["real.log"]
    assert list(found.refused.items()) == [
        ("dead.log", "a symbolic link, which is not followed"),
        ("link.log", "a symbolic link, which is not followed"),
        ("pipe.log", "not a regular file"),
    ]


def test_a_file_that_vanishes_meanwhile_is_passed_over(
    tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.log", "b.log"):
        (logs / name).write_bytes(b"")
    real = os.stat

    def vanishing(path: Any, **named: Any) -> os.stat_result:
        if path == "a.log":
            (logs / path).unlink()
        return real(path, **named)

    monkeypatch.setattr(os, "stat", vanishing)
    assert names(tmp_path, "*.log") == ["b.log"]


def test_without_a_log_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_logs(tmp_path, settings())
    (tmp_path / "real").mkdir()
    (tmp_path / "logs").symlink_to("real")
    with pytest.raises(Refused):
        find_logs(tmp_path, settings())
    assert find_logs(tmp_path, settings(directory="real")) == ([], {})
