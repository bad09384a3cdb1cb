"""Before a release: may it be shipped?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import quarterly, schedule
from .core.run.context import Run
from .core.run.definition import ReportFile, Stage
from .core.run.procedure import procedure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from threading import Event
    from typing import Any

    from .checklist.checklist import Measure
    from .checklist.gates.maintenance_gate import MaintenanceState
    from .checklist.report_gate import ReportGate
    from .core.report.model import Report
    from .core.report.reused_reports import Source
    from .core.settings.model import Settings


def _gates(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    from .core.run.arguments import gates

    return gates(settings, names)


def _with_reason(arguments: Mapping[str, Any]) -> None:
    from .core.errors import UsageError

    if arguments["skip"] and not arguments["reason"].strip():
        raise UsageError("--skip leaves a gate out, and --reason says why: give both. Nothing was checked.")
    if arguments["reason"] and not arguments["skip"]:
        raise UsageError("--reason says why a gate is left out: name it with --skip. Nothing was checked.")


@procedure(
    cadence=None,
    stage=Stage.CONCLUDE,
    in_demo=True,
    checks=[
        "release.backup",
        "release.branch",
        "release.configuration",
        "release.dependencies",
        "release.disk",
        "release.errors",
        "release.linters",
        "release.maintenance",
        "release.providers",
        "release.report",
        "release.tests",
        "release.tree",
        "release.version",
    ],
    report=ReportFile("release_reports/release_{second}.json", "release.report"),
    writes=["{logs}/release_reports/release_{second}.md"],
    default=True,
    iterable=["skip"],
    converters={"skip": _gates},
    consistent=_with_reason,
    page="markdown",
    help={
        "dry_run": "Write nothing and run neither tests nor linters; the other procedures make dry runs.",
        "markdown": "Print a page in Markdown, for a release note or a pull request, in place of the report.",
        "reason": "Why gates are left out, one reason for all of them; it is recorded, and --skip needs it.",
        "rerun": "Run the other procedures even where their reports are fresh.",
        "skip": "Leave this gate out; may be given several times.",
    },
)
def checklist(
    run: Run,
    dry_run: bool = False,
    markdown: bool = False,  # noqa: ARG001 - the runner prints the report so
    reason: str = "",
    rerun: bool = False,
    skip: Sequence[str] | None = None,
) -> Report:
    """Ask every gate whether the project may be released: go, no-go or not checked, and one verdict.

    Reads maintenance.release, Git, the changelog and the files that state the version; runs the project's tests and
    linters, and the procedures whose reports are not fresh. The report goes to
    release_reports/release_YYYYMMDD_HHMMSS.json in the log folder, a page to read (.md) beside it. In a GitHub
    Actions run the page goes to the step's summary as well, and what is not well becomes annotations.
    """
    import os
    from pathlib import Path

    from .checklist.checklist import TASK, Ports, check, is_kept
    from .checklist.checklist_record import record
    from .conventions.project_conventions import ProjectConventions
    from .logs.errors.critical_errors import critical_since
    from .system.machine_review import examine_room

    settings, now, dry = run.settings, run.now, dry_run or run.dry

    def errors(since: datetime | None, stop: Event) -> Report:
        return critical_since(settings, since, now=now, stop=stop, redact=run.redact)

    ports = Ports(
        measure=_measure(run, dry=dry, rerun=rerun),
        errors=errors,
        room=lambda: examine_room(settings),
        maintenance=_maintenance(run),
        report_gates=_report_gates(),
        conventions=ProjectConventions(Path(settings.root), is_own=is_kept(settings), keys=()),
        is_set=lambda name: run.loaded.origins.get(("release", name), "default") != "default",
        interpreter=quarterly.interpreter(settings),
        environ=os.environ,
        redact=run.redact,
    )
    report = check(settings, ports, skip=skip or (), reason=reason, now=now, advance=run.advance, dry_run=dry)
    return record(report, Path(settings.root), settings.logs.directory, task=TASK, now=now, dry_run=dry)


def _maintenance(run: Run) -> MaintenanceState | None:
    """Return which procedures are overdue or never ran; ``None`` where none has ever run."""
    from pathlib import Path

    from .checklist.gates.maintenance_gate import MaintenanceState
    from .core.run.cadence import standings

    settings = run.settings
    found = standings(Path(settings.root), settings.logs.directory, schedule.cadences(settings), run.now)
    if all(each.never_ran for each in found):
        return None
    return MaintenanceState(
        [each.task for each in found if each.overdue_days],
        [each.task for each in found if each.never_ran],
        {each.task: each.doubt for each in found if each.doubt is not None},
    )


def _report_gates() -> list[ReportGate]:
    """Return the gates that reports of other procedures answer, as these declare them."""
    from .checklist.report_gate import report_gate
    from .core.run.registry import procedures

    return [report_gate(each.name, *each.gate) for each in procedures() if each.gate is not None]


def _measure(run: Run, *, dry: bool, rerun: bool) -> Measure:
    """Return what gives the other procedures' reports: a recent one that can be used, else by running it.

    That of the backups cannot be used any more once an archive has come, gone or changed.
    """
    from .backups.backup_folder import are_as_verified
    from .core.run.registry import procedure_named

    days = run.settings.release.fresh_hours / 24

    def measure(name: str, usable: Callable[[Source], bool]) -> Source:
        other = procedure_named(name)
        found = None if rerun else run.recent_report(other, days=days)
        if found is not None and other is quarterly.backup_verification.definition:
            verified = [each.subject for each in found.report.findings if each.check == "backup.verified"]
            found = found if are_as_verified(run.settings, verified, found.measured) else None
        return found if found is not None and usable(found) else run.new_report(other, dry=dry, again=rerun)

    return measure
