from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.output.layout import Line, report_lines, verdict_lines
from tasks.core.report.model import Action, Finding, Metric, Report, RunReport, Status


def _plain(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def _report(report: Report) -> list[str]:
    return _plain(list(report_lines(report)))


def _finding(status: Status, subject: str = "cache/temp", **rest: Any) -> Finding:
    return Finding(check="a.b", subject=subject, status=status, message=f"it is {status.value}", **rest)


def _verdict(*reports: Report, seconds: float = 1.2) -> str:
    document = RunReport(root="/p", started="2026-11-23T12:00:00+00:00", duration_seconds=seconds, reports=[*reports])
    (line,) = _plain(list(verdict_lines(document)))
    return line


def test_a_report_starts_with_task_status_and_summary() -> None:
    assert _report(Report(task="weekly.cache-cleanup", summary="12 files deleted")) == [
        "weekly.cache-cleanup  ok  12 files deleted",
        "",
    ]


def test_a_dry_run_says_that_nothing_was_changed() -> None:
    assert _report(Report(task="t", summary="s", dry_run=True))[0] == "t  ok  s (dry run: nothing was changed)"


def test_the_worst_findings_come_first_and_equals_keep_their_order() -> None:
    findings = [
        *(_finding(status, f"{status.value}-1") for status in Status),
        *(_finding(status, f"{status.value}-2") for status in Status),
    ]
    lines = _report(Report(task="t", summary="s", findings=findings))
    assert [line.split()[1] for line in lines if line.startswith("  ")] == [
        *("critical-1", "critical-2", "unknown-1", "unknown-2", "warning-1", "warning-2"),
        *("ok-1", "ok-2", "skipped-1", "skipped-2"),
    ]


@given(st.lists(st.sampled_from(Status)))
def test_no_ok_finding_stands_before_one_that_is_not(statuses: list[Status]) -> None:
    report = Report(task="t", summary="s", findings=[_finding(status) for status in statuses])
    shown = [Status(line.split()[0]).severity for line in _report(report)[1:] if line]
    assert shown == sorted((status.severity for status in statuses), reverse=True)


def test_statuses_are_padded_so_that_subjects_stand_below_each_other() -> None:
    report = Report(task="t", summary="s", findings=[_finding(status) for status in Status])
    assert {line.index("cache/temp") for line in _report(report)[1:] if line} == {12}


@pytest.mark.parametrize("status", Status)
def test_a_remedy_is_shown_below_what_is_wrong_and_not_where_all_is_well(status: Status) -> None:
    lines = _report(Report(task="t", summary="s", findings=[_finding(status, remedy="Turn it off and on.")]))
    shown = "            → Turn it off and on."
    assert (shown in lines) == (status not in {Status.OK, Status.SKIPPED})
    if shown in lines:
        assert lines.index(shown) == 2


def test_what_is_wrong_has_no_arrow_without_a_remedy() -> None:
    assert not any("→" in line for line in _report(Report(summary="s", findings=[_finding(Status.CRITICAL)])))


def test_the_verdict_has_the_style_of_its_status() -> None:
    styles = set()
    for status in Status:
        report = Report(task="t", summary="s", findings=[_finding(status)])
        heading, line = list(report_lines(report))[:2]
        (style,) = {style for text, style in heading if text == status.value}
        assert (status.value.ljust(8), style) in line
        styles.add(style)
    assert len(styles) == len(Status)


def test_reports_inside_a_report_are_shown_indented_without_their_blank_lines() -> None:
    inner = Report(task="inner", summary="i", findings=[_finding(Status.WARNING, remedy="Do it.")], files=["f"])
    lines = _report(Report(task="outer", summary="o", data={"reports": [inner]}, findings=[_finding(Status.OK)]))
    assert lines == [
        "outer  ok  o",
        "",
        "    inner  warning  i",
        "      warning   cache/temp  it is warning",
        "                → Do it.",
        "      wrote f",
        "",
        "  ok        cache/temp  it is ok",
        "",
    ]


def test_a_list_of_records_becomes_a_table_with_all_of_their_columns() -> None:
    records = [{"name": "deepseek", "seconds": 1.5}, {"name": "grok", "error": "no\nroute", "tags": ["a", None]}]
    lines = _report(Report(task="t", summary="s", data={"providers": records}))
    assert lines == [
        "t  ok  s",
        "",
        "  providers",
        "  name      seconds  error      tags",
        "  deepseek  1.5      -          -",
        r'  grok      -        no\nroute  ["a", null]',
        "",
    ]


@pytest.mark.parametrize("value", [[], ["text"], [{"a": 1}, "text"], {"a": 1}, "text", 5, None])
def test_data_that_is_no_list_of_records_is_for_programs_only(value: object) -> None:
    assert _report(Report(task="t", summary="s", data={"value": value})) == ["t  ok  s", ""]


def test_records_called_reports_are_a_table_like_any_other() -> None:
    assert "  reports" in _report(Report(task="t", summary="s", data={"reports": [{"a": 1}]}))


def test_no_cell_of_a_table_can_steer_a_terminal() -> None:
    cells = {"text": "\x1b[2J", "list": ["\x1b[2J", "\u202e", "\x9b"], "mapping": {"\u202e": "\udc80"}}
    lines = _report(Report(task="t", summary="s", data={"records": [cells]}))
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (
            Action(verb="delete", target="cache/temp", count=1200, bytes=3456),
            "  delete cache/temp  1,200 files  3.5 kB",
        ),
        (Action(verb="delete", target="cache/temp", done=False), "  would delete cache/temp  1 file"),
        (Action(verb="move", target="cache/temp", count=1, bytes=10), "  move cache/temp  1 file  10 B"),
        (Action(verb="create", target="cache/temp"), "  create cache/temp"),
        (Action(verb="remove", target="cache/temp", count=2), "  remove cache/temp  2 folders"),
    ],
)
def test_an_action_says_what_it_does_to_how_many_of_which_size(action: Action, line: str) -> None:
    assert _report(Report(task="t", summary="s", actions=[action])) == ["t  ok  s", line, ""]


def test_a_written_file_is_shown_once() -> None:
    report = Report(task="t", summary="s", actions=[Action(verb="write", target="logs/r.json")], files=["logs/r.json"])
    assert _report(report) == ["t  ok  s", "  wrote logs/r.json", ""]


def test_a_file_that_would_be_written_is_shown_as_such() -> None:
    report = Report(task="t", summary="s", actions=[Action(verb="write", target="logs/r.json", done=False)])
    assert _report(report) == ["t  ok  s", "  would write logs/r.json", ""]


def test_numbers_are_shown_with_units_one_line_per_subject() -> None:
    metrics = [
        Metric(name="cache.bytes", value=3_200_000, unit="B", subject="cache/temp"),
        Metric(name="cache.files", value=12_000, unit="files", subject="cache/temp"),
        Metric(name="speed", value=1.5, unit="s"),
    ]
    assert _report(Report(task="t", summary="s", metrics=metrics)) == [
        "t  ok  s",
        "  measured cache/temp  3.2 MB, 12,000 files",
        "  measured speed       1.5 s",
        "",
    ]


def test_the_closing_line_counts_findings_and_procedures_and_says_how_long_it_took() -> None:
    reports = [
        Report(summary="s", findings=[_finding(Status.OK), _finding(Status.OK), _finding(Status.CRITICAL)]),
        Report(summary="s", findings=[_finding(Status.UNKNOWN), _finding(Status.WARNING), _finding(Status.SKIPPED)]),
    ]
    assert _verdict(*reports, seconds=62) == (
        "verdict: critical  (1 critical, 1 unknown, 1 warning, 2 ok, 1 skipped)  2 procedures in 1 min 2 s"
    )


def test_a_run_without_findings_says_so() -> None:
    assert _verdict(Report(summary="s")) == "verdict: ok  (no findings)  1 procedure in 1.2 s"
