from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.files.safe_files import Refused
from tasks.dependencies.undo.snapshot import take_snapshot
from tasks.dependencies.undo.undo_journal import (
    FOLDER,
    JOURNAL,
    BrokenJournal,
    pending_journal,
    prepare_folder,
    remove_folder,
)
from tests.examples import examples

from ..small_environment import NOW, Site


def test_an_update_is_undone_exactly(site: Site) -> None:
    before = site.state()
    site.take()
    assert site.state() == before
    assert (site.root / FOLDER).stat().st_mode & 0o777 == 0o700
    site.update()
    assert site.state() != before
    assert site.restore() == ()
    assert site.state() == before
    assert not (site.root / "requirements.lock.txt").exists()
    assert not (site.root / FOLDER).exists()
    assert pending_journal(site.root) is None


def test_an_environment_that_is_gone_is_put_back_as_far_as_copies_go(site: Site) -> None:
    site.take()
    shutil.rmtree(site.packages / "demo_two-1.0.dist-info")
    problems = site.restore()
    assert any(
        "demo_two-1.0.dist-info/METADATA has changed, and the update had kept no copy" in each for each in problems
    )
    assert (site.root / FOLDER / JOURNAL).exists()


def test_an_update_that_stands_leaves_nothing(site: Site) -> None:
    site.take()
    site.update()
    after = site.state()
    remove_folder(site.root)
    assert site.state() == after
    assert {path.name for path in site.root.iterdir()} == {".venv", "requirements.txt", "requirements.lock.txt"}


def test_a_second_update_waits_for_the_first(site: Site) -> None:
    site.take()
    with pytest.raises(Refused, match="An update was interrupted"):
        site.take()


def test_what_a_kill_left_before_the_journal_is_removed(site: Site) -> None:
    (site.root / FOLDER).mkdir()
    (site.root / FOLDER / "0").write_text("half")
    assert pending_journal(site.root) is None
    prepare_folder(site.root)
    assert list((site.root / FOLDER).iterdir()) == []


def test_a_package_without_a_list_of_its_files_is_refused(site: Site) -> None:
    before = site.state()
    with pytest.raises(Refused, match="has no list of its files"):
        take_snapshot(site.root, site.environment, ["gone"], [], moves=[], now=NOW)
    (site.packages / "demo_one-1.0.dist-info/RECORD").unlink()
    with pytest.raises(Refused, match=r"demo_one-1\.0\.dist-info cannot be read"):
        site.take()
    assert not (site.root / FOLDER).exists()
    assert site.state().keys() < before.keys()


def test_no_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dependencies.undo.snapshot._SPARE", 1 << 62)
    with pytest.raises(Refused, match="the disk has"):
        site.take()
    assert not (site.root / FOLDER).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', "\xff"])
def test_a_journal_that_cannot_be_read(site: Site, content: str) -> None:
    (site.root / FOLDER).mkdir()
    (site.root / FOLDER / JOURNAL).write_text(content, encoding="latin-1")
    with pytest.raises(
        BrokenJournal, match=f"^{FOLDER}/{JOURNAL} (is empty|is no valid JSON|does not hold what this suite writes)"
    ):
        pending_journal(site.root)


def test_a_link_in_its_place_is_not_followed(site: Site, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (site.root / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BrokenJournal, match="is a symbolic link"):
        pending_journal(site.root)
    prepare_folder(site.root)
    assert (tmp_path / "elsewhere").is_dir()
    assert not (site.root / FOLDER).is_symlink()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["write", "remove", "mode", "touch", "add", "folder", "link"]),
        st.integers(0, 30),
    ),
    max_size=8,
)


def change(site: Site, kind: str, number: int) -> None:
    """Change something of the package that is being updated, or add something anywhere."""
    own = sorted(path for path in site.packages.rglob("demo_one*/**/*") if path.is_file() or path.is_symlink())
    everywhere = sorted(path for path in site.prefix.rglob("*") if path.is_dir() and not path.is_symlink())
    if kind in {"add", "folder", "link"}:
        place = everywhere[number % len(everywhere)] / f"new-{number}"
        if os.path.lexists(place):
            return
        if kind == "link":
            place.symlink_to("/nowhere")
        elif kind == "folder":
            place.mkdir()
        else:
            place.touch()
    elif own:
        path = own[number % len(own)]
        match kind:
            case "write" if not path.is_symlink():
                path.write_text("changed")
            case "remove":
                path.unlink()
            case "mode" if not path.is_symlink():
                path.chmod(0o600)
            case "touch" if not path.is_symlink():
                path.touch()


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_any_changes_are_undone(tmp_path: Path, changes: list[tuple[str, int]]) -> None:
    root = tmp_path / "project"
    shutil.rmtree(root, ignore_errors=True)
    site = Site(root)
    before = site.state()
    site.take()
    for kind, number in changes:
        change(site, kind, number)
    assert site.restore() == ()
    assert site.state() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from threading import Event
sys.path.insert(0, {repository!r})
from tasks.dependencies.undo.undo_journal import pending_journal
from tasks.dependencies.undo.rollback import roll_back
left = {number}
def counting(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime", "os.symlink"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
root = Path({root!r})
journal = pending_journal(root)
sys.addaudithook(counting)
roll_back(root, root / ".venv", journal, Event())
"""


def killed(site: Site, number: int) -> bool:
    """Restore in a child that is killed before an operation; False where it has fewer."""
    repository = str(Path(__file__).resolve().parents[3])
    code = KILLED.format(repository=repository, number=number, root=str(site.root))
    done = subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ, "COVERAGE_PROCESS_START": ""})
    assert done.returncode in {0, -signal.SIGKILL}
    return done.returncode != 0


def numbers() -> Iterator[int]:
    """Yield operations to be killed before: more closely at the beginning."""
    yield from range(1, 20, 4)
    yield from range(20, 400, 23)


@pytest.mark.slow
def test_an_undoing_that_is_killed_is_finished_by_the_next_one(site: Site) -> None:
    before = site.state()
    site.take()
    site.update()
    kills = 0
    for number in numbers():
        if not killed(site, number):
            break
        kills += 1
        if pending_journal(site.root) is None:
            break
    assert kills > 5
    if pending_journal(site.root) is not None:
        assert site.restore() == ()
    assert site.state() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_files_links_and_folders_belong_to_whom_they_belonged(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    link = site.packages / "link"
    link.symlink_to(outside)
    for number, path in enumerate(sorted(site.packages.rglob("*")), 20_001):
        os.chown(path, number, number, follow_symlinks=False)
    before = {path: path.lstat().st_uid for path in site.packages.rglob("*")}
    site.take()
    site.update()
    link.unlink()
    assert site.restore() == ()
    assert {path: path.lstat().st_uid for path in site.packages.rglob("*")} == before
    assert len({*before.values()}) == len(before)
    assert outside.stat().st_uid == 0
