"""``quarterly.system-audit``: every area examined, waivers applied, one score, a page to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event

import msgspec

from ..conventions.project_conventions import ProjectConventions
from ..core.output.report_files import with_page
from ..core.programs.interpreter import Interpreter
from ..core.report.model import Action, Finding, Metric, Report, Status
from ..core.report.reused_reports import Source, rows
from ..core.settings.model import Settings
from ..core.text.formatting import count
from . import reused_reports
from .architecture.architecture_area import examine_architecture
from .audit_checks import OWN_CHECKS
from .compliance.compliance_area import examine_licences
from .data.data_area import examine_data
from .performance.performance_area import examine_performance
from .reused_reports import DEPENDENCIES, ReusedReport, reused_findings
from .score import Score, arithmetic, score, table
from .security.security_area import examine_security
from .trend import FOLDER, SCORE, compared, last_audit
from .waivers import waive

TASK = "quarterly.system-audit"

CHECKS = (*OWN_CHECKS, *reused_reports.CHECKS)
"""All of them, in the order of the score's table."""


def audit(
    settings: Settings,
    *,
    conventions: ProjectConventions,
    reused: Mapping[str, ReusedReport],
    sources: Mapping[str, Source],
    interpreter: Interpreter,
    environ: Mapping[str, str],
    now: datetime,
    quarter: Callable[[datetime], str],
    stop: Event,
    advance: Callable[[int], None],
    dry_run: bool,
) -> Report:
    """Audit the project.

    Args:
        settings: the project's, ``root`` absolute.
        conventions: how the project works, by its own files.
        reused: by name of a check, which findings of other procedures belong to it.
        sources: the reports of other procedures, by name.
        interpreter: of the environment whose packages' licences are looked at.
        environ: the environment in which it runs.
        now: the moment of the audit.
        quarter: returns the quarter of a moment, ``2026Q4``.
        stop: ends it where it is set.
        advance: called after each step.
        dry_run: write nothing.
    """
    root = Path(settings.root)
    roots = [each.path for each in conventions.import_roots.value or ()]
    undeclared = _undeclared(settings, conventions, interpreter)
    integrity = examine_data(settings, now=now, stop=stop, advance=advance, dry_run=dry_run)
    speed = examine_performance(settings, now=now, quarter=quarter, stop=stop, advance=advance, dry_run=dry_run)
    licence_findings, licences = examine_licences(interpreter.python, interpreter.reason, settings.audit, environ, stop)
    waived = waive(
        [
            *examine_architecture(root, settings, roots, stop, advance),
            *examine_security(root, settings, conventions, stop, advance),
            *speed.findings,
            *integrity.findings,
            *licence_findings,
            *reused_findings(reused, sources, {DEPENDENCIES.name: undeclared} if undeclared else {}),
        ],
        settings.audit.waivers,
        now.date(),
    )
    scored = score(CHECKS, waived.findings)
    before = last_audit(root, settings.logs.directory, now, quarter)
    report = Report(
        summary=_summary(scored, waived.findings),
        findings=[_on_score(scored), compared(before.last, scored, before.left_out), *waived.findings, *waived.notes],
        metrics=[*_score(scored), *speed.metrics],
        actions=[*integrity.actions, *speed.actions],
        files=[each.target for each in (*integrity.actions, *speed.actions) if each.done],
        data={
            "percent": scored.percent,
            "score": table(scored),
            "sources": rows(sources),
            **({"benchmarks": speed.rows} if speed.rows else {}),
            **({"licences": licences} if licences else {}),
        },
    )
    return report if stop.is_set() else _with_page(root, settings, report, quarter(now), dry_run=dry_run)


def _undeclared(settings: Settings, conventions: ProjectConventions, interpreter: Interpreter) -> str | None:
    """Return why there are no dependencies to audit; ``None`` where there may be some."""
    if interpreter.python is not None or settings.dependencies.python:
        return None
    requirements = conventions.requirements
    if requirements.value is not None or conventions.files.cut:
        return None
    return f"{interpreter.reason} No file declares what the project requires: looked for {requirements.sought}."


def _on_score(scored: Score) -> Finding:
    status = Status.UNKNOWN if scored.percent is None else Status.OK
    return Finding(
        check="audit.score",
        subject="score",
        status=status,
        message=arithmetic(scored),
        value=scored.percent,
        unit="%",
    )


def _score(scored: Score) -> Iterator[Metric]:
    if scored.percent is not None:
        yield Metric(name=SCORE, value=scored.percent, unit="%", subject="score")


def _summary(scored: Score, findings: list[Finding]) -> str:
    numbers = Counter(finding.status for finding in findings)
    words = "no score" if scored.percent is None else f"score {scored.percent} of 100"
    return ", ".join([words, *_numbers(numbers)])


def _numbers(numbers: Counter[Status]) -> Iterator[str]:
    for status in (Status.CRITICAL, Status.UNKNOWN):
        if numbers[status]:
            yield f"{numbers[status]} {status.value}"
    if numbers[Status.WARNING]:
        yield count(numbers[Status.WARNING], "warning")


def _with_page(root: Path, settings: Settings, report: Report, quarter: str, *, dry_run: bool) -> Report:
    path = f"{settings.logs.directory}/{FOLDER}/audit_{quarter}.md"
    if dry_run:
        action = Action(verb="write", target=path, done=False)
        return msgspec.structs.replace(report, actions=[*report.actions, action])
    return with_page(root, path, f"System audit {quarter}", report, check="audit.report")
