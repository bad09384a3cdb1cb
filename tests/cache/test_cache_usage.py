from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.cache.cache_usage import _hit_rate, _shown, usage
from tasks.core.report.model import Finding, Report, RunReport, Status, encode

from .conftest import NOW, Project, found

PATH = "cache/stats.json"


def write(project: Project, **content: Any) -> None:
    project.folder(".")
    project.path("stats.json").write_text(json.dumps(content))


def run(project: Project) -> Report:
    return usage(project.settings, now=NOW)


def counted(age: timedelta = timedelta(days=1), **others: Any) -> dict[str, Any]:
    return {"updated": (NOW - age).isoformat(), "entries": 12_000, "bytes": 3_400_000, "incomplete": [], **others}


def rate(project: Project, value: Any) -> Finding:
    write(project, hit_rate=value)
    return found(run(project), "cache.hit_rate", "cache")


def entries(project: Project, value: Any) -> Finding:
    write(project, maintenance=value)
    return found(run(project), "cache.entries", "cache")


# As a whole


def test_what_the_clean_up_counts_is_told(project: Project) -> None:
    project.entry("temp/one", content=b"123")
    write(project, hit_rate=0.62, cache_size=5)
    project.run()
    report = run(project)
    assert report.status is Status.OK
    assert report.summary == "hit rate 0.62, 1 entry (3 B)"
    assert report.data == {
        "cache": {"hit_rate": 0.62, "entries": 1, "bytes": 3, "counted": "2025-06-02T12:00:00+00:00"}
    }
    assert [(one.name, one.value, one.unit, one.subject) for one in report.metrics] == [
        ("cache.hit_rate", 0.62, "share", "cache"),
        ("cache.entries", 1, "entries", "cache"),
        ("cache.bytes", 3, "B", "cache"),
    ]
    encode(RunReport(root=".", started=NOW.isoformat(), duration_seconds=0, reports=[report]))


def test_without_a_cache_both_are_skipped(project: Project) -> None:
    report = run(project)
    assert [(one.check, one.status, one.message, one.remedy) for one in report.findings] == [
        ("cache.hit_rate", Status.SKIPPED, "There is no folder cache.", None),
        ("cache.entries", Status.SKIPPED, "There is no folder cache.", None),
    ]
    assert (report.summary, report.metrics, report.data) == ("there is no cache", [], {})


def test_without_statistics_both_are_unknown(project: Project) -> None:
    project.folder("temp")
    report = run(project)
    assert {one.status for one in report.findings} == {Status.UNKNOWN}
    assert {one.message for one in report.findings} == {"There is no cache/stats.json."}
    assert "project" in (found(report, "cache.hit_rate").remedy or "")
    assert "inv weekly.cache-cleanup" in (found(report, "cache.entries").remedy or "")
    assert report.summary == "hit rate unknown, entries unknown"
    assert report.metrics == []
    assert report.data == {"cache": {"hit_rate": None}}


def test_empty_statistics_hold_neither(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(b"")
    report = run(project)
    assert found(report, "cache.hit_rate").message == "cache/stats.json holds no hit_rate."
    assert found(report, "cache.entries").message == (
        "cache/stats.json holds no count: no clean-up has counted the entries yet."
    )


@pytest.mark.parametrize("content", [b'{"hit_rate": 0.6', b"[1]", b"\xff", b"[" * 100_000])
def test_broken_statistics_are_unknown(project: Project, content: bytes) -> None:
    project.folder(".")
    project.path("stats.json").write_bytes(content)
    report = run(project)
    assert len(report.findings) == 2
    assert {one.status for one in report.findings} == {Status.UNKNOWN}
    assert all(one.message.startswith(PATH) and one.remedy for one in report.findings)


def test_a_link_is_not_followed(project: Project) -> None:
    (project.root / "elsewhere").mkdir()
    (project.root / "cache").symlink_to("elsewhere")
    report = run(project)
    assert report.status is Status.UNKNOWN
    assert "symbolic link" in report.findings[0].message


def test_a_link_in_the_files_place_is_not_followed(project: Project) -> None:
    project.folder(".")
    project.path("stats.json").symlink_to("missing")
    assert "symbolic link" in found(run(project), "cache.hit_rate").message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_unknown(project: Project) -> None:
    write(project, hit_rate=1)
    project.path(".").chmod(0)
    report = run(project)
    project.path(".").chmod(0o755)
    assert report.status is Status.UNKNOWN


def test_nothing_is_written(project: Project) -> None:
    write(project, hit_rate=0.5)
    before = project.look()
    run(project)
    assert project.look() == before


# The hit rate


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (0, Status.WARNING),
        (0.0, Status.WARNING),
        (0.2999, Status.WARNING),
        (0.3, Status.OK),
        (1, Status.OK),
        (1.0, Status.OK),
    ],
)
def test_a_low_hit_rate_is_a_warning(project: Project, value: float, status: Status) -> None:
    finding = rate(project, value)
    assert (finding.status, finding.value, finding.unit, finding.warning) == (status, value, "share", 0.3)
    assert bool(finding.remedy) is (status is Status.WARNING)


def test_what_is_said_of_the_hit_rate(project: Project) -> None:
    assert rate(project, 0.62).message == "The hit rate is 0.62."
    assert rate(project, 0.1).message == "The hit rate is 0.1; at least 0.3 is expected."


def test_the_setting_is_the_limit(project: Project) -> None:
    project.set_cache(min_hit_rate=0.7)
    assert rate(project, 0.62).status is Status.WARNING
    assert rate(project, 0.7).status is Status.OK


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (62, "62"),
        (1.0001, "1.0001"),
        (-0.1, "-0.1"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ("0.62", '"0.62"'),
        ({"rate": 0.6}, "an object"),
        ([0.6], "an array"),
        (10**39, f"1{'0' * 39}"),
        (10**40, f"1{'0' * 39}…"),
        (10**4000, f"1{'0' * 39}…"),
    ],
)
def test_what_is_no_share_is_unknown(project: Project, value: Any, shown: str) -> None:
    finding = rate(project, value)
    assert (finding.status, finding.value) == (Status.UNKNOWN, None)
    assert finding.message == f"{PATH} holds {shown} as hit_rate, where a share from 0 to 1 was expected."
    assert finding.remedy


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
def test_whatever_the_project_writes_is_a_share_or_a_sentence(value: Any) -> None:
    hit_rate = _hit_rate({"hit_rate": value}, PATH)
    assert hit_rate.startswith(PATH) if isinstance(hit_rate, str) else 0 <= hit_rate <= 1
    assert len(_shown(value)) <= 41
    assert _shown(value).isprintable()


# Entries


def test_what_is_said_of_the_entries(project: Project) -> None:
    finding = entries(project, counted())
    assert finding.status is Status.OK
    assert finding.message == "12,000 entries (3.4 MB), counted 24 h 0 min ago."
    assert (finding.value, finding.unit, finding.remedy) == (12_000, "entries", None)


@pytest.mark.parametrize(
    ("age", "status", "text"),
    [
        (timedelta(0), Status.OK, "counted 0 ms ago."),
        (timedelta(days=2), Status.OK, "counted 2 days ago."),
        (timedelta(days=8), Status.OK, "counted 8 days ago."),
        (
            timedelta(days=8, seconds=1),
            Status.WARNING,
            "counted 8 days ago; a count every week is expected, 8 days ago at most.",
        ),
        (timedelta(seconds=-1), Status.WARNING, "counted in the future."),
    ],
)
def test_the_age_of_the_count(project: Project, age: timedelta, status: Status, text: str) -> None:
    finding = entries(project, counted(age))
    assert finding.status is status
    assert finding.message.endswith(text)
    assert ("inv weekly.cache-cleanup" in (finding.remedy or "")) is (status is Status.WARNING)


def test_folders_that_were_not_read_are_said(project: Project) -> None:
    finding = entries(project, counted(incomplete=["cache/a", "cache/b"]))
    assert finding.message == (
        "12,000 entries (3.4 MB), counted 24 h 0 min ago, without 2 folders that could not be read."
    )


def test_a_count_of_before_there_was_a_list_of_folders_is_read(project: Project) -> None:
    value = counted()
    del value["incomplete"]
    assert entries(project, value).status is Status.OK


def test_a_moment_without_a_zone_is_in_ours(project: Project) -> None:
    zone = timezone(timedelta(hours=5))
    write(project, maintenance=counted(updated="2025-06-02T10:00:00"))
    now = datetime(2025, 6, 2, 12, 0, tzinfo=zone)
    assert "counted 2 h 0 min ago" in found(usage(project.settings, now=now), "cache.entries").message


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        counted(entries=-1),
        counted(entries=1.5),
        counted(entries=True),
        counted(entries=None),
        counted(bytes=-1),
        counted(bytes="3"),
        counted(incomplete=None),
        counted(incomplete={}),
        counted(updated=None),
        counted(updated=5),
        counted(updated="yesterday"),
    ],
)
def test_a_count_of_others_is_unknown(project: Project, value: Any) -> None:
    finding = entries(project, value)
    assert (finding.status, finding.value) == (Status.UNKNOWN, None)
    assert finding.message == f"{PATH} holds a count that no clean-up of this suite wrote."
    assert "inv weekly.cache-cleanup" in (finding.remedy or "")


def test_an_empty_cache_has_entries_to_tell(project: Project) -> None:
    assert entries(project, counted(entries=0, bytes=0)).status is Status.OK
