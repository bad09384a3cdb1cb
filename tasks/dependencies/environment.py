"""The project's environment: which one it is, what is installed there, and the files of an installed package."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import msgspec
from packaging.utils import canonicalize_name

from ..core.files.safe_files import Refused
from ..core.programs.processes import Ended, run
from ..core.text.formatting import duration, printable

_OWN_FOLDERS = (".venv", "venv")
"""Where projects keep their environment, in this order: the first is uv's, Poetry's and most editors' default."""

CONFIGURED = "dependencies.python"
"""The origin of an environment that the settings name."""

_PROBE = Path(__file__).with_name("interpreter_probe.py")

_PROBE_SECONDS = 60.0


class Interpreter(NamedTuple):
    """An interpreter, and why it is taken for the project's.

    Attributes:
        python: the interpreter, not resolved: a link to it is what makes it a virtual environment's.
        origin: where it was found, for people.
    """

    python: Path
    origin: str


class NoEnvironment(NamedTuple):
    """No environment is known to be the project's.

    Attributes:
        message: a sentence on what was looked for.
        remedy: what to do.
    """

    message: str
    remedy: str


class Installed(NamedTuple):
    """An installed package.

    Attributes:
        name: its normalized name.
        version: its version, as it says.
        requested: True where somebody asked for it by name, not another package.
        source: where it comes from if not from an index: ``editable``, ``local folder``, ``URL`` …; empty: an index.
        requires: its requirements, as its metadata has them.
        inside: False where it lies outside the environment, in the system's packages for one.
        recorded: True where it has a list of its files.
    """

    name: str
    version: str
    requested: bool = False
    source: str = ""
    requires: tuple[str, ...] = ()
    inside: bool = True
    recorded: bool = True


class Environment(NamedTuple):
    """An environment.

    Attributes:
        python: its interpreter.
        origin: why it is the project's, for people.
        version: of Python, ``3.11.7``.
        prefix: its folder.
        virtual: True where it is a virtual environment.
        runs_suite: True where this suite runs in it.
        folders: where its packages lie.
        scripts: where its programs lie.
        index_url: the index that its pip asks by default; ``None`` where it has no pip.
        packages: what is installed, by normalized name.
    """

    python: Path
    origin: str
    version: str
    prefix: Path
    virtual: bool
    runs_suite: bool
    folders: tuple[Path, ...]
    scripts: Path
    index_url: str | None
    packages: Mapping[str, Installed]


def locate(
    root: Path, configured: str, environ: Mapping[str, str], *, make: str = "python3 -m venv .venv"
) -> Interpreter | NoEnvironment:
    """Return the interpreter of the project's environment.

    That is the configured one; else that of ``.venv`` or ``venv`` in the root; else that of the active environment,
    unless it is the one that the suite runs in: that one is active wherever the suite is called by its full path.

    Args:
        root: the project.
        configured: ``dependencies.python``, an interpreter or the folder of an environment; empty: not set.
        environ: the process's environment.
        make: the command that makes such an environment, for people.
    """
    if configured:
        path = root / Path(configured).expanduser()
        python = _python_of(path) if path.is_dir() else path
        if python is not None and python.is_file():
            return Interpreter(python, CONFIGURED)
        return NoEnvironment(
            f"There is no interpreter at {printable(str(path))}, which dependencies.python names.",
            "Set dependencies.python to an interpreter, or leave it empty.",
        )
    for name in _OWN_FOLDERS:
        python = _python_of(root / name)
        if python is not None:
            return Interpreter(python, f"the project's {name}")
    active = environ.get("VIRTUAL_ENV")
    python = _python_of(Path(active)) if active else None
    if python is not None and not is_own(python):
        return Interpreter(python, "the active environment")
    found = "the active one is the suite's own" if python is not None else "none is active"
    return NoEnvironment(
        "No environment is known to be the project's: "
        f"there is no {' or '.join(_OWN_FOLDERS)} in the root, and {found}.",
        f"Set dependencies.python to the project's interpreter, or make the environment: {make}",
    )


def _python_of(prefix: Path) -> Path | None:
    """Return the interpreter of an environment; ``None`` where there is none that can be started."""
    python = prefix / "bin" / "python"
    return python if python.is_file() else None


def prefixes(root: Path, configured: str, environ: Mapping[str, str], stop: Event | None = None) -> Iterator[Path]:
    """Yield the folders where the project's environment may be, the likely ones first.

    An environment that an interrupted update broke must be found as well, so its interpreter is asked last.

    Args:
        root: the project.
        configured: ``dependencies.python``; empty: not set.
        environ: the process's environment.
        stop: ends it early where it is set.
    """
    if not configured:
        yield from (root / name for name in _OWN_FOLDERS)
    place = locate(root, configured, environ)
    if isinstance(place, Interpreter):
        yield place.python.parent.parent
        examined = examine(place, environ, stop)
        if isinstance(examined, Environment):
            yield examined.prefix


def is_own(python: Path) -> bool:
    """Tell whether an interpreter is of the environment that the suite runs in."""
    return python.parent.parent.resolve() == Path(sys.prefix).resolve()


def examine(place: Interpreter, environ: Mapping[str, str], stop: Event | None = None) -> Environment | NoEnvironment:
    """Return what an interpreter tells of its environment.

    Args:
        place: the interpreter.
        environ: the process's environment.
        stop: ends it early where it is set.
    """
    ended = run(
        [place.python, "-I", "-B", _PROBE],
        folder=Path("/"),
        environ=environ,
        deadline_seconds=_PROBE_SECONDS,
        stop=stop,
    )
    if not ended.succeeded:
        return NoEnvironment(
            f"{_description(place)} does not work: {_failure_reason(ended)}.",
            "Make the environment anew, or set dependencies.python to another interpreter.",
        )
    try:
        probed = msgspec.json.decode(ended.output, type=dict[str, Any])
        return _parse_environment(place, probed)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return NoEnvironment(
            f"{_description(place)} answers with something else than was asked for.",
            "See that it is a Python interpreter of version 3.8 or newer.",
        )


def _description(place: Interpreter) -> str:
    return f"{printable(str(place.python))}, found as {place.origin},"


def _failure_reason(ended: Ended) -> str:
    if ended.overdue:
        return f"it has not answered within {duration(_PROBE_SECONDS)}"
    return printable(ended.problem or ended.last_words()) or "it ended without a word"


def _parse_environment(place: Interpreter, probed: Mapping[str, Any]) -> Environment:
    packages = [_parse_package(each) for each in probed["packages"]]
    return Environment(
        python=place.python,
        origin=place.origin,
        version=probed["version"],
        prefix=Path(probed["prefix"]),
        virtual=probed["virtual"],
        runs_suite=Path(probed["prefix"]) == Path(sys.prefix).resolve(),
        folders=tuple(map(Path, probed["folders"])),
        scripts=Path(probed["scripts"]),
        index_url=probed["index_url"],
        packages={package.name: package for package in sorted(packages)},
    )


def _parse_package(probed: Mapping[str, Any]) -> Installed:
    return Installed(
        name=probed["name"],
        version=probed["version"],
        requested=probed["requested"],
        source=_source(probed["direct_url"]),
        requires=tuple(probed["requires"]),
        inside=probed["inside"],
        recorded=not probed["egg"],
    )


def _source(direct_url: Mapping[str, Any] | None) -> str:
    """Return where a package comes from, by PEP 610; empty where it comes from an index."""
    if direct_url is None:
        return ""
    if "vcs_info" in direct_url:
        return "version control"
    if "dir_info" in direct_url:
        return "editable" if direct_url["dir_info"].get("editable") else "local folder"
    return "URL"


def activation_variables(environment: Environment, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables of a process in which that environment is active, from those of ours."""
    path = environ.get("PATH", "")
    for name, value in environ.items():
        if name not in {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PATH"}:
            yield name, value
    yield "VIRTUAL_ENV", str(environment.prefix)
    yield "PATH", f"{environment.scripts}:{path}"


def dist_infos(environment: Environment, name: str) -> Iterator[Path]:
    """Yield the folders ``NAME-VERSION.dist-info`` of a package, by its normalized name, within the environment."""
    for folder in environment.folders:
        if folder.is_relative_to(environment.prefix):
            for info in folder.glob("*.dist-info"):
                if canonicalize_name(info.name.removesuffix(".dist-info").rpartition("-")[0]) == name:
                    yield info


def recorded_files(info: Path) -> list[str]:
    """Return the files that a package's list names, relative to the folder that *info* lies in.

    Raises:
        Refused: there is no list, or none that can be read.
    """
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as lines:
            return [row[0] for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"The list of files of {printable(info.name)} cannot be read: {printable(error)}.") from None
