"""A requirements file and the files that it includes, read as pip reads them; nothing outside the project."""

from __future__ import annotations

import codecs
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from ...core.text.formatting import printable
from .requirement_parser import LineKind, RequirementLine, parse_requirements

_LIMIT = 1_000_000
"""Bytes of a file: requirements files have some kilobytes."""

_DEEPEST = 20
"""Files that include each other in a row."""


class FileProblem(NamedTuple):
    """What is wrong with one of the files.

    Attributes:
        path: the file, below the root.
        message: a sentence.
        remedy: what to do.
    """

    path: str
    message: str
    remedy: str


class RequirementsFile(NamedTuple):
    """One file.

    Attributes:
        raw: its bytes.
        text: what they say; bytes that are no UTF-8 are kept as surrogates.
        entries: its lines.
        constraints: True where it only constrains: what a ``-r`` line leads to, wherever that stands, is required.
    """

    raw: bytes
    text: str
    entries: tuple[RequirementLine, ...]
    constraints: bool


class RequirementsTree(NamedTuple):
    """A requirements file and those that it leads to.

    Attributes:
        files: by path below the root, in the order in which they are read.
        problems: what is wrong with them.
        missing: True where the first file does not exist.
    """

    files: Mapping[str, RequirementsFile]
    problems: tuple[FileProblem, ...] = ()
    missing: bool = False


def encoded(text: str) -> bytes:
    """Return the bytes of a file's text."""
    return text.encode("utf-8", "surrogateescape")


def read_tree(root: Path, path: str) -> RequirementsTree:
    """Read a requirements file and the files that its ``-r`` and ``-c`` lines name.

    Args:
        root: the project.
        path: the file, below the root.
    """
    found: dict[str, RequirementsFile] = {}
    problems: list[FileProblem] = []
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
                return RequirementsTree({}, missing=True)
            problems.append(_missing_file(name, chain))
            continue
        except (Refused, OSError) as error:
            problems.append(_unreadable_file(name, error))
            continue
        if problem := _not_text(raw):
            problems.append(FileProblem(name, f"{printable(name)} {problem}.", "Save it as text in UTF-8."))
            continue
        text = raw.decode("utf-8", "surrogateescape")
        entries = tuple(parse_requirements(text))
        found[name] = RequirementsFile(raw, text, entries, constraints)
        problems += _broken_lines(name, entries)
        included = [*_included_files(name, entries, chain)]
        problems += [complaint for _, _, complaint in included if complaint]
        pending[:0] = [(target, limits, (*chain, target)) for target, limits, complaint in included if not complaint]
    return RequirementsTree(found, tuple(problems))


def included_path(name: str, entry: RequirementLine) -> str:
    """Return the path below the root of the file that a line of the file *name* includes."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.target))


def _included_files(
    name: str, entries: tuple[RequirementLine, ...], chain: tuple[str, ...]
) -> Iterator[tuple[str, bool, FileProblem | None]]:
    """Yield the files that a file names, whether they only constrain, and what keeps one from being read."""
    for entry in entries:
        if entry.kind not in {LineKind.INCLUDE, LineKind.CONSTRAINTS}:
            continue
        target = included_path(name, entry)
        yield target, entry.kind is LineKind.CONSTRAINTS, _include_problem(name, entry, target, chain)


def _include_problem(name: str, entry: RequirementLine, target: str, chain: tuple[str, ...]) -> FileProblem | None:
    place = f"{printable(name)}, line {entry.line},"
    if "://" in entry.target:
        remedy = "Keep a copy of it in the project."
        return FileProblem(name, f"{place} includes an address, which is not followed.", remedy)
    if "${" in entry.target:
        remedy = "Write the name of the file itself."
        return FileProblem(name, f"{place} names a file by a variable, which is not followed.", remedy)
    if target in chain:
        circle = " → ".join(map(printable, [*chain[chain.index(target) :], target]))
        return FileProblem(name, f"{place} leads in a circle: {circle}.", "Take one of these lines out.")
    if len(chain) >= _DEEPEST:
        return FileProblem(name, f"{place} is the {_DEEPEST}th include in a row.", "Take some of them together.")
    if target.startswith(("../", "/")) or target == "..":
        remedy = "Keep what the project requires within the project."
        return FileProblem(name, f"{place} includes {printable(entry.target)}, which is outside the project.", remedy)
    return None


def _missing_file(name: str, chain: tuple[str, ...]) -> FileProblem:
    message = f"{printable(name)} does not exist, but {printable(chain[-2])} includes it."
    return FileProblem(name, message, "Create it, or take the line out.")


def _unreadable_file(name: str, error: Exception) -> FileProblem:
    if isinstance(error, OSError) and error.errno:
        return FileProblem(name, f"{printable(name)} cannot be read: {error.strerror}.", "See that it can be read.")
    return FileProblem(name, str(error), "See that it is an ordinary file of the project.")


def _not_text(raw: bytes) -> str | None:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is in UTF-16"
    return "holds zero bytes, so it is no text" if b"\0" in raw else None


def _broken_lines(name: str, entries: tuple[RequirementLine, ...]) -> Iterator[FileProblem]:
    for entry in entries:
        if entry.kind is LineKind.BROKEN:
            message = f"{printable(name)}, line {entry.line}, is no requirement: {printable(entry.problem)}."
            yield FileProblem(name, message, "Mend the line; pip cannot read it either.")
