from __future__ import annotations

import inspect
import itertools
import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tasks.core.report.model import (
    SCHEMA_VERSION,
    Action,
    FailOn,
    Finding,
    Interrupted,
    Metric,
    Report,
    RunReport,
    Status,
    encode,
    exit_status,
    schema,
    worst,
)

STATUSES = st.sampled_from(Status)
MOMENT = "2026-11-23T12:00:00+00:00"

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
_findings = st.builds(
    Finding,
    check=st.text(),
    subject=st.text(),
    status=STATUSES,
    message=st.text(),
    value=_scalars,
    unit=st.none() | st.text(),
    warning=_scalars,
    critical=_scalars,
    remedy=st.none() | st.text(),
)
_reports = st.builds(
    Report,
    task=st.text(),
    summary=st.text(),
    started=st.none() | st.just(MOMENT),
    duration_seconds=st.floats(0, 1e6),
    dry_run=st.booleans(),
    findings=st.lists(_findings, max_size=3),
    metrics=st.lists(
        st.builds(Metric, name=st.text(), value=st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9), unit=st.text()),
        max_size=2,
    ),
    actions=st.lists(st.builds(Action, verb=st.text(), target=st.text()), max_size=2),
    files=st.lists(st.text(), max_size=2),
    data=st.dictionaries(st.text(), _scalars, max_size=2),
)
_documents = st.builds(
    RunReport,
    root=st.text(),
    started=st.just(MOMENT),
    duration_seconds=st.floats(0, 1e6),
    reports=st.lists(_reports, max_size=3),
)


def _finding(status: Status) -> Finding:
    return Finding(check="a.b", subject="c", status=status, message="d")


def _document(*reports: Report) -> RunReport:
    return RunReport(root="/project", started=MOMENT, duration_seconds=1.25, reports=list(reports))


def _decoded(document: RunReport) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(encode(document))
    return value


def test_severity_rises_from_skipped_over_ok_warning_and_unknown_to_critical() -> None:
    assert sorted(Status, key=lambda status: status.severity) == [
        Status.SKIPPED,
        Status.OK,
        Status.WARNING,
        Status.UNKNOWN,
        Status.CRITICAL,
    ]
    assert [status.severity for status in Status] == [0, 1, 2, 3, 4]


def test_the_worst_of_nothing_is_ok() -> None:
    assert worst([]) is Status.OK


@given(st.lists(STATUSES, min_size=1))
def test_the_worst_is_one_of_them_and_none_is_worse(statuses: list[Status]) -> None:
    result = worst(statuses)
    assert result in statuses
    assert all(status.severity <= result.severity for status in statuses)


@given(st.lists(STATUSES, min_size=1), st.lists(STATUSES, min_size=1))
def test_the_worst_of_two_parts_is_the_worst_of_the_whole(one: list[Status], other: list[Status]) -> None:
    assert worst([worst(one), worst(other)]) is worst(one + other)
    assert worst(one + other) is worst(other + one)


EXIT_STATUSES: dict[FailOn, dict[Status, int]] = {
    "warning": {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 1, Status.UNKNOWN: 3, Status.CRITICAL: 2},
    "unknown": {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 0, Status.UNKNOWN: 3, Status.CRITICAL: 2},
    "critical": {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 0, Status.UNKNOWN: 0, Status.CRITICAL: 2},
    "never": {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 0, Status.UNKNOWN: 0, Status.CRITICAL: 0},
}


@pytest.mark.parametrize(("fail_on", "status"), list(itertools.product(EXIT_STATUSES, Status)))
def test_exit_statuses_are_those_of_the_monitoring_plugins(fail_on: FailOn, status: Status) -> None:
    assert exit_status(status, fail_on) == EXIT_STATUSES[fail_on][status]


def test_every_value_of_fail_on_has_its_exit_statuses() -> None:
    assert set(EXIT_STATUSES) == set(get_args(FailOn))


@given(STATUSES, STATUSES, st.sampled_from(list(EXIT_STATUSES)))
def test_a_worse_status_never_passes_where_a_better_one_fails(one: Status, other: Status, fail_on: FailOn) -> None:
    better, worse = sorted((one, other), key=lambda status: status.severity)
    assert bool(exit_status(better, fail_on)) <= bool(exit_status(worse, fail_on))


@given(st.lists(STATUSES))
def test_a_report_has_the_worst_status_of_its_findings_whatever_it_is_given(statuses: list[Status]) -> None:
    for claimed in Status:
        report = Report(summary="s", status=claimed, findings=[_finding(status) for status in statuses])
        assert report.status is worst(statuses)


@given(st.lists(STATUSES))
def test_a_run_has_the_worst_status_of_its_reports_whatever_it_is_given(statuses: list[Status]) -> None:
    reports = [Report(summary="s", findings=[_finding(status)]) for status in statuses]
    for claimed in Status:
        run = RunReport(root="/", started=MOMENT, duration_seconds=0, status=claimed, reports=reports)
        assert run.status is worst(statuses)


@pytest.mark.parametrize("part", [_finding(Status.OK), Report(summary="s"), _document()])
def test_what_was_reported_cannot_be_changed(part: object) -> None:
    with pytest.raises(AttributeError):
        part.status = Status.CRITICAL  # type: ignore[attr-defined]


def test_reports_do_not_share_their_lists() -> None:
    first, second = Report(summary="a"), Report(summary="b")
    first.findings.append(_finding(Status.OK))
    first.data["key"] = 1
    assert second.findings == []
    assert second.data == {}


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@given(_documents)
def test_every_document_keeps_to_the_schema(document: RunReport) -> None:
    Draft202012Validator(schema()).validate(_decoded(document))


def test_a_document_with_reports_inside_a_report_keeps_to_the_schema() -> None:
    part = Report(task="weekly.part", summary="part", findings=[_finding(Status.WARNING)])
    document = _decoded(_document(Report(summary="whole", data={"reports": [part]})))
    Draft202012Validator(schema()).validate(document)
    assert document["reports"][0]["data"]["reports"][0]["findings"][0]["status"] == "warning"


def test_the_schema_refuses_what_no_report_says() -> None:
    document = _decoded(_document(Report(summary="s", findings=[_finding(Status.OK)])))
    document["reports"][0]["findings"][0]["status"] = "fine"
    assert not Draft202012Validator(schema()).is_valid(document)


def test_the_keys_of_the_document_are_the_promised_ones_in_their_order() -> None:
    report = Report(
        task="weekly.cache-cleanup",
        summary="s",
        started=MOMENT,
        findings=[_finding(Status.OK)],
        metrics=[Metric(name="cache.bytes", value=123, unit="B", subject="cache")],
        actions=[Action(verb="delete", target="cache", count=12, bytes=3456)],
        files=["logs/report.json"],
    )
    document = _decoded(_document(report))
    assert list(document) == ["schema", "root", "started", "duration_seconds", "status", "reports"]
    (reported,) = document["reports"]
    assert list(reported) == [
        *("task", "status", "summary", "started", "duration_seconds", "dry_run"),
        *("findings", "metrics", "actions", "files", "data"),
    ]
    assert list(reported["findings"][0]) == [
        *("check", "subject", "status", "message", "value", "unit", "warning", "critical", "remedy")
    ]
    assert reported["metrics"] == [{"name": "cache.bytes", "value": 123, "unit": "B", "subject": "cache"}]
    assert reported["actions"] == [{"verb": "delete", "target": "cache", "count": 12, "bytes": 3456, "done": True}]
    assert reported["files"] == ["logs/report.json"]
    assert document["schema"] == SCHEMA_VERSION == 1


def test_moments_are_marked_as_such_in_the_schema() -> None:
    definitions = schema()["$defs"]
    assert definitions["RunReport"]["properties"]["started"]["format"] == "date-time"


@given(_documents)
def test_a_document_is_one_line_of_utf_8(document: RunReport) -> None:
    content = encode(document)
    assert b"\n" not in content
    assert b"\r" not in content
    assert json.loads(content.decode("utf-8"))["root"] == document.root


def test_names_that_are_no_utf_8_are_escaped_wherever_they_stand_and_the_rest_is_kept() -> None:
    name = "caf\udce9"
    report = Report(
        summary=name,
        findings=[Finding(check="a.b", subject=name, status=Status.OK, message="Grüße 😀", value=1.5)],
        files=[name],
        data={name: [{"deep": (name, None, True)}]},
    )
    (reported,) = _decoded(_document(report))["reports"]
    escaped = r"caf\xe9"
    assert (reported["summary"], reported["files"], reported["findings"][0]["subject"]) == (escaped, [escaped], escaped)
    assert (reported["findings"][0]["message"], reported["findings"][0]["value"]) == ("Grüße 😀", 1.5)
    assert reported["data"] == {escaped: [{"deep": [escaped, None, True]}]}
    assert reported["status"] == "ok"


def test_an_interruption_is_ctrl_c_and_carries_the_report() -> None:
    report = Report(summary="half done")
    stop = Interrupted(report)
    assert isinstance(stop, KeyboardInterrupt)
    assert stop.report is report
    assert str(stop) == "half done"


@pytest.mark.parametrize("kind", [Finding, Metric, Action, Report, RunReport])
def test_what_is_reported_is_given_by_name_and_never_changes(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen
    assert {each.kind for each in inspect.signature(kind).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_where_nothing_is_said_one_thing_was_done_that_had_no_bytes() -> None:
    assert msgspec.to_builtins(Action(verb="move", target="a")) == {
        "verb": "move",
        "target": "a",
        "count": 1,
        "bytes": 0,
        "done": True,
    }


def test_where_nothing_is_said_a_procedure_found_nothing_at_once_and_did_run() -> None:
    assert msgspec.to_builtins(Report(summary="well")) == {
        "task": "",
        "status": "ok",
        "summary": "well",
        "started": None,
        "duration_seconds": 0.0,
        "dry_run": False,
        "findings": [],
        "metrics": [],
        "actions": [],
        "files": [],
        "data": {},
    }
