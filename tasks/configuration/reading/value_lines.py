"""The lines of values: a second look at a file, only for the values that are reported."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Any

from ..key_names import below


def lines_of(name: str, text: str, paths: Collection[str]) -> dict[str, int]:
    """Return the line, from 1, of each path that is found; those of TOML and INI files are not looked for.

    Args:
        name: the file's name.
        text: its text.
        paths: of values or of collections.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in {".yaml", ".yml", ".json"}:
        found = _yaml_lines(text, paths)
    elif suffix == ".py":
        found = _python_lines(text)
    else:
        return {}
    wanted = set(paths)
    return {path: line for path, line in found if path in wanted}


def _yaml_lines(text: str, paths: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield paths and their lines from the events of a YAML or JSON text; what leads to none of *paths* is passed."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    starts = yaml.MappingStartEvent, yaml.SequenceStartEvent
    ends = yaml.MappingEndEvent, yaml.SequenceEndEvent
    on_the_way = {path[:end] for path in paths for end in range(len(path) + 1)}
    stack: list[_Level] = []
    passing = 0
    try:
        for event in yaml.parse(text, loader):
            if isinstance(event, ends):
                if passing:
                    passing -= 1
                else:
                    stack.pop()
            elif passing:
                passing += isinstance(event, starts)
            elif isinstance(event, (*starts, yaml.ScalarEvent, yaml.AliasEvent)):
                path = stack[-1].next(event) if stack else ""
                if path is None:
                    passing += isinstance(event, starts)
                    continue
                yield path, (stack[-1].line if stack and stack[-1].mapping else _line(event))
                if isinstance(event, starts):
                    if path in on_the_way:
                        stack.append(_Level(path, mapping=isinstance(event, yaml.MappingStartEvent)))
                    else:
                        passing = 1
    except yaml.YAMLError:
        return


class _Level:
    """A collection whose members are followed."""

    def __init__(self, path: str, *, mapping: bool) -> None:
        self.path = path
        self.mapping = mapping
        self.line = 0
        self._key: str | None = None
        self._number = 0

    def next(self, event: Any) -> str | None:
        """Return the path of the value that an event begins; ``None`` where it is a key."""
        if not self.mapping:
            self._number += 1
            return f"{self.path}[{self._number - 1}]"
        if self._key is None:
            self.line = _line(event)
            self._key = below(self.path, _key_of(event))
            return None
        key, self._key = self._key, None
        return key


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _key_of(event: Any) -> Any:
    text = getattr(event, "value", "")
    plain = getattr(event, "implicit", None)
    if plain and isinstance(plain, tuple) and plain[0]:
        try:
            return int(text)
        except ValueError:
            return text
    return text


def _python_lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield paths and their lines from a module's assignments."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _assigned(module.body, "")


def _assigned(body: list[ast.stmt], path: str) -> Iterator[tuple[str, int]]:
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                yield below(path, name), statement.lineno
                yield from _members(value, below(path, name))
            case ast.ClassDef(name=name, body=inner):
                yield below(path, name), statement.lineno
                yield from _assigned(inner, below(path, name))


def _members(value: ast.expr, path: str) -> Iterator[tuple[str, int]]:
    match value:
        case ast.Dict(keys=keys, values=values):
            for key, inner in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant):
                    yield below(path, key.value), key.lineno
                    yield from _members(inner, below(path, key.value))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for number, inner in enumerate(parts):
                yield f"{path}[{number}]", inner.lineno
                yield from _members(inner, f"{path}[{number}]")
