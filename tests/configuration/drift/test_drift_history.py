from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.configuration.drift.drift_history import History, new_entries, read_history, write_history
from tasks.core.files.safe_files import Refused

PATH = "logs/history.jsonl"


def entry(path: str, new: str, event: str = "drift", **more: str) -> dict[str, str]:
    return {"event": event, "file": "a.yaml", "path": path, "change": "changed", "old": "1", "new": new, **more}


def kept(root: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (root / PATH).read_bytes().splitlines()]


def add(root: Path, *entries: dict[str, str], most: int = 100_000) -> None:
    history = read_history(root, PATH)
    write_history(root, PATH, history, new_entries(history, entries), most=most)


def test_a_change_is_told_once_until_something_else_happens_there(tmp_path: Path) -> None:
    add(tmp_path, entry("x", "2", at="monday"))
    add(tmp_path, entry("x", "2", at="tuesday"), entry("y", "2"))
    assert [(each["path"], each["new"]) for each in kept(tmp_path)] == [("x", "2"), ("y", "2")]
    add(tmp_path, entry("x", "3"))
    add(tmp_path, entry("x", "2"))
    add(tmp_path, entry("x", "2", event="accepted"))
    add(tmp_path, entry("x", "2"))
    assert [(each["event"], each["new"]) for each in kept(tmp_path) if each["path"] == "x"] == [
        ("drift", "2"),
        ("drift", "3"),
        ("drift", "2"),
        ("accepted", "2"),
        ("drift", "2"),
    ]


def test_the_oldest_whole_lines_go(tmp_path: Path) -> None:
    for number in range(20):
        add(tmp_path, entry("x", str(number)), most=500)
    assert (tmp_path / PATH).stat().st_size <= 500
    found = [each["new"] for each in kept(tmp_path)]
    assert found == [str(number) for number in range(20)][-len(found) :]
    assert len(found) >= 4


def test_a_bound_that_no_line_fits_in_keeps_none(tmp_path: Path) -> None:
    add(tmp_path, entry("x", "1"), most=10)
    assert (tmp_path / PATH).read_bytes() == b""


@pytest.mark.parametrize("rest", [b'{"event": "drift", "fi', b"\xff\xfe", b"[1, 2]", b"[" * 100_000, b"\n"])
def test_lines_of_other_shapes_stay_and_do_no_harm(tmp_path: Path, rest: bytes) -> None:
    add(tmp_path, entry("x", "1"))
    with (tmp_path / PATH).open("ab") as file:
        file.write(rest)
    add(tmp_path, entry("x", "1"), entry("x", "2"), most=1_000_000)
    lines = (tmp_path / PATH).read_bytes().splitlines()
    assert lines[1] == rest.rstrip(b"\n")
    assert json.loads(lines[2])["new"] == "2"


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_not_believed_is_kept_aside(tmp_path: Path, kind: str) -> None:
    (tmp_path / "logs").mkdir()
    if kind == "folder":
        (tmp_path / PATH).mkdir()
    else:
        (tmp_path / PATH).symlink_to(tmp_path / "outside")
    history = read_history(tmp_path, PATH)
    assert history.problem
    assert write_history(tmp_path, PATH, history, [entry("x", "1")], most=1000) == f"{PATH}.broken-1"
    assert len(read_history(tmp_path, PATH).lines) == 1
    assert not (tmp_path / "outside").exists()


def test_what_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    history = read_history(tmp_path, PATH)
    assert history.problem
    with pytest.raises(Refused):
        write_history(tmp_path, PATH, history, [entry("x", "1")], most=1000)


def test_there_is_no_history_at_first(tmp_path: Path) -> None:
    assert read_history(tmp_path, PATH) == History([])
    assert new_entries(History([]), [entry("x", "1")]) == [entry("x", "1")]
