"""Which materials lack which required property, at any depth and in any spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..spelling import bare


def lacking(materials: Mapping[str, Mapping[str, Any]], required: Sequence[str]) -> dict[str, list[str]]:
    """Return the materials that lack each property, by the property as the settings write it.

    A property counts as there where a key of its name stands anywhere in the material and has a value: ``null``,
    an empty text or collection, and a mapping whose ``value`` is ``null`` are none.

    Args:
        materials: by name.
        required: the properties.
    """
    wanted = {name: bare(name) for name in required}
    missing: dict[str, list[str]] = {name: [] for name in required}
    for name, material in materials.items():
        has = _keys(material, frozenset(wanted.values()))
        for property_, key in wanted.items():
            if key not in has:
                missing[property_].append(name)
    return missing


def _keys(material: Any, wanted: Iterable[str]) -> set[str]:
    found: set[str] = set()
    pending = [material]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(key, str) and (name := bare(key)) in wanted and _is_given(inner):
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
