"""Which files configure the project: settings modules, documents in the usual formats, and those of its components."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from .convention import Convention, Evidence
from .project_files import ProjectFiles, is_foreign

_SOUGHT = (
    "settings.py, files named config, conf, settings or configuration (.yaml, .yml, .toml, .ini, .cfg, .json), "
    "and such files in folders of these names"
)

_SUFFIXES = frozenset({".cfg", ".ini", ".json", ".toml", ".yaml", ".yml"})
_STEM = re.compile(
    r"(?:config|conf|configuration|settings)(?:[._-][\w-]+)?|[\w-]+[._-](?:config|settings)", re.IGNORECASE
)
_FOLDERS = frozenset({"conf", "config", "configs", "configuration", "settings"})
_SETTINGS = re.compile(r"(?m)^(?:[A-Z][A-Z0-9_]*\s*(?::[^=\n]*)?=|class \w*(?:Config|Settings)\b)")
"""A name in capitals that is given a value, or a class of settings."""

_TOOLS = frozenset(
    {
        ".pre-commit-config.yaml",
        "biome.json",
        "cypress.json",
        "jest.config.json",
        "jsconfig.json",
        "mkdocs.yml",
        "package.json",
    }
    | {"package-lock.json", "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "tsconfig.json", "vercel.json"}
)
"""Files that configure tools of developers, which the program itself never reads."""

_ALIKE = 3
"""From so many files on that differ in the name of one folder, a pattern stands for them."""


def find_configuration_files(files: ProjectFiles) -> Convention[tuple[str, ...]]:
    """Return the files that configure the project, as paths or as patterns that stand for several."""
    found = [path for path in files.paths if _is_configuration(path) and _holds_settings(files, path)]
    patterns = _patterns(found)
    return Convention(
        "configuration files",
        _SOUGHT,
        tuple(patterns) or None,
        ", ".join(patterns),
        tuple(Evidence(paths[0], None, f"{len(paths)} files" if len(paths) > 1 else "") for paths in patterns.values()),
        setting="maintenance.configuration.files",
    )


def _is_configuration(path: str) -> bool:
    *folders, name = path.split("/")
    stem, dot, ending = name.rpartition(".")
    above = folders[-1] if folders else ""
    if name.startswith(".") or name in _TOOLS or not dot or any(part.startswith(".") for part in folders):
        return False
    if ending == "py":
        found = name == "settings.py" or (above == "settings" and name != "__init__.py")
    else:
        found = f".{ending}" in _SUFFIXES and (above in _FOLDERS or bool(_STEM.fullmatch(stem)))
    return found and not is_foreign(path)


def _holds_settings(files: ProjectFiles, path: str) -> bool:
    """Tell whether a module in a folder of settings holds some: there may be code as well, a package named so."""
    name = path.rpartition("/")[2]
    return not name.endswith(".py") or name == "settings.py" or bool(_SETTINGS.search(files.text(path) or ""))


def _patterns(paths: list[str]) -> dict[str, list[str]]:
    """Return the files by the pattern that stands for them; one with its own name stands for itself."""
    alike: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        parts = path.split("/")
        for place in range(len(parts) - 1):
            alike["/".join([*parts[:place], "*", *parts[place + 1 :]])].append(path)
        alike["/".join([*parts[:-1], "*" + PurePosixPath(path).suffix])].append(path)
    found: dict[str, list[str]] = {}
    left = dict.fromkeys(paths)
    for pattern, members in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        rest = [path for path in members if path in left]
        if len(rest) >= _ALIKE and "/" in pattern:
            found[pattern] = rest
            for path in rest:
                del left[path]
    return dict(sorted((found | {path: [path] for path in left}).items()))
