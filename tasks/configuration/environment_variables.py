"""Keys by their presence, and ``.env`` against ``.env.example``: by names only, no value is reported or kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from ..core.report.model import Finding, Status
from ..core.secrets.keys import FILE, Key
from ..core.text.formatting import count, listed, printable
from .reading.source_text import read_source

EXAMPLE = ".env.example"

_LIMIT = 1_000_000


class Variables(NamedTuple):
    """A file of variables.

    Attributes:
        values: by name; ``None`` where a line has a name and no value. Empty where the file is missing.
        twice: names that are there more than once; the last counts.
        odd: the numbers of lines that cannot be read, from 1.
        present: False where there is no such file.
        problem: why it could not be read.
    """

    values: Mapping[str, str | None] = {}
    twice: tuple[str, ...] = ()
    odd: tuple[int, ...] = ()
    present: bool = False
    problem: str | None = None

    def __repr__(self) -> str:
        """Say which names there are, never what they are set to."""
        return f"Variables({', '.join(self.values)})"


def read_variables(root: Path, path: str) -> Variables:
    """Return the variables in a file below *root*, as python-dotenv reads them.

    Args:
        root: the project.
        path: the file.
    """
    from dotenv.parser import parse_stream

    try:
        source = read_source(root, path, limit=_LIMIT)
    except FileNotFoundError:
        return Variables()
    if source.text is None:
        return Variables(present=True, problem=source.problems[0].message)
    values: dict[str, str | None] = {}
    twice, odd = [], []
    for each in parse_stream(StringIO(source.text)):
        if each.error:
            odd.append(each.original.line)
        elif each.key is not None:
            if each.key in values:
                twice.append(each.key)
            values[each.key] = each.value
    return Variables(values, tuple(dict.fromkeys(twice)), tuple(odd), present=True)


def key_findings(keys: Mapping[str, Key], wanted: Iterable[str]) -> Iterator[Finding]:
    """Yield one finding per key: present or not, never how long it is or a part of it."""
    for name in dict.fromkeys(wanted):
        key = keys[name]
        where = "in the environment" if key.source == "environment" else f"in {key.source}"
        yield Finding(
            check="configuration.keys",
            subject=name,
            status=Status.OK if key.problem is None else Status.WARNING if key.value else Status.CRITICAL,
            message=f"It is set {where}." if key.problem is None else f"It {printable(key.problem)}.",
            remedy=None
            if key.problem is None
            else f"Set {name} in the environment or in {FILE}, or take it out of configuration.environment_keys.",
        )


def variable_findings(own: Variables, example: Variables, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield where ``.env`` and its example differ, and what is wrong with either.

    Args:
        own: those of ``.env``.
        example: those of ``.env.example``.
        environ: the process's environment; what is set there is not missing in ``.env``.
    """
    for path, file in ((FILE, own), (EXAMPLE, example)):
        yield from _faults(path, file)
    if not own.present and not example.present:
        return
    if not example.present:
        message = f"{FILE} has {count(len(own.values), 'variable')}, and there is no {EXAMPLE} to tell others which."
        yield _finding(FILE, Status.WARNING, message, f"Write {EXAMPLE} with the names alone.")
        return
    if own.problem or example.problem:
        return
    extra = [name for name in own.values if name not in example.values]
    unset = [name for name in example.values if name not in own.values and name not in environ]
    if extra:
        yield _finding(
            FILE,
            Status.WARNING,
            f"{count(len(extra), 'variable')} in {FILE} and not in {EXAMPLE}: {listed(extra, len(extra))}.",
            f"Add the names, without values, to {EXAMPLE}.",
            len(extra),
        )
    if unset:
        yield _finding(
            EXAMPLE,
            Status.WARNING,
            f"{count(len(unset), 'variable')} of {EXAMPLE} set nowhere: {listed(unset, len(unset))}.",
            f"Set what is needed in {FILE} or the environment; take out of {EXAMPLE} what is not.",
            len(unset),
        )
    if own.present and not extra and not unset:
        message = f"{FILE} and {EXAMPLE} name the same {count(len(own.values), 'variable')}."
        yield _finding(FILE, Status.OK, message, None)


def _faults(path: str, file: Variables) -> Iterator[Finding]:
    if file.problem:
        message = f"It could not be compared: {file.problem}."
        yield _finding(path, Status.UNKNOWN, message, "See that it is a text file which can be read.")
    if file.odd:
        lines = ", ".join(map(str, file.odd[:5]))
        message = f"{count(len(file.odd), 'line')} that cannot be read, NAME=value being expected: {lines}."
        yield _finding(path, Status.WARNING, message, "Correct them; quotes have to be closed.", len(file.odd))
    if file.twice:
        message = (
            f"{count(len(file.twice), 'name')} more than once, the last counts: {listed(file.twice, len(file.twice))}."
        )
        yield _finding(path, Status.WARNING, message, "Leave one line for each.", len(file.twice))


def _finding(path: str, status: Status, message: str, remedy: str | None, value: int | None = None) -> Finding:
    return Finding(
        check="configuration.environment",
        subject=path,
        status=status,
        message=message,
        value=value,
        unit=None if value is None else "variables",
        remedy=remedy,
    )
