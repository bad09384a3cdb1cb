"""From sources to settings: merge the levels, remember where each value came from, check everything once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..errors import SettingsError
from .all_settings import defaults, settings_type
from .fields import (
    Branch,
    Mapping,
    Setting,
    SettingPath,
    describe,
    dotted,
    from_text,
    leaves,
    node_at,
    root_node,
    value_at,
)
from .model import Settings, plain
from .problems import Problem, expectation, nearest_variable, sentence, shortened, suggestion
from .rules import violations
from .sources import ENVIRONMENT_PREFIX, Level, Sources, of_root


class Loaded(NamedTuple):
    """The settings of a run.

    Attributes:
        settings: the typed settings; ``root`` is absolute.
        tree: the same as plain data, as ``c.config.maintenance`` shows it.
        origins: where the value of each setting came from, by its path.
        removed: the defaults that were removed with ``null``, and where.
        folder: where ``tasks.py`` lies.
    """

    settings: Settings
    tree: dict[str, Any]
    origins: dict[SettingPath, str]
    removed: dict[SettingPath, str]
    folder: Path


def load(sources: Sources) -> Loaded:
    """Return the settings that *sources* amount to.

    Raises:
        SettingsError: with every problem found, each naming the key's full path, its value, where it came
            from and what was expected.
    """
    merge = _merged(sources)
    # The root is known only now, and its own file may say anything but another root.
    if own := _of_root(merge.tree["root"], sources):
        merge = _merged(sources._replace(below=[*sources.below, own]))
    merge.check(sources.folder)
    if merge.problems:
        raise SettingsError(sentence(merge.problems))

    settings = msgspec.convert(merge.tree, settings_type())
    tree = plain(settings)
    for path, expected in violations(settings):
        origin = merge.origin(path)
        # A default prefix whose kind the user took away is no mistake of the user's.
        if not (path[:2] == ("cache", "prefixes") and origin == "default"):
            merge.problems.append(Problem(path, origin, expectation(value_at(tree, path), path, expected)))
    if merge.problems:
        raise SettingsError(sentence(merge.problems))
    origins = {path: merge.origins.get(path, "default") for path, _ in leaves(tree, root_node())}
    return Loaded(settings, tree, origins, merge.removed, sources.folder)


def _merged(sources: Sources) -> _Merge:
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
    return merge


def _of_root(text: object, sources: Sources) -> Level | None:
    """Return the level of the root's own file; ``None`` where there is none, or the root cannot be used."""
    if not isinstance(text, str) or not text:
        return None
    try:
        root = Path(sources.folder, Path(text).expanduser()).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    return of_root(root, sources.files)


class _Merge:
    """The tree so far, with the origin of each value and the problems met."""

    def __init__(self) -> None:
        self.tree = defaults()
        self.origins = {path: "default" for path, _ in leaves(self.tree, root_node())}
        self.removed: dict[SettingPath, str] = {}
        self.problems: list[Problem] = []

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
            self._problem(path, origin, expectation(update, path, "a mapping of settings"))
            return
        if not update and isinstance(node, Mapping):  # none of them
            for key in [*tree]:
                self._forget(tree, (*path, key), origin)
        for key, value in update.items():
            here = (*path, str(key))
            child = node.child(key)
            if child is None:
                self._problem(here, origin, f"there is no such setting{suggestion(here)}")
            elif isinstance(child, Setting):
                self._set(tree, here, value, origin, removable=isinstance(node, Mapping))
            elif value is None and isinstance(node, Mapping):
                self._forget(tree, here, origin)
            else:
                self._overlay(tree.setdefault(str(key), {}), value, child, here, origin)

    def _set(self, tree: dict[str, Any], path: SettingPath, value: object, origin: str, *, removable: bool) -> None:
        if value is None and removable:
            self._forget(tree, path, origin)
        else:
            tree[path[-1]] = value
            self.origins[path] = origin

    def _forget(self, tree: dict[str, Any], path: SettingPath, origin: str) -> None:
        if tree.pop(path[-1], None) is not None:
            self.removed[path] = origin
        self.origins = {key: origin for key, origin in self.origins.items() if key[: len(path)] != path}

    def environment(self, variables: dict[str, str], known: dict[str, list[SettingPath]]) -> None:
        """Lay the environment over the tree; *known* are the variables that name a setting."""
        for name, text in sorted(variables.items()):
            paths = known.get(name, [])
            origin = f"environment {name}"
            if not paths:
                self._problem(None, origin, f"there is no setting of this name{nearest_variable(name, known)}")
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
                self._problem(path, origin, expectation(text, path, describe(node)))
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
        for path, node in leaves(self.tree, root_node()):
            if self._present(path):
                value = value_at(self.tree, path)
                if not node.accepts(value):
                    self._problem(path, self.origin(path), expectation(value, path, describe(node)))
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
            self._problem(("root",), self.origin(("root",)), f"{shortened(text)} cannot be used: {reason}")

    def _present(self, path: SettingPath) -> bool:
        value: Any = self.tree
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return True

    def _problem(self, path: SettingPath | None, origin: str, message: str) -> None:
        self.problems.append(Problem(path, origin, message))


def _variables(tree: object) -> dict[str, list[SettingPath]]:
    """Return the settings that each variable names: more than one where keys of the user's run together."""
    known: dict[str, list[SettingPath]] = {}
    for path, _ in leaves(tree, root_node()):
        name = ENVIRONMENT_PREFIX + re.sub(r"\W", "_", "_".join(path)).upper()
        known.setdefault(name, []).append(path)
    return known
