from __future__ import annotations

import pytest

from tasks.core.report.model import Report

from .conftest import Project, every
from .soak import soak

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["logging", "watched", "two", "pieces"])
def test_no_line_is_lost_or_doubled_while_programs_write(collapsing: Project, kind: str) -> None:
    reports: list[Report] = []
    result = soak(collapsing.logs, kind, lambda: reports.append(collapsing.run()), rotations=10)

    assert result.written > 1000
    assert (result.missing, result.doubled) == (0, 0)
    messages = [one.message for report in reports for one in every(report, "logs.rotated")]
    assert len(messages) == 10
    assert all("released at its start" in one for one in messages)


def test_no_line_is_lost_or_doubled_where_a_program_comes_and_goes(project: Project) -> None:
    reports: list[Report] = []
    result = soak(project.logs, "comes and goes", lambda: reports.append(project.run()), rotations=12)

    assert result.written > 200
    assert (result.missing, result.doubled) == (0, 0)
    assert sum(len(every(report, "logs.rotated")) for report in reports) >= 6


def test_a_program_that_does_not_append_is_named_and_left_alone(project: Project) -> None:
    reports: list[Report] = []
    result = soak(project.logs, "not appending", lambda: reports.append(project.run()), rotations=3)

    assert (result.missing, result.doubled) == (0, 0)
    assert project.names() == ["app.log"]
    for report in reports:
        (finding,) = every(report, "logs.in-use")
        assert "writes to it and not in append mode" in finding.message
        assert "(process " in finding.message
