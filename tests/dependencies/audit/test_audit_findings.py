from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tasks.core.report.model import Finding, Status, worst
from tasks.core.settings.model import IgnoredVulnerability
from tasks.dependencies.audit.audit_findings import findings, metrics, record, summary
from tasks.dependencies.audit.audit_verdicts import (
    AuditOutcome,
    Clean,
    NotAudited,
    Unreadable,
    Verdict,
    Vulnerability,
    Vulnerable,
    lowest_fix,
    triage,
    verdicts_from_document,
)

TODAY = date(2026, 6, 1)


def ignored(*, until: str = "2026-06-01", **changes: str) -> IgnoredVulnerability:
    fixed = {"id": "X-1", "package": "demo", "reason": "not reachable", **changes}
    return IgnoredVulnerability(**fixed, until=date.fromisoformat(until))


def vulnerable(*ids: str, fixed: tuple[str, ...] = ("1.1",)) -> Vulnerable:
    return Vulnerable(tuple(Vulnerability(each, (f"CVE-{each}",), fixed, "it leaks") for each in ids))


def evaluated(*accepted: IgnoredVulnerability, problem: str = "", **verdicts: Verdict) -> list[Finding]:
    outcome = AuditOutcome(verdicts, "OSV", problem=problem)
    return [*findings(outcome, triage(outcome, accepted, TODAY), dict.fromkeys(verdicts, "1.0"))]


def of(found: list[Finding], check: str) -> list[tuple[str, Status]]:
    return [(each.subject, each.status) for each in found if each.check == f"dependencies.{check}"]


def test_all_is_well_only_where_everything_was_audited() -> None:
    (finding,) = evaluated(a=Clean(), b=Clean())
    assert (finding.status, finding.value) == (Status.OK, 2)
    assert finding.message == "Audited: 2 packages, every one; nothing is known against them, says OSV."
    found = evaluated(a=Clean(), b=NotAudited("nobody knows it"), c=NotAudited("nobody knows it"))
    assert worst(each.status for each in found) is Status.UNKNOWN
    assert found[0].message == "Of 3 packages, 1 could be audited and 2 could not."
    assert of(found, "not-audited") == [("several packages", Status.UNKNOWN)]
    assert of(evaluated(b=NotAudited("x")), "not-audited") == [("b", Status.UNKNOWN)]


def test_an_audit_that_failed_is_told_once() -> None:
    (finding,) = evaluated(a=NotAudited("it is down"), b=NotAudited("it is down"), problem="it is down")
    assert (finding.status, finding.message) == (Status.UNKNOWN, "The audit failed: it is down.")
    assert finding.remedy


def test_a_vulnerable_package_is_critical_and_says_what_repairs_it() -> None:
    found = evaluated(demo=vulnerable("X-1", "X-2"))
    assert of(found, "vulnerable") == [("demo", Status.CRITICAL)]
    assert found[1].message == (
        "1.0 is vulnerable: X-1 (CVE-X-1), fixed in 1.1: it leaks; X-2 (CVE-X-2), fixed in 1.1: it leaks."
    )
    assert found[1].remedy == "inv monthly.dependency-update --security brings 1.1 or a later one."
    assert found[1].value == 2
    assert found[0].status is Status.CRITICAL
    assert found[0].message == "Audited: 1 package, every one; something is known against 1 of them, says OSV."
    mixed = evaluated(demo=vulnerable("X-1"), other=NotAudited("x"))[0]
    assert (mixed.status, mixed.message) == (
        Status.CRITICAL,
        "Of 2 packages, 1 could be audited and 1 could not; something is known against 1 of them.",
    )
    assert evaluated(ignored(), demo=vulnerable("X-1"))[0].status is Status.OK
    (_, finding) = evaluated(demo=vulnerable("X-1", fixed=()))
    assert "not fixed yet" in finding.message
    assert "No fixed version" in str(finding.remedy)


def test_a_long_description_is_cut_and_a_missing_one_said() -> None:
    long, none = Vulnerability("X", (), (), "word " * 100), Vulnerability("Y")
    message = evaluated(demo=Vulnerable((long, none)))[1].message
    assert "word…" in message
    assert "Y, not fixed yet: no description." in message
    assert len(message) < 300


@pytest.mark.parametrize(("until", "holds"), [("2026-06-01", True), ("2026-05-31", False), ("2027-01-01", True)])
def test_an_acceptance_holds_through_its_day(until: str, *, holds: bool) -> None:
    found = evaluated(ignored(until=until), demo=vulnerable("X-1"))
    assert of(found, "vulnerable") == ([] if holds else [("demo", Status.CRITICAL)])
    assert of(found, "accepted") == ([("demo", Status.OK)] if holds else [])
    assert of(found, "ignore") == ([] if holds else [("demo X-1", Status.WARNING)])


@pytest.mark.parametrize("changes", [{"id": "cve-x-1"}, {"package": "DEMO"}, {"id": "x-1"}])
def test_it_is_known_by_any_of_its_names(changes: dict[str, str]) -> None:
    assert of(evaluated(ignored(**changes), demo=vulnerable("X-1")), "accepted") == [("demo", Status.OK)]


def test_one_of_two_is_accepted() -> None:
    found = evaluated(ignored(), demo=vulnerable("X-1", "X-2"))
    assert of(found, "accepted") == [("demo", Status.OK)]
    assert found[1].message.startswith("1.0 is vulnerable: X-2")


def test_a_later_acceptance_takes_the_place_of_an_expired_one() -> None:
    found = evaluated(ignored(until="2026-01-01"), ignored(), demo=vulnerable("X-1"))
    assert of(found, "vulnerable") == []
    assert of(found, "ignore") == [("demo X-1", Status.WARNING)]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ({"demo": Clean()}, Status.WARNING),
        ({}, Status.WARNING),
        ({"demo": NotAudited("x")}, Status.SKIPPED),
        ({"demo": vulnerable("X-2")}, Status.WARNING),
    ],
)
def test_an_acceptance_of_nothing(verdicts: dict[str, Any], status: Status) -> None:
    assert of(evaluated(ignored(), **verdicts), "ignore") == [("demo X-1", status)]


def test_no_number_is_told_of_what_nobody_audited() -> None:
    none = AuditOutcome({"a": NotAudited("x"), "b": NotAudited("y")}, "OSV")
    assert [each.name for each in metrics(none, triage(none, (), TODAY))] == [
        "dependencies.audited",
        "dependencies.not_audited",
    ]
    assert summary(none, triage(none, (), TODAY)) == "none audited"
    some = AuditOutcome({"a": NotAudited("x"), "b": vulnerable("X-1")}, "OSV")
    assert summary(some, triage(some, (), TODAY)) == "1 vulnerable, 1 not audited"
    nothing = AuditOutcome({}, "OSV")
    assert summary(nothing, triage(nothing, (), TODAY)) == "0 vulnerable"


def test_what_an_update_leaves_is_not_promised_to_be_repaired_by_one() -> None:
    outcome = AuditOutcome({"demo": vulnerable("X-1")}, "OSV")
    found = [*findings(outcome, triage(outcome, (), TODAY), {"demo": "1.0"}, {"demo"})]
    assert found[1].remedy == (
        "No requirement leads to it: bring 1.1 or a later one into the environment yourself, or remove it."
    )


def test_numbers_and_records() -> None:
    verdicts: dict[str, Verdict] = {"a": Clean("as 1.0"), "demo": vulnerable("X-1"), "c": NotAudited("why")}
    outcome = AuditOutcome(verdicts, "OSV")
    found = {each.name: each.value for each in metrics(outcome, triage(outcome, (), TODAY))}
    assert found == {"dependencies.audited": 2, "dependencies.vulnerable": 1, "dependencies.not_audited": 1}
    assert record(outcome, "a") == {"verdict": "clean", "note": "as 1.0"}
    assert record(outcome, "c") == {"verdict": "not audited", "reason": "why"}
    assert record(outcome, "gone")["verdict"] == "not audited"
    assert record(outcome, "demo")["vulnerabilities"][0]["id"] == "X-1"


@pytest.mark.parametrize(
    ("fixes", "installed", "expected"),
    [
        ([("1.1",)], "1.0", "1.1"),
        ([("1.1",), ("1.3", "2.1")], "1.0", "1.3"),
        ([("0.9.5", "1.0.5")], "1.0", "1.0.5"),
        ([("0.9",)], "1.0", None),
        ([("1.1",), ()], "1.0", None),
        ([("soon",)], "1.0", None),
        ([("1.1",)], "odd version", None),
        ([], "1.0", None),
    ],
)
def test_the_lowest_version_that_repairs_all(
    fixes: list[tuple[str, ...]], installed: str, expected: str | None
) -> None:
    vulnerabilities = tuple(Vulnerability("X", fixed=each) for each in fixes)
    assert lowest_fix(vulnerabilities, installed) == (None if expected is None else Version(expected))


def test_pip_audits_document() -> None:
    document = {
        "dependencies": [
            {"name": "A.b", "version": "1", "vulns": []},
            {"name": "demo", "version": "1", "vulns": [{"id": "X", "fix_versions": ["2"], "description": " a\n b "}]},
            {"name": "demo", "version": "1", "vulns": []},
            {"name": "other", "skip_reason": "no such project"},
        ],
        "fixes": [],
    }
    assert verdicts_from_document(document) == {
        "a-b": Clean(),
        "demo": Vulnerable((Vulnerability("X", (), ("2",), "a b"),)),
        "other": NotAudited("no such project"),
    }


@pytest.mark.parametrize(
    "document", [None, [], {}, {"dependencies": 3}, {"dependencies": [{}]}, {"dependencies": [{"name": "x"}]}, "x"]
)
def test_a_document_of_another_shape(document: Any) -> None:
    with pytest.raises(Unreadable):
        verdicts_from_document(document)


verdicts = st.sampled_from([Clean(), NotAudited("x"), vulnerable("X-1"), vulnerable("X-1", "X-2")])
acceptances = st.builds(
    lambda number, package, days: ignored(
        id=f"X-{number}", package=package, until=(TODAY + timedelta(days=days)).isoformat()
    ),
    st.integers(1, 3),
    st.sampled_from(["a", "b", "c"]),
    st.integers(-2, 2),
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), verdicts), st.lists(acceptances, max_size=5))
def test_every_vulnerability_counts_or_is_accepted_and_every_acceptance_is_accounted_for(
    answers: dict[str, Verdict], accepted: list[IgnoredVulnerability]
) -> None:
    triaged = triage(AuditOutcome(answers, ""), accepted, TODAY)
    for name, verdict in answers.items():
        known = verdict.vulnerabilities if isinstance(verdict, Vulnerable) else ()
        counted = triaged.counting.get(name, ()), tuple(each for each, _ in triaged.accepted.get(name, ()))
        assert sorted((*counted[0], *counted[1])) == sorted(known)
    holding = {each for pairs in triaged.accepted.values() for _, each in pairs}
    assert all(each.until >= TODAY for each in holding)
    for each in accepted:
        places = each in triaged.expired, each in triaged.unmatched, each in triaged.open
        assert sum(places) <= 1
