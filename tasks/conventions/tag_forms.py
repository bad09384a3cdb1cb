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

_TAG = re.compile(
    r"(?P<before>(?:.*?[-@/_])?(?:[vV]|release-|rel-|r)?)(?P<version>\d+(?:[._]\d+)*(?:[._-]?[A-Za-z]+[._-]?\d*)*)(?P<after>)"
)

_NAME = re.compile(r"(?P<name>.+?)[-@/_](?:[vV]|release-|rel-|r)?$")


_WORDS = frozenset({"r", "rel", "release", "v", "version"})
"""What stands before a version and names no distribution."""


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
        found = _TAG.fullmatch(name)
        version = _version(found["version"]) if found else None
        if found is None or version is None:
            unknown.append(name)
        else:
            by_form[found["before"]].append((version, name))
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


def _version(text: str) -> Version | None:
    try:
        return Version(text.replace("_", "."))
    except InvalidVersion:
        return None


def _form(before: str, versions: list[tuple[Version, str]]) -> TagForm:
    latest = max(versions, key=lambda each: (not each[0].is_prerelease, each[0]))
    named = _NAME.fullmatch(before)
    name = named["name"] if named else ""
    return TagForm(before, "" if name.lower() in _WORDS else name, len(versions), latest[1])
