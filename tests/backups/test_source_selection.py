from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from tasks.backups.backup_folder import Backup, backups, delete
from tasks.backups.backup_history import outdated
from tasks.backups.manifest import Manifest, ManifestEntry, Unusable, archive_name, decode, encode
from tasks.backups.source_selection import Selected, select

NOW = datetime(2026, 11, 24, 12).astimezone()


def chosen(root: Path, *sources: str, exclude: tuple[str, ...] = ()) -> Selected:
    return select(root, sources, exclude, "backups", Event())


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def names(found: Selected) -> list[str]:
    return [entry.path for entry in found.entries]


def test_files_folders_and_patterns_are_found_with_the_folders_above(tmp_path: Path) -> None:
    make(tmp_path, "data/b/c", "data/a", "logs/x.json", "logs/x.log", "deep/er/file", ".hidden/x.json")
    found = chosen(tmp_path, "data", "logs/*.json", "deep/er/file", "*/x.json")
    assert names(found) == [
        *("data", "data/a", "data/b", "data/b/c", "deep", "deep/er", "deep/er/file", "logs", "logs/x.json")
    ]
    assert (found.left, found.missing) == ([], [])


def test_a_source_that_names_nothing_is_told(tmp_path: Path) -> None:
    assert chosen(make(tmp_path, "a"), "b", "c/*.x", "a").missing == ["b", "c/*.x"]


def test_what_is_excluded_or_the_suites_own_is_left_out_without_a_word(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a/x.pyc",
        "a/y",
        "a/.git/config",
        "backups/old",
        ".maintenance.lock",
        "a/deep/z",
        ".backup-manifest.json",
    )
    found = chosen(tmp_path, ".", exclude=("*.pyc", "a/deep"))
    assert (names(found), found.left) == (["a", "a/y"], [])


def test_a_link_above_a_source_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/data")
    (tmp_path / "link").symlink_to("real")
    found = chosen(tmp_path, "link", "link/data")
    assert names(found) == []
    assert [path for path, _ in found.left] == ["link", "link/data"]
    assert "link is a symbolic link, which is not followed" in dict(found.left)["link/data"]


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    assert select(make(tmp_path, "a/b"), ["a"], [], "backups", stop).entries == []


def test_a_folder_that_cannot_be_read_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/b", "c/d")
    original = os.open

    def refuse(path: str, *arguments: object, **options: object) -> int:
        if path == "a":
            raise PermissionError(13, "Permission denied", path)
        return original(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    found = chosen(tmp_path, "a", "c", "a/*")
    assert dict(found.unread)["a"] == "it cannot be read: Permission denied"
    assert names(found) == ["c", "c/d"]


# The store


def backup(days: float, *, whole: bool = True, before: bool = False, holds: str = "") -> Backup:
    made = NOW - timedelta(days=days)
    entries = [ManifestEntry(holds, 0o644, 0, 1, "0")] if holds else []
    manifest = Manifest(1, "", [], entries, archive_bytes=5, before_restore=before) if whole else None
    return Backup(archive_name(made), made, 5, manifest)


@pytest.mark.parametrize(
    ("found", "keep", "days", "gone"),
    [
        ([backup(1), backup(2), backup(3)], 2, 1.5, [3]),
        ([backup(1), backup(2), backup(3)], 2, 2.5, []),
        ([backup(101), backup(102), backup(103)], 2, 1.5, [103]),
        ([backup(101), backup(102), backup(103)], 2, 2.5, []),
        ([backup(-50), backup(1), backup(3)], 1, 2, [3]),
        ([backup(1, whole=False), backup(50), backup(52)], 1, 3, []),
        ([backup(1, before=True), backup(50), backup(52)], 1, 3, []),
        ([backup(1, whole=False), backup(50, whole=False)], 1, 3, []),
        ([backup(1), backup(2), backup(3)], 2, 100, []),
        ([backup(1), backup(2), backup(3)], 9, 1.5, []),
        ([backup(1), backup(2)], 0, 0, [2]),
        ([backup(1, whole=False), backup(2, whole=False), backup(3)], 1, 0, [2]),
        ([backup(1, whole=False), backup(2, whole=False)], 1, 0, [2]),
        ([backup(1), backup(2, before=True), backup(3), backup(4, before=True)], 1, 0, [3, 4]),
        ([backup(1, holds="config/a"), backup(2), backup(3, holds="data/a"), backup(4, holds="data/a")], 1, 0, [2, 4]),
        ([backup(1, holds="config/a"), backup(2, holds="elsewhere/a")], 1, 0, [2]),
        ([], 1, 1, []),
    ],
)
def test_which_backups_are_outdated(found: list[Backup], keep: int, days: float, gone: list[int]) -> None:
    ages = [round((NOW - each.made).days) for each in outdated(found, NOW, keep, days, ["config", "da*/x"])]
    assert ages == gone


def test_the_folder_of_backups_is_read_newest_first(tmp_path: Path) -> None:
    assert backups(tmp_path, "backups") == []
    for name in ("backup_20260101_000000.tar.gz", "backup_20260102_000000.tar.gz", "backup_20260102_000000_2.tar.gz"):
        make(tmp_path, f"backups/{name}")
    make(tmp_path, "backups/other.tar.gz")
    (tmp_path / "backups/backup_20260101_000000.manifest.json").mkdir()
    found = backups(tmp_path, "backups")
    assert [each.name[7:-7] for each in found] == ["20260102_000000_2", "20260102_000000", "20260101_000000"]
    assert [each.is_whole for each in found] == [False, False, False]
    assert found[0].problem == "there is no manifest beside it"
    assert "not a regular file" in found[2].problem


def test_an_archive_goes_with_its_manifest(tmp_path: Path) -> None:
    make(tmp_path, "backups/backup_20260101_000000.tar.gz", "backups/backup_20260101_000000.manifest.json", "backups/x")
    delete(tmp_path, "backups", "backup_20260101_000000.tar.gz")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["x"]
    make(tmp_path, "backups/backup_20260101_000000.tar.gz")
    delete(tmp_path, "backups", "backup_20260101_000000.tar.gz")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["x"]


# Names


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", ".", "a//b", "./a", "a/", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    digest = "0" * 64
    for entry in (ManifestEntry(name, 0o644, 0, 1, digest), ManifestEntry("a", 0, 0, 1, digest, name.encode().hex())):
        if entry.raw or name:
            with pytest.raises(Unusable, match="leads elsewhere"):
                decode(encode(Manifest(1, "", [], [entry])))


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(Unusable, match="twice"):
        decode(encode(Manifest(1, "", [], [ManifestEntry("a", 0o644, 0), ManifestEntry("a", 0o755, 0)])))
