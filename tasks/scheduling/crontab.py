"""The job as a line of the user's crontab, read and written by the program of that name.

The line is between two lines that mark it, and every other byte stays as it is. python-crontab 3.4 does not keep them:
it reduces spaces, rewrites ranges such as ``0-7`` and lines that it cannot parse, drops carriage returns and variables
with spaces around ``=``, and fails at bytes that are no UTF-8.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..core.errors import UserError
from ..core.programs.processes import KEPT, Ended, run
from ..core.text.formatting import printable
from .job import Job


def block(job: Job) -> bytes:
    """Return the lines of a job. The variables stand in the command: a line of their own would hold for all others.

    In a command, cron takes ``%`` for the end of a line unless there is a backslash before it.
    """
    hour, minute = divmod(job.fixed_minute, 60)
    variables = [f"{name}={value}" for name, value in job.environ.items()]
    command = shlex.join(["/usr/bin/env", *variables, *job.command]).replace("%", "\\%")
    begin, end = _marks(job.name)
    return b"".join(
        line + b"\n"
        for line in (
            begin,
            f"# {job.title}. Written by inv schedule.install; inv schedule.uninstall removes it.".encode(),
            f"{minute} {hour} * * * {command}".encode(),
            end,
        )
    )


def with_block(table: bytes, job: Job) -> bytes:
    """Return a crontab with the job in it: in the place of what it had of this job, else at its end.

    A last line without an end is given one, for cron would not read it.

    Raises:
        UserError: only one of the two marks of this job is there.
    """
    before, old, after = _split(table, job.name)
    if old:
        return before + block(job) + without_block(after, job.name)
    return before + b"\n" * (not before.endswith(b"\n") and bool(before)) + block(job)


def without_block(table: bytes, name: str) -> bytes:
    """Return a crontab without the job of this name.

    Raises:
        UserError: only one of the two marks of this job is there.
    """
    before, old, after = _split(table, name)
    return before + without_block(after, name) if old else table


def _split(table: bytes, name: str) -> tuple[bytes, bytes, bytes]:
    """Return what is before the first block of this name, that block, and what is after it."""
    lines = table.splitlines(keepends=True)
    marks = [line.rstrip(b"\r\n") for line in lines]
    begin, end = _marks(name)
    if begin not in marks and end not in marks:
        return table, b"", b""
    first = marks.index(begin) if begin in marks else len(lines)
    last = next((place for place, mark in enumerate(marks) if mark == end), -1)
    if not first < last or begin in marks[first + 1 : last]:
        missing = (begin if end in marks[:first] else end).decode()
        raise UserError(
            f'The crontab has not the line "{missing}" where it was expected, so that nobody can tell what belongs to '
            "the job; nothing was changed. Delete what is left of it with crontab -e."
        )
    return b"".join(lines[:first]), b"".join(lines[first : last + 1]), b"".join(lines[last + 1 :])


def _marks(name: str) -> tuple[bytes, bytes]:
    return f"# BEGIN {name}".encode(), f"# END {name}".encode()


_NONE_YET = re.compile(r"no crontab|No such file", re.IGNORECASE)
"""What the program says where the user has none; BusyBox says it in its own way."""

_SECONDS = 30


def read_table(environ: Mapping[str, str]) -> bytes:
    """Return the user's crontab; empty where there is none.

    Args:
        environ: the environment.

    Raises:
        UserError: the program is missing, or does not say; then nobody may write one either.
    """
    ended = _crontab("-l", environ)
    if not ended.succeeded and not (ended.status and _NONE_YET.search(ended.last_words())):
        raise UserError(f"The crontab cannot be read: {_reason(ended)}. Nothing was changed.")
    if len(ended.output) >= KEPT:
        raise UserError(f"The crontab has {KEPT:,} bytes or more, which is no crontab. Nothing was changed.")
    return ended.output if ended.succeeded else b""


def write_table(table: bytes, environ: Mapping[str, str]) -> None:
    """Make *table* the user's crontab, and see that it is.

    Raises:
        UserError: the program does not take it, or what it holds afterwards is something else.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(table)
        file.flush()
        ended = _crontab(file.name, environ)
    if not ended.succeeded:
        raise UserError(f"The crontab cannot be written: {_reason(ended)}. It is as it was.")
    if read_table(environ) != table:
        raise UserError("The crontab was written and now holds something else. Look at it with crontab -l.")


def _crontab(argument: str, environ: Mapping[str, str]) -> Ended:
    ended = run(["crontab", argument], folder=Path("/"), environ={**environ, "LC_ALL": "C"}, deadline_seconds=_SECONDS)
    if ended.problem is not None:
        raise UserError(
            f"{ended.problem}. Install cron, or use --systemd or --launchd where the machine has one of these."
        )
    return ended


def _reason(ended: Ended) -> str:
    if ended.overdue:
        return f"crontab did not end within {_SECONDS} s"
    return printable(ended.last_words().rstrip(".")) or f"crontab ended with {ended.status}"
