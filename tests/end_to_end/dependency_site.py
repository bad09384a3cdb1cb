"""A project with a real environment, and an index and an advisory service on loopback beside it."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.demo_site.package_index import Index, OfferedFile
from tasks.demo_site.vulnerability_service import Service
from tasks.demo_site.wheels import sdist, wheel

from .conftest import Inv, Result

LONG_AGO = datetime.now(UTC) - timedelta(days=100)
BROKEN = {"demo_broken.py": "raise RuntimeError('this version is broken: password=hunter2hunter2')\n"}


def offered() -> dict[str, OfferedFile]:
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
    return {name: OfferedFile(content, LONG_AGO) for name, content in files}


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
            cwd=self.root,
            env=self.env,
        )
        return done.stdout

    def frozen(self) -> list[str]:
        return [line for line in self.pip("freeze", "--all").splitlines() if line.startswith("demo")]

    def update(self, *arguments: str, **env: str) -> Result:
        return self.inv("monthly.dependency-update", *arguments, env={**self.env, **env})

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


def reported(result: Result, check: str, subject: str | None = None) -> dict[str, Any]:
    found = [each for each in result.findings(f"dependencies.{check}") if subject in {None, each["subject"]}]
    assert len(found) == 1, (result.document, result.err)
    return found[0]
