"""Four steps of a backup, by ours and by the peers: the first, one with nothing changed, verifying, restoring.

What a step needs is made before the clock starts. After it has stopped, what was backed up is restored and compared
with the project, byte by byte, so that a program that failed cannot count as a fast one.
"""

from __future__ import annotations

import filecmp
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from .entry import Side
from .log_sides import SETTINGS
from .process import Command, Outcome, run
from .programs import program
from .project_files import SOURCES, ProjectFiles
from .suite import inv

RESTORED = "restored"
"""The folder that a backup is restored into, below the project."""

_PASSWORD = secrets.token_urlsafe()
"""Of the repositories of this run; a program gets it in its environment."""


class Step(Enum):
    """What is measured; the value is for people."""

    FIRST = "the first backup"
    AGAIN = "a backup with nothing changed"
    VERIFY = "verifying a backup"
    RESTORE = "restoring a backup"


class Program(Protocol):
    """Backs up a project, and keeps everything below it."""

    @property
    def name(self) -> str:
        """Its name, and that of the folder that it may use."""
        ...

    def command(self, project: Path, step: Step) -> Command:
        """Return what to run for a step.

        Raises:
            NotInstalled: the program is missing.
        """
        ...

    def label(self, step: Step) -> str:
        """Return what runs in a step, for people."""
        ...

    def begin(self, project: Path) -> None:
        """Remove every backup, and make what the first one needs."""
        ...

    def unpack(self, project: Path) -> Command:
        """Return what puts the newest backup into the empty folder for restored files, to check it."""
        ...

    def problem(self, step: Step, number: int, outcome: Outcome) -> str | None:
        """Return what the program says against a step that ended well; ``None`` where it did all files.

        Args:
            step: which one.
            number: of the project's files.
            outcome: with what the program said.
        """
        ...


def side(backup: Program, step: Step, files: ProjectFiles) -> Side:
    """Return the side of a program in a step."""

    def before(project: Path) -> None:
        _empty(project)
        made = project / f"made-by-{backup.name}"
        if step is Step.FIRST:
            backup.begin(project)
        elif not made.exists():
            backup.begin(project)
            run(backup.command(project, Step.FIRST))
            made.touch()
        subprocess.run(["/bin/sync"], check=True)

    def problem(project: Path, outcome: Outcome) -> str | None:
        reason = backup.problem(step, files.number, outcome)
        if reason or step is Step.VERIFY:
            return reason
        if step is not Step.RESTORE:
            _empty(project)
            if status := run(backup.unpack(project)).status:
                return f"made a backup that cannot be restored: that ends with status {status}"
        return difference(project)

    return Side(backup.label(step), files, lambda project: backup.command(project, step), problem, before)


def _empty(project: Path) -> None:
    shutil.rmtree(project / RESTORED, ignore_errors=True)
    (project / RESTORED).mkdir()


def difference(project: Path) -> str | None:
    """Return how the restored files differ from the project's; ``None`` where names and bytes are the same."""
    there, restored = {*_files(project)}, {*_files(project / RESTORED)}
    if there != restored:
        missing, more = len(there - restored), len(restored - there)
        return f"{missing:,} of {len(there):,} files are missing once restored, and {more:,} were never there"
    for path in there:
        if not filecmp.cmp(project / path, project / RESTORED / path, shallow=False):
            return f"{path} is not the same once restored"
    return None


def _files(folder: Path) -> Iterator[str]:
    """Yield the paths of the files that the sources hold below *folder*."""
    for source in SOURCES:
        if (folder / source).is_file():
            yield source
        for parent, _, names in os.walk(folder / source):
            yield from (os.path.relpath(os.path.join(parent, name), folder) for name in names)  # noqa: PTH118 - quick


@dataclass(frozen=True, slots=True)
class Ours:
    """``inv``, as the project comes."""

    name: str = "inv"

    def command(self, project: Path, step: Step) -> Command:
        """Return what to run for a step."""
        return inv(*_OURS[step], root=project, settings=SETTINGS)

    def label(self, step: Step) -> str:
        """Return what runs in a step."""
        return f"inv {_OURS[step][0]}"

    def begin(self, project: Path) -> None:
        """Remove the archives, and the suite's own files in the logs, which would be backed up as well."""
        shutil.rmtree(project / "backups", ignore_errors=True)
        shutil.rmtree(project / "logs", ignore_errors=True)

    def unpack(self, project: Path) -> Command:
        """Return ``tar``, which knows nothing of the suite."""
        (archive,) = (project / "backups").glob("*.tar.gz")
        return Command((program("tar"), "-xzf", archive), project / RESTORED)

    def problem(self, step: Step, number: int, outcome: Outcome) -> str | None:
        """Return what the report says against a step."""
        (report,) = json.loads(outcome.output)["reports"]
        summary = str(report["summary"])
        if step is Step.AGAIN:
            return None if summary.startswith("nothing changed; ") else f"reported {summary!r}"
        if step is not Step.VERIFY:
            return None if summary.startswith(f"{number:,} files of ") else f"reported {summary!r}"
        messages = [each["message"] for each in report["findings"] if each["check"] == "backup.verified"]
        whole = re.compile(rf"Restored: {number:,} files, each as it was saved\.")
        return None if len(messages) == 1 and whole.match(messages[0]) else f"reported {messages}"


_OURS = {
    Step.FIRST: ("backup.create",),
    Step.AGAIN: ("backup.create",),
    Step.VERIFY: ("quarterly.backup-verification",),
    Step.RESTORE: ("backup.restore", "--into", RESTORED),
}


@dataclass(frozen=True, slots=True)
class Restic:
    """restic, with a repository and a cache below the project."""

    name: str = "restic"

    def command(self, project: Path, step: Step) -> Command:
        """Return what to run for a step."""
        return self._command(project, *_RESTIC[step])

    def label(self, step: Step) -> str:
        """Return what runs in a step."""
        return "restic check --read-data" if step is Step.VERIFY else f"restic {_RESTIC[step][0]}"

    def begin(self, project: Path) -> None:
        """Make a new repository."""
        shutil.rmtree(project / self.name, ignore_errors=True)
        run(self._command(project, "init"))

    def unpack(self, project: Path) -> Command:
        """Return its own restore."""
        return self.command(project, Step.RESTORE)

    def problem(self, step: Step, number: int, outcome: Outcome) -> str | None:
        """Return what restic's summary says against a step."""
        expected = {
            Step.FIRST: rf"^Files: +{number} new, +0 changed, +0 unmodified$",
            Step.AGAIN: rf"^Files: +0 new, +0 changed, +{number} unmodified$",
            Step.VERIFY: r"^read all data$(?s:.*)^no errors were found$",
            Step.RESTORE: "",
        }[step]
        return _unless_said(expected, outcome.output)

    def _command(self, project: Path, *arguments: str) -> Command:
        own = project / self.name
        environment = {"RESTIC_PASSWORD": _PASSWORD, "RESTIC_CACHE_DIR": str(own / "cache")}
        return Command((program(self.name), "--repo", own / "repository", *arguments), project, environment)


_RESTIC = {
    Step.FIRST: ("backup", *SOURCES),
    Step.AGAIN: ("backup", *SOURCES),
    Step.VERIFY: ("check", "--read-data"),
    Step.RESTORE: ("restore", "latest", "--target", RESTORED),
}


@dataclass(frozen=True, slots=True)
class Borg:
    """borg, with a repository that is not encrypted and its own files below the project."""

    name: str = "borg"

    def command(self, project: Path, step: Step) -> Command:
        """Return what to run for a step."""
        repository = self._repository(project)
        if step is Step.VERIFY:
            return self._command(project, "check", "--verify-data", "--info", repository)
        if step is Step.RESTORE:
            newest = run(self._command(project, "list", "--last", "1", "--short", repository)).output.decode().strip()
            restored = project / RESTORED  # it restores into the folder in which it runs
            return self._command(project, "extract", f"{repository}::{newest}", folder=restored)
        return self._command(project, "create", "--json", f"{repository}::{secrets.token_hex(8)}", *SOURCES)

    def label(self, step: Step) -> str:
        """Return what runs in a step."""
        names = {Step.VERIFY: "check --verify-data", Step.RESTORE: "extract"}
        return f"borg {names.get(step, 'create')}"

    def begin(self, project: Path) -> None:
        """Make a new repository."""
        shutil.rmtree(project / self.name, ignore_errors=True)
        (project / self.name).mkdir()
        run(self._command(project, "init", "--encryption", "none", self._repository(project)))

    def unpack(self, project: Path) -> Command:
        """Return its own restore."""
        return self.command(project, Step.RESTORE)

    def problem(self, step: Step, number: int, outcome: Outcome) -> str | None:
        """Return what borg's statistics say against a step."""
        if step is Step.VERIFY:
            return _unless_said(r"verified \d+ chunks with 0 integrity errors\.$", outcome.error)
        if step is Step.RESTORE:
            return None
        made = json.loads(outcome.output)["archive"]["stats"]
        if made["nfiles"] != number:
            return f"backed up {made['nfiles']:,} of {number:,} files"
        if step is Step.AGAIN and made["deduplicated_size"] * 10 > made["original_size"]:
            return f"stored {made['deduplicated_size']:,} bytes though nothing was changed"
        return None

    def _repository(self, project: Path) -> Path:
        return project / self.name / "repository"

    def _command(self, project: Path, *arguments: str | Path, folder: Path | None = None) -> Command:
        own = project / self.name
        # A user's own variables for the folders below would go before BORG_BASE_DIR.
        places = {f"BORG_{name}_DIR": str(own / name.lower()) for name in ("CACHE", "CONFIG", "SECURITY", "KEYS")}
        environment = {"BORG_BASE_DIR": str(own), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", **places}
        return Command((program(self.name), *arguments), folder or project, environment)


def _unless_said(pattern: str, said: bytes) -> str | None:
    text = said.decode(errors="replace")
    return None if re.search(pattern, text, re.MULTILINE) else f"said {text.strip()[-300:]!r}"
