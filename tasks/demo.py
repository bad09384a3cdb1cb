"""Try the suite on a project made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import backup, daily, monthly
from .core.run.context import Run
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from .core.report.model import Report


@procedure(
    cadence=None,
    checks=["demo.lines", "demo.planted", "demo.untouched"],
    help={"dry_run": "Build nothing and run nothing; say what would be done."},
)
def demo(run: Run, dry_run: bool = False) -> Report:
    """Build demo-site/, a small project with planted problems, and see which of them the suite finds.

    The folder lies beside tasks.py and is replaced at each call; one of that name that the demo did not make
    is refused.
    """
    from .core.report.model import Action, Report
    from .core.run.execution import execute
    from .core.run.registry import procedures
    from .core.settings.loading import load
    from .core.settings.sources import Level, Sources
    from .demo_site import (
        audit_problems,
        backup_problems,
        capacity_problems,
        configuration_problems,
        demo_project,
        demonstration,
        dependency_problems,
        provider_problems,
        release_problems,
    )

    folder = run.loaded.folder / demo_project.FOLDER
    if dry_run or run.dry:
        actions = [Action(verb="create", target=demo_project.FOLDER, done=False)]
        return Report(summary=f"{demo_project.FOLDER} would be built", dry_run=True, actions=actions)
    demo_project.build_demo_project(folder, run.now)
    with provider_problems.serving() as providers, dependency_problems.serving(run.now) as dependencies:
        values = {
            "root": str(folder),
            "providers": providers,
            "dependencies": dependencies,
            "configuration": {"environment_keys": [*demo_project.KEYS.values()]},
            "audit": audit_problems.SETTINGS,
            "capacity": capacity_problems.SETTINGS,
            "release": release_problems.SETTINGS,
        }
        loaded = load(Sources([], {}, [Level("demo", values)], folder))
        execute(daily.error_monitor.definition, {}, loaded)  # so that what fails already is known
        problems = demonstration.plant(folder, run.now)
        execute(backup.create.definition, {}, loaded)
        problems += backup_problems.plant(folder, run.now)
        execute(monthly.config_review.definition, {"accept": True}, loaded)  # what drifts, drifts from it
        problems += configuration_problems.plant(folder)
        problems += audit_problems.plant(folder)
        problems += release_problems.plant(folder)

        def suite() -> list[Report]:
            return [execute(each, each.unattended, loaded) for each in procedures() if each.in_demo]

        return demonstration.demonstrate(folder, problems, suite)
