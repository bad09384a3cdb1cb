"""A settings module, read without being run: what its literals say, and what only running it would tell."""

from __future__ import annotations

import ast
import operator
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .parsed_document import Document, Problem, problem_at

_LARGEST = 2_000_000
"""Values in a collection or characters in a text that is put together: a settings module has some thousand."""

_BITS = 4096
"""Of an integer that is computed."""

_SHIFT = 64

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Whose grammar is used: a module may be written for a newer one."""


class Unknown(NamedTuple):
    """A value that only running the module would tell.

    Attributes:
        reason: why, as the end of a sentence.
        source: the expression as it is written, in Python's own layout.
        line: where it stands, from 1.
    """

    reason: str
    source: str
    line: int


def read_python(text: str) -> Document:
    """Return what a module assigns, by name: a class is a dictionary of what it assigns.

    Known are literals, names of what is known, sums, slices of known collections, f-strings of known values, and
    ``update``, ``append`` and ``extend`` with known values. All else is :class:`Unknown`, and nothing is executed.

    Args:
        text: the module's.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except SyntaxError as error:
        message = f"{(error.msg or 'it is no Python').rstrip('.')}, read as Python {_VERSION}"
        return Document(None, (problem_at(text, message, error.lineno or 0, error.offset or 0),), readable=False)
    except (RecursionError, MemoryError):
        return Document(None, (Problem("it is nested too deeply to be read"),), readable=False)
    except ValueError as error:
        return Document(None, (Problem(str(error)),), readable=False)
    return Document(_Scope().run(module.body))


class _Class(dict[str, Any]):
    """What a class assigns: only its names are attributes."""


class _NotKnown(Exception):
    """Why an expression is not known."""


class _Scope(ast.NodeVisitor):
    """The names of a module, or of a class in it."""

    def __init__(self, outer: Mapping[str, Any] | None = None) -> None:
        self.names: dict[str, Any] = {}
        self._outer = outer or {}
        self._sizes: dict[int, tuple[Any, int]] = {}

    def run(self, body: Iterable[ast.stmt]) -> dict[str, Any]:
        """Follow statements and return what they assign."""
        for statement in body:
            match statement:
                case ast.Assign(targets=targets, value=value):
                    known = self._value(value)
                    for target in targets:
                        self._assign(target, known, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assign(target, self._value(value), value)
                case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                    combined = ast.BinOp(ast.Name(name, ast.Load()), op, value)
                    self._assign(target, self._value(ast.copy_location(combined, statement)), statement)
                case ast.ClassDef(name=name, body=inner):
                    self.names[name] = _Class(_Scope({**self._outer, **self.names}).run(inner))
                case ast.Expr(value=ast.Call() as call):
                    self._change(call)
                case _:
                    self._lose(statement)
        return self.names

    def _assign(self, target: ast.expr, value: Any, source: ast.stmt | ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                fits = isinstance(value, tuple | list) and len(value) == len(parts)
                for number, part in enumerate(parts):
                    given = value[number] if fits else _unknown("it is taken out of something not known", source)
                    self._assign(part, given, source)
            case ast.Subscript(value=inner, slice=key):
                self._store(inner, key, value)
            case ast.Attribute() | ast.Starred():
                for name in _roots(target):
                    self._spoil(name, source)

    def _store(self, inner: ast.expr, key: ast.expr, value: Any) -> None:
        """Follow ``NAME[KEY] = VALUE``."""
        try:
            into, at = self._known(inner), self._known(key)
            into[at] = value
            self._sizes.clear()
        except (_NotKnown, TypeError, IndexError):
            for name in _roots(inner):
                self._spoil(name, inner)

    def _change(self, call: ast.Call) -> None:
        """Follow a call of a method that changes what a name stands for."""
        self._sizes.clear()
        match call:
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[argument], keywords=[]):
                try:
                    into, given = self._known(owner), self._known(argument)
                    if method == "update" and isinstance(into, dict) and isinstance(given, dict):
                        into.update(given)
                        return
                    if method == "append" and isinstance(into, list):
                        into.append(given)
                        return
                    if method == "extend" and isinstance(into, list) and isinstance(given, list | tuple):
                        into.extend(given)
                        return
                except _NotKnown:
                    pass
        if isinstance(call.func, ast.Attribute):
            for name in _roots(call.func.value):
                self._spoil(name, call)

    def _lose(self, statement: ast.stmt) -> None:
        """Mark what a statement may assign, on some path through it."""
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        for name in _bound(statement):
            self.names[name] = _unknown("it is assigned where only running it tells whether", statement, name)
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(value=inner, ctx=ast.Store()) | ast.Call(func=ast.Attribute(value=inner)):
                    for name in _roots(inner):
                        self._spoil(name, statement)

    def _spoil(self, name: str, source: ast.stmt | ast.expr) -> None:
        changed = self.names.get(name)
        if isinstance(changed, dict | list | set):
            for other in [other for other, value in self.names.items() if value is changed]:
                self.names[other] = _unknown(f"it is changed on line {source.lineno}", source, other)

    def _value(self, expression: ast.expr) -> Any:
        """Return what an expression stands for, in a copy of its own where it can be changed."""
        try:
            value = self._known(expression)
            if self._size(value) > _LARGEST:
                return _unknown("it is too large", expression, "…")
        except _NotKnown as error:
            return _unknown(str(error) or "it is computed", expression)
        except RecursionError:
            return _unknown("it is nested too deeply", expression, "…")
        return value

    def _size(self, value: Any) -> int:
        if not isinstance(value, dict | list | tuple | set):
            return 1
        if id(value) not in self._sizes:
            inner = value.values() if isinstance(value, dict) else value
            self._sizes[id(value)] = value, 1 + sum(map(self._size, inner))
        return self._sizes[id(value)][1]

    def _known(self, expression: ast.expr) -> Any:
        """Return what an expression stands for.

        Raises:
            _NotKnown: only running it would tell.
        """
        if read := _environment(expression):
            raise _NotKnown(read)
        return self.visit(expression)

    def generic_visit(self, node: ast.AST) -> Any:
        """Raise, since nothing else is known."""
        del node
        raise _NotKnown("it is computed")

    def visit_Constant(self, expression: ast.Constant) -> Any:
        """Return a literal."""
        return expression.value

    def visit_Name(self, expression: ast.Name) -> Any:
        """Return what a name stands for."""
        return self._named(expression.id)

    def visit_Dict(self, expression: ast.Dict) -> Any:
        """Return a dictionary."""
        return self._dictionary(expression.keys, expression.values)

    def visit_List(self, expression: ast.List) -> Any:
        """Return a list."""
        return [*self._elements(expression.elts)]

    def visit_Tuple(self, expression: ast.Tuple) -> Any:
        """Return a tuple."""
        return (*self._elements(expression.elts),)

    def visit_Set(self, expression: ast.Set) -> Any:
        """Return a set."""
        try:
            return {*self._elements(expression.elts)}
        except TypeError:
            raise _NotKnown("it has a member that cannot be one") from None

    def visit_UnaryOp(self, expression: ast.UnaryOp) -> Any:
        """Return a number with its sign, or a negation."""
        return _apply(_UNARY, type(expression.op), self._known(expression.operand))

    def visit_BinOp(self, expression: ast.BinOp) -> Any:
        """Return what two known values make."""
        return _apply(_BINARY, type(expression.op), self._known(expression.left), self._known(expression.right))

    def visit_Subscript(self, expression: ast.Subscript) -> Any:
        """Return a part of what is known."""
        try:
            found = self._known(expression.value)[self._known(expression.slice)]
        except (TypeError, LookupError):
            raise _NotKnown("it is no part of what is known") from None
        if isinstance(found, Unknown):
            raise _NotKnown(found.reason)
        return found

    def visit_Attribute(self, expression: ast.Attribute) -> Any:
        """Return what a class in this module assigns."""
        held = self._known(expression.value)
        if not isinstance(held, _Class) or expression.attr not in held:
            raise _NotKnown("it is computed")
        found = held[expression.attr]
        if isinstance(found, Unknown):
            raise _NotKnown(found.reason)
        return found

    def visit_JoinedStr(self, expression: ast.JoinedStr) -> Any:
        """Return an f-string."""
        return "".join(map(self._formatted, expression.values))

    def _named(self, name: str) -> Any:
        for names in (self.names, self._outer):
            if name in names:
                if isinstance(names[name], Unknown):
                    raise _NotKnown(f"{name} is not known")
                return names[name]
        raise _NotKnown(f"{name} comes from elsewhere")

    def _dictionary(self, keys: Iterable[ast.expr | None], values: Iterable[ast.expr]) -> dict[Any, Any]:
        """Return a dictionary; a value that is not known is named as such within it, and the rest is known."""
        found: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if key is None:
                unpacked = self._known(value)
                if not isinstance(unpacked, dict):
                    raise _NotKnown("it takes over something that is no dictionary")
                found |= unpacked
                continue
            at, given = self._known(key), self._value(value)
            try:
                found[at] = given
            except TypeError:
                raise _NotKnown("it has a key that cannot be one") from None
        return found

    def _elements(self, parts: Iterable[ast.expr]) -> Iterator[Any]:
        for part in parts:
            if isinstance(part, ast.Starred):
                unpacked = self._known(part.value)
                if not isinstance(unpacked, list | tuple | set):
                    raise _NotKnown("it takes over something that is no list")
                yield from unpacked
            else:
                yield self._value(part)

    def _formatted(self, part: ast.expr) -> str:
        match part:
            case ast.Constant(value=str() as text):
                return text
            case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
                known = self._known(inner)
                if isinstance(known, str | int | float):
                    return str(known)
        raise _NotKnown("it is formatted")


def _sum(left: Any, right: Any) -> Any:
    """Add two numbers, texts or collections of one type."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left + right
    if type(left) is not type(right) or not isinstance(left, str | bytes | list | tuple):
        raise _NotKnown("it is computed")
    if len(left) + len(right) > _LARGEST:
        raise _NotKnown("it is too large")
    return left + right


def _numbers(of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def result(left: Any, right: Any) -> Any:
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise _NotKnown("it is computed")
        return of(left, right)

    return result


def _power(left: Any, right: Any) -> Any:
    if not 0 <= right <= _BITS or (isinstance(left, int) and left.bit_length() * right > _BITS):
        raise _NotKnown("it is too large")
    return left**right


def _shifted(left: Any, right: Any) -> Any:
    if not 0 <= right <= _SHIFT:
        raise _NotKnown("it is too large")
    return left << right


def _merged(left: Any, right: Any) -> Any:
    if isinstance(left, dict) and isinstance(right, dict):
        return left | right
    raise _NotKnown("it is computed")


_BINARY: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _sum,
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _numbers(operator.mul),
    ast.Div: _numbers(operator.truediv),
    ast.FloorDiv: _numbers(operator.floordiv),
    ast.Mod: _numbers(operator.mod),
    ast.Pow: _numbers(_power),
    ast.LShift: _numbers(_shifted),
    ast.BitOr: _merged,
}

_UNARY: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


def _apply(known: Mapping[type[ast.AST], Callable[..., Any]], kind: type[ast.AST], *operands: Any) -> Any:
    try:
        result = known[kind](*operands)
    except (KeyError, TypeError, ArithmeticError, ValueError):
        raise _NotKnown("it is computed") from None
    if isinstance(result, int) and result.bit_length() > _BITS:
        raise _NotKnown("it is too large")
    return result


def _environment(expression: ast.expr) -> str | None:
    """Return that an expression reads an environment variable, and which."""
    match expression:
        case ast.Call(
            func=ast.Attribute(attr="getenv" | "get") as function, args=[ast.Constant(value=str() as name), *_]
        ):
            asked = ast.unparse(function)
        case ast.Call(func=ast.Name(id="getenv"), args=[ast.Constant(value=str() as name), *_]):
            asked = "os.getenv"
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() as name)):
            asked = ast.unparse(inner)
        case _:
            return None
    known = {"os.getenv", "getenv", "os.environ.get", "os.environ", "environ.get", "environ"}
    return f"it is read from the environment ({name})" if asked in known else None


def _unknown(reason: str, at: ast.stmt | ast.expr, source: str | None = None) -> Unknown:
    try:
        written = ast.unparse(at) if source is None else source
    except RecursionError:
        written = "…"
    return Unknown(reason, written, at.lineno)


def _roots(expression: ast.expr) -> Iterator[str]:
    """Yield the name that an expression such as ``NAME[...].x`` begins with."""
    while isinstance(expression, ast.Subscript | ast.Attribute | ast.Starred | ast.Call):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    if isinstance(expression, ast.Name):
        yield expression.id


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a compound statement may assign in the scope that it stands in."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.ClassDef):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        pending += ast.iter_child_nodes(node)
