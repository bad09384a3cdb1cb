"""Materials and categories in the reviewed files: which refer to nothing, and which lack a property."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..config_files import ReviewedFile
from ..key_names import bare_key

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


def catalogue(files: Iterable[ReviewedFile]) -> Catalogue:
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


class MeasuredValue(NamedTuple):
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


def measured_values(value: Any, path: tuple[str, ...] = (), name: str = "") -> Iterator[MeasuredValue]:
    """Yield every mapping at any depth that has a number under ``value``."""
    if isinstance(value, dict):
        number = value.get("value")
        if isinstance(number, int | float) and not isinstance(number, bool):
            unit = value.get("unit")
            yield MeasuredValue(path, name, number, None if unit is None else str(unit), value)
        for key, inner in value.items():
            yield from measured_values(inner, (*path, str(key)), str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from measured_values(inner, (*path, str(number)), name)


class BrokenReference(NamedTuple):
    """References of one kind that lead nowhere.

    Attributes:
        message: what is wrong with them, after their number and "materials".
        names: the materials.
    """

    message: str
    names: list[str]


def broken_references(catalogue: Catalogue) -> Iterator[BrokenReference]:
    """Yield the references that lead nowhere, those to one category together."""
    if catalogue.categories:
        unknown: dict[str, list[str]] = defaultdict(list)
        for name, material in catalogue.materials.items():
            category = material.get("category")
            if category not in catalogue.categories:
                unknown[_category_text(category)].append(name)
        for category, names in unknown.items():
            near = next((known for known in catalogue.categories if known.casefold() == category.casefold()), None)
            hint = f'; "{near}" differs by case only' if near else ""
            what = f'in the category "{category}", which is not defined{hint}' if category else "without a category"
            yield BrokenReference(what, names)
    if catalogue.indexed:
        index, materials = catalogue.indexed, {*catalogue.materials, *catalogue.malformed}
        yield from _some("in the index only", [name for name in index if name not in materials])
        yield from _some("missing in the index", [name for name in catalogue.materials if name not in index])
        other = [name for name, material in catalogue.materials.items() if _differs(material, index.get(name))]
        yield from _some("with another category in the index than in their own entry", other)


def _category_text(category: Any) -> str:
    return "" if category is None else str(category)


def _differs(material: Any, indexed: Any) -> bool:
    return isinstance(indexed, str) and "category" in material and material["category"] != indexed


def _some(message: str, names: list[str]) -> Iterator[BrokenReference]:
    if names:
        yield BrokenReference(message, names)


def lacking_properties(materials: Mapping[str, Mapping[str, Any]], required: Sequence[str]) -> dict[str, list[str]]:
    """Return the materials that lack each property, by the property as the settings write it.

    A property is there where a key of its name is anywhere in the material and has a value: ``null``,
    an empty text or collection, and a mapping whose ``value`` is ``null`` are none.

    Args:
        materials: by name.
        required: the properties.
    """
    wanted = {name: bare_key(name) for name in required}
    missing: dict[str, list[str]] = {name: [] for name in required}
    for name, material in materials.items():
        has = _given_keys(material, frozenset(wanted.values()))
        for property_, key in wanted.items():
            if key not in has:
                missing[property_].append(name)
    return missing


def _given_keys(material: Any, wanted: Iterable[str]) -> set[str]:
    found: set[str] = set()
    pending = [material]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(key, str) and (name := bare_key(key)) in wanted and _is_given(inner):
                    found.add(name)
                if isinstance(inner, dict | list):
                    pending.append(inner)
        elif isinstance(value, list):
            pending += [inner for inner in value if isinstance(inner, dict | list)]
    return found


def _is_given(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and ("value" not in value or _is_given(value["value"]))
    return value is not None and value not in ("", [])
