from __future__ import annotations

from datetime import datetime

import tasks
from tasks.audit.reused_reports import BACKUPS, CAPACITY, CHECKS, is_well, reused_findings, reused_reports
from tasks.core.report.model import Finding, Report, Status
from tasks.core.report.reused_reports import Source
from tasks.core.run.registry import procedure_named, procedures

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
NAME = "quarterly.backup-verification"
assert tasks.namespace  # which declares the procedures
REUSED = reused_reports({each.name: each.audit for each in procedures() if each.audit})


def finding(check: str, status: Status, message: str = "M.") -> Finding:
    return Finding(check=check, subject="s", status=status, message=message, remedy="Do it.")


def source(*findings: Finding) -> dict[str, Source]:
    return {NAME: Source(Report(task=NAME, summary="", findings=[*findings]), NOW, reused=True)}


def of(sources: dict[str, Source]) -> list[tuple[Status, str]]:
    return [(each.status, each.message) for each in reused_findings(REUSED, sources, {}) if each.check == BACKUPS.name]


def test_what_is_not_well_is_taken_over_as_it_is() -> None:
    found = reused_findings(
        REUSED, source(finding("backup.recent", Status.WARNING, "Old."), finding("backup.size", Status.OK)), {}
    )
    (reused,) = [each for each in found if each.check == BACKUPS.name]
    assert (reused.status, reused.message, reused.remedy, reused.subject) == (Status.WARNING, "Old.", "Do it.", "s")


def test_that_all_is_well_is_one_finding() -> None:
    found = of(source(finding("backup.recent", Status.OK), finding("backup.size", Status.SKIPPED)))
    message = f"Nothing against it (a recent backup was restored and compared) by {NAME} of 2026-11-26."
    assert found == [(Status.OK, message)]
    of_more = source(finding("backup.recent", Status.OK), finding("backup.report", Status.WARNING))
    assert of(of_more) == [(Status.OK, f"{message} Of other matters it says warning.")]
    assert of(source(finding("backup.present", Status.SKIPPED, "There is none."))) == [
        (Status.SKIPPED, "There is none.")
    ]


def test_what_failed_is_unknown_and_what_says_nothing_does_not_apply() -> None:
    assert of({}) == [(Status.UNKNOWN, f"There is no report of {NAME}.")]
    failed = of(source(finding("run.error", Status.CRITICAL, "It broke.")))
    assert failed == [(Status.UNKNOWN, f"It could not be taken over from {NAME}: It broke.")]
    assert of(source(finding("other.check", Status.OK))) == [(Status.SKIPPED, f"{NAME} found nothing to judge here.")]


def test_what_does_not_apply_is_skipped_whatever_the_report_says() -> None:
    sources = source(finding("backup.recent", Status.UNKNOWN))
    found = reused_findings(REUSED, sources, {BACKUPS.name: "There is nothing to back up."})
    (skipped,) = [each for each in found if each.check == BACKUPS.name]
    assert (skipped.status, skipped.subject, skipped.message) == (Status.SKIPPED, NAME, "There is nothing to back up.")


def test_every_check_has_a_finding_whatever_is_there() -> None:
    assert {each.check for each in reused_findings(REUSED, {}, {})} == {check.name for check in CHECKS}
    assert CAPACITY in CHECKS


def test_a_report_is_used_again_where_all_is_well_that_is_taken_over_of_it() -> None:
    def well(*found: Finding) -> bool:
        return is_well(source(*found)[NAME], procedure_named(NAME).audit)

    assert well(finding("backup.recent", Status.OK), finding("backup.report", Status.WARNING))
    assert well(finding("backup.media", Status.SKIPPED))
    assert not well(finding("backup.recent", Status.WARNING))
    assert not well(finding("run.error", Status.CRITICAL))
    assert well(finding("run.stamp", Status.WARNING))


def test_each_check_that_reuses_reports_is_declared_by_one_procedure() -> None:
    declared = [name for each in procedures() for name in each.audit]
    assert sorted(declared) == sorted(check.name for check in CHECKS)
