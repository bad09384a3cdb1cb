"""Materials and categories, wherever the reviewed files keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..inventory import Reviewed

MATERIALS, CATEGORIES, INDEX = "materials", "categories", "material_index"


class Catalogue(NamedTuple):
    """What the data files say.

    Attributes:
        file: where the materials are; ``None`` where no file has any.
        materials: the materials by name.
        malformed: names of materials that are no mappings.
        categories_file: where the categories are; ``None`` where no file has any.
        categories: the categories by name.
        indexed: the category of each material as an index beside the materials has it.
    """

    file: str | None = None
    materials: Mapping[str, Mapping[str, Any]] = {}
    malformed: tuple[str, ...] = ()
    categories_file: str | None = None
    categories: Mapping[str, Any] = {}
    indexed: Mapping[str, Any] = {}


def catalogue(files: Iterable[Reviewed]) -> Catalogue:
    """Return the materials and categories of the first files that have a ``materials`` or ``categories`` mapping."""
    found = Catalogue()
    for each in files:
        if not isinstance(each.value, dict):
            continue
        if found.file is None and isinstance(entries := _named(each.value.get(MATERIALS)), dict):
            index = each.value.get(INDEX)
            found = found._replace(
                file=each.path,
                materials={str(name): entry for name, entry in entries.items() if isinstance(entry, dict)},
                malformed=tuple(str(name) for name, entry in entries.items() if not isinstance(entry, dict)),
                indexed={str(name): value for name, value in index.items()} if isinstance(index, dict) else {},
            )
        if found.categories_file is None and isinstance(entries := _named(each.value.get(CATEGORIES)), dict):
            categories = {str(name): value for name, value in entries.items()}
            found = found._replace(categories_file=each.path, categories=categories)
    return found


def _named(entries: Any) -> Any:
    """Return a list of entries with names as a mapping by them; anything else as it is."""
    if isinstance(entries, list) and entries and all(isinstance(each, dict) and "name" in each for each in entries):
        return {str(each["name"]): each for each in entries}
    return entries


class Measured(NamedTuple):
    """A value with its unit.

    Attributes:
        path: the keys that lead to it, from its material on.
        name: the property: the last of them.
        value: the number.
        unit: as it is written; ``None`` where none is.
        entry: the whole mapping.
    """

    path: tuple[str, ...]
    name: str
    value: float
    unit: str | None
    entry: Mapping[str, Any]


def measured(value: Any, path: tuple[str, ...] = (), name: str = "") -> Iterator[Measured]:
    """Yield every mapping at any depth that has a number under ``value``."""
    if isinstance(value, dict):
        number = value.get("value")
        if isinstance(number, int | float) and not isinstance(number, bool):
            unit = value.get("unit")
            yield Measured(path, name, number, None if unit is None else str(unit), value)
        for key, inner in value.items():
            yield from measured(inner, (*path, str(key)), str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from measured(inner, (*path, str(number)), name)
