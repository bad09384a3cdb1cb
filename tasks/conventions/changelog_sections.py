"""Which versions a changelog has sections for, in Markdown, in reStructuredText and in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_ATX = re.compile(r"\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*")
_UNDERLINE = re.compile(r"""([=\-~^*+"'`#.:_])\1{2,}\s*""")
_RELEASE_ROLE = re.compile(r"[-*]\s+:release:`([^`]+)`.*")
"""The notation of the Sphinx extension *releases*."""

_ITEM = re.compile(r"\s|[-*+]\s|\.\.\s|[|<]")
"""How a line begins that is no title: indented, an item of a list, a directive, a table or an element."""

_DATE = re.compile(r"\b(?:19|20)\d\d-\d\d?-\d\d?\b|\b\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d\b")
_VERSION = re.compile(
    r"(?<![\w.])[\[`]?[vV]?(?P<version>\d+!?\d*(?:\.\w+)+(?:[-+_][\w.]+)*)|\[[vV]?(?P<bracketed>\d+)\]|^[vV]?(?P<bare>(?!(?:19|20)\d\d\b)\d+)(?=\s+[-(]|$)"
)
_BETWEEN = " -\u2013\u2014:,"
"""What stands between a version and a date, dashes among them."""

_NOT_OUT = re.compile(
    r"unreleased|not (?:yet )?released|\btbd\b|\btba\b|yanked|in (?:development|progress)|unpublished|x{2,4}-x{2}|\?\?",
    re.IGNORECASE,
)
"""What stands beside a version that is not released, or is released no more (the YANKED of Keep a Changelog)."""

_COMMON = frozenset(
    {"a", "changelog", "changes", "for", "in", "new", "notes", "of", "release", "released", "the", "ver", "version"}
    | {"v", "what", "what's", "whats", "s"}
)
"""Words before a version in the title of its section."""

_NO_NAMES = frozenset({"from", "python", "requires", "since", "than", "to", "until", "with"})
"""Words before a version that do not make it the subject of a title."""

_UNDERLINED, _ROLE, _BOLD = 10, 30, 40
"""Depths of titles that are no headings of Markdown: below them, and above each other."""

_SHORT = 40
"""Characters of a line that only says when a version was released."""

_ORDERED = 3
"""Versions by which the order of sections is known: a repair of an old version may stand above a newer one."""


class Section(NamedTuple):
    """A section of a changelog.

    Attributes:
        line: the number of its title's line, from 1.
        name: what its title says that it is about: a version, or "unreleased".
        version: the same; ``None`` where it is none.
        released: False where the title says that it is not released yet, or no more.
    """

    line: int
    name: str
    version: Version | None
    released: bool


class _Title(NamedTuple):
    line: int
    depth: int
    text: str


def read_sections(text: str) -> list[Section]:
    """Return the sections that are about versions, the newest first, those in comments and in blocks of code left out.

    They are those at the highest level at which a title is about a version. A changelog that begins with its oldest
    section is turned round.

    Args:
        text: the changelog.
    """
    lines = [*_outside_code(_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text).splitlines())]
    titles = [*_titles(lines)]
    found = _highest(titles)
    if not any(each.version for each in found):
        found = _of_text(lines) or found
    found = [each._replace(released=each.released and not _is_unreleased(lines, each.line)) for each in found]
    versions = [each.version for each in found if each.version]
    is_ascending = len(versions) >= _ORDERED and all(one < other for one, other in pairwise(versions))
    return found[::-1] if is_ascending else found


def _is_unreleased(lines: Sequence[str], number: int) -> bool:
    """Tell whether the line below a title says that it is not released, as ``Unreleased`` below ``Version 1.2.0``."""
    below = next((line for line in lines[number:] if line.strip() and not _UNDERLINE.fullmatch(line)), "")
    return len(below) <= _SHORT and bool(_NOT_OUT.match(below.strip("*_ ")))


def _outside_code(lines: Sequence[str]) -> Iterator[str]:
    fenced = False
    for line in lines:
        is_fence = bool(_FENCE.match(line))
        fenced ^= is_fence
        yield "" if fenced or is_fence else line


def _titles(lines: Sequence[str]) -> Iterator[_Title]:
    """Yield the titles with their depths: the number of #, or the place of an underline among those that are used."""
    underlines: list[str] = []
    for number, line in enumerate(lines, 1):
        below = lines[number] if number < len(lines) else ""
        if heading := _ATX.fullmatch(line):
            yield _Title(number, len(heading[1]), heading[2])
        elif role := _RELEASE_ROLE.fullmatch(line):
            yield _Title(number, _ROLE, role[1].replace("<", "(").replace(">", ")"))
        elif (underline := _UNDERLINE.fullmatch(below)) and line.strip() and not _UNDERLINE.fullmatch(line):
            if not _ITEM.match(line.lstrip(" ")):
                underlines += [underline[1]] if underline[1] not in underlines else []
                yield _Title(number, underlines.index(underline[1]) + _UNDERLINED, line.strip())
        elif bold := re.fullmatch(r"\*\*([^*]+)\*\*:?\s*", line):
            yield _Title(number, _BOLD, bold[1])


def _highest(titles: Sequence[_Title]) -> list[Section]:
    """Return the sections at the highest level that has any with a version; else those called unreleased.

    A title of the whole document ("Changes in 2.1") is no section where others stand below it.
    """
    by_depth: dict[int, list[Section]] = {}
    for title in titles:
        if section := _section(title.line, title.text):
            by_depth.setdefault(title.depth, []).append(section)
    depths = sorted(by_depth)
    if (
        len(depths) > 1
        and by_depth[depths[0]][0].line == titles[0].line
        and not titles[0].text.lstrip("[vV")[:1].isdigit()
    ):
        depths = depths[1:] if len(by_depth[depths[0]]) == 1 and by_depth[depths[0]][0].version else depths
    if not depths:
        return []
    found = by_depth[depths[0]]
    # Titles are underlined at will: what stands before the first of them is no part of any.
    above = [each for depth in depths[1:] if _UNDERLINED <= depth < _ROLE for each in by_depth[depth]]
    if depths[0] >= _UNDERLINED:
        found = sorted([each for each in above if each.line < found[0].line] + found)
    return found


def _of_text(lines: Sequence[str]) -> list[Section]:
    """Return the sections of a text without titles: lines that are about a version."""
    found = (_section(number, line) for number, line in enumerate(lines, 1) if line and not _ITEM.match(line))
    return [each for each in found if each is not None and each.version is not None]


def _section(line: int, title: str) -> Section | None:
    """Return the section with a title; ``None`` where the title is about no version."""
    text = re.sub(r"<[^>]*>|\*\*", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", title)).strip()
    dateless = _DATE.sub("", text).strip(_BETWEEN)
    found = _VERSION.search(dateless)
    if found is None:
        is_unreleased = re.match(r"\W*unreleased\b", text, re.IGNORECASE)
        return Section(line, "unreleased", None, released=False) if is_unreleased else None
    if not _is_subject(dateless[: found.start()], dateless[found.end() :]):
        return None
    name = (found["version"] or found["bracketed"] or found["bare"]).rstrip(".")
    try:
        version = Version(name)
    except InvalidVersion:
        version = None
    out = not _NOT_OUT.search(text) and not (version is not None and version.is_devrelease)
    return Section(line, name, version, released=out)


def _is_subject(before: str, after: str) -> bool:
    """Tell whether a title is about the version between these texts: one name may stand before it, and then no text."""
    words = re.findall(r"[\w'-]+", before.lower().replace("\u2019", "'"))
    names = [word for word in words if word not in _COMMON]
    if not names:
        return True
    free = re.match(r"\s*(?:$|[-\u2013\u2014:,(\[\]`]|released\b|unreleased\b)", after, re.IGNORECASE)
    return len(names) == 1 and names[0] not in _NO_NAMES and free is not None
