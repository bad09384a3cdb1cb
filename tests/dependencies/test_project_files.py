from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.files.safe_files import Refused
from tasks.dependencies.environment import Installed
from tasks.dependencies.project_files import back_up, expired, lock_path, lock_text, prune

DAY = date(2026, 6, 1)
NAME = "requirements.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_text("demo==1.0\n")
    (tmp_path / NAME).chmod(0o640)
    return tmp_path


def test_a_copy_is_never_written_over(root: Path) -> None:
    assert back_up(root, NAME, DAY) == f"{NAME}.backup.20260601"
    assert (root / f"{NAME}.backup.20260601").stat().st_mode & 0o777 == 0o640
    assert back_up(root, NAME, DAY) == f"{NAME}.backup.20260601"
    (root / NAME).write_text("demo==2.0\n")
    assert back_up(root, NAME, DAY) == f"{NAME}.backup.20260601-2"
    (root / NAME).write_text("demo==1.0\n")
    assert back_up(root, NAME, DAY) == f"{NAME}.backup.20260601-3"
    assert (root / f"{NAME}.backup.20260601").read_text() == "demo==1.0\n"
    assert (root / f"{NAME}.backup.20260601-2").read_text() == "demo==2.0\n"


def test_what_cannot_be_copied(root: Path) -> None:
    (root / "link.txt").symlink_to(NAME)
    with pytest.raises(Refused):
        back_up(root, "link.txt", DAY)
    with pytest.raises(FileNotFoundError):
        back_up(root, "gone.txt", DAY)


def test_old_copies_go_but_never_the_newest(root: Path) -> None:
    for name in ("20260101", "20260101-2", "20260301", "20260303", "20261301", "20260101-x", "x20260101"):
        (root / f"{NAME}.backup.{name}").touch()
    (root / f"other-{NAME}.backup.20260101").touch()
    gone = [f"{NAME}.backup.{day}" for day in ("20260101", "20260101-2", "20260301")]
    assert expired(root, NAME, DAY, 90) == gone
    newest = f"{NAME}.backup.20260303"
    assert expired(root, NAME, DAY, 0, before=True) == [*gone, newest]
    assert prune(root, NAME, DAY, 90) == gone
    left = sorted(path.name for path in root.iterdir())
    assert f"{NAME}.backup.20260303" in left
    assert f"{NAME}.backup.20260301" not in left
    assert f"other-{NAME}.backup.20260101" in left
    assert expired(root, NAME, DAY + timedelta(days=5000), 0) == []


def test_copies_lie_beside_their_file(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub/more.txt").touch()
    assert back_up(root, "sub/more.txt", DAY) == "sub/more.txt.backup.20260601"
    back_up(root, "sub/more.txt", DAY)
    (root / "sub/more.txt.backup.20250101").touch()
    assert prune(root, "sub/more.txt", DAY, 90) == ["sub/more.txt.backup.20250101"]


def test_a_folder_that_is_gone_has_no_copies(root: Path) -> None:
    assert prune(root, "gone/requirements.txt", DAY, 0) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove everything")
def test_what_cannot_be_removed_is_not_said_to_be(root: Path) -> None:
    for day in ("20250101", "20250102"):
        (root / f"{NAME}.backup.{day}").touch()
    root.chmod(0o500)
    assert prune(root, NAME, DAY, 90) == []
    root.chmod(0o700)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6, unique=True), st.integers(0, 200))
def test_what_stays_is_young_or_the_newest(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int], days: int
) -> None:
    root = tmp_path_factory.mktemp("backups")
    for age in ages:
        (root / f"{NAME}.backup.{DAY - timedelta(days=age):%Y%m%d}").touch()
    prune(root, NAME, DAY, days)
    left = {(DAY - date.fromisoformat(path.name[-8:])).days for path in root.iterdir()}
    assert left == {age for age in ages if age <= days} | {min(ages)}


def test_the_lock() -> None:
    packages = [Installed("b", "2"), Installed("c", "3", source="editable"), Installed("a", "1")]
    assert lock_text(packages, "3.11.7", "requirements.txt").splitlines()[2:] == ["a==1", "b==2", "# c==3 (editable)"]
    assert lock_path("requirements.txt") == "requirements.lock.txt"
    assert lock_path("sub/base.in") == "sub/base.lock.in"
    assert lock_path("requirements") == "requirements.lock.txt"
