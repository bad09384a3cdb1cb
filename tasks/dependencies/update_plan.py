"""The plan of an update: what may change, what the resolver makes of it, and which project files follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..core.settings.model import Settings
from ..core.text.formatting import listed, printable
from .dependency_review import DependencyReview
from .environment import CONFIGURED, Environment, NoEnvironment
from .installation.installers import ByPip, ByUv, Installer
from .installation.package_managers import Pip, Refusal, Uv, find_uv
from .installation.resolvers import IndexOptions, relock, resolve
from .package_assessment import Package
from .package_roles import Role, applies, required_by
from .planning import Move, Scope, at_least, caps, constraints, moves
from .project_files import lock_path, requirement_edits
from .requirements.declarations import constraint_lines, declared_packages, option_lines, relaxed_lines
from .requirements.uv_project import LOCK, PROJECT, UvProject, installed_groups

_WRITABLE = 0o222


class UpdatePlan(NamedTuple):
    """What an update does.

    Attributes:
        moves: the packages that change.
        pins: everything that a fresh environment needs, versions by name.
        edits: the requirements files that change, by path below the root, with their new texts.
        lock: the file that gets the list of all that is installed; empty: none.
        local: installed packages that come from elsewhere than an index.
    """

    moves: tuple[Move, ...]
    pins: Mapping[str, str]
    edits: Mapping[str, str]
    lock: str = ""
    local: tuple[str, ...] = ()


class PreparedUpdate(NamedTuple):
    """An update that can be carried out.

    Attributes:
        plan: what it does.
        installer: carries it out.
    """

    plan: UpdatePlan
    installer: Installer


def prepare_update(
    settings: Settings,
    reviewed: DependencyReview,
    scope: Scope,
    *,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    stop: Event,
) -> PreparedUpdate | Refusal:
    """Return what an update would do, or why there can be none. Nothing is changed.

    Args:
        settings: the suite's.
        reviewed: what a review found.
        scope: what may be touched.
        environ: the process's environment, without keys.
        redact: takes secrets out of a text.
        stop: ends it early where it is set.
    """
    environment = reviewed.environment
    if isinstance(environment, NoEnvironment):
        return Refusal("Nothing can be updated without an environment.", environment.remedy)
    root = Path(settings.root)
    if refusal := _unusable_files(reviewed) or _unusable_environment(root, environment):
        return refusal
    seconds = settings.dependencies.deadline_seconds
    if reviewed.locked is None:
        prepared = _prepare_by_pip(settings, reviewed, scope, Pip(environment, root, environ, seconds, redact, stop))
    elif program := find_uv(environ):
        uv = Uv(program, environment, environ, seconds, redact, stop)
        prepared = _prepare_by_uv(root, reviewed, reviewed.locked, scope, uv)
    else:
        prepared = Refusal(
            f"The project is locked by uv ({LOCK}), but there is no uv on the PATH: nothing is updated.",
            "Install uv where this runs; pip would leave that lock behind.",
        )
    if isinstance(prepared, Refusal):
        return prepared
    return _write_protected(root, prepared.plan.edits) or prepared


def _prepare_by_pip(settings: Settings, reviewed: DependencyReview, scope: Scope, pip: Pip) -> PreparedUpdate | Refusal:
    """Return what pip makes of an update: pinned versions move in the requirements."""
    tree, environment = reviewed.tree, pip.environment
    if refusal := pip.usable():
        return refusal
    packages = reviewed.packages
    local = {name for name, package in packages.items() if package.source}
    limits = caps(packages, reviewed.fixes, scope)
    pinned = {
        name: each.pin
        for name, declarations in declared_packages(tree).items()
        for each in declarations
        if each.pin is not None and applies(each.requirement, environment)
    }
    wanted = [line for line in relaxed_lines(tree, limits) if _name(line) not in local]
    wanted += [
        str(requirement)
        for name in sorted(local)
        for requirement in required_by(environment.packages[name], environment)
        if canonicalize_name(requirement.name) not in local
    ]
    bounds = [*constraint_lines(tree), *constraints(environment, packages, limits, pinned)]
    sources = IndexOptions(tuple(option_lines(tree)), settings.dependencies.index_url)
    resolved = resolve(pip, wanted, bounds, sources)
    if isinstance(resolved, Refusal):
        return resolved
    changed = moves(packages, resolved, reviewed.fixes, scope)
    versions = {name: (old, resolved[name]) for name, old in pinned.items() if name in resolved}
    plan = UpdatePlan(
        changed,
        {**_unrequired_versions(packages, resolved), **resolved},
        requirement_edits(tree, versions),
        lock_path(settings.dependencies.requirements),
        _local_packages(packages),
    )
    return PreparedUpdate(plan, ByPip(pip, sources))


def _prepare_by_uv(
    root: Path, reviewed: DependencyReview, locked: UvProject, scope: Scope, uv: Uv
) -> PreparedUpdate | Refusal:
    """Return what uv makes of an update: its lock moves, and what the project asks for stays as it is."""
    packages, environment = reviewed.packages, uv.environment
    if locked.computed:
        return Refusal(
            f"What the project asks for is computed when it is built (dynamic in {PROJECT}): nothing is updated.",
            "uv lock --upgrade, then uv sync, then look again with --check.",
        )
    limits = at_least(caps(packages, reviewed.fixes, scope), locked.versions)
    choices = installed_groups(locked, environment)
    copied = _local_packages(packages)
    left_out = sorted({*copied, *locked.elsewhere})
    new = relock(uv, root, constraints(environment, packages, limits, ()), choices, left_out)
    if isinstance(new, Refusal):
        return new
    changed = moves(packages, new.versions, reviewed.fixes, scope, locked.versions)
    pins = {**_unrequired_versions(packages, new.versions), **new.versions}
    plan = UpdatePlan(changed, pins, {LOCK: new.text} if new.changed else {}, local=copied)
    return PreparedUpdate(plan, ByUv(uv, root, new.exported, frozenset(new.versions)))


def _unrequired_versions(packages: Mapping[str, Package], resolved: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is installed though no requirement leads to it, from an index, by name."""
    return {
        name: package.version
        for name, package in packages.items()
        if package.role is Role.OTHER and not package.source and not package.unknown and name not in resolved
    }


def _local_packages(packages: Mapping[str, Package]) -> tuple[str, ...]:
    """Return what no index has, and is copied therefore."""
    return tuple(name for name, package in packages.items() if package.source or package.unknown)


def _name(line: str) -> str:
    return canonicalize_name(Requirement(line).name)


def _write_protected(root: Path, paths: Iterable[str]) -> Refusal | None:
    """Return which of the files is write-protected: somebody did that on purpose, so root respects it too."""
    protected = [path for path in paths if not (root / path).stat().st_mode & _WRITABLE]
    if not protected:
        return None
    message = f"Nothing is updated, for write-protected is: {listed(protected, len(protected))}."
    return Refusal(message, f"chmod u+w {printable(protected[0])}, or change it by hand.")


def _unusable_files(reviewed: DependencyReview) -> Refusal | None:
    """Return why the project's files are not to be changed; ``None`` where they can be."""
    if reviewed.tree.missing:
        return Refusal("Nothing is updated without a requirements file.", "Write down what the project requires.")
    if reviewed.tree.problems:
        return Refusal(
            "Nothing is updated while a file that says what is required cannot be read whole.",
            reviewed.tree.problems[0].remedy,
        )
    return None


def _unusable_environment(root: Path, environment: Environment) -> Refusal | None:
    """Return why an environment is not to be changed; ``None`` where it can be."""
    if not environment.virtual:
        return Refusal(
            f"{printable(environment.prefix)} is no virtual environment, and others use it too: nothing is updated.",
            "Make one for the project: python3 -m venv .venv",
        )
    if environment.origin != CONFIGURED and not environment.prefix.is_relative_to(root.resolve()):
        return Refusal(
            f"{printable(environment.prefix)} lies outside the project, where nothing is changed unasked.",
            f"Set dependencies.python to {printable(environment.python)} to have it updated.",
        )
    if environment.runs_suite:
        return Refusal(
            "The project's environment is the one that this suite runs in, and nothing replaces what it runs on.",
            "Install the suite in an environment of its own, and call its inv from the project.",
        )
    return None
