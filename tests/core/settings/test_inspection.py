from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.core.report.model import Action, Report, RunReport, Status, encode
from tasks.core.settings import inspection
from tasks.core.settings.example import example
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.sources import Level, Sources


def _load(project: Path, tree: object = None, env: dict[str, str] | None = None) -> Loaded:
    return load(Sources([Level("file /p/invoke.yaml", tree)], env or {}, [], project))


def _records(report: Report) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = report.data["settings"]
    return records


def test_show_lists_every_setting_with_its_value_and_origin(project: Path) -> None:
    loaded = _load(project, {"cache": {"directory": "other"}}, {"INVOKE_MAINTENANCE_FAIL_ON": "never"})
    report = inspection.show(loaded)
    assert report.status is Status.OK
    assert report.summary == f"{len(loaded.origins)} settings, 2 of them not the default; the project is {project}"
    records = {record["setting"]: record for record in _records(report)}
    assert len(records) == len(loaded.origins)
    assert records["maintenance.cache.directory"] == {
        "setting": "maintenance.cache.directory",
        "value": "other",
        "from": "file /p/invoke.yaml",
    }
    assert records["maintenance.fail_on"]["from"] == "environment INVOKE_MAINTENANCE_FAIL_ON"
    assert records["maintenance.output"]["from"] == "default"
    assert records["maintenance.root"]["value"] == str(project)


def test_show_can_leave_the_defaults_out(project: Path) -> None:
    loaded = _load(project, {"cache": {"directory": "other"}})
    assert [record["setting"] for record in _records(inspection.show(loaded, changed=True))] == [
        "maintenance.cache.directory"
    ]


def test_where_nothing_was_changed_there_is_nothing_to_show(project: Path) -> None:
    assert _records(inspection.show(_load(project), changed=True)) == []


def test_what_is_shown_is_printable(project: Path) -> None:
    loaded = load(Sources([Level("file \x1b[2J\n", {"output": "json"})], {}, [], project))
    (record,) = _records(inspection.show(loaded, changed=True))
    assert record["from"] == r"file \x1b[2J\n"


def test_a_value_that_is_no_utf_8_can_be_shown_as_json(project: Path) -> None:
    loaded = _load(project, env={"INVOKE_MAINTENANCE_LOGS_PATTERN": os.fsdecode(b"caf\xe9*.log")})
    moment = "2026-11-23T12:00:00+00:00"
    run = RunReport(root=str(project), started=moment, duration_seconds=0, reports=[inspection.show(loaded)])
    records = json.loads(encode(run))["reports"][0]["data"]["settings"]
    assert [record["value"] for record in records if record["from"] != "default"] == [r"caf\xe9*.log"]


def test_check_says_that_all_is_well(project: Path) -> None:
    report = inspection.check(_load(project, {"output": "json"}))
    (finding,) = report.findings
    assert (finding.check, finding.status, finding.unit) == ("settings.valid", Status.OK, "settings")
    assert finding.message.endswith(f" settings, 1 of them not the default; the project is {project}.")
    assert report.actions == []


def test_init_writes_the_example_beside_tasks_py(project: Path) -> None:
    report = inspection.init(_load(project), dry_run=False)
    assert (project / "invoke.yaml").read_text(encoding="utf-8") == example()
    assert report.status is Status.OK
    assert report.files == ["invoke.yaml"]
    assert report.actions == [Action(verb="write", target="invoke.yaml", done=True)]
    assert not report.dry_run


def test_init_writes_beside_tasks_py_and_not_into_the_root(project: Path) -> None:
    (project / "app").mkdir()
    inspection.init(_load(project, {"root": "app"}), dry_run=False)
    assert sorted(path.name for path in project.iterdir()) == ["app", "invoke.yaml"]
    assert list((project / "app").iterdir()) == []


def test_what_init_wrote_loads_to_the_same_settings(project: Path) -> None:
    inspection.init(_load(project), dry_run=False)
    tree = yaml.safe_load((project / "invoke.yaml").read_text(encoding="utf-8")).get("maintenance")
    assert _load(project, tree).settings == _load(project).settings


def test_a_dry_run_of_init_writes_nothing_and_says_what_it_would(project: Path) -> None:
    report = inspection.init(_load(project), dry_run=True)
    assert list(project.iterdir()) == []
    assert report.dry_run
    assert report.summary == "invoke.yaml would be written"
    assert report.files == []
    assert report.actions == [Action(verb="write", target="invoke.yaml", done=False)]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("kind", ["file", "folder", "dangling link", "fifo"])
def test_init_leaves_what_is_there_as_it_is(project: Path, kind: str, *, dry_run: bool) -> None:
    path = project / "invoke.yaml"
    if kind == "file":
        path.write_text("mine: 1")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    before = path.lstat()
    report = inspection.init(_load(project), dry_run=dry_run)
    assert path.lstat() == before
    assert (stat.S_IFMT(before.st_mode), report.status) == (stat.S_IFMT(path.lstat().st_mode), Status.WARNING)
    assert report.findings[0].remedy
    assert (report.actions, report.files, report.dry_run) == ([], [], dry_run)
    assert [entry.name for entry in project.iterdir()] == ["invoke.yaml"]
