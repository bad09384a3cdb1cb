"""CONTRIBUTING.md's own example, carried out in a copy: three files make a procedure; what is missing is named."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import PATIENCE, REPOSITORY

pytestmark = pytest.mark.slow

EXAMPLES = dict(
    re.findall(
        r"<!-- example: (\S+) -->\n```python\n(.*?)```", (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL
    )
)
MODULE, COLLECTION, TEST = "tasks/cache/dust.py", "tasks/weekly.py", "tests/cache/test_dust.py"
LAST_LINE = "every = all_of(__name__)\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what a contributor works in."""
    folder = tmp_path / "house"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "end_to_end", "bench", ".*")
    for name in ("tasks", "tests"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    for name in ("tasks.py", "invoke.yaml", "pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


def add(house: Path, *, collection: str = "", module: str = "") -> None:
    """Add the example's procedure."""
    (house / MODULE).write_text(module or EXAMPLES[MODULE])
    weekly = (house / COLLECTION).read_text()
    assert weekly.endswith(LAST_LINE)
    (house / COLLECTION).write_text(
        f"{weekly.removesuffix(LAST_LINE)}{collection or EXAMPLES[COLLECTION]}\n\n{LAST_LINE}"
    )
    (house / TEST).write_text(EXAMPLES[TEST])


def call(house: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(command[0])
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("INVOKE_", "COV_", "COVERAGE_"))}
    return subprocess.run(
        [program, *command[1:]],
        cwd=house,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def declarations(house: Path) -> subprocess.CompletedProcess[str]:
    return call(house, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_declarations.py")


def test_three_files_make_a_procedure_that_everything_knows(house: Path, tmp_path: Path) -> None:
    add(house)
    assert {*EXAMPLES} == {MODULE, COLLECTION, TEST}
    for command in (["ruff", "check", *EXAMPLES], ["ruff", "format", "--check", *EXAMPLES], ["lint-imports"]):
        done = call(house, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    done = call(house, "pytest", "-q", "-p", "no:cacheprovider", TEST, "tests/test_declarations.py")
    assert done.returncode == 0, done.stdout[-3000:]

    project = tmp_path / "project"
    (project / "cache" / "temp").mkdir(parents=True)
    (project / "cache" / "temp" / "a.json").touch()
    environ = {"INVOKE_MAINTENANCE_ROOT": str(project), "INVOKE_MAINTENANCE_OUTPUT": "json"}
    done = call(house, "inv", "weekly.dust", **environ, INVOKE_MAINTENANCE_DUST_MOST="0")
    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    assert report["findings"][0]["message"] == "1 empty files (limit 0)."
    wrong = call(house, "inv", "weekly.dust", **environ, INVOKE_MAINTENANCE_DUST_MOST="many")
    assert (wrong.returncode, "maintenance.dust.most" in wrong.stderr) == (78, True)
    (status,) = json.loads(call(house, "inv", "schedule.status", **environ).stdout)["reports"]
    assert "weekly.dust" in [row["procedure"] for row in status["data"]["schedule"]]
    assert "weekly.dust" in call(house, "inv", "--list").stdout


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('checks=["dust.files"]', "checks=[]", "no declaration names these checks; add them to checks=[…]"),
        ('cadence="weekly"', 'cadence="daily"', "a cadence in weekly.py is not weekly"),
        (
            '@procedure(cadence="weekly", checks=["dust.files"], settings="cache.dust:DustSettings")',
            "@task",
            "lack @procedure: they leave no run, and no schedule knows them",
        ),
        ("def dust(run: Run)", "def dust(run: Run, size: int)", "weekly.dust cannot run by itself"),
        (
            '"""Count empty files in the cache.',
            '"""Count empty files in the cache',
            "its docstring begins with no sentence",
        ),
    ],
)
def test_what_is_forgotten_in_the_collection_is_named(house: Path, old: str, new: str, sentence: str) -> None:
    assert old in EXAMPLES[COLLECTION]
    add(house, collection=EXAMPLES[COLLECTION].replace(old, new))
    if new == "@task":
        weekly = (house / COLLECTION).read_text()
        (house / COLLECTION).write_text(
            weekly.replace("from typing import", "from invoke import task\nfrom typing import")
        )
    done = declarations(house)
    assert done.returncode == 1
    assert sentence in done.stdout


def test_a_domain_that_breaks_a_rule_fails_the_contracts(house: Path) -> None:
    (house / "tasks" / "links").mkdir()
    (house / "tasks" / "links" / "__init__.py").write_text('"""Links."""\n')
    (house / "tasks" / "links" / "link_check.py").write_text('"""Links."""\n\nimport invoke\n')
    done = call(house, "lint-imports")
    assert done.returncode == 1
    assert "links" in done.stdout
    assert "the contract 'domains are free of Invoke' lacks a package" in declarations(house).stdout
