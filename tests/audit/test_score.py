from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.audit.audit_checks import Check
from tasks.audit.score import arithmetic, score, table
from tasks.core.report.model import Status

A, B, C = (Check(f"audit.{name}", "area", weight, "well") for name, weight in (("a", 10), ("b", 4), ("c", 6)))


def test_a_check_gets_its_weight_half_of_it_or_nothing() -> None:
    found = score(
        [A, B, C],
        [A.finding(Status.OK, "x", ""), B.finding(Status.WARNING, "x", ""), C.finding(Status.CRITICAL, "x", "")],
    )
    assert [line.points for line in found.lines] == [10, 2, 0]
    assert (found.points, found.possible, found.left_out, found.percent) == (12, 20, 0, 60)
    assert arithmetic(found) == "60 of 100: 12 of 20 points (audit.b -2, audit.c -6)."


def test_the_worst_finding_of_a_check_counts() -> None:
    found = score([A], [A.finding(Status.OK, "x", ""), A.finding(Status.CRITICAL, "y", "")])
    assert found.percent == 0


def test_what_was_not_judged_is_left_out_of_both_sides() -> None:
    found = score([A, B, C], [A.finding(Status.OK, "x", ""), B.finding(Status.UNKNOWN, "x", "")])
    assert (found.percent, found.possible, found.left_out) == (100, 10, 10)
    assert arithmetic(found) == "100 of 100: 10 of 10 points. 2 checks of 10 points left out, for nothing was judged."
    assert [row["points"] for row in table(found)] == [10, None, None]
    assert [row["result"] for row in table(found)] == ["ok", "unknown", "skipped"]


def test_a_check_of_which_a_part_does_not_apply_is_judged_by_the_rest() -> None:
    assert score([A], [A.finding(Status.SKIPPED, "x", ""), A.finding(Status.OK, "y", "")]).percent == 100


def test_without_anything_judged_there_is_no_score() -> None:
    found = score([A], [])
    assert found.percent is None
    assert arithmetic(found) == "There is no score. 1 check of 10 points left out, for nothing was judged."


@given(st.lists(st.tuples(st.integers(1, 20), st.sampled_from(Status)), max_size=8))
def test_the_arithmetic_adds_up(results: list[tuple[int, Status]]) -> None:
    checks = [Check(f"audit.{place}", "area", weight, "") for place, (weight, _) in enumerate(results)]
    findings = [check.finding(status, "x", "") for check, (_, status) in zip(checks, results, strict=True)]
    found = score(checks, findings)
    assert found.possible + found.left_out == sum(weight for weight, _ in results)
    assert found.points == sum(line.points or 0 for line in found.lines)
    assert found.percent is None or 0 <= found.percent <= 100
    assert (found.percent == 100) == (
        found.possible > 0 and not {Status.WARNING, Status.CRITICAL} & {status for _, status in results}
    )
