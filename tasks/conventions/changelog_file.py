"""Which file is the project's changelog, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from packaging.version import Version

from ..core.files import safe_files
from .changelog_sections import Section, read_sections
from .convention import Convention, Evidence
from .project_files import ProjectFiles

_STEMS = ("changelog", "changes", "history", "news", "releases", "release_notes", "release-notes", "releasenotes")
_SUFFIXES = ("", ".md", ".rst", ".txt", ".markdown")
_FOLDERS = ("", "docs/", "doc/", "docs/source/", "doc/source/")

_DEEPEST = 2

_LIMIT = 10_000_000
"""Bytes of a changelog that is read."""

_NONE = Version("0.dev0")

_ENOUGH = 2000
"""Characters of a file that does more than point to another one."""

_SOUGHT = (
    "CHANGELOG, CHANGES, HISTORY, NEWS or RELEASES (.md, .rst, .txt) in the root and in docs, "
    "and fragments of towncrier or scriv"
)

_FRAGMENTS = ("changelog.d/", "newsfragments/", "news/", "docs/changelog/", "changes/")


class ChangelogFile(NamedTuple):
    """The changelog.

    Attributes:
        path: the file's, below the root.
        style: how its headings are written.
        fragments: the folder of fragments that make its next section; empty where there is none.
    """

    path: str
    style: Literal["markdown", "rst", "text"]
    fragments: str = ""


def find_changelog(files: ProjectFiles) -> Convention[ChangelogFile]:
    """Return the changelog.

    Where there are several files, it is the one with the newest released version: the others hold old releases, or
    point to it. Without a version in any, the one nearest to the root that does more than point to another counts.
    """
    by_name = {path.lower(): path for path in (*_in_root(files), *files.paths) if path.count("/") <= _DEEPEST}
    candidates = [
        by_name[f"{folder}{stem}{suffix}"]
        for folder in _FOLDERS
        for stem in _STEMS
        for suffix in _SUFFIXES
        if f"{folder}{stem}{suffix}" in by_name
    ]
    fragments = _fragments(files)
    setting = "maintenance.release.changelog"
    if not candidates:
        return Convention("changelog", _SOUGHT, evidence=tuple(fragments[1:]), setting=setting)
    contents = {path: _text(files, path) for path in candidates}
    sections = {path: read_sections(text) for path, text in contents.items()}
    path = max(candidates, key=lambda each: (_newest(sections[each]), min(len(contents[each]), _ENOUGH)))
    lines = contents[path].splitlines()
    first = sections[path][0].line if sections[path] else None
    evidence = Evidence(path, first, lines[first - 1] if first else "")
    found = ChangelogFile(path, _style(path, contents[path]), fragments[0] if fragments else "")
    shown = f"{path} ({found.style})" + (f", fragments in {found.fragments}" if found.fragments else "")
    return Convention("changelog", _SOUGHT, found, shown, (evidence, *fragments[1:]), setting=setting)


def _in_root(files: ProjectFiles) -> list[str]:
    """Return the names of the files in the root, ignored ones too: a changelog beside the build files is its own."""
    try:
        found = sorted(each.name for each in files.root.iterdir() if each.is_file() and not each.is_symlink())
    except OSError:
        return []
    return [name for name in found if not files.is_own(name)]


def _fragments(files: ProjectFiles) -> tuple[str, Evidence] | tuple[()]:
    """Return the folder of fragments and the file that configures it."""
    for place in ("pyproject.toml", "towncrier.toml", "setup.cfg"):
        text = files.text(place) if place in files.paths else None
        for number, line in enumerate((text or "").splitlines(), 1):
            if line.strip() in {"[tool.towncrier]", "[tool.scriv]"}:
                named = re.search(r'(?m)^(?:directory|fragment_directory)\s*=\s*"([\w./-]+)"', text or "")
                default = next((each for each in _FRAGMENTS if any(path.startswith(each) for path in files.paths)), "")
                return (named[1] if named else default).strip("/"), Evidence(place, number, line)
    return ()


def _text(files: ProjectFiles, path: str) -> str:
    """Return the text of a file, which may be longer than a source; empty where it cannot be read."""
    try:
        return safe_files.read(files.root, path, limit=_LIMIT).decode("utf-8-sig", "replace")
    except (safe_files.Refused, OSError):
        return ""


def _newest(sections: Sequence[Section]) -> Version:
    """Return the highest version that sections are about; a version below all others where there is none."""
    versions = [each.version for each in sections if each.version is not None and each.released]
    return max(versions, default=_NONE)


def _style(path: str, text: str) -> Literal["markdown", "rst", "text"]:
    if path.lower().endswith((".md", ".markdown")):
        return "markdown"
    if path.lower().endswith(".rst") or re.search(r"(?m)^[=\-~^*]{3,}\s*$", text):
        return "rst"
    return "markdown" if re.search(r"(?m)^#{1,3} ", text) else "text"
