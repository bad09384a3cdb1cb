from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.dependencies.environment import (
    Environment,
    Installed,
    Interpreter,
    NoEnvironment,
    activation_variables,
    examine,
    is_own,
    locate,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an environment that has no pip."""
    root = tmp_path_factory.mktemp("project").resolve()
    make(root / ".venv")
    return root


def make(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)


def packages_of(folder: Path) -> Path:
    (found,) = (folder / "lib").glob("python*/site-packages")
    return found


def install(site: Path, name: str, version: str, **files: str) -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: other>1\n")
    for file, text in {"RECORD": "", **files}.items():
        (info / file).write_text(text)


def located(root: Path, configured: str = "", **environ: str) -> Interpreter:
    place = locate(root, configured, environ)
    assert isinstance(place, Interpreter)
    return place


def no_environment(root: Path, configured: str = "", **environ: str) -> NoEnvironment:
    place = locate(root, configured, environ)
    assert isinstance(place, NoEnvironment)
    return place


def environment(root: Path) -> Environment:
    found = examine(located(root), os.environ)
    assert isinstance(found, Environment)
    return found


def test_the_projects_own_comes_before_the_active_one(project: Path, tmp_path: Path) -> None:
    make(tmp_path / "active")
    place = located(project, VIRTUAL_ENV=str(tmp_path / "active"))
    assert place == Interpreter(project / ".venv/bin/python", "the project's .venv")
    other = tmp_path / "other"
    other.mkdir()
    assert located(other, VIRTUAL_ENV=str(tmp_path / "active")).origin == "the active environment"
    make(other / "venv")
    assert located(other, VIRTUAL_ENV=str(tmp_path / "active")).origin == "the project's venv"


def test_the_configured_one_comes_first(project: Path, tmp_path: Path) -> None:
    make(tmp_path / "mine")
    expected = Interpreter(tmp_path / "mine/bin/python", "dependencies.python")
    assert located(project, str(tmp_path / "mine")) == expected
    assert located(project, str(tmp_path / "mine/bin/python")) == expected
    assert located(tmp_path, "mine") == expected


def test_one_that_is_configured_and_not_there_is_said(project: Path) -> None:
    result = no_environment(project, "gone/python")
    assert f"{project}/gone/python" in result.message
    assert "dependencies.python" in result.remedy


def test_the_suites_own_is_not_taken_for_the_projects(tmp_path: Path) -> None:
    result = no_environment(tmp_path, VIRTUAL_ENV=sys.prefix)
    assert "the active one is the suite's own" in result.message
    assert is_own(Path(sys.prefix, "bin/python"))
    assert "none is active" in no_environment(tmp_path).message
    assert "none is active" in no_environment(tmp_path, VIRTUAL_ENV=str(tmp_path / "gone")).message


def test_what_an_environment_tells(project: Path) -> None:
    site = packages_of(project / ".venv")
    install(site, "Demo_Package.Two", "1.0", REQUESTED="")
    direct: dict[str, Any] = {"url": "file:///x", "dir_info": {"editable": True}}
    install(site, "edited", "2", **{"direct_url.json": json.dumps(direct)})
    install(site, "folder", "2", **{"direct_url.json": json.dumps({"url": "file:///x", "dir_info": {}})})
    install(site, "cloned", "2", **{"direct_url.json": json.dumps({"url": "x", "vcs_info": {"vcs": "git"}})})
    install(site, "fetched", "2", **{"direct_url.json": json.dumps({"url": "x", "archive_info": {}})})
    install(site, "unclear", "2", **{"direct_url.json": "{"})
    (site / "nameless-1.dist-info").mkdir()
    (site / "old.egg-info").write_text("Metadata-Version: 1.1\nName: old\nVersion: 0.1\n")
    found = environment(project)
    assert found.packages["demo-package-two"] == Installed(
        "demo-package-two", "1.0", requested=True, requires=("other>1",)
    )
    sources = {name: package.source for name, package in found.packages.items()}
    assert sources == {
        "demo-package-two": "",
        "edited": "editable",
        "folder": "local folder",
        "cloned": "version control",
        "fetched": "URL",
        "unclear": "URL",
        "old": "",
    }
    assert not found.packages["old"].recorded
    assert found.packages["edited"].recorded
    assert not found.packages["edited"].requested
    assert (found.prefix, found.virtual, found.runs_suite) == (project / ".venv", True, False)
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.folders == (site,)
    assert found.scripts == project / ".venv/bin"
    assert found.index_url is None


def test_the_suites_own_environment_is_known_and_its_pip_tells_the_index() -> None:
    found = examine(Interpreter(Path(sys.executable), "a test"), os.environ)
    assert isinstance(found, Environment)
    assert found.runs_suite
    assert str(found.index_url).startswith("https://")
    assert "invoke" in found.packages


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("#!/bin/sh\necho broken >&2\nexit 1\n", "does not work: broken"),
        ("#!/bin/sh\nexit 1\n", "does not work: it ended without a word"),
        ("#!/nowhere/python\n", "does not work: "),
        ("#!/bin/sh\necho hello\n", "answers with something else"),
        ("#!/bin/sh\necho '{}'\n", "answers with something else"),
        ("#!/bin/sh\necho '{\"packages\": 3}'\n", "answers with something else"),
    ],
)
def test_an_interpreter_that_is_none(tmp_path: Path, program: str, message: str) -> None:
    python = tmp_path / "python"
    python.write_text(program)
    python.chmod(0o755)
    result = examine(Interpreter(python, "a test"), os.environ)
    assert isinstance(result, NoEnvironment)
    assert message in result.message
    assert result.remedy


def test_an_interpreter_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dependencies.environment._PROBE_SECONDS", 0.5)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nsleep 60\n")
    python.chmod(0o755)
    result = examine(Interpreter(python, "a test"), os.environ)
    assert isinstance(result, NoEnvironment)
    assert "it has not answered within 500 ms" in result.message


def test_a_process_in_which_it_is_active(project: Path) -> None:
    found = environment(project)
    variables = dict(
        activation_variables(found, {"PATH": "/bin", "PYTHONHOME": "/x", "VIRTUAL_ENV": "/other", "HOME": "/h"})
    )
    assert variables == {
        "HOME": "/h",
        "VIRTUAL_ENV": str(project / ".venv"),
        "PATH": f"{project}/.venv/bin:/bin",
    }
