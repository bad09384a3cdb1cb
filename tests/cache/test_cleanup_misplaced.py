from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tasks.cache import cleanup
from tasks.cache.sweep import BATCH
from tasks.core.files import safe_files
from tasks.core.report.model import Status

from .conftest import Project, Unseen, done, every, found, scan_with


def test_misplaced_files_are_moved_home_with_content_and_time(project: Project) -> None:
    entries = {
        "api_responses": project.entry("api_1.json", 5, content=b"api"),
        "material_data": project.entry("material_1.json", 100, content=b"material"),
        "component_cache": project.entry("component_1.json", 1, content=b"component"),
    }
    before = {kind: entry.stat() for kind, entry in entries.items()}
    report = project.run()
    for kind, entry in entries.items():
        there = project.path(f"{kind}/{entry.name}")
        assert not entry.exists()
        assert there.read_text() == kind.split("_")[0]
        assert there.stat().st_ino == before[kind].st_ino
        assert there.stat().st_mtime_ns == before[kind].st_mtime_ns
        assert there.stat().st_nlink == 1
    assert done(report, "move") == {
        "cache/api_responses": (1, 3),
        "cache/material_data": (1, 8),
        "cache/component_cache": (1, 9),
    }
    assert report.status is Status.OK


def test_several_files_of_a_kind_are_one_action_with_their_bytes_added(project: Project) -> None:
    project.entry("api_1", content=b"123")
    project.entry("api_2", content=b"45")
    report = project.run()
    assert done(report, "move") == {"cache/api_responses": (2, 5)}
    assert found(report, "cache.misplaced").message == "2 misplaced files moved to api_responses."
    assert next(one.value for one in report.metrics if one.subject == "cache/api_responses") == 2


def test_a_dry_run_counts_a_misplaced_file_as_if_it_had_been_moved(project: Project) -> None:
    entry = project.entry("api_1", content=b"123")
    dry = project.run(dry_run=True)
    assert entry.exists()
    assert done(dry, "move") == {"cache/api_responses": (1, 3)}
    assert dry.metrics == project.run().metrics


def test_an_expired_misplaced_file_is_deleted_by_the_age_of_its_kind(project: Project) -> None:
    expired, at_limit = project.entry("component_old", 6, extra_ns=1000), project.entry("component_new", 6)
    report = project.run()
    assert not expired.exists()
    assert not project.path("component_cache/component_old").exists()
    assert not at_limit.exists()
    assert project.path("component_cache/component_new").exists()
    assert done(report, "delete") == {"cache": (1, 7)}
    assert done(report, "move") == {"cache/component_cache": (1, 7)}


def test_the_longest_prefix_decides_where_a_file_belongs(project: Project) -> None:
    project.set_cache(prefixes={"api_": "api_responses", "api_tmp_": "temp"})
    project.entry("api_tmp_1")
    project.entry("api_1")
    project.run()
    assert project.path("temp/api_tmp_1").exists()
    assert project.path("api_responses/api_1").exists()


def test_a_file_whose_name_is_taken_at_home_is_left_and_both_stay_as_they_are(project: Project) -> None:
    ours = project.entry("api_1", 1, content=b"ours")
    theirs = project.entry("api_responses/api_1", 1, content=b"theirs")
    dry = project.run(dry_run=True)
    report = project.run()
    assert ours.read_bytes() == b"ours"
    assert theirs.read_bytes() == b"theirs"
    for one in (dry, report):
        finding = found(one, "cache.misplaced")
        assert (finding.status, finding.value) == (Status.WARNING, 1)
        assert '"api_1"' in finding.message
        assert done(one, "move") == {}
        assert not every(one, "cache.unsorted")


@pytest.mark.parametrize("sort", ["folder", "link", "dangling"])
def test_nothing_at_home_is_replaced_whatever_it_is(project: Project, sort: str) -> None:
    loose_one = project.entry("api_1", 1)
    occupied = project.folder("api_responses") / "api_1"
    if sort == "folder":
        occupied.mkdir()
    else:
        occupied.symlink_to(loose_one if sort == "link" else "nowhere")
    before = occupied.lstat()
    report = project.run()
    assert loose_one.read_bytes() == b"content"
    assert os.path.samestat(occupied.lstat(), before)
    assert found(report, "cache.misplaced").status is Status.WARNING


def test_a_move_that_a_kill_left_half_done_is_finished(project: Project) -> None:
    entry = project.entry("api_1", 1)
    home = project.folder("api_responses") / "api_1"
    home.hardlink_to(entry)
    report = project.run()
    assert not entry.exists()
    assert home.read_bytes() == b"content"
    assert home.stat().st_nlink == 1
    assert done(report, "move") == {"cache/api_responses": (1, 7)}


def test_a_dry_run_counts_a_half_done_move_as_one_file_like_the_run_after_it(project: Project) -> None:
    entry = project.entry("api_1", 1)
    (project.folder("api_responses") / "api_1").hardlink_to(entry)
    dry = project.run(dry_run=True)
    wet = project.run()
    assert [action.count for action in dry.actions] == [action.count for action in wet.actions]
    assert dry.metrics == wet.metrics


def test_a_misplaced_file_dated_in_the_future_is_told_of_in_a_dry_run_as_in_a_run(project: Project) -> None:
    project.entry("api_1", -48)
    dry = project.run(dry_run=True)
    assert [one.check for one in dry.findings if one.check == "cache.future"] == ["cache.future"]
    assert every(project.run(), "cache.future")


@pytest.mark.parametrize("sort", ["file", "link", "repository"])
def test_files_whose_home_is_closed_are_left_and_told_of(project: Project, sort: str) -> None:
    entry = project.entry("api_1", 1)
    home = project.path("api_responses")
    if sort == "file":
        home.write_bytes(b"in the way")
    elif sort == "link":
        (project.root / "elsewhere").mkdir()
        home.symlink_to(project.root / "elsewhere")
    else:
        project.folder("api_responses/.git")
    report = project.run()
    assert entry.exists()
    finding = found(report, "cache.misplaced")
    assert (finding.status, finding.value) == (Status.WARNING, 1)
    assert "closed" in finding.message
    assert found(report, "cache.folder", "cache/api_responses").status is Status.UNKNOWN
    assert not every(report, "cache.unsorted")
    assert not every(report, "cache.expired", "cache/api_responses")
    assert sort != "link" or not list((project.root / "elsewhere").iterdir())


def test_an_expired_file_whose_home_is_closed_is_deleted_all_the_same(project: Project) -> None:
    entry = project.entry("api_1", 5000)
    project.entry("api_responses")
    project.run()
    assert not entry.exists()


def test_files_that_no_prefix_fits_are_left_and_counted(project: Project) -> None:
    entry = project.entry("whatever.json", 5000, content=b"12345")
    report = project.run()
    assert entry.exists()
    finding = found(report, "cache.unsorted")
    assert (finding.status, finding.value) == (Status.OK, 1)
    values = {metric.name: metric.value for metric in report.metrics if metric.subject == "cache"}
    assert values == {"cache.files": 1, "cache.bytes": 5}


def test_a_file_whose_kind_was_removed_from_the_settings_is_left(project: Project) -> None:
    project.set_cache(expiry_hours={"temp": 24})
    entry = project.entry("api_1", 5000)
    project.entry("api_responses/old", 5000)
    report = project.run()
    assert entry.exists()
    assert project.path("api_responses/old").exists()
    assert found(report, "cache.unsorted").value == 1
    assert '"api_responses"' in found(report, "cache.unmanaged").message


def test_files_of_kinds_that_were_not_asked_for_stay_where_they_are(project: Project) -> None:
    expired, fresh = project.entry("api_old", 5000), project.entry("api_new", 1)
    asked = project.entry("material_1", 1)
    report = project.run(kinds=("material_data",))
    assert expired.exists()
    assert fresh.exists()
    assert not asked.exists()
    assert next(one.value for one in report.metrics if one.subject == "cache") == 3


def test_files_of_kinds_that_were_not_asked_for_are_not_said_to_have_no_prefix(project: Project) -> None:
    project.entry("api_1", 1)
    report = project.run(kinds=("material_data",))
    assert not [one for one in every(report, "cache.unsorted") if "no prefix" in one.message]


def test_a_file_that_could_not_be_moved_is_not_said_to_have_no_prefix(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("api_1", 1)
    fail_to_move(monkeypatch, OSError(28, "No space left on device"))
    report = project.run()
    assert not every(report, "cache.unsorted")


@pytest.mark.parametrize("name", [".gitkeep", ".gitignore", "CACHEDIR.TAG", "stats.json", ".maintenance-tmp"])
def test_markers_and_our_own_file_are_no_loose_files(project: Project, name: str) -> None:
    project.set_cache(prefixes={name[:3]: "temp"})
    entry = project.entry(name, 5000, content=b"{}")
    report = project.run(dry_run=True)
    assert entry.exists()
    assert next(one.value for one in report.metrics if one.subject == "cache") == 0
    assert done(report, "delete") == done(report, "move") == {}


def test_links_and_pipes_at_the_top_are_never_touched_whatever_their_prefix(project: Project) -> None:
    top = project.folder(".")
    (project.root / "kept").mkdir()
    (top / "api_link").symlink_to(project.root / "kept")
    os.mkfifo(top / "api_pipe")
    (top / ".gitkeep").symlink_to("nowhere")
    for name in ("api_link", "api_pipe", ".gitkeep"):
        project.age(top / name, 5000)
    report = project.run()
    assert (top / ".gitkeep").is_symlink()
    assert (top / "api_link").is_symlink()
    assert (top / "api_pipe").is_fifo()
    assert found(report, "cache.special", "cache").value == 3


def test_files_inside_a_kind_are_never_judged_by_their_prefix(project: Project) -> None:
    entry = project.entry("temp/material_1", 25)
    other = project.entry("material_data/component_1", 25)
    project.run()
    assert not entry.exists()
    assert other.exists()


def fail_to_move(patch: pytest.MonkeyPatch, error: OSError) -> None:
    def move(_source: tuple[int, str], _target: tuple[int, str]) -> bool:
        raise error

    patch.setattr(cleanup, "move", move)


def test_a_file_that_cannot_be_moved_is_told_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = project.entry("api_1", 1)
    fail_to_move(monkeypatch, OSError(28, "No space left on device"))
    report = project.run()
    assert entry.exists()
    assert "No space left on device" in found(report, "cache.failed", "cache").message
    assert done(report, "move") == {}


def test_a_file_that_vanishes_before_it_is_moved_counts_neither_as_moved_nor_as_left(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = project.entry("api_1", 1)

    def move(source: tuple[int, str], target: tuple[int, str]) -> bool:
        entry.unlink()
        return safe_files.move(source, target)

    monkeypatch.setattr(cleanup, "move", move)
    report = project.run()
    assert done(report, "move") == {}
    assert next(one.value for one in report.metrics if one.subject == "cache") == 0
    assert report.status is Status.OK


def test_entries_whose_status_cannot_be_had_are_told_of_unless_they_are_gone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("api_gone", "api_denied", "api_fine"):
        project.entry(name, 1)
    errors = {"api_gone": FileNotFoundError(2, "gone"), "api_denied": PermissionError(13, "Permission denied")}
    scan_with(monkeypatch, lambda one: Unseen(one.name, errors[one.name]) if one.name in errors else one)
    report = project.run()
    monkeypatch.undo()
    finding = found(report, "cache.failed", "cache")
    assert (finding.value, '"api_denied"' in finding.message) == (1, True)
    assert project.path("api_responses/api_fine").exists()
    assert project.path("api_denied").exists()
    assert next(one.value for one in report.metrics if one.subject == "cache") == 1


def test_a_cache_folder_whose_reading_breaks_off_is_told_of_and_its_kinds_are_cleaned(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, old = project.entry("api_1", 1), project.entry("temp/old", 5000)

    def change(one: Any) -> Any:
        if one.name == "api_1":
            raise OSError(5, "Input/output error")
        return one

    scan_with(monkeypatch, change)
    report = project.run()
    monkeypatch.undo()
    assert broken.exists()
    assert not old.exists()
    finding = found(report, "cache.folder", "cache")
    assert (finding.status, "Input/output error" in finding.message) == (Status.UNKNOWN, True)
    assert done(report, "delete") == {"cache/temp": (1, 7)}


def test_more_loose_files_than_a_batch_are_all_sorted_in(project: Project) -> None:
    number = BATCH + 5
    for index in range(number):
        project.entry(f"api_{index}", 1 if index % 2 else 5000)
    report = project.run()
    assert done(report, "move")["cache/api_responses"][0] == number // 2
    assert done(report, "delete")["cache"][0] == number - number // 2
    assert {path.name for path in project.path(".").iterdir()} == {
        "api_responses",
        "material_data",
        "component_cache",
        "temp",
        "stats.json",
    }


def test_odd_names_are_moved_and_shown_readably(project: Project) -> None:
    names = ["api_ ", "api_\n", "api_\udcff", "api_-rf", "api_\u202e"]
    kept = []
    for name in names:
        try:
            kept.append(project.entry(name, 1).name)
        except OSError:  # a file system that takes only Unicode
            continue
        project.entry(f"api_responses/{name}", 1)
    report = project.run()
    message = found(report, "cache.misplaced").message
    assert message.isprintable()
    assert found(report, "cache.misplaced").value == len(kept)
    assert Path(project.path("api_\n")).exists()
