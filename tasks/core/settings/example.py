"""The settings written down: a commented ``invoke.yaml`` for people, a JSON Schema for their editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from .fields import Branch, Mapping, Setting, children, root_node
from .loading import defaults
from .model import Settings

FILE = "invoke.yaml"

EXECUTOR = f"{__package__.removesuffix('.settings')}.runner.MaintenanceExecutor"
"""The executor's import path: the package has another name where it is installed."""


def example() -> str:
    """Return an ``invoke.yaml`` in which every setting stands with its default, commented out."""
    head = (
        "# Settings of the maintenance suite. A line that starts with # and a name shows a default:\n"
        "# take the # away to change it. inv settings.check tells whether all is well.\n"
        "\n"
        "tasks:\n"
        "  # One verdict for a chain of procedures, whatever each of them finds.\n"
        f"  executor_class: {EXECUTOR}\n"
        "\n"
        "maintenance:\n"
    )
    return head + "\n".join(_lines(root_node(), defaults(), "  ")) + "\n"


def _lines(node: Branch | Mapping, tree: Any, indent: str, mark: str = "#") -> Iterator[str]:
    for name, child in children(node, tree):
        value = tree[name]
        if child.description and isinstance(node, Branch):
            yield f"{indent}# {child.description}"
        if isinstance(child, Setting):
            # JSON is YAML too, and quotes what needs it.
            yield f"{indent}{mark}{name}: {json.dumps(value, ensure_ascii=False)}"
        elif isinstance(node, Mapping):
            # An empty entry of a mapping would take the default away, so its name is commented out as well.
            yield f"{indent}#{name}:"
            yield from (f"{indent}#{line}" for line in _lines(child, value, "  ", mark=""))
        else:
            yield f"{indent}{name}:"
            yield from _lines(child, value, indent + "  ")
            yield ""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``invoke.yaml``, as far as it is ours."""
    (reference,), components = msgspec.json.schema_components([Settings], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"maintenance": reference},
        "$defs": components,
    }
