"""What an update would install: resolved by pip without installing it, or by uv in a copy of the project's metadata."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from ..environment import Environment
from ..package_roles import marker_environment
from ..requirements.uv_project import LOCK, PROJECT, OptionalGroup
from .package_managers import Pip, Refusal, Uv


class IndexOptions(NamedTuple):
    """Where pip is to look for packages.

    Attributes:
        options: the lines with options of the project's requirements files.
        index_url: the setting; empty: as pip is configured.
    """

    options: tuple[str, ...] = ()
    index_url: str = ""

    def lines(self) -> list[str]:
        """Return them as lines of a requirements file; the last index named is the one that counts."""
        return [*self.options, *([f"--index-url {self.index_url}"] if self.index_url else [])]


class _Metadata(msgspec.Struct):
    name: str
    version: str


class _Install(msgspec.Struct):
    metadata: _Metadata


class _Report(msgspec.Struct):
    """The part that matters of pip's installation report (its documentation, "Installation Report", version 1)."""

    install: list[_Install]


def resolve(
    pip: Pip, requirements: Iterable[str], constraints: Iterable[str], sources: IndexOptions
) -> Mapping[str, str] | Refusal:
    """Return what pip would install into an empty environment: versions by normalized name.

    Args:
        pip: the environment's.
        requirements: lines of a requirements file.
        constraints: lines of a constraints file.
        sources: where it looks.
    """
    with tempfile.TemporaryDirectory(prefix="zbeam-resolve-") as name:
        folder = Path(name)
        wanted, limits, report = folder / "requirements.txt", folder / "constraints.txt", folder / "report.json"
        _write_lines(wanted, [*sources.lines(), *requirements])
        _write_lines(limits, constraints)
        ended = pip.call(
            *("install", "--dry-run", "--ignore-installed", "--quiet", "--report", report),
            *("--requirement", wanted, "--constraint", limits, "--retries", "1"),
        )
        if not ended.succeeded:
            errors = ended.errors.decode("utf-8", "replace")
            if "ResolutionImpossible" in errors:
                conflict = _conflict(errors) or pip.reason(ended)
                return Refusal(
                    f"No set of versions suits everybody who asks for them: {pip.redact(conflict)}.",
                    "Loosen one of these requirements, or update fewer packages (--only).",
                )
            remedy = "See that the package index can be reached and has what the requirements ask for."
            return pip.refusal("What to install could not be found out", ended, remedy)
        try:
            found = msgspec.json.decode(report.read_bytes(), type=_Report).install
        except (OSError, msgspec.MsgspecError) as error:
            return Refusal(f"pip's report cannot be read: {error}.", "Update the environment's pip.")
    return {canonicalize_name(each.metadata.name): each.metadata.version for each in found}


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _conflict(errors: str) -> str:
    """Return what pip names as the cause of a conflict, on one line."""
    _, _, after = errors.partition("The conflict is caused by:")
    causes, _, _ = after.partition("\n\n")
    return "; ".join(line.strip() for line in causes.splitlines() if line.strip())


_COPIED = {PROJECT, LOCK, "uv.toml"}

_HIDDEN = {".git", ".venv", "venv"}


class NewLock(NamedTuple):
    """A lock.

    Attributes:
        text: that of ``uv.lock``.
        changed: False where it is the one that the project has.
        exported: what is installed by it, as a ``pylock.toml`` (PEP 751).
        versions: of what it installs in the environment, by normalized name.
    """

    text: str
    changed: bool
    exported: str
    versions: Mapping[str, str]


def relock(
    uv: Uv, root: Path, limits: Iterable[str], choices: Iterable[OptionalGroup], local: Iterable[str]
) -> NewLock | Refusal:
    """Return the lock that uv makes where the packages may move as far as the *limits* allow.

    The folders of the project are links in the copy, so that what it has from a folder of its own is found.

    Args:
        uv: the program.
        root: the project.
        limits: requirements, as ``uv lock --upgrade-package`` takes them; what none names stays as it is locked.
        choices: the extras and groups that are installed.
        local: what comes from elsewhere than an index; it is left out of what is installed.
    """
    with tempfile.TemporaryDirectory(prefix="zbeam-lock-") as name:
        copy = Path(name)
        _mirror(root, copy)
        upgrades = [word for limit in limits for word in ("--upgrade-package", limit)]
        ended = uv.call("lock", "--quiet", "--python", uv.environment.python, *upgrades, folder=copy)
        if not ended.succeeded:
            return uv.refusal("uv finds no new lock", ended, "Loosen one of these requirements, or use --only.")
        ended = uv.call(
            *("export", "--quiet", "--frozen", "--format", "pylock.toml", "--output-file", copy / "pylock.toml"),
            *("--python", uv.environment.python, "--no-header", "--no-emit-workspace", "--no-default-groups"),
            *(word for choice in choices for word in choice.options),
            *(word for package in local for word in ("--no-emit-package", package)),
            folder=copy,
        )
        if not ended.succeeded:
            return uv.refusal("uv cannot say what its lock installs", ended, "See that uv is recent (PEP 751).")
        exported = (copy / "pylock.toml").read_text(encoding="utf-8")
        versions = dict(_exported_versions(tomllib.loads(exported), uv.environment))
        text = (copy / LOCK).read_text(encoding="utf-8")
        return NewLock(text, text != (root / LOCK).read_text(encoding="utf-8"), exported, versions)


def _mirror(root: Path, copy: Path) -> None:
    for entry in root.iterdir():
        if entry.name in _COPIED:
            shutil.copyfile(entry, copy / entry.name)
        elif entry.name not in _HIDDEN:
            (copy / entry.name).symlink_to(entry.absolute())


def _exported_versions(exported: Mapping[str, Any], environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield what applies in an environment and comes from an index, with its version."""
    known = marker_environment(environment)
    for package in exported.get("packages", []):
        marker = package.get("marker")
        if "version" in package and (marker is None or Marker(marker).evaluate({**known, "extra": ""})):
            yield canonicalize_name(package["name"]), package["version"]
