"""Findings on packages: outdated, held back, withdrawn, not as required, or unknown to the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from ..core.report.model import Finding, Status
from ..core.text.formatting import age, count, listed, printable
from .environment import Environment, NoEnvironment
from .package_assessment import Package, ProjectRequirements
from .package_roles import Role, applies

TASK = "monthly.dependency-update"

_SUBJECT = "environment"


def environment_finding(found: Environment | NoEnvironment, root: Path, *, by_uv: bool = False) -> Finding:
    """Return the finding on which environment was looked at; one in the project is shown by its path there."""
    if isinstance(found, NoEnvironment):
        return Finding(
            check="dependencies.environment",
            subject=_SUBJECT,
            status=Status.UNKNOWN,
            message=found.message,
            remedy=found.remedy,
        )
    top = root.resolve()
    shown = found.prefix.relative_to(top) if found.prefix.is_relative_to(top) else found.prefix
    also = ", the one that this suite runs in" if found.runs_suite else ""
    return Finding(
        check="dependencies.environment",
        subject=_SUBJECT,
        status=Status.OK,
        message=(
            f"{printable(shown)} ({found.origin}{also}): "
            f"Python {found.version} with {count(len(found.packages), 'package')}{', locked by uv' if by_uv else ''}."
        ),
        value=len(found.packages),
        unit="packages",
    )


def release_findings(packages: Mapping[str, Package], now: datetime) -> Iterator[Finding]:
    """Yield what there is to say of newer releases: what can move, what is held and why, what is not known."""
    for package in packages.values():
        if package.yanked:
            yield Finding(
                check="dependencies.yanked",
                subject=package.name,
                status=Status.WARNING,
                message=f"{package.version}, which is installed, was withdrawn by those who made it.",
                remedy=_update_command(package) if package.moves else "Look up why, and choose another version.",
            )
        if package.role is Role.DIRECT and package.latest:
            yield _outdated_finding(package, now) if package.moves else _held_finding(package)
    yield from _transitive_finding([each for each in packages.values() if each.role is Role.TRANSITIVE])
    yield from _unknown_findings(packages.values())


def _outdated_finding(package: Package, now: datetime) -> Finding:
    waiting = f" {package.latest} has to wait: {'; '.join(package.holds)}." if package.holds else ""
    timeless = " The index does not tell when it was released, so it was not made to wait." if package.timeless else ""
    since = ""
    if package.released and package.latest == package.target:
        since = f", released {age((now - package.released).total_seconds())} ago"
    step = f"a {package.step} step{since}" if package.latest == package.target else "as far as it may go now"
    return Finding(
        check="dependencies.outdated",
        subject=package.name,
        status=Status.WARNING,
        message=f"{package.version} can move to {package.target}, {step}.{waiting}{timeless}",
        value=package.version,
        remedy=_update_command(package),
    )


def _held_finding(package: Package) -> Finding:
    return Finding(
        check="dependencies.held",
        subject=package.name,
        status=Status.OK,
        message=f"{package.version} stays though there is {package.latest}: {'; '.join(package.holds)}.",
        value=package.version,
    )


def _update_command(package: Package) -> str:
    return f"inv {TASK} --only {package.name}"


def _transitive_finding(packages: Iterable[Package]) -> Iterator[Finding]:
    movable = [f"{package.name} {package.target}" for package in packages if package.moves]
    if movable:
        yield Finding(
            check="dependencies.transitive",
            subject="transitive packages",
            status=Status.OK,
            message=f"{count(len(movable), 'package')} that others need can move with them: "
            f"{listed(movable, len(movable))}.",
            value=len(movable),
            unit="packages",
        )


def _unknown_findings(packages: Iterable[Package]) -> Iterator[Finding]:
    reasons = defaultdict[tuple[bool, str], list[str]](list)
    for package in packages:
        if package.unknown:
            reasons[bool(package.source), package.unknown].append(package.name)
    for (elsewhere, reason), names in sorted(reasons.items()):
        yield Finding(
            check="dependencies.releases",
            subject="releases",
            status=Status.SKIPPED if elsewhere else Status.UNKNOWN,
            message=f"Of {listed(names, len(names))} no releases are known: {printable(reason)}.",
            value=len(names),
            unit="packages",
            remedy=None if elsewhere else "See that this is the right index (dependencies.index_url, pip config).",
        )


def table(packages: Iterable[Package]) -> list[dict[str, Any]]:
    """Return the packages that have a newer release, as records for a report."""
    return [
        {
            "package": package.name,
            "installed": package.version,
            "moves to": package.target if package.moves else None,
            "latest": package.latest,
            "step": package.step,
            "wanted": package.role.value,
        }
        for package in packages
        if package.latest
    ]


def record(package: Package) -> dict[str, Any]:
    """Return one package as a record for other programs."""
    return {
        "installed": package.version,
        "wanted": package.role.value,
        "source": package.source or "index",
        "latest": package.latest,
        "target": package.target if package.moves else None,
        "step": package.step or None,
        "released": package.released.isoformat() if package.released else None,
        "yanked": package.yanked,
        "holds": list(package.holds),
        "unknown": package.unknown or None,
    }


def requirement_findings(wanted: ProjectRequirements, environment: Environment) -> Iterator[Finding]:
    """Yield where the environment is not what the requirements ask for."""
    for name, declarations in wanted.requirements.items():
        for each in declarations:
            if not applies(each.requirement, environment):
                continue
            installed = environment.packages.get(name)
            if installed is None:
                problem = "asks for it, but it is not installed"
            elif not _suits(each.requirement.specifier, installed.version):
                problem = f"asks for {each.requirement.specifier}, but {installed.version} is installed"
            else:
                continue
            yield Finding(
                check="dependencies.unmet",
                subject=name,
                status=Status.WARNING,
                message=f"{each.place}, {problem}.",
                value=installed.version if installed else None,
                remedy="Install what the requirements ask for, or change them.",
            )


def _suits(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True  # what is no version suits nobody, and breaks nobody's bounds either
