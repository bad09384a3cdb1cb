"""The components and their configuration: which has none, and which configuration belongs to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..core.report.model import Finding, Status
from ..core.text.formatting import count, listed
from .config_files import ConfigFiles, ReviewedFile, components_of
from .key_names import bare_key

_DECLARATION = re.compile(r"components?(_configs?|_configuration|_settings)?", re.IGNORECASE)

_CODE = ".py"


class Components(NamedTuple):
    """What there is.

    Attributes:
        configured: the components that have a configuration, as their folder's path.
        bare_folders: those whose folder has none.
        undeclared: those with a configuration that the settings do not name.
        without_code: those with a configuration and no code, where other components have code.
        absent: those that the settings name and that have no configuration.
        declaration: the file and the name by which the settings name components; empty where none does.
    """

    configured: list[str]
    bare_folders: list[str]
    undeclared: list[str]
    without_code: list[str]
    absent: list[str]
    declaration: str


def find_components(inventory: ConfigFiles, patterns: Sequence[str]) -> Components:
    """Return what there is of the components that shell patterns name.

    Which components there should be is known from their folders and, where a settings file has a mapping called
    ``components``, ``COMPONENT_CONFIG`` or the like with a mapping for each, from its keys.
    """
    folders = [(parent, name) for parent, name in components_of(patterns, inventory.listing)]
    paths = [each.path for each in inventory.components]
    configured = [(parent, name) for parent, name in folders if _any_below(f"{parent}/{name}/", paths)]
    declaration, names = _declared(inventory.files)
    known = {bare_key(name) for _, name in configured}
    expected = {bare_key(name) for name in names}
    with_code = {each for each in folders if _has_code(inventory, *each)}
    return Components(
        [f"{parent}/{name}" for parent, name in configured],
        [f"{parent}/{name}" for parent, name in folders if (parent, name) not in configured],
        [f"{parent}/{name}" for parent, name in configured if names and bare_key(name) not in expected],
        [f"{parent}/{name}" for parent, name in configured if with_code and (parent, name) not in with_code],
        [name for name in names if folders and bare_key(name) not in known and not _is_folder(name, folders)],
        declaration,
    )


def _is_folder(name: str, folders: Sequence[tuple[str, str]]) -> bool:
    return bare_key(name) in {bare_key(folder) for _, folder in folders}


def _any_below(prefix: str, paths: Sequence[str]) -> bool:
    return any(path.startswith(prefix) for path in paths)


def _has_code(inventory: ConfigFiles, parent: str, name: str) -> bool:
    return any(each.endswith(_CODE) for each in inventory.listing.names(f"{parent}/{name}"))


def _declared(files: Sequence[ReviewedFile]) -> tuple[str, list[str]]:
    for each in files:
        if isinstance(each.value, dict):
            for key, value in each.value.items():
                if isinstance(key, str) and _DECLARATION.fullmatch(key) and _is_declaration(value):
                    return f"{key} in {each.path}", [str(name) for name in value]
    return "", []


def _is_declaration(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, dict) for each in value.values())


def component_findings(found: Components) -> Iterator[Finding]:
    """Yield the findings on components; nothing where there are none."""
    if found.bare_folders:
        yield _finding(found.bare_folders, "without a configuration", "Add one, or remove what is no component.")
    if found.absent:
        message = f"without a folder, though {found.declaration} names"
        pronoun = "it" if len(found.absent) == 1 else "them"
        yield _finding(found.absent, f"{message} {pronoun}", "Add it, or take it out of the settings.")
    if found.undeclared:
        message = f"with a configuration that {found.declaration} does not name"
        yield _finding(found.undeclared, message, "Remove what is no longer used, or name it in the settings.")
    if found.without_code:
        message = "with a configuration and no code, where others have code"
        yield _finding(found.without_code, message, "Remove what is no longer used.")
    if found.configured and not (found.bare_folders or found.absent or found.undeclared or found.without_code):
        message = f"{count(len(found.configured), 'component has', 'components have')} a configuration."
        yield Finding(check="configuration.components", subject="components", status=Status.OK, message=message)


def _finding(names: Sequence[str], message: str, remedy: str) -> Finding:
    return Finding(
        check="configuration.components",
        subject="components",
        status=Status.WARNING,
        message=f"{count(len(names), 'component')} {message}: {listed(names, len(names))}.",
        value=len(names),
        unit="components",
        remedy=remedy,
    )
