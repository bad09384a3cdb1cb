from __future__ import annotations

from typing import Any

import pytest

from tasks.core.report.model import Finding, Report, Status

from .conftest import FILE, Project, ago, entries, entry, every, found, metrics


def pair(project: Project, before: dict[str, Any], now: dict[str, Any], name: str = "caption") -> Report:
    """Compare two months of a component, with *number* entries each if nothing else is said."""
    return project.compare(
        [
            *entries(before.pop("number", 20), name, days=40, **before),
            *entries(now.pop("number", 20), name, days=10, **now),
        ]
    )


def recommended(report: Report) -> list[Finding]:
    """Return what a report says beside how many generations there were."""
    return [finding for finding in report.findings if finding.check != "generation.count"]


def row(report: Report, name: str = "caption") -> dict[str, Any]:
    (one,) = [row for row in report.data["generation"] if row["component"] == name]
    return dict(one)


def test_where_all_is_well_there_are_figures_and_no_recommendations(project: Project) -> None:
    report = project.compare(
        [
            *[entry(duration=place, timestamp=ago(days=40)) for place in range(1, 22)],
            *[entry(duration=place, success=place > 1, timestamp=ago(days=3)) for place in range(1, 22)],
            *entries(3, "tags", days=5, duration=4),
        ]
    )
    assert report.status is Status.OK
    assert not recommended(report)
    (counted,) = report.findings
    assert (counted.check, counted.status, counted.value) == ("generation.count", Status.OK, 24)
    assert report.summary == "24 generations in the last 30 days, 95.8 % succeeded"
    assert metrics(report) == {"generation.count": 24, "generation.mean": 10.125, "generation.success_rate": 0.9583}
    assert report.data["generation"] == [
        {
            "component": "caption",
            "count": 21,
            "mean": 11.0,
            "p50": 11.0,
            "p95": 20.0,
            "max": 21.0,
            "success": 0.952,
            "count_before": 21,
            "p50_before": 11.0,
            "p95_before": 20.0,
            "success_before": 1.0,
            "p50_change": 0.0,
            "p95_change": 0.0,
            "note": "",
        },
        {
            "component": "tags",
            "count": 3,
            "mean": 4.0,
            "p50": 4.0,
            "p95": 4.0,
            "max": 4.0,
            "success": 1.0,
            "count_before": 0,
            "p50_before": None,
            "p95_before": None,
            "success_before": None,
            "p50_change": None,
            "p95_change": None,
            "note": "too few to judge",
        },
    ]


@pytest.mark.parametrize(("days", "before", "now"), [(30, 0, 1), (30.01, 1, 0), (60, 1, 0), (60.01, 0, 0)])
def test_a_month_has_30_days(project: Project, days: float, before: int, now: int) -> None:
    report = project.compare([entry(timestamp=ago(days=days)), entry("other")])
    rows = {row["component"]: row for row in report.data["generation"]}
    assert rows.get("caption", {"count_before": 0, "count": 0})["count_before"] == before
    assert rows.get("caption", {"count": 0})["count"] == now


@pytest.mark.parametrize(
    ("number", "failed", "warned"), [(10, 1, False), (10, 2, True), (9, 9, False), (20, 2, False), (20, 3, True)]
)
def test_failures_are_told_from_ten_on(project: Project, number: int, failed: int, warned: int) -> None:
    report = pair(project, {"number": 0}, {"number": number, "failed": failed})
    findings = every(report, "generation.success_rate", "caption")
    assert bool(findings) == warned
    if warned:
        assert findings[0].status is Status.WARNING
        assert findings[0].value == (number - failed) / number
        assert findings[0].warning == 0.9
        assert findings[0].message.startswith(f"{number - failed} of {number} generations of caption succeeded (8")
        assert findings[0].message.endswith(" in the last 30 days; at least 90 % was expected.")
        assert findings[0].remedy
    assert len(recommended(report)) == warned


@pytest.mark.parametrize(
    ("number", "seconds", "status"),
    [
        (10, 30, None),
        (10, 30.5, Status.WARNING),
        (9, 500, None),
        (10, 120, Status.WARNING),
        (10, 120.5, Status.CRITICAL),
    ],
)
def test_slowness_is_told_from_ten_on(project: Project, number: int, seconds: float, status: Status | None) -> None:
    report = pair(project, {"number": 0}, {"number": number, "duration": seconds})
    findings = every(report, "generation.duration", "caption")
    assert [one.status for one in findings] == ([status] if status else [])
    assert len(recommended(report)) == len(findings)
    if findings:
        assert findings[0].value == seconds
        assert (findings[0].warning, findings[0].critical, findings[0].unit) == (30, 120, "s")
        assert findings[0].message.startswith("caption took ")
        assert findings[0].message.endswith(" was expected.")
        assert findings[0].remedy


@pytest.mark.parametrize(
    ("before", "now", "numbers", "warned"),
    [
        (10, 12, (10, 10), False),
        (10, 12.01, (10, 10), True),
        (10, 20, (9, 10), False),
        (10, 20, (10, 9), False),
        (0, 20, (10, 10), False),
        (20, 10, (10, 10), False),
    ],
)
def test_slower_than_the_month_before_is_told(
    project: Project, before: float, now: float, numbers: tuple[int, int], *, warned: bool
) -> None:
    report = pair(project, {"number": numbers[0], "duration": before}, {"number": numbers[1], "duration": now})
    findings = every(report, "generation.slower", "caption")
    assert bool(findings) == warned
    assert len(recommended(report)) == len(findings)
    if warned:
        assert findings[0].message == (
            "95 % of the generations of caption took up to 12.0 s in the last 30 days, 20.1 % more than the 10.0 s "
            "of the 30 days before; at most 20 % more was expected."
        )
        assert findings[0].value == pytest.approx(20.1)
        assert (findings[0].unit, findings[0].warning) == ("%", 20)
        assert findings[0].remedy


def test_it_is_the_slow_ones_that_are_compared(project: Project) -> None:
    slow = [entry(duration=9, timestamp=ago(days=3))] * 3
    report = project.compare([*entries(30, days=40), *entries(27, days=3), *slow])
    assert found(report, "generation.slower").status is Status.WARNING
    assert row(report)["p50_change"] == 0


def test_a_change_is_that_from_the_month_before_to_this_one(project: Project) -> None:
    slow = [entry(duration=40, timestamp=ago(days=40))] * 3 + [entry(duration=30, timestamp=ago(days=3))] * 3
    one = row(
        project.compare([*entries(20, days=40, duration=10), *entries(20, days=3, duration=12), *slow]),
    )
    assert (one["p50_before"], one["p50"], one["p50_change"]) == (10, 12, 20)
    assert (one["p95_before"], one["p95"], one["p95_change"]) == (40, 30, -25)


@pytest.mark.parametrize(
    ("failed", "numbers", "warned"),
    [((0, 1), (20, 20), False), ((0, 6), (100, 100), True), ((5, 10), (100, 100), False), ((4, 10), (100, 100), True)],
)
def test_a_fall_of_the_share_of_successes_is_told(
    project: Project, failed: tuple[int, int], numbers: tuple[int, int], *, warned: bool
) -> None:
    report = pair(project, {"number": numbers[0], "failed": failed[0]}, {"number": numbers[1], "failed": failed[1]})
    findings = every(report, "generation.success_fall", "caption")
    assert bool(findings) == warned
    assert len(recommended(report)) == len(findings)
    if warned:
        assert findings[0].value == pytest.approx(6)
        assert (findings[0].unit, findings[0].warning, findings[0].status) == ("points", 5, Status.WARNING)
        assert findings[0].message.startswith(
            f"The share of generations of caption that succeeded fell by 6.0 points, from {100 - failed[0]} % in the"
        )
        assert findings[0].message.endswith("; at most 5 points were expected.")
        assert findings[0].remedy


@pytest.mark.parametrize("numbers", [(9, 10), (10, 9)])
def test_a_fall_among_too_few_is_not_told(project: Project, numbers: tuple[int, int]) -> None:
    report = pair(project, {"number": numbers[0]}, {"number": numbers[1], "failed": 1})
    assert not recommended(report)


@pytest.mark.parametrize(
    ("before", "now", "note"),
    [
        (10, 10, ""),
        (9, 10, "too few before to compare"),
        (10, 9, "too few to judge"),
        (0, 9, "too few to judge"),
    ],
)
def test_the_table_says_where_there_are_too_few(project: Project, before: int, now: int, note: str) -> None:
    one = row(pair(project, {"number": before}, {"number": now}))
    assert one["note"] == note
    assert (one["p95_change"] is None) == bool(note)


def test_entries_that_say_nothing_count_as_too_few(project: Project) -> None:
    bare = [{"timestamp": ago(days=days), "component": "caption"} for days in (10, 40)] * 20
    report = project.compare(bare)
    assert row(report)["note"] == "too few to judge"
    assert {one.check for one in recommended(report)} == {"generation.records"}
    untimed = [{"timestamp": ago(days=days), "component": "caption", "success": True} for days in (10, 40)] * 10
    assert row(project.compare(untimed))["note"] == ""
    unjudged = [{"timestamp": ago(days=days), "component": "caption", "duration": 1} for days in (10, 40)] * 10
    assert row(project.compare(unjudged))["note"] == ""


def test_without_any_in_the_last_month_nothing_is_judged(project: Project) -> None:
    report = project.compare(entries(20, days=40))
    assert report.status is Status.SKIPPED
    assert report.summary == "no generations in the last 30 days"
    assert found(report, "generation.count").message == "No generation was recorded in the last 30 days."
    assert row(report)["count_before"] == 20


def test_a_missing_record_is_skipped_and_a_useless_one_unknown(project: Project) -> None:
    assert project.compare().status is Status.SKIPPED
    assert project.compare("5").status is Status.UNKNOWN


def test_faults_are_told_by_the_month_too(project: Project) -> None:
    report = project.compare([*entries(20), entry(duration=-1), entry(duration=-1, timestamp=ago(days=50))])
    assert found(report, "generation.records").message.startswith("2 entries with a negative duration left out of the")
    assert found(report, "generation.records").subject == FILE


def test_many_components_are_shown_together_and_judged_one_by_one(project: Project) -> None:
    names = [f"part{number:02}" for number in range(33)]
    values = [one for name in names for one in entries(12, name, days=3)]
    values += entries(10, "late", days=3, failed=10) + entries(12, "late", days=40)
    report = project.compare(values)
    rows = report.data["generation"]
    assert [one["component"] for one in rows] == [*names[:30], "(4 others)"]
    assert {key: rows[-1][key] for key in ("count", "mean", "p50", "success", "count_before", "note")} == {
        "count": 46,
        "mean": 2.0,
        "p50": None,
        "success": 0.783,
        "count_before": 12,
        "note": "",
    }
    assert found(report, "generation.success_rate").subject == "late"
    assert len(project.compare([one for name in names[:30] for one in entries(1, name)]).data["generation"]) == 30


def test_components_come_with_the_most_generations_first(project: Project) -> None:
    report = project.compare(
        [*entries(1, "b"), *entries(1, "a"), *entries(2, "c"), *entries(3, "e", days=40), *entries(4, "d", days=40)]
    )
    assert [one["component"] for one in report.data["generation"]] == ["c", "a", "b", "d", "e"]


def test_secrets_are_taken_out_of_what_is_told(project: Project) -> None:
    report = project.compare(entries(20, "s3cret", failed=20), redact=lambda text: text.replace("s3cret", "[redacted]"))
    assert "s3cret" not in str(report)
    assert found(report, "generation.success_rate").subject == "[redacted]"
