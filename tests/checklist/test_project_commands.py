from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.checklist.gate import Answer, GateResult
from tasks.checklist.gates import command_gates
from tasks.checklist.project_commands import (
    Command,
    Commands,
    command_result,
    commands_for_linting,
    commands_for_tests,
    environment,
    last_lines,
    run_command,
)
from tasks.conventions.project_conventions import ProjectConventions
from tasks.core.programs.interpreter import Interpreter
from tasks.core.programs.processes import Ended
from tasks.core.settings.model import ReleaseSettings

COMMAND = Command(("tool", "--all"), "", "maintenance.release.test_command", {5: "it found no tests"})
PYTEST = Command(("python", "-m", "pytest"), "there are tests in tests", "maintenance.release.test_command")
NONE = Commands((), "settings of pytest", "maintenance.release.test_command")
PYTHON = Interpreter(Path(sys.executable))


def several(*commands: Command) -> Commands:
    return Commands(commands, "", "")


def meant(ended: Ended, command: Command = COMMAND, *, stopped: bool = False) -> GateResult:
    return command_result(
        command, ended, deadline_seconds=90, redact=lambda text: text.replace("secret", "***"), stopped=stopped
    )


@pytest.mark.parametrize(
    ("ended", "answer", "reason"),
    [
        (Ended(0, b"=== 12 passed ===\n"), Answer.GO, '"tool --all" passed: 12 passed.'),
        (Ended(0, b"", b"\x1b[32mAll well!\x1b[0m\n"), Answer.GO, '"tool --all" passed: All well.'),
        (Ended(0), Answer.GO, '"tool --all" passed.'),
        (Ended(0, b"a secret\n"), Answer.GO, '"tool --all" passed: a ***.'),
        (Ended(1), Answer.NO_GO, '"tool --all" ended with status 1.'),
        (Ended(-11), Answer.NO_GO, '"tool --all" was ended by signal 11.'),
        (Ended(5), Answer.NOT_CHECKED, '"tool --all": it found no tests.'),
        (
            Ended(-15, overdue=True),
            Answer.NO_GO,
            '"tool --all" had not ended within 1 min 30 s, and was ended with all that it started.',
        ),
        (Ended(None, problem="tool cannot be started: secret"), Answer.NOT_CHECKED, "tool cannot be started: ***."),
    ],
)
def test_how_it_ended_is_what_it_means(ended: Ended, answer: Answer, reason: str) -> None:
    result = meant(ended)
    assert (result.answer, result.reason) == (answer, reason)
    assert (result.remedy is None) == (answer is Answer.GO)


def test_what_was_told_to_stop_is_not_checked() -> None:
    result = meant(Ended(-15, overdue=True), stopped=True)
    assert (result.answer, result.reason) == (Answer.NOT_CHECKED, '"tool --all" was told to stop before it had ended.')
    assert meant(Ended(0), stopped=True).answer is Answer.GO


def test_a_module_that_is_not_installed_is_not_a_failed_test() -> None:
    result = meant(Ended(1, b"", b"/x/bin/python: No module named pytest\n"), PYTEST)
    assert result.answer is Answer.NOT_CHECKED
    assert result.reason == "There is no program pytest, but there are tests in tests."
    failed = meant(Ended(1, b"E  ModuleNotFoundError: No module named pytest_x\n"), PYTEST)
    assert failed.answer is Answer.NO_GO


def test_the_last_lines_of_both_streams_are_told_without_secrets() -> None:
    output = "".join(f"line {number}\n\n" for number in range(50)).encode()
    lines = last_lines(Ended(1, output, b"secret\x07 end  \n"), lambda text: text.replace("secret", "***"))
    assert len(lines) == 10
    assert lines[-2:] == ("line 49", r"***\x07 end")
    assert [len(line) for line in last_lines(Ended(1, b"x" * 5000 + b"\n"), str)] == [200]
    assert last_lines(Ended(1, b"y" * 100_000 + b"\nlast\n"), str) == ("last",)


def test_the_projects_environment_is_the_active_one() -> None:
    variables = environment(Path("/p/.venv/bin/python"), {"PATH": "/usr/bin", "PYTHONHOME": "/x", "VIRTUAL_ENV": "/y"})
    assert variables == {
        "PATH": "/p/.venv/bin:/usr/bin",
        "VIRTUAL_ENV": "/p/.venv",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert environment(None, {"VIRTUAL_ENV": "/y"}) == {"VIRTUAL_ENV": "/y", "PYTHONDONTWRITEBYTECODE": "1"}


def carried(root: Path, *words: str) -> GateResult:
    command = Command(words, "", "maintenance.release.lint_commands")
    path = {"PATH": os.environ["PATH"]}
    return run_command(command, root, environ=path, deadline_seconds=30, redact=str, stop=Event())


def test_a_program_runs_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "here").chmod(0o755)
    assert carried(tmp_path, "./here").reason == f'"here" passed: {tmp_path}.'
    assert carried(tmp_path, "sh", "-c", "exit 4").answer is Answer.NO_GO


def test_a_program_that_is_not_there_or_not_to_be_run(tmp_path: Path) -> None:
    (tmp_path / "text").touch()
    (tmp_path / "broken").write_text("no program\n")
    (tmp_path / "broken").chmod(0o755)
    for word in ("no-such-program", "./gone", "./text"):
        result = carried(tmp_path, word)
        assert (result.answer, result.reason) == (Answer.NOT_CHECKED, f"There is no program {word}.")
    result = carried(tmp_path, "./broken")
    assert result.answer is Answer.NOT_CHECKED
    assert "cannot be started: Exec format error" in result.reason


def test_the_gate_of_the_tests() -> None:
    go = GateResult(Answer.GO, "It passed.")
    assert command_gates.evaluate_tests(NONE, PYTHON, lambda _command: go).answer is Answer.SKIPPED
    assert command_gates.evaluate_tests(several(COMMAND), Interpreter(None), lambda _command: go) == go
    assert command_gates.evaluate_tests(several(PYTEST), PYTHON, lambda _command: go) == go
    nowhere = Interpreter(None, "No environment is known.", "Make one.")
    result = command_gates.evaluate_tests(several(PYTEST), nowhere, lambda _command: go)
    assert result[:3] == (
        Answer.NOT_CHECKED,
        "There are tests in tests. No environment is known.",
        "Make one.",
    )
    assert command_gates.evaluate_tests(several(COMMAND), PYTHON, None).reason == 'A dry run does not run "tool --all".'


def test_the_gate_of_the_linters() -> None:
    answers = {"a": GateResult(Answer.GO, "A."), "b": GateResult(Answer.NO_GO, "B.", "Mend it.", ("x",))}
    answers["c"] = GateResult(Answer.NOT_CHECKED, "C.")
    commands = [Command((name,), "", "s") for name in answers]

    def run(command: Command) -> GateResult:
        return answers[command.words[0]]

    assert command_gates.evaluate_linters(several(*commands), run) == GateResult(
        Answer.NO_GO, "B. C. A.", "Mend it.", ("x",)
    )
    assert command_gates.evaluate_linters(several(commands[0], commands[2]), run) == GateResult(
        Answer.NOT_CHECKED, "C. A."
    )
    assert command_gates.evaluate_linters(several(commands[0]), run) == GateResult(Answer.GO, "A.")
    assert command_gates.evaluate_linters(NONE, run).answer is Answer.SKIPPED
    assert command_gates.evaluate_linters(several(*commands), None).reason == 'A dry run does not run "a", "b", "c".'


@pytest.mark.parametrize("gate", [command_gates.evaluate_tests, command_gates.evaluate_linters])
def test_without_a_command_the_gate_does_not_apply_unless_files_were_left_out(gate: Any) -> None:
    arguments = (PYTHON, None) if gate is command_gates.evaluate_tests else (None,)
    skipped = gate(NONE, *arguments)
    assert (skipped.answer, skipped.remedy) == (Answer.SKIPPED, "Set maintenance.release.test_command.")
    assert skipped.reason.endswith("was found. Looked for settings of pytest.")
    cut = gate(NONE._replace(cut="the first 9 files were looked at"), *arguments)
    assert cut.answer is Answer.NOT_CHECKED
    assert cut.reason.endswith("but not every file was looked at: the first 9 files were looked at.")


# Which commands


def conventions(root: Path) -> ProjectConventions:
    return ProjectConventions(root, is_own=lambda _path: False, keys=())


def test_the_commands_are_those_of_the_projects_own_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n")
    (tests,) = commands_for_tests(ReleaseSettings(), conventions(tmp_path)).found
    assert (str(tests), tests.origin) == ('"python -m pytest -q"', "pyproject.toml configures pytest")
    assert tests.unanswered == {4: "it was called wrongly", 5: "it found no tests"}
    linters = commands_for_linting(ReleaseSettings(), conventions(tmp_path)).found
    assert [(str(each), each.origin, each.setting) for each in linters] == [
        ('"ruff check ."', "pyproject.toml configures ruff", "maintenance.release.lint_commands"),
        ('"mypy ."', "pyproject.toml configures mypy", "maintenance.release.lint_commands"),
    ]


def test_commands_of_the_settings_replace_those(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.ruff]\n")
    own = ReleaseSettings(test_command="make 'my test'", lint_commands=("one -x", "two"))
    (tests,) = commands_for_tests(own, conventions(tmp_path)).found
    assert (tests.words, tests.origin) == (("make", "my test"), "")
    found = commands_for_linting(own, conventions(tmp_path)).found
    assert [each.words for each in found] == [("one", "-x"), ("two",)]


def test_without_either_it_is_said_what_was_looked_for(tmp_path: Path) -> None:
    tests = commands_for_tests(ReleaseSettings(), conventions(tmp_path))
    assert (tests.found, tests.setting) == ((), "maintenance.release.test_command")
    assert tests.sought.startswith("settings of pytest")
    linters = commands_for_linting(ReleaseSettings(), conventions(tmp_path))
    assert (linters.found, linters.sought) == ((), "settings of ruff, mypy and flake8")
