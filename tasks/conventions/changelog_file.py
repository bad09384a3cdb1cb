"""Which file is the project's changelog, and how it is written."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .convention import Convention, Evidence
from .project_files import ProjectFiles

_STEMS = ("changelog", "changes", "history", "news", "releases", "release_notes", "release-notes")
_SUFFIXES = ("", ".md", ".rst", ".txt", ".markdown")
_FOLDERS = ("", "docs/", "doc/", "docs/source/", "doc/source/")

_DEEPEST = 2

_ENOUGH = 2000
"""Bytes of a file that does more than point to another one."""

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
    """Return the changelog; the one nearest to the root with most in it where there are several."""
    by_name = {path.lower(): path for path in files.paths if path.count("/") <= _DEEPEST}
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
    path = max(candidates, key=lambda each: min(len(files.content(each) or b""), _ENOUGH))
    evidence = Evidence(path, *_first_heading(files.text(path) or ""))
    found = ChangelogFile(path, _style(path, files.text(path) or ""), fragments[0] if fragments else "")
    shown = f"{path} ({found.style})" + (f", fragments in {found.fragments}" if found.fragments else "")
    return Convention("changelog", _SOUGHT, found, shown, (evidence, *fragments[1:]), setting=setting)


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


def _first_heading(text: str) -> tuple[int | None, str]:
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\d+\.\d+|unreleased", line, re.IGNORECASE):
            return number, line
    return None, ""


def _style(path: str, text: str) -> Literal["markdown", "rst", "text"]:
    if path.lower().endswith((".md", ".markdown")):
        return "markdown"
    if path.lower().endswith(".rst") or re.search(r"(?m)^[=\-~^*]{3,}\s*$", text):
        return "rst"
    return "markdown" if re.search(r"(?m)^#{1,3} ", text) else "text"
