"""What an update would change, from which version to which and why: pure decisions for the plan of an update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from .environment import Environment
from .package_assessment import Package
from .package_roles import Role


class Scope(NamedTuple):
    """What an update may touch.

    Attributes:
        only: these packages, by normalized name; empty: every one.
        security: only what repairs a known vulnerability.
    """

    only: frozenset[str] = frozenset()
    security: bool = False


class Why(Enum):
    """Why a version changes."""

    OUTDATED = "outdated"
    VULNERABLE = "repairs a vulnerability"
    NEEDED = "needed by another package"
    MISSING = "required and not installed"
    LOCKED = "locked already"


class Move(NamedTuple):
    """One package's change.

    Attributes:
        name: the package.
        before: its installed version; empty where it is not installed.
        after: its new version.
        why: what calls for it.
    """

    name: str
    before: str
    after: str
    why: Why

    def __str__(self) -> str:
        """Return it for people: ``demo 1.0 -> 1.1 (outdated)``."""
        return f"{self.name} {self.before or '(none)'} -> {self.after} ({self.why.value})"


def caps(packages: Mapping[str, Package], fixes: Mapping[str, Version], scope: Scope) -> Mapping[str, str]:
    """Return, for each package from an index, the highest version that an update may bring.

    What is out of scope or not known to the index keeps its version.
    """
    return {
        package.name: (package.target if _in_scope(package, fixes, scope) else package.version)
        for package in packages.values()
        if not package.source and _is_version(package.version)
    }


def at_least(limits: Mapping[str, str], locked: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    """Return the limits of what is locked, none lower than the locked version: a lock is never turned back.

    What is locked in several versions, by platform, has no limit and keeps them.

    Args:
        limits: the highest version of each package.
        locked: the locked versions of each.
    """
    found = {}
    for name, limit in limits.items():
        versions = [*locked.get(name, ())]
        if len(versions) == 1 and _is_version(versions[0]):
            found[name] = max(limit, versions[0], key=Version)
    return found


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _in_scope(package: Package, fixes: Mapping[str, Version], scope: Scope) -> bool:
    if scope.only and package.name not in scope.only:
        return False
    return package.name in fixes if scope.security else True


def constraints(
    environment: Environment, packages: Mapping[str, Package], limits: Mapping[str, str], pinned: Iterable[str]
) -> Iterator[str]:
    """Yield the lines that keep a resolver within what an update may touch.

    Args:
        environment: what is installed.
        packages: every installed package.
        limits: the highest version of each, as :func:`caps` gives them.
        pinned: names whose requirement carries the limit already.
    """
    settled = set(pinned)
    for name, limit in limits.items():
        package = packages[name]
        if package.role is Role.OTHER or name in settled:
            continue
        yield f"{name}=={limit}" if limit == package.version else f"{name}<={Version(limit).public}"
    yield from _what_others_ask(environment, packages)


def _what_others_ask(environment: Environment, packages: Mapping[str, Package]) -> Iterator[str]:
    """Yield what packages ask that no requirement leads to: they stay, and must go on working."""
    for package in environment.packages.values():
        if packages[package.name].role is not Role.OTHER:
            continue
        for text in package.requires:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.specifier and not requirement.url and "extra" not in str(requirement.marker):
                marker = f"; {requirement.marker}" if requirement.marker else ""
                yield f"{canonicalize_name(requirement.name)}{requirement.specifier}{marker}"


def moves(
    packages: Mapping[str, Package],
    resolved: Mapping[str, str],
    fixes: Mapping[str, Version],
    scope: Scope,
    locked: Mapping[str, Iterable[str]] | None = None,
) -> tuple[Move, ...]:
    """Return what changes where the environment becomes what was *resolved*, by name.

    What comes from elsewhere than an index stays as it is. *locked* are the versions that the project's lock has.
    """
    changed = []
    for name, version in sorted(resolved.items()):
        package = packages.get(name)
        if package is None:
            changed.append(Move(name, "", version, Why.MISSING))
        elif not package.source and not _same(version, package.version):
            already = version in (locked or {}).get(name, ())
            why = Why.LOCKED if already else _why(package, version, fixes, scope)
            changed.append(Move(name, package.version, version, why))
    return tuple(changed)


def _same(version: str, other: str) -> bool:
    return version == other or (_is_version(other) and Version(version) == Version(other))


def _why(package: Package, version: str, fixes: Mapping[str, Version], scope: Scope) -> Why:
    fix = fixes.get(package.name)
    if fix is not None and Version(version) >= fix:
        return Why.VULNERABLE
    return Why.OUTDATED if package.moves and _in_scope(package, fixes, scope) else Why.NEEDED
