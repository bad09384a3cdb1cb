from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event

import pytest

from tasks.core.settings.model import DependencySettings
from tasks.dependencies.environment import Environment
from tasks.dependencies.installation.package_managers import Refusal
from tasks.dependencies.planning import Move, Why
from tasks.dependencies.undo import rollback
from tasks.dependencies.undo.folder_listing import FolderEntry
from tasks.dependencies.undo.undo_journal import FOLDER, KeptCopy, pending_journal
from tasks.dependencies.update_plan import UpdatePlan
from tasks.dependencies.update_transaction import UpdateContext, UpdateOutcome, carry_out

from .small_environment import NOW, Site


class FailingInstaller:
    """An installer that changes the live environment and then fails."""

    def __init__(self, site: Site, failure: Callable[[], Refusal]) -> None:
        self._site = site
        self._failure = failure

    @property
    def environment(self) -> Environment:
        return self._site.environment

    def stage(self, pins: Mapping[str, str], local: Iterable[str], work: Path) -> Environment | Refusal:
        del pins, local, work
        return self._site.environment

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        del changes, work
        self._site.update()
        return self._failure()


def ctrl_c() -> Refusal:
    raise KeyboardInterrupt


def updated(site: Site, failure: Callable[[], Refusal], stop: Event) -> UpdateOutcome:
    plan = UpdatePlan(
        moves=(Move("demo-one", "1.0", "2.0", Why.OUTDATED),),
        pins={},
        edits={"requirements.txt": "demo-one==2.0\n"},
        lock="requirements.lock.txt",
    )
    context = UpdateContext(
        root=site.root,
        installer=FailingInstaller(site, failure),
        settings=DependencySettings(smoke_command="true"),
        environ=os.environ,
        now=NOW,
        advance=lambda _: None,
        redact=str,
        stop=stop,
    )
    return carry_out(context, plan)


def test_ctrl_c_in_the_middle_of_an_update_leaves_everything_as_it_was(site: Site) -> None:
    before = site.state()
    stop = Event()
    outcome = updated(site, ctrl_c, stop)
    assert not outcome.done
    assert outcome.message == "The update failed and was undone, everything is as it was: it was told to stop."
    assert stop.is_set()
    assert site.state() == before
    assert pending_journal(site.root) is None


def lose_copies(site: Site) -> None:
    """Delete the copies of all files that the update replaces."""
    for copy in (site.root / FOLDER).iterdir():
        if copy.name.isdecimal():
            copy.unlink()


def test_ctrl_c_names_each_file_that_could_not_be_put_back(site: Site) -> None:
    replaced = [path for path in site.packages.glob("demo_one*/**/*") if path.is_file()]
    assert len(replaced) > 5

    def lost() -> Refusal:
        lose_copies(site)
        raise KeyboardInterrupt

    outcome = updated(site, lost, Event())
    assert not outcome.done
    for path in replaced:
        assert f"{path} cannot be put back: No such file or directory." in outcome.message
    assert f"{site.root}/requirements.txt cannot be put back" in outcome.message
    assert "run inv monthly.dependency-update --yes to put them back" in outcome.remedy
    assert FOLDER in outcome.remedy
    assert pending_journal(site.root) is not None, "the next run can finish it"


def test_what_can_be_put_back_is_put_back_beside_what_cannot(site: Site) -> None:
    before = site.state()

    def half_lost() -> Refusal:
        (site.root / FOLDER / "0").unlink()
        return Refusal("It broke.", "")

    outcome = updated(site, half_lost, Event())
    assert outcome.message.count("cannot be put back") == 1
    after = site.state()
    (missing,) = before.keys() - after.keys()
    assert missing in outcome.message
    assert after == {path: state for path, state in before.items() if path != missing}


def test_ctrl_c_while_things_are_put_back_does_not_end_that(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.state()
    write = rollback._restore_file

    def write_and_interrupt(root: Path, copy: KeptCopy, place: tuple[int, str], each: FolderEntry) -> None:
        signal.raise_signal(signal.SIGINT)
        write(root, copy, place, each)

    monkeypatch.setattr(rollback, "_restore_file", write_and_interrupt)
    stop = Event()
    outcome = updated(site, lambda: Refusal("It broke.", ""), stop)
    assert outcome.message == "The update failed and was undone, everything is as it was: It broke."
    assert stop.is_set(), "the run ends after it"
    assert site.state() == before


def test_an_error_of_the_suite_is_reported_with_what_could_not_be_put_back(site: Site) -> None:
    def broken() -> Refusal:
        lose_copies(site)
        raise ValueError("unexpected")

    outcome = updated(site, broken, Event())
    assert "The update failed, for ValueError: unexpected. Not all is as it was:" in outcome.message
    assert f"{site.packages}/demo_one/__init__.py cannot be put back" in outcome.message


def test_an_error_of_the_suite_is_raised_where_everything_was_put_back(site: Site) -> None:
    before = site.state()

    def broken() -> Refusal:
        raise ValueError("unexpected")

    with pytest.raises(ValueError, match="unexpected"):
        updated(site, broken, Event())
    assert site.state() == before


@pytest.mark.parametrize("damage", ["removed", "unreadable"])
def test_a_journal_that_was_lost_meanwhile_is_no_success(site: Site, damage: str) -> None:
    def lost() -> Refusal:
        if damage == "removed":
            shutil.rmtree(site.root / FOLDER)
        else:
            (site.root / FOLDER / "journal.json").write_text("{")
        raise KeyboardInterrupt

    outcome = updated(site, lost, Event())
    assert "Not all is as it was:" in outcome.message
    assert FOLDER in outcome.message.partition("Not all is as it was:")[2]
