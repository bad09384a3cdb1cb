from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.cache import sweep as sweeping
from tasks.cache.cleanup_outcome import Names, Tally
from tasks.cache.expiry import Expiry
from tasks.cache.sweep import BATCH, Place, Walk, sweep
from tasks.core.files import file_locks
from tasks.core.files.lock import NotWritable

from .conftest import HOUR_NS, NOW_NS, Project, Scanned, Unseen, child, done, environment, every, found, scan_with

LIMITS = {"api_responses": 24, "material_data": 168, "component_cache": 6, "temp": 24}


def between_plan_and_deletion(patch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen after a batch was planned and before it is deleted."""

    def held_by_others() -> Callable[[int, str, int], bool]:
        happens()
        return file_locks.held_by_others()

    patch.setattr(sweeping, "held_by_others", held_by_others)


@contextmanager
def walk(folder: Path, stop: Event | None = None) -> Iterator[tuple[Place, Walk]]:
    """Open *folder* for a walk of its own, outside of any clean-up."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with ThreadPoolExecutor(2) as deleters:
            yield (
                Place(descriptor, EXPIRY),
                Walk(apply=True, stop=stop or Event(), advance=lambda _count: None, deleters=deleters),
            )
    finally:
        os.close(descriptor)


EXPIRY = Expiry(24, NOW_NS - 24 * HOUR_NS, NOW_NS, newest=False, active=True)


def swept(place: Place, how: Walk) -> Tally:
    tally = Tally()
    sweep(place, how, tally)
    return tally


# Which entries expire


@pytest.mark.parametrize("kind", LIMITS)
def test_an_entry_as_old_as_its_limit_stays_and_one_nanosecond_older_goes(project: Project, kind: str) -> None:
    at_limit = project.entry(f"{kind}/at_limit", LIMITS[kind])
    past_limit = project.entry(f"{kind}/past_limit", LIMITS[kind], extra_ns=1)
    if past_limit.stat().st_mtime_ns == at_limit.stat().st_mtime_ns:
        pytest.skip("this file system does not keep nanoseconds")
    report = project.run()
    assert at_limit.exists()
    assert not past_limit.exists()
    assert found(report, "cache.expired", f"cache/{kind}").value == 1


def test_age_by_newest_keeps_a_fresh_entry_with_an_old_foreign_mtime(project: Project) -> None:
    entry = project.entry("temp/copied", 5000)
    project.set_cache(age_by="newest")
    assert done(project.run(now=datetime.now(UTC)), "delete") == {}
    assert entry.exists()
    project.set_cache(age_by="mtime")
    project.run(now=datetime.now(UTC))
    assert not entry.exists()


def test_age_by_newest_deletes_what_was_neither_written_nor_changed_since(project: Project) -> None:
    entry = project.entry("temp/old", 5000)
    project.set_cache(age_by="newest")
    project.run(now=datetime.fromtimestamp(entry.stat().st_ctime + 25 * 3600, UTC))
    assert not entry.exists()


def test_only_the_kinds_asked_for_are_cleaned_and_the_others_are_counted(project: Project) -> None:
    asked, other = project.entry("temp/old", 5000), project.entry("material_data/old", 5000, content=b"12345")
    empty = project.folder("material_data/empty")
    project.age(empty, 5000)
    report = project.run(kinds=("temp",))
    assert (asked.exists(), other.exists(), empty.exists()) == (False, True, True)
    assert [finding.subject for finding in every(report, "cache.expired")] == ["cache/temp"]
    values = {(metric.name, metric.subject): metric.value for metric in report.metrics}
    assert values["cache.files", "cache/material_data"] == 1
    assert values["cache.bytes", "cache/material_data"] == 5


def test_older_than_overrides_the_limits_of_all_kinds(project: Project) -> None:
    entries = [project.entry(f"{kind}/entry", 2) for kind in LIMITS]
    young = project.entry("temp/young", 1)
    report = project.run(older_than=1.5)
    assert not any(entry.exists() for entry in entries)
    assert young.exists()
    assert "older than 1.5 h" in found(report, "cache.expired", "cache/temp").message


@pytest.mark.parametrize("name", [".gitkeep", ".gitignore", ".keep", "CACHEDIR.TAG"])
def test_a_marker_stays_however_old_and_so_does_the_folder_it_keeps(project: Project, name: str) -> None:
    marker, nested = project.entry(f"temp/{name}", 5000), project.entry(f"temp/nested/{name}", 5000)
    project.age(nested.parent, 5000)
    report = project.run()
    assert marker.exists()
    assert nested.exists()
    assert done(report, "delete") == {}


def test_a_folder_with_the_name_of_a_marker_is_cleaned_like_any_other(project: Project) -> None:
    old, fresh = project.entry("temp/.keep/old", 5000), project.entry("temp/.keep/fresh", 1)
    elsewhere = project.entry(".gitkeep/entry", 1)
    report = project.run()
    assert not old.exists()
    assert fresh.exists()
    assert elsewhere.exists()
    values = {metric.subject: metric.value for metric in report.metrics if metric.name == "cache.files"}
    assert (values["cache/temp"], values["cache"]) == (1, 2)
    assert '".gitkeep"' in found(report, "cache.unmanaged").message


def test_entries_dated_in_the_future_stay_and_are_told_of_beyond_the_tolerance(project: Project) -> None:
    ahead = -300 * 10**9
    tolerated = project.entry("temp/tolerated", extra_ns=ahead)
    future = project.entry("temp/sub/future", extra_ns=ahead - 1000)
    report = project.run(older_than=0)
    assert tolerated.exists()
    assert future.exists()
    finding = found(report, "cache.future", "cache/temp")
    assert finding.value == 1
    assert '"sub/future"' in finding.message


def test_by_a_clock_that_is_not_believed_nothing_goes_and_what_looks_expired_is_counted(tmp_path: Path) -> None:
    for name, age in (("old", 0), ("older", 0), ("young", NOW_NS), (".gitkeep", 0)):
        (tmp_path / name).write_bytes(b"entry")
        os.utime(tmp_path / name, ns=(age, age))
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", ns=(0, 0))
    with walk(tmp_path) as (place, how):
        doubted = swept(place._replace(expiry=EXPIRY._replace(clock_doubted=True)), how)
        assert (doubted.withheld, doubted.expired, doubted.files, doubted.folders_removed) == (2, 0, 3, 0)
        assert (tmp_path / "folder").is_dir()
        counted = swept(place._replace(expiry=EXPIRY._replace(active=False, clock_doubted=True)), how)
        assert counted.withheld == 0
        believed = swept(place, how)
    assert (believed.withheld, believed.expired, believed.files, believed.folders_removed) == (0, 2, 1, 1)


def test_a_file_with_another_name_outside_is_deleted_here_and_stays_there(project: Project) -> None:
    entry = project.entry("temp/linked", 5000, content=b"12345")
    outside = project.root / "kept"
    outside.hardlink_to(entry)
    before = outside.stat()
    report = project.run()
    assert done(report, "delete") == {"cache/temp": (1, 5)}
    assert not entry.exists()
    assert outside.read_bytes() == b"12345"
    assert (outside.stat().st_ino, outside.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_dry_run_and_a_run_count_the_same_bytes_for_a_file_with_two_names_in_the_cache(project: Project) -> None:
    entry = project.entry("temp/one", 5000, content=b"12345")
    project.path("temp/two").hardlink_to(entry)
    dry = project.run(dry_run=True)
    assert done(dry, "delete") == done(project.run(), "delete")


# What is no regular file


def test_links_pipes_and_sockets_are_never_touched_nor_opened(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = project.root / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    project.age(outside / "kept", 5000)
    temp = project.folder("temp")
    (temp / "to_file").symlink_to(outside / "kept")
    (temp / "to_folder").symlink_to(outside)
    (temp / "dangling").symlink_to("nowhere")
    (temp / "loop").symlink_to("loop")
    os.mkfifo(temp / "pipe")
    monkeypatch.chdir(temp)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    for name in ("to_file", "to_folder", "dangling", "loop", "pipe", "socket"):
        project.age(temp / name, 5000)
    before = project.look()
    report = project.run()
    after = project.look()
    assert {path: seen for path, seen in after.items() if path in before and path != "cache"} == {
        path: seen for path, seen in before.items() if path != "cache"
    }
    finding = found(report, "cache.special", "cache/temp")
    assert finding.value == 6
    assert done(report, "delete") == {}


def test_an_expired_folder_is_removed_once_nothing_is_left_in_it(project: Project) -> None:
    project.entry("temp/a/b/old", 5000)
    for name in ("temp/a/b", "temp/a", "temp"):
        project.age(project.path(name), 25)
    report = project.run()
    assert not project.path("temp/a").exists()
    assert project.path("temp").is_dir()
    assert done(report, "remove") == {"cache/temp": (2, 0)}


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_expired_folder_with_an_entry_in_use_stays(project: Project, dry_run: object) -> None:
    entry = project.entry("temp/sub/locked", 5000)
    project.age(entry.parent, 5000)
    with entry.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        report = project.run(dry_run=bool(dry_run))
    assert entry.exists()
    assert done(report, "remove") == done(report, "delete") == {}
    assert next(one.value for one in report.metrics if one.subject == "cache/temp") == 1


def test_a_young_empty_folder_stays(project: Project) -> None:
    project.entry("temp/young/old", 5000)
    empty = project.folder("temp/empty")
    project.age(empty, 24)
    report = project.run()
    assert empty.is_dir()
    assert project.path("temp/young").is_dir()
    assert not project.path("temp/young/old").exists()
    assert done(report, "remove") == {}


def test_an_expired_folder_that_still_holds_something_stays(project: Project) -> None:
    project.entry("temp/file/fresh", 1)
    project.folder("temp/link").joinpath("link").symlink_to("nowhere")
    project.folder("temp/folder/young")
    for name in ("file", "link", "folder"):
        project.age(project.path(f"temp/{name}"), 5000)
    report = project.run()
    assert all(project.path(f"temp/{name}").is_dir() for name in ("file", "link", "folder"))
    assert done(report, "remove") == {}


def test_a_folder_that_somebody_writes_to_in_the_last_moment_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/sub/old", 5000)
    project.age(project.path("temp/sub"), 5000)
    between_plan_and_deletion(monkeypatch, lambda: project.entry("temp/sub/new"))
    report = project.run()
    assert project.path("temp/sub/new").read_bytes() == b"content"
    assert done(report, "remove") == {}
    assert done(report, "delete") == {"cache/temp": (1, 7)}


def test_a_git_repository_in_a_kind_is_counted_and_left_whole(project: Project) -> None:
    project.entry("temp/clone/.git/objects/old", 5000)
    project.entry("temp/clone/src/old", 5000)
    project.folder("temp/clone/empty")
    for name in ("empty", "src", ".git/objects", ".git", "."):
        project.age(project.path(f"temp/clone/{name}"), 5000)
    project.entry("temp/worktree/.git", 5000)  # a file there: a linked work tree or a submodule
    project.entry("temp/worktree/old", 5000)
    beside = project.entry("temp/old", 5000)
    before = {path: seen for path, seen in project.look().items() if path.startswith("cache/temp/")}
    report = project.run()
    assert not beside.exists()
    del before["cache/temp/old"]
    assert {path: seen for path, seen in project.look().items() if path.startswith("cache/temp/")} == before
    finding = found(report, "cache.foreign", "cache/temp")
    assert finding.value == 2
    assert "a Git repository" in finding.message
    assert done(report, "delete") == {"cache/temp": (1, 7)}
    assert next(one.value for one in report.metrics if one.subject == "cache/temp") == 4


def test_folders_deeper_than_the_limit_are_left_and_told_of(project: Project) -> None:
    at_limit = project.entry("temp/" + "d/" * 64 + "old", 5000)
    beyond = project.entry("temp/" + "d/" * 65 + "old", 5000)
    report = project.run()
    assert not at_limit.exists()
    assert beyond.exists()
    finding = found(report, "cache.foreign", "cache/temp")
    assert finding.value == 1
    assert "more than 64 folders deep" in finding.message
    assert done(report, "remove") == {}


def _moved_to_another_device(status: os.stat_result) -> os.stat_result:
    values = list(status)
    values[stat.ST_DEV] += 1
    names = ("st_atime_ns", "st_mtime_ns", "st_ctime_ns", "st_blksize", "st_blocks", "st_rdev")
    return os.stat_result(values, {name: getattr(status, name) for name in names})


def test_folders_on_another_file_system_are_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    mounted, beside = project.entry("temp/mounted/old", 5000), project.entry("temp/old", 5000)
    real = os.fstat
    with walk(project.path("temp")) as (place, how):
        monkeypatch.setattr(os, "fstat", lambda descriptor: _moved_to_another_device(real(descriptor)))
        tally = swept(place, how)
    assert mounted.exists()
    assert not beside.exists()
    assert tally.foreign == {"on another file system": Names(1, ["mounted"])}


# What happens between plan and deletion


def test_an_entry_that_vanishes_before_its_deletion_counts_neither_as_deleted_nor_as_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = project.entry("temp/gone", 5000)
    other = project.entry("temp/other", 5000)
    between_plan_and_deletion(monkeypatch, gone.unlink)
    report = project.run()
    assert not other.exists()
    assert done(report, "delete") == {"cache/temp": (1, 7)}
    assert next(one.value for one in report.metrics if one.subject == "cache/temp") == 0
    assert every(report, "cache.failed") == []


def test_a_folder_whose_last_entry_vanishes_by_itself_is_removed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = project.entry("temp/sub/gone", 5000)
    project.age(gone.parent, 5000)
    between_plan_and_deletion(monkeypatch, gone.unlink)
    report = project.run()
    assert not gone.parent.exists()
    assert done(report, "remove") == {"cache/temp": (1, 0)}


def test_an_entry_that_is_rewritten_before_its_deletion_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = project.entry("temp/rewritten", 5000)
    between_plan_and_deletion(monkeypatch, lambda: entry.write_bytes(b"news, longer than before"))
    report = project.run()
    assert entry.read_bytes() == b"news, longer than before"
    values = {metric.name: metric.value for metric in report.metrics if metric.subject == "cache/temp"}
    assert values == {"cache.files": 1, "cache.bytes": 24}
    assert found(report, "cache.changed", "cache/temp").value == 1
    assert done(report, "delete") == {}


@pytest.mark.parametrize("sort", ["replaced", "same_size", "same_time"])
def test_every_way_of_rewriting_an_entry_is_noticed(
    project: Project, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    entry = project.entry("temp/entry", 5000, content=b"12345")

    def rewrite() -> None:
        if sort == "replaced":
            fresh = project.entry("new", 5000, content=b"54321")
            fresh.rename(entry)
        else:
            entry.write_bytes(b"54321" if sort == "same_size" else b"1234567")
            if sort == "same_time":
                project.age(entry, 5000)

    between_plan_and_deletion(monkeypatch, rewrite)
    report = project.run()
    assert entry.exists()
    assert found(report, "cache.changed", "cache/temp").value == 1


def test_an_entry_whose_place_a_link_takes_before_its_deletion_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = project.entry("temp/entry", 5000)
    kept = project.root / "kept"
    kept.write_bytes(b"kept")
    project.age(kept, 5000)

    def swap() -> None:
        entry.unlink()
        entry.symlink_to(kept)

    between_plan_and_deletion(monkeypatch, swap)
    report = project.run()
    assert entry.is_symlink()
    assert kept.read_bytes() == b"kept"
    assert done(report, "delete") == {}
    assert found(report, "cache.changed", "cache/temp").value == 1


def test_a_link_that_took_the_place_of_an_entry_is_not_counted_as_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = project.entry("temp/sub/entry", 5000)
    project.age(entry.parent, 5000)

    def swap() -> None:
        entry.unlink()
        entry.symlink_to("nowhere")
        project.age(entry.parent, 5000)

    between_plan_and_deletion(monkeypatch, swap)
    report = project.run()
    assert entry.is_symlink()
    assert done(report, "remove") == {}
    assert next(one.value for one in report.metrics if one.subject == "cache/temp") == 0


def test_an_entry_that_another_process_has_locked_stays(project: Project) -> None:
    entry, other = project.entry("temp/locked", 5000), project.entry("temp/other", 5000)
    project.age(project.path("temp"), 5000)
    code = """
import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("ready", flush=True)
    sys.stdin.read()
"""
    with child(code, str(entry)):
        report = project.run()
        dry = project.run(dry_run=True)
    assert entry.exists()
    assert not other.exists()
    for one in (report, dry):
        finding = found(one, "cache.locked", "cache/temp")
        assert finding.value == 1
        assert '"locked"' in finding.message
    assert done(report, "delete") == {"cache/temp": (1, 7)}
    assert done(dry, "delete") == {}
    assert found(project.run(), "cache.expired", "cache/temp").value == 1
    assert not entry.exists()


def test_without_a_table_of_locks_each_file_is_asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "held_by_others", lambda: file_locks.held_by_others(project.root / "no table"))
    locked, free = project.entry("temp/locked", 5000), project.entry("temp/free", 5000)
    with locked.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        project.run()
    assert locked.exists()
    assert not free.exists()


# What the system refuses


def refuse(patch: pytest.MonkeyPatch, function: str, name: str, error: OSError) -> None:
    """Let a function of ``os`` fail for one name."""
    real = getattr(os, function)

    def failing(path: Any, *arguments: Any, **keywords: Any) -> Any:
        if os.path.basename(str(path)) == name:  # noqa: PTH119 - a descriptor is asked for as well
            raise error
        return real(path, *arguments, **keywords)

    patch.setattr(os, function, failing)


DENIED = PermissionError(13, "Permission denied")


def test_an_entry_that_cannot_be_deleted_is_told_of_and_the_rest_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = project.entry("temp/sub/stuck", 5000), project.entry("temp/other", 5000)
    project.age(project.path("temp/sub"), 5000)
    refuse(monkeypatch, "unlink", "stuck", PermissionError(1, "Operation not permitted"))
    report = project.run()
    assert stuck.exists()
    assert not other.exists()
    finding = found(report, "cache.failed", "cache/temp")
    assert finding.value == 1
    assert "Operation not permitted" in finding.message
    assert '"sub/stuck"' in finding.message
    assert done(report, "delete") == {"cache/temp": (1, 7)}
    assert done(report, "remove") == {}


def test_a_subfolder_that_cannot_be_opened_is_told_of_and_the_rest_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, other = project.entry("temp/closed/old", 5000), project.entry("temp/other/old", 5000)
    project.age(closed.parent, 5000)
    refuse(monkeypatch, "open", "closed", DENIED)
    report = project.run()
    assert closed.exists()
    assert not other.exists()
    finding = found(report, "cache.failed", "cache/temp")
    assert (finding.value, '"closed"' in finding.message) == (1, True)


def test_a_subfolder_that_cannot_be_looked_into_is_told_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = project.entry("temp/closed/old", 5000)
    refuse(monkeypatch, "stat", ".git", DENIED)
    with walk(project.path("temp")) as (place, how):
        tally = swept(place, how)
    assert closed.exists()
    assert tally.failed == {"Permission denied": Names(1, ["closed"])}


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_folders_without_permission_are_told_of_and_the_rest_goes_on(project: Project) -> None:
    unreadable, unwritable = project.entry("temp/unreadable/old", 5000), project.entry("temp/unwritable/old", 5000)
    closed, other = project.entry("api_responses/old", 5000), project.entry("temp/other", 5000)
    modes = {unreadable.parent: 0o000, unwritable.parent: 0o500, closed.parent: 0o000}
    for folder, mode in modes.items():
        folder.chmod(mode)
    try:
        report = project.run()
    finally:
        for folder in modes:
            folder.chmod(0o700)
    assert unreadable.exists()
    assert unwritable.exists()
    assert closed.exists()
    assert not other.exists()
    assert found(report, "cache.failed", "cache/temp").value == 2
    assert found(report, "cache.folder", "cache/api_responses").status.value == "unknown"


def test_an_entry_that_vanishes_during_the_walk_counts_for_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = project.entry("temp/gone", 5000)
    project.entry("temp/stays", 1)
    scan_with(monkeypatch, lambda one: Unseen("gone", FileNotFoundError(2, "gone")) if one.name == "gone" else one)
    report = project.run()
    monkeypatch.undo()
    assert entry.exists()
    assert next(one.value for one in report.metrics if one.subject == "cache/temp") == 1
    assert every(report, "cache.failed") == every(report, "cache.changed") == []


def test_an_entry_whose_status_is_denied_is_told_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("temp/sub/hidden", 5000)
    other = project.entry("temp/other", 5000)
    scan_with(monkeypatch, lambda one: Unseen("hidden", DENIED) if one.name == "hidden" else one)
    report = project.run()
    monkeypatch.undo()
    assert not other.exists()
    finding = found(report, "cache.failed", "cache/temp")
    assert "Permission denied" in finding.message
    assert '"sub/hidden"' in finding.message


def test_a_dry_run_does_not_plan_to_remove_a_folder_with_an_entry_it_cannot_see(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/sub/hidden", 5000)
    project.age(project.path("temp/sub"), 5000)
    scan_with(monkeypatch, lambda one: Unseen("hidden", DENIED) if one.name == "hidden" else one)
    dry = project.run(dry_run=True)
    wet = project.run()
    monkeypatch.undo()
    assert project.path("temp/sub/hidden").exists()
    assert done(dry, "remove") == done(wet, "remove") == {}


def test_a_kind_whose_reading_breaks_off_is_told_of_with_its_path(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/entry", 5000)
    other = project.entry("material_data/old", 5000)
    break_off_at(monkeypatch, "entry")
    report = project.run()
    monkeypatch.undo()
    assert not other.exists()
    finding = found(report, "cache.folder")
    assert "Input/output error" in finding.message
    assert finding.subject == "cache/temp"


def break_off_at(patch: pytest.MonkeyPatch, name: str) -> None:
    def change(one: Any) -> Any:
        if one.name == name:
            raise OSError(5, "Input/output error")
        return one

    scan_with(patch, change)


def _break_off_after_a_batch(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the folder's reading fail once its first batch has been given."""
    seen = iter(range(BATCH))
    inode = folder.stat().st_ino
    real = os.scandir

    def change(one: Any) -> Any:
        if next(seen, None) is None:
            raise OSError(5, "Input/output error")
        return one

    def scandir(descriptor: int) -> Any:
        entries = real(descriptor)
        return Scanned(entries, change) if os.fstat(descriptor).st_ino == inode else entries

    patch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("name", ["temp", "temp/sub"])
def test_what_was_deleted_before_a_folders_reading_broke_off_is_reported(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for number in range(BATCH + 10):
        project.entry(f"{name}/{number}", 5000)
    _break_off_after_a_batch(monkeypatch, project.path(name))
    report = project.run()
    monkeypatch.undo()
    assert len(list(project.path(name).iterdir())) == 10
    assert done(report, "delete") == {"cache/temp": (BATCH, 7 * BATCH)}


# Many entries


@pytest.mark.slow
def test_more_entries_than_a_batch_are_all_seen_and_progress_adds_up(project: Project) -> None:
    number = 2 * BATCH + 7
    for index in range(number):
        project.entry(f"temp/{index}", 5000 if index % 2 else 1)
    advanced: list[int] = []
    report = project.run(advance=advanced.append)
    assert found(report, "cache.expired", "cache/temp").value == number // 2
    assert len(list(project.path("temp").iterdir())) == number - number // 2
    assert sum(advanced) == number + 4  # and the four kinds at the top
    assert max(advanced) <= BATCH


def test_a_stopped_walk_ends_after_its_batch_and_says_so(tmp_path: Path) -> None:
    project, stop = Project(tmp_path), Event()
    for index in range(BATCH + 5):
        project.entry(f"temp/{index}", 5000)
    stop.set()
    with walk(project.path("temp"), stop) as (place, how):
        tally = swept(place, how)
    assert tally.interrupted
    assert tally.expired <= BATCH
    assert len(list(project.path("temp").iterdir())) == BATCH + 5 - tally.expired


def test_a_walk_stopped_within_a_subfolder_does_not_enter_the_others(tmp_path: Path) -> None:
    project, stop = Project(tmp_path), Event()
    for index in range(50):
        project.entry(f"temp/{index}/old", 5000)
    with walk(project.path("temp"), stop) as (place, how):
        looked: list[int] = []

        def advance(count: int) -> None:
            looked.append(count)
            if len(looked) == 2:  # the kind itself and its first subfolder
                stop.set()

        tally = swept(place, how._replace(advance=advance))
    assert tally.interrupted
    assert tally.expired == 1
    assert len(list(project.path("temp").glob("*/old"))) == 49


def test_a_stopped_walk_leaves_the_folder_it_was_in(tmp_path: Path) -> None:
    project, stop = Project(tmp_path), Event()
    project.entry("temp/sub/old", 5000)
    project.age(project.path("temp/sub"), 5000)
    with walk(project.path("temp"), stop) as (place, how):
        looked: list[int] = []

        def advance(count: int) -> None:
            looked.append(count)
            if len(looked) == 2:
                stop.set()

        tally = swept(place, how._replace(advance=advance))
    assert project.path("temp/sub").is_dir()
    assert (tally.expired, tally.folders_removed, tally.interrupted) == (1, 0, True)


MANY_FOLDERS = """
import resource, sys
from datetime import UTC, datetime
from tasks.cache.cleanup import clean_up
from tasks.core.settings.model import Settings
resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
report = clean_up(Settings(root=sys.argv[1]), now=datetime(2025, 6, 2, 12, tzinfo=UTC))
print([finding.message for finding in report.findings if finding.status.value != "ok"])
"""


@pytest.mark.parametrize("place", ["", "temp/"])
def test_any_number_of_folders_is_walked_with_few_descriptors(project: Project, place: str) -> None:
    for index in range(300):
        project.entry(f"{place}{index:03x}/entry", 1)
    ran = subprocess.run(
        [sys.executable, "-c", MANY_FOLDERS, str(project.root)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_this_process_is_left_with_the_descriptors_it_had(project: Project) -> None:
    project.entry("temp/sub/deep/old", 5000)
    project.entry("other/entry")
    project.entry("temp/clone/.git/x")
    project.folder("component_cache/.git")
    project.run()
    before = open_descriptors()
    project.run()
    assert open_descriptors() == before


def open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


# Counting


def test_twenty_names_are_remembered_however_many_there_are() -> None:
    names = Names()
    for number in range(25):
        names.add(f"name {number}")
    assert (names.count, names.first) == (25, [f"name {number}" for number in range(20)])
    names.join(Names(3, ["a", "b", "c"]))
    assert (names.count, len(names.first)) == (28, 20)


def test_joined_names_keep_their_order() -> None:
    names = Names(1, ["a"])
    names.join(Names(2, ["b", "c"]))
    assert names == Names(3, ["a", "b", "c"])


def test_what_the_system_refused_is_noted_by_what_it_says_or_else_the_errors_text() -> None:
    tally = Tally()
    tally.fail("a", OSError(28, "No space left on device"))
    tally.fail("b", OSError("without a number"))
    tally.fail("c", OSError(28, "No space left on device"))
    assert tally.failed == {"No space left on device": Names(2, ["a", "c"]), "without a number": Names(1, ["b"])}


def test_a_run_over_many_odd_entries_remembers_twenty_of_them(project: Project) -> None:
    temp = project.folder("temp")
    for number in range(30):
        (temp / f"link_{number}").symlink_to("nowhere")
    finding = found(project.run(), "cache.special", "cache/temp")
    assert finding.value == 30
    assert finding.message.endswith("and 25 more.")


def test_the_oldest_of_the_files_left_is_remembered(project: Project) -> None:
    project.entry("temp/expired", 5000)
    project.entry("temp/sub/older", 23)
    project.entry("temp/younger", 2)
    with walk(project.path("temp")) as (place, how):
        assert swept(place, how).oldest_ns == NOW_NS - 23 * HOUR_NS


def test_tallies_join_all_but_what_is_left_in_the_folder() -> None:
    one = Tally(files=1, bytes=2, expired=3, expired_bytes=4, folders_removed=5, remaining=6, oldest_ns=9)
    other = Tally(files=10, bytes=20, expired=30, expired_bytes=40, folders_removed=50, remaining=60, interrupted=True)
    for names in (other.locked, other.changed, other.special, other.future):
        names.add("a")
    one.leave("b", "why")
    other.leave("c", "why")
    other.leave("d", "why else")
    other.fail("e", OSError(13, "Permission denied"))
    one.join(other)
    assert (one.files, one.bytes, one.expired, one.expired_bytes, one.folders_removed) == (11, 22, 33, 44, 55)
    assert (one.remaining, one.oldest_ns, one.interrupted) == (6, 9, True)
    assert one.locked == one.changed == one.special == one.future == Names(1, ["a"])
    assert one.foreign == {"why": Names(2, ["b", "c"]), "why else": Names(1, ["d"])}
    assert one.failed == {"Permission denied": Names(1, ["e"])}


def test_the_earlier_of_two_oldest_entries_is_the_oldest() -> None:
    one = Tally()
    for oldest, expected in ((None, None), (9, 9), (8, 8), (12, 8), (None, 8)):
        one.join(Tally(oldest_ns=oldest))
        assert one.oldest_ns == expected


def test_joined_tallies_stay_apart() -> None:
    one, other = Tally(), Tally()
    other.leave("a", "why")
    one.join(other)
    one.leave("b", "why")
    assert other.foreign == {"why": Names(1, ["a"])}


def test_a_bare_repository_in_the_cache_is_only_counted(project: Project) -> None:
    for name in ("HEAD", "config", "objects/pack/one", "refs/heads/main"):
        project.entry(f"temp/mirror.git/{name}", 5000)
    report = project.run()
    assert found(report, "cache.foreign", "cache/temp").value == 1
    assert project.path("temp/mirror.git/objects/pack/one").exists()
    assert done(report, "delete") == {}


def test_a_dry_run_does_not_promise_what_it_could_not_do(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("temp/old", 5000)
    project.entry("api_1", 1)
    monkeypatch.setattr(os, "access", lambda path, *_arguments, **_keywords: path == project.root)
    report = project.run(dry_run=True)
    assert done(report, "delete") == done(report, "move") == {}
    assert "Permission denied" in found(report, "cache.failed", "cache/temp").message
    assert "Permission denied" in found(report, "cache.failed", "cache").message
    monkeypatch.setattr(os, "access", lambda *_arguments, **_keywords: False)
    with pytest.raises(NotWritable, match="cannot be written by user"):
        project.run(dry_run=True)


def test_a_loose_file_that_is_locked_stays_where_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("api_1", 1)
    monkeypatch.setattr("tasks.cache.cleanup.held_by_others", lambda: lambda *_arguments: True)
    report = project.run()
    assert found(report, "cache.locked", "cache").value == 1
    assert project.path("api_1").exists()


def test_a_folder_that_cannot_be_removed_is_told_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("temp/sub/old", 5000)
    os.utime(project.path("temp/sub"), (0, 0))

    def rmdir(*_arguments: object, **_keywords: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rmdir", rmdir)
    report = project.run()
    assert "Permission denied" in found(report, "cache.failed", "cache/temp").message
    assert done(report, "remove") == {}


# One odd entry among many


@pytest.mark.parametrize(("kind", "remaining"), [("vanished", 0), ("denied", 1), ("marker", 1)])
def test_one_odd_entry_among_many_keeps_none_of_the_others(tmp_path: Path, kind: str, remaining: int) -> None:
    odd = ".gitkeep" if kind == "marker" else "a"
    for name in (odd, "b", "c"):
        (tmp_path / name).write_bytes(b"old")
        os.utime(tmp_path / name, ns=(0, 0))
    tally = Tally()
    with walk(tmp_path) as (place, _how), os.scandir(place.descriptor) as entries:
        batch: list[Any] = sorted(entries, key=lambda entry: entry.name)
        if kind == "vanished":
            (tmp_path / odd).unlink()
        elif kind == "denied":
            batch[0] = Unseen(odd, DENIED)
        expired = sweeping._expired(batch, place, tally, [])
    assert [entry.name for entry in expired] == ["b", "c"]
    assert tally.remaining == remaining


@pytest.mark.parametrize(("kind", "remaining"), [("vanished", 0), ("a link", 1), ("rewritten", 1)])
def test_one_entry_that_is_not_as_it_was_planned_keeps_none_of_the_others(
    tmp_path: Path, kind: str, remaining: int
) -> None:
    planned = []
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"old")
        planned.append(sweeping.Entry(name, (tmp_path / name).stat()))
    if kind == "rewritten":
        (tmp_path / "a").write_bytes(b"rewritten")
    else:
        (tmp_path / "a").unlink()
    if kind == "a link":
        (tmp_path / "target").write_bytes(b"mine")
        (tmp_path / "a").symlink_to("target")
    with walk(tmp_path) as (place, _how):
        tally = sweeping._delete(place, planned, apply=True, is_locked=lambda *_: False)
    assert (tally.expired, tally.remaining, tally.files) == (2, remaining, int(kind == "rewritten"))
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "c").exists()


def test_a_dry_run_asks_for_both_rights_that_a_deletion_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    planned = [sweeping.Entry("a", (tmp_path / "a").stat())]
    monkeypatch.setattr(os, "access", lambda _path, mode, **_: mode != os.W_OK | os.X_OK)
    with walk(tmp_path) as (place, _how):
        tally = sweeping._delete(place, planned, apply=False, is_locked=lambda *_: False)
    assert tally.expired == 0


def test_a_link_that_takes_the_place_of_a_folder_during_the_walk_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("cache/sub", "outside"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "outside/old").write_bytes(b"mine")
    os.utime(tmp_path / "outside/old", ns=(0, 0))
    real = os.open

    def swapped(path: str, flags: int, **options: Any) -> int:
        if path == "sub":
            (tmp_path / "cache/sub").rmdir()
            (tmp_path / "cache/sub").symlink_to("../outside")
        return real(path, flags, **options)

    with walk(tmp_path / "cache") as (place, how):
        monkeypatch.setattr(os, "open", swapped)
        swept(place, how)
    assert (tmp_path / "outside/old").read_bytes() == b"mine"
