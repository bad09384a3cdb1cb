"""Which of the defaults apply to this project: a default that fits one project is no fault of another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from .conventions.project_conventions import ProjectConventions
from .conventions.unused_defaults import Unused
from .core.run.context import Run
from .core.run.registry import own_files
from .core.settings.fields import SettingPath
from .core.settings.model import Settings
from .core.text.formatting import printable

_SHARED = "conventions"


class Applicable(NamedTuple):
    """The settings as far as they apply.

    Attributes:
        settings: without the providers and the keys that nobody asked for and the project does not use.
        providers: those that were taken out; ``None`` where all apply.
        keys: the same of the keys that must be set.
    """

    settings: Settings
    providers: Unused | None = None
    keys: Unused | None = None


def conventions_of(run: Run) -> ProjectConventions:
    """Return the conventions of the project that a run is about, the same for all procedures of one command."""
    if _SHARED not in run.shared:
        settings = run.settings
        keys = {*(each.key_env for each in settings.providers.values()), *settings.configuration.environment_keys}
        run.shared[_SHARED] = ProjectConventions(Path(settings.root), is_own=own_files(settings).owns, keys=keys)
    found: ProjectConventions = run.shared[_SHARED]
    return found


def applicable(run: Run) -> Applicable:
    """Return the settings of a run without what are only defaults and nothing in the project uses.

    A provider applies where a setting of the user's is about it, or a file of the project names its key variable. A
    variable of the shell alone makes no provider apply, for a request costs money; it is mentioned.
    """
    settings = run.settings
    by_default = [name for name in settings.providers if is_default(run, ("providers", name))]
    wanted = settings.configuration.environment_keys
    keys_by_default = wanted if is_default(run, ("configuration", "environment_keys")) else ()
    if not by_default and not keys_by_default:
        return Applicable(settings)
    named = conventions_of(run).key_variables.value or frozenset()
    providers = {name: settings.providers[name].key_env for name in by_default}
    providers = {name: variable for name, variable in providers.items() if variable not in named}
    keys = {name: name for name in keys_by_default if name not in named}
    configuration = msgspec.structs.replace(
        settings.configuration, environment_keys=tuple(name for name in wanted if name not in keys)
    )
    return Applicable(
        msgspec.structs.replace(
            settings,
            providers={name: each for name, each in settings.providers.items() if name not in providers},
            configuration=configuration,
        ),
        _unused(run, providers, "maintenance.providers"),
        _unused(run, keys, "maintenance.configuration.environment_keys"),
    )


def is_default(run: Run, path: SettingPath) -> bool:
    """Tell whether no setting at or below *path* is the user's."""
    return all(origin == "default" for key, origin in run.loaded.origins.items() if key[: len(path)] == path)


def unused_cache(run: Run) -> Unused | None:
    """Return why the project needs no cache folder; ``None`` where it has one, or a setting is about it."""
    directory = run.settings.cache.directory
    if os.path.lexists(Path(run.settings.root, directory)) or not is_default(run, ("cache",)):
        return None
    conventions = conventions_of(run)
    reason = f"There is no folder {printable(directory)}, and none is made: it is only a default. "
    if found := conventions.cache_folders.value:
        reason += f"The project keeps {_either([*found], 'and')}; name one in maintenance.cache.directory."
    else:
        reason += f"Looked for {conventions.cache_folders.sought}."
    return Unused((directory,), reason, certain=True)


def _unused(run: Run, variables: dict[str, str], setting: str) -> Unused | None:
    if not variables:
        return None
    names = sorted({*variables.values()})
    reason = f"Not used here: neither .env, .env.example nor the project's sources and settings name {_either(names)}."
    cut = conventions_of(run).files.cut
    if cut:
        reason += f" Not every file was looked at: {printable(cut)}."
    elsewhere = [name for name in names if run.keys[name].source == "environment"]
    if elsewhere:
        reason += f" The environment has {_either(elsewhere, 'and')}: list them in {setting} if this project uses them."
    return Unused((*variables,), reason, certain=not cut)


def _either(names: list[str], last: str = "or") -> str:
    """Return names as people list them: ``A, B or C``."""
    *others, end = map(printable, names)
    return f"{', '.join(others)} {last} {end}" if others else end
