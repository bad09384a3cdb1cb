"""Stand-ins for restic and borg: a real program on PATH that answers as it is told to."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import msgspec
import pytest

from tasks.backups.offsite.offsite_verification import verify_offsite
from tasks.core.report.model import Report, Status
from tasks.core.secrets.keys import Key
from tasks.core.secrets.redaction import redactor
from tasks.core.settings.all_settings import defaults
from tasks.core.settings.model import Settings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PASSWORD = "correct-horse-battery"  # noqa: S105 - of no repository

_STAND_IN = """#!{python} -IS
import json, os, sys, time
from pathlib import Path
here, words = Path(__file__).parent, sys.argv[1:]
said = {{name: text for name, text in os.environ.items() if name.startswith(("RESTIC", "BORG"))}}
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([Path(__file__).name, words, said]) + "\\n")
answers = json.loads((here / "answers.json").read_text())
answer = next((answer for word, answer in answers.items() if set(word.split()) <= set(words)), {{}})
for name, text in answer.get("files", {{}}).items():
    path = Path(words[words.index("--target") + 1] if "--target" in words else ".", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.parent.chmod(answer.get("mode", 0o755))
sys.stdout.write(answer.get("out", ""))
sys.stderr.write(answer.get("err", ""))
sys.stdout.flush()
time.sleep(answer.get("seconds", 0))
sys.exit(answer.get("status", 0))
"""


class Programs:
    """The stand-ins, what they answer, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PATH": str(folder)}

    def install(self, *names: str, **answers: Mapping[str, Any]) -> None:
        """Put programs in their folder; *answers* are given by the words of a call, the first that fits."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "answers.json").write_text(json.dumps(answers))
        for name in names:
            (self.folder / name).write_text(_STAND_IN.format(python=sys.executable))
            (self.folder / name).chmod(0o755)

    def calls(self) -> list[list[str]]:
        """Return the arguments of each call."""
        return [words for _, words, _ in map(json.loads, (self.folder / "calls").read_text().splitlines())]

    def environments(self) -> list[dict[str, str]]:
        """Return what each call was given of the programs' own variables."""
        return [variables for _, _, variables in map(json.loads, (self.folder / "calls").read_text().splitlines())]


class Verify(Protocol):
    """Calls what is tested."""

    def __call__(self, *, dry_run: bool = False, stop: Event | None = None, **backups: Any) -> Report:
        """Verify with these settings of backups."""
        ...


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """No program as yet."""
    return Programs(tmp_path / "bin")


@pytest.fixture
def verify(root: Path, programs: Programs) -> Verify:
    """Verify the project's backups elsewhere with the stand-ins."""

    def call(*, dry_run: bool = False, stop: Event | None = None, **backups: Any) -> Report:
        tree = defaults()
        tree["backups"] |= backups
        return verify_offsite(
            msgspec.convert(tree | {"root": str(root)}, Settings),
            environ=programs.environ,
            keys={"FILED": Key(PASSWORD, ".env"), "RESTIC_PASSWORD": Key("", "", "is set nowhere")},
            redact=redactor([PASSWORD]),
            now=NOW,
            stop=stop or Event(),
            dry_run=dry_run,
            advance=lambda _count: None,
        )

    return call


def findings_of(report: Report, check: str) -> list[tuple[Status, str]]:
    """Return the status and the message of the findings of a check."""
    return [(each.status, each.message) for each in report.findings if each.check == f"backup.{check}"]
