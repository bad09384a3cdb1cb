"""What is told of the reviewed files themselves: missing, misnamed, unreadable, and what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, listed
from .inventory import Inventory, Reviewed
from .reading.document import Problem
from .secrecy import veil
from .unknown_values import unknown_values

_TOLD = 5
"""Values of a module that are named."""


def file_findings(inventory: Inventory, redact: Callable[[str], str]) -> Iterator[Finding]:
    """Yield what is wrong with files, and how many are well.

    Args:
        inventory: what was read.
        redact: takes secrets out of a text.
    """
    if not inventory.present:
        names = [each.found.asked for each in inventory.files]
        message = f"There is no configuration here: {listed(names, len(names))}."
        yield _finding("present", "configuration", Status.SKIPPED, message, "Name its files in configuration.files.")
        return
    for each in (*inventory.files, *inventory.components):
        if each.found.path is None:
            remedy = "Restore it, or take it out of configuration.files."
            yield _finding("present", each.path, Status.UNKNOWN, "It is not there, so it was not reviewed.", remedy)
            continue
        yield from _names(each)
        yield from (_problem(each, problem, redact) for problem in each.problems)
    if well := sum(each.readable and not each.problems for each in inventory.present):
        message = f"{count(well, 'file')} can be read, and nothing in {'it' if well == 1 else 'them'} is doubtful."
        yield _finding("readable", "files", Status.OK, message, None)


def unknown_findings(inventory: Inventory) -> Iterator[Finding]:
    """Yield, for each settings module, the values that only running it would tell."""
    for each in inventory.present:
        unknown = [*unknown_values(each.value)]
        if unknown:
            told = [f"{path} (line {value.line}: {value.reason})" for path, value in unknown]
            message = f"{count(len(unknown), 'value')} that only running it would tell: {_listed(told)}."
            yield _finding("unknown-values", each.path, Status.OK, message, None)


def _listed(told: Sequence[str]) -> str:
    rest = f" and {len(told) - _TOLD:,} more" if len(told) > _TOLD else ""
    return f"{', '.join(told[:_TOLD])}{rest}"


def _names(each: Reviewed) -> Iterator[Finding]:
    asked, path, others = each.found
    if path != asked:
        message = f'It is called "{path}" here; where case counts, what opens "{asked}" does not find it.'
        remedy = f"git mv {path} {asked}, or correct what opens it and configuration.files."
        yield _finding("case", asked, Status.WARNING, message, remedy)
    if others:
        message = (
            f"Its name differs by case only from {listed(others, len(others))}: on macOS and Windows they are one."
        )
        yield _finding("case", asked, Status.WARNING, message, "Keep one of them.")


def _problem(each: Reviewed, problem: Problem, redact: Callable[[str], str]) -> Finding:
    """Return the finding on a problem: what cannot be read is critical, what was read nevertheless a warning."""
    place = f"Line {problem.line}, column {problem.column}: " if problem.column else ""
    place = place or (f"Line {problem.line}: " if problem.line else "")
    said = problem.message if place else problem.message[:1].upper() + problem.message[1:]
    status = Status.WARNING if each.readable else Status.CRITICAL if each.broken else Status.UNKNOWN
    return Finding(
        check="configuration.readable",
        subject=each.path,
        status=status,
        message=f"{place}{redact(said)}.",
        remedy=f"Look at {each.path}{f':{problem.line}' if problem.line else ''}.",
        excerpt=_excerpt(problem.excerpt, redact),
    )


def _excerpt(excerpt: str, redact: Callable[[str], str]) -> str | msgspec.UnsetType:
    """Return the lines that show a place; the caret is left out where something secret was."""
    line = excerpt.partition("\n")[0]
    shown = veil(line, redact)
    return (excerpt if shown == line else shown) or msgspec.UNSET


def _finding(check: str, subject: str, status: Status, message: str, remedy: str | None) -> Finding:
    return Finding(check=f"configuration.{check}", subject=subject, status=status, message=message, remedy=remedy)
