"""The demo project without its problems: of what the demo's audit finds, the same audit finds nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks import backup, monthly, quarterly
from tasks.core.programs import git
from tasks.core.report.model import Finding, Report, Status
from tasks.core.run.execution import execute
from tasks.core.run.procedure import Procedure
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.sources import Level, Sources
from tasks.demo_site import audit_problems, demo_project
from tasks.demo_site.package_index import OfferedFile, package_index
from tasks.demo_site.vulnerability_service import vulnerability_service
from tasks.demo_site.wheels import unpack, wheel

pytestmark = pytest.mark.needs("git")

INSTALLED = {"demo-widget": "1.0", "demo-parser": "1.4"}


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The demo's project, mended and under Git, with an index that has nothing newer and nothing known against it."""
    now = datetime.now().astimezone()
    folder = tmp_path_factory.mktemp("twin") / "demo-site"
    demo_project.build_demo_project(folder, now)
    mend(folder)
    wheels = [wheel(name, version) for name, version in INSTALLED.items()]
    offered = {name: OfferedFile(content, now - timedelta(days=90)) for name, content in wheels}
    with package_index(offered) as index, vulnerability_service([]) as service:
        values: dict[str, Any] = {
            "root": str(folder),
            "dependencies": {"index_url": index.url, "osv_url": service.url},
            "configuration": {"environment_keys": [*demo_project.KEYS.values()]},
            "health": {"disk_percent": 100},
            "audit": {"licences_known": dict.fromkeys(INSTALLED, "MIT")},
        }
        loaded = load(Sources([], {}, [Level("twin", values)], folder))
        assert faults(run(monthly.config_review, loaded, accept=True)) == []
        assert faults(run(backup.create, loaded)) == []
        yield loaded


def mend(folder: Path) -> None:
    """Make of the demo's project one without fault."""
    data = folder / "data"
    text = (data / "materials.yaml").read_text("utf-8")
    lacking = "material_characteristics:\n        hardness"
    given = (
        "material_characteristics:\n        density: {value: 1.0, unit: g/cm³, min: 0.1, max: 23.0}\n        hardness"
    )
    assert text.count(lacking) == demo_project.WITHOUT_DENSITY
    (data / "materials.yaml").unlink()
    (data / "Materials.yaml").write_text(text.replace(lacking, given), "utf-8")
    (folder / "requirements.txt").write_text("demo-widget>=1.0\ndemo-parser==1.4\n")
    (folder / ".env").write_text("".join(f"{variable}=a-key-of-nobody\n" for variable in demo_project.KEYS.values()))
    (folder / ".env").chmod(0o600)
    (folder / ".gitignore").write_text(".env\n.venv/\nbackups/\nlogs/\n")
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    for name, version in INSTALLED.items():
        unpack(wheel(name, version)[1], packages)
    git.ask(folder, "init", "--quiet", "--template=")
    git.ask(folder, "add", "--all")


def run(procedure: Procedure, loaded: Loaded, **arguments: Any) -> Report:
    return execute(procedure.definition, arguments, loaded)


def faults(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.status.severity > Status.OK.severity]


@pytest.mark.slow
def test_of_the_clean_twin_the_audit_finds_nothing(twin: Loaded) -> None:
    report = run(quarterly.system_audit, twin)
    assert faults(report) == []
    assert report.data["percent"] == 100


@pytest.mark.slow
def test_the_demos_own_problems_are_what_makes_the_difference(twin: Loaded) -> None:
    problems = list(audit_problems.plant(Path(twin.settings.root)))
    report = run(quarterly.system_audit, twin)
    assert {(each.check, each.subject) for each in faults(report)} == {(each.check, each.subject) for each in problems}
    assert len(problems) == 3
