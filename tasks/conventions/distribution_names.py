"""Under which name the project is distributed, and which other distributions lie in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packaging.utils import canonicalize_name

from .build_files import ini, line_of, literal, pyproject, setup_arguments, table
from .convention import Convention, Evidence
from .project_files import ProjectFiles, is_foreign

_SOUGHT = "name in pyproject.toml, setup.cfg and setup.py, and one package in the root or in src"

_BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")


class DistributionNames(NamedTuple):
    """The names of what is distributed.

    Attributes:
        own: those of the project itself, its package's among them, as package indexes compare them.
        others: those of distributions in folders below the root, likewise.
    """

    own: frozenset[str]
    others: frozenset[str]


def find_distribution_names(files: ProjectFiles) -> Convention[DistributionNames]:
    """Return the names under which the project and what lies in it are distributed."""
    named = [
        (path, name, evidence)
        for path in files.named(*_BUILD_FILES)
        if not is_foreign(path)
        for name, evidence in _names(files, path)
    ]
    own = {name: evidence for path, name, evidence in named if "/" not in path}
    packages = {path.rsplit("/", 2)[-2]: path for path in files.sources if _is_top(path)}
    if len(packages) == 1:
        ((package, path),) = packages.items()
        if canonicalize_name(package) not in map(canonicalize_name, own):
            own[package] = Evidence(path)
    known = frozenset(map(canonicalize_name, own))
    others = frozenset(canonicalize_name(name) for path, name, _ in named if "/" in path) - known
    return Convention(
        "distribution names",
        _SOUGHT,
        DistributionNames(known, others) if own or others else None,
        ", ".join([*own, *sorted(others)]),
        (*own.values(), *(evidence for path, _, evidence in named if "/" in path)),
        setting="maintenance.release.tag_prefix",
    )


def _is_top(path: str) -> bool:
    folder = path.removeprefix("src/").removesuffix("/__init__.py")
    return path.endswith("/__init__.py") and "/" not in folder


def _names(files: ProjectFiles, path: str) -> Iterator[tuple[str, Evidence]]:
    """Yield the name that a file gives to its distribution."""
    found: object
    if path.endswith("pyproject.toml"):
        tree = pyproject(files, path)
        found = table(tree, "project").get("name") or table(tree, "tool", "poetry").get("name")
    elif path.endswith("setup.cfg"):
        found = ini(files, path).get("metadata", {}).get("name")
    else:
        found = literal(setup_arguments(files, path).get("name"))
    if isinstance(found, str) and found:
        yield found, Evidence(path, line_of(files, path, ["name"]), f"name = {found}")
