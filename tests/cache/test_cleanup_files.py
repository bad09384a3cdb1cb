from __future__ import annotations

import errno
import json
import math
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.cache import cleanup_report
from tasks.cache.cleanup_outcome import CleanupOutcome, Tally
from tasks.cache.expiry import plan
from tasks.core.files import json_files, safe_files
from tasks.core.report.model import Report, Status
from tasks.core.settings.model import CacheSettings

from .conftest import HOUR_NS, NOW, NOW_NS, Project, done, every, found


def stats(project: Project) -> dict[str, Any]:
    """Return what the clean-up put into the project's statistics."""
    content: dict[str, Any] = json.loads(project.path("stats.json").read_bytes())["maintenance"]
    return content


def weekly(project: Project) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(project.report_file.read_bytes())
    return content


def outcome(**tallies: Tally) -> CleanupOutcome:
    return CleanupOutcome(plan(CacheSettings(), NOW_NS), tallies=tallies)


# What is written


def test_the_statistics_say_what_is_left_per_folder_and_in_all(project: Project) -> None:
    project.entry("temp/old", 5000)
    project.entry("temp/new", 3, content=b"123")
    project.entry("temp/newer", 1, content=b"45")
    project.entry("embeddings/one", 48, content=b"6")
    project.entry("loose", content=b"7890")
    project.run()
    content = stats(project)
    assert content["updated"] == "2025-06-02T12:00:00+00:00"
    assert (content["entries"], content["bytes"]) == (4, 10)
    assert content["kinds"]["temp"] == {"entries": 2, "bytes": 5, "oldest": "2025-06-02T09:00:00+00:00"}
    assert content["other"] == {"entries": 2, "bytes": 5, "oldest": "2025-05-31T12:00:00+00:00"}
    assert content["kinds"]["material_data"] == {"entries": 0, "bytes": 0, "oldest": None}
    assert list(content["kinds"]) == sorted(content["kinds"])
    assert len(content["kinds"]) == 4


def test_the_keys_of_the_project_stay_as_they_are(project: Project) -> None:
    theirs = {"hit_rate": 0.62, "cache_size": 1_530_000, "nested": {"a": [1, None, "ü"]}, "entries": "ours now"}
    project.folder(".")
    project.path("stats.json").write_text(json.dumps(theirs))
    project.run()
    content = json.loads(project.path("stats.json").read_bytes())
    assert content.pop("maintenance")["entries"] == 0
    assert content == theirs


def test_a_number_that_is_none_is_kept_as_python_wrote_it(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_text('{"hit_rate": NaN, "limit": Infinity}')
    report = project.run()
    content = json.loads(project.path("stats.json").read_bytes())
    assert math.isnan(content["hit_rate"])
    assert content["limit"] == math.inf
    assert report.status is Status.OK


def test_the_mode_of_the_projects_file_stays(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_text("{}")
    project.path("stats.json").chmod(0o640)
    project.run()
    assert project.path("stats.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", [b"", b" \n\t "])
def test_an_empty_file_is_filled(project: Project, content: bytes) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(content)
    report = project.run()
    assert stats(project)["entries"] == 0
    assert not every(report, "cache.statistics")
    assert not project.path("stats.json.broken-1").exists()


# Bad input

BROKEN = {
    "truncated": b'{"hit_rate": 0.6',
    "binary": b"\x00\xff\xfe",
    "deep": b"[" * 100_000,
    "huge_number": b'{"a": ' + b"9" * 10_000 + b"}",
    "list": b"[1, 2]",
    "text": b'"text"',
    "null": b"null",
    "not_utf_8": b'{"a": "\xff"}',
}


@pytest.mark.parametrize("sort", BROKEN)
def test_a_broken_file_is_kept_aside_whole_and_a_new_one_begun(project: Project, sort: str) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(BROKEN[sort])
    report = project.run()
    assert project.path("stats.json.broken-1").read_bytes() == BROKEN[sort]
    assert stats(project).keys() == {"updated", "entries", "bytes", "incomplete", "kinds", "other"}
    finding = found(report, "cache.statistics", "cache/stats.json")
    assert finding.status is Status.WARNING
    assert "cache/stats.json.broken-1" in finding.message
    assert finding.remedy == "Look at what wrote it."
    assert done(report, "write").keys() == {"cache/stats.json", "logs/cache_reports/cache_report_20250602.json"}


def test_the_next_broken_file_is_kept_beside_the_first(project: Project) -> None:
    project.folder(".")
    for number in (1, 2, 3):
        project.path("stats.json").write_text(f"broken {number}")
        report = project.run()
        assert f"stats.json.broken-{number}" in found(report, "cache.statistics").message
    kept = {path.name: path.read_text() for path in project.path(".").glob("stats.json.broken-*")}
    assert kept == {f"stats.json.broken-{number}": f"broken {number}" for number in (1, 2, 3)}


def test_a_dry_run_tells_of_a_broken_file_and_leaves_it(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(b"[")
    report = project.run(dry_run=True)
    assert [path.name for path in project.path(".").iterdir()] == ["stats.json"]
    assert "is no valid JSON" in found(report, "cache.statistics").message
    assert "cache/stats.json" in done(report, "write")


def test_a_dry_run_does_not_ask_for_room_on_account_of_a_broken_file(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(b"[")
    finding = found(project.run(dry_run=True), "cache.statistics")
    assert "Make room" not in (finding.remedy or "")
    assert "It was not written" not in finding.message


def left_alone(project: Project, text: str) -> None:
    """Check that a run leaves what is at the place of stats.json, says so and does the rest."""
    old = project.entry("temp/old", 5000)
    before = project.path("stats.json").lstat()
    report = project.run()
    after = project.path("stats.json").lstat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert not old.exists()
    assert not list(project.path(".").glob("stats.json.*"))
    finding = found(report, "cache.statistics", "cache/stats.json")
    assert finding.status is Status.WARNING
    assert text in finding.message
    assert "cache/stats.json" not in done(report, "write")
    assert report.files == ["logs/cache_reports/cache_report_20250602.json"]
    assert weekly(project)["totals"]["deleted"] == 1


def test_a_file_far_too_large_is_left_as_it_is(project: Project) -> None:
    project.folder(".")
    with project.path("stats.json").open("wb") as file:
        file.truncate(50_000_000)
    left_alone(project, "more than the 10,000,000 expected")
    assert project.path("stats.json").stat().st_size == 50_000_000


def test_a_link_is_not_followed_and_left(project: Project) -> None:
    project.folder(".")
    elsewhere = project.root / "elsewhere.json"
    elsewhere.write_text('{"hit_rate": 1}')
    project.path("stats.json").symlink_to(elsewhere)
    left_alone(project, "is a symbolic link")
    assert elsewhere.read_text() == '{"hit_rate": 1}'


def test_a_pipe_is_neither_waited_for_nor_replaced(project: Project) -> None:
    project.folder(".")
    os.mkfifo(project.path("stats.json"))
    left_alone(project, "is not a regular file")


def test_a_folder_in_the_place_of_the_statistics_is_left_with_all_in_it(project: Project) -> None:
    project.entry("stats.json/entry", 5000)
    report = project.run()
    assert project.path("stats.json/entry").exists()
    finding = found(report, "cache.statistics", "cache/stats.json")
    assert finding.status is Status.WARNING
    assert "is not a regular file" in finding.message


def test_a_file_that_cannot_be_read_is_left(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.folder(".")
    project.path("stats.json").write_text('{"hit_rate": 1}')
    real = os.open

    def refusing(path: Any, *arguments: Any, **keywords: Any) -> int:
        if path == "stats.json":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refusing)
    left_alone(project, "cannot be read: Permission denied")
    assert project.path("stats.json").read_text() == '{"hit_rate": 1}'


def test_the_remedy_for_what_stands_in_the_place_of_the_statistics_is_not_to_make_room(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").symlink_to("nowhere")
    assert "Make room" not in (found(project.run(), "cache.statistics").remedy or "")


@pytest.mark.parametrize("depth", [400, 900, 950, 2000, 5000, 50_000])
def test_what_is_nested_deeply_is_kept_or_kept_aside(project: Project, depth: int) -> None:
    content = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    project.folder(".")
    project.path("stats.json").write_bytes(content)
    project.run()
    aside = project.path("stats.json.broken-1")
    assert b"".join(project.path("stats.json").read_bytes().split()).count(b"[" * depth) == 1 or (
        aside.read_bytes() == content
    )


def test_what_can_be_read_and_is_too_deep_to_be_written_is_told_of(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = project.entry("temp/old", 5000)

    real = json.dumps

    def dumps(*arguments: Any, **keywords: Any) -> str:  # as of Python 3.12 this gives up before loads does
        if "indent" in keywords:
            raise RecursionError("maximum recursion depth exceeded")
        return real(*arguments, **keywords)

    monkeypatch.setattr(json, "dumps", dumps)
    report = project.run()
    assert not old.exists()
    assert found(report, "cache.statistics").status is Status.WARNING


def test_a_link_in_the_way_of_the_weekly_report_is_not_followed(project: Project) -> None:
    old = project.entry("temp/old", 5000)
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    (project.root / "logs").symlink_to(elsewhere)
    report = project.run()
    assert list(elsewhere.iterdir()) == []
    assert not old.exists()
    finding = found(report, "cache.report")
    assert (finding.status, "symbolic link" in finding.message) == (Status.WARNING, True)
    assert report.files == ["cache/stats.json"]


# What cannot be written


def fail_to_write(patch: pytest.MonkeyPatch, error: Exception) -> None:
    def write(_root: Path, _relative: str, _content: bytes, **_options: object) -> None:
        raise error

    patch.setattr(safe_files, "write", write)


def not_written(project: Project, report: Report, text: str) -> None:
    for check, subject in (
        ("cache.statistics", "cache/stats.json"),
        ("cache.report", "logs/cache_reports/cache_report_20250602.json"),
    ):
        finding = found(report, check, subject)
        assert finding.status is Status.WARNING
        assert text in finding.message
        assert finding.remedy == "Make room and see that the folder can be written."
    assert report.files == []
    assert done(report, "write") == {}
    assert done(report, "delete") == {"cache/temp": (1, 7)}
    assert not project.path("temp/old").exists()


def test_a_folder_that_cannot_be_written_costs_the_statistics_only(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/old", 5000)
    fail_to_write(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    not_written(project, project.run(), "cannot be written: Permission denied.")


def test_a_full_disk_costs_the_statistics_only_and_leaves_nothing_half_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.entry("temp/old", 5000)
    project.path("stats.json").write_text('{"hit_rate": 1}')

    def fsync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    report = project.run()
    not_written(project, report, "cannot be written: No space left on device.")
    assert project.path("stats.json").read_text() == '{"hit_rate": 1}'
    assert list((project.root / "logs/cache_reports").iterdir()) == []
    assert not [path for path in project.look() if "maintenance" in path]


def test_a_message_says_once_that_a_file_was_not_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_write(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert found(project.run(), "cache.statistics").message.count("written") == 1


def test_a_target_that_is_refused_when_it_is_written_is_told_of(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_write(monkeypatch, safe_files.Refused("It has become a folder."))
    report = project.run()
    assert found(report, "cache.statistics").message == "It has become a folder."
    assert report.files == []


def test_a_kill_while_a_broken_file_is_replaced_leaves_the_old_or_the_new_one_in_its_place(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(b"[")
    real, places = os.rename, list[bool]()

    def rename(*arguments: Any, **keywords: Any) -> None:
        places.append(project.path("stats.json").exists())
        real(*arguments, **keywords)

    monkeypatch.setattr(os, "rename", rename)
    project.run()
    assert places[0]


@pytest.mark.parametrize("function", ["fsync", "rename"])
def test_a_broken_file_is_whole_and_told_of_where_no_new_one_can_be_written(
    project: Project, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(b"[")

    def failing(*_arguments: object, **_keywords: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, function, failing)
    report = project.run()
    (where,) = project.path(".").glob("stats.json*")
    assert where.read_bytes() == b"["
    message = found(report, "cache.statistics").message
    assert "No space left on device" in message
    assert where.name == "stats.json" or where.name in message
    assert not list(project.path(".").glob(".*"))


# The weekly report


def test_the_weekly_report_says_what_there_was_and_what_was_done(project: Project) -> None:
    project.entry("temp/old", 5000, content=b"12345")
    project.entry("temp/new", 1, content=b"123")
    project.entry("api_1", 1, content=b"1")
    project.run()
    content = weekly(project)
    assert (content["schema"], content["date"], content["updated"]) == (1, "2025-06-02", NOW.isoformat())
    assert (content["entries"], content["bytes"]) == (2, 4)
    assert content["kinds"] == stats(project)["kinds"]
    done_then = {"deleted": 1, "deleted_bytes": 5, "moved": 1}
    assert content["totals"] == done_then
    assert content["runs"] == [
        {"started": NOW.isoformat(), "entries_before": 3, "bytes_before": 9, **done_then, "interrupted": False}
    ]


def test_a_second_run_of_the_day_adds_to_totals_and_runs_and_replaces_the_state(project: Project) -> None:
    project.entry("temp/old", 5000, content=b"12345")
    project.run()
    project.entry("temp/old", 5000, content=b"12")
    project.entry("temp/new", 1, content=b"1")
    later = NOW + timedelta(minutes=5)
    project.run(now=later)
    content = weekly(project)
    assert content["totals"] == {"deleted": 2, "deleted_bytes": 7, "moved": 0}
    assert [run["started"] for run in content["runs"]] == [NOW.isoformat(), later.isoformat()]
    assert [run["deleted"] for run in content["runs"]] == [1, 1]
    assert (content["runs"][0]["entries_before"], content["runs"][1]["bytes_before"]) == (1, 3)
    assert (content["entries"], content["updated"]) == (1, later.isoformat())


def test_another_day_has_a_report_of_its_own(project: Project) -> None:
    project.run()
    first = project.report_file.read_bytes()
    project.run(now=NOW + timedelta(days=1))
    assert project.report_file.read_bytes() == first
    assert sorted(path.name for path in project.report_file.parent.iterdir()) == [
        "cache_report_20250602.json",
        "cache_report_20250603.json",
    ]


def test_a_dry_run_plans_both_files_and_writes_none(project: Project) -> None:
    report = project.run(dry_run=True)
    assert done(report, "write").keys() == {"cache/stats.json", "logs/cache_reports/cache_report_20250602.json"}
    assert report.files == []
    assert project.look() == {}


def test_a_broken_report_is_kept_aside_and_a_new_one_begun(project: Project) -> None:
    project.run()
    project.report_file.write_bytes(b'{"runs": [')
    report = project.run()
    aside = project.report_file.with_name(f"{project.report_file.name}.broken-1")
    assert aside.read_bytes() == b'{"runs": ['
    assert len(weekly(project)["runs"]) == 1
    finding = found(report, "cache.report")
    assert (finding.status, aside.name in finding.message) == (Status.WARNING, True)


@pytest.mark.parametrize(
    "before",
    [
        {"runs": "none", "totals": "none"},
        {"runs": {"a": 1}, "totals": [1]},
        {"runs": None, "totals": {"deleted": "many", "deleted_bytes": 1.5, "moved": None}},
        {"totals": {"deleted": math.nan, "moved": [1]}},
        {},
    ],
)
def test_values_of_the_wrong_shape_in_an_earlier_report_count_for_nothing(before: dict[str, Any]) -> None:
    after = cleanup_report.weekly_report(before, outcome(temp=Tally(files=3, bytes=9, expired=1, expired_bytes=4)), NOW)
    assert after["totals"] == {"deleted": 1, "deleted_bytes": 4, "moved": 0}
    assert len(after["runs"]) == 1


def test_a_hundred_runs_of_a_day_are_told_apart_and_all_are_counted() -> None:
    content: dict[str, Any] = {}
    for number in range(103):
        ran = outcome(temp=Tally(files=1, expired=1))
        content = cleanup_report.weekly_report(content, ran, NOW + timedelta(seconds=number))
    assert len(content["runs"]) == 100
    assert content["runs"][0]["started"] == (NOW + timedelta(seconds=3)).isoformat()
    assert content["totals"]["deleted"] == 103


def test_keys_that_others_put_into_the_weekly_report_do_not_stay() -> None:
    assert "foreign" not in cleanup_report.weekly_report({"foreign": 1}, outcome(), NOW)


# Single values


def test_the_oldest_entry_is_told_to_the_second() -> None:
    all_of_it = outcome(temp=Tally(oldest_ns=NOW_NS - HOUR_NS + 999_999_999))
    content = cleanup_report.statistics({}, all_of_it, NOW)["maintenance"]
    assert content["kinds"]["temp"]["oldest"] == "2025-06-02T11:00:00+00:00"


@pytest.mark.parametrize("oldest_ns", [-(2**31) * 10**9, -1, 0, 2**31 * 10**9])
def test_times_before_and_after_the_epoch_are_told(oldest_ns: int) -> None:
    content = cleanup_report.statistics({}, outcome(temp=Tally(oldest_ns=oldest_ns)), NOW)["maintenance"]
    assert datetime.fromisoformat(content["kinds"]["temp"]["oldest"]).timestamp() == oldest_ns // 10**9


@pytest.mark.parametrize("oldest_ns", [-(2**40) * 10**9, 2**40 * 10**9])
def test_a_time_that_no_calendar_has_does_not_end_the_clean_up(oldest_ns: int) -> None:
    content = cleanup_report.statistics({}, outcome(temp=Tally(files=1, oldest_ns=oldest_ns)), NOW)["maintenance"]
    assert content["kinds"]["temp"]["entries"] == 1


def test_markers_are_no_entries_in_the_statistics(project: Project) -> None:
    project.entry("temp/.gitkeep", 5000, content=b"")
    project.entry("temp/new", 1)
    project.run()
    assert stats(project)["kinds"]["temp"] == {"entries": 1, "bytes": 7, "oldest": "2025-06-02T11:00:00+00:00"}


def test_a_folder_whose_name_is_no_text_leaves_statistics_that_every_reader_of_json_takes(project: Project) -> None:
    try:
        project.entry(os.fsdecode(b"\xff/entry"), 1)
    except OSError:
        pytest.skip("this file system takes only Unicode")
    project.run()
    text = project.path("stats.json").read_text(encoding="utf-8")
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")


def test_a_file_of_the_largest_size_read_is_read(project: Project) -> None:
    project.folder(".")
    padding = json_files.LIMIT - len('{"a": ""}')
    project.path("stats.json").write_text('{"a": "' + "x" * padding + '"}')
    assert project.path("stats.json").stat().st_size == json_files.LIMIT
    report = project.run()
    assert report.status is Status.OK
    assert len(json.loads(project.path("stats.json").read_bytes())["a"]) == padding


def test_what_could_not_be_read_is_named_beside_the_numbers_that_lack_it(project: Project) -> None:
    project.entry("temp/fresh", 1)
    project.path("material_data").write_text("in the place of a folder")
    project.run()
    assert stats(project)["incomplete"] == ["cache/material_data"]


def test_a_report_that_is_not_ours_is_kept_aside(project: Project) -> None:
    project.run()
    project.report_file.write_text('{"schema": 1, "runs": 5}')
    report = project.run()
    assert "is no report of a clean-up" in found(report, "cache.report").message
    assert project.report_file.with_name(project.report_file.name + ".broken-1").read_text().endswith("5}")
    assert len(weekly(project)["runs"]) == 1


def test_keeping_a_broken_file_aside_is_an_action_and_the_copy_no_entry(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_text("[")
    plan, report, after = project.run(dry_run=True), project.run(), project.run(dry_run=True)
    for one in (plan, report):
        assert [action.target for action in one.actions if action.verb == "keep aside"] == ["cache/stats.json"]
    assert next(one.value for one in after.metrics if one.subject == "cache") == 0
    assert every(after, "cache.unsorted") == []


def test_an_interrupted_run_claims_no_number_that_it_does_not_know() -> None:
    of = outcome(temp=Tally(files=1, expired=2))
    of.interrupted = True
    (run,) = cleanup_report.weekly_report({}, of, NOW)["runs"]
    assert (run["entries_before"], run["bytes_before"], run["deleted"]) == (None, None, 2)
