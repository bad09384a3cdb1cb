"""The review of what the project requires: its environment, its releases, its audit. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from ..core.report.model import Finding, Metric, Report, Status
from ..core.settings.model import Settings
from ..core.text.formatting import count, printable
from . import package_findings
from .audit import audit_findings
from .audit.audit_verdicts import AuditOutcome, AuditTriage, lowest_fix, triage
from .audit.pip_audit_runner import audit, with_service_doubts, with_unaudited
from .environment import Environment, Installed, NoEnvironment, examine, locate
from .index.index_client import IndexAnswer, IndexedProject, NotInIndex, QueryFailed, query_indexes
from .index.index_urls import index_urls
from .package_assessment import Package, ProjectRequirements, assess_packages
from .package_roles import Role
from .requirements.declarations import declared_packages, option_lines
from .requirements.requirement_files import FileProblem, RequirementsTree, read_tree
from .requirements.uv_project import LOCK, UvProject, read_uv_project, uv_requirements


class DependencyReview(NamedTuple):
    """What a review found.

    Attributes:
        environment: the project's; or why none is known.
        tree: its requirements files.
        wanted: what they ask for.
        packages: what is installed, by normalized name.
        fixes: by name, the lowest version that repairs all that counts against the installed one.
        outcome: the audit's; ``None`` where there was nothing to audit.
        triaged: the same, weighed against what was accepted.
        urls: the indexes that were asked.
        locked: what uv has locked; ``None`` where the project has no ``uv.lock``.
    """

    environment: Environment | NoEnvironment
    tree: RequirementsTree
    wanted: ProjectRequirements = ProjectRequirements()
    packages: Mapping[str, Package] = {}
    fixes: Mapping[str, Version] = {}
    outcome: AuditOutcome | None = None
    triaged: AuditTriage | None = None
    urls: tuple[str, ...] = ()
    locked: UvProject | None = None


def review(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    now: datetime,
    redact: Callable[[str], str] = str,
    stop: Event | None = None,
) -> DependencyReview:
    """Look at the project's environment, ask the index for releases and the audit for vulnerabilities.

    Args:
        settings: the suite's.
        environ: the process's environment, without keys.
        now: the moment of the run.
        redact: takes secrets out of a text.
        stop: ends it early where it is set.
    """
    wants = settings.dependencies
    root = Path(settings.root)
    locked = read_uv_project(root)
    tree = read_tree(root, wants.requirements) if locked is None else RequirementsTree({}, locked.problems)
    place = locate(root, wants.python, environ, make="uv sync" if locked else "python3 -m venv .venv")
    environment = place if isinstance(place, NoEnvironment) else examine(place, environ, stop)
    if isinstance(environment, NoEnvironment):
        return DependencyReview(environment, tree, locked=locked)
    if locked is not None and not wants.index_url:
        urls, no_index_reason = [*locked.indexes], f"{LOCK} names none"
    else:
        urls = index_urls(
            environment, configured=wants.index_url, options=option_lines(tree), environ=environ, stop=stop
        )
        no_index_reason = "the environment has no pip that is configured for one"
    installed = [package for package in environment.packages.values() if not package.source]
    with ThreadPoolExecutor(1) as beside:
        auditing = beside.submit(
            audit,
            [(package.name, package.version) for package in installed],
            osv_url=wants.osv_url,
            deadline_seconds=wants.deadline_seconds,
            environ=environ,
            redact=redact,
            stop=stop,
        )
        answers = query_indexes(
            [package.name for package in installed],
            urls,
            no_index_reason=no_index_reason,
            deadline_seconds=wants.deadline_seconds,
            redact=redact,
            stop=stop,
        )
        outcome = auditing.result()
    outcome = with_unaudited(outcome, dict(_not_clean_reasons(environment, answers, by_osv=bool(wants.osv_url))))
    outcome = with_service_doubts(outcome, {package.name for package in installed if _in_index(package, answers)})
    triaged = triage(outcome, wants.ignore, now.date())
    fixes = {
        name: fix
        for name, vulnerabilities in triaged.counting.items()
        if (fix := lowest_fix(vulnerabilities, environment.packages[name].version)) is not None
    }
    unread = tuple(dict.fromkeys(problem.path for problem in tree.problems))
    if locked is None:
        wanted = ProjectRequirements(
            declared_packages(tree), declared_packages(tree, constraints=True), not tree.missing, unread
        )
    else:
        wanted = ProjectRequirements(uv_requirements(locked, environment), declared=True, unread=unread)
    packages = assess_packages(environment, wanted, answers, fixes, settings=wants, now=now)
    return DependencyReview(environment, tree, wanted, packages, fixes, outcome, triaged, tuple(urls), locked)


def _not_clean_reasons(
    environment: Environment, answers: Mapping[str, IndexAnswer], *, by_osv: bool
) -> Iterator[tuple[str, str]]:
    """Yield what must not be called clean though nothing is known against it, with the reason.

    OSV says nothing of a package that does not exist, just as of one that is safe.
    """
    for package in environment.packages.values():
        match answers.get(package.name):
            case _ if package.source:
                yield package.name, f"it was installed from elsewhere ({package.source})"
            case NotInIndex():
                yield package.name, "the index does not know it, so nobody reports anything of it"
            case QueryFailed(reason) if by_osv:
                yield package.name, f"whether the index knows it could not be found out, for {reason}"
            case IndexedProject() if not _in_index(package, answers):
                yield package.name, "the index does not have the version that is installed"


def _in_index(package: Installed, answers: Mapping[str, IndexAnswer]) -> bool:
    """Tell whether the index has the version that is installed."""
    answer = answers.get(package.name)
    return isinstance(answer, IndexedProject) and any(
        _same_release(release.version, package.version) for release in answer.releases
    )


def _same_release(version: Version, installed: str) -> bool:
    """Tell whether a release is what is installed, apart from what its builder added to the version."""
    try:
        return version.public == Version(installed).public
    except InvalidVersion:
        return False


def review_report(reviewed: DependencyReview, root: Path, now: datetime) -> Report:
    """Return the report on a review."""
    findings = [
        package_findings.environment_finding(reviewed.environment, root, by_uv=reviewed.locked is not None),
        *_file_findings(reviewed.tree, reviewed.environment),
    ]
    metrics: list[Metric] = []
    data: dict[str, Any] = {}
    if isinstance(reviewed.environment, Environment) and reviewed.outcome is not None and reviewed.triaged is not None:
        versions = {package.name: package.version for package in reviewed.packages.values()}
        others = {package.name for package in reviewed.packages.values() if package.role is Role.OTHER}
        findings += audit_findings.findings(reviewed.outcome, reviewed.triaged, versions, others)
        findings += package_findings.requirement_findings(reviewed.wanted, reviewed.environment)
        findings += package_findings.release_findings(reviewed.packages, now)
        metrics = [*audit_findings.metrics(reviewed.outcome, reviewed.triaged), *_metrics(reviewed.packages.values())]
        data = {
            "outdated": package_findings.table(reviewed.packages.values()),
            "packages": {
                name: {**package_findings.record(package), "audit": audit_findings.record(reviewed.outcome, name)}
                for name, package in reviewed.packages.items()
            },
        }
    return Report(summary=_summary(reviewed), findings=findings, metrics=metrics, data=data)


def _file_findings(tree: RequirementsTree, environment: Environment | NoEnvironment) -> Iterator[Finding]:
    if tree.missing:
        instead = "" if isinstance(environment, NoEnvironment) else ": direct is what was installed by name"
        yield Finding(
            check="dependencies.requirements",
            subject="requirements",
            status=Status.SKIPPED,
            message=f"There is no requirements file{instead}, and nothing is updated.",
        )
    yield from map(_problem_finding, tree.problems)


def _problem_finding(problem: FileProblem) -> Finding:
    return Finding(
        check="dependencies.requirements",
        subject=printable(problem.path),
        status=Status.WARNING,
        message=problem.message,
        remedy=problem.remedy,
    )


def _metrics(packages: Iterable[Package]) -> list[Metric]:
    installed = list(packages)
    numbers = {"dependencies.installed": len(installed)}
    if not _no_releases_known(installed):
        numbers["dependencies.outdated"] = sum(package.latest is not None for package in installed)
        numbers["dependencies.movable"] = sum(package.moves for package in installed)
    return [Metric(name=name, value=value, unit="packages") for name, value in numbers.items()]


def _summary(reviewed: DependencyReview) -> str:
    if reviewed.outcome is None or reviewed.triaged is None:
        return "no environment to look at"
    packages = reviewed.packages.values()
    movable = f"{sum(package.moves for package in packages):,} can move"
    return ", ".join(
        [
            count(len(packages), "package"),
            audit_findings.summary(reviewed.outcome, reviewed.triaged),
            "no releases known" if _no_releases_known(packages) else movable,
        ]
    )


def _no_releases_known(packages: Collection[Package]) -> bool:
    """Tell whether there are packages and of not one of them releases are known."""
    return bool(packages) and all(package.unknown for package in packages)
