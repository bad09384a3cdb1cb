"""The settings: what holds, where it comes from, and whether it can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Context, task

from .core.run.context import Run
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from .core.report.model import Report
    from .core.settings.model import Settings


@procedure(cadence=None, help={"changed": "Only those that are not the default."})
def show(run: Run, changed: bool = False) -> Report:
    """Show every setting, its value and where it came from: a default, what the project's own files say, or you."""
    from .core.settings import inspection
    from .found_settings import found_settings

    return inspection.show(run.loaded, changed=changed, found=found_settings(run))


def _usable_by_all(settings: Settings) -> None:
    """Refuse what one of the procedures would refuse.

    Raises:
        SettingsError: there is something.
    """
    from .core.run.registry import procedures

    for each in procedures():
        if each.requires not in {None, _usable_by_all}:
            each.requires(settings)


@procedure(cadence=None, checks=["settings.valid"], requires=_usable_by_all)
def check(run: Run) -> Report:
    """Check the settings; what cannot be used is named and ends the run with status 78."""
    from .core.settings import inspection

    return inspection.check(run.loaded)


@procedure(cadence=None, checks=["conventions.found"])
def conventions(run: Run) -> Report:
    """Show how the project works by its own files: logs, cache, versions, tags and more, each with its evidence."""
    from .applicability import conventions_of
    from .conventions.convention_report import evaluate

    found = conventions_of(run)
    return evaluate(found.every(), found.files)


@procedure(
    cadence=None,
    checks=["conventions.found", "settings.file"],
    help={"dry_run": "Write nothing; say what would be written."},
)
def init(run: Run, dry_run: bool = False) -> Report:
    """Write a commented invoke.yaml beside tasks.py, with what the project's own files say, unless there is one."""
    from .applicability import applicable, conventions_of, unused_cache
    from .conventions.convention_report import not_found
    from .core.settings import inspection
    from .found_settings import found_settings

    found = applicable(run)
    providers = found.providers.names if found.providers else ()
    unused = [*(("providers", name) for name in providers), *([("cache",)] if unused_cache(run) else [])]
    unused += [] if found.settings.configuration.environment_keys else [("configuration", "environment_keys")]
    return inspection.init(
        run.loaded,
        dry_run=dry_run or run.dry,
        found=found_settings(run),
        unused=unused,
        not_found=not_found(conventions_of(run).every()),
    )


@task
def example(_context: Context) -> None:
    """Print a commented invoke.yaml with every setting and its default."""
    import sys

    from .core.output.console import emit
    from .core.settings.example import example

    emit(sys.stdout, example().removesuffix("\n"))


@task
def schema(_context: Context) -> None:
    """Print the JSON Schema of the settings, for editors."""
    import json
    import sys

    from .core.output.console import emit
    from .core.settings.example import schema

    emit(sys.stdout, json.dumps(schema(), indent=2))
