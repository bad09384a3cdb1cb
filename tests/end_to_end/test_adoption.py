"""The suite in the tasks of a project that has its own, of each kind: nothing of either is lost.

The ``fabfile.py`` was tried by hand with Fabric 3.2.3, which needs Invoke 2.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from .conftest import Inv, Result, entry

pytestmark = pytest.mark.invoke

FUNCTIONS = """\
'''Tasks of a project.'''
from invoke import task
from zbeam_maintenance import add_to

@task(aliases=["make"])
def build_docs(c):
    '''Build the documentation.'''
    print("built")

@task(default=True)
def deploy(c):
    '''Deploy.'''
    print("deployed")

"""

COLLECTION = """\
from invoke import Collection, task
from zbeam_maintenance import add_to

@task
def build_docs(c):
    '''Build the documentation.'''
    print("built")

@task
def deploy(c):
    print("deployed")

ns = Collection(build_docs, deploy)
"""

KINDS = {
    "functions": ({"tasks.py": FUNCTIONS + "ns = add_to(__name__)\n"}, ()),
    "collection": ({"tasks.py": COLLECTION + "add_to(ns)\n"}, ()),
    "package": (
        {
            "tasks/__init__.py": "from invoke import Collection\nfrom zbeam_maintenance import add_to\n"
            "from . import site\n\nns = Collection(site.build_docs, site.deploy, site)\nadd_to(ns)\n",
            "tasks/site.py": "from invoke import task\n\n@task\ndef build_docs(c):\n    print('built')\n\n"
            "@task\ndef deploy(c):\n    print('deployed')\n",
        },
        (),
    ),
    "Celery": (
        {
            "tasks.py": "raise RuntimeError('of Celery')\n",
            "invtasks.py": FUNCTIONS + "ns = add_to(__name__)\n",
        },
        ("-c", "invtasks"),
    ),
    "Fabric": ({"fabfile.py": FUNCTIONS + "ns = add_to(__name__)\n"}, ("-c", "fabfile")),
}


def _adopt(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (project / "invoke.yaml").write_text("tasks: {executor_class: zbeam_maintenance.MaintenanceExecutor}\n")
    entry(project / "cache" / "temp" / "old.json", hours=100)


@pytest.fixture
def run(project: Path, library: Path, environment: dict[str, str], inv_process: Inv) -> Inv:
    """The real ``inv`` in the project's folder, with the installed suite."""
    del environment["INVOKE_MAINTENANCE_ROOT"]
    environment["PYTHONPATH"] = str(library)
    return partial(inv_process, cwd=project)


def names(result: Result) -> set[str]:
    assert result.status == 0, result.err
    return {line.split()[0] for line in result.out.splitlines() if line.startswith("  ")}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_project_keeps_its_tasks_and_has_the_suites(run: Inv, project: Path, kind: str) -> None:
    files, flags = KINDS[kind]
    _adopt(project, files)
    listed = names(run(*flags, "--list"))
    assert {"build-docs", "deploy", "daily.log-review", "weekly.cache-cleanup", "demo"} <= listed
    if kind == "package":
        assert "site.deploy" in listed
    chain = run(*flags, "build-docs", "weekly.cache-cleanup", "deploy", json=False)
    assert chain.status == 0, chain.err
    assert chain.out.startswith("built\n")
    assert "deployed\n" in chain.out
    assert "weekly.cache-cleanup  ok" in chain.out
    assert not (project / "cache" / "temp" / "old.json").exists()


def test_aliases_and_the_default_of_functions_stay(run: Inv, project: Path) -> None:
    _adopt(project, KINDS["functions"][0])
    assert run("make").out == "built\n"
    assert run().out == "deployed\n"


@pytest.mark.parametrize("kind", ["functions", "collection"])
def test_below_a_name_of_its_own_it_is_called_by_what_people_type(run: Inv, project: Path, kind: str) -> None:
    files, _ = KINDS[kind]
    name = '"maintenance")'
    _adopt(
        project,
        {"tasks.py": files["tasks.py"].replace("__name__)", f"__name__, {name}").replace("(ns)", f"(ns, {name}")},
    )
    listed = names(run("--list"))
    assert {"build-docs", "deploy", "maintenance.daily.log-review", "maintenance.demo"} <= listed
    assert "daily.log-review" not in listed
    assert run("maintenance.weekly.cache-cleanup").report["task"] == "maintenance.weekly.cache-cleanup"


@pytest.mark.parametrize(
    ("own", "what"),
    [
        ("@task\ndef daily(c):\n    pass\n", "task ("),
        ("@task(aliases=['daily'])\ndef each_day(c):\n    pass\n", "task ("),
        ("from invoke import Collection\nns = Collection(deploy, daily=Collection(deploy))\n", "collection"),
    ],
)
def test_two_of_one_name_are_refused_with_both(run: Inv, project: Path, own: str, what: str) -> None:
    where = "ns" if "ns =" in own else "__name__"
    _adopt(project, {"tasks.py": FUNCTIONS + own + f"ns = add_to({where})\n"})
    for arguments in (("--list",), ("deploy",)):
        result = run(*arguments)
        assert (result.status, result.out) == (78, "")
        assert result.err.count("\n") == 1
        assert f"the project's {what}" in result.err
        assert "and the suite's collection are both named 'daily'. Give the suite a name of its own" in result.err
        assert result.err.endswith('add_to(…, "maintenance"); nothing was run.\n')


STATUS = "Run {0}schedule.due, which runs what is due; {0}schedule.install makes that happen by itself."


@pytest.mark.parametrize(
    ("kind", "name"),
    [("functions", ""), ("functions", "upkeep"), ("Celery", "")],
)
@pytest.mark.parametrize("executor", ["zbeam_maintenance.MaintenanceExecutor", "invoke.Executor"])
def test_remedies_name_commands_as_they_can_be_typed(
    run: Inv, project: Path, kind: str, name: str, executor: str
) -> None:
    files, flags = KINDS[kind]
    changed = f"__name__, {name!r})" if name else "__name__)"
    _adopt(project, {file: text.replace("__name__)", changed) for file, text in files.items()})
    (project / "invoke.yaml").write_text(f"tasks: {{executor_class: {executor}}}\n")
    result = run(*flags, f"{name}.schedule.status".lstrip("."))
    (finding,) = result.findings("schedule.never")
    typed = " ".join(["inv", *flags, f"{name}." if name else ""])
    assert finding["remedy"] == STATUS.format(typed)


CRONTAB = """#!/bin/sh
[ "$1" = -l ] || exec cp "$1" "$HOME/table"
cat "$HOME/table" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; }
"""


@pytest.fixture
def table(tmp_path: Path, environment: dict[str, str]) -> Path:
    """The crontab of a user whose program for it keeps it in a file."""
    (programs := tmp_path / "programs").mkdir()
    (programs / "crontab").write_text(CRONTAB)
    (programs / "crontab").chmod(0o755)
    environment["PATH"] = f"{programs}:/usr/bin:/bin"
    return tmp_path / "home" / "table"


def test_what_is_installed_finds_the_tasks_as_the_user_does(
    run: Inv, project: Path, library: Path, table: Path, environment: dict[str, str]
) -> None:
    files, flags = KINDS["Celery"]
    installed = files["invtasks.py"].replace(
        "from invoke", f"import sys\nsys.path.append({str(library)!r})\nfrom invoke", 1
    )
    _adopt(project, {**files, "invtasks.py": installed.replace("__name__)", "__name__, 'upkeep')")})
    (project / "invoke.yaml").unlink()  # names an executor that is not there without PYTHONPATH
    result = run(*flags, "upkeep.schedule.install", "--cron")
    assert result.status == 0, result.out
    assert f"-m invoke -r {project} -c invtasks upkeep.schedule.due --quiet" in table.read_text()

    # What only this shell has is missing where cron starts the job.
    (project / "invtasks.py").write_text(f"import os\nos.environ['HERE']\n{installed}")
    environment["HERE"] = "x"
    result = run(*flags, "schedule.install", "--cron")
    assert result.status == 2
    assert result.findings("schedule.installed") == []
    (finding,) = result.findings("schedule.start")
    assert finding["message"] == "The job is installed and does not start: KeyError: 'HERE'."
