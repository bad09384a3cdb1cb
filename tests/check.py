"""The test commands, from the folder of the repository.

- ``python -m tests.check``: linter, formatter, types, import contracts, and every test that needs no process,
  environment or Debian program of its own. Takes minutes and needs nothing but Python.
- ``python -m tests.check --all``: everything, with coverage; end-to-end tests also under the oldest Invoke,
  the fast tests also under the other Pythons of this machine, and the mutation check of what has changed.
- ``python -m tests.check --mutation``: the whole mutation check.

Every command runs, whatever the others find. The status is 1 where one of them failed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_BIN = Path(sys.executable).parent
_PYTHON = shlex.quote(sys.executable)

_STATIC = ("ruff check .", "ruff format --check .", "mypy tasks tests", "mypy tasks.py", "lint-imports")
# Three processes for two cores, as a third of the time of a test is spent waiting for the disk and each has to collect
# them all; four where the slow ones are among them, which wait for their own processes.
_PYTEST = "pytest --quiet --dist worksteal --numprocesses"
_COLLECT = "pytest --quiet --collect-only"
# `--all` tries four times as many examples of each property.
_FAST = f"{_PYTEST} 3 --hypothesis-profile quick -m 'not slow'"
_WHOLE = f"{_PYTEST} 4 --cov --cov-report=term"

_OLDEST_INVOKE = "2.2.1"
_UNDER_OLDEST_INVOKE = f"{_PYTEST} 3 tests/end_to_end -m 'not slow or invoke'"

PROGRAMS = (
    *("borg", "git", "logrotate", "openssl", "pigz", "restic", "setpriv", "strace", "systemd-analyze", "unshare"),
)
"""Tests skip what needs one of these where it is missing. ``.ci/run`` installs them."""

_OLDEST_PYTHON, _NEWEST_PYTHON = 11, 13
"""The minor versions that the project supports by name; newer ones are tried where they are found."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the commands that were asked for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.check", description=__doc__.partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--all", action="store_true", help="everything, as it runs before a change lands")
    choice.add_argument("--mutation", action="store_true", help="the whole mutation check")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    with _shared_bytecode():
        failed = [*_mutation()] if chosen.mutation else [*_everything()] if chosen.all else [*_short()]
    print(f"\nFailed: {'; '.join(failed)}." if failed else "\nAll checks passed.")
    print(f"{time.monotonic() - started:.0f} s in all")
    return 1 if failed else 0


def _short() -> Iterator[str]:
    """Yield the commands that failed of those that a change needs."""
    yield from _static()
    yield from _run(_FAST)


def _everything() -> Iterator[str]:
    """Yield what failed of everything."""
    yield from _programs()
    yield from _static()
    yield from _run(_WHOLE)
    yield from _oldest_invoke()
    yield from _other_pythons()
    if find_spec("tests.mutation") is not None:
        yield from _mutation("--changed")


@contextmanager
def _shared_bytecode() -> Iterator[None]:
    """Let all commands share compiled modules, also where ``PYTHONDONTWRITEBYTECODE`` is set.

    Otherwise each process of the tests compiles all of them, which takes some 15 s of its processor time.
    """
    with tempfile.TemporaryDirectory(prefix="bytecode-") as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        yield


def _static() -> Iterator[str]:
    """Yield what failed of what runs no test; beside it, on another core, the tests are compiled."""
    program, *arguments = shlex.split(_COLLECT)
    # What it would find, pytest finds again.
    compiling = subprocess.Popen([_BIN / program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for command in _STATIC:
            yield from _run(command)
    finally:
        compiling.wait()


def _mutation(*flags: str) -> Iterator[str]:
    """Yield the mutation check where it failed; ``--changed`` limits it to what has changed since its record."""
    yield from _run(shlex.join([sys.executable, "-m", "tests.mutation", *flags]))


def _programs() -> Iterator[str]:
    """Name the programs whose tests will be skipped; that is a failure where ``CI=true``."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    missing = [name for name in PROGRAMS if shutil.which(name, path=folders) is None]
    if missing:
        print(f"Not installed, so that their tests are skipped: {', '.join(missing)}.", flush=True)
        if os.environ.get("CI") == "true":
            yield f"not installed: {', '.join(missing)}"


def _oldest_invoke() -> Iterator[str]:
    """Run the end-to-end tests that are fast, and those of Invoke itself, under the oldest one that is supported."""
    with tempfile.TemporaryDirectory() as folder:
        install = f"{_PYTHON} -m pip install --quiet --no-deps --target {folder} invoke=={_OLDEST_INVOKE}"
        version = f"import invoke; assert invoke.__version__ == {_OLDEST_INVOKE!r}, invoke.__version__"
        path = {"PYTHONPATH": folder}
        for command, environment in (
            (install, {}),
            (shlex.join([sys.executable, "-c", version]), path),
            (_UNDER_OLDEST_INVOKE, path),
        ):
            failed = [*_run(command, environment)]
            yield from failed
            if failed:
                return


def _other_pythons() -> Iterator[str]:
    """Run the fast tests under each other Python of this machine, in an environment of its own."""
    own = sys.version_info.minor
    for minor in range(_OLDEST_PYTHON, 100):
        python = None if minor == own else _python(minor)
        if python is None:
            if minor != own and minor <= _NEWEST_PYTHON:
                print(f"\nPython 3.{minor} is not on this machine: not tested under it.", flush=True)
            if minor > _NEWEST_PYTHON:
                return
            continue
        with tempfile.TemporaryDirectory() as folder:
            environment = shlex.quote(str(Path(folder) / f"python3.{minor}"))
            for command in (
                f"{shlex.quote(str(python))} -m venv {environment}",
                f"{environment}/bin/python -m pip install --quiet '.[test]'",
                f"{environment}/bin/{_FAST}",
            ):
                failed = [*_run(command)]
                yield from failed
                if failed:
                    break


def _python(minor: int) -> Path | None:
    """Return a Python 3 of this minor version, from PATH, pyenv or uv; none is downloaded."""
    for candidate in _candidates(f"python3.{minor}"):
        # A shim of pyenv is there even where its Python is not chosen, and fails.
        ask = [str(candidate), "-c", "import sys; print(sys.version_info.minor)"]
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        if (done.returncode, done.stdout.strip()) == (0, str(minor)):
            return candidate
    return None


def _candidates(name: str) -> Iterator[Path]:
    if found := shutil.which(name):
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/*/bin/{name}"))
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is not None:
        ask = [uv, "python", "find", "--no-python-downloads", "--no-project", "--system", name.removeprefix("python")]
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            yield Path(done.stdout.strip())


def _run(command: str, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Run one command, print how long it took, and yield it where it failed."""
    print(f"\n$ {command}", flush=True)
    program, *arguments = shlex.split(command)
    started = time.monotonic()
    variables = {**os.environ, **(environment or {})}
    status = subprocess.run([_BIN / program, *arguments], env=variables, check=False).returncode
    print(f"  status {status} after {time.monotonic() - started:.1f} s", flush=True)
    if status:
        yield command


if __name__ == "__main__":
    sys.exit(main())
