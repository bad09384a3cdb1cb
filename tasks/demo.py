"""Try the suite on a project made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import backup, daily, monthly, quarterly, release, weekly
from .core.run.procedure import Run, procedure

if TYPE_CHECKING:
    from .core.report.model import Report

_SHOWN = {
    "daily.log-review": daily.log_review,
    "daily.health-check": daily.health_check,
    "daily.error-monitor": daily.error_monitor,
    "monthly.dependency-update": monthly.dependency_update,
    "monthly.performance-analysis": monthly.performance_analysis,
    "monthly.config-review": monthly.config_review,
    "quarterly.backup-verification": quarterly.backup_verification,
    "quarterly.capacity-planning": quarterly.capacity_planning,
    "quarterly.system-audit": quarterly.system_audit,
    "weekly.cache-cleanup": weekly.cache_cleanup,
    "weekly.log-rotation": weekly.log_rotation,
    "weekly.api-health": weekly.api_health,
    "release.checklist": release.checklist,
}
"""What the demo runs, in this order: the month's analysis before the clean-up, whose report would be the latest, the
audit and the checklist after those whose reports they take over."""

_ARGUMENTS = {"monthly.dependency-update": {"check": True}}
"""With which it runs them; nothing is asked."""


@procedure(help={"dry_run": "Build nothing and run nothing; say what would be done."})
def demo(run: Run, dry_run: bool = False) -> Report:
    """Build demo-site/, a small project with planted problems, and see which of them the suite finds.

    The folder lies beside tasks.py and is replaced at each call; one of that name that the demo did not make
    is refused.
    """
    from .core.report.model import Action, Report
    from .core.run.execution import execute
    from .core.settings.loading import load
    from .core.settings.sources import Level, Sources
    from .demo_site import (
        audit_problems,
        backup_problems,
        capacity_problems,
        configuration_problems,
        demonstration,
        dependency_problems,
        provider_problems,
        release_problems,
        site,
    )

    folder = run.loaded.folder / site.FOLDER
    if dry_run or run.dry:
        actions = [Action(verb="create", target=site.FOLDER, done=False)]
        return Report(summary=f"{site.FOLDER} would be built", dry_run=True, actions=actions)
    site.build(folder, run.now)
    with provider_problems.serving() as providers, dependency_problems.serving(run.now) as dependencies:
        values = {
            "root": str(folder),
            "providers": providers,
            "dependencies": dependencies,
            "configuration": {"environment_keys": [*site.KEYS.values()]},
            "capacity": capacity_problems.SETTINGS,
            "release": release_problems.SETTINGS,
        }
        loaded = load(Sources([], {}, [Level("demo", values)], folder))
        execute(daily.error_monitor, "daily.error-monitor", {}, loaded)  # so that what fails already is known
        problems = demonstration.plant(folder, run.now)
        execute(backup.create, "backup.create", {}, loaded)
        problems += backup_problems.plant(folder, run.now)
        execute(monthly.config_review, "monthly.config-review", {"accept": True}, loaded)  # what drifts, drifts from it
        problems += configuration_problems.plant(folder)
        problems += audit_problems.plant(folder)
        problems += release_problems.plant(folder)

        def suite() -> list[Report]:
            return [execute(shown, name, _ARGUMENTS.get(name, {}), loaded) for name, shown in _SHOWN.items()]

        return demonstration.demonstrate(folder, problems, suite)
