from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.audit.audit_checks import Check
from tasks.audit.score import score, table
from tasks.audit.trend import Before, Last, compared, last_audit
from tasks.core.report.history import append, run_of
from tasks.core.report.model import Metric, Report, Status

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)

A, B, C = (Check(f"audit.{name}", "area", 10, "") for name in "abc")


def audited(root: Path, quarter: str, content: object) -> None:
    path = root / f"logs/audit_reports/audit_{quarter}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def quarter(moment: datetime) -> str:
    return f"{moment.year}Q{(moment.month + 2) // 3}"


def recorded(root: Path, days: float, status: Status, *, reason: str | None = None, percent: int | None = 75) -> None:
    """Leave the run of an audit so many days ago in the history."""
    metrics = [] if percent is None else [Metric(name="audit.score", value=percent, unit="%", subject="score")]
    began = NOW - timedelta(days=days)
    made = Report(
        summary="s",
        started=began.isoformat(),
        findings=[A.finding(status, "", ""), B.finding(Status.OK, "", "")],
        metrics=metrics,
    )
    entry = run_of("quarterly.system-audit", made, ended=began, whole=True, reason=reason)
    append(root, "logs", [entry])


def report(status: Status) -> dict[str, object]:
    found = score([A, B], [A.finding(status, "", ""), B.finding(Status.OK, "", "")])
    return {"data": {"percent": found.percent, "score": table(found)}}


def test_the_newest_audit_of_an_earlier_quarter_is_the_last_one(tmp_path: Path) -> None:
    audited(tmp_path, "2025Q4", report(Status.OK))
    audited(tmp_path, "2026Q3", report(Status.CRITICAL))
    audited(tmp_path, "2026Q4", report(Status.OK))
    audited(tmp_path, "2027Q1", report(Status.OK))
    found = last_audit(tmp_path, "logs", NOW, quarter)
    assert found == Before(Last("2026Q3", 50, {"audit.a": "critical", "audit.b": "ok"}), "")


@pytest.mark.parametrize("broken", ["", "{", "[]", {"data": 1}, {"data": {"score": [], "percent": True}}])
def test_a_report_without_a_score_is_left_out_and_told(tmp_path: Path, broken: object) -> None:
    audited(tmp_path, "2026Q2", report(Status.OK))
    audited(tmp_path, "2026Q3", broken)
    found = last_audit(tmp_path, "logs", NOW, quarter)
    assert found.last is not None
    assert found.last.quarter == "2026Q2"
    assert "audit_2026Q3.json" in found.left_out


def test_the_last_audit_of_an_earlier_quarter_is_taken_from_the_history(tmp_path: Path) -> None:
    recorded(tmp_path, 250, Status.OK)
    recorded(tmp_path, 100, Status.CRITICAL)
    recorded(tmp_path, 90, Status.WARNING)
    recorded(tmp_path, 89, Status.OK, reason="It was interrupted.")
    recorded(tmp_path, 88, Status.OK, percent=None)
    recorded(tmp_path, 1, Status.OK, percent=100)
    found = last_audit(tmp_path, "logs", NOW, quarter)
    assert found == Before(Last("2026Q3", 75, {"audit.a": "warning", "audit.b": "ok"}), "")


def test_a_report_counts_where_the_history_knows_of_no_audit_as_late(tmp_path: Path) -> None:
    recorded(tmp_path, 200, Status.OK)
    audited(tmp_path, "2026Q1", report(Status.CRITICAL))
    assert last_audit(tmp_path, "logs", NOW, quarter).last == Last("2026Q2", 75, {"audit.a": "ok", "audit.b": "ok"})
    audited(tmp_path, "2026Q2", "{")
    assert last_audit(tmp_path, "logs", NOW, quarter).left_out == ""
    audited(tmp_path, "2026Q3", "{")
    found = last_audit(tmp_path, "logs", NOW, quarter)
    assert found.last is not None
    assert (found.last.quarter, "audit_2026Q3.json" in found.left_out) == ("2026Q2", True)
    audited(tmp_path, "2026Q3", report(Status.CRITICAL))
    assert last_audit(tmp_path, "logs", NOW, quarter).last == Last(
        "2026Q3", 50, {"audit.a": "critical", "audit.b": "ok"}
    )


def test_without_any_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert last_audit(tmp_path, "logs", NOW, quarter) == Before(None, "")
    (tmp_path / "logs").symlink_to(tmp_path)
    assert last_audit(tmp_path, "logs", NOW, quarter) == Before(None, "")
    assert compared(None, score([A], []), "").status is Status.SKIPPED
    assert compared(None, score([A], []), "Left out: it.").status is Status.WARNING


def test_what_became_better_and_worse_is_named() -> None:
    last = Last("2026Q3", 50, {"audit.a": "critical", "audit.b": "ok", "audit.c": "skipped"})
    now = score(
        [A, B, C],
        [A.finding(Status.WARNING, "", ""), B.finding(Status.WARNING, "", ""), C.finding(Status.OK, "", "")],
    )
    found = compared(last, now, "Left out: it.")
    assert found.message == (
        "It was 50 in 2026Q3; better: audit.a; worse: audit.b; not judged then: audit.c. Left out: it."
    )
    assert (found.value, found.status) == (16, Status.OK)
    assert compared(last, score([A], []), "").value is None
