"""The outcome of a log review and the report on it: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ...core.report.model import Action, Finding, Metric, Report, Status
from ...core.text.formatting import count, listed, printable, size
from ..log_folder import folder_missing, folder_unusable, no_logs, unread_logs
from ..reading.log_levels import Level
from .level_counts import ErrorPlace, LevelCounts
from .review_history import history_path

if TYPE_CHECKING:
    from ..rotation.rotation_outcome import RotationOutcome


@dataclass(slots=True)
class ReviewedLog:
    """A log, or an archive of one.

    Attributes:
        path: the file, below the root.
        size: its size in bytes.
        growth: bytes written since the last review; ``None`` where that cannot be known.
        counted: what it holds.
    """

    path: str
    size: int
    growth: int | None
    counted: LevelCounts = field(default_factory=LevelCounts)

    @property
    def errors(self) -> int:
        """Its records of errors and worse."""
        return self.counted.levels[Level.ERROR] + self.counted.levels[Level.CRITICAL]


class RecentError(NamedTuple):
    """One of the latest errors: where, its level, its message, and the last line of its traceback."""

    place: ErrorPlace
    level: Level
    message: str
    raised: str


@dataclass(slots=True)
class ReviewOutcome:
    """What a review saw and did.

    Attributes:
        directory: the log folder, below the root.
        since: only records from then on count.
        lowest: the lowest level that counts.
        dry_run: everything is only planned.
        missing: there is no log folder.
        unusable: why the log folder cannot be read.
        refused: per name of a log, why it was not read.
        logs: the logs, and the archives where they were asked for.
        recent: the latest errors, newest last.
        rotation: what became of the logs over the limit.
        broken: what was wrong with what the last review had kept.
        aside: where that was kept.
        unkept: why the sizes could not be kept.
        files: the files written.
        interrupted: the run was ended early.
    """

    directory: str
    since: datetime | None
    lowest: Level
    dry_run: bool
    missing: bool = False
    unusable: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    logs: list[ReviewedLog] = field(default_factory=list)
    recent: list[RecentError] = field(default_factory=list)
    rotation: RotationOutcome | None = None
    broken: str | None = None
    aside: str | None = None
    unkept: str | None = None
    files: list[str] = field(default_factory=list)
    interrupted: bool = False


_SHOWN = 20
"""Logs with errors that are reported one by one, and rows of the table."""


_UNITS = {Level.CRITICAL: "critical", Level.ERROR: "errors", Level.WARNING: "warnings"}


def evaluate(outcome: ReviewOutcome) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    written = not (outcome.missing or outcome.unusable or outcome.unkept)
    planned = [history_path(outcome.directory)] if outcome.dry_run and written else []
    actions = [*_rotation_actions(outcome)]
    actions += [Action(verb="write", target=path, done=not outcome.dry_run) for path in outcome.files or planned]
    return Report(
        summary=_summary(outcome),
        dry_run=outcome.dry_run,
        findings=[*_findings(outcome)],
        metrics=[*_metrics(outcome)],
        actions=actions,
        files=[printable(path) for path in outcome.files],
        data=_data(outcome),
    )


def _rotation_actions(outcome: ReviewOutcome) -> Iterator[Action]:
    if outcome.rotation:
        from ..rotation import rotation_findings

        yield from rotation_findings.actions(outcome.rotation)


def _total(outcome: ReviewOutcome, *levels: Level) -> int:
    return sum(log.counted.levels[level] for log in outcome.logs for level in levels)


def _numbers(outcome: ReviewOutcome) -> str:
    errors = count(_total(outcome, Level.ERROR, Level.CRITICAL), "error")
    if outcome.lowest > Level.WARNING:
        return errors
    return f"{errors} and {count(_total(outcome, Level.WARNING), 'warning')}"


def _summary(outcome: ReviewOutcome) -> str:
    if outcome.missing or outcome.unusable:
        return "no log folder" if outcome.missing else "the logs could not be read"
    if _holds_no_log(outcome):
        return "no logs"
    since = f" since {outcome.since:%Y-%m-%d %H:%M}" if outcome.since else ""
    weight = size(sum(log.size for log in outcome.logs))
    text = f"{_numbers(outcome)}{since} in {count(len(outcome.logs), 'log')} ({weight})"
    return f"interrupted: {text} until then" if outcome.interrupted else text


def _holds_no_log(outcome: ReviewOutcome) -> bool:
    return not (outcome.logs or outcome.refused or outcome.interrupted)


def _findings(outcome: ReviewOutcome) -> Iterator[Finding]:
    directory = printable(outcome.directory)
    if outcome.missing:
        yield folder_missing(directory)
        return
    if outcome.unusable:
        yield folder_unusable(directory, outcome.unusable)
        return
    if outcome.interrupted:
        yield Finding(
            check="logs.interrupted",
            subject=directory,
            status=Status.UNKNOWN,
            message="It was told to stop (Ctrl-C or kill); what it had not read is not counted.",
            remedy="Run inv daily.log-review again.",
        )
    if _holds_no_log(outcome):
        yield no_logs(directory)
    yield from _level_findings(outcome, directory)
    yield from _problem_findings(outcome, directory)
    if outcome.rotation:
        from ..rotation import rotation_findings

        yield from rotation_findings.findings(outcome.rotation)


def _level_findings(outcome: ReviewOutcome, directory: str) -> Iterator[Finding]:
    failing = sorted((log for log in outcome.logs if log.errors), key=lambda log: (-log.errors, log.path))
    for log in failing[:_SHOWN]:
        yield Finding(
            check="logs.errors",
            subject=printable(log.path),
            status=Status.WARNING,
            message=f"{_log_message(log, outcome)}.",
            value=log.errors,
            unit="errors",
            remedy="See the latest below; inv daily.error-monitor groups them.",
        )
    if rest := failing[_SHOWN:]:
        errors = sum(log.errors for log in rest)
        yield Finding(
            check="logs.errors",
            subject=directory,
            status=Status.WARNING,
            message=f"{count(len(rest), 'further log')} with {count(errors, 'error')}: "
            f"{listed([log.path for log in rest], len(rest))}.",
            value=errors,
            unit="errors",
        )
    clean = [log for log in outcome.logs if not log.errors and not log.counted.problem]
    if clean:
        warnings = sum(log.counted.levels[Level.WARNING] for log in clean)
        shown = f", {count(warnings, 'warning')}" if outcome.lowest <= Level.WARNING else ""
        yield Finding(
            check="logs.clean",
            subject=directory,
            status=Status.OK,
            message=f"{count(len(clean), 'log')} without errors{shown} ({size(sum(log.size for log in clean))}).",
            value=len(clean),
            unit="files",
        )


def _log_message(log: ReviewedLog, outcome: ReviewOutcome) -> str:
    levels = log.counted.levels
    parts = [count(levels[Level.CRITICAL], "critical record")] if levels[Level.CRITICAL] else []
    parts.append(count(levels[Level.ERROR], "error"))
    if outcome.lowest <= Level.WARNING:
        parts.append(count(levels[Level.WARNING], "warning"))
    grown = "" if log.growth is None else f", {size(log.growth)} more than at the last review"
    return f"{', '.join(parts)} in {size(log.size)}{grown}"


def _problem_findings(outcome: ReviewOutcome, directory: str) -> Iterator[Finding]:
    problems = {log.path: log.counted.problem for log in outcome.logs if log.counted.problem}
    yield from unread_logs(directory, problems, outcome.refused)
    problem = outcome.unkept or outcome.broken
    if problem:
        kept = f" It was kept as {printable(outcome.aside)} and a new one begun." if outcome.aside else ""
        yield Finding(
            check="logs.history",
            subject=printable(history_path(outcome.directory)),
            status=Status.WARNING,
            message=f"{problem}{kept} How much the logs grow cannot be told.",
            remedy="Make room, see that the file can be written, and look at what else writes it.",
        )


def _metrics(outcome: ReviewOutcome) -> Iterator[Metric]:
    if outcome.missing or outcome.unusable or outcome.interrupted:
        return
    directory = printable(outcome.directory)
    yield Metric(name="logs.files", value=len(outcome.logs), unit="files", subject=directory)
    yield Metric(name="logs.bytes", value=sum(log.size for log in outcome.logs), unit="B", subject=directory)
    for level in (Level.CRITICAL, Level.ERROR, Level.WARNING):
        if level >= outcome.lowest:
            name = f"logs.{level.name.lower()}"
            yield Metric(name=name, value=_total(outcome, level), unit=_UNITS[level], subject=directory)


def _data(outcome: ReviewOutcome) -> dict[str, Any]:
    data: dict[str, Any] = {}
    shown = sorted(outcome.logs, key=lambda log: (-log.errors, -log.counted.levels[Level.WARNING], -log.size))
    if shown:
        data["logs"] = [_row(log, outcome.lowest) for log in shown[:_SHOWN]]
    if outcome.recent:
        data["recent"] = [
            {
                "time": f"{datetime.fromtimestamp(recent.place.time).astimezone():%Y-%m-%d %H:%M:%S}",
                "log": printable(recent.place.path),
                "level": recent.level.name,
                "message": printable(recent.message),
                "raised": printable(recent.raised),
            }
            for recent in outcome.recent
        ]
    return data


def _row(log: ReviewedLog, lowest: Level) -> dict[str, Any]:
    shown = [level for level in (Level.CRITICAL, Level.ERROR, Level.WARNING) if level >= lowest]
    return {
        "log": printable(log.path),
        "size": size(log.size),
        "growth": "unknown" if log.growth is None else size(log.growth),
        **{level.name.lower(): log.counted.levels[level] for level in shown},
    }
