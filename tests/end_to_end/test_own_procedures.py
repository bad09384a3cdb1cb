"""A project's own procedures: the same decorator makes them as good as the suite's."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from .conftest import Inv, Result

pytestmark = pytest.mark.invoke

TASKS = """\
from typing import Annotated

from invoke import Collection
from msgspec import Meta

from zbeam_maintenance import Finding, GateSource, Report, ReportFile, Run, Section, Status, namespace, procedure


class LinkSettings(Section, frozen=True, kw_only=True):
    '''How links are checked.'''

    most: Annotated[int, Meta(ge=0, description="More broken links than this are critical.")] = 3


@procedure(
    cadence="weekly",
    checks=["links.broken", "links.report"],
    report=ReportFile("link_reports/link_check_{day}.json", "links.report"),
    gate=GateSource("links", {"links.broken": "critical"}),
    settings=LinkSettings,
    help={"dry_run": "Write no report file."},
)
def link_check(run: Run, dry_run: bool = False) -> Report:
    '''Look for links that lead nowhere.'''
    most = run.section(LinkSettings).most

    def look(_stop):
        number = int(open(f"{run.settings.root}/broken").read())
        status = Status.CRITICAL if number > most else Status.OK
        message = f"{number} broken links (limit {most})."
        finding = Finding(check="links.broken", subject="docs", status=status, message=message, value=number)
        return Report(summary=f"{number} broken links", findings=[finding])

    return run.compose({"links": look}, dry_run=dry_run or run.dry)


ns = Collection(link_check)
ns.add_collection(namespace, "maintenance")
"""


@pytest.fixture
def own(project: Path, library: Path, environment: dict[str, str]) -> Path:
    """A project with a procedure of its own, which uses the installed suite."""
    del environment["INVOKE_MAINTENANCE_ROOT"]
    environment["PYTHONPATH"] = str(library)
    (project / "tasks.py").write_text(TASKS)
    (project / "broken").write_text("2")
    (project / "invoke.yaml").write_text("tasks: {executor_class: zbeam_maintenance.MaintenanceExecutor}\n")
    return project


@pytest.fixture
def run(own: Path, inv_process: Inv) -> Inv:
    """The real ``inv`` in the project's folder."""
    return partial(inv_process, cwd=own)


def rows(result: Result) -> dict[str, dict[str, object]]:
    return {row["procedure"]: row for row in result.report["data"]["schedule"]}


def test_it_runs_reports_and_leaves_its_run_like_any_other(run: Inv, own: Path) -> None:
    result = run("link-check")
    assert result.status == 0, result.err
    assert (result.report["task"], result.report["summary"]) == ("link-check", "2 broken links")
    (path,) = result.report["files"]
    assert path.startswith("logs/link_reports/link_check_2")
    assert json.loads((own / path).read_text())["status"] == "ok"
    status = run("maintenance.schedule.status")
    assert rows(status)["link-check"]["cadence"] == "weekly"
    assert rows(status)["link-check"]["result"] == "ok"


def test_what_is_due_runs_it_once(run: Inv, tmp_path: Path) -> None:
    never = {name: "never" for name in rows(run("maintenance.schedule.status")) if name != "link-check"}
    (tmp_path / "never.json").write_text(json.dumps({"maintenance": {"schedule": {"cadence": never}}}))
    due = ("-f", str(tmp_path / "never.json"), "maintenance.schedule.due")
    assert [report["task"] for report in run(*due).report["data"]["reports"]] == ["link-check"]
    assert run(*due).report["data"]["reports"] == []


def test_its_settings_are_checked_as_the_suites_are(run: Inv, own: Path) -> None:
    (own / "broken").write_text("9")
    assert run("link-check").status == 2
    (own / "invoke.yaml").write_text(
        "tasks: {executor_class: zbeam_maintenance.MaintenanceExecutor}\nmaintenance: {own: {link_check: {most: 10}}}\n"
    )
    assert run("link-check").status == 0
    wrong = run("link-check", env={"INVOKE_MAINTENANCE_OWN_LINK_CHECK_MOST": "many"})
    assert wrong.status == 78
    assert "maintenance.own.link_check.most" in wrong.err
    assert "a whole number, 0 or more" in wrong.err
    shown = {row["setting"]: row["value"] for row in run("maintenance.settings.show").report["data"]["settings"]}
    assert shown["maintenance.own.link_check.most"] == 10


def test_it_is_a_gate_of_the_checklist(run: Inv, own: Path) -> None:
    (own / "broken").write_text("9")
    others = "tree,branch,version,tests,linters,dependencies,configuration,errors,providers,backup,disk,maintenance"
    skipped = [f"--skip={name}" for name in others.split(",")]
    result = run("maintenance.release.checklist", *skipped, "--reason=only the links")
    (finding,) = result.findings("release.links")
    assert (finding["status"], finding["message"]) == ("critical", "no-go: docs: 9 broken links (limit 3).")
    assert result.findings("run.declaration") == []


def test_a_dry_run_writes_nothing(run: Inv, own: Path) -> None:
    before = sorted(own.rglob("*"))
    result = run("link-check", "--dry-run")
    assert result.targets("write")[0].startswith("logs/link_reports/")
    assert sorted(own.rglob("*")) == before


def test_a_check_that_is_not_declared_is_a_warning_that_says_so(run: Inv, own: Path) -> None:
    (own / "tasks.py").write_text(
        TASKS.replace('checks=["links.broken", ', 'checks=["links.dead", ').replace(
            'GateSource("links", {"links.broken"', 'GateSource("links", {"links.dead"'
        )
    )
    result = run("link-check")
    (finding,) = result.findings("run.declaration")
    assert result.status == 1
    assert finding["message"] == 'Its declaration does not name "links.broken", which it reports.'
    assert finding["remedy"] == "Add it to checks=[…] of its @procedure."


def test_a_file_that_is_not_declared_is_a_warning_that_says_so(run: Inv, own: Path) -> None:
    summary = 'summary=f"{number} broken links"'
    (own / "tasks.py").write_text(TASKS.replace(summary, f'{summary}, files=["logs/links.txt"]'))
    (finding,) = run("link-check").findings("run.declaration")
    assert finding["message"] == 'Its declaration does not name "logs/links.txt", which it wrote.'


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('cadence="weekly"', 'cadence="hourly"', "cadence is 'hourly'; expected one of daily, weekly, monthly"),
        ('"links.report"]', '"links.other"]', "report names the check 'links.report', which is not among its checks"),
        ("= 3\n", "\n", "The settings of link_check need a default for most"),
        ("(run: Run, ", "(run: Run, path: str, ", "it is to run by itself, and path has no default"),
        ("link_check_{day}", "link_check_{dya}", "has the field 'dya'; expected one of logs, cache"),
        ('"link_reports/', '"../link_reports/', "leads elsewhere; expected a path in the folder of logs"),
        (
            '"link_reports/link_check_{day}.json"',
            '"health_reports/health_report_{day}.json"',
            "the file {logs}/health_reports/health_report_{day}.json belongs to daily.health-check",
        ),
        (
            '"link_reports/link_check_{day}.json"',
            '"maintenance_history.jsonl"',
            "the file {logs}/maintenance_history.jsonl belongs to the suite itself",
        ),
        ('GateSource("links"', 'GateSource("tests"', "the gate tests belongs to the suite"),
        ('GateSource("links"', 'GateSource("My Gate!"', "gate is 'My Gate!'; expected a name such as links"),
        ('{"links.broken": "critical"}', '{"links.broken": "fatal"}', "gate stops at 'fatal' for links.broken"),
        ('{"links.broken": "critical"}', "{}", "expected a name such as links, and a check that stops a release"),
        (
            "settings=LinkSettings",
            'settings="LinkSettings"',
            "The settings of link_check are 'LinkSettings', which",
        ),
        ('cadence="weekly"', 'cadense="weekly"', "@procedure does not know cadense=. Did you mean cadence?"),
        (
            "ns = Collection(link_check)",
            "@procedure()\ndef link_check(run):\n    '''Another.'''\n\n\nns = Collection(link_check)",
            "The procedure link-check is declared twice: in ",
        ),
    ],
)
def test_a_declaration_that_cannot_be_used_is_a_sentence_and_no_traceback(
    run: Inv, own: Path, old: str, new: str, sentence: str
) -> None:
    assert old in TASKS
    (own / "tasks.py").write_text(TASKS.replace(old, new))
    result = run("link-check", json=False)
    assert result.status == 78
    assert sentence in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('summary=f"{number} broken links"', "summary=3", "Expected `str`, got `int` - at `$.summary`"),
        ("findings=[finding]", 'findings=[finding], data={"file": open(__file__)}', "TextIOWrapper"),
    ],
)
def test_a_report_that_no_reader_could_use_is_a_finding_and_no_traceback(
    run: Inv, own: Path, old: str, new: str, sentence: str
) -> None:
    assert old in TASKS
    plainly = TASKS.replace('return run.compose({"links": look}, dry_run=dry_run or run.dry)', "return look(None)")
    (own / "tasks.py").write_text(plainly.replace(old, new))
    result = run("link-check")
    assert (result.status, result.err) == (2, "")
    (finding,) = result.findings("run.error")
    assert sentence in finding["message"]


def test_the_check_of_the_settings_finds_a_cadence_for_what_is_no_procedure(run: Inv, own: Path) -> None:
    (own / "invoke.yaml").write_text(
        (own / "invoke.yaml").read_text() + "maintenance: {schedule: {cadence: {link-chek: daily}}}\n"
    )
    result = run("maintenance.settings.check")
    assert result.status == 78
    assert "names 'link-chek', which is no procedure that can be scheduled" in result.err
    assert "Did you mean link-check?" in result.err
