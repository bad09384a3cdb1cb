from __future__ import annotations

import pytest

from tasks.core.report.model import Status

from .conftest import FILE, Project, ago, entries, entry, every, found, metrics


def test_what_is_well_is_told(project: Project) -> None:
    report = project.recent([*entries(45, days=0.5), *entries(5, "tags", failed=5, days=0.5, duration=12)])
    assert report.status is Status.OK
    assert report.summary == "50 generations in the last 24 h, 90 % succeeded"
    rate = found(report, "generation.success_rate")
    assert rate.message == "45 of 50 generations succeeded (90 %) in the last 24 h."
    assert (rate.subject, rate.value, rate.unit, rate.warning, rate.remedy) == (FILE, 0.9, "share", 0.9, None)
    time = found(report, "generation.duration")
    assert time.message == "50 generations took 3.0 s on average in the last 24 h."
    assert (time.value, time.unit, time.warning, time.critical, time.remedy) == (3.0, "s", 30, 120, None)
    assert metrics(report) == {"generation.count": 50, "generation.mean": 3.0, "generation.success_rate": 0.9}
    assert report.data == {
        "generation": {
            "count": 50,
            "mean_seconds": 3.0,
            "success_rate": 0.9,
            "components": [
                {"component": "caption", "count": 45, "mean": 2.0, "success": 1.0},
                {"component": "tags", "count": 5, "mean": 12.0, "success": 0.0},
            ],
        }
    }
    assert not every(report, "generation.records")


def test_too_many_failures_are_a_warning_that_names_the_worst_component(project: Project) -> None:
    report = project.recent([*entries(30, failed=3, days=0.1), *entries(12, "tags", failed=6, days=0.1), *entries(8)])
    rate = found(report, "generation.success_rate")
    assert rate.status is Status.WARNING
    assert rate.message == "41 of 50 generations succeeded (82 %) in the last 24 h; at least 90 % was expected."
    assert rate.remedy == (
        "Begin with tags, where 6 of 12 failed: inv daily.log-review --since 24h shows the latest errors."
    )


def test_of_components_that_fail_alike_the_one_with_more_failures_is_named(project: Project) -> None:
    report = project.recent([*entries(2, "few", failed=1, days=0.1), *entries(8, "many", failed=4, days=0.1)])
    assert "Begin with many, where 4 of 8" in str(found(report, "generation.success_rate").remedy)


@pytest.mark.parametrize(("share", "status"), [(0.8, Status.OK), (0.801, Status.WARNING)])
def test_the_expected_share_is_a_setting(project: Project, share: float, status: Status) -> None:
    project.set_limits(min_success_rate=share)
    assert found(project.recent(entries(10, failed=2)), "generation.success_rate").status is status


@pytest.mark.parametrize(
    ("seconds", "status", "expected"),
    [
        (30, Status.OK, "."),
        (31, Status.WARNING, "; at most 30.0 s was expected."),
        (120, Status.WARNING, "; at most 30.0 s was expected."),
        (121, Status.CRITICAL, "; at most 2 min 0 s was expected."),
    ],
)
def test_slow_generations_are_told(project: Project, seconds: float, status: Status, expected: str) -> None:
    values = [*entries(2, "fast", duration=seconds - 1, days=0.1), *entries(2, "slow", duration=seconds + 1, days=0.1)]
    time = found(project.recent(values), "generation.duration")
    assert time.status is status
    assert time.message.endswith(f" on average in the last 24 h{expected}")
    assert (time.remedy is None) == (status is Status.OK)
    assert time.remedy is None or time.remedy.startswith("Begin with slow, which takes ")


@pytest.mark.parametrize(("minutes", "count"), [(24 * 60, 1), (24 * 60 + 1, 0), (-5, 1), (-6, 0)])
def test_only_the_last_hours_count(project: Project, minutes: float, count: int) -> None:
    assert metrics(project.recent([entry(timestamp=ago(minutes=minutes))]))["generation.count"] == count


def test_the_hours_can_be_chosen(project: Project) -> None:
    project.write([entry(timestamp=ago(hours=5)), entry(timestamp=ago(hours=7))])
    assert project.recent(hours=6).summary == "1 generation in the last 6 h, 100 % succeeded"
    assert "in the last 7 days" in project.recent(hours=168).summary


def test_without_any_in_the_last_hours_nothing_is_judged(project: Project) -> None:
    report = project.recent(entries(9, failed=9, days=2))
    assert report.status is Status.SKIPPED
    assert report.summary == "no generations in the last 24 h"
    assert found(report, "generation.count").message == "No generation was recorded in the last 24 h."
    assert metrics(report) == {"generation.count": 0}
    assert report.data["generation"] == {"count": 0, "mean_seconds": None, "success_rate": None, "components": []}


def test_what_no_entry_tells_is_unknown(project: Project) -> None:
    report = project.recent([{"timestamp": ago(hours=1), "component": "caption"}] * 5)
    rate = found(report, "generation.success_rate")
    assert (rate.status, rate.value) == (Status.UNKNOWN, None)
    assert rate.message == "None of 5 generations in the last 24 h says whether it succeeded."
    assert "success" in str(rate.remedy)
    time = found(report, "generation.duration")
    assert (time.status, time.value) == (Status.UNKNOWN, None)
    assert time.message == "None of 5 generations in the last 24 h has a usable duration."
    assert "duration" in str(time.remedy)
    assert report.summary == "5 generations in the last 24 h"


def test_a_missing_record_is_skipped_and_a_useless_one_unknown(project: Project) -> None:
    report = project.recent()
    assert (report.status, report.summary) == (Status.SKIPPED, "no generations recorded")
    assert found(report, "generation.records").message == f"There is no {FILE}."
    report = project.recent('"text"')
    assert (report.status, report.summary) == (Status.UNKNOWN, "the generations could not be read")
    assert found(report, "generation.records").message.startswith(f"{FILE} holds a JSON string where")
    assert "maintenance.generation.file" in str(found(report, "generation.records").remedy)


def test_faults_are_warnings_and_the_rest_is_judged(project: Project) -> None:
    values = [
        *entries(10, days=0.1),
        entry(duration="3.2"),
        entry(duration="x"),
        entry(success=None),
        3,
        {"component": "tags"},
    ]
    report = project.recent(values)
    assert report.status is Status.WARNING
    figures = {one.message: (one.value, one.unit) for one in every(report, "generation.records")}
    hour = ago(hours=1)
    assert figures == {
        "1 entry other than a JSON object left out, for example 3.": (1, "entries"),
        "1 entry without a timestamp left out, for example one of 'tags'.": (1, "entries"),
        f"2 entries whose duration is no number left out of the times, for example '3.2' at '{hour}'.": (2, "entries"),
        f"1 entry without success: true or false left out of the success rate, for example that of '{hour}'.": (
            1,
            "entries",
        ),
    }
    assert found(report, "generation.success_rate").message.startswith("12 of 12 generations")
    assert metrics(report)["generation.count"] == 13


def test_damage_and_a_missing_end_are_told(project: Project) -> None:
    report = project.recent('[{"a" 1}, {"b" 2}, {"timestamp": 1}, {"b" 2}, {"timestamp": 1}, {"timestamp')
    texts = [one.message for one in every(report, "generation.records")]
    assert texts == [
        "2 damaged stretches passed over, the first at byte 1; the entries around count.",
    ] or texts[0].startswith(f"{FILE} ends in the middle")
    assert any("damaged stretches passed over, the first at byte 1; " in text for text in texts)


def test_secrets_are_taken_out_of_what_is_told(project: Project) -> None:
    values = [entry("s3cret", 50, success=False), entry("s3cret", "s3cret", success=False)]
    report = project.recent(values, redact=lambda text: text.replace("s3cret", "[redacted]"))
    assert "s3cret" not in str(report)
    assert str(report).count("[redacted]") == 4
