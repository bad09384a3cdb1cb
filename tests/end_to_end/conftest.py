"""What the end-to-end tests share: a real project folder, and ``inv``, in this process or in one of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from unittest import mock

import invoke
import pytest
from invoke import FilesystemLoader, Program

REPOSITORY = Path(__file__).resolve().parents[2]
INV = str(Path(sys.executable).with_name("inv"))
HOUR = 3600.0

PATIENCE = 300
"""Seconds after which a process counts as one that hangs, however busy the machine is."""


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
        self, *arguments: str, json: bool = True, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None
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
    """Return ``inv`` in this process: Invoke's own program, with the suite that the tests have imported.

    It takes a tenth of the time of a process of its own. What is about signals, Python's own variables, a
    project's own ``tasks.py``, an installed suite or the end of the process needs ``inv_process``.
    """

    def run(*arguments: str, json: bool = True, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> Result:
        variables = {**environment, **_output(as_json=json), **(env or {})}
        assert variables.get("PYTHONPATH") == os.environ.get("PYTHONPATH"), "Python reads it at its start: inv_process"
        assert "--debug" not in arguments, "its log cannot be switched off again: inv_process"
        with _caught_output() as caught, _process_state(cwd, variables, [INV, *arguments]):
            caught.status = _status_of_program()
        return Result(caught.status, caught.out, caught.err)

    return run


@pytest.fixture
def inv_process(environment: dict[str, str]) -> Inv:
    """Return the real ``inv``, as a child process."""

    def run(*arguments: str, json: bool = True, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> Result:
        done = subprocess.run(
            [INV, *arguments],
            cwd=cwd,
            env={**environment, **_output(as_json=json), **(env or {})},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


def _output(*, as_json: bool) -> dict[str, str]:
    return {"INVOKE_MAINTENANCE_OUTPUT": "json"} if as_json else {}


class _ImportedSuite(FilesystemLoader):
    """Finds ``tasks.py`` as Invoke does, and takes the imported package ``tasks`` in its place.

    Loading the file itself would put a second suite into the place of the package that the tests use.
    """

    def load(self, name: str | None = None) -> tuple[ModuleType, str]:
        found = self.find(name or self.config.tasks.collection_name)
        assert found is not None
        assert found.origin is not None
        file = Path(found.origin)
        assert file.read_bytes() == (REPOSITORY / "tasks.py").read_bytes(), f"{file}: not the suite's, use inv_process"
        return import_module("tasks"), str(file.parent)


def _status_of_program() -> int:
    """Run Invoke's program as the script ``inv`` does, and return the status that the process would end with."""
    program = Program(invoke.__version__, name="Invoke", binary="inv[oke]", loader_class=_ImportedSuite)
    try:
        program.run()
    except SystemExit as end:
        return _status(end)
    except BaseException as error:  # noqa: BLE001 - what Python does with what nobody catches
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as end:
            return _status(end)
        return 1
    return 0


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)  # noqa: T201 - as Python does
    return 1


@dataclass
class _Caught:
    """What was written to standard output and standard error, and the status."""

    status: int = -1
    out: str = ""
    err: str = ""


@contextmanager
def _caught_output() -> Iterator[_Caught]:
    """Catch what is written, also by child processes; there is nothing to read from standard input."""
    caught = _Caught()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        Path(os.devnull).open(encoding="utf-8") as nothing,
        ExitStack() as restoring,
    ):
        for number, file in enumerate((nothing, out, err)):
            kept = os.dup(number)
            restoring.callback(os.close, kept)
            restoring.callback(os.dup2, kept, number)
            os.dup2(file.fileno(), number)
        restoring.enter_context(mock.patch.multiple(sys, stdin=nothing, stdout=out, stderr=err))
        yield caught
        for file in (out, err):
            file.flush()
            file.seek(0)
        caught.out, caught.err = out.read(), err.read()


@contextmanager
def _process_state(cwd: Path, variables: Mapping[str, str], argv: list[str]) -> Iterator[None]:
    """Give this process the state of a new one, and its own back afterwards."""
    mask = os.umask(0)
    os.umask(mask)
    with (
        chdir(cwd),
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.multiple(sys, argv=argv, dont_write_bytecode=sys.dont_write_bytecode),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        time.tzset()
        try:
            yield
        finally:
            os.umask(mask)
    time.tzset()


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


HISTORY = "logs/maintenance_history.jsonl"


def recorded(project: Path, task: str | None = None) -> list[dict[str, Any]]:
    """Return the runs in the history of the project, of one procedure or of all."""
    path = project / HISTORY
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [each for each in entries if each["kind"] == "run" and task in {None, each["task"]}]


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
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, "it ended before it could be stopped in the middle"
        assert time.monotonic() < deadline, "what should have happened did not"
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
