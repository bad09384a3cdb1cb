from __future__ import annotations

from tasks.checklist.gate import Answer
from tasks.checklist.gates.maintenance import Standing, evaluate


def test_one_procedure_overdue_is_a_no_with_its_command() -> None:
    said = evaluate(Standing(["weekly.log-rotation", "daily.log-review"], ["monthly.config-review"]))
    assert said.answer is Answer.NO_GO
    assert said.reason == "2 procedures overdue: weekly.log-rotation, daily.log-review."
    assert said.remedy == "Run inv weekly.log-rotation."


def test_what_never_ran_is_told_and_keeps_nothing_back() -> None:
    assert evaluate(Standing([], [])).reason == "Nothing is overdue."
    said = evaluate(Standing([], ["monthly.config-review"]))
    assert said == (Answer.GO, "Nothing is overdue; 1 procedure never ran: monthly.config-review.", None, ())


def test_without_any_stamp_it_is_skipped() -> None:
    assert evaluate(None).answer is Answer.SKIPPED
