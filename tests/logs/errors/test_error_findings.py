from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from tasks.core.report.model import Report, Status
from tasks.core.settings.model import LogSettings
from tasks.logs.errors.error_findings import MonitorOutcome, evaluate
from tasks.logs.errors.error_groups import ErrorGroup, GroupState, is_critical
from tasks.logs.errors.error_scan import ErrorScan
from tasks.logs.errors.monitor_files import alert_content
from tasks.logs.reading.log_levels import Level
from tasks.logs.rotation.rotation_outcome import RecoveredRotation
from tasks.logs.rotation.rotation_outcome import RotationOutcome as Rotation

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


def group(**values: Any) -> ErrorGroup:
    one = ErrorGroup(
        title="it broke",
        level="ERROR",
        state=GroupState.NEW,
        first_seen="2025-06-02T11:00:00+00:00",
        last_seen="2025-06-02T11:00:00+00:00",
        count=3,
        days={},
        log="logs/app.log",
        sample="it broke",
    )
    return msgspec.structs.replace(one, **values)


def evaluated(*, dry_run: bool = False, visit: ErrorScan | None = None, **values: Any) -> Report:
    return evaluate(LogSettings(), MonitorOutcome(visit=visit or ErrorScan(), **values), NOW, dry_run=dry_run)


def messages(report: Report) -> list[tuple[str, str, Status]]:
    return [(one.check, one.message, one.status) for one in report.findings]


def test_what_was_put_right_before_is_told() -> None:
    recovered = Rotation("logs", dry_run=False)
    recovered.recovered.append(RecoveredRotation("logs/app.log", "A rotation was interrupted; it is finished."))
    assert ("logs.recovered", "A rotation was interrupted; it is finished.", Status.OK) in messages(
        evaluated(recovered=recovered)
    )


def test_each_state_has_its_sentence_and_new_comes_first() -> None:
    alerting = {
        "1:c": (group(state=GroupState.ESCALATING, count=1234, patterns=["a", "b"]), 1000),
        "1:b": (group(state=GroupState.REGRESSED), 1),
        "1:a": (group(), 0),
    }
    assert messages(evaluated(alerting=alerting))[:3] == [
        ("errors.new", "New: it broke — 0 in the window, 3 in all, last in logs/app.log.", Status.WARNING),
        ("errors.regressed", "Back again: it broke — 1 in the window, 3 in all, last in logs/app.log.", Status.WARNING),
        (
            "errors.escalating",
            'More and more: it broke — 1,000 in the window, 1,234 in all, last in logs/app.log, matches "a", "b".',
            Status.CRITICAL,
        ),
    ]


def test_a_storm_of_each_state_is_told_apart_and_the_loudest_titles_first() -> None:
    alerting = {f"1:{number:02}": (group(title=f"group {number}"), number) for number in range(11)}
    alerting |= {f"2:{number:02}": (group(state=GroupState.REGRESSED), 1) for number in range(10)}
    report = evaluated(alerting=alerting)
    assert [one.check for one in report.findings].count("errors.regressed") == 10
    (storm,) = (one for one in report.findings if one.check == "errors.new")
    assert storm.message.startswith('11 new groups: "group 10", "group 9", ')
    assert storm.remedy == "They may have one cause; the alert lists them all."


def test_what_is_known_is_told_by_state() -> None:
    known = {
        "1:a": (group(state=GroupState.ONGOING), 2),
        "1:b": (group(state=GroupState.ONGOING), 3),
        "1:c": (group(state=GroupState.MUTED, patterns=["x"]), 1),
        "1:d": (group(state=GroupState.RESOLVED), 1),
        "1:e": (group(state=GroupState.ONGOING, level="CRITICAL"), 1),
    }
    report = evaluated(known=known)
    assert messages(report)[:4] == [
        ("errors.ongoing", "Still going on: it broke — 1 in the window, 3 in all.", Status.WARNING),
        ("errors.ongoing", "2 ongoing groups with 5 records in the last 24 h, told before.", Status.OK),
        ("errors.muted", "1 muted group with 1 record in the last 24 h, told before.", Status.OK),
        ("errors.resolved", "1 resolved group with 1 record in the last 24 h, told before.", Status.OK),
    ]
    assert report.status is Status.WARNING


def test_the_numbers_are_those_of_the_window() -> None:
    visit = ErrorScan(new=1, logs=1)
    visit.levels.update({Level.ERROR: 1200, Level.CRITICAL: 34, Level.WARNING: 5})
    report = evaluated(visit=visit)
    assert report.summary == "1,234 errors in the last 24 h, 0 groups to look at, 0 known"
    assert messages(report) == [
        ("errors.window", "1 log read: 1,239 records in the window, 1 not seen before.", Status.OK)
    ]


def test_a_dry_run_names_the_files_that_a_run_would_write() -> None:
    alerting = {"1:a": (group(), 1)}
    paths = ["logs/alerts/alert_20250602_120000.json", "logs/error_tracking.json"]
    assert [one.target for one in evaluated(dry_run=True, alerting=alerting).actions] == paths
    assert [one.target for one in evaluated(dry_run=True).actions] == paths[1:]
    assert [one.target for one in evaluated(dry_run=True, alerting=alerting, unkept="It is odd.").actions] == paths[:1]
    assert evaluate(LogSettings(), MonitorOutcome(missing=True), NOW, dry_run=True).actions == []


def test_where_nothing_was_read_nothing_is_told() -> None:
    report = evaluate(LogSettings(), MonitorOutcome(), NOW, dry_run=False)
    assert (report.findings, report.metrics, report.data) == ([], [], {})
    assert report.summary == "the logs could not be read"


def test_an_alert_is_as_severe_as_its_worst_group() -> None:
    assert is_critical(group(level="CRITICAL"))
    assert is_critical(group(patterns=["x"]))
    assert not is_critical(group())
    for one in (group(), group(level="CRITICAL"), group(patterns=["x"])):
        severity = "critical" if is_critical(one) else "warning"
        assert alert_content({"1:a": (one, 1), "1:b": (group(), 1)}, 24, NOW)["severity"] == severity
