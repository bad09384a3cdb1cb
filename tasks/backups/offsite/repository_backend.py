"""What every program that keeps a repository can do, how it is called, and what may go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol

import msgspec

from ...core.programs.processes import Ended, run, whole_lines
from ...core.report.model import Status
from ...core.secrets.redaction import shortened
from ...core.text.formatting import duration, printable


class Snapshot(NamedTuple):
    """One state that a repository holds.

    Attributes:
        name: what the program calls it.
        made: when it was made.
        of: what it was made of, as far as the program says: those of one machine and its paths have the same.
    """

    name: str
    made: datetime
    of: str = ""


class ListedFile(NamedTuple):
    """A regular file in a snapshot: its path without a leading slash, and its size in bytes."""

    path: str
    size: int


class Listing(NamedTuple):
    """The files of a snapshot; *cut* where there are more than were listed."""

    files: list[ListedFile]
    cut: bool


class Problem(NamedTuple):
    """Why something could not be done: as the end of a sentence, how bad that is, and what to do."""

    message: str
    status: Status
    remedy: str


class BackendFailed(Exception):
    """A program did not do what it was asked to."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ProgramCaller(NamedTuple):
    """Calls a program for one repository.

    Attributes:
        program: its name.
        location: of the repository, as the program takes it.
        variable: the environment variable that holds the password.
        missing: why no password is known; empty where one is, or the program finds it by itself.
        environ: the program's whole environment.
        folder: where it runs: the root.
        state: a temporary folder for what the program keeps about repositories, caches for one.
        deadline_seconds: how long each call may take.
        stop: ends it early.
        redact: takes secrets out of what it says.
    """

    program: str
    location: str
    variable: str
    missing: str
    environ: Mapping[str, str]
    folder: Path
    state: Path
    deadline_seconds: float
    stop: Event
    redact: Callable[[str], str]

    def __call__(self, *arguments: str | Path, folder: Path | None = None) -> Ended:
        """Run it and return how it ended."""
        return run(
            [self.program, *arguments],
            folder=folder or self.folder,
            environ=self.environ,
            deadline_seconds=self.deadline_seconds,
            stop=self.stop,
        )

    def failed(self, ended: Ended) -> BackendFailed:
        """Return what went wrong, in words."""
        if ended.problem is not None:
            return BackendFailed(Problem(ended.problem, Status.UNKNOWN, f"See that {self.program} can be run."))
        if self.stop.is_set():
            return BackendFailed(Problem("it was told to stop", Status.UNKNOWN, "Run this again."))
        if ended.overdue:
            message = f"{self.program} was not done after {duration(self.deadline_seconds)}"
            return BackendFailed(Problem(message, Status.UNKNOWN, "Raise deadline_seconds, or lower read_percent."))
        output = (ended.errors + ended.output).decode("utf-8", "replace")
        if self.missing and _PASSWORD.search(output):
            return BackendFailed(missing_password(self.variable, self.missing))
        for pattern, problem in _KNOWN.items():
            if pattern.search(output):
                values = {"program": self.program, "variable": self.variable}
                return BackendFailed(
                    Problem(problem.message.format(**values), problem.status, problem.remedy.format(**values))
                )
        words = shortened(printable(_most_telling_line(ended)), _LONGEST, self.redact)
        remedy = f"Look at it with {self.program} check; see that new backups are made elsewhere until it is well."
        message = f"{self.program} ended with status {ended.status}" + (f": {words}" if words else "")
        return BackendFailed(Problem(message, Status.CRITICAL, remedy))


def missing_password(variable: str, reason: str) -> Problem:
    """Return that a password is not there."""
    message = f"its password is missing: {variable} {reason}"
    return Problem(message, Status.UNKNOWN, f"Set {variable} to it, in the environment or in .env.")


class RepositoryBackend(Protocol):
    """What each program can do; a method that fails raises :class:`BackendFailed`."""

    def environment(self, environ: Mapping[str, str], password: str | None, state: Path) -> dict[str, str]:
        """Return the environment that it runs in; *password* is ``None`` where none is known."""

    def snapshots(self, call: ProgramCaller) -> list[Snapshot]:
        """Return the states that the repository holds, the newest first."""

    def check(self, call: ProgramCaller, part: int, of: int, *, read_only: bool) -> str:
        """Check the repository with its own program, and return what was checked, as the end of a sentence."""

    def listing(self, call: ProgramCaller, snapshot: Snapshot) -> Listing:
        """Return the files of a snapshot."""

    def restore(self, call: ProgramCaller, snapshot: Snapshot, paths: Sequence[str] | None, folder: Path) -> None:
        """Restore some files of a snapshot, or all of it, into a folder."""


def json_records(output: bytes) -> tuple[list[dict[str, object]], bool]:
    """Return the JSON objects of a text, one a line, and whether the first of them is cut off."""
    found: list[dict[str, object]] = []
    cut = False
    for number, line in enumerate(output.splitlines()):
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            cut |= number == 0
        else:
            if isinstance(record, dict):
                found.append(record)
    return found, cut


def listed_file(record: Mapping[str, object]) -> ListedFile | None:
    """Return the file that a record of a listing is about; ``None`` where its name or size cannot be used."""
    path, size = record.get("path"), record.get("size", 0)
    if not isinstance(path, str) or not isinstance(size, int):
        return None
    path = path.removeprefix("/")
    # What has no character for a byte of its name has the mark of replacement, and cannot be asked for by name.
    usable = path.isprintable() and "\ufffd" not in path and not {"", ".", ".."} & {*path.split("/")}
    return ListedFile(path, size) if usable else None


_TELLING = re.compile(r"error|fatal|mismatch|corrupt|does not|cannot|not found|fail", re.IGNORECASE)


def _most_telling_line(ended: Ended) -> str:
    """Return the line that says most: the first about a fault that is no part of a traceback, or the last."""
    lines = whole_lines(ended.errors)
    telling = (line.strip() for line in lines if _TELLING.search(line) and not line.startswith(" "))
    return next(telling, ended.last_words())


_LONGEST = 300
"""Characters of a program's words that are quoted."""


_PASSWORD = re.compile(r"wrong password|passphrase supplied in .* is incorrect|empty password", re.IGNORECASE)

_KNOWN = {
    re.compile(words, re.IGNORECASE): problem
    for words, problem in (
        (
            r"no space left on device|disk quota exceeded|not enough space|\[Errno (?:28|122)\]",
            Problem("there is no room on the disk", Status.UNKNOWN, "Make room, then run this again."),
        ),
        (
            r"wrong password|passphrase supplied in .* is incorrect",
            Problem(
                "the password in {variable} is not that of the repository",
                Status.CRITICAL,
                "Set {variable} to it, in the environment or in .env: without it nothing can be restored.",
            ),
        ),
        (
            r"already locked|unable to create lock|Failed to create/acquire the lock",
            Problem(
                "it is locked: another {program} is at work in it, or one was killed",
                Status.UNKNOWN,
                "Run this again later; if nothing is at work there, {program} has a command that removes old locks.",
            ),
        ),
        (
            r"connection (?:refused|reset|closed|timed out)|no such host|unreachable|could not resolve|i/o timeout",
            Problem("it cannot be reached", Status.UNKNOWN, "See that its address is right and that it is running."),
        ),
        (
            r"permission denied",
            Problem("it may not be read", Status.UNKNOWN, "Run this as the user who makes those backups."),
        ),
        (
            r"unable to open config file|Repository .* does not exist|is not a valid repository",
            Problem(
                "there is no repository of {program} there",
                Status.CRITICAL,
                "See that location is right and that its disk is mounted.",
            ),
        ),
    )
}
