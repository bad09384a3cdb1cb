from __future__ import annotations

from datetime import datetime

import pytest

from tasks.checklist.gate import Answer
from tasks.checklist.report_gate import DISK, ERRORS, ReportGate, evaluate, report_gate
from tasks.core.report.model import Finding, Report, Status
from tasks.core.report.reused_reports import Source
from tasks.core.run.registry import procedure_named, procedures

GATES = {each.gate.gate: report_gate(each.name, *each.gate) for each in procedures() if each.gate is not None}
BACKUP = GATES["backup"]
NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")


def finding(check: str, status: Status, message: str = "So it is.", remedy: str | None = None) -> Finding:
    return Finding(check=check, subject="s", status=status, message=message, remedy=remedy)


def source(*findings: Finding, reused: bool = False) -> Source:
    return Source(Report(task="p", summary="", findings=[*findings]), NOW, reused)


@pytest.mark.parametrize(
    ("gate", "check", "status", "answer"),
    [
        (GATES["configuration"], "configuration.drift", Status.WARNING, Answer.NO_GO),
        (GATES["configuration"], "configuration.required", Status.WARNING, Answer.GO),
        (GATES["configuration"], "configuration.readable", Status.CRITICAL, Answer.NO_GO),
        (GATES["configuration"], "configuration.present", Status.UNKNOWN, Answer.NOT_CHECKED),
        (GATES["dependencies"], "dependencies.vulnerable", Status.CRITICAL, Answer.NO_GO),
        (GATES["dependencies"], "dependencies.outdated", Status.WARNING, Answer.SKIPPED),
        (GATES["dependencies"], "dependencies.not-audited", Status.UNKNOWN, Answer.NOT_CHECKED),
        (BACKUP, "backup.recent", Status.WARNING, Answer.NO_GO),
        (BACKUP, "backup.media", Status.WARNING, Answer.GO),
        (BACKUP, "backup.present", Status.SKIPPED, Answer.SKIPPED),
        (BACKUP, "backup.verified", Status.CRITICAL, Answer.NO_GO),
        (DISK, "system.disk", Status.WARNING, Answer.GO),
        (DISK, "system.inodes", Status.CRITICAL, Answer.NO_GO),
        (DISK, "system.cpu", Status.CRITICAL, Answer.SKIPPED),
        (GATES["providers"], "providers.answer", Status.WARNING, Answer.GO),
        (GATES["providers"], "providers.answer", Status.CRITICAL, Answer.NO_GO),
        (ERRORS, "errors.critical", Status.CRITICAL, Answer.NO_GO),
        (ERRORS, "logs.unreadable", Status.UNKNOWN, Answer.NOT_CHECKED),
    ],
)
def test_what_keeps_a_release_back(gate: ReportGate, check: str, status: Status, answer: Answer) -> None:
    assert evaluate(gate, source(finding(check, status))).answer is answer


def test_a_no_counts_more_than_what_is_not_known_and_the_worst_is_told() -> None:
    result = evaluate(
        BACKUP,
        source(
            finding("backup.content", Status.UNKNOWN),
            finding("backup.recent", Status.WARNING, "Old."),
            finding("backup.verified", Status.CRITICAL, "Damaged.", "Make another."),
        ),
    )
    assert result[:3] == (
        Answer.NO_GO,
        "s: Damaged. And 1 finding more of quarterly.backup-verification.",
        "Make another.",
    )
    result = evaluate(BACKUP, source(finding("backup.content", Status.UNKNOWN)))
    assert result.remedy == "Run inv quarterly.backup-verification."


def test_what_was_measured_counts_where_only_the_stamp_could_not_be_written() -> None:
    result = evaluate(
        DISK,
        source(finding("system.disk", Status.CRITICAL, "It is full."), finding("run.stamp", Status.WARNING)),
    )
    assert (result.answer, "It is full." in result.reason) == (Answer.NO_GO, True)


def test_what_did_not_run_to_its_end_is_not_checked() -> None:
    result = evaluate(DISK, source(finding("system.disk", Status.OK), finding("run.lock", Status.UNKNOWN, "Held.")))
    assert result.answer is Answer.NOT_CHECKED
    assert result.reason == "daily.health-check did not run to its end: Held."


def test_a_report_without_any_finding_judged_nothing() -> None:
    result = evaluate(DISK, source())
    assert result[:3] == (
        Answer.NOT_CHECKED,
        "daily.health-check reported nothing, so nothing was judged.",
        "Run inv daily.health-check.",
    )
    assert evaluate(DISK, source(finding("system.cpu", Status.OK))).answer is Answer.SKIPPED


def test_what_is_well_is_told_with_its_moment_where_it_is_not_of_now() -> None:
    one, two = finding("system.disk", Status.OK, "Room."), finding("system.inodes", Status.OK, "Inodes.")
    assert evaluate(DISK, source(one, two)).reason == "Room. Inodes."
    assert evaluate(DISK, source(one, reused=True)).reason == "Room. (Measured on 2026-11-26 at 12:00.)"
    assert evaluate(DISK, source(one, one, one)).reason == "daily.health-check found nothing against it."


def test_warnings_that_keep_nothing_back_are_told() -> None:
    warned = finding("backup.media", Status.WARNING, "Two copies.")
    assert evaluate(BACKUP, source(warned)).reason == "s: Two copies. This keeps nothing back."
    assert evaluate(BACKUP, source(warned, warned)).reason.endswith("This and 1 warning more keep nothing back.")


def test_what_the_checklist_looks_at_itself_is_declared_by_the_procedure_that_it_names() -> None:
    assert DISK.stops.keys() <= procedure_named(DISK.procedure).checks
    assert {check for check in ERRORS.stops if check.startswith("logs.")} <= procedure_named(ERRORS.procedure).checks


def test_a_gate_of_ones_own_procedure_has_a_title_that_names_it() -> None:
    gate = report_gate("link-check", "links", {"links.broken": "warning"})
    assert gate.gate.title == "link-check found nothing against it"
    assert evaluate(gate, source(finding("links.broken", Status.WARNING))).answer is Answer.NO_GO
