from __future__ import annotations

from datetime import date

from tasks.audit.waivers import waive
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import Waiver

TODAY = date(2026, 11, 26)


def finding(subject: str = "data/key.pem", status: Status = Status.CRITICAL) -> Finding:
    return Finding(check="audit.secrets", subject=subject, status=status, message="A key.", remedy="Revoke it.")


def waiver(subject: str = "data/*", until: date = TODAY, check: str = "audit.secrets") -> Waiver:
    return Waiver(check=check, subject=subject, reason="a test key", until=until)


def test_an_accepted_finding_is_ok_and_says_what_it_was_until_the_end_of_the_day() -> None:
    found = waive([finding()], [waiver()], TODAY)
    assert [(each.status, each.remedy) for each in found.findings] == [(Status.OK, None)]
    assert found.findings[0].message == "Accepted until 2026-11-26 (a test key): A key."
    assert found.notes == []


def test_what_nobody_could_look_at_earns_nothing_for_being_accepted() -> None:
    found = waive([finding(status=Status.UNKNOWN)], [waiver()], TODAY)
    assert [(each.status, each.remedy) for each in found.findings] == [(Status.SKIPPED, None)]


def test_after_that_day_it_counts_again_and_so_does_the_waiver() -> None:
    found = waive([finding()], [waiver(until=date(2026, 11, 25))], TODAY)
    assert found.findings == [finding()]
    (note,) = found.notes
    assert (note.status, note.subject) == (Status.WARNING, "audit.secrets data/*")
    assert "2026-11-25" in note.message


def test_of_two_waivers_the_standing_one_counts() -> None:
    found = waive([finding()], [waiver(until=date(2026, 1, 1)), waiver(until=date(2027, 1, 1))], TODAY)
    assert found.findings[0].status is Status.OK
    assert len(found.notes) == 1


def test_a_waiver_of_nothing_is_told() -> None:
    for useless in (waiver(subject="src/*"), waiver(check="audit.cycles")):
        found = waive([finding(), finding(status=Status.OK)], [useless], TODAY)
        assert found.findings[0].status is Status.CRITICAL
        assert found.notes[0].message == "Nothing answers to it (a test key)."


def test_what_is_well_is_not_waived() -> None:
    found = waive([finding(status=Status.OK), finding(status=Status.SKIPPED)], [waiver()], TODAY)
    assert [each.status for each in found.findings] == [Status.OK, Status.SKIPPED]
    assert len(found.notes) == 1
