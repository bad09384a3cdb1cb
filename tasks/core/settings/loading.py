"""From sources to settings: merge the levels, remember where each value came from, check everything once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..errors import SettingsError
from .fields import (
    Branch,
    Mapping,
    Setting,
    SettingPath,
    children,
    describe,
    dotted,
    from_text,
    node_at,
    root_node,
)
from .model import Settings
from .rules import violations
from .sources import ENVIRONMENT_PREFIX, Level, Sources

_HIDDEN = ("base_url", "key_env")
"""Settings into which people paste a key by mistake: their value is not repeated in a message."""


class Loaded(NamedTuple):
    """The settings of a run.

    Attributes:
        settings: the typed settings; ``root`` is absolute.
        tree: the same as plain data, as ``c.config.maintenance`` shows it.
        origins: where the value of each setting came from, by its path.
        folder: where ``tasks.py`` lies.
    """

    settings: Settings
    tree: dict[str, Any]
    origins: dict[SettingPath, str]
    folder: Path


class _Problem(NamedTuple):
    path: SettingPath
    origin: str
    message: str


def load(sources: Sources) -> Loaded:
    """Return the settings that *sources* amount to.

    Raises:
        SettingsError: with every problem found, each naming the key's full path, its value, where it came
            from and what was expected.
    """
    merge = _Merge()
    for level in (*sources.below, *sources.above):
        merge.overlay(level)
    known = {_variable(path): path for path in merge.origins}

    merge = _Merge()
    for level in sources.below:
        merge.overlay(level)
    merge.environment(sources.environment, known)
    for level in sources.above:
        merge.overlay(level)
    merge.check()
    if merge.problems:
        raise SettingsError(_sentence(merge.problems))

    root = Path(sources.folder, merge.tree["root"]).expanduser().resolve()
    merge.tree["root"] = str(root)
    settings = msgspec.convert(merge.tree, Settings)
    # A default can only be at odds with something that the user took away: a prefix whose kind is gone.
    problems = [
        _Problem(path, origin, _expectation(merge.value(path), path, expected))
        for path, expected in violations(settings)
        if (origin := merge.origin(path)) != "default" or path == ("root",)
    ]
    if problems:
        raise SettingsError(_sentence(problems))
    return Loaded(settings, merge.tree, merge.origins, sources.folder)


def defaults() -> dict[str, Any]:
    """Return the default tree as plain data."""
    tree: dict[str, Any] = msgspec.to_builtins(Settings())
    return tree


class _Merge:
    """The tree so far, with the origin of each value and the problems met."""

    def __init__(self) -> None:
        self.tree = defaults()
        self.origins = {path: "default" for path, _ in _leaves(self.tree, root_node())}
        self.problems: list[_Problem] = []

    def origin(self, path: SettingPath) -> str:
        """Return where the value at *path*, or the first value below it, came from."""
        return next((origin for key, origin in self.origins.items() if key[: len(path)] == path), "default")

    def value(self, path: SettingPath) -> object:
        value: Any = self.tree
        for key in path:
            value = value[key]
        return value

    def overlay(self, level: Level) -> None:
        """Lay one level over the tree."""
        self._overlay(self.tree, level.tree, root_node(), (), level.origin)

    def _overlay(
        self, tree: dict[str, Any], update: object, node: Branch | Mapping, path: SettingPath, origin: str
    ) -> None:
        if update is None:
            return
        if not isinstance(update, dict):
            self._problem(path, origin, _expectation(update, path, "a mapping of settings"))
            return
        for key, value in update.items():
            here = (*path, str(key))
            child = node.child(key)
            if child is None:
                self._problem(here, origin, f"there is no such setting{_suggestion(here)}")
            elif isinstance(child, Setting):
                self._set(tree, here, value, origin, removable=isinstance(node, Mapping))
            elif value is None and isinstance(node, Mapping):
                self._forget(tree, here)
            else:
                self._overlay(tree.setdefault(str(key), {}), value, child, here, origin)

    def _set(self, tree: dict[str, Any], path: SettingPath, value: object, origin: str, *, removable: bool) -> None:
        if value is None and removable:
            self._forget(tree, path)
        else:
            tree[path[-1]] = value
            self.origins[path] = origin

    def _forget(self, tree: dict[str, Any], path: SettingPath) -> None:
        tree.pop(path[-1], None)
        self.origins = {key: origin for key, origin in self.origins.items() if key[: len(path)] != path}

    def environment(self, variables: dict[str, str], known: dict[str, SettingPath]) -> None:
        """Lay the environment over the tree; *known* are the variables that name a setting."""
        for name, text in sorted(variables.items()):
            path = known.get(name)
            origin = f"environment {name}"
            if path is None:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                self.problems.append(_Problem((), origin, f"there is no setting of this name{hint}"))
                continue
            node = node_at(path)
            try:
                value = from_text(text, node)
            except ValueError:
                self._problem(path, origin, _expectation(text, path, describe(node)))
                continue
            tree = self.tree
            for key in path[:-1]:
                tree = tree.setdefault(key, {})
            self._set(tree, path, value, origin, removable=False)

    def check(self) -> None:
        """Check every value against its type, and that nothing required is missing."""
        for path, node in _leaves(self.tree, root_node()):
            if self._present(path):
                value = self.value(path)
                if not node.accepts(value):
                    self._problem(path, self.origin(path), _expectation(value, path, describe(node)))
            elif node.required:
                self._problem(path, self.origin(path[:-1]), f"is missing; expected {describe(node)}")

    def _present(self, path: SettingPath) -> bool:
        value: Any = self.tree
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return True

    def _problem(self, path: SettingPath, origin: str, message: str) -> None:
        self.problems.append(_Problem(path, origin, message))


def _leaves(tree: object, node: Branch | Mapping, path: SettingPath = ()) -> Iterator[tuple[SettingPath, Setting]]:
    """Yield every setting that the tree's shape calls for, whether it is there or not."""
    for key, child in children(node, tree):
        if isinstance(child, Setting):
            yield (*path, key), child
        else:
            below = tree.get(key) if isinstance(tree, dict) else None
            yield from _leaves(below, child, (*path, key))


def _variable(path: SettingPath) -> str:
    return ENVIRONMENT_PREFIX + re.sub(r"\W", "_", "_".join(path)).upper()


def _suggestion(path: SettingPath) -> str:
    """Return "; did you mean …?" for the nearest known setting: one spelled alike, or of that very name elsewhere."""
    known = {dotted(setting): setting for setting, _ in _leaves(defaults(), root_node())}
    known |= {dotted(setting[:size]): setting[:size] for setting in known.values() for size in (1, 2) if setting[size:]}
    same_name = [name for name, setting in known.items() if setting[-1] == path[-1]]
    close = same_name or difflib.get_close_matches(dotted(path), known, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def _expectation(value: object, path: SettingPath, expected: str) -> str:
    shown = "the value given" if path and path[-1] in _HIDDEN else _shortened(value)
    return f"{shown} cannot be used; expected {expected}"


def _shortened(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _sentence(problems: list[_Problem]) -> str:
    lines = [
        f"  {dotted(path)} ({origin}): {message}" if path else f"  {origin}: {message}"
        for path, origin, message in dict.fromkeys(problems)
    ]
    return "\n".join(["The settings cannot be used; nothing was run.", *lines])
