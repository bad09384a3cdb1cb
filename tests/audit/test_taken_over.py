from __future__ import annotations

from datetime import datetime

from tasks.audit.taken_over import BACKUPS, CAPACITY, CHECKS, take_over
from tasks.core.fresh_reports import Source
from tasks.core.report import Finding, Report, Status

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
NAME = "quarterly.backup-verification"


def finding(check: str, status: Status, message: str = "M.") -> Finding:
    return Finding(check=check, subject="s", status=status, message=message, remedy="Do it.")


def source(*findings: Finding) -> dict[str, Source]:
    return {NAME: Source(Report(task=NAME, summary="", findings=[*findings]), NOW, reused=True)}


def of(sources: dict[str, Source]) -> list[tuple[Status, str]]:
    return [(each.status, each.message) for each in take_over(sources) if each.check == BACKUPS.name]


def test_what_is_not_well_is_taken_over_as_it_is() -> None:
    found = take_over(source(finding("backup.recent", Status.WARNING, "Old."), finding("backup.size", Status.OK)))
    (taken,) = [each for each in found if each.check == BACKUPS.name]
    assert (taken.status, taken.message, taken.remedy, taken.subject) == (Status.WARNING, "Old.", "Do it.", "s")


def test_that_all_is_well_is_one_finding() -> None:
    found = of(source(finding("backup.recent", Status.OK), finding("backup.size", Status.SKIPPED)))
    assert found == [(Status.OK, f"{NAME} found nothing wrong on 2026-11-26.")]
    assert of(source(finding("backup.present", Status.SKIPPED, "There is none."))) == [
        (Status.SKIPPED, "There is none.")
    ]


def test_what_failed_is_unknown_and_what_says_nothing_does_not_apply() -> None:
    assert of({}) == [(Status.UNKNOWN, f"There is no report of {NAME}.")]
    failed = of(source(finding("run.error", Status.CRITICAL, "It broke.")))
    assert failed == [(Status.UNKNOWN, f"It could not be taken over from {NAME}: It broke.")]
    assert of(source(finding("other.check", Status.OK))) == [(Status.SKIPPED, f"{NAME} found nothing to judge here.")]


def test_every_check_has_a_finding_whatever_is_there() -> None:
    assert {each.check for each in take_over({})} == {check.name for check in CHECKS}
    assert CAPACITY in CHECKS
