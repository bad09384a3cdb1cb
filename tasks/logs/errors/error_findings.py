"""The outcome of the error monitor and the report on it: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...core.report.model import Action, Finding, Metric, Report, Status
from ...core.run.clock import ClockDoubt, Withheld
from ...core.settings.model import LogSettings
from ...core.text.formatting import count, hours, listed, printable
from ..log_folder import folder_missing, folder_unusable, no_logs, unread_logs
from ..reading.log_levels import Level
from . import monitor_files
from .error_groups import KEPT_DAYS, ErrorGroup, GroupState, is_critical
from .error_scan import ErrorScan

if TYPE_CHECKING:
    from ..rotation.rotation_outcome import RotationOutcome

_STORM = 10
"""Groups that are reported one by one; more of them are one finding, and the alert lists them all."""

_TABLE = 20

_REMEDY = "Mend what causes it; then --resolve {key}, or --mute {key} --until DATE."

GroupInWindow = tuple[ErrorGroup, int]
"""A group, and how many of its records the window holds."""


@dataclass(slots=True)
class MonitorOutcome:
    """What a run saw and did, before it is judged.

    Attributes:
        visit: what was read; ``None`` where nothing could be.
        alerting: the groups to report, with their records in the window.
        known: the other groups that the window holds.
        missing: there is no log folder.
        unusable: why nothing could be read.
        broken: what was wrong with what an earlier run had kept.
        recovered: what was found of interrupted rotations, and put right before anything was read.
        aside: where that was kept.
        unkept: why what is to be kept could not be written.
        files: the files written.
        doubt: why the clock is not believed, so that no group is forgotten for its age; ``None`` where it is.
        withheld: how many groups look outdated.
    """

    visit: ErrorScan | None = None
    alerting: dict[str, GroupInWindow] = field(default_factory=dict)
    known: dict[str, GroupInWindow] = field(default_factory=dict)
    missing: bool = False
    unusable: str | None = None
    broken: str | None = None
    recovered: RotationOutcome | None = None
    aside: str | None = None
    unkept: str | None = None
    files: list[str] = field(default_factory=list)
    doubt: ClockDoubt | None = None
    withheld: int = 0


def evaluate(settings: LogSettings, outcome: MonitorOutcome, now: datetime, *, dry_run: bool) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    directory = printable(settings.directory)
    planned = [monitor_files.tracking_path(directory)] if dry_run and outcome.visit and not outcome.unkept else []
    if dry_run and outcome.alerting:
        planned.insert(0, f"{directory}/alerts/alert_{now:%Y%m%d_%H%M%S}.json")
    return Report(
        summary=_summary(outcome, settings),
        dry_run=dry_run,
        findings=[*_findings(settings, directory, outcome, dry_run=dry_run)],
        metrics=[*_metrics(directory, outcome)],
        actions=[Action(verb="write", target=path, done=not dry_run) for path in outcome.files or planned],
        files=[printable(path) for path in outcome.files],
        data=_data(outcome),
    )


def _summary(outcome: MonitorOutcome, settings: LogSettings) -> str:
    if outcome.visit is None:
        return "no log folder" if outcome.missing else "the logs could not be read"
    if outcome.visit.found_nothing and not outcome.alerting:
        return "no logs"
    errors = sum(outcome.visit.levels[level] for level in (Level.ERROR, Level.CRITICAL))
    text = (
        f"{count(errors, 'error')} in the last {hours(settings.window_hours)}, "
        f"{count(len(outcome.alerting), 'group')} to look at, {len(outcome.known):,} known"
    )
    return f"interrupted: {text}" if outcome.visit.interrupted else text


def _findings(settings: LogSettings, directory: str, outcome: MonitorOutcome, *, dry_run: bool) -> Iterator[Finding]:
    if outcome.missing:
        yield folder_missing(directory)
        return
    if outcome.unusable:
        yield folder_unusable(directory, outcome.unusable)
        return
    if outcome.visit is not None:
        yield from _alerting_findings(outcome.alerting)
        yield from _known_findings(outcome.known, directory, settings)
        yield from _scan_findings(outcome.visit, directory)
    if outcome.recovered:
        from ..rotation import rotation_findings

        yield from rotation_findings.findings(outcome.recovered)
    if outcome.doubt is not None and outcome.withheld:
        yield outcome.doubt.finding(
            Withheld(outcome.withheld, ("resolved group", "resolved groups"), count(KEPT_DAYS, "day"), "groups"),
            subject=monitor_files.tracking_path(directory),
            task="daily.error-monitor",
            dry_run=dry_run,
        )
    yield from _tracking_findings(outcome, directory)


def _alerting_findings(alerting: Mapping[str, GroupInWindow]) -> Iterator[Finding]:
    for state in (GroupState.NEW, GroupState.REGRESSED, GroupState.ESCALATING):
        groups = {key: windowed for key, windowed in alerting.items() if windowed[0].state is state}
        if len(groups) > _STORM:
            yield _storm_finding(state, groups)
            continue
        for key, (group, window) in groups.items():
            yield Finding(
                check=f"errors.{state.value}",
                subject=key,
                status=Status.CRITICAL if is_critical(group) else Status.WARNING,
                message=f"{_STATE_PREFIX[state]} {printable(group.title)} — {_numbers(group, window)}, "
                f"last in {printable(group.log)}{_pattern(group)}.",
                value=window,
                unit="records",
                remedy=_REMEDY.format(key=key),
            )


_STATE_PREFIX = {GroupState.NEW: "New:", GroupState.REGRESSED: "Back again:", GroupState.ESCALATING: "More and more:"}


def _numbers(group: ErrorGroup, window: int) -> str:
    return f"{window:,} in the window, {group.count:,} in all"


def _pattern(group: ErrorGroup) -> str:
    return f", matches {listed(group.patterns, len(group.patterns))}" if group.patterns else ""


def _storm_finding(state: GroupState, groups: Mapping[str, GroupInWindow]) -> Finding:
    worst = any(is_critical(group) for group, _ in groups.values())
    titles = [group.title for group, _ in sorted(groups.values(), key=lambda windowed: -windowed[1])]
    return Finding(
        check=f"errors.{state.value}",
        subject="many groups at once",
        status=Status.CRITICAL if worst else Status.WARNING,
        message=f"{count(len(groups), state.value + ' group')}: {listed(titles, len(titles))}.",
        value=len(groups),
        unit="groups",
        remedy="They may have one cause; the alert lists them all.",
    )


def _known_findings(known: Mapping[str, GroupInWindow], directory: str, settings: LogSettings) -> Iterator[Finding]:
    """Yield what goes on as before: no reason to call again, unless it is critical."""
    quiet: dict[GroupState, list[GroupInWindow]] = {}
    for key, (group, window) in known.items():
        if group.state is GroupState.ONGOING and is_critical(group):
            yield Finding(
                check="errors.ongoing",
                subject=key,
                status=Status.WARNING,
                message=f"Still going on: {printable(group.title)} — {_numbers(group, window)}{_pattern(group)}.",
                value=window,
                unit="records",
                remedy=_REMEDY.format(key=key),
            )
        else:
            quiet.setdefault(group.state, []).append((group, window))
    for state, groups in quiet.items():
        number = sum(window for _, window in groups)
        yield Finding(
            check=f"errors.{state.value}",
            subject=directory,
            status=Status.OK,
            message=f"{count(len(groups), state.value + ' group')} with {count(number, 'record')} "
            f"in the last {hours(settings.window_hours)}, told before.",
            value=len(groups),
            unit="groups",
        )


def _scan_findings(visit: ErrorScan, directory: str) -> Iterator[Finding]:
    if visit.interrupted:
        yield Finding(
            check="errors.interrupted",
            subject=directory,
            status=Status.UNKNOWN,
            message="It was told to stop (Ctrl-C or kill); the logs that it had not read are as they were.",
            remedy="Run inv daily.error-monitor again.",
        )
    yield from unread_logs(directory, visit.problems, visit.refused)
    for path, number in visit.future.items():
        yield Finding(
            check="logs.future",
            subject=printable(path),
            status=Status.WARNING,
            message=f"{count(number, 'record')} dated in the future; taken for present.",
            value=number,
            unit="records",
            remedy="Check the clock (date) and the zone of what writes this log.",
        )
    if visit.found_nothing:
        yield no_logs(directory)
    elif not visit.problems and not visit.interrupted:
        errors = sum(visit.levels.values())
        yield Finding(
            check="errors.window",
            subject=directory,
            status=Status.OK,
            message=f"{count(visit.logs, 'log')} read: {count(errors, 'record')} in the window, "
            f"{visit.new:,} not seen before.",
            value=errors,
            unit="records",
        )


def _tracking_findings(outcome: MonitorOutcome, directory: str) -> Iterator[Finding]:
    path = printable(monitor_files.tracking_path(directory))
    if outcome.unkept:
        yield Finding(
            check="errors.tracking",
            subject=path,
            status=Status.UNKNOWN,
            message=f"{outcome.unkept} What was told now will be told again.",
            remedy="Make room, and see that the log folder and this file can be written.",
        )
    elif outcome.broken:
        kept = f" It was kept as {printable(outcome.aside)} and a new one begun." if outcome.aside else ""
        yield Finding(
            check="errors.tracking",
            subject=path,
            status=Status.WARNING,
            message=f"{outcome.broken}{kept} Every group counts as new.",
            remedy="Look at what wrote it.",
        )


def _metrics(directory: str, outcome: MonitorOutcome) -> Iterator[Metric]:
    if outcome.visit is not None and not outcome.visit.interrupted:
        for level in (Level.CRITICAL, Level.ERROR):
            number = outcome.visit.levels[level]
            yield Metric(name=f"errors.{level.name.lower()}", value=number, unit="records", subject=directory)
        yield Metric(name="errors.new_records", value=outcome.visit.new, unit="records", subject=directory)


def _data(outcome: MonitorOutcome) -> dict[str, Any]:
    groups = {**outcome.alerting, **outcome.known}
    ordered = sorted(groups.items(), key=lambda item: (item[0] not in outcome.alerting, -item[1][1]))
    rows = [
        {
            "group": key,
            "state": group.state.value,
            "level": group.level,
            "window": window,
            "count": group.count,
            "last": group.last_seen[:19],
            "title": printable(group.title),
        }
        for key, (group, window) in ordered[:_TABLE]
    ]
    return {"groups": rows} if rows else {}
