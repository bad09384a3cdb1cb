"""What the end-to-end tests share: a real project folder, and the real ``inv`` as a child process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INV = str(Path(sys.executable).with_name("inv"))
HOUR = 3600.0


@dataclass(frozen=True)
class Result:
    """How a call of ``inv`` ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document; fails where standard output holds anything beside it."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def report(self) -> dict[str, Any]:
        """The only report of the document."""
        (report,) = self.document["reports"]
        return dict(report)

    def findings(self, check: str) -> list[dict[str, Any]]:
        """The only report's findings of one check."""
        return [finding for finding in self.report["findings"] if finding["check"] == check]

    def targets(self, verb: str) -> list[str]:
        """The targets of the only report's actions of one kind."""
        return [action["target"] for action in self.report["actions"] if action["verb"] == verb]


class Inv(Protocol):
    """Calls ``inv`` with arguments, by default on the test's project and with JSON output."""

    def __call__(
        self,
        *arguments: str,
        json: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float = 60,
    ) -> Result:
        """Run it to its end."""
        ...


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder as the project."""
    root = tmp_path / "project"
    root.mkdir()
    return root


_KEYS = {"DEEPSEEK_API_KEY", "GROK_API_KEY"}
"""Not even those of whoever runs the tests may lead to a provider."""


@pytest.fixture
def environment(project: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has set nothing but the root."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("INVOKE_") and name not in _KEYS}
    return {**kept, "HOME": str(home), "INVOKE_MAINTENANCE_ROOT": str(project), "COLUMNS": "120"}


@pytest.fixture
def unmeasured(environment: dict[str, str]) -> dict[str, str]:
    """The same, for processes that are killed or may write little: half a file of coverage would spoil all of it."""
    return {name: text for name, text in environment.items() if not name.startswith("COVERAGE")}


@pytest.fixture
def inv(environment: dict[str, str]) -> Inv:
    """The real ``inv``."""

    def run(
        *arguments: str,
        json: bool = True,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float = 60,
    ) -> Result:
        output = {"INVOKE_MAINTENANCE_OUTPUT": "json"} if json else {}
        done = subprocess.run(
            [INV, *arguments],
            cwd=cwd or REPOSITORY,
            env={**environment, **output, **(env or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH that offers the suite under the name that its wheel gives it."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "zbeam_maintenance").symlink_to(REPOSITORY / "tasks")
    return folder


@pytest.fixture
def copy(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A copy of the suite, so that the demo is not built in the repository."""
    del environment["INVOKE_MAINTENANCE_ROOT"]
    folder = tmp_path / "copy"
    shutil.copytree(REPOSITORY / "tasks", folder / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


def entry(path: Path, *, hours: float = 0.5, content: bytes = b"{}") -> Path:
    """Make a cache entry that was written *hours* ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    written = time.time() - hours * HOUR
    os.utime(path, (written, written))
    return path


def fingerprint(root: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, mtime and content of everything below *root*: equal where the trees are byte-identical."""
    found = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(status.st_mode):
            content = str(path.readlink())
        else:
            content = ""
        found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, content)
    return found


@pytest.fixture
def without_privileges() -> list[str]:
    """What to put before a command so that permissions bind it, even where the tests run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the tests run as root, whom no permission binds, and there is no setpriv to change that")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Wait for what *process* does, to stop it in the middle."""
    deadline = time.monotonic() + 30
    while not happened():
        assert process.poll() is None, "it ended before it could be stopped in the middle"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def handles(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Tell whether *process* handles a signal in another way than Python does by itself.

    Linux says which signals have a handler; Python has one for SIGINT, so that of SIGTERM tells. Elsewhere a
    second is waited.
    """
    assert number in {signal.SIGINT, signal.SIGTERM}
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(1)
        return True
    caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
