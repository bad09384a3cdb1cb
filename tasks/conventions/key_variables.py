"""Which key variables the project names: in its environment files, its sources and its settings."""

from __future__ import annotations

import re
from collections.abc import Collection

from .convention import Convention, Evidence
from .project_files import ProjectFiles

_ENVIRONMENT_FILES = (".env", ".env.example", ".env.sample", ".env.template", "env.example", "example.env")

_SHOWN = 3


def find_key_variables(files: ProjectFiles, names: Collection[str]) -> Convention[frozenset[str]]:
    """Return which of *names* a file of the project names.

    A variable of the shell alone makes nothing apply: a request to a provider costs money. Documents, tests and
    examples are not asked.

    Args:
        files: the project's.
        names: environment variables.
    """
    listed = " or ".join(sorted(names))
    sought = f"{listed} in {', '.join(_ENVIRONMENT_FILES[:2])}, in the sources and the settings"
    if not names:
        return Convention("key variables", "no variable, for no provider is configured")
    hints = [name.encode() for name in names]
    pattern = re.compile(rb"\b(?:" + b"|".join(map(re.escape, hints)) + rb")\b")
    environment = [name for name in _ENVIRONMENT_FILES if (files.root / name).is_file()]
    places: dict[str, list[Evidence]] = {}
    for match in files.matches(pattern, (*environment, *files.sources, *files.settings), hints):
        name = match.found[0].decode()
        text = name if match.path in environment else match.text
        places.setdefault(name, []).append(Evidence(match.path, match.line, text))
    return Convention(
        "key variables",
        sought,
        frozenset(places) or None,
        ", ".join(sorted(places)),
        tuple(each for name in sorted(places) for each in places[name][:_SHOWN]),
        setting="maintenance.providers",
    )
