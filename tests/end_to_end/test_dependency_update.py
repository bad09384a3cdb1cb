"""``monthly.dependency-update`` on a real environment, with an index and an advisory service on loopback."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.core.report import schema
from tasks.demo_site.package_index import Index, Offered, package_index
from tasks.demo_site.vulnerability_service import Known, Service, vulnerability_service
from tasks.demo_site.wheels import sdist, wheel

from .conftest import Inv, Result

LONG_AGO = datetime.now(UTC) - timedelta(days=100)
BROKEN = {"demo_broken.py": "raise RuntimeError('this version is broken: password=hunter2hunter2')\n"}


def offered() -> dict[str, Offered]:
    files = [
        *(wheel("demo-base", version) for version in ("1.0", "1.1")),
        *(wheel("demo-widget", version, requires=["demo-base>=1.0"]) for version in ("1.0", "1.1", "2.0")),
        wheel("demo-broken", "1.0"),
        wheel("demo-broken", "1.1", modules=BROKEN),
        wheel("demo-built", "1.0"),
        sdist("demo-built", "1.1", breaks=True),
        wheel("demo-old", "1.0"),
        wheel("demo-old", "3.0"),
    ]
    return {name: Offered(content, LONG_AGO) for name, content in files}


@dataclass
class Site:
    """A project with an environment, and the services that it asks."""

    root: Path
    inv: Inv
    env: dict[str, str]
    index: Index
    service: Service

    @property
    def python(self) -> Path:
        return self.root / ".venv/bin/python"

    def requires(self, text: str, *, run: str = "def main() -> None: ...\n") -> None:
        (self.root / "requirements.txt").write_text(text)
        (self.root / "run.py").write_text(run)
        self.pip("install", "--quiet", "--index-url", self.index.url, "-r", str(self.root / "requirements.txt"))

    def pip(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.python, "-I", "-B", "-m", "pip", "--disable-pip-version-check", *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=self.env,
        )
        return done.stdout

    def frozen(self) -> list[str]:
        return [line for line in self.pip("freeze", "--all").splitlines() if line.startswith("demo")]

    def update(self, *arguments: str, json: bool = True, **env: str) -> Result:
        return self.inv("monthly.dependency-update", *arguments, json=json, env={**self.env, **env})

    def state(self) -> dict[str, tuple[Any, ...]]:
        """Everything in the project but the logs: names, modes, times, links, contents."""
        found: dict[str, tuple[Any, ...]] = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if name.startswith("logs"):
                continue
            status = path.lstat()
            held = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
            link = str(path.readlink()) if path.is_symlink() else ""
            time = 0 if path.is_symlink() else status.st_mtime_ns
            found[name] = (status.st_mode, time, link, held)
        return found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip, to be copied: making one takes seconds."""
    folder = tmp_path_factory.mktemp("template") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def site(project: Path, template: Path, inv: Inv) -> Iterator[Site]:
    shutil.copytree(template, project / ".venv", symlinks=True)
    known = (Known("demo-old", "DEMO-2026-1", fixed="3.0", aliases=("CVE-2026-0001",)),)
    with package_index(offered()) as index, vulnerability_service(known) as service:
        env = {
            **dict.fromkeys((name for name in os.environ if name.startswith("PIP_")), ""),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL": service.url,
            "PATH": os.environ["PATH"],
            "HOME": str(project.parent),
        }
        yield Site(project, inv, env, index, service)


def told(result: Result, check: str, subject: str | None = None) -> dict[str, Any]:
    found = [each for each in result.findings(f"dependencies.{check}") if subject in {None, each["subject"]}]
    assert len(found) == 1, (result.document, result.err)
    return found[0]


def test_an_update_of_pins_and_ranges(site: Site) -> None:
    site.requires("# ours\ndemo-widget==1.0  # keep this comment\ndemo-base>=1.0\n")
    site.pip("install", "--quiet", "demo-base==1.0")
    result = site.update("--yes")
    jsonschema.validate(result.document, schema())
    assert told(result, "update")["status"] == "ok", result.out
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    text = (site.root / "requirements.txt").read_text()
    assert text == "# ours\ndemo-widget==1.1  # keep this comment\ndemo-base>=1.0\n"
    (backup,) = site.root.glob("requirements.txt.backup.*")
    assert "demo-widget==1.0" in backup.read_text()
    assert "demo-widget==1.1\n" in (site.root / "requirements.lock.txt").read_text()
    assert not (site.root / ".maintenance-undo").exists()
    verbs = {(each["verb"], each["target"], each["done"]) for each in result.report["actions"]}
    assert ("update", "demo-widget 1.0 -> 1.1 (outdated)", True) in verbs
