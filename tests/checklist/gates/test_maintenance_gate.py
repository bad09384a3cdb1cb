from __future__ import annotations

from tasks.checklist.gate import Answer
from tasks.checklist.gates.maintenance_gate import MaintenanceState, evaluate_maintenance


def test_one_procedure_overdue_is_a_no_with_its_command() -> None:
    result = evaluate_maintenance(
        MaintenanceState(["weekly.log-rotation", "daily.log-review"], ["monthly.config-review"], {})
    )
    assert result.answer is Answer.NO_GO
    assert result.reason == "2 procedures overdue: weekly.log-rotation, daily.log-review."
    assert result.remedy == "Run inv weekly.log-rotation."


def test_what_never_ran_is_told_and_keeps_nothing_back() -> None:
    assert evaluate_maintenance(MaintenanceState([], [], {})).reason == "Nothing is overdue."
    result = evaluate_maintenance(MaintenanceState([], ["monthly.config-review"], {}))
    assert result == (Answer.GO, "Nothing is overdue; 1 procedure never ran: monthly.config-review.", None, ())


def test_without_any_stamp_it_is_skipped() -> None:
    assert evaluate_maintenance(None).answer is Answer.SKIPPED


def test_where_nobody_knows_when_a_procedure_ran_nothing_is_said_to_be_in_time() -> None:
    result = evaluate_maintenance(MaintenanceState([], [], {"daily.log-review": "The record cannot be read."}))
    assert (result.answer, result.remedy) == (Answer.NOT_CHECKED, "Run inv daily.log-review.")
    assert result.reason == "Of 1 procedure it is not known when they ran. The record cannot be read."
    overdue = evaluate_maintenance(MaintenanceState(["weekly.log-rotation"], [], {"daily.log-review": "x."}))
    assert overdue.answer is Answer.NO_GO
