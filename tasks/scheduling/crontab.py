"""The job as a line of the user's crontab, between two lines that mark it; every other byte stays as it is."""

from __future__ import annotations

import shlex

from ..core.errors import UserError
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
