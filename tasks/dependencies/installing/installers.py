"""The two ways in which an update installs: by the environment's pip, or by uv from its lock.

Both try everything in a fresh environment first, and then bring the live one the very same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from ..environment import Environment
from ..refusals import Refusal
from ..uv.program import Uv
from . import staging
from .pip_runner import Pip
from .resolving import Sources


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
    sources: Sources

    @property
    def environment(self) -> Environment:
        """The live environment, as it was before."""
        return self.pip.environment

    def stage(self, pins: Mapping[str, str], local: Iterable[str], work: Path) -> Environment | Refusal:
        """Make a fresh environment with these packages, and return it."""
        house = work / "wheels"
        house.mkdir()
        refusal = staging.gather(self.pip, pins, house, self.sources)
        return refusal or staging.stage(self.pip, pins, local, house, work / "environment")

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        """Install packages into the live environment from the wheels that were staged; return what failed."""
        return staging.apply(self.pip, changes, work / "wheels")


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
        return staging.copied(live, local, folder)

    def apply(self, changes: Mapping[str, str], work: Path) -> Refusal | None:
        """Install what is locked into the live environment and remove nothing else; return what failed.

        ``uv sync`` is not used: it makes an environment anew where it thinks fit, and removes what it does not know.
        """
        del changes  # they are what differs between the lock and the environment
        return self._install(self.environment.python, "--requirements", work / "pylock.toml")

    def _install(self, python: Path, *wanted: str | Path) -> Refusal | None:
        ended = self.uv.call(*("pip", "install", "--quiet", "--no-deps", "--python", python, *wanted), folder=self.root)
        if ended.succeeded:
            return None
        return self.uv.refusal("The packages could not be installed", ended, "See what uv says of that package.")
