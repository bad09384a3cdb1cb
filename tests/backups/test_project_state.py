from __future__ import annotations

import pytest

from tasks.backups.manifest import Manifest, ManifestEntry
from tasks.backups.project_state import changed_own_files, is_settled, state_of
from tasks.backups.source_selection import Entry
from tasks.core.files.safe_files import Identity

SECOND = 1_000_000_000


def file(path: str, *, size: int = 1, mtime: int = 2, ctime: int = 3, inode: int = 4, device: int = 5) -> Entry:
    return Entry(path, 0o644, mtime, size, Identity(device, inode, mtime, size), ctime)


def folder(path: str, *, mode: int = 0o755, mtime: int = 2) -> Entry:
    return Entry(path, mode, mtime, 0, None)


def is_own(path: str) -> bool:
    return path.startswith("logs/own")


BEFORE = [folder("data"), file("data/a"), folder("logs"), file("logs/own.json"), file("logs/theirs.json")]


@pytest.mark.parametrize(
    "after",
    [
        [folder("data", mtime=9), file("data/a"), folder("logs", mtime=9), *BEFORE[3:]],
        [*BEFORE[:3], file("logs/own.json", size=9, mtime=9, ctime=9, inode=9), BEFORE[4]],
        [*BEFORE[:3], BEFORE[4]],
        [*BEFORE[:3], file("logs/own-2.json"), *BEFORE[3:]],
        [*BEFORE[:2], folder("logs"), folder("logs/own"), file("logs/own/a"), *BEFORE[3:]],
        [BEFORE[0], file("data/a", device=9), *BEFORE[2:]],
    ],
    ids=["times of folders", "an own file", "no own file", "another own file", "a folder of own files", "device"],
)
def test_what_is_no_change(after: list[Entry]) -> None:
    assert state_of(after, is_own) == state_of(BEFORE, is_own)


@pytest.mark.parametrize(
    "after",
    [
        [BEFORE[0], file("data/a", size=9), *BEFORE[2:]],
        [BEFORE[0], file("data/a", mtime=9), *BEFORE[2:]],
        [BEFORE[0], file("data/a", ctime=9), *BEFORE[2:]],
        [BEFORE[0], file("data/a", inode=9), *BEFORE[2:]],
        [BEFORE[0], file("data/b"), *BEFORE[2:]],
        [BEFORE[0], *BEFORE[2:]],
        [folder("data", mode=0o700), *BEFORE[1:]],
        [*BEFORE[:2], folder("data/empty"), *BEFORE[2:]],
        BEFORE[:-1],
    ],
    ids=["size", "mtime", "ctime", "inode", "name", "gone", "mode of a folder", "an empty folder", "the last one"],
)
def test_what_is_a_change(after: list[Entry]) -> None:
    assert state_of(after, is_own) != state_of(BEFORE, is_own)


@pytest.mark.parametrize(
    ("ctime", "began", "settled"),
    [
        (1 * SECOND, 2 * SECOND + 1, True),
        (2 * SECOND + 1 - 20_000_001, 2 * SECOND + 1, True),
        (2 * SECOND + 1 - 20_000_000, 2 * SECOND + 1, False),
        (9 * SECOND, 2 * SECOND + 1, False),
        (1 * SECOND - 1, 3 * SECOND, True),
        (1 * SECOND, 3 * SECOND, False),
    ],
)
def test_what_was_changed_just_before_it_was_read_may_be_changed_again_unseen(
    ctime: int, began: int, *, settled: bool
) -> None:
    assert is_settled([folder("data"), file("data/a", ctime=ctime)], began) is settled


def test_own_files_are_compared_with_what_a_backup_holds() -> None:
    held = [ManifestEntry("logs/own.json", 0o644, 2, 1, "0"), ManifestEntry("data/a", 0o644, 2, 1, "0")]
    manifest = Manifest(1, "", [], held)
    assert changed_own_files(BEFORE, manifest, is_own) == 0
    changed = [file("logs/own.json", mtime=9), file("logs/own-2.json"), file("data/a", size=9)]
    assert changed_own_files(changed, manifest, is_own) == 2
    assert changed_own_files([file("logs/own.json", size=9)], manifest, is_own) == 1
