"""The critical errors that began since a moment: those that the error monitor remembers, and those of its window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from threading import Event

from ...core.report.model import Finding, Report, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, printable
from ..log_folder import folder_missing, folder_unusable, unread_logs
from .error_findings import MonitorOutcome
from .error_groups import ErrorGroup, GroupState, is_critical
from .error_monitor import current_groups

CHECK = "errors.critical"


def critical_since(
    settings: Settings,
    since: datetime | None,
    *,
    now: datetime,
    stop: Event,
    redact: Callable[[str], str] = str,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Report on the critical errors that have begun, or come back, since a moment. Nothing is written.

    Args:
        settings: the project's settings, ``root`` absolute.
        since: the moment; ``None``: everything that is remembered counts.
        now: the moment of the run, aware of its zone.
        stop: ends it early where it is set.
        redact: takes secrets out of what is reported.
        advance: called with the number of records looked at since its last call.
    """
    groups, outcome = current_groups(settings, now=now, redact=redact, advance=advance, stop=stop)
    recent = {key: group for key, group in groups.items() if _began_since(group, since)}
    return Report(
        summary=f"{count(len(recent), 'critical group')}{_since_text(since)}",
        findings=[*_findings(recent, outcome, since, printable(settings.logs.directory))],
    )


def _began_since(group: ErrorGroup, since: datetime | None) -> bool:
    if not is_critical(group) or group.state in {GroupState.RESOLVED, GroupState.MUTED}:
        return False
    moment = group.last_seen if group.state is GroupState.REGRESSED else group.first_seen
    return since is None or datetime.fromisoformat(moment) > since


def _since_text(since: datetime | None) -> str:
    return f" since {since:%Y-%m-%d %H:%M}" if since else ""


def _findings(
    recent: Mapping[str, ErrorGroup], outcome: MonitorOutcome, since: datetime | None, directory: str
) -> Iterator[Finding]:
    for key, group in recent.items():
        yield Finding(
            check=CHECK,
            subject=key,
            status=Status.CRITICAL,
            message=f"{printable(group.title)} — {count(group.count, 'record')} since {group.first_seen[:16]}, "
            f"last in {printable(group.log)}.",
            value=group.count,
            unit="records",
            remedy=f"Mend what causes it; then inv daily.error-monitor --resolve {key}.",
        )
    if outcome.missing:
        yield folder_missing(directory)
    elif outcome.unusable:
        yield folder_unusable(directory, outcome.unusable)
    elif outcome.visit is not None:
        yield from unread_logs(directory, outcome.visit.problems, outcome.visit.refused)
        if outcome.visit.interrupted:
            yield _unknown_finding(directory, "It was told to stop before all logs were read.", "Run it again.")
    if outcome.broken:
        yield _unknown_finding(
            directory, f"What is remembered cannot be read: {outcome.broken}", "Run inv daily.error-monitor."
        )
    elif not recent and outcome.visit is not None:
        message = f"No critical error has begun{_since_text(since)}."
        yield Finding(check=CHECK, subject=directory, status=Status.OK, message=message)


def _unknown_finding(directory: str, message: str, remedy: str) -> Finding:
    return Finding(check=CHECK, subject=directory, status=Status.UNKNOWN, message=message, remedy=remedy)
