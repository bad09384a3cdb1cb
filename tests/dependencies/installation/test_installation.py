from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from tasks.dependencies.environment import Environment
from tasks.dependencies.installation.installers import build_wheels, install_wheels, make_environment
from tasks.dependencies.installation.package_managers import Pip, Refusal
from tasks.dependencies.installation.resolvers import IndexOptions, resolve
from tasks.dependencies.installation.smoke_test import SmokeResult, run_smoke_test


def environment(folder: Path) -> Environment:
    return Environment(
        python=folder / "bin/python",
        origin="a test",
        version="3.11.7",
        prefix=folder,
        virtual=True,
        runs_suite=False,
        folders=(folder / "lib",),
        scripts=folder / "bin",
        index_url=None,
        packages={},
    )


def pip(folder: Path, script: str, *, seconds: float = 60, stop: Event | None = None) -> Pip:
    """Return a pip whose interpreter is a shell script."""
    python = folder / "bin/python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)

    def redact(text: str) -> str:
        return text.replace("hunter2", "[redacted]")

    return Pip(environment(folder), folder, os.environ, seconds, redact, stop or Event())


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'pip 22.3 from /x (python 3.11)'", None),
        ("echo 'pip 26.0.1 from /x (python 3.11)'", None),
        (
            "echo 'pip 22.2.2 from /x (python 3.11)'",
            "The project's pip is 22.2.2; an update needs 22.3 or a later one.",
        ),
        ("echo 'x: No module named pip' >&2; exit 1", "The project's environment has no pip."),
        ("echo 'ERROR: it broke: hunter2' >&2; exit 1", "The project's pip does not work: it broke: [redacted]."),
        ("exit 3", "The project's pip does not work: pip ended with status 3."),
        ("echo hello", "The project's pip does not work: pip ended with status 0."),
    ],
)
def test_whether_a_pip_can_be_used(tmp_path: Path, script: str, message: str | None) -> None:
    refusal = pip(tmp_path, script).usable()
    assert (refusal.message if refusal else None) == message
    assert refusal is None or refusal.remedy.startswith(f"{tmp_path}/bin/python -m ")


def test_a_pip_that_is_not_there_or_does_not_end(tmp_path: Path) -> None:
    slow = pip(tmp_path, "sleep 60", seconds=0.3)
    refusal = slow.usable()
    assert refusal is not None
    assert "pip had not ended within 300 ms" in refusal.message
    stop = Event()
    stop.set()
    refusal = slow._replace(stop=stop).usable()
    assert refusal is not None
    assert "it was told to stop" in refusal.message
    (tmp_path / "bin/python").unlink()
    refusal = slow.usable()
    assert refusal is not None
    assert "cannot be started" in refusal.message


def test_the_cause_of_a_failure_is_what_pip_calls_an_error(tmp_path: Path) -> None:
    errors = "WARNING: old\n  noise\nERROR: first\nERROR: second.\nhint: x"
    refusal = resolve(pip(tmp_path, f"cat >&2 <<'E'\n{errors}\nE\nexit 1"), [], [], IndexOptions())
    assert isinstance(refusal, Refusal)
    assert refusal.message == "What to install could not be found out: first second."
    last = resolve(pip(tmp_path, "printf 'a\\nb\\nc\\nd\\n' >&2; exit 1"), [], [], IndexOptions())
    assert isinstance(last, Refusal)
    assert last.message.endswith(": b c d.")


def test_a_conflict_is_told_in_pips_words(tmp_path: Path) -> None:
    errors = (
        "ERROR: Cannot install a\n\nThe conflict is caused by:\n    a 1 depends on b<2\n    The user requested b==2\n\n"
        "To fix this\nERROR: ResolutionImpossible: for help visit"
    )
    refusal = resolve(pip(tmp_path, f"cat >&2 <<'E'\n{errors}\nE\nexit 1"), [], [], IndexOptions())
    assert isinstance(refusal, Refusal)
    assert "everybody who asks for them: a 1 depends on b<2; The user requested b==2." in refusal.message


def test_a_report_that_cannot_be_read(tmp_path: Path) -> None:
    refusal = resolve(pip(tmp_path, "exit 0"), [], [], IndexOptions())
    assert isinstance(refusal, Refusal)
    assert "pip's report cannot be read" in refusal.message


def test_where_pip_looks() -> None:
    assert IndexOptions(("--pre", "-i https://a"), "https://b").lines() == [
        "--pre",
        "-i https://a",
        "--index-url https://b",
    ]
    assert IndexOptions().lines() == []


def test_steps_that_fail_say_which(tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    broken = pip(tmp_path, "echo 'ERROR: no' >&2; exit 1")
    refusals = (
        build_wheels(broken, {"a": "1"}, house, IndexOptions()),
        make_environment(broken, {"a": "1"}, [], house, tmp_path / "fresh"),
        install_wheels(broken, {"a": "1"}, house),
    )
    messages = [refusal.message for refusal in refusals if isinstance(refusal, Refusal)]
    assert messages == [
        "The packages could not be fetched or built: no.",
        "No fresh environment could be made: no.",
        "Installing into the live environment failed: no.",
    ]
    half = pip(tmp_path, 'case "$*" in *venv*) exit 0;; esac\necho "ERROR: no" >&2; exit 1')
    refusal = make_environment(half, {"a": "1"}, [], house, tmp_path / "fresh")
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("The packages could not be installed in a fresh environment")


def smoked(folder: Path, command: str, environ: Mapping[str, str] | None = None, *, seconds: float = 60) -> SmokeResult:
    def redact(text: str) -> str:
        return text.replace("hunter2", "[redacted]")

    return run_smoke_test(
        command,
        environment(folder),
        folder,
        environ=os.environ if environ is None else environ,
        deadline_seconds=seconds,
        redact=redact,
        stop=Event(),
    )


def test_the_smoke_command_runs_in_the_root_with_the_environment_active(tmp_path: Path) -> None:
    tool = tmp_path / "bin/tool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho "$PWD $VIRTUAL_ENV $PYTHONDONTWRITEBYTECODE $PYTHONHOME" > seen\n')
    tool.chmod(0o755)
    assert smoked(tmp_path, "tool", {**os.environ, "PYTHONHOME": "/x"}) == SmokeResult(passed=True, message="it passed")
    assert (tmp_path / "seen").read_text().split() == [str(tmp_path), str(tmp_path), "1"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sh -c 'echo hunter2 is wrong >&2; exit 4'", "it ended with status 4: [redacted] is wrong"),
        ("sh -c 'exit 4'", "it ended with status 4"),
        ("sh -c 'kill -9 $$'", "it ended with status -9"),
        ("no-such-program", "no-such-program cannot be started: No such file or directory"),
    ],
)
def test_a_smoke_test_that_fails(tmp_path: Path, command: str, message: str) -> None:
    assert smoked(tmp_path, command) == SmokeResult(passed=False, message=message)


def test_a_smoke_test_that_hangs(tmp_path: Path) -> None:
    message = smoked(tmp_path, "sleep 60", seconds=0.3).message
    assert message == "it had not ended within 300 ms, and was ended"
