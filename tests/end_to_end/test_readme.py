"""Every command of the README is run, and the output that it shows is what is printed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Inv

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line.strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
SETUP = [command for command in COMMANDS if "venv" in command]


def test_the_two_commands_at_the_top_are_what_ci_runs() -> None:
    ci = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert len(SETUP) == 2
    assert "inv demo" in SETUP[0]
    assert "[test]" in SETUP[1]
    assert {SETUP[0], f"{SETUP[1]} --all"} <= set(ci)


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in SETUP])
def test_a_command_of_the_readme_runs(command: str, copy: Path, project: Path, environment: dict[str, str]) -> None:
    # The machine may be busy, there is no provider, no environment and no backup: none of that is about the command.
    own = {"INVOKE_MAINTENANCE_FAIL_ON": "never", "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}
    settings = copy / "invoke.yaml"
    settings.write_text(settings.read_text() + "maintenance: {providers: {deepseek: null, grok: null}}\n")
    done = subprocess.run(
        ["/bin/bash", "-c", command.replace("/srv/zbeam", str(project))],
        cwd=copy,
        env={**environment, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "did not run to its end" not in done.stdout


def test_the_settings_of_the_readme_can_be_used(inv: Inv, tmp_path: Path) -> None:
    texts = [textwrap.dedent(text) for language, text in BLOCKS if language == "yaml"]
    blocks = [text for text in texts if text.startswith("maintenance:")]
    assert len(blocks) == 6
    for number, settings in enumerate(blocks):
        file = tmp_path / f"readme-{number}.yaml"
        file.write_text(settings)
        assert inv("-f", str(file), "settings.check").status == 0


@pytest.mark.slow
def test_the_python_of_the_readme_runs(project: Path, environment: dict[str, str], library: Path) -> None:
    for code in (text for language, text in BLOCKS if language == "python"):
        done = subprocess.run(
            [sys.executable, "-c", code.replace("   from", "from").replace("/srv/zbeam", str(project))],
            env={**environment, "PYTHONPATH": str(library)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_output_in_the_readme_is_what_the_demo_prints(copy: Path, inv: Inv) -> None:
    match = re.search(r"<!-- output: inv demo -->\n```\n(.*?)```", README, re.DOTALL)
    assert match
    printed = comparable(inv("demo", cwd=copy, json=False).out)
    shown = [comparable(part) for part in match[1].split("…")]
    assert (printed[: len(shown[0])], printed[-len(shown[-1]) :]) == (shown[0], shown[-1])
    for part in shown[1:-1]:
        assert "\n".join(part) in "\n".join(printed)


def comparable(text: str) -> list[str]:
    """Return the lines of *text* without what differs from run to run and from machine to machine."""
    text = re.sub(r"score \d+ of 100, .*", "SCORE", text)  # the machine's disk has its part in it
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "MOMENT", text)
    text = re.sub(r"_\d{8}\.", "_DATE.", text)
    text = re.sub(r"\b\d{4}/\d\d\b", "MONTH", text)
    text = re.sub(r"in (?:\d+ min )?[\d.]+ m?s\b", "in N ms", text)
    text = re.sub(r"\d[\d.,]* (?:B|kB|MB)\b|[\d.]+%|Each of its [\d,]+ lines", "SIZE", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]
