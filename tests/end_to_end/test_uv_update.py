"""``monthly.dependency-update`` on a project that uv locks, with the real uv."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tasks.core.report.model import schema
from tasks.demo_site.package_index import package_index
from tasks.demo_site.vulnerability_service import KnownVulnerability, vulnerability_service

from .conftest import INV, REPOSITORY, Inv, wait_until
from .dependency_site import Site, offered, reported

pytestmark = pytest.mark.slow

UV = Path(sys.executable).parent / "uv"

PROJECT = """\
[project]
name = "ours"
version = "0.1"
requires-python = ">=3.11"
dependencies = [
    "demo-widget>=1.0",  # keep this comment
    "demo-old>=1.0",
    "demo-inner",
]

[project.optional-dependencies]
unused = ["demo-built>=1.0"]

[dependency-groups]
dev = [{ include-group = "checks" }]
checks = ["demo-broken>=1.0"]

[tool.uv.sources]
demo-inner = { path = "libraries/inner" }
"""

INNER = """\
[project]
name = "demo-inner"
version = "0.1"
requires-python = ">=3.11"
"""


@pytest.fixture
def site(project: Path, inv: Inv) -> Iterator[Site]:
    known = (KnownVulnerability("demo-old", "DEMO-2026-1", fixed="3.0", aliases=("CVE-2026-0001",)),)
    with package_index(offered()) as index, vulnerability_service(known) as service:
        env = {
            "INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL": service.url,
            "VIRTUAL_ENV": "",
            "PATH": f"{UV.parent}:{os.environ['PATH']}",
            "HOME": str(project.parent),
            "UV_CACHE_DIR": str(project.parent / "uv-cache"),
            "UV_PYTHON_DOWNLOADS": "never",
        }
        (project / "libraries/inner").mkdir(parents=True)
        (project / "libraries/inner/pyproject.toml").write_text(INNER)
        (project / "run.py").write_text("def main() -> None: ...\n")
        index_table = f'\n[[tool.uv.index]]\nname = "ours"\nurl = "{index.url}"\ndefault = true\n'
        (project / "pyproject.toml").write_text(PROJECT + index_table)
        made = Site(project, inv, env, index, service)
        old = ("demo-widget==1.0", "demo-base==1.0", "demo-old==1.0", "demo-broken==1.0", "demo-built==1.0")
        uv(made, "lock", *(word for each in old for word in ("--upgrade-package", each)))
        uv(made, "sync", "--no-install-local")
        yield made


def uv(site: Site, *arguments: str) -> str:
    env = {**site.env, "UV_PYTHON": sys.executable}
    done = subprocess.run([UV, "--quiet", *arguments], check=True, cwd=site.root, env=env, capture_output=True)
    return done.stdout.decode()


def frozen(site: Site) -> list[str]:
    listed = json.loads(uv(site, "pip", "list", "--format", "json", "--python", str(site.python)))
    return [f"{each['name']}=={each['version']}" for each in listed]


def locked(site: Site) -> dict[str, str]:
    packages = tomllib.loads((site.root / "uv.lock").read_text())["package"]
    return {each["name"]: each["version"] for each in packages}


def test_the_lock_moves_and_the_environment_with_it(site: Site) -> None:
    dry = site.update("--only", "demo-widget", "--only", "demo-base", "--dry-run")
    before = (site.root / "pyproject.toml").read_bytes()
    was_locked = (site.root / "uv.lock").read_bytes()
    (site.root / "run.py").write_text("import demo_widget, demo_old\ndef main() -> None: ...\n")
    result = site.update("--only", "demo-widget", "--only", "demo-base", "--yes")
    jsonschema.validate(result.document, schema())
    assert reported(result, "update")["status"] == "ok", result.out
    assert reported(result, "environment")["message"].endswith("locked by uv.")
    assert dry.targets("write") == result.report["files"]
    assert dry.targets("update") == result.targets("update")
    assert {"uv.lock", *(path.name for path in site.root.glob("uv.lock.backup.*"))} < {*result.report["files"]}
    assert frozen(site) == ["demo-base==1.1", "demo-broken==1.0", "demo-old==1.0", "demo-widget==1.1"]
    assert locked(site) | {"ours": "", "demo-inner": ""} == {
        "demo-base": "1.1",
        "demo-broken": "1.0",
        "demo-built": "1.0",
        "demo-inner": "",
        "demo-old": "1.0",
        "demo-widget": "1.1",
        "ours": "",
    }
    assert (site.root / "pyproject.toml").read_bytes() == before
    (backup,) = site.root.glob("uv.lock.backup.*")
    assert backup.read_bytes() == was_locked
    assert not (site.root / "requirements.lock.txt").exists()
    assert not (site.root / ".maintenance-undo").exists()
    uv(site, "sync", "--locked", "--check", "--no-install-local")
    again = site.update("--only", "demo-widget", "--yes")
    assert reported(again, "update")["message"] == "Nothing can be updated now."


def test_what_repairs_a_vulnerability_moves_alone(site: Site) -> None:
    result = site.update("--security", "--yes")
    assert reported(result, "update")["status"] == "ok", result.out
    assert frozen(site) == ["demo-base==1.0", "demo-broken==1.0", "demo-old==3.0", "demo-widget==1.0"]


def test_without_yes_and_in_a_dry_run_nothing_changes(site: Site) -> None:
    before = site.state()
    results = site.update(), site.update("--check"), site.update("--dry-run")
    assert site.state() == before
    for result in results:
        jsonschema.validate(result.document, schema())
        assert reported(result, "vulnerable")["subject"] == "demo-old"
        assert result.status == 2
    planned = results[2].targets("update")
    assert planned == [
        "demo-base 1.0 -> 1.1 (outdated)",
        "demo-broken 1.0 -> 1.1 (outdated)",
        "demo-old 1.0 -> 3.0 (repairs a vulnerability)",
        "demo-widget 1.0 -> 1.1 (outdated)",
    ]


def test_a_version_that_fails_the_smoke_test_stays_out(site: Site) -> None:
    (site.root / "run.py").write_text("import demo_broken\ndef main() -> None: ...\n")
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (2, before), result.out
    assert "fails in a fresh environment" in reported(result, "update")["message"]
    assert "hunter2" not in result.out


def test_a_smoke_test_that_fails_in_the_live_environment_only_undoes_everything(site: Site) -> None:
    (site.root / "run.py").write_text(
        "import demo_widget, sys\n"
        "from importlib.metadata import version\n"
        "if '.venv' in sys.prefix and version('demo-widget') != '1.0': raise SystemExit('not here')\n"
        "def main() -> None: ...\n"
    )
    before, was = site.state(), frozen(site)
    result = site.update("--yes")
    assert "was undone, everything is as it was" in reported(result, "update")["message"], result.out
    assert (site.state(), frozen(site)) == (before, was)


def test_a_lock_that_is_ahead_of_the_environment_is_never_turned_back(site: Site) -> None:
    uv(site, "lock", "--upgrade-package", "demo-widget==1.1", "--upgrade-package", "demo-base==1.1")
    result = site.update("--only", "demo-broken", "--dry-run")
    planned = result.targets("update")
    assert planned == [
        "demo-base 1.0 -> 1.1 (locked already)",
        "demo-broken 1.0 -> 1.1 (outdated)",
        "demo-widget 1.0 -> 1.1 (locked already)",
    ]
    was_locked = (site.root / "uv.lock").read_bytes()
    synced = site.update("--only", "demo-base", "--yes")
    assert reported(synced, "update")["status"] == "ok", synced.out
    assert "demo-widget==1.1" in frozen(site)
    assert (site.root / "uv.lock").read_bytes() == was_locked
    assert not [*site.root.glob("uv.lock.backup.*")]


def test_a_kill_while_the_environment_changes_is_undone_by_the_next_run(site: Site) -> None:
    (site.root / "run.py").write_text(
        "import demo_widget, pathlib, sys, time\n"
        "from importlib.metadata import version\n"
        "if '.venv' in sys.prefix and version('demo-widget') != '1.0':\n"
        "    pathlib.Path('logs').mkdir(exist_ok=True)\n"
        "    pathlib.Path('logs/live').touch()\n"
        "    time.sleep(60)\n"
        "def main() -> None: ...\n"
    )
    before = site.state()
    environ = {**os.environ, **site.env, "INVOKE_MAINTENANCE_ROOT": str(site.root)}
    process = subprocess.Popen(
        [INV, "monthly.dependency-update", "--yes"],
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until((site.root / "logs/live").exists, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = site.update("--yes")
    assert "All is as it was before it" in reported(result, "interrupted")["message"], result.out
    now = site.state()
    left = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}
    assert left <= {".", ".maintenance.lock"}


def test_a_project_of_uv_is_not_updated_without_uv_and_not_by_pip(site: Site) -> None:
    before = site.state()
    folder = site.root.parent / "programs"
    folder.mkdir()
    for name in ("git", "env"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    result = site.update("--yes", PATH=str(folder))
    assert site.state() == before
    assert "there is no uv on the PATH" in reported(result, "update")["message"]
    assert reported(result, "outdated", "demo-widget")["value"] == "1.0"


@pytest.mark.parametrize(
    ("path", "text", "explanation"),
    [
        ("pyproject.toml", '[project\nname = "x"\n', "pyproject.toml is no TOML"),
        ("uv.lock", "version = \n", "uv.lock is no TOML"),
        ("uv.lock", "\x00\x01", "uv.lock is no TOML"),
        ("pyproject.toml", None, "uv.lock is there, but pyproject.toml is not"),
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["a b c"]\n', "is no requirement"),
        ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n', ""),
    ],
)
def test_broken_files_are_told_and_nothing_changes(site: Site, path: str, text: str | None, explanation: str) -> None:
    if text is None:
        (site.root / path).unlink()
    else:
        (site.root / path).write_text(text)
    before = site.state()
    result = site.update("--yes")
    jsonschema.validate(result.document, schema())
    assert site.state() == before
    assert reported(result, "update")["status"] == "unknown"
    assert not any(each["moves to"] for each in result.report["data"].get("outdated", []))
    if "dynamic" not in (text or ""):
        assert "can move" not in result.report["summary"] or result.report["summary"].endswith(" 0 can move")
    if explanation:
        assert explanation in reported(result, "requirements")["message"]
    else:
        assert "computed when it is built" in reported(result, "update")["message"]


def test_a_package_of_the_projects_own_that_is_installed_stays(site: Site) -> None:
    info = next(site.root.glob(".venv/lib/python*/site-packages")) / "demo_inner-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-inner\nVersion: 0.1\n")
    (info / "RECORD").write_text("demo_inner-0.1.dist-info/METADATA,,\ndemo_inner-0.1.dist-info/RECORD,,\n")
    folder = (site.root / "libraries/inner").as_uri()
    (info / "direct_url.json").write_text(json.dumps({"url": folder, "dir_info": {"editable": True}}))
    (site.root / "run.py").write_text("import importlib.metadata\nimportlib.metadata.version('demo-inner')\nmain = 1\n")
    result = site.update("--yes")
    assert reported(result, "update")["status"] == "ok", result.out
    assert "demo-inner==0.1" in frozen(site)
    assert "demo-widget==1.1" in frozen(site)


def test_without_an_environment_the_way_of_uv_to_make_one_is_told(site: Site) -> None:
    shutil.rmtree(site.root / ".venv")
    result = site.update("--yes")
    assert (result.status, reported(result, "update")["status"]) == (3, "unknown")
    assert reported(result, "environment")["remedy"].endswith("make the environment: uv sync")


def test_an_index_that_has_lost_its_packages_changes_nothing(site: Site) -> None:
    before = site.state()
    site.index.files.clear()
    shutil.rmtree(site.root.parent / "uv-cache")
    result = site.update("--yes")
    assert site.state() == before
    assert reported(result, "releases")["status"] == "unknown"
    update = reported(result, "update")
    assert update["status"] == "unknown", update
    assert update["message"].startswith("uv finds no new lock: "), update
