"""The mutants of a module: its source with one change each, and the function that the change is in."""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from .operators import Node, operators

MODULE = "(module)"
"""Stands for all that is in no function: constants, fields of classes, imports."""

_GRAMMAR = "3.11"
"""The grammar by which sources are compared: with one for all, the same source has the same hash under any Python."""


class Mutant(NamedTuple):
    """A module with one change.

    Attributes:
        path: the module.
        function: the function or method that the change is in, or :data:`MODULE`.
        line: the line of it.
        change: what it is, ``before → after``; the same change at a later place of the function ends with its number.
        source: the whole source of the module with it.
        in_body: True where it is executed when the function is called, and not when the module is imported.
    """

    path: str
    function: str
    line: int
    change: str
    source: str
    in_body: bool

    def __str__(self) -> str:
        """Return it for people: where it is and what it changes."""
        return f"{self.path}:{self.line} in {self.function}: {self.change}"


def functions(source: str) -> Mapping[str, str]:
    """Return the hash of each function of a module, by its name, and of what is in none of them.

    Comments, docstrings and the layout do not count.
    """
    texts: dict[str, list[str]] = {MODULE: []}
    _describe(parso.parse(source, version=_GRAMMAR), texts, MODULE)
    return {name: hashlib.sha256(" ".join(text).encode()).hexdigest()[:16] for name, text in texts.items()}


def _describe(node: Node, texts: dict[str, list[str]], inside: str) -> None:
    if not hasattr(node, "children"):
        if node.type not in {"newline", "endmarker"}:
            texts[inside].append(node.value)
        return
    if node.type in {"decorated", "funcdef", "async_stmt"}:
        inside = _function_of(node.children[-1] if node.type != "funcdef" else node)
        texts.setdefault(inside, [])
    texts[inside].append(f"<{node.type}")
    for child in node.children:
        if not _is_docstring(child):
            _describe(child, texts, inside)
    texts[inside].append(">")


def _is_docstring(node: Node) -> bool:
    return node.type == "simple_stmt" and node.children[0].type in {"string", "strings"}


def mutants(path: str, source: str) -> Iterator[Mutant]:
    """Yield the mutants of a module, each source once."""
    lines = source.splitlines()
    seen = {ast.dump(ast.parse(source))}
    numbers: Counter[tuple[str, str]] = Counter()
    for place in sorted(_places(source)):
        try:
            mutated = mutate_code(source, *place.how)
            meaning = ast.dump(ast.parse(mutated))
        except (SyntaxError, AttributeError):  # the latter for what follows an `except` and is neither name nor tuple
            continue
        if meaning in seen:
            continue
        seen.add(meaning)
        line, change = _change(lines, mutated.splitlines())
        numbers[place.function, change] += 1
        number = numbers[place.function, change]
        change = change if number == 1 else f"{change} ({number})"
        yield Mutant(path, place.function, line, change, mutated, place.in_body)


class _Place(NamedTuple):
    position: tuple[int, int]
    name: str
    occurrence: int
    function: str
    in_body: bool

    @property
    def how(self) -> tuple[object, int]:
        return dict(operators())[self.name], self.occurrence


def _places(source: str) -> Iterator[_Place]:
    nodes = [*ast_nodes(get_ast(source))]
    for name, operator in operators():
        occurrence = -1
        for node in nodes:
            for _ in operator.mutation_positions(node):
                occurrence += 1
                if not _is_annotation(node) and not _separates_parameters(node):
                    yield _Place(node.start_pos, name, occurrence, _function_of(node), _is_executed_by_call(node))


def _is_annotation(node: Node) -> bool:
    """Tell whether a node is in an annotation or names a type, which mean nothing when the program runs."""
    while node.parent is not None:
        parent = node.parent
        if parent.type == "annassign" and (parent.children[1] is node or "TypeAlias" in parent.children[1].get_code()):
            return True
        if parent.type == "tfpdef" or (parent.type == "funcdef" and node is parent.annotation):
            return True
        node = parent
    return False


def _separates_parameters(node: Node) -> bool:
    """Tell whether a node is the ``*`` between two parameters, which is no multiplication."""
    return node.type == "operator" and node.parent.type in {"parameters", "param"}


def _function_of(node: Node) -> str:
    """Return the name of the outermost function around a node, with its class."""
    names: list[str] = []
    while node is not None:
        if node.type == "decorated" and not names:
            definition = node.children[-1]
            names = [definition.name.value] if definition.type == "funcdef" else []
        if node.type == "funcdef":
            names = [node.name.value]
        elif node.type == "classdef" and names:
            names = [node.name.value, *names]
        node = node.parent
    return ".".join(names) or MODULE


def _is_executed_by_call(node: Node) -> bool:
    while node.parent is not None:
        if node.parent.type == "funcdef" and node.parent.children[-1] is node:
            return True
        node = node.parent
    return False


def _change(before: list[str], after: list[str]) -> tuple[int, str]:
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            return i1 + 1, f"{_line(before[i1:i2])} → {_line(after[j1:j2])}"
    raise ValueError("there is no change")


def _line(lines: list[str]) -> str:
    """Return lines as one, without the remarks to the linter and with the spaces that a change leaves taken out."""
    text = " ".join(" ".join(line.partition("  # noqa")[0] for line in lines).split())
    return re.sub(r"(?<=[\[({]) ", "", text)
