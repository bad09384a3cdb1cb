"""Installers: pip from wheels that are built once, uv from its lock.

Both install everything in a fresh environment first, and then install the very same files in the live one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from ...core.files.safe_files import Refused
from ...core.programs.processes import run
from ...core.text.formatting import printable
from ..environment import Environment, dist_infos, recorded_files
from .package_managers import Pip, Refusal, Uv
from .resolvers import IndexOptions


class Installer(Protocol):
    """What installs packages in the project's environment and in a fresh one."""

    @property
    def environment(self) -> Environment:
        """The live environment, as it was before."""

    def stage(self, pins: Mapping[str, str], local: Iterable[str], work: Path) -> Environment | Refusal:
        """Make a fresh environment with these packages, and return it.

        Args:
            pins: versions by name.
            local: packages of the live environment that come from elsewhere than an index; they are copied.
            work: an empty folder.
        """

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        """Install packages into the live environment, as they were staged in the folder *work*; return what failed."""


class ByPip(NamedTuple):
    """The environment's pip installs, from wheels that are fetched or built once.

    Attributes:
        pip: the program.
        sources: where it looks.
    """

    pip: Pip
    sources: IndexOptions

    @property
    def environment(self) -> Environment:
        """The live environment, as it was before."""
        return self.pip.environment

    def stage(self, pins: Mapping[str, str], local: Iterable[str], work: Path) -> Environment | Refusal:
        """Make a fresh environment with these packages, and return it."""
        house = work / "wheels"
        house.mkdir()
        refusal = build_wheels(self.pip, pins, house, self.sources)
        return refusal or make_environment(self.pip, pins, local, house, work / "environment")

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        """Install packages into the live environment from the wheels that were staged; return what failed."""
        return install_wheels(self.pip, changes, work / "wheels")


class ByUv(NamedTuple):
    """uv installs what its lock names, by address and hash; it keeps the files in its cache.

    Attributes:
        uv: the program.
        root: the project, where it finds its configuration.
        exported: the new lock, as a ``pylock.toml``.
        locked: the names in it.
    """

    uv: Uv
    root: Path
    exported: str
    locked: frozenset[str]

    @property
    def environment(self) -> Environment:
        """The live environment, as it was before."""
        return self.uv.environment

    def stage(self, pins: Mapping[str, str], local: Iterable[str], work: Path) -> Environment | Refusal:
        """Make a fresh environment with these packages, and return it."""
        live, folder = self.environment, work / "environment"
        ended = self.uv.call("venv", "--quiet", "--no-project", "--python", live.python, folder, folder=work)
        if not ended.succeeded:
            return self.uv.refusal("No fresh environment could be made", ended, "See what uv says.")
        python = folder / "bin" / "python"
        (work / "pylock.toml").write_text(self.exported, encoding="utf-8")
        if refusal := self._install(python, "--requirements", work / "pylock.toml"):
            return refusal
        others = [f"{name}=={version}" for name, version in sorted(pins.items()) if name not in self.locked]
        if others and (refusal := self._install(python, *others)):
            return refusal
        return copy_local_packages(live, local, folder)

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        """Install what is locked into the live environment and remove nothing else; return what failed.

        ``uv sync`` is not used: it may recreate the environment, and removes what it does not know.
        """
        del changes  # they are what differs between the lock and the environment
        return self._install(self.environment.python, "--requirements", work / "pylock.toml")

    def _install(self, python: Path, *wanted: str | Path) -> Refusal | None:
        ended = self.uv.call(*("pip", "install", "--quiet", "--no-deps", "--python", python, *wanted), folder=self.root)
        if ended.succeeded:
            return None
        return self.uv.refusal("The packages could not be installed", ended, "See what uv says of that package.")


def build_wheels(pip: Pip, pins: Mapping[str, str], house: Path, sources: IndexOptions) -> Refusal | None:
    """Fetch or build the wheels of packages; return why that failed.

    Args:
        pip: the environment's.
        pins: versions by name.
        house: an empty folder for the wheels.
        sources: where pip looks.
    """
    wanted = _write_pins(house / "pins.txt", pins, sources.lines())
    ended = pip.call(
        *("wheel", "--no-deps", "--quiet", "--retries", "1", "--wheel-dir", house, "--requirement", wanted)
    )
    if ended.succeeded:
        return None
    return pip.refusal("The packages could not be fetched or built", ended, "See what pip says of that package.")


def make_environment(
    pip: Pip, pins: Mapping[str, str], local: Iterable[str], house: Path, folder: Path
) -> Environment | Refusal:
    """Make a fresh environment with these packages, and return it.

    Args:
        pip: the live environment's.
        pins: versions by name, whose wheels are in *house*.
        local: packages of the live environment that come from elsewhere; their files are copied, never rebuilt.
        house: the wheels.
        folder: where the environment is made; it must not exist.
    """
    live = pip.environment
    ended = run(
        [live.python, "-I", "-B", "-m", "venv", "--without-pip", folder],
        folder=house,
        environ=pip.environ,
        deadline_seconds=pip.deadline_seconds,
        stop=pip.stop,
    )
    if not ended.succeeded:
        return pip.refusal("No fresh environment could be made", ended, "See that Python's venv module is installed.")
    python = folder / "bin" / "python"
    ended = pip.call("--python", python, *_install_options(house, pins, "pins-staged.txt"))
    if not ended.succeeded:
        return pip.refusal("The packages could not be installed in a fresh environment", ended, "See what pip says.")
    return copy_local_packages(live, local, folder)


def copy_local_packages(live: Environment, local: Iterable[str], folder: Path) -> Environment | Refusal:
    """Copy packages of the live environment to a fresh one, and return that.

    Args:
        live: the environment that has them.
        local: their names.
        folder: the fresh environment.
    """
    packages, python = _packages_folder(folder, live), folder / "bin" / "python"
    try:
        for name in local:
            _copy_package(name, live, packages)
    except (Refused, OSError) as error:
        return Refusal(f"Not all could be copied to a fresh environment: {printable(error)}", "Install it anew.")
    return live._replace(
        python=python, prefix=folder.resolve(), folders=(packages,), scripts=python.parent.resolve(), runs_suite=False
    )


def install_wheels(pip: Pip, changes: Mapping[str, str], house: Path) -> Refusal | None:
    """Install packages into the live environment, from the wheels that were tried; return why that failed.

    Nothing is fetched any more.
    """
    ended = pip.call(*_install_options(house, changes, "pins-applied.txt"))
    if ended.succeeded:
        return None
    return pip.refusal("Installing into the live environment failed", ended, "See what pip says.")


def _install_options(house: Path, pins: Mapping[str, str], name: str) -> list[str | Path]:
    wanted = _write_pins(house / name, pins, [])
    return [
        *("--isolated", "install", "--quiet", "--no-deps", "--no-index", "--find-links", house),
        *("--requirement", wanted),
    ]


def _write_pins(path: Path, pins: Mapping[str, str], options: Iterable[str]) -> Path:
    lines = [*options, *(f"{name}=={version}" for name, version in sorted(pins.items()))]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _packages_folder(folder: Path, live: Environment) -> Path:
    """Return where the packages of a fresh environment lie: where they lie in the live one."""
    return folder.resolve() / live.folders[0].relative_to(live.prefix)


def _copy_package(name: str, live: Environment, packages: Path) -> None:
    """Copy an installed package: its modules, or the files that lead to a folder elsewhere; none of its programs.

    Raises:
        Refused: it has no list of its files.
        OSError: one of them cannot be copied.
    """
    for info in dist_infos(live, name):
        for path in map(os.path.normpath, recorded_files(info)):
            source = info.parent / path
            if not path.startswith((os.pardir, os.sep)) and source.is_file():
                (packages / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, packages / path)
