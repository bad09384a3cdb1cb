"""Every installed package: how far it could move, and what keeps it from moving further."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..core.settings.model import DependencySettings
from ..core.text.formatting import printable
from .environment import Environment, Installed
from .index.index_client import IndexAnswer, IndexedProject, NotInIndex, QueryFailed
from .index.release_choice import ReleaseChoice, choose_release
from .package_roles import Role, applies, required_by, roles
from .requirements.declarations import Declaration


class VersionBound(NamedTuple):
    """What somebody asks of a package's version.

    Attributes:
        asked_by: who, as the start of a sentence: ``requirements.txt, line 3,``.
        specifier: the versions that it allows.
    """

    asked_by: str
    specifier: SpecifierSet


class Package(NamedTuple):
    """An installed package.

    Attributes:
        name: its normalized name.
        version: as installed.
        role: who wants it.
        source: where it comes from if not from an index; empty: an index.
        latest: the newest release that could be used at all; ``None`` where there is none newer, or none is known.
        target: the version that it can move to now; the installed one where it stays.
        step: of *latest*: ``major``, ``minor`` or ``patch``; empty where there is none.
        released: when *latest* was; ``None`` where the index does not tell.
        timeless: True where the cooldown could not be applied to *target*, since the index tells no time.
        yanked: True where the installed release was withdrawn.
        holds: why *latest* is not *target*, as sentences.
        unknown: why nothing is known of its releases, as the end of a sentence; empty where something is.
    """

    name: str
    version: str
    role: Role
    source: str = ""
    latest: str | None = None
    target: str = ""
    step: str = ""
    released: datetime | None = None
    timeless: bool = False
    yanked: bool = False
    holds: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def moves(self) -> bool:
        """True where an update can move it now: one that no requirement leads to is left as it is."""
        return self.role is not Role.OTHER and bool(self.target) and self.target != self.version


class ProjectRequirements(NamedTuple):
    """What the project's files ask for.

    Attributes:
        requirements: by name, each place where it is required.
        constraints: by name, each place where it is constrained.
        declared: False where there is no requirements file.
        unread: files that could not be read whole, so that more may be asked than is known.
    """

    requirements: Mapping[str, tuple[Declaration, ...]] = {}
    constraints: Mapping[str, tuple[Declaration, ...]] = {}
    declared: bool = False
    unread: tuple[str, ...] = ()


def assess_packages(
    environment: Environment,
    wanted: ProjectRequirements,
    answers: Mapping[str, IndexAnswer],
    fixes: Mapping[str, Version],
    *,
    settings: DependencySettings,
    now: datetime,
) -> Mapping[str, Package]:
    """Return every installed package by name.

    Args:
        environment: what is installed.
        wanted: what the project's files ask for.
        answers: what the index said, by name.
        fixes: by name, the lowest version that repairs all that is known against the installed one.
        settings: cooldown and step.
        now: the moment of the run.
    """
    direct = [
        each.requirement
        for declarations in wanted.requirements.values()
        for each in declarations
        if applies(each.requirement, environment)
    ]
    role = roles(environment, direct, declared=wanted.declared)
    limits = version_bounds(environment, wanted)

    def assessed(package: Installed) -> Package:
        known = Package(package.name, package.version, role[package.name], package.source, target=package.version)
        answer = answers.get(package.name)
        if package.source:
            return known._replace(unknown=f"it was installed from elsewhere ({package.source})")
        if not isinstance(answer, IndexedProject):
            return known._replace(unknown=_unknown_reason(answer))
        try:
            installed = Version(package.version)
        except InvalidVersion:
            return known._replace(unknown=f"its version {package.version!r} is none by PEP 440")

        def best(project: IndexedProject) -> ReleaseChoice:
            return choose_release(
                installed,
                project.releases,
                python=Version(environment.version),
                now=now,
                cooldown_days=settings.cooldown_days,
                largest_step=settings.largest_step,
                fixed=fixes.get(package.name),
            )

        asked = limits.get(package.name, ())
        allowed = within_bounds(answer, asked)
        moved = _with_choice(known, best(answer), best(allowed), asked)
        if moved.latest is None or not wanted.unread:
            return moved
        hold = f"what is asked of it is not known while {printable(wanted.unread[0])} cannot be read whole"
        return moved._replace(target=package.version, holds=(hold,))

    return {name: assessed(package) for name, package in environment.packages.items()}


def within_bounds(project: IndexedProject, asked: Iterable[VersionBound]) -> IndexedProject:
    """Return a project with those releases only that everybody who asks allows."""
    specifiers = [bound.specifier for bound in asked]
    releases = tuple(
        release
        for release in project.releases
        if all(specifier.contains(release.version, prereleases=True) for specifier in specifiers)
    )
    return project._replace(releases=releases)


def version_bounds(environment: Environment, wanted: ProjectRequirements) -> Mapping[str, tuple[VersionBound, ...]]:
    """Return what is asked of each package's version, by name.

    A version that is pinned in a requirements file is no bound: it is what an update changes there. With hashes it
    is one, since a new version needs new hashes.
    """
    found = defaultdict[str, list[VersionBound]](list)
    for name, declarations in wanted.requirements.items():
        for each in declarations:
            if each.requirement.specifier and applies(each.requirement, environment):
                found[name] += _declared_bounds(each)
    for name, declarations in wanted.constraints.items():
        for each in declarations:
            if each.requirement.specifier and applies(each.requirement, environment):
                found[name].append(VersionBound(f"{each.place},", each.requirement.specifier))
    for package in environment.packages.values():
        for requirement in required_by(package, environment):
            if requirement.specifier:
                bound = VersionBound(f"{package.name} {package.version}", requirement.specifier)
                found[canonicalize_name(requirement.name)].append(bound)
    return {name: tuple(asked) for name, asked in found.items()}


def _declared_bounds(each: Declaration) -> Iterator[VersionBound]:
    if each.hashed:
        yield VersionBound(f"{each.place}, with its hashes", each.requirement.specifier)
    elif each.pin is None:
        yield VersionBound(f"{each.place},", each.requirement.specifier)


def _unknown_reason(answer: IndexAnswer | None) -> str:
    if isinstance(answer, NotInIndex | QueryFailed):
        return answer.reason
    return "the index was not asked"


def _with_choice(
    known: Package,
    free: ReleaseChoice,
    allowed: ReleaseChoice,
    asked: Iterable[VersionBound],
) -> Package:
    moved = known._replace(yanked=free.yanked)
    if free.latest is None:
        return moved
    holds = list(free.waits)
    if allowed.target != free.target:
        holds += [
            f"{bound.asked_by} asks for {bound.specifier}"
            for bound in asked
            if not bound.specifier.contains(free.target, prereleases=True)
        ]
    target = str(allowed.target) if allowed.latest is not None and allowed.target > Version(known.version) else ""
    if not target and not holds:
        holds = [f"no release between {known.version} and {free.latest} suits everybody who asks for it"]
    return moved._replace(
        latest=str(free.latest),
        target=target or known.version,
        step=free.step or "",
        released=free.uploaded,
        timeless=allowed.timeless if target else free.timeless,
        holds=tuple(holds) if target != str(free.latest) else (),
    )
