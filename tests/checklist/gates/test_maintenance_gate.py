from __future__ import annotations

from tasks.checklist.gate import Answer
from tasks.checklist.gates.maintenance import judge


def test_what_is_overdue_is_named() -> None:
    said = judge(["weekly.log-rotation", "quarterly.system-audit"])
    assert said.answer is Answer.NO_GO
    assert said.reason == "2 procedures overdue: weekly.log-rotation, quarterly.system-audit."
    assert said.remedy == "Run inv weekly.log-rotation."


def test_nothing_overdue_and_nobody_who_knows() -> None:
    assert judge([]).answer is Answer.GO
    assert judge(None).answer is Answer.SKIPPED
