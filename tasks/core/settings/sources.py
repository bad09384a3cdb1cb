"""Where settings come from: Invoke's levels of configuration and the environment, lowest first.

Invoke merges its levels by itself, but it casts environment values by the type of what they replace
(``false`` becomes True, a list cannot be set at all), ignores a missing ``-f`` file, accepts unknown keys and
forgets which level a value came from. So the levels are read here one by one, before they are merged.
They lie in private attributes of :class:`invoke.Config`, the same in Invoke 2.2 and 3.0; nothing else in
the suite touches those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, environ, fspath
from os.path import isfile
from pathlib import Path
from typing import Any, NamedTuple

from invoke import Config, util

from ..errors import SettingsError
from .fields import boolean
from .repeated_keys import require_unique_keys

KEY = "maintenance"
"""The key of the suite's tree in Invoke's configuration."""

ENVIRONMENT_PREFIX = "INVOKE_MAINTENANCE_"


def _is_ours(variable: str) -> bool:
    return variable.startswith(ENVIRONMENT_PREFIX) or variable == ENVIRONMENT_PREFIX.rstrip("_")


class Level(NamedTuple):
    """One source of settings.

    Attributes:
        origin: what people call it, for messages and ``inv settings.show``.
        tree: what it holds under ``maintenance:``, as found; anything at all, for nobody has checked it yet.
    """

    origin: str
    tree: object


class Sources(NamedTuple):
    """All sources of one run.

    Attributes:
        below: the levels that the environment overrides, lowest first.
        environment: variable name to text, only those of the suite.
        above: the levels that override the environment, lowest first.
        folder: where ``tasks.py`` lies; a relative root starts there.
        files: the settings files that Invoke looks for, so that none is read a second time as the root's own.
    """

    below: list[Level]
    environment: dict[str, str]
    above: list[Level]
    folder: Path
    files: tuple[Path, ...] = ()


def read(config: Config, variables: Mapping[str, str], collection: Mapping[str, Any] | None = None) -> Sources:
    """Return the sources of *config*.

    Args:
        config: Invoke's configuration of this run.
        variables: the environment.
        collection: the configuration of the root collection (``namespace.configure(…)``); ``None``: the one
            that Invoke has loaded for the task at hand.

    Raises:
        SettingsError: the file named with ``-f`` does not exist, or a key stands twice in one of the files.
    """
    runtime = config._runtime_path
    if runtime is not None and not config._runtime_found:
        raise SettingsError(
            f"The settings file {fspath(runtime)!r} given with -f (or INVOKE_RUNTIME_CONFIG) does not exist. "
            "Correct its path or leave it out; nothing was run."
        )
    paths = (config._system_path, config._user_path, config._project_path, runtime)
    files = tuple(Path(path).absolute() for path in paths if path is not None)
    for path in files:
        require_unique_keys(path)
    return Sources(
        below=[
            Level("namespace.configure()", (config._collection if collection is None else collection).get(KEY)),
            _file(config._system_path, config._system),
            _file(config._user_path, config._user),
            _file(config._project_path, config._project),
        ],
        environment={name: text for name, text in variables.items() if _is_ours(name)},
        above=[_file(runtime, config._runtime, " (-f)"), Level("argument", config._overrides.get(KEY))],
        folder=Path(config._project_prefix or Path.cwd()),
        files=files,
    )


def of_root(root: Path, files: Iterable[Path]) -> Level | None:
    """Return what the root's own settings file says, where ``maintenance.root`` leads to another folder's.

    Only its ``maintenance:`` is read, and of that all but ``root``: nothing else in it is about the suite.

    Args:
        root: the project.
        files: the files that were read already.

    Raises:
        SettingsError: the file cannot be read, or a key of ours stands twice in it.
    """
    for path in (root / f"{_FILE}.{suffix}" for suffix in ("yaml", "yml", "json")):
        # False, and no error, where the root cannot be a folder: that is said elsewhere.
        if not isfile(path):  # noqa: PTH113
            continue
        try:
            if any(each.exists() and path.samefile(each) for each in files):
                return None
            content = _parsed(path)
        except (OSError, ValueError, RecursionError, _yaml.YAMLError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SettingsError(
                f"The settings file {str(path)!r} cannot be read: {reason}. Correct it; nothing was run."
            ) from None
        require_unique_keys(path, KEY)
        tree = content.get(KEY)
        if isinstance(tree, Mapping):
            tree = {key: value for key, value in tree.items() if key != "root"}
        return Level(f"file {path}", tree)
    return None


_FILE = "invoke"
_yaml: Any = util.yaml


def _parsed(path: Path) -> Mapping[Any, Any]:
    with path.open(encoding="utf-8") as file:
        content = json.load(file) if path.suffix == ".json" else _yaml.safe_load(file)
    if content is not None and not isinstance(content, Mapping):
        raise ValueError("it holds no mapping of settings")
    return content or {}


def _file(path: str | PathLike[str] | None, content: object, suffix: str = "") -> Level:
    tree = content.get(KEY) if isinstance(content, Mapping) else None
    return Level(f"file {fspath(path)}{suffix}" if path else "no file", tree)


def is_dry(config: Config, variables: Mapping[str, str]) -> bool:
    """Tell whether Invoke was asked for a dry run: by ``--dry``, ``INVOKE_RUN_DRY`` or a settings file.

    Raises:
        SettingsError: the variable is neither true nor false.
    """
    text = variables.get("INVOKE_RUN_DRY")
    above = (_run(config._overrides), _run(config._runtime))
    if text is None or any("dry" in run for run in above):
        return bool(config.run.dry)
    try:
        return boolean(text)
    except ValueError:
        raise SettingsError(f"INVOKE_RUN_DRY is {text!r}; expected true or false. Nothing was run.") from None


def _run(level: object) -> Mapping[str, Any]:
    run = level.get("run") if isinstance(level, Mapping) else None
    return run if isinstance(run, Mapping) else {}


def install(config: Config, tree: dict[str, Any]) -> None:
    """Make *tree* what ``c.config.maintenance`` shows to every task of this run.

    The tree takes the place of what the single levels hold: Invoke would refuse to merge a level in which
    a section is empty (``cache:`` with all of its lines commented out) although it says nothing wrong.
    """
    for level in (config._system, config._user, config._project, config._runtime):
        if isinstance(level, dict):
            level.pop(KEY, None)
    config.load_overrides({**config._overrides, KEY: tree}, merge=False)


@contextmanager
def hidden_environment() -> Iterator[None]:
    """Hide the suite's variables while Invoke reads the environment: it would cast them wrongly."""
    hidden = {name: environ.pop(name) for name in list(environ) if _is_ours(name)}
    try:
        yield
    finally:
        environ.update(hidden)
