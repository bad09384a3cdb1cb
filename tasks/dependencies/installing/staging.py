"""A fresh environment, in which an update is tried with the very files that are installed afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...core.files.safe_files import Refused
from ...core.programs.processes import run
from ...core.text.formatting import printable
from ..dependency_records import infos, recorded
from ..environment import Environment
from ..refusals import Refusal
from .pip_runner import Pip
from .resolving import Sources


def gather(pip: Pip, pins: Mapping[str, str], house: Path, sources: Sources) -> Refusal | None:
    """Fetch or build the wheels of packages; return why that failed.

    Args:
        pip: the environment's.
        pins: versions by name.
        house: an empty folder for the wheels.
        sources: where pip looks.
    """
    wanted = _pinned(house / "pins.txt", pins, sources.lines())
    ended = pip.call(
        *("wheel", "--no-deps", "--quiet", "--retries", "1", "--wheel-dir", house, "--requirement", wanted)
    )
    if ended.succeeded:
        return None
    return pip.refusal("The packages could not be fetched or built", ended, "See what pip says of that package.")


def stage(pip: Pip, pins: Mapping[str, str], local: Iterable[str], house: Path, folder: Path) -> Environment | Refusal:
    """Make a fresh environment with these packages, and return it.

    Args:
        pip: the live environment's.
        pins: versions by name, whose wheels are in *house*.
        local: packages of the live environment that come from elsewhere; their files are copied, never built anew.
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
    ended = pip.call("--python", python, *_from_house(house, pins, "pins-staged.txt"))
    if not ended.succeeded:
        return pip.refusal("The packages could not be installed in a fresh environment", ended, "See what pip says.")
    return copied(live, local, folder)


def copied(live: Environment, local: Iterable[str], folder: Path) -> Environment | Refusal:
    """Copy packages of the live environment to a fresh one, and return that.

    Args:
        live: the environment that has them.
        local: their names.
        folder: the fresh environment.
    """
    packages, python = _packages(folder, live), folder / "bin" / "python"
    try:
        for name in local:
            _copy(name, live, packages)
    except (Refused, OSError) as error:
        return Refusal(f"Not all could be copied to a fresh environment: {printable(error)}", "Install it anew.")
    return live._replace(
        python=python, prefix=folder.resolve(), folders=(packages,), scripts=python.parent.resolve(), suites=False
    )


def apply(pip: Pip, changes: Mapping[str, str], house: Path) -> Refusal | None:
    """Install packages into the live environment, from the wheels that were tried; return why that failed.

    Nothing is fetched any more.
    """
    ended = pip.call(*_from_house(house, changes, "pins-applied.txt"))
    if ended.succeeded:
        return None
    return pip.refusal("Installing into the live environment failed", ended, "See what pip says.")


def _from_house(house: Path, pins: Mapping[str, str], name: str) -> list[str | Path]:
    wanted = _pinned(house / name, pins, [])
    return [
        *("--isolated", "install", "--quiet", "--no-deps", "--no-index", "--find-links", house),
        *("--requirement", wanted),
    ]


def _pinned(path: Path, pins: Mapping[str, str], options: Iterable[str]) -> Path:
    lines = [*options, *(f"{name}=={version}" for name, version in sorted(pins.items()))]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _packages(folder: Path, live: Environment) -> Path:
    """Return where the packages of a fresh environment lie: where they lie in the live one."""
    return folder.resolve() / live.folders[0].relative_to(live.prefix)


def _copy(name: str, live: Environment, packages: Path) -> None:
    """Copy an installed package: its modules, or the files that lead to a folder elsewhere; none of its programs.

    Raises:
        Refused: it has no list of its files.
        OSError: one of them cannot be copied.
    """
    for info in infos(live, name):
        for path in map(os.path.normpath, recorded(info)):
            source = info.parent / path
            if not path.startswith((os.pardir, os.sep)) and source.is_file():
                (packages / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, packages / path)
