"""A new lock, found out by uv in a copy of the project's metadata: the project itself is only read."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from ..environment import Environment
from ..refusals import Refusal
from ..roles import marks
from .program import Uv
from .project import LOCK, PROJECT, Choice

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
    uv: Uv, root: Path, limits: Iterable[str], choices: Iterable[Choice], local: Iterable[str]
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
        versions = dict(_versions(tomllib.loads(exported), uv.environment))
        text = (copy / LOCK).read_text(encoding="utf-8")
        return NewLock(text, text != (root / LOCK).read_text(encoding="utf-8"), exported, versions)


def _mirror(root: Path, copy: Path) -> None:
    for entry in root.iterdir():
        if entry.name in _COPIED:
            shutil.copyfile(entry, copy / entry.name)
        elif entry.name not in _HIDDEN:
            (copy / entry.name).symlink_to(entry.absolute())


def _versions(exported: Mapping[str, Any], environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield what applies in an environment and comes from an index, with its version."""
    known = marks(environment)
    for package in exported.get("packages", []):
        marker = package.get("marker")
        if "version" in package and (marker is None or Marker(marker).evaluate({**known, "extra": ""})):
            yield canonicalize_name(package["name"]), package["version"]
