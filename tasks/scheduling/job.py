"""What the machine is to start once a day: a command that needs nothing of the shell in which it was installed.

What holds only in that shell, settings and keys, is reported when the job is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import UserError
from ..core.report.model import Finding, Status
from ..core.secrets.keys import Key
from ..core.settings.model import Settings
from ..core.text.formatting import printable

_PROGRAMS = ("git", "uv", "restic", "borg")
"""What procedures start by its name."""

_PLACES = ("/usr/local/bin", "/usr/bin", "/bin")
"""Where programs are looked for besides."""


class Job(NamedTuple):
    """A command and when it is to run.

    Attributes:
        name: of the project's own, so that two projects on one machine keep out of each other's way.
        title: what it does, for people.
        command: the program, by its absolute path, and its arguments.
        environ: the variables that it needs.
        minute: of the day, from 0.
        delay_minutes: up to so much later.
        trial: the command with arguments that change nothing: it starts where the command does.
    """

    name: str
    title: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    minute: int
    delay_minutes: int
    trial: tuple[str, ...] = ()

    @property
    def fixed_minute(self) -> int:
        """The minute for what knows no random delay: one within the delay that is always the same for the project."""
        return self.minute + int(self.name.rpartition("-")[2], 16) % (self.delay_minutes + 1)


def name_of(root: Path) -> str:
    """Return the name of a project's job: its folder's name, and a hash of its whole path."""
    slug = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40] or "project"
    return f"maintenance-{slug}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}"


class Start(NamedTuple):
    """How the suite is started in a project.

    Attributes:
        python: the interpreter that has Invoke and the suite, by its absolute path.
        folder: where ``tasks.py`` lies.
        module: what Python runs: ``invoke``, or ``fabric``.
        script: what it runs in the place of that, by its absolute path: a program that brings its tasks with it.
        collection: the name of the module with the tasks, where it is not the usual one.
        file: the settings file that was given, by its absolute path.
    """

    python: str
    folder: Path
    module: str = "invoke"
    script: str = ""
    collection: str = ""
    file: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The program and the flags before the task."""
        flags = (("-c", self.collection), ("-f", self.file))
        given = [word for flag, value in flags if value for word in (flag, value)]
        if self.script:
            return (self.python, "-P", self.script, *given)
        return (self.python, "-P", "-m", self.module, "-r", str(self.folder), *given)


def job_for(settings: Settings, *, start: Start, task: str, which: Callable[[str], str | None]) -> Job:
    """Return the job of a project.

    The interpreter runs Invoke as a module: that works wherever its own scripts lie, and with ``-P`` no file of the
    folder it is started in takes the place of one of Python's.

    Args:
        settings: the project's settings, ``root`` absolute.
        start: how the suite is started.
        task: the full name of what is to run.
        which: finds a program by its name.

    Raises:
        UserError: a path holds characters that no crontab or unit can hold.
    """
    found = [os.path.dirname(path) for name in _PROGRAMS if (path := which(name))]  # noqa: PTH120 - text to text
    places = dict.fromkeys([str(Path(start.python).parent), *found, *_PLACES])
    command = (*start.command, task, "--quiet")
    environ = {"INVOKE_MAINTENANCE_ROOT": settings.root, "PATH": os.pathsep.join(places)}
    for text in (*command, *environ.values()):
        if not text.isprintable():
            raise UserError(
                f"The path {printable(text)} has characters in it that no schedule can hold. Rename the folder."
            )
    hour, minute = map(int, settings.schedule.at.split(":"))
    return Job(
        name=name_of(Path(settings.root)),
        title=f"Maintenance of {settings.root}: what is due",
        command=command,
        environ=environ,
        minute=hour * 60 + minute,
        delay_minutes=settings.schedule.random_delay_minutes,
        trial=(*start.command, task, "--dry-run"),
    )


def clock(minute: int) -> str:
    """Return a minute of the day as a clock shows it: ``03:17``."""
    return f"{minute // 60:02}:{minute % 60:02}"


_CARRIED = {("root",), ("output",)}
"""Settings that the job carries, and those that are about what is printed now."""


def missing_later(
    origins: Mapping[tuple[str, ...], str], keys: Mapping[str, Key], kept: Mapping[str, Key]
) -> Iterator[Finding]:
    """Yield a warning on settings, and one on keys, that will not be there.

    Args:
        origins: where the value of each setting comes from, by its path.
        keys: the keys that hold now, by their variables.
        kept: those that the project's ``.env`` has.
    """
    settings = [
        ".".join(("maintenance", *path))
        for path, origin in origins.items()
        if path not in _CARRIED and origin.startswith("environment ")
    ]
    if settings:
        yield _warning("settings", settings, "Write them into invoke.yaml.")
    names = [name for name, key in keys.items() if key.source == "environment" and key.value and not kept[name].value]
    if names:
        yield _warning("keys", names, "Write them into the project's .env.")


def _warning(subject: str, names: Sequence[str], remedy: str) -> Finding:
    return Finding(
        check="schedule.outside",
        subject=subject,
        status=Status.WARNING,
        message=f"They hold in this shell and not when the schedule runs: {', '.join(names)}.",
        remedy=remedy,
    )
