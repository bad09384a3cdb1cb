"""How the project names the tags of its releases, per distribution."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from ..core.programs import git
from .convention import Convention, Evidence
from .project_files import ProjectFiles

_SOUGHT = "tags with a version in their names, by git tag"

_LEAD = r"(?:[vV]\.?|release-|rel-|r)?"

_TAG = re.compile(
    rf"(?P<before>(?:(?![vV]?\d).*?[-@/_])?{_LEAD})"
    r"(?P<version>(?:\d+!)?(?:\d+(?:-\d+)+|\d+(?:[._]\d+)+(?:-\d+)?|\d+)"
    r"(?:[._-]?[A-Za-z]+[._-]?\d*)*(?:\+[\w.]+)?)"
)
"""A version with dots (and a post-release), with underscores, or with hyphens (``release-1-2``)."""

_HYPHENS = re.compile(r"\d+(?:-\d+)+(?!\.)")

_DAY = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")
"""The day of a snapshot, which is no version."""

_NAME = re.compile(rf"(?P<name>.+?)[-@/_]{_LEAD}$")

_WORDS = frozenset({"r", "rel", "release", "releases", "tag", "tags", "v", "ver", "version", "versions"})
"""What stands before a version and names no distribution."""


class ReleaseTag(NamedTuple):
    """What the name of a tag says.

    Attributes:
        before: what stands before the version.
        distribution: the name that it begins with; empty where it names none.
        version: the version.
    """

    before: str
    distribution: str
    version: Version


class TagForm(NamedTuple):
    """A form of release tags.

    Attributes:
        before: what stands before the version: ``v``, ``release-``, ``pkg@``, or nothing.
        distribution: the name that the tags begin with; empty where they name none.
        number: how many tags have this form.
        latest: the highest version that is no pre-release, else the highest; as the tag's name.
    """

    before: str
    distribution: str
    number: int
    latest: str


class Tags(NamedTuple):
    """The tags of a project.

    Attributes:
        forms: those with a version, the most frequent form first.
        unknown: the tags in which no version was understood.
    """

    forms: tuple[TagForm, ...]
    unknown: tuple[str, ...]


def find_tag_forms(files: ProjectFiles) -> Convention[Tags]:
    """Return the forms of the tags that Git lists; a clone without tags has none."""
    try:
        names = git.ask(files.root, "tag", "--list").split()
    except git.GitError as error:
        return Convention("tag forms", f"{_SOUGHT}; {error}", setting="maintenance.release.tag_prefix")
    by_form: dict[str, list[tuple[Version, str]]] = defaultdict(list)
    unknown = []
    for name in names:
        read = read_tag(name)
        if read is None:
            unknown.append(name)
        else:
            by_form[read.before].append((read.version, name))
    forms = tuple(
        _form(before, versions)
        for before, versions in sorted(by_form.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    evidence = tuple(Evidence("git tag", None, f"{form.number} as {form.latest}") for form in forms)
    if unknown:
        evidence += (Evidence("git tag", None, f"{len(unknown)} without a version, as {unknown[0]}"),)
    found_any = Tags(forms, tuple(unknown)) if names else None
    shown = ", ".join(f"{form.before}VERSION" for form in forms) or ("tags without a version" if names else "")
    return Convention("tag forms", _SOUGHT, found_any, shown, evidence, setting="maintenance.release.tag_prefix")


def read_tag(name: str) -> ReleaseTag | None:
    """Return what the name of a tag says; ``None`` where no version was understood in it."""
    found = _TAG.fullmatch(name)
    if found is None or _DAY.match(found["version"]):
        return None
    text = found["version"].replace("_", ".")
    if hyphens := _HYPHENS.match(text):
        text = hyphens[0].replace("-", ".") + text[hyphens.end() :]
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    return ReleaseTag(found["before"], _distribution(found["before"]), version)


def _distribution(before: str) -> str:
    named = _NAME.fullmatch(before)
    name = named["name"] if named else ""
    return "" if name.lower() in _WORDS else name


def _form(before: str, versions: list[tuple[Version, str]]) -> TagForm:
    latest = max(versions, key=lambda each: (not each[0].is_prerelease, each[0]))
    return TagForm(before, _distribution(before), len(versions), latest[1])
