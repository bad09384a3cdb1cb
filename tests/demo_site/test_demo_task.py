from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tasks.core.errors import UserError
from tasks.core.report.model import Report, Status
from tasks.core.run.context import Run
from tasks.core.run.execution import RunCache
from tasks.core.settings.loading import load
from tasks.core.settings.sources import Sources
from tasks.demo import demo


def run(folder: Path, *, dry: bool = False) -> Report:
    """Call the task's body as the runner does, in a folder that is no repository."""
    loaded = load(Sources([], {}, [], folder))
    parts = RunCache(loaded).within("demo")
    report: Report = demo.body(
        Run(loaded, datetime.now().astimezone(), dry, lambda _count: None, parts, demo.definition)
    )
    return report


@pytest.mark.slow
def test_the_task_builds_the_project_and_finds_what_is_planted(tmp_path: Path) -> None:
    report = run(tmp_path)
    assert (report.status, report.summary) == (Status.OK, "found 41 of 41 planted problems")
    assert (tmp_path / "demo-site" / "run.py").is_file()


def test_a_dry_run_of_the_task_builds_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, dry=True).dry_run
    assert list(tmp_path.iterdir()) == []


def test_the_task_refuses_what_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "demo-site").write_text("mine")
    with pytest.raises(UserError, match="was not made by inv demo"):
        run(tmp_path)
