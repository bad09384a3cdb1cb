"""That everything about a procedure derives from its declaration; what is missing is named in a sentence."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection, Task

import tasks
from tasks.audit.system_audit import CHECKS as AUDIT_CHECKS
from tasks.core.report.model import SHARED_CHECKS
from tasks.core.run.definition import Definition
from tasks.core.run.procedure import Procedure
from tasks.core.run.registry import own_files, procedures, scheduled
from tasks.core.settings.model import GATES, Settings

ROOT = Path(__file__).resolve().parents[1]
NAMESPACE: Collection = tasks.namespace
OURS = [each for each in procedures() if each.is_ours]
COLLECTIONS = ("daily", "weekly", "monthly", "quarterly")


def named(definition: Definition) -> str:
    return definition.name


def test_there_is_something_to_look_at() -> None:
    assert len(OURS) >= 23


@pytest.mark.parametrize("definition", OURS, ids=named)
def test_a_declaration_is_sound(definition: Definition) -> None:
    definition.require_sound()
    assert definition.summary.endswith("."), f"{definition.name}: its docstring begins with no sentence"


@pytest.mark.parametrize("definition", OURS, ids=named)
def test_a_procedure_is_in_the_namespace_under_its_name(definition: Definition) -> None:
    assert definition.name in NAMESPACE.task_names, (
        f"{definition.name} is declared, and namespace.py does not show its collection"
    )
    found = NAMESPACE[definition.name]
    assert isinstance(found, Procedure)
    assert found.definition is definition


def test_every_task_of_a_cadence_is_a_procedure() -> None:
    plain = [
        name
        for name in NAMESPACE.task_names
        if name.split(".")[0] in COLLECTIONS
        and not name.endswith(".all")
        and not isinstance(NAMESPACE[name], Procedure)
    ]
    assert plain == [], f"{plain} lack @procedure: they leave no run, and no schedule knows them"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_all_of_a_collection_runs_what_it_declares_in_the_order_of_the_declarations(collection: str) -> None:
    every: Task[Any] = NAMESPACE[f"{collection}.all"]
    pre = [each for each in every.pre if isinstance(each, Procedure)]
    declared = [each for each in procedures() if each.name.startswith(f"{collection}.")]
    assert [each.definition for each in pre] == declared, f"{collection}.py lacks every = all_of(__name__)"
    assert {each.cadence for each in declared} == {collection}, f"a cadence in {collection}.py is not {collection}"


@pytest.mark.parametrize("definition", [each for each in OURS if each.cadence not in {None, "never"}], ids=named)
def test_what_runs_by_itself_is_scheduled_shown_by_the_demo_and_needs_nobody(definition: Definition) -> None:
    assert definition in scheduled()
    assert definition.in_demo
    required = [each for each in definition.parameters.values() if each.default is inspect.Parameter.empty]
    assert required == [], f"{definition.name} cannot run by itself: {required} have no default"


@pytest.mark.parametrize("definition", OURS, ids=named)
def test_a_procedure_that_writes_can_make_a_dry_run(definition: Definition) -> None:
    writes = bool(definition.writes or definition.report)
    assert not writes or "dry_run" in definition.parameters, f"{definition.name} writes files and lacks --dry-run"


def test_gates_and_checks_of_the_audit_are_those_that_there_are() -> None:
    assert {each.gate.gate for each in OURS if each.gate is not None} <= {*GATES}
    (audit,) = [each for each in OURS if each.name == "quarterly.system-audit"]
    assert {check.name for check in AUDIT_CHECKS} <= audit.checks
    (checklist,) = [each for each in OURS if each.name == "release.checklist"]
    assert {f"release.{gate}" for gate in GATES} <= checklist.checks


def test_the_paths_of_all_files_can_be_used() -> None:
    own = own_files(Settings())
    assert own.owns("logs/health_reports/health_report_20261123.json")
    assert own.owns("cache/stats.json")
    assert not own.owns("logs/app.log")


def _spelled() -> Iterator[tuple[str, str]]:
    """Yield each check id that a call of Finding spells, and where."""
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                for keyword in node.keywords:
                    if keyword.arg == "check" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value), f"{path.relative_to(ROOT)}:{node.lineno}"


def test_every_check_that_is_made_is_declared() -> None:
    declared = SHARED_CHECKS.union(*(each.checks for each in OURS))
    # What the checklist asks of the logs itself, and reports as a gate.
    missing = {check: where for check, where in _spelled() if check not in {*declared, "errors.critical"}}
    assert missing == {}, f"no declaration names these checks; add them to checks=[…] of the procedure: {missing}"


def test_a_domain_that_no_contract_names_is_noticed() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (free,) = [each for each in contracts if each["type"] == "forbidden"]
    domains = {f"tasks.{path.parent.name}" for path in (ROOT / "tasks").glob("*/__init__.py")} - {"tasks.core"}
    assert domains == {*free["source_modules"]}, "the contract 'domains are free of Invoke' lacks a package"
