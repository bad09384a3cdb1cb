from __future__ import annotations

from typing import Any

import pytest

from tasks.core.errors import DeclarationError
from tasks.core.report.model import Report
from tasks.core.run.definition import Definition, GateSource, ReportFile
from tasks.core.run.registry import closest, procedures, register
from tasks.core.settings.model import Section


class Limits(Section, frozen=True, kw_only=True):
    """Limits."""

    most: int = 3


def body() -> Report:
    return Report(summary="")


def own(name: str, **options: Any) -> Definition:
    return Definition(
        name=name, body=lambda _run: body(), checks=frozenset({"links.broken", "links.report"}), **options
    )


REPORT = ReportFile("link_reports/link_{day}.json", "links.report")
GATE = GateSource("links", {"links.broken": "warning"})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"report": REPORT}, "the file {logs}/link_reports/link_{day}.json belongs to a.link-check"),
        ({"writes": ("{logs}/link_reports/link_{day}.json",)}, "belongs to a.link-check"),
        ({"gate": GATE}, "the gate links belongs to a.link-check"),
        ({"settings": Limits}, "the settings maintenance.own.link_check belong to a.link-check"),
    ],
)
def test_what_belongs_to_another_procedure_is_refused(options: dict[str, Any], sentence: str) -> None:
    register(own("a.link-check", report=REPORT, gate=GATE, settings=Limits))
    with pytest.raises(DeclarationError) as caught:
        register(own("b.link-check", **options))
    assert sentence in str(caught.value)
    assert "b.link-check" not in [each.name for each in procedures()]


def test_a_module_that_is_loaded_again_declares_its_procedures_again() -> None:
    for _ in range(2):
        register(own("a.link-check", report=REPORT, gate=GATE, settings=Limits))
    assert [each.name for each in procedures()].count("a.link-check") == 1


def test_a_name_that_is_nearly_right_gets_a_suggestion() -> None:
    assert closest("weekly.cache-clean", ["weekly.cache-cleanup"]) == " Did you mean weekly.cache-cleanup?"
    assert closest("x", ["weekly.cache-cleanup"]) == ""
