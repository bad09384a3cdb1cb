"""What is reported of the files themselves: missing, misnamed, unreadable, or with values that only running shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, listed, printable
from .config_files import ConfigFiles, ReviewedFile
from .key_names import below
from .reading.parsed_document import SHOWN, Problem
from .reading.python_reader import Unknown
from .secret_values import without_secrets

_SHOWN = 5
"""Values of a module that are named."""


def file_findings(inventory: ConfigFiles, redact: Callable[[str], str], sought: str = "") -> Iterator[Finding]:
    """Yield what is wrong with files, and how many are well.

    Args:
        inventory: what was read.
        redact: takes secrets out of a text.
        sought: what else was looked for, as a clause.
    """
    if not inventory.present:
        names = [each.found.asked for each in inventory.files]
        message = f"There is no configuration here: {listed(names, len(names))}."
        message += f" Looked for {sought} as well." if sought else ""
        remedy = "Name its files in maintenance.configuration.files."
        yield _finding("present", "configuration", Status.SKIPPED, message, remedy)
        return
    for each in (*inventory.files, *inventory.components):
        if each.found.path is None:
            remedy = "Restore it, or take it out of maintenance.configuration.files."
            yield _finding("present", each.path, Status.UNKNOWN, "It is not there, so it was not reviewed.", remedy)
            continue
        yield from _case_findings(each)
        yield from (_problem(each, problem, redact) for problem in each.problems)
    if well := sum(each.readable and not each.problems for each in inventory.present):
        message = f"{count(well, 'file')} can be read, and nothing in {'it' if well == 1 else 'them'} is doubtful."
        yield _finding("readable", "files", Status.OK, message, None)


def unknown_findings(inventory: ConfigFiles) -> Iterator[Finding]:
    """Yield, for each settings module, the values that only running it would tell."""
    for each in inventory.present:
        unknown = [*unknown_values(each.value)]
        if unknown:
            described = [f"{path} (line {value.line}: {value.reason})" for path, value in unknown]
            message = f"{count(len(unknown), 'value')} that only running it would tell: {_listed(described)}."
            yield _finding("unknown-values", each.path, Status.OK, message, None)


def _listed(items: Sequence[str]) -> str:
    rest = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return f"{', '.join(items[:_SHOWN])}{rest}"


def _case_findings(each: ReviewedFile) -> Iterator[Finding]:
    asked, path, others = each.found
    if path != asked:
        message = f'It is called "{path}" here; where case counts, what opens "{asked}" does not find it.'
        remedy = f"git mv {path} {asked}, or correct what opens it and maintenance.configuration.files."
        yield _finding("case", asked, Status.WARNING, message, remedy)
    if others:
        message = (
            f"Its name differs by case only from {listed(others, len(others))}: on macOS and Windows they are one."
        )
        yield _finding("case", asked, Status.WARNING, message, "Keep one of them.")


def _problem(each: ReviewedFile, problem: Problem, redact: Callable[[str], str]) -> Finding:
    """Return the finding on a problem: what cannot be read is critical, what was read nevertheless a warning."""
    place = f"Line {problem.line}, column {problem.column}: " if problem.column else ""
    place = place or (f"Line {problem.line}: " if problem.line else "")
    message = problem.message if place else problem.message[:1].upper() + problem.message[1:]
    status = Status.WARNING if each.readable else Status.CRITICAL if each.broken else Status.UNKNOWN
    return Finding(
        check="configuration.readable",
        subject=each.path,
        status=status,
        message=f"{place}{redact(message)}.",
        remedy=f"Look at {each.path}{f':{problem.line}' if problem.line else ''}.",
        excerpt=_excerpt(problem, redact),
    )


def _excerpt(problem: Problem, redact: Callable[[str], str]) -> str | msgspec.UnsetType:
    """Return the lines that show a place; of a line with something secret its beginning, without a caret.

    The whole line is looked at: the excerpt of a long one may begin behind the name that makes a value secret.
    """
    line = problem.whole or problem.excerpt.partition("\n")[0]
    shown = without_secrets(line, redact)
    return (problem.excerpt if shown == line else printable(shown)[:SHOWN]) or msgspec.UNSET


def _finding(check: str, subject: str, status: Status, message: str, remedy: str | None) -> Finding:
    return Finding(check=f"configuration.{check}", subject=subject, status=status, message=message, remedy=remedy)


def unknown_values(value: Any, path: str = "") -> Iterator[tuple[str, Unknown]]:
    """Yield the path and the reason of each value that is not known, in the order of the file.

    Args:
        value: what a reader returned.
        path: where the value is.
    """
    if isinstance(value, Unknown):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list | tuple):
                yield from unknown_values(inner, below(path, key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            if isinstance(inner, dict | list | tuple):
                yield from unknown_values(inner, f"{path}[{number}]")
