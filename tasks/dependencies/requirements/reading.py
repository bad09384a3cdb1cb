"""A requirements file with those that it includes, as pip would read them; nothing outside the project."""

from __future__ import annotations

import codecs
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from ...core.text.formatting import printable
from .parsing import Entry, Kind, parse

_LIMIT = 1_000_000
"""Bytes of a file: requirements files have some kilobytes."""

_DEEPEST = 20
"""Files that include each other in a row."""


class Problem(NamedTuple):
    """What is wrong with one of the files.

    Attributes:
        path: the file, below the root.
        message: a sentence.
        remedy: what to do.
    """

    path: str
    message: str
    remedy: str


class File(NamedTuple):
    """One file.

    Attributes:
        raw: its bytes.
        text: what they say; bytes that are no UTF-8 are kept as surrogates.
        entries: its lines.
        constraints: True where it only constrains: what a ``-r`` line leads to, wherever that stands, is required.
    """

    raw: bytes
    text: str
    entries: tuple[Entry, ...]
    constraints: bool


class Tree(NamedTuple):
    """A requirements file and those that it leads to.

    Attributes:
        files: by path below the root, in the order in which they are read.
        problems: what is wrong with them.
        missing: True where the first file does not exist.
    """

    files: Mapping[str, File]
    problems: tuple[Problem, ...] = ()
    missing: bool = False


def encoded(text: str) -> bytes:
    """Return the bytes of a file's text."""
    return text.encode("utf-8", "surrogateescape")


def read_tree(root: Path, path: str) -> Tree:
    """Read a requirements file and the files that its ``-r`` and ``-c`` lines name.

    Args:
        root: the project.
        path: the file, below the root.
    """
    found: dict[str, File] = {}
    problems: list[Problem] = []
    top = posixpath.normpath(path)
    pending: list[tuple[str, bool, tuple[str, ...]]] = [(top, False, (top,))]
    while pending:
        name, constraints, chain = pending.pop(0)
        if name in found:
            if not constraints:
                found[name] = found[name]._replace(constraints=False)
            continue
        try:
            raw = safe_files.read(root, name, limit=_LIMIT)
        except FileNotFoundError:
            if name == top:
                return Tree({}, missing=True)
            problems.append(_missing(name, chain))
            continue
        except (Refused, OSError) as error:
            problems.append(_unreadable(name, error))
            continue
        if problem := _odd(raw):
            problems.append(Problem(name, f"{printable(name)} {problem}.", "Save it as text in UTF-8."))
            continue
        text = raw.decode("utf-8", "surrogateescape")
        entries = tuple(parse(text))
        found[name] = File(raw, text, entries, constraints)
        problems += _broken(name, entries)
        included = [*_included(name, entries, chain)]
        problems += [complaint for _, _, complaint in included if complaint]
        pending[:0] = [(target, limits, (*chain, target)) for target, limits, complaint in included if not complaint]
    return Tree(found, tuple(problems))


def included_path(name: str, entry: Entry) -> str:
    """Return the path below the root of the file that a line of the file *name* includes."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.target))


def _included(
    name: str, entries: tuple[Entry, ...], chain: tuple[str, ...]
) -> Iterator[tuple[str, bool, Problem | None]]:
    """Yield the files that a file names, whether they only constrain, and what keeps one from being read."""
    for entry in entries:
        if entry.kind not in {Kind.INCLUDE, Kind.CONSTRAINTS}:
            continue
        target = included_path(name, entry)
        yield target, entry.kind is Kind.CONSTRAINTS, _complaint(name, entry, target, chain)


def _complaint(name: str, entry: Entry, target: str, chain: tuple[str, ...]) -> Problem | None:
    place = f"{printable(name)}, line {entry.line},"
    if "://" in entry.target:
        remedy = "Keep a copy of it in the project."
        return Problem(name, f"{place} includes an address, which is not followed.", remedy)
    if "${" in entry.target:
        remedy = "Write the name of the file itself."
        return Problem(name, f"{place} names a file by a variable, which is not followed.", remedy)
    if target in chain:
        circle = " → ".join(map(printable, [*chain[chain.index(target) :], target]))
        return Problem(name, f"{place} leads in a circle: {circle}.", "Take one of these lines out.")
    if len(chain) >= _DEEPEST:
        return Problem(name, f"{place} is the {_DEEPEST}th include in a row.", "Take some of them together.")
    if target.startswith(("../", "/")) or target == "..":
        remedy = "Keep what the project requires within the project."
        return Problem(name, f"{place} includes {printable(entry.target)}, which is outside the project.", remedy)
    return None


def _missing(name: str, chain: tuple[str, ...]) -> Problem:
    message = f"{printable(name)} does not exist, but {printable(chain[-2])} includes it."
    return Problem(name, message, "Create it, or take the line out.")


def _unreadable(name: str, error: Exception) -> Problem:
    if isinstance(error, OSError) and error.errno:
        return Problem(name, f"{printable(name)} cannot be read: {error.strerror}.", "See that it can be read.")
    return Problem(name, str(error), "See that it is an ordinary file of the project.")


def _odd(raw: bytes) -> str | None:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is in UTF-16"
    return "holds zero bytes, so it is no text" if b"\0" in raw else None


def _broken(name: str, entries: tuple[Entry, ...]) -> Iterator[Problem]:
    for entry in entries:
        if entry.kind is Kind.BROKEN:
            message = f"{printable(name)}, line {entry.line}, is no requirement: {printable(entry.problem)}."
            yield Problem(name, message, "Mend the line; pip cannot read it either.")
