from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.configuration.drift.drift_acceptance import merged_values
from tasks.configuration.drift.drift_baseline import (
    Accepted,
    Baseline,
    baseline_sealer,
    key_path,
    read_baseline,
    read_key,
    write_baseline,
)
from tasks.configuration.secret_values import KEY_BYTES
from tasks.core.files.safe_files import Refused

PATH = "logs/baseline.json"
NOW = "2026-11-24T12:00:00+00:00"
FILES = {
    "a.yaml": Accepted(NOW, {"x": 1, "y": {"secret": "k:0"}, "z": None, "t": True, "f": 1.5, "s": "é\n"}),
    "b.yaml": Accepted(NOW, {}),
}


def written(root: Path) -> bytes:
    write_baseline(root, PATH, FILES, NOW, Baseline())
    return (root / PATH).read_bytes()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written(tmp_path)
    assert read_baseline(tmp_path, PATH) == Baseline(FILES, updated=NOW)


def test_each_value_has_a_line_of_its_own(tmp_path: Path) -> None:
    assert b'"x": 1,\n' in written(tmp_path)


def test_without_a_file_there_is_no_baseline_and_no_problem(tmp_path: Path) -> None:
    assert read_baseline(tmp_path, PATH) == Baseline()


def test_cut_short_anywhere_it_is_broken(tmp_path: Path) -> None:
    content = written(tmp_path).rstrip()
    for length in range(len(content)):
        (tmp_path / PATH).write_bytes(content[:length])
        found = read_baseline(tmp_path, PATH)
        assert (found.files, found.broken, found.replaceable) == (None, True, True), length
        assert found.problem
        assert "logs/baseline.json is no baseline" in found.problem


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        b'{"schema": 1}',
        b'{"schema": "1", "updated": "", "files": {}}',
        b'{"schema": 1, "updated": "", "files": {"a": {"accepted": "", "values": {"x": [1]}}}}',
        b'{"schema": 1, "updated": "", "files": {"a": {"accepted": "", "values": {}, "more": 1}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_baseline_is_broken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / PATH).write_bytes(content)
    found = read_baseline(tmp_path, PATH)
    assert (found.files, found.broken) == (None, True)
    assert "\n" not in str(found.problem)


def test_a_broken_one_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / PATH).write_bytes(b"broken")
    aside = write_baseline(tmp_path, PATH, FILES, NOW, read_baseline(tmp_path, PATH))
    assert aside == f"{PATH}.broken-1"
    assert (tmp_path / aside).read_bytes() == b"broken"


def test_one_that_a_newer_version_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / PATH).write_bytes(b'{"schema": 2, "other": 1}')
    found = read_baseline(tmp_path, PATH)
    assert (found.replaceable, found.broken) == (False, False)
    with pytest.raises(Refused, match="newer version"):
        write_baseline(tmp_path, PATH, FILES, NOW, found)
    assert (tmp_path / PATH).read_bytes() == b'{"schema": 2, "other": 1}'


def test_what_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    found = read_baseline(tmp_path, PATH)
    assert not found.replaceable
    with pytest.raises(Refused):
        write_baseline(tmp_path, PATH, FILES, NOW, found)


@pytest.mark.parametrize("kind", ["folder", "link", "hard link"])
def test_what_is_not_believed_is_kept_aside(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    write_baseline(tmp_path, "outside", FILES, NOW, Baseline())
    before = outside.read_bytes()
    (tmp_path / "logs").mkdir()
    if kind == "folder":
        (tmp_path / PATH).mkdir()
    elif kind == "link":
        (tmp_path / PATH).symlink_to(outside)
    else:
        (tmp_path / PATH).hardlink_to(outside)
    found = read_baseline(tmp_path, PATH)
    assert (found.files, found.broken, found.replaceable) == (None, True, True)
    assert write_baseline(tmp_path, PATH, FILES, NOW, found) == f"{PATH}.broken-1"
    assert read_baseline(tmp_path, PATH).files == FILES
    assert outside.read_bytes() == before


@pytest.mark.parametrize("kind", ["link", "hard link", "for everybody to write"])
def test_a_key_that_is_not_believed_is_kept_aside(tmp_path: Path, kind: str) -> None:
    key, outside = tmp_path / key_path(PATH), tmp_path / "outside"
    key.parent.mkdir()
    outside.write_text("00" * KEY_BYTES)
    if kind == "link":
        key.symlink_to(outside)
    elif kind == "hard link":
        key.hardlink_to(outside)
    else:
        key.write_text("00" * KEY_BYTES)
        key.chmod(0o666)
    assert read_key(tmp_path, PATH) is None
    baseline_sealer(tmp_path, PATH, create=True)
    assert read_key(tmp_path, PATH) not in {None, bytes(KEY_BYTES)}
    assert os.path.lexists(f"{key}.broken-1")
    assert outside.read_text() == "00" * KEY_BYTES


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = baseline_sealer(tmp_path, PATH, create=True)
    assert (tmp_path / key_path(PATH)).stat().st_mode & 0o777 == 0o600
    assert baseline_sealer(tmp_path, PATH, create=True).seal("x") == first.seal("x")
    assert baseline_sealer(tmp_path, PATH, create=False).seal("x") == first.seal("x")
    assert (read_key(tmp_path, PATH) or b"").hex() in (tmp_path / key_path(PATH)).read_text()


def test_without_a_key_each_run_has_its_own(tmp_path: Path) -> None:
    assert baseline_sealer(tmp_path, PATH, create=False).seal("x") != baseline_sealer(
        tmp_path, PATH, create=False
    ).seal("x")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("content", [b"", b"xyz", b"ab" * 31, b"ab" * 33, b"\xff"])
def test_a_key_that_is_none_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / key_path(PATH)).write_bytes(content)
    assert read_key(tmp_path, PATH) is None
    baseline_sealer(tmp_path, PATH, create=True)
    assert read_key(tmp_path, PATH) is not None
    assert (tmp_path / f"{key_path(PATH)}.broken-1").read_bytes() == content
    assert (tmp_path / key_path(PATH)).stat().st_mode & 0o077 == 0


def test_parts_of_the_present_state_are_taken_over() -> None:
    old = {"a.x": 1, "a.y": 2, "ab": 3, "gone": 4}
    new = {"a.x": 5, "a.z": 6, "ab": 7, "come": 8}
    assert merged_values(old, new, ["a"]) == {"a.x": 5, "a.z": 6, "ab": 3, "gone": 4}
    assert merged_values(old, new, ["gone", "come"]) == {"a.x": 1, "a.y": 2, "ab": 3, "come": 8}
    assert merged_values(old, new, [""]) == new
    assert merged_values(old, new, []) == old
