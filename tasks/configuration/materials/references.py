"""What refers to what: materials to their categories, an index to materials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from .catalogue import Catalogue


class Broken(NamedTuple):
    """References of one kind that lead nowhere.

    Attributes:
        message: what is wrong with them, after their number and "materials".
        names: the materials.
    """

    message: str
    names: list[str]


def broken(catalogue: Catalogue) -> Iterator[Broken]:
    """Yield the references that lead nowhere, those to one category together."""
    if catalogue.categories:
        unknown: dict[str, list[str]] = defaultdict(list)
        for name, material in catalogue.materials.items():
            category = material.get("category")
            if category not in catalogue.categories:
                unknown[_told(category)].append(name)
        for category, names in unknown.items():
            near = next((known for known in catalogue.categories if known.casefold() == category.casefold()), None)
            hint = f'; "{near}" differs by case only' if near else ""
            what = f'in the category "{category}", which is not defined{hint}' if category else "without a category"
            yield Broken(what, names)
    if catalogue.indexed:
        index, materials = catalogue.indexed, {*catalogue.materials, *catalogue.malformed}
        yield from _some("in the index only", [name for name in index if name not in materials])
        yield from _some("missing in the index", [name for name in catalogue.materials if name not in index])
        other = [name for name, material in catalogue.materials.items() if _differs(material, index.get(name))]
        yield from _some("with another category in the index than in their own entry", other)


def _told(category: Any) -> str:
    return "" if category is None else str(category)


def _differs(material: Any, indexed: Any) -> bool:
    return isinstance(indexed, str) and "category" in material and material["category"] != indexed


def _some(message: str, names: list[str]) -> Iterator[Broken]:
    if names:
        yield Broken(message, names)
