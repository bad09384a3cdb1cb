"""A project that uv locks: what it asks for (``pyproject.toml``) and what it has locked (``uv.lock``)."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ...core.files import safe_files
from ...core.files.safe_files import Refused
from ..environment import Environment
from ..package_roles import applies
from .declarations import Declaration
from .requirement_files import FileProblem

LOCK = "uv.lock"

PROJECT = "pyproject.toml"

_LIMIT = 50_000_000
"""Bytes of a file: the lock of a large project has some megabytes."""


class OptionalGroup(NamedTuple):
    """A part of a project that can be installed or not.

    Attributes:
        options: what chooses it for uv: ``("--extra", "docs")`` or ``("--group", "dev")``.
        requirements: what it asks for.
    """

    options: tuple[str, str]
    requirements: tuple[Declaration, ...]


class UvProject(NamedTuple):
    """A project that uv locks.

    Attributes:
        requirements: what it always asks for.
        choices: its extras and its dependency groups.
        versions: what is locked, by normalized name; several versions where they differ by platform.
        indexes: the addresses of the indexes in the lock.
        elsewhere: what is locked and comes from elsewhere than an index, by normalized name.
        computed: True where what it asks for is only known by building it.
        problems: what is wrong with its files.
    """

    requirements: tuple[Declaration, ...] = ()
    choices: tuple[OptionalGroup, ...] = ()
    versions: Mapping[str, frozenset[str]] = {}
    indexes: tuple[str, ...] = ()
    elsewhere: frozenset[str] = frozenset()
    computed: bool = False
    problems: tuple[FileProblem, ...] = ()


def read_uv_project(root: Path) -> UvProject | None:
    """Return what a project asks for and has locked; ``None`` where it has no ``uv.lock``.

    Args:
        root: the project.
    """
    if not (root / LOCK).exists():
        return None
    problems: list[FileProblem] = []
    text, project = _read_toml(root, PROJECT, problems)
    _, lock = _read_toml(root, LOCK, problems)
    table = _table(project, "project")
    packages = [each for each in _list(lock, "package") if isinstance(each, dict)]
    versions, registries, elsewhere = defaultdict[str, set[str]](set), [], set()
    for package in packages:
        name, version, registry = package.get("name"), package.get("version"), _table(package, "source").get("registry")
        registries.append(registry)
        if isinstance(name, str):
            if isinstance(version, str):
                versions[canonicalize_name(name)].add(version)
            if registry is None:
                elsewhere.add(canonicalize_name(name))
    return UvProject(
        requirements=_declarations(_list(table, "dependencies"), text, problems),
        choices=tuple(_optional_groups(project, text, problems)),
        versions={name: frozenset(found) for name, found in versions.items()},
        indexes=tuple(
            dict.fromkeys(url for url in registries if isinstance(url, str) and url.startswith(("http://", "https://")))
        ),
        elsewhere=frozenset(elsewhere),
        computed="dependencies" in _list(table, "dynamic"),
        problems=tuple(problems),
    )


def installed_groups(locked: UvProject, environment: Environment) -> tuple[OptionalGroup, ...]:
    """Return the extras and groups that are installed: those without a missing package.

    Nothing records which ones somebody chose, so what is there tells.
    """

    def installed(each: Declaration) -> bool:
        return canonicalize_name(each.requirement.name) in environment.packages

    return tuple(
        choice
        for choice in locked.choices
        if (asked := [each for each in choice.requirements if applies(each.requirement, environment)])
        and all(map(installed, asked))
    )


def uv_requirements(locked: UvProject, environment: Environment) -> Mapping[str, tuple[Declaration, ...]]:
    """Return what the project asks for, with the extras and groups that are installed, by normalized name."""
    found = defaultdict[str, list[Declaration]](list)
    for declarations in (
        locked.requirements,
        *(choice.requirements for choice in installed_groups(locked, environment)),
    ):
        for each in declarations:
            found[canonicalize_name(each.requirement.name)].append(each)
    return {name: tuple(declarations) for name, declarations in found.items()}


def _read_toml(root: Path, path: str, problems: list[FileProblem]) -> tuple[str, Mapping[str, Any]]:
    """Return a file's text and what it says; what is wrong with it is added to *problems*."""
    try:
        text = safe_files.read(root, path, limit=_LIMIT).decode()
        return text, tomllib.loads(text)
    except FileNotFoundError:
        problems.append(FileProblem(path, f"{LOCK} is there, but {path} is not.", "Restore it, or remove the lock."))
    except UnicodeDecodeError:
        problems.append(FileProblem(path, f"{path} is no text in UTF-8.", "Restore it from version control."))
    except tomllib.TOMLDecodeError as error:
        problems.append(FileProblem(path, f"{path} is no TOML: {error}.", "Mend it; uv cannot read it either."))
    except (Refused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.append(FileProblem(path, f"{path} cannot be read: {reason.rstrip('.')}.", "See that it can be read."))
    return "", {}


def _table(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def _list(of: Mapping[str, Any], key: str) -> list[Any]:
    found = of.get(key)
    return found if isinstance(found, list) else []


def _optional_groups(project: Mapping[str, Any], text: str, problems: list[FileProblem]) -> Iterator[OptionalGroup]:
    for name in (extras := _table(_table(project, "project"), "optional-dependencies")):
        yield OptionalGroup(("--extra", name), _declarations(_list(extras, name), text, problems))
    groups = dict(_table(project, "dependency-groups"))
    if earlier := _list(_table(_table(project, "tool"), "uv"), "dev-dependencies"):
        groups["dev"] = [*_list(groups, "dev"), *earlier]
    for name in groups:
        yield OptionalGroup(("--group", name), _declarations(_group_requirements(groups, name, ()), text, problems))


def _group_requirements(groups: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Iterator[Any]:
    """Yield what a group asks for, with those that it includes (PEP 735); a circle is left to uv to complain of."""
    for each in _list(groups, name):
        if isinstance(each, dict):
            included = each.get("include-group")
            if isinstance(included, str) and included not in {*above, name}:
                yield from _group_requirements(groups, included, (*above, name))
        else:
            yield each


def _declarations(asked: Iterable[Any], text: str, problems: list[FileProblem]) -> tuple[Declaration, ...]:
    found = []
    for each in asked:
        try:
            found.append(Declaration(PROJECT, _line_number(str(each), text), Requirement(str(each))))
        except InvalidRequirement as error:
            message = f"{PROJECT} asks for something that is no requirement: {str(error).splitlines()[0]}."
            problems.append(FileProblem(PROJECT, message, "Mend it; uv cannot read it either."))
    return tuple(found)


def _line_number(asked: str, text: str) -> int:
    """Return the line on which a string stands in quotes, from 1; 0 where it is not to be found."""
    places = [place for quote in "\"'" if (place := text.find(f"{quote}{asked}{quote}")) >= 0]
    return text.count("\n", 0, min(places)) + 1 if places else 0
