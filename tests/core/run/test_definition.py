from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tasks.core.errors import DeclarationError
from tasks.core.report.model import Report
from tasks.core.run.context import Run
from tasks.core.run.definition import Definition, GateSource, ReportFile, name_of
from tasks.core.settings.model import Settings


def body(run: Run, level: str = "low", only: Sequence[str] | None = None, dry_run: bool = False) -> Report:  # noqa: FBT001, FBT002 - a flag
    return Report(summary=f"{run} {level} {only} {dry_run}")


def declared(**options: Any) -> Definition:
    return Definition(**{"name": "weekly.tidy", "body": body, **options})


@pytest.mark.parametrize(
    ("module", "function", "name"),
    [
        ("tasks.weekly", "cache_cleanup", "weekly.cache-cleanup"),
        ("zbeam_maintenance.weekly", "cache_cleanup", "weekly.cache-cleanup"),
        ("tasks", "link_check", "link-check"),
        ("ops", "link_check", "ops.link-check"),
        ("tasks.ops", "print_", "ops.print"),
        ("tasks.demo", "demo", "demo"),
    ],
)
def test_a_procedure_is_named_after_its_module_and_function(module: str, function: str, name: str) -> None:
    assert name_of(module, function) == name


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"whole": frozenset({"nothing"})}, "whole names 'nothing', which is no parameter (level, only, dry_run)"),
        ({"converters": {"nothing": str}}, "converters names 'nothing', which is no parameter"),
        ({"unattended": {"yes": True}}, "unattended names 'yes', which is no parameter"),
        (
            {"cadence": "hourly"},
            "cadence is 'hourly'; expected one of daily, weekly, monthly, quarterly, never, or None",
        ),
        ({"checks": frozenset({"links"})}, "checks names 'links'; expected domain.what in small letters"),
        (
            {"report": ReportFile("a/b_{day}.json", "links.report")},
            "report names the check 'links.report', which is not",
        ),
        ({"gate": GateSource("links", {"links.broken": "warning"})}, "gate names the check 'links.broken'"),
        ({"gate": GateSource("a", {"a.b": "fatal"}), "checks": frozenset({"a.b"})}, "gate stops at 'fatal' for a.b"),  # type: ignore[dict-item]
        ({"audit": {"audit.data": ["links.broken"]}}, "audit['audit.data'] names the check 'links.broken'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused_with_a_sentence(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        declared(**options).require_sound()
    assert str(caught.value).startswith(f"The declaration of weekly.tidy cannot be used: {sentence}")


def test_what_runs_by_itself_needs_nobody() -> None:
    def needs(run: Run, path: str) -> Report:
        return Report(summary=f"{run} {path}")

    with pytest.raises(DeclarationError, match="it is to run by itself, and path has no default"):
        declared(body=needs, cadence="weekly").require_sound()
    declared(body=needs, cadence="weekly", unattended={"path": "docs"}).require_sound()
    declared(body=needs, cadence="never").require_sound()


def test_every_contradiction_is_named_at_once() -> None:
    with pytest.raises(DeclarationError, match=r"whole names .*; cadence is"):
        declared(whole=frozenset({"x"}), cadence="hourly").require_sound()


def test_equal_calls_are_equal_once_they_are_spelled_out() -> None:
    tidy = declared(repeatable=frozenset({"only"}))
    assert tidy.spelled_out({}) == tidy.spelled_out({"only": [], "level": "low"})
    assert tidy.spelled_out({"only": ["a"]}) == {"level": "low", "only": ["a"], "dry_run": False}
    with pytest.raises(TypeError):
        tidy.spelled_out({"nothing": 1})


def test_a_run_is_whole_where_nothing_was_taken_away_from_it() -> None:
    tidy = declared(converters={"level": lambda _settings, text: text.upper()}, whole=frozenset({"dry_run"}))
    settings = Settings()
    assert tidy.is_whole(settings, {})
    assert tidy.is_whole(settings, {"level": "LOW", "dry_run": True})
    assert not tidy.is_whole(settings, {"level": "HIGH"})
    assert not tidy.is_whole(settings, {"unknown": 1})
