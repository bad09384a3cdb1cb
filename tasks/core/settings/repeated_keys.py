"""Keys that stand twice in a settings file: YAML and JSON take the last one and lose the others without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from invoke import util

from ..errors import SettingsError
from ..text.formatting import printable

_yaml: Any = util.yaml
"""The reader that Invoke itself uses: it is loaded already."""

_LIMIT = 10_000_000
"""Bytes of a file that are read; a larger one is no settings file that people write."""


class RepeatedKey(NamedTuple):
    """A key that stands more than once in one mapping: its full path, and the number of each line."""

    path: str
    lines: tuple[int, ...]


def require_unique_keys(path: str | PathLike[str], within: str = "") -> None:
    """Refuse a settings file in which a key stands twice.

    A file that cannot be read holds no keys here: whoever reads its values reports that.

    Args:
        path: the file, of YAML or JSON; what is neither by its name, as Python, is not looked at.
        within: the only key of the file that is read; empty: all are.

    Raises:
        SettingsError: it has such keys; the message names each with its lines.
    """
    file = Path(path)
    if file.suffix not in {".yaml", ".yml", ".json"}:
        return
    try:
        with file.open("rb") as opened:
            content = opened.read(_LIMIT)
    except OSError:
        return
    found = repeated_keys(content, is_json=file.suffix == ".json")
    if repeated := [each for each in found if not within or re.match(rf"{re.escape(within)}(?![^.[])", each.path)]:
        which = "; ".join(f"{printable(each.path)} in lines {_listed(each.lines)}" for each in repeated)
        raise SettingsError(
            f"The settings file {str(file)!r} has {'a key' if len(repeated) == 1 else 'keys'} more than once, and only "
            f"the last one would count: {which}. Keep one of them; nothing was run."
        )


def repeated_keys(content: bytes, *, is_json: bool = False) -> list[RepeatedKey]:
    """Return the keys that stand more than once in one mapping, in the order of the file.

    JSON is read as the YAML that it is, which knows the lines. Tabs stand only between its tokens, where YAML has
    spaces.
    """
    try:
        node = _yaml.compose(content.replace(b"\t", b" ") if is_json else content, Loader=_yaml.SafeLoader)
    except (_yaml.YAMLError, RecursionError):
        return []
    return [*_below(node, "", set())]


def _below(node: Any, path: str, seen: set[int]) -> Iterator[RepeatedKey]:
    if id(node) in seen:  # an alias leads to what was looked at already
        return
    seen.add(id(node))
    if isinstance(node, _yaml.MappingNode):
        lines: dict[tuple[str, str], list[int]] = {}
        for key, _ in node.value:
            # Several "<<" add up and lose nothing.
            if isinstance(key, _yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                lines.setdefault((key.tag, key.value), []).append(key.start_mark.line + 1)
        for (_, name), found in lines.items():
            if len(found) > 1:
                yield RepeatedKey(_joined(path, name), tuple(found))
        for key, value in node.value:
            name = key.value if isinstance(key, _yaml.ScalarNode) else "?"
            yield from _below(value, _joined(path, name), seen)
    elif isinstance(node, _yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _below(value, f"{path}[{place}]", seen)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _listed(lines: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, lines[:-1]))} and {lines[-1]}"
