from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checklist.checklist import OWN
from tasks.checklist.gate import Answer, EvaluatedGate, Gate, GateResult, Verdict, finding, summary, verdict
from tasks.core.report.model import Report, Status, exit_status
from tasks.core.run.registry import procedures
from tasks.core.settings.model import GATES, ReleaseSettings


def evaluated(name: str, answer: Answer, severity: Any = "block") -> EvaluatedGate:
    return EvaluatedGate(Gate(name, "it is well"), severity, GateResult(answer, "So it is.", "Do it."))


MANY = st.lists(
    st.builds(evaluated, st.sampled_from(["one", "two"]), st.sampled_from(Answer), st.sampled_from(["block", "warn"])),
    max_size=6,
)


@given(MANY)
def test_the_exit_status_is_that_of_the_verdict(gates: list[EvaluatedGate]) -> None:
    code = exit_status(Report(summary="", findings=[finding(each) for each in gates]).status, "warning")
    result = verdict(gates)
    if result is Verdict.NO_GO:
        assert code == 2
    elif result is Verdict.GO:
        assert code in {0, 1}
    elif any(each.severity == "block" and each.result.answer is Answer.NOT_CHECKED for each in gates):
        assert code == 3


@given(MANY)
def test_a_no_that_blocks_is_always_no_go_and_go_needs_somebody_who_says_it(gates: list[EvaluatedGate]) -> None:
    result = verdict(gates)
    blocked = any(each.severity == "block" and each.result.answer is Answer.NO_GO for each in gates)
    assert (result is Verdict.NO_GO) == blocked
    if result is Verdict.GO:
        assert any(each.result.answer is Answer.GO for each in gates)
    assert summary(gates, "").startswith(result.value)


def test_the_summary_names_what_it_comes_from() -> None:
    gates = [
        evaluated("tests", Answer.NO_GO),
        evaluated("disk", Answer.NOT_CHECKED),
        evaluated("tree", Answer.GO),
        evaluated("maintenance", Answer.NO_GO, "warn"),
        evaluated("backup", Answer.SKIPPED),
    ]
    counted = "1 go, 2 no-go, 1 not checked, 1 skipped"
    assert summary(gates, "1.0") == f"NO-GO for 1.0 because of tests, warned by maintenance ({counted})"
    assert summary(gates[1:3], "") == "NOT CHECKED because of disk (1 go, 1 not checked)"
    assert summary(gates[2:3], "1.0") == "GO for 1.0 (1 go)"
    assert summary(gates[4:], "") == "NOT CHECKED (1 skipped)"


@pytest.mark.parametrize(
    ("answer", "severity", "status"),
    [
        (Answer.GO, "block", Status.OK),
        (Answer.GO, "warn", Status.OK),
        (Answer.NO_GO, "block", Status.CRITICAL),
        (Answer.NO_GO, "warn", Status.WARNING),
        (Answer.NOT_CHECKED, "block", Status.UNKNOWN),
        (Answer.NOT_CHECKED, "warn", Status.WARNING),
        (Answer.SKIPPED, "block", Status.SKIPPED),
    ],
)
def test_what_an_answer_means_depends_on_the_severity(answer: Answer, severity: str, status: Status) -> None:
    found = finding(evaluated("tests", answer, severity))
    assert (found.check, found.subject, found.status) == ("release.tests", "tests", status)
    assert found.message == ("So it is." if answer is Answer.SKIPPED else f"{answer.value}: So it is.")
    assert found.remedy == (None if answer is Answer.GO else "Do it.")
    assert found.excerpt is msgspec.UNSET


def test_the_lines_of_a_program_cannot_be_taken_for_something_else() -> None:
    result = GateResult(Answer.NO_GO, "It failed.", None, ("::set-output::x", "two"))
    assert finding(EvaluatedGate(Gate("tests", ""), "block", result)).excerpt == "| ::set-output::x\n| two"


def test_every_gate_has_a_name_in_the_settings() -> None:
    reports = [each.gate.gate for each in procedures() if each.gate is not None]
    assert {*(each.name for each in OWN), *reports} == {*GATES} == {*ReleaseSettings().gates}
