from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.cache import cleanup, cleanup_report, sweep
from tasks.cache.cleanup_outcome import Tally
from tasks.cache.sweep import BATCH, Walk
from tasks.core.files.file_locks import held_by_others
from tasks.core.files.lock import LOCK_FILE, LockedByOther, project_lock
from tasks.core.files.safe_files import Refused
from tasks.core.programs import interrupt
from tasks.core.report.history import scan
from tasks.core.report.history_entries import Sizes
from tasks.core.report.model import Interrupted, Status

from .conftest import NOW, Project, child, done, environment, every, found, look

KINDS = {"api_responses", "material_data", "component_cache", "temp"}


# Folders


def test_a_missing_cache_is_created_with_the_folder_of_every_kind(project: Project) -> None:
    dry = project.run(dry_run=True)
    assert look(project.root) == {}
    report = project.run()
    assert {path.name for path in project.path(".").iterdir()} == {*KINDS, "stats.json"}
    created = ["cache", *(f"cache/{kind}" for kind in project.settings.cache.expiry_hours)]
    for one in (dry, report):
        assert [action.target for action in one.actions if action.verb == "create"] == created
        assert found(one, "cache.structure").value == 5
        assert one.status is Status.OK
    assert "would be created" in found(dry, "cache.structure").message
    assert found(report, "cache.structure").message.startswith("There was no cache here: 5 missing folders created.")
    assert [action.done for action in dry.actions] == [False] * 7
    assert [action.done for action in report.actions] == [True] * 7


def test_a_missing_kind_is_created_beside_the_others(project: Project) -> None:
    for kind in KINDS - {"temp"}:
        project.folder(kind)
    dry = project.run(dry_run=True)
    assert not project.path("temp").exists()
    report = project.run()
    assert project.path("temp").is_dir()
    assert done(dry, "create") == done(report, "create") == {"cache/temp": (1, 0)}
    assert not every(project.run(), "cache.structure")


def test_a_cache_deeper_in_the_project_is_made_with_its_parents(project: Project) -> None:
    project.set_cache(directory="var/lib/cache")
    project.run()
    assert (project.root / "var/lib/cache/temp").is_dir()
    assert (project.root / "var/lib/cache/stats.json").is_file()


def refused(project: Project, subject: str, text: str) -> None:
    """Check that nothing changes and that the report says which path and why."""
    before = project.look()
    for report in (project.run(dry_run=True), project.run()):
        finding = found(report, "cache.folder", subject)
        assert finding.status is Status.UNKNOWN
        assert text in finding.message
        assert report.summary == "the cache could not be cleaned"
        assert (report.actions, report.metrics, report.files) == ([], [], [])
        assert len(report.findings) == 1
    assert project.look() == before


def test_a_file_in_the_place_of_the_cache_is_left(project: Project) -> None:
    (project.root / "cache").write_bytes(b"no folder")
    refused(project, "cache", "is not a folder")


def test_a_link_in_the_place_of_the_cache_is_not_followed(project: Project) -> None:
    elsewhere = project.root / "elsewhere/temp/old"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.touch()
    project.age(elsewhere, 5000)
    (project.root / "cache").symlink_to("elsewhere")
    refused(project, "cache", "is a symbolic link")


def test_a_link_on_the_way_to_the_cache_is_not_followed(project: Project) -> None:
    elsewhere = project.root / "elsewhere/cache/temp"
    elsewhere.mkdir(parents=True)
    (project.root / "var").symlink_to("elsewhere")
    project.set_cache(directory="var/cache")
    refused(project, "var/cache", "var is a symbolic link")


@pytest.mark.parametrize("sort", ["folder", "file"])
def test_a_cache_that_is_a_repository_is_left(project: Project, sort: str) -> None:
    project.entry("temp/old", 5000)
    if sort == "folder":
        project.folder(".git")
    else:
        project.entry(".git")
    refused(project, "cache", "contains a .git")


def test_the_root_of_the_project_is_no_cache(project: Project) -> None:
    project.entry("temp/old", 5000)
    project.set_cache(directory=".")
    refused(project, ".", "is the root of the project")


def test_a_home_is_no_cache(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("temp/old", 5000)
    monkeypatch.setenv("HOME", str(project.root / "cache"))
    refused(project, "cache", "is a home")


def test_a_cache_that_cannot_be_opened_is_told_of(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    old = project.entry("temp/old", 5000)
    deny(monkeypatch, "cache")
    report = project.run()
    monkeypatch.undo()
    assert old.exists()
    finding = found(report, "cache.folder", "cache")
    assert "Permission denied" in finding.message


def deny(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let folders of that name be closed to us."""
    real = os.open

    def refusing(path: Any, flags: int, *arguments: Any, **keywords: Any) -> int:
        if path == name:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *arguments, **keywords)

    patch.setattr(os, "open", refusing)


@pytest.mark.parametrize("name", ["temp", "other"])
def test_a_folder_of_the_cache_that_cannot_be_opened_is_told_of_and_the_rest_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    closed, other = project.entry(f"{name}/old", 5000), project.entry("material_data/old", 5000)
    deny(monkeypatch, name)
    report = project.run()
    monkeypatch.undo()
    assert closed.exists()
    assert not other.exists()
    finding = found(report, "cache.folder", f"cache/{name}")
    assert (finding.status, "Permission denied" in finding.message) == (Status.UNKNOWN, True)
    assert bool(every(report, "cache.expired", "cache/temp")) is (name != "temp")
    assert report.status is Status.UNKNOWN
    assert project.path("stats.json").exists()


@pytest.mark.parametrize("sort", ["file", "link", "pipe", "repository"])
def test_what_stands_in_the_place_of_a_kind_is_left_and_the_rest_goes_on(project: Project, sort: str) -> None:
    elsewhere = project.root / "elsewhere/old"
    elsewhere.parent.mkdir()
    elsewhere.touch()
    project.age(elsewhere, 5000)
    other = project.entry("material_data/old", 5000)
    kind = project.path("temp")
    match sort:
        case "file":
            kind.write_bytes(b"no folder")
        case "link":
            kind.symlink_to(project.root / "elsewhere")
        case "pipe":
            os.mkfifo(kind)
        case _:
            project.entry("temp/.git/old", 5000)
    before = {path: seen for path, seen in project.look().items() if path.startswith(("elsewhere", "cache/temp"))}
    reports = [project.run(dry_run=True), project.run()]
    after = {path: seen for path, seen in project.look().items() if path.startswith(("elsewhere", "cache/temp"))}
    assert after == before
    assert not other.exists()
    for report in reports:
        assert found(report, "cache.folder").subject == "cache/temp"
        assert report.status is Status.UNKNOWN
        assert not every(report, "cache.special")
        assert "cache/temp" not in {metric.subject for metric in report.metrics}


def test_a_kind_on_another_file_system_is_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted, other = project.entry("temp/old", 5000), project.entry("material_data/old", 5000)
    real, inode = os.fstat, project.path("temp").stat().st_ino

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        return status if status.st_ino != inode else os.stat_result([*status[:2], status[2] + 1, *status[3:]])

    monkeypatch.setattr(os, "fstat", fstat)
    report = project.run()
    monkeypatch.undo()
    assert mounted.exists()
    assert not other.exists()
    assert "on another file system" in found(report, "cache.folder", "cache/temp").message


def test_folders_that_are_no_kind_are_counted_and_left_alone(project: Project) -> None:
    entry = project.entry("embeddings/deep/old", 5000, content=b"12345")
    project.age(project.folder("embeddings/empty"), 5000)
    report = project.run(older_than=0)
    assert entry.exists()
    assert project.path("embeddings/empty").is_dir()
    assert found(report, "cache.unmanaged").value == 1
    values = {metric.name: metric.value for metric in report.metrics if metric.subject == "cache"}
    assert values == {"cache.files": 1, "cache.bytes": 5}
    assert '"embeddings"' in found(report, "cache.unmanaged").message


def test_a_project_reached_through_a_link_is_cleaned(tmp_path: Path) -> None:
    real = Project(tmp_path / "real")
    entry = real.entry("temp/old", 5000)
    (tmp_path / "link").symlink_to("real")
    Project(tmp_path / "link").run()
    assert not entry.exists()


def test_the_summary_says_what_was_deleted_and_what_is_left(project: Project) -> None:
    project.entry("temp/old", 5000, content=b"12345")
    project.entry("temp/new", 1, content=b"123")
    assert project.run(dry_run=True).summary == "1 expired entry would be deleted (5 B), 1 kept (3 B)"
    assert project.run().summary == "1 expired entry deleted (5 B), 1 kept (3 B)"
    assert project.run().summary == "0 expired entries deleted (0 B), 1 kept (3 B)"


# One run at a time


def test_a_second_run_is_refused_and_changes_nothing(project: Project) -> None:
    project.entry("temp/old", 5000)
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.core.files.lock import project_lock
with project_lock(Path(sys.argv[1]), "the other", datetime.now(UTC)):
    print("ready", flush=True)
    sys.stdin.read()
"""
    with child(code, str(project.root)):
        before, root_before = project.look(), project.root.stat().st_mtime_ns
        with pytest.raises(LockedByOther, match="the other"):
            project.run()
        assert project.look() == before
        assert project.root.stat().st_mtime_ns == root_before
        dry = project.run(dry_run=True)  # which needs no lock
        assert done(dry, "delete") == {"cache/temp": (1, 7)}
        assert project.look() == before
    assert done(project.run(), "delete") == {"cache/temp": (1, 7)}


def test_the_lock_is_held_during_the_run_and_gone_after_it(project: Project) -> None:
    project.entry("temp/old", 5000)
    seen: list[str] = []
    project.run(advance=lambda _count: seen.append((project.root / LOCK_FILE).read_text()))
    assert all('"weekly.cache-cleanup"' in text for text in seen)
    assert seen
    assert not (project.root / LOCK_FILE).exists()


def test_a_run_within_a_run_that_holds_the_lock_takes_part_in_it(project: Project) -> None:
    project.entry("temp/old", 5000)
    with project_lock(project.root, "emergency.recover", NOW):
        report = project.run()
        assert (project.root / LOCK_FILE).exists()
    assert done(report, "delete") == {"cache/temp": (1, 7)}


# Ctrl-C


def stop_of(patch: pytest.MonkeyPatch) -> threading.Event:
    """Return the event by which the coming run will stop its walks."""
    stop = threading.Event()
    patch.setattr(interrupt, "Event", lambda: stop)
    return stop


def interrupted(project: Project, advance: Callable[[int], None]) -> Interrupted:
    with pytest.raises(KeyboardInterrupt) as caught:
        project.run(advance=advance)
    assert isinstance(caught.value, Interrupted)
    assert not project.path("stats.json").exists()
    (run,) = json.loads(project.report_file.read_bytes())["runs"]
    assert run["interrupted"] is True
    assert not (project.root / LOCK_FILE).exists()
    report = caught.value.report
    assert report.status is Status.UNKNOWN
    finding = found(report, "cache.interrupted")
    assert "Ctrl-C" in finding.message
    assert report.summary.startswith("interrupted: ")
    assert report.metrics == []
    assert report.files == [str(project.report_file.relative_to(project.root))]
    assert run["deleted"] == sum(count for count, _ in done(report, "delete").values())
    return caught.value


def interrupt_the_first_wait(patch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C come while the first batch is deleted."""
    real = held_by_others

    def asked() -> Callable[[int, str, int], bool]:
        os.kill(os.getpid(), signal.SIGINT)
        return real()

    patch.setattr(sweep, "held_by_others", asked)


def test_ctrl_c_while_waiting_ends_each_walk_after_its_batch_and_reports_what_was_done(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 2 * BATCH + 10
    for index in range(number):
        project.entry(f"temp/{index}", 5000)
    project.entry("api_1", 1)
    stop = stop_of(monkeypatch)

    def advance(count: int) -> None:
        if count == BATCH and not stop.is_set():  # in a thread of the walk: the user hits the keys
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert stop.wait(10)

    report = interrupted(project, advance).report
    assert len(list(project.path("temp").iterdir())) == number - BATCH
    assert done(report, "delete") == {"cache/temp": (BATCH, 7 * BATCH)}
    assert done(report, "move") == {"cache/api_responses": (1, 7)}
    assert f"{BATCH:,} expired entries deleted" in report.summary
    monkeypatch.undo()
    assert done(project.run(), "delete") == {"cache/temp": (number - BATCH, 7 * (number - BATCH))}


def test_ctrl_c_while_a_folder_still_waits_for_its_turn_leaves_that_folder_whole(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [f"kind_{number:02d}" for number in range(20)]
    project.set_cache(expiry_hours=dict.fromkeys(kinds, 24), prefixes={})
    for kind in kinds:
        project.entry(f"{kind}/old", 5000)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # two walks at a time
    stop = stop_of(monkeypatch)
    main = threading.get_ident()

    def advance(_count: int) -> None:
        if threading.get_ident() != main and not stop.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert stop.wait(10)

    report = interrupted(project, advance).report
    left = sum(project.path(f"{kind}/old").exists() for kind in kinds)
    assert sum(count for count, _ in done(report, "delete").values()) == 20 - left
    assert left >= 18


def test_a_second_ctrl_c_leaves_no_walk_running_behind_the_report(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(2 * BATCH):
        project.entry(f"temp/{index}", 5000)
    stop = stop_of(monkeypatch)
    main = threading.main_thread().ident or 0
    before = threading.active_count()
    ends = threading.Event()

    def advance(count: int) -> None:
        if count == BATCH and not ends.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            assert stop.wait(10)
            signal.pthread_kill(main, signal.SIGINT)
            ends.wait(0.5)

    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            project.run(advance=advance)
        assert threading.active_count() == before
    finally:
        ends.set()
    assert isinstance(caught.value, Interrupted)
    left = len(list(project.path("temp").iterdir()))
    assert done(caught.value.report, "delete") == {"cache/temp": (2 * BATCH - left, 7 * (2 * BATCH - left))}


def test_ctrl_c_while_loose_files_are_sorted_in_reports_those_that_were(project: Project) -> None:
    for index in range(BATCH + 10):
        project.entry(f"api_{index}", 1)

    def advance(_count: int) -> None:
        raise KeyboardInterrupt

    report = interrupted(project, advance).report
    moved = len(list(project.path("api_responses").iterdir()))
    assert moved > 0
    assert done(report, "move")["cache/api_responses"][0] == moved


def test_a_keyboard_interrupt_out_of_a_walks_progress_reports_what_was_done(project: Project) -> None:
    project.entry("temp/old", 5000)
    main = threading.get_ident()

    def advance(_count: int) -> None:
        if threading.get_ident() != main:
            raise KeyboardInterrupt

    report = interrupted(project, advance).report
    assert not project.path("temp/old").exists()
    assert done(report, "delete") == {"cache/temp": (1, 7)}


def test_ctrl_c_while_the_statistics_are_written_ends_the_run_with_all_of_it_done(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/old", 5000)
    real = cleanup_report.weekly_report

    def weekly_report(*arguments: Any) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(cleanup, "weekly_report", weekly_report)
    with pytest.raises(Interrupted) as caught:
        project.run()
    report = caught.value.report
    assert len(report.files) == 2
    assert every(report, "cache.interrupted") == []
    assert done(report, "delete") == {"cache/temp": (1, 7)}


def test_ctrl_c_while_loose_files_are_deleted_reports_those_under_way(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        project.entry(f"api_{number}", 5000)

    interrupt_the_first_wait(monkeypatch)
    report = interrupted(project, lambda _count: None).report
    assert done(report, "delete") == {"cache": (10, 70)}
    assert not list(project.path(".").glob("api_?"))


def test_ctrl_c_in_a_dry_run_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.entry("temp/old", 5000)
    project.entry("api_1", 1)
    before = project.look()

    interrupt_the_first_wait(monkeypatch)
    with pytest.raises(Interrupted) as caught:
        project.run(dry_run=True)
    assert project.look() == before
    assert not any(action.done for action in caught.value.report.actions)


# A kill


def count_of(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


SLOWLY = """
import sys, time
from datetime import UTC, datetime
from tasks.cache import sweep
from tasks.cache.cleanup import clean_up
from tasks.core.settings.model import Settings
real = sweep.held_by_others
def held_by_others():
    time.sleep(0.1)
    return real()
sweep.held_by_others = held_by_others
print("ready", flush=True)
clean_up(Settings(root=sys.argv[1]), now=datetime(2025, 6, 2, 12, tzinfo=UTC))
"""


@pytest.mark.slow
def test_after_a_kill_in_the_middle_the_next_run_finishes_the_work(project: Project) -> None:
    number = 4 * BATCH
    temp = project.folder("temp")
    for index in range(number):
        (temp / str(index)).touch()
        project.age(temp / str(index), 5000)
    fresh = project.entry("temp/fresh", 1)
    with child(SLOWLY, str(project.root)) as process:
        deadline = time.monotonic() + 300
        while count_of(temp) > number and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = count_of(temp) - 1
    assert 0 < left < number
    assert (project.root / LOCK_FILE).exists()
    report = project.run()
    assert done(report, "delete") == {"cache/temp": (left, 0)}
    assert [path.name for path in temp.iterdir()] == ["fresh"]
    assert fresh.read_bytes() == b"content"
    assert sorted(project.look()) == sorted(
        [
            "cache",
            *(f"cache/{kind}" for kind in KINDS),
            "cache/stats.json",
            "cache/temp/fresh",
            "logs",
            "logs/cache_reports",
            "logs/cache_reports/cache_report_20250602.json",
            "logs/maintenance_history.jsonl",
        ]
    )


def test_what_the_cache_held_before_goes_to_the_history(project: Project) -> None:
    project.entry("temp/old", 5000, content=b"12345")
    project.entry("temp/fresh", 1, content=b"123")
    project.run(dry_run=True)
    assert not (project.root / "logs").exists()
    project.run(kinds=("api_responses",))
    project.run(now=NOW + timedelta(hours=1))
    project.run(now=NOW + timedelta(hours=2))
    found: list[Sizes] = []
    scan(project.root, "logs", found.append, Sizes)
    assert [(each.moment - NOW, each.held) for each in found] == [
        (timedelta(hours=hours), {"cache": size}) for hours, size in enumerate((8, 8, 3))
    ]
    assert {each.source for each in found} == {"weekly.cache-cleanup"}


def test_what_a_kill_left_of_a_half_written_file_is_replaced(project: Project) -> None:
    project.run()
    for name in ("cache/.maintenance-tmp", "logs/cache_reports/.maintenance-tmp"):
        (project.root / name).write_bytes(b'{"half')
    report = project.run()
    assert report.status is Status.OK
    assert not [path for path in project.look() if "maintenance-tmp" in path]


# Settings


def test_the_report_goes_where_the_logs_are(project: Project) -> None:
    logs = msgspec.structs.replace(project.settings.logs, directory="var/log")
    project.settings = msgspec.structs.replace(project.settings, logs=logs)
    report = project.run()
    assert report.files == ["cache/stats.json", "var/log/cache_reports/cache_report_20250602.json"]
    assert all((project.root / path).is_file() for path in report.files)


def test_without_any_kind_all_is_counted_and_nothing_deleted(project: Project) -> None:
    project.set_cache(expiry_hours={})
    project.entry("temp/old", 5000)
    project.entry("api_old", 5000)
    report = project.run()
    assert done(report, "delete") == {}
    assert next(one.value for one in report.metrics if one.subject == "cache") == 2


def test_every_walk_shares_one_stop_and_one_set_of_deleters(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[Walk] = []

    def noting(place: sweep.Place, walk: Walk, tally: Tally) -> None:
        walks.append(walk)
        sweep.sweep(place, walk, tally)

    monkeypatch.setattr(cleanup, "sweep", noting)
    project.run(dry_run=True)
    assert walks == []
    project.run()
    assert len(walks) == len(KINDS)
    assert len({id(walk) for walk in walks}) == 1


def test_no_thread_is_left_behind(project: Project) -> None:
    project.entry("temp/old", 5000)
    before = threading.active_count()
    project.run()
    assert threading.active_count() == before


def test_a_clean_up_is_one_line_from_another_program(project: Project) -> None:
    project.entry("temp/old", 5000)
    code = (
        "import sys; from datetime import datetime, UTC; from tasks.cache.cleanup import clean_up; "
        "from tasks.core.settings.model import Settings; "
        "print(clean_up(Settings(root=sys.argv[1]), now=datetime(2025, 6, 2, 12, tzinfo=UTC)).summary)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(project.root)], env=environment(), capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1 expired entry deleted (7 B), 0 kept (0 B)\n", "")
    assert not project.path("temp/old").exists()


def test_a_root_that_is_no_folder_is_refused(project: Project) -> None:
    project.root.rmdir()
    for dry_run in (True, False):
        with pytest.raises(Refused, match="does not exist or is no folder"):
            project.run(dry_run=dry_run)
    assert not project.root.exists()


def test_only_the_folders_of_the_kinds_asked_for_are_created(project: Project) -> None:
    project.run(kinds=("temp",))
    assert {path.name for path in project.path(".").iterdir() if path.is_dir()} == {"temp"}
