"""The lines of a requirements file, each with what it asks for and where its version stands.

The format is pip's (its user guide, "Requirements File Format"): a backslash at the end continues a line, a ``#`` at
the beginning or after white space begins a comment, options stand on lines of their own or after a requirement.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


class LineKind(Enum):
    """What a line of a requirements file is."""

    REQUIREMENT = "requirement"
    DIRECT = "direct reference"
    EDITABLE = "editable"
    INCLUDE = "include"
    CONSTRAINTS = "constraints"
    OPTION = "option"
    BROKEN = "broken"


class RequirementLine(NamedTuple):
    """One logical line that is neither blank nor a comment.

    Attributes:
        kind: what it is.
        line: the number of its first physical line, from 1.
        text: what it says, continued lines joined, without comment.
        name: the normalized name of the package; empty where it is none by name.
        requirement: what it asks for; ``None`` where it is none by name.
        target: the file that an include or constraints line names.
        hashed: True where it gives hashes of the files that may be installed.
        pin: where in the file's text the version stands that the line pins with ``==`` or ``===``; ``None`` where it
            pins none, or none in one piece.
        problem: what is wrong with a broken line, as the end of a sentence.
    """

    kind: LineKind
    line: int
    text: str
    name: str = ""
    requirement: Requirement | None = None
    target: str = ""
    hashed: bool = False
    pin: tuple[int, int] | None = None
    problem: str = ""

    @property
    def pinned(self) -> str | None:
        """The version that the line pins, in one clause and without a wildcard; ``None`` where it pins none."""
        clauses = [] if self.requirement is None else list(self.requirement.specifier)
        if len(clauses) == 1 and clauses[0].operator in {"==", "==="} and not clauses[0].version.endswith(".*"):
            return clauses[0].version
        return None


_MARK = "\ufeff"
"""The byte order mark, which some editors begin a file with."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_FILE_OPTION = re.compile(
    r"(?:(?P<include>-r|--requirement(?![\w-]))|(?:-c|--constraint(?![\w-])))[ \t]*=?[ \t]*(?P<file>.*)"
)
_EDITABLE = re.compile(r"-e|--editable(?![\w-])")
_OPTIONS_AFTER = re.compile(r"[ \t](?=--?[A-Za-z])")
_DIRECT = re.compile(
    r"[./~]|file:|[A-Za-z][A-Za-z0-9+.-]*:[/\\]"
    r"|[^;<>=]*(?:[/\\]|\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)(?:\[|#|[ \t]|\Z))"
)
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
"""What pip replaces by a variable of the environment; nothing else of that look."""

_LONG_NUMBER = re.compile(r"[0-9]{100}")
_MOST_PARENTHESES = 50
_PINNED = re.compile(r"===?[ \t]*(?P<version>[^\s;,#)\\]+)")


def parse_requirements(text: str) -> list[RequirementLine]:
    """Return what the lines of a requirements file say, in their order; never raises."""
    return [entry for entry in map(_requirement_line, _logical_lines(text)) if entry is not None]


class _LogicalLine(NamedTuple):
    """A logical line: its number, its text, and for each character of the text where it stands in the file."""

    line: int
    text: str
    places: list[int]


def _logical_lines(text: str) -> Iterator[_LogicalLine]:
    """Yield the logical lines; as in pip, a comment ends a continued line, and is taken out after the joining."""
    offset, first, joined, places = len(text), 0, "", list[int]()
    text = text.removeprefix(_MARK)
    offset -= len(text)
    for number, (physical, content) in enumerate(
        zip(text.splitlines(keepends=True), text.splitlines(), strict=True), 1
    ):
        start, offset = offset, offset + len(physical)
        first = first or number
        comment = content.lstrip().startswith("#")
        continued = content.endswith("\\") and not comment
        piece = "" if comment else content.rstrip("\\") if continued else content
        joined += piece
        places += range(start, start + len(piece))
        if not continued:
            yield _LogicalLine(first, joined, places)
            first, joined, places = 0, "", []
    if joined:
        yield _LogicalLine(first, joined, places)


def _requirement_line(logical: _LogicalLine) -> RequirementLine | None:
    text = _COMMENT.sub("", logical.text).rstrip()
    indent = len(text) - len(text.lstrip())
    text = text[indent:]
    if not text:
        return None
    if match := _FILE_OPTION.fullmatch(text):
        return _file_line(
            logical.line, text, LineKind.INCLUDE if match["include"] else LineKind.CONSTRAINTS, match["file"]
        )
    if _EDITABLE.match(text):
        return RequirementLine(LineKind.EDITABLE, logical.line, text)
    if text.startswith("-"):
        return RequirementLine(LineKind.OPTION, logical.line, text)
    return _requirement(logical, text, indent)


def _file_line(line: int, text: str, kind: LineKind, rest: str) -> RequirementLine:
    """Return the entry of a line that names a file; as in pip, in quotes where the name holds a space."""
    try:
        words = shlex.split(rest)
    except ValueError:
        return RequirementLine(LineKind.BROKEN, line, text, problem="A quotation mark is not closed")
    if not words or not words[0]:
        return RequirementLine(LineKind.BROKEN, line, text, problem="It names no file")
    return RequirementLine(kind, line, text, target=words[0])


def _requirement(logical: _LogicalLine, text: str, indent: int) -> RequirementLine:
    asked, *options = _OPTIONS_AFTER.split(text, maxsplit=1)
    hashed = bool(options) and "--hash" in options[0]
    try:
        requirement = _read_requirement(asked)
    except InvalidRequirement as error:
        if _VARIABLE.search(asked) or _DIRECT.match(asked):
            return RequirementLine(LineKind.DIRECT, logical.line, text)
        return RequirementLine(LineKind.BROKEN, logical.line, text, problem=str(error).splitlines()[0])
    name = canonicalize_name(requirement.name)
    if requirement.url:
        return RequirementLine(LineKind.DIRECT, logical.line, text, name, requirement)
    if _VARIABLE.search(asked):
        return RequirementLine(LineKind.DIRECT, logical.line, text)
    entry = RequirementLine(LineKind.REQUIREMENT, logical.line, text, name, requirement, hashed=hashed)
    if entry.pinned is None:
        return entry
    return entry._replace(pin=_pin_span(logical, asked, indent, entry.pinned))


def _read_requirement(asked: str) -> Requirement:
    """Return a requirement, or refuse what Python itself would fail at later: endless numbers, endless nesting."""
    if _LONG_NUMBER.search(asked) or asked.count("(") > _MOST_PARENTHESES:
        raise InvalidRequirement("It holds a number of 100 digits or more, or more than 50 parentheses")
    requirement = Requirement(asked)
    if any(not specifier.version for specifier in requirement.specifier):
        raise InvalidRequirement("A comparison is there without a version")
    return requirement


def _pin_span(logical: _LogicalLine, asked: str, indent: int, version: str) -> tuple[int, int] | None:
    """Return where in the file the pinned version stands; ``None`` where a continuation cuts it."""
    match = _PINNED.search(asked.partition(";")[0])
    if match is None or match["version"] != version:
        return None
    start, end = (logical.places[indent + place] for place in (match.start("version"), match.end("version") - 1))
    return (start, end + 1) if end - start + 1 == len(version) else None
