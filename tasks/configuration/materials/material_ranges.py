"""Values of materials against the ranges that the data states: their own, and those of their category."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ..key_names import bare_key
from .material_catalogue import Catalogue, measured_values


class OutsideValue(NamedTuple):
    """A value outside a range.

    Attributes:
        material: whose it is.
        path: the keys that lead to it, from the material on.
        value: the number, in *unit*.
        low: the range's lower end; ``None`` where it has none.
        high: its upper end.
        unit: as it is written.
    """

    material: str
    path: tuple[str, ...]
    value: float
    low: float | None
    high: float | None
    unit: str | None


class Ranges(NamedTuple):
    """What comparing gave.

    Attributes:
        stated: values that have a range of their own.
        outside: those outside it.
        reversed: materials and paths of ranges whose lower end is above the upper one.
        compared: values that could be compared with their category's range.
        incomparable: values whose category has a range in another unit.
        beyond: those outside their category's range.
        units: per property the units that its values have, and how many have each; ``None`` is no unit.
    """

    stated: int
    outside: list[OutsideValue]
    reversed: list[OutsideValue]
    compared: int
    incomparable: int
    beyond: list[OutsideValue]
    units: Mapping[str, Counter[str | None]]


def compare_ranges(catalogue: Catalogue) -> Ranges:
    """Compare every number of every material with the ranges that are stated for it."""
    limits = {name: _limits(category) for name, category in catalogue.categories.items()}
    found = Ranges(0, [], [], 0, 0, [], defaultdict(Counter))
    stated = compared = incomparable = 0
    for name, material in catalogue.materials.items():
        category = limits.get(str(material.get("category")), {})
        for each in measured_values(material):
            found.units[each.name][each.unit] += 1
            low, high = _number(each.entry.get("min")), _number(each.entry.get("max"))
            own = OutsideValue(name, each.path, each.value, low, high, each.unit)
            if low is not None or high is not None:
                stated += 1
            if low is not None and high is not None and low > high:
                found.reversed.append(own)
            elif _is_outside(each.value, low, high):
                found.outside.append(own)
            if (limit := category.get(bare_key(each.name))) is not None:
                if plain_unit(limit.unit or "") != plain_unit(each.unit or ""):
                    incomparable += 1
                    continue
                compared += 1
                if _is_outside(each.value, limit.low, limit.high):
                    found.beyond.append(own._replace(low=limit.low, high=limit.high))
    return found._replace(stated=stated, compared=compared, incomparable=incomparable)


class _Limit(NamedTuple):
    low: float | None
    high: float | None
    unit: str | None


def _limits(category: Any) -> dict[str, _Limit]:
    """Return the ranges that a category states, at any depth, by the bare name of their property.

    Of several for one property the first counts, one with a unit before one without.
    """
    found: dict[str, _Limit] = {}
    for name, limit in sorted(_stated(category, ""), key=lambda each: each[1].unit is None):
        found.setdefault(name, limit)
    return found


def _stated(value: Any, name: str) -> Iterator[tuple[str, _Limit]]:
    if not isinstance(value, dict):
        return
    low, high = _number(value.get("min")), _number(value.get("max"))
    if name and (low is not None or high is not None):
        yield bare_key(name), _Limit(low, high, None if value.get("unit") is None else str(value["unit"]))
    for key, inner in value.items():
        yield from _stated(inner, str(key))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_outside(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)


def units_spelled_twice(units: Counter[str | None]) -> dict[str, list[str]]:
    """Return the units that are written in several spellings, by their bare form."""
    forms: dict[str, list[str]] = defaultdict(list)
    for each in units:
        forms[plain_unit(each or "")].append("none" if each is None else each)
    return {bare_: names for bare_, names in forms.items() if len(names) > 1}


_SIGNS = str.maketrans(
    {"·": "", "⋅": "", "*": "", "\u00d7": "", "^": "", " ": "", "(": "", ")": "", "\u2212": "-", "√": "sqrt"}
)


@lru_cache(maxsize=10_000)
def plain_unit(text: str) -> str:
    """Return a unit without what only its spelling makes different: signs of multiplication, raised digits, micro."""
    return unicodedata.normalize("NFKC", text).translate(_SIGNS).strip()
