"""The schedule: what ran when, what is due, and the machine's own timer that sees to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.run.context import Run
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .core.report.model import Report
    from .core.run.definition import Cadence
    from .core.settings.model import Settings
    from .scheduling.job import Job
    from .scheduling.schedule_installation import Machine


def cadences(settings: Settings) -> dict[str, Cadence]:
    """Return what is to run by itself, in the order in which it runs, and how often."""
    from .core.run.cadence import cadence_of
    from .core.run.registry import scheduled

    found = {each.name: cadence_of(each, settings.schedule.cadence) for each in scheduled()}
    return {name: cadence for name, cadence in found.items() if cadence is not None}


def _known(settings: Settings) -> None:
    """Refuse a cadence for what is no procedure that can be scheduled.

    Raises:
        SettingsError: there is one.
    """
    from .core.errors import SettingsError
    from .core.run.registry import closest, scheduled

    names = [each.name for each in scheduled()]
    for name in settings.schedule.cadence:
        if name not in names:
            raise SettingsError(
                f"The setting maintenance.schedule.cadence names {name!r}, which is no procedure that can be scheduled "
                f"({', '.join(names)}).{closest(name, names)} Nothing was run."
            )


_INSTALLING = (
    "schedule.file",
    "schedule.installed",
    "schedule.lasting",
    "schedule.manager",
    "schedule.outside",
    "schedule.start",
    "schedule.twice",
)
_STANDING = ("schedule.attempt", "schedule.never", "schedule.next", "schedule.overdue", "schedule.stamp")


@procedure(cadence=None, checks=_STANDING, requires=_known)
def status(run: Run) -> Report:
    """Tell what ran when, what came of it, when it is due again, and what is overdue.

    Reads maintenance.schedule, and in the log folder maintenance_history.jsonl, which runs leave. Changes nothing.
    """
    from .scheduling.due import review

    return review(run.settings, cadences(run.settings), now=run.now)


@procedure(
    cadence=None,
    checks=[*_STANDING, "schedule.run"],
    requires=_known,
    help={
        "dry_run": "Run nothing; say what would run.",
        "quiet": "Print nothing where all is well, as cron wants it; everything where it is not.",
    },
)
def due(run: Run, dry_run: bool = False, quiet: bool = False) -> Report:  # noqa: ARG001 - the runner sees to quiet
    """Run what is due, once, in a safe order, whatever the single procedures find.

    Reads maintenance.schedule. Daily procedures are due on another day than that of their last run, the others after 7,
    30 and 90 days. Updates of dependencies are looked for and not made.
    """
    from .core.run.registry import procedure_named
    from .scheduling.due import run_due

    def execute(name: str) -> Report:
        definition = procedure_named(name)
        return run.execute(definition, definition.unattended, dry=False)

    return run_due(run.settings, cadences(run.settings), execute, now=run.now, dry_run=dry_run or run.dry)


def _one_way(arguments: Mapping[str, Any]) -> None:
    from .core.errors import UsageError

    wanted = [way for way in ("systemd", "cron", "launchd") if arguments[way]]
    if len(wanted) > 1:
        raise UsageError(f"--{' and --'.join(wanted)} are several ways: give one of them, or none.")


@procedure(
    cadence=None,
    checks=_INSTALLING,
    requires=_known,
    consistent=_one_way,
    help={
        "cron": "A line in your crontab.",
        "dry_run": "Change nothing; say what would be written.",
        "launchd": "An agent of macOS.",
        "print_": "Change nothing; show what the files would hold.",
        "systemd": "A service and a timer of systemd's user manager.",
    },
)
def install(
    run: Run,
    systemd: bool = False,
    cron: bool = False,
    launchd: bool = False,
    print_: bool = False,
    dry_run: bool = False,
) -> Report:
    """Let the machine run what is due once a day: by systemd, cron or launchd, without a flag by what it has.

    Reads maintenance.schedule. Only files of your own user are written, under a name of this project's; installing it
    again changes nothing, or what has changed. What is installed is then started once in a dry run.
    """
    from pathlib import Path

    import msgspec

    from .core.secrets.keys import find_keys
    from .scheduling.job import missing_later
    from .scheduling.schedule_installation import install as install_job
    from .scheduling.schedule_installation import offered, tried

    wanted = [way for way, flag in (("systemd", systemd), ("cron", cron), ("launchd", launchd)) if flag]
    machine = _machine()
    way = wanted[0] if wanted else offered(machine)
    job = _job(run, machine)
    dry = dry_run or run.dry
    report = install_job(job, way, machine, dry_run=dry, show=print_)
    if not (dry or print_):
        report = tried(job, report, machine)
    kept = find_keys(Path(run.settings.root), run.keys, {})
    findings = [*report.findings, *missing_later(run.loaded.origins, run.keys, kept)]
    return msgspec.structs.replace(report, findings=findings)


@procedure(cadence=None, checks=_INSTALLING, help={"dry_run": "Change nothing; say what would be removed."})
def uninstall(run: Run, dry_run: bool = False) -> Report:
    """Take away what schedule.install made for this project, and nothing else."""
    from .scheduling.schedule_installation import uninstall as uninstall_job

    machine = _machine()
    return uninstall_job(_job(run, machine), machine, dry_run=dry_run or run.dry)


def _job(run: Run, machine: Machine) -> Job:
    import os
    import sys
    from pathlib import Path

    from .scheduling.job import Start, job_for

    file = run.commands.file or machine.environ.get("INVOKE_RUNTIME_CONFIG", "")
    start = Start(
        python=sys.executable,
        folder=Path(os.path.abspath(run.loaded.folder)),  # noqa: PTH100 - links stay
        module="fabric" if run.commands.program == "fab" else "invoke",
        script=run.commands.script,
        collection=run.commands.collection,
        file=file and os.path.abspath(file),  # noqa: PTH100 - links stay
    )
    task = f"{run.task.rpartition('.')[0]}.due"
    return job_for(run.settings, start=start, task=task, which=machine.which)


def _machine() -> Machine:
    import os
    import shutil
    import sys
    from pathlib import Path

    from .scheduling.schedule_installation import Machine

    return Machine(
        platform=sys.platform,
        systemd=Path("/run/systemd/system").is_dir(),
        which=shutil.which,
        home=Path.home(),
        user=os.getuid(),
        environ=os.environ,
    )
