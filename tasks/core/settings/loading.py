"""From sources to settings: merge the levels, remember where each value came from, check everything once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..errors import SettingsError
from ..names import printable
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

_KEYS_NEARBY = ("providers",)
"""The section into which people paste a key by mistake: no text from there is repeated in a message."""


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
    path: SettingPath | None
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
    known = _variables(merge.tree)

    merge = _Merge()
    for level in sources.below:
        merge.overlay(level)
    merge.environment(sources.environment, known)
    for level in sources.above:
        merge.overlay(level)
    merge.check(sources.folder)
    if merge.problems:
        raise SettingsError(_sentence(merge.problems))

    settings = msgspec.convert(merge.tree, Settings)
    tree = _plain(settings)
    for path, expected in violations(settings):
        origin = merge.origin(path)
        # A default prefix whose kind the user took away is no mistake of the user's.
        if not (path[:2] == ("cache", "prefixes") and origin == "default"):
            merge.problems.append(_Problem(path, origin, _expectation(_value(tree, path), path, expected)))
    if merge.problems:
        raise SettingsError(_sentence(merge.problems))
    origins = {path: merge.origins.get(path, "default") for path, _ in _leaves(tree, root_node())}
    return Loaded(settings, tree, origins, sources.folder)


def defaults() -> dict[str, Any]:
    """Return the default tree as plain data."""
    return _plain(Settings())


def _plain(settings: Settings) -> dict[str, Any]:
    tree: dict[str, Any] = _with_lists(msgspec.to_builtins(settings))
    return tree


def _with_lists(value: Any) -> Any:
    """Return *value* with lists for tuples: a setting that cannot change here is a list to everybody else."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, tuple) else value


def _value(tree: Any, path: SettingPath) -> Any:
    for key in path:
        tree = tree[key]
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

    def environment(self, variables: dict[str, str], known: dict[str, list[SettingPath]]) -> None:
        """Lay the environment over the tree; *known* are the variables that name a setting."""
        for name, text in sorted(variables.items()):
            paths = known.get(name, [])
            origin = f"environment {name}"
            if not paths:
                self._problem(None, origin, f"there is no setting of this name{_nearest_variable(name, known)}")
                continue
            if len(paths) > 1:
                names = " and ".join(map(dotted, paths))
                self._problem(None, origin, f"this name fits {names}; set them in a file instead")
                continue
            (path,) = paths
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

    def check(self, folder: Path) -> None:
        """Check every value against its type, and that nothing required is missing; make the root absolute.

        Args:
            folder: where a relative root starts.
        """
        for path, node in _leaves(self.tree, root_node()):
            if self._present(path):
                value = _value(self.tree, path)
                if not node.accepts(value):
                    self._problem(path, self.origin(path), _expectation(value, path, describe(node)))
            elif node.required:
                self._problem(path, self.origin(path[:-1]), f"is missing; expected {describe(node)}")
        if self.tree["root"] == "":  # what a script's unset variable becomes; it must not mean "here"
            self._problem(("root",), self.origin(("root",)), "is empty; expected the folder of the project")
        if not self.problems:
            self._resolve_root(folder)

    def _resolve_root(self, folder: Path) -> None:
        text = self.tree["root"]
        try:
            self.tree["root"] = str(Path(folder, Path(text).expanduser()).resolve())
        except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL byte, a loop of links, no home
            reason = error.strerror if isinstance(error, OSError) else error
            self._problem(("root",), self.origin(("root",)), f"{_shortened(text)} cannot be used: {reason}")

    def _present(self, path: SettingPath) -> bool:
        value: Any = self.tree
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return True

    def _problem(self, path: SettingPath | None, origin: str, message: str) -> None:
        self.problems.append(_Problem(path, origin, message))


def _leaves(tree: object, node: Branch | Mapping, path: SettingPath = ()) -> Iterator[tuple[SettingPath, Setting]]:
    """Yield every setting that the tree's shape calls for, whether it is there or not."""
    for key, child in children(node, tree):
        if isinstance(child, Setting):
            yield (*path, key), child
        else:
            below = tree.get(key) if isinstance(tree, dict) else None
            yield from _leaves(below, child, (*path, key))


def _variables(tree: object) -> dict[str, list[SettingPath]]:
    """Return the settings that each variable names: more than one where keys of the user's run together."""
    known: dict[str, list[SettingPath]] = {}
    for path, _ in _leaves(tree, root_node()):
        name = ENVIRONMENT_PREFIX + re.sub(r"\W", "_", "_".join(path)).upper()
        known.setdefault(name, []).append(path)
    return known


def _nearest_variable(name: str, known: dict[str, list[SettingPath]]) -> str:
    own = {variable.removeprefix(ENVIRONMENT_PREFIX): variable for variable in known}
    close = difflib.get_close_matches(name.removeprefix(ENVIRONMENT_PREFIX), own, n=1, cutoff=0.7)
    return f"; did you mean {own[close[0]]}?" if close else ""


def _suggestion(path: SettingPath) -> str:
    """Return "; did you mean …?" for the nearest known setting or section: spelled alike, or elsewhere."""
    settings = [setting for setting, _ in _leaves(defaults(), root_node())]
    known = {setting[:size] for setting in settings for size in range(1, len(setting) + 1)}
    beside = {other[-1]: other for other in sorted(known) if other[:-1] == path[:-1]}
    anywhere = {other[-1]: other for other in sorted(known, reverse=True)}
    for names, cutoff in ((beside, 0.6), (anywhere, 0.8)):
        close = difflib.get_close_matches(path[-1], names, n=1, cutoff=cutoff)
        if close:
            return f"; did you mean {dotted(names[close[0]])}?"
    return ""


def _expectation(value: object, path: SettingPath, expected: str) -> str:
    hidden = path[:1] == _KEYS_NEARBY and not isinstance(value, bool | int | float)
    return f"{'the value given' if hidden else _shortened(value)} cannot be used; expected {expected}"


def _shortened(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _sentence(problems: list[_Problem]) -> str:
    lines = [
        f"{origin}: {message}" if path is None else f"{dotted(path)} ({origin}): {message}"
        for path, origin, message in dict.fromkeys(problems)
    ]
    return "\n  ".join(["The settings cannot be used; nothing was run.", *map(printable, lines)])
