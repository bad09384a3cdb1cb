"""Settings that the project's own files give, by its conventions, instead of the default."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from .applicability import conventions_of, is_default
from .conventions.convention import Evidence
from .conventions.project_conventions import ProjectConventions
from .core.run.context import Run
from .core.settings.fields import SettingPath, value_at
from .core.settings.inspection import FoundSetting
from .core.settings.model import Settings

_FILES: SettingPath = ("configuration", "files")

_DOCUMENTS = (".json", ".toml", ".yaml", ".yml")

_CATALOGUES = frozenset({"categories", "materials"})
"""What a data file, or a folder above it, is named that the configuration review knows how to look into."""


def with_found_files(run: Run, settings: Settings) -> Settings:
    """Return *settings* with the configuration files that the project has in the place of those that are a default.

    A default stays where there is such a file, in any case of its name. Where nothing is found at all, all of them
    stay, to say what was looked for.
    """
    if not is_default(run, _FILES):
        return settings
    defaults = {name.casefold(): name for name in settings.configuration.files}
    conventions = conventions_of(run)
    there = {path.casefold() for path in conventions.files.paths}
    kept = [name for folded, name in defaults.items() if folded in there]
    found = [*(conventions.configuration_files.value or ()), *_catalogues(conventions)]
    components = [PurePosixPath(pattern) for pattern in settings.configuration.components]
    new = (path for path in found if path.casefold() not in defaults and not _matches(path, components))
    files = tuple(dict.fromkeys([*kept, *new]))
    if not files:
        return settings
    configuration = msgspec.structs.replace(settings.configuration, files=files)
    return msgspec.structs.replace(settings, configuration=configuration)


def _matches(path: str, patterns: list[PurePosixPath]) -> bool:
    """Tell whether one of the shell patterns names a path, or all that a pattern names."""
    return any(
        len(pattern.parts) == path.count("/") + 1 and PurePosixPath(path).match(str(pattern)) for pattern in patterns
    )


def _catalogues(conventions: ProjectConventions) -> Iterator[str]:
    """Yield the data files that by their names, or those of their folders, hold materials or categories."""
    folders = [pattern.removesuffix("**") for pattern in conventions.data_files.value or ()]
    for path in conventions.files.paths:
        folder = next((folder for folder in folders if path.startswith(folder)), None)
        if folder is not None and path.endswith(_DOCUMENTS):
            below = PurePosixPath(path.removeprefix(folder)).with_suffix("").parts
            if _CATALOGUES & {part.casefold() for part in below}:
                yield path


def found_settings(run: Run) -> dict[SettingPath, FoundSetting]:
    """Return what the project's own files say in the place of defaults, by the setting's path.

    Only what differs from the default is in it, and what some procedure goes by.
    """
    conventions = conventions_of(run)
    return {
        path: FoundSetting(value, _places(evidence))
        for path, value, evidence in _found(run, conventions)
        if is_default(run, path) and value != value_at(run.loaded.tree, path)
    }


def _found(run: Run, conventions: ProjectConventions) -> Iterator[tuple[SettingPath, Any, Sequence[Evidence]]]:
    reviewed = with_found_files(run, run.settings).configuration.files
    evidence = (*conventions.configuration_files.evidence, *map(Evidence, _catalogues(conventions)))
    yield _FILES, [*reviewed], evidence
    if stated := conventions.versions.value:
        yield ("release", "version_files"), [each.place for each in stated.stated], conventions.versions.evidence
    if changelog := conventions.changelog.value:
        yield ("release", "changelog"), changelog.path, conventions.changelog.evidence
    tags = conventions.tags.value
    if tags and len(tags.forms) == 1:
        yield ("release", "tag_prefix"), tags.forms[0].before, conventions.tags.evidence
    if test := conventions.test_command.value:
        yield ("release", "test_command"), shlex.join(test.words), conventions.test_command.evidence
    if linters := conventions.lint_commands.value:
        commands = [shlex.join(each.words) for each in linters]
        yield ("release", "lint_commands"), commands, conventions.lint_commands.evidence


_SHOWN = 3


def _places(evidence: Sequence[Evidence]) -> str:
    """Return the places that say it, on one line; not more than a few."""
    more = f" and {len(evidence) - _SHOWN} more" if len(evidence) > _SHOWN else ""
    return "; ".join(map(str, evidence[:_SHOWN])) + more
