"""An undo journal that somebody else wrote leads nowhere."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.dependencies.environment import prefixes
from tasks.dependencies.undo.rollback import roll_back
from tasks.dependencies.undo.undo_journal import (
    FOLDER,
    JOURNAL,
    BrokenJournal,
    pending_journal,
    require_environment,
    set_aside,
)

from ..small_environment import Site

OTHER = 12345
DIGEST = hashlib.sha256(b"").hexdigest()
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


def forge(site: Site, change: Callable[[dict[str, Any]], object]) -> None:
    """Take a snapshot and change its journal."""
    site.take()
    path = site.root / FOLDER / JOURNAL
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


FILE = [0o100644, 0, 0, "", [0, 0]]

FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path that leads up": lambda it: it["listing"].update({"../outside": FILE}),
    "an absolute path": lambda it: it["listing"].update({"/outside": FILE}),
    "a path through a link": lambda it: it["listing"].update({"lib64/outside": FILE}),
    "a path through a file": lambda it: it["listing"].update({"bin/tool/outside": FILE}),
    "a path through nothing": lambda it: it["listing"].update({"nowhere/outside": FILE}),
    "no environment": lambda it: it["listing"].pop("."),
    "an environment that is a file": lambda it: it["listing"].update({".": FILE}),
    "a copy of a path that leads up": lambda it: it["copies"].update({"../outside": [0, DIGEST]}),
    "a copy of a folder": lambda it: it["copies"].update({"bin": [0, DIGEST]}),
    "a copy of what was not there": lambda it: it["copies"].update({"outside": [0, DIGEST]}),
    "a copy without a digest": lambda it: it["copies"].update({"bin/tool": [0, "0"]}),
    "a copy below zero": lambda it: it["copies"].update({"bin/tool": [-1, DIGEST]}),
    "a project file that leads up": lambda it: it["project"].update({"../outside": None}),
    "an absolute project file": lambda it: it["project"].update({"/etc/outside": None}),
    "a copy of a project file that was not there": lambda it: it["project_copies"].update(
        {"requirements.lock.txt": [0, DIGEST]}
    ),
    "a mode that is none": lambda it: it["listing"].update({"new": [1 << 20, 0, 0, "", [0, 0]]}),
    "an owner that is none": lambda it: it["listing"].update({"new": [0o100644, 0, 0, "", [-1, 0]]}),
    "an owner that means no change": lambda it: it["listing"].update({"new": [0o100644, 0, 0, "", [2**32 - 1, 0]]}),
    "a time that is none": lambda it: it["listing"].update({"new": [0o100644, 0, 1 << 63, "", [0, 0]]}),
    "a link with a zero byte": lambda it: it["listing"].update({"new": [0o120777, 0, 0, "a\0b", [0, 0]]}),
    "a path of no bytes": lambda it: it["listing"].update({"\u1234": FILE}),
    "a list too deep": lambda it: it.update(moves=json.loads("[" * 40 + "]" * 40)),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_journal_that_no_update_writes_is_not_acted_on(
    site: Site, change: Callable[[dict[str, Any]], object]
) -> None:
    forge(site, change)
    with pytest.raises(BrokenJournal, match=f"^{FOLDER}/{JOURNAL} (does not hold what this suite writes|is nested)"):
        pending_journal(site.root)


def test_a_journal_that_names_another_folder_is_not_acted_on(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    forge(site, lambda content: content.update(prefix=str(outside)))
    journal = pending_journal(site.root)
    assert journal is not None
    with pytest.raises(BrokenJournal, match=f"is about {outside}, which is not the project's environment$"):
        require_environment(site.root, journal, prefixes(site.root, "", {}))
    assert (outside / "mine").read_text() == "mine"


def test_the_environment_of_a_journal_is_found_by_what_it_is(site: Site, tmp_path: Path) -> None:
    site.take()
    journal = pending_journal(site.root)
    assert journal is not None
    alias = tmp_path / "alias"
    alias.symlink_to(site.root)
    assert require_environment(site.root, journal, [tmp_path, alias / ".venv"]) == alias / ".venv"
    with pytest.raises(BrokenJournal, match="is not the project's environment"):
        require_environment(site.root, journal, [tmp_path])
    with pytest.raises(BrokenJournal, match="is not the project's environment"):
        require_environment(site.root, journal, [])


def test_an_environment_that_is_gone_is_still_the_projects(site: Site) -> None:
    site.take()
    (site.root / ".venv").rename(site.root / "moved")
    journal = pending_journal(site.root)
    assert journal is not None
    assert require_environment(site.root, journal, prefixes(site.root, "", {})) == site.prefix


@only_root
@pytest.mark.parametrize(("environment", "acts"), [(OTHER, True), (0, False), (OTHER + 1, False)])
def test_root_is_led_nowhere_by_a_journal_of_somebody_else(site: Site, environment: int, *, acts: bool) -> None:
    site.take()
    for path in (site.root, site.root / FOLDER, *(site.root / FOLDER).iterdir()):
        os.chown(path, OTHER, OTHER)
    os.chown(site.prefix, environment, environment)
    journal = pending_journal(site.root)
    assert journal is not None
    if acts:
        assert require_environment(site.root, journal, [site.prefix]) == site.prefix
    else:
        with pytest.raises(BrokenJournal, match=f"does not belong to the owner of {FOLDER}$"):
            require_environment(site.root, journal, [site.prefix])


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_can_write_is_not_believed(site: Site, mode: int) -> None:
    site.take()
    (site.root / FOLDER).chmod(mode)
    with pytest.raises(BrokenJournal, match="others can write there"):
        pending_journal(site.root)


@only_root
def test_a_folder_of_somebody_else_is_not_believed(site: Site) -> None:
    site.take()
    os.chown(site.root / FOLDER, OTHER, OTHER)
    with pytest.raises(BrokenJournal, match="was not made by this suite"):
        pending_journal(site.root)


@pytest.mark.parametrize("kind", ["link", "hard link"])
def test_a_journal_that_is_a_link_is_not_read(site: Site, tmp_path: Path, kind: str) -> None:
    site.take()
    path = site.root / FOLDER / JOURNAL
    path.rename(tmp_path / "outside")
    if kind == "link":
        path.symlink_to(tmp_path / "outside")
    else:
        path.hardlink_to(tmp_path / "outside")
    with pytest.raises(BrokenJournal, match="link"):
        pending_journal(site.root)


@pytest.mark.parametrize("kind", ["link", "hard link", "other content"])
def test_a_copy_that_is_forged_is_not_put_back(site: Site, tmp_path: Path, kind: str) -> None:
    site.take()
    site.update()
    outside, copy = tmp_path / "outside", site.root / FOLDER / "0"
    outside.write_text("secret")
    copy.unlink()
    if kind == "link":
        copy.symlink_to(outside)
    elif kind == "hard link":
        copy.hardlink_to(outside)
    else:
        copy.write_text("forged")
    (problem,) = site.restore()
    assert "cannot be put back" in problem
    assert ("is damaged" if kind == "other content" else "link") in problem
    held = [path.read_text() for path in site.prefix.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert not {"secret", "forged"} & {*held}
    assert [*site.prefix.rglob(".maintenance-tmp")] == []


@pytest.mark.parametrize("folder", ["lib", "lib/site-packages", "lib/site-packages/demo_one", "bin"])
def test_a_folder_that_was_swapped_for_a_link_is_made_again_and_nothing_behind_it_changes(
    site: Site, tmp_path: Path, folder: str
) -> None:
    site.take()
    outside = tmp_path / "outside"
    (site.prefix / folder).rename(outside)
    (site.prefix / folder).symlink_to(outside)
    before = {path: path.lstat() for path in outside.rglob("*")}
    site.restore()
    assert {path: path.lstat() for path in outside.rglob("*")} == before
    assert not (site.prefix / folder).is_symlink()


def test_a_folder_that_is_swapped_in_the_middle_is_not_followed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.take()
    site.update()
    outside, real = tmp_path / "outside", os.rename
    outside.mkdir()
    (outside / "data.txt").write_text("mine")

    def swapped(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        package = site.packages / "demo_one"
        if package.is_dir() and not package.is_symlink():
            real(package, site.root / "moved")
            package.symlink_to(outside)

    monkeypatch.setattr(os, "rename", swapped)
    journal = pending_journal(site.root)
    assert journal is not None
    done = roll_back(site.root, site.prefix, journal, Event())
    assert any("is a symbolic link, which is not followed" in each for each in done.problems)
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"data.txt": "mine"}


def test_no_file_is_put_back_with_the_right_to_become_somebody_else(site: Site) -> None:
    tool = "bin/tool"

    def become(content: dict[str, Any]) -> None:
        held = (site.prefix / tool).read_bytes()
        (site.root / FOLDER / "99").write_bytes(held)
        content["listing"][tool][0] |= 0o6000
        content["copies"][tool] = [99, hashlib.sha256(held).hexdigest()]

    forge(site, become)
    assert any("is not as it was" in each for each in site.restore())
    assert (site.prefix / tool).stat().st_mode & 0o7000 == 0


def test_what_is_not_believed_is_kept_aside_whole(site: Site) -> None:
    site.take()
    before = sorted(path.name for path in (site.root / FOLDER).iterdir())
    assert set_aside(site.root) == f"{FOLDER}.broken-1"
    assert sorted(path.name for path in (site.root / f"{FOLDER}.broken-1").iterdir()) == before
    assert pending_journal(site.root) is None
