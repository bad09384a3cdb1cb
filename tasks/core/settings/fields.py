"""What a setting's type says about it: which values it takes, how to say that, how to read it from text.

The tree has three kinds of nodes: a section with named children, a mapping whose keys the user chooses, and
a setting with a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args, get_origin

import msgspec

from .all_settings import settings_type
from .model import Section

SettingPath: TypeAlias = tuple[str, ...]

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class Setting(NamedTuple):
    """A leaf: a value of a type, with its constraints in the annotation."""

    annotation: Any
    required: bool
    description: str

    def accepts(self, value: object) -> bool:
        """Tell whether *value* is of the type and within the limits; a number must be finite."""
        try:
            converted = msgspec.convert(value, self.annotation)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return False
        return not isinstance(converted, float) or math.isfinite(converted)


class Branch(NamedTuple):
    """A section: its children are the fields of a struct."""

    section: type[Section]
    description: str

    def child(self, key: object) -> Node | None:
        """Return the child called *key*; ``None`` where there is none."""
        return _fields(self.section).get(key) if isinstance(key, str) else None


class Mapping(NamedTuple):
    """A mapping from names that the user chooses to settings or sections of one type."""

    item: Node
    description: str

    def child(self, key: object) -> Node | None:
        """Return what stands under *key*: any text is a name."""
        return self.item if isinstance(key, str) else None


Node: TypeAlias = Setting | Branch | Mapping


def root_node() -> Branch:
    """Return the top of the tree."""
    return Branch(settings_type(), "")


def node_at(path: SettingPath) -> Setting:
    """Return the setting at *path*, which must be one."""
    node: Node | None = root_node()
    for key in path:
        node = None if node is None or isinstance(node, Setting) else node.child(key)
    if not isinstance(node, Setting):
        raise KeyError(dotted(path))
    return node


def children(node: Branch | Mapping, tree: object) -> Iterator[tuple[str, Node]]:
    """Yield the children of *node*: a section's fields, or the names that *tree* has in a mapping."""
    if isinstance(node, Branch):
        yield from _fields(node.section).items()
    elif isinstance(tree, dict):
        for key in tree:
            yield key, node.item


def leaves(tree: object, node: Branch | Mapping, path: SettingPath = ()) -> Iterator[tuple[SettingPath, Setting]]:
    """Yield every setting that the tree's shape calls for, whether it is there or not."""
    for key, child in children(node, tree):
        if isinstance(child, Setting):
            yield (*path, key), child
        else:
            below = tree.get(key) if isinstance(tree, dict) else None
            yield from leaves(below, child, (*path, key))


def value_at(tree: Any, path: SettingPath) -> Any:
    """Return what a tree of settings has at *path*.

    Raises:
        KeyError: it has nothing there.
    """
    for key in path:
        tree = tree[key]
    return tree


def dotted(path: SettingPath) -> str:
    """Return the full name of a setting, as people write it: ``maintenance.cache.directory``."""
    return ".".join(("maintenance", *path))


@cache
def _fields(section: type[Section]) -> dict[str, Node]:
    return {field.name: _node(field.type, required=field.required) for field in msgspec.structs.fields(section)}


def _node(annotation: Any, *, required: bool) -> Node:
    bare, description = _unwrap(annotation)
    if isinstance(bare, type) and issubclass(bare, Section):
        return Branch(bare, description or (bare.__doc__ or "").splitlines()[0])
    if get_origin(bare) is dict:
        return Mapping(_node(get_args(bare)[1], required=False), description)
    return Setting(annotation, required, description)


def _unwrap(annotation: Any) -> tuple[Any, str]:
    """Return the type without its annotations, and the description among them."""
    if get_origin(annotation) is not Annotated:
        return annotation, ""
    bare, *metas = get_args(annotation)
    return bare, next((meta.description for meta in metas if meta.description), "")


def describe(setting: Setting) -> str:
    """Return what *setting* takes, in words: ``a number, 0 or more``."""
    bare, _ = _unwrap(setting.annotation)
    if get_origin(bare) is Literal:
        return "one of " + ", ".join(get_args(bare))
    if get_origin(bare) is tuple:
        item = get_args(bare)[0]
        if item is str:
            return "a list of texts"
        *names, last = (field.name for field in msgspec.structs.fields(item))
        return f"a list of records with {', '.join(names)} and {last}"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[bare] + _limits(setting)


def _limits(setting: Setting) -> str:
    metas = get_args(setting.annotation)[1:] if get_origin(setting.annotation) is Annotated else ()
    low = next((meta.ge for meta in metas if meta.ge is not None), None)
    high = next((meta.le for meta in metas if meta.le is not None), None)
    if low is None:
        return ""
    return f", {low} or more" if high is None else f" from {low} to {high}"


def from_text(text: str, setting: Setting) -> object:
    """Return the value that *text*, an environment variable, stands for.

    ``true``, ``yes``, ``on`` and ``1`` (and their opposites) are booleans, a list is separated by commas.

    Raises:
        ValueError: the text is not of the setting's type.
    """
    bare, _ = _unwrap(setting.annotation)
    word = text.strip()
    if bare is bool:
        return boolean(word)
    if get_origin(bare) is tuple:
        if get_args(bare)[0] is not str:
            raise ValueError(text)
        return [part.strip() for part in text.split(",") if part.strip()]
    if bare in {int, float}:
        return bare(word)
    return text


def boolean(word: str) -> bool:
    """Return the truth value that *word* stands for.

    Raises:
        ValueError: it is none of true, yes, on, 1, false, no, off, 0 (in any case).
    """
    if word.strip().lower() not in _TRUE | _FALSE:
        raise ValueError(word)
    return word.strip().lower() in _TRUE
