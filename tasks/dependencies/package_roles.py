"""Why a package is installed: the project requires it, another package needs it, or neither is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .environment import Environment, Installed


class Role(Enum):
    """Who wants a package: the project's requirements, a package that these need, or nobody that is known."""

    DIRECT = "direct"
    TRANSITIVE = "transitive"
    OTHER = "other"


def marker_environment(environment: Environment) -> dict[str, str]:
    """Return what markers of requirements are to be judged by, where it differs from the suite's interpreter."""
    version = environment.version
    return {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}


def applies(requirement: Requirement, environment: Environment, extras: Iterable[str] = ()) -> bool:
    """Tell whether a requirement's marker holds in an environment, for any of the *extras* that were asked for."""
    if requirement.marker is None:
        return True
    known = marker_environment(environment)
    return any(requirement.marker.evaluate({**known, "extra": extra}) for extra in ("", *extras))


def required_by(package: Installed, environment: Environment, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yield what an installed package requires in this environment; what cannot be read is left out."""
    for text in package.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if applies(requirement, environment, extras):
            yield requirement


def roles(environment: Environment, direct: Iterable[Requirement], *, declared: bool) -> Mapping[str, Role]:
    """Return the role of every installed package.

    Args:
        environment: what is installed.
        direct: what the project's requirements ask for in this environment. What was installed from a folder or an
            address is direct as well: nobody gets such a package by chance, and its line tells no name.
        declared: False where the project has no requirements file; a package that was installed by name is direct then.
    """
    packages = environment.packages
    wanted: dict[str, set[str]] = {}
    pending = [_name_and_extras(requirement) for requirement in direct]
    pending += [
        (package.name, frozenset())
        for package in packages.values()
        if package.source or (package.requested and not declared)
    ]
    roots = {name for name, _ in pending}
    while pending:
        name, extras = pending.pop()
        if name not in packages or (name in wanted and extras <= wanted[name]):
            continue
        wanted.setdefault(name, set()).update(extras)
        pending += map(_name_and_extras, required_by(packages[name], environment, wanted[name]))
    return {name: _role(name, roots, wanted) for name in packages}


def _name_and_extras(requirement: Requirement) -> tuple[str, frozenset[str]]:
    return canonicalize_name(requirement.name), frozenset(requirement.extras)


def _role(name: str, roots: set[str], wanted: Mapping[str, object]) -> Role:
    if name in roots:
        return Role.DIRECT
    return Role.TRANSITIVE if name in wanted else Role.OTHER
