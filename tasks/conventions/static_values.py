"""What the constants of a module are, as far as they follow from its text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 20
"""Items of a version that are put together."""


def static_value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Return the text, number or tuple that an expression makes; ``None`` where that does not follow from the text.

    Args:
        node: the expression.
        known: the values of names.
    """
    value: Any = None
    match node:
        case ast.Constant(value=str() | int() | float() as value):
            pass
        case ast.Name(id=name):
            value = known.get(name)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            value = _all(static_value(each, known) for each in items[:_MOST])
        case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.Constant(value=int() as end), step=None)):
            whole = static_value(node.value, known)
            value = whole[:end] if isinstance(whole, tuple) else None
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as between), attr="join"), args=[joined]):
            value = _joined(between, _items(joined, known))
        case ast.Call(func=ast.Name(id="str"), args=[one]):
            value = _joined("", _all(iter((static_value(one, known),))))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = static_value(left, known), static_value(right, known)
            value = one + other if isinstance(one, str) and isinstance(other, str) else None
        case ast.BinOp(left=ast.Constant(value=str() as form), op=ast.Mod(), right=right):
            value = _formatted(form, static_value(right, known))
        case ast.JoinedStr(values=parts):
            value = _joined("", _all(_part(each, known) for each in parts))
    return value


def _joined(between: str, values: tuple[Any, ...] | None) -> str | None:
    return None if values is None else between.join(map(str, values))


def _all(values: Iterator[Any]) -> tuple[Any, ...] | None:
    found = (*values,)
    return None if None in found else found


def _items(node: ast.expr, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return what is joined: a tuple, ``map(str, it)``, or ``str(each) for each in it``."""
    match node:
        case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="str"), items]):
            value = static_value(items, known)
        case (
            ast.GeneratorExp(elt=element, generators=[ast.comprehension(target=ast.Name(id=name), iter=items, ifs=[])])
            | ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=name), iter=items, ifs=[])])
        ):
            values = static_value(items, known)
            if not isinstance(values, tuple):
                return None
            return _all(static_value(element, {**known, name: each}) for each in values)
        case _:
            value = static_value(node, known)
    return value if isinstance(value, tuple) else None


def _formatted(form: str, value: Any) -> str | None:
    try:
        return None if value is None else form % value
    except (TypeError, ValueError):
        return None


def _part(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return static_value(value, known)
    return static_value(node, known)
