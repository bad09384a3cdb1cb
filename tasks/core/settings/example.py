"""The settings written down: a commented ``invoke.yaml`` for people, a JSON Schema for their editors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from collections.abc import Mapping as TypingMapping
from typing import Any

import msgspec

from .all_settings import defaults
from .fields import Branch, Mapping, Node, Setting, SettingPath, children, root_node

FILE = "invoke.yaml"

_PACKAGE = __package__.partition(".")[0]

EXECUTOR = f"{_PACKAGE}.{'core.run.runner.' if _PACKAGE == 'tasks' else ''}MaintenanceExecutor"
"""The executor's import path: an installed package offers it; in a copy, ``tasks.py`` hides the package."""


def example(
    found: TypingMapping[SettingPath, tuple[Any, str]] | None = None, unused: Collection[SettingPath] = ()
) -> str:
    """Return an ``invoke.yaml`` in which every setting stands with its default, commented out, but for what was found.

    The names of sections without anything found are commented out as well: an empty section cannot be merged with a
    filled one of another file.

    Args:
        found: values that hold in the place of defaults, with the places that say so, by the setting's path.
        unused: the settings, or sections of them, that are left out.
    """
    head = (
        "# Settings of the maintenance suite, each with its default. To change one, take the first # of its line\n"
        "# away and those of the sections it stands in. settings.check tells whether all is well.\n"
        "\n"
        "tasks:\n"
        "  # One verdict for a chain of procedures, whatever each of them finds.\n"
        f"  executor_class: {EXECUTOR}\n"
        "\n"
    )
    found = found or {}
    lines = ["maintenance:" if found else "#maintenance:", *_lines(root_node(), defaults(), (), found, unused)]
    return head + "".join(f"{line}\n" for line in lines)


def _lines(
    node: Branch | Mapping,
    tree: Any,
    above: SettingPath,
    found: TypingMapping[SettingPath, tuple[Any, str]],
    unused: Collection[SettingPath],
) -> Iterator[str]:
    indent = "  " * (len(above) + 1)
    for name, child in children(node, tree):
        path = (*above, name)
        if path in unused:
            continue
        mark = "" if any(key[: len(path)] == path for key in found) else "#"
        if child.description and isinstance(node, Branch):
            yield f"{mark}{indent}# {child.description}"
        if path in found:
            value, places = found[path]
            yield f"{indent}# Found in {places}."
            if isinstance(value, list) and value:
                yield f"{indent}{name}:"
                yield from (f"{indent}  - {json.dumps(each, ensure_ascii=False)}" for each in value)
            else:
                yield f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}"
        elif isinstance(child, Setting):
            # JSON is YAML too, and quotes what needs it.
            yield f"#{indent}{name}: {json.dumps(tree[name], ensure_ascii=False)}"
        elif not tree[name]:
            yield f"#{indent}{name}: {{}}"
        else:
            yield f"{mark}{indent}{name}:"
            yield from _lines(child, tree[name], path, found, unused)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``invoke.yaml``, as far as it is ours."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"maintenance": _schema(root_node(), defaults())},
    }


def _schema(node: Node, tree: Any) -> dict[str, Any]:
    """Return the schema of what a file may hold for *node*, where *tree* are the defaults, if there are any.

    Everything may be left out that has a default, and ``null`` stands for an empty section, or takes an
    entry of a mapping away.
    """
    if isinstance(node, Setting):
        return _inlined(msgspec.json.schema(node.annotation))
    known = {name: _schema(child, tree and tree[name]) for name, child in children(node, tree)}
    schema = {"type": ["object", "null"], "description": node.description, "properties": known}
    if isinstance(node, Mapping):
        for name, child in known.items():
            known[name] = {"anyOf": [child, {"type": "null"}]}
        return {**schema, "additionalProperties": {"anyOf": [_schema(node.item, None), {"type": "null"}]}}
    required = [name for name, child in children(node, tree) if isinstance(child, Setting) and child.required]
    return {**schema, "additionalProperties": False, "required": [] if tree else required}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with its one level of definitions where they are referred to."""
    definitions = {f"#/$defs/{name}": content for name, content in schema.pop("$defs", {}).items()}
    if "items" in schema and "$ref" in schema["items"]:
        schema["items"] = definitions[schema["items"]["$ref"]]
    return schema
