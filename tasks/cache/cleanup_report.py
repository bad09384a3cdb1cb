"""What a clean-up reports: its findings, and the contents of ``stats.json`` and of the weekly report.

``stats.json`` belongs to the project: its keys (``hit_rate``, ``cache_size`` and any others) stay as they are, and
the clean-up sets a single one of its own, ``maintenance``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..core.report.model import Action, Finding, Metric, Report, Status
from ..core.run.clock import Withheld
from ..core.settings.model import CacheSettings, Settings
from ..core.text.formatting import count, hours, listed, printable, size
from .cleanup_outcome import CleanupOutcome, Names, Tally, WrittenFile

STATISTICS_FILE = "stats.json"

REPORT_SCHEMA = 1

_STATE = ("entries", "bytes", "incomplete", "kinds", "other")

_RUNS_KEPT = 100
"""Runs of one day listed in its report; the day's totals count the earlier ones as well."""


def evaluate(settings: CacheSettings, outcome: CleanupOutcome, *, dry_run: bool) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    directory = printable(settings.directory)
    return Report(
        summary=_summary(outcome, dry_run=dry_run),
        dry_run=dry_run,
        findings=[*_findings(directory, outcome, would="would be " if dry_run else "")],
        metrics=[*_metrics(directory, outcome)],
        actions=[*_actions(directory, outcome, done=not dry_run)],
        files=[printable(file.path) for file in outcome.files if file.written],
    )


def _summary(outcome: CleanupOutcome, *, dry_run: bool) -> str:
    if not outcome.usable:
        return "the cache could not be cleaned"
    total = outcome.total
    text = (
        f"{count(total.expired, 'expired entry', 'expired entries')} {'would be ' if dry_run else ''}deleted "
        f"({size(total.expired_bytes)})"
    )
    if outcome.interrupted:
        return f"interrupted: {text} until then"
    return f"{text}, {total.files:,} kept ({size(total.bytes)})"


def _findings(directory: str, outcome: CleanupOutcome, would: str) -> Iterator[Finding]:
    if outcome.interrupted:
        yield Finding(
            check="cache.interrupted",
            subject=directory,
            status=Status.UNKNOWN,
            message="It was told to stop (Ctrl-C or kill); what it had not reached is as it was.",
            remedy="Run inv weekly.cache-cleanup again.",
        )
    for path, reason in outcome.refused.items():
        yield Finding(
            check="cache.folder",
            subject=printable(path),
            status=Status.UNKNOWN,
            message=reason,
            remedy="Put that right, or name another folder in maintenance.cache.",
        )
    if not outcome.usable:
        return
    if outcome.created:
        text = f"{count(len(outcome.created), 'missing folder')} {would}created."
        if printable(outcome.created[0]) == directory:
            text = f"There was no cache here: {text} Should there be one, look at maintenance.root."
        yield _ok("cache.structure", directory, text, len(outcome.created), "folders")
    yield from _expired(directory, outcome, would)
    yield from _misplaced(directory, outcome, would)
    for kind, tally in outcome.tallies.items():
        yield from _left_alone(printable(f"{directory}/{kind}"), tally)
    yield from _left_alone(directory, outcome.elsewhere)
    if outcome.top.folders:
        names = listed(sorted(outcome.top.folders), len(outcome.top.folders))
        text = f"Counted and left alone, for no expiry is set: {names}."
        yield _ok("cache.unmanaged", directory, text, len(outcome.top.folders), "folders")
    yield from (_of_file(file) for file in outcome.files if file.problem)


def _ok(check: str, subject: str, message: str, value: int, unit: str = "files") -> Finding:
    return Finding(check=check, subject=subject, status=Status.OK, message=message, value=value, unit=unit)


def _expired(directory: str, outcome: CleanupOutcome, would: str) -> Iterator[Finding]:
    """Yield what became of the expired entries of each kind, and of those that only look expired."""
    for kind, tally in outcome.tallies.items():
        expiry = outcome.plan.expiry[kind]
        if expiry.active and not tally.withheld:
            age = f" older than {hours(expiry.hours)}" if expiry.hours else ""
            text = (
                f"{count(tally.expired, 'entry', 'entries')}{age} {would}deleted ({size(tally.expired_bytes)}), "
                f"{tally.files:,} kept ({size(tally.bytes)})."
            )
            yield _ok("cache.expired", printable(f"{directory}/{kind}"), text, tally.expired)
    if outcome.doubt is not None and (number := outcome.total.withheld):
        left = Withheld(number, ("entry", "entries"), "its expiry" if number == 1 else "their expiry")
        yield outcome.doubt.finding(left, subject=directory, task="weekly.cache-cleanup", dry_run=bool(would))


def _misplaced(directory: str, outcome: CleanupOutcome, would: str) -> Iterator[Finding]:
    """Yield what became of the files at the top of the cache folder."""
    top = outcome.top
    if top.tally.expired:
        text = f"{count(top.tally.expired, 'misplaced file')} that had expired {would}deleted."
        yield _ok("cache.expired", directory, text, top.tally.expired)
    for kind, (number, _) in top.moved.items():
        text = f"{count(number, 'misplaced file')} {would}moved to {printable(kind)}."
        yield _ok("cache.misplaced", directory, text, number)
    exists = "a file of that name is in the folder they belong to", "Compare the two files of each name and remove one."
    closed = "the folder they belong to is closed to us", "Put right what keeps us out of it, see above."
    for names, (why, remedy) in ((top.name_exists, exists), (top.folder_closed, closed)):
        if names.count:
            yield Finding(
                check="cache.misplaced",
                subject=directory,
                status=Status.WARNING,
                message=f"{count(names.count, 'misplaced file')} left, for {why}: {listed(names.first, names.count)}.",
                value=names.count,
                unit="files",
                remedy=remedy,
            )
    if top.unsorted:
        text = f"{count(top.unsorted, 'loose file')} left alone, for no prefix says where it belongs."
        yield _ok("cache.unsorted", directory, text, top.unsorted)


def _left_alone(subject: str, tally: Tally) -> Iterator[Finding]:
    """Yield what did not go as usual in one folder."""
    for reason, names in tally.failed.items():
        what = f"that could not be read or deleted ({printable(reason)})"
        remedy = "Look at owner and permissions with ls -l."
        yield _entries("cache.failed", subject, names, what, status=Status.WARNING, remedy=remedy)
    if tally.future.count:
        what = "dated in the future, which would outlive the expiry"
        remedy = "Check the clock (date), then give it the present time with touch."
        yield _entries("cache.future", subject, tally.future, what, status=Status.WARNING, remedy=remedy)
    for check, names, what in (
        ("cache.locked", tally.locked, "locked by a process, left for the next run"),
        ("cache.changed", tally.changed, "expired but changed before the deletion, left alone"),
        ("cache.special", tally.special, "other than a regular file (link, pipe, socket, device), never touched"),
    ):
        if names.count:
            yield _entries(check, subject, names, what)
    for reason, names in tally.foreign.items():
        yield _entries("cache.foreign", subject, names, f"left alone ({reason})")


def _entries(
    check: str, subject: str, names: Names, what: str, *, status: Status = Status.OK, remedy: str | None = None
) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        status=status,
        message=f"{count(names.count, 'entry', 'entries')} {what}: {listed(names.first, names.count)}.",
        value=names.count,
        unit="entries",
        remedy=remedy,
    )


def _of_file(file: WrittenFile) -> Finding:
    kept = f" It was kept as {printable(file.aside)} and a new one begun." if file.aside else ""
    return Finding(
        check=file.check,
        subject=printable(file.path),
        status=Status.WARNING,
        message=f"{file.problem}{kept}",
        remedy=file.remedy,
    )


def _metrics(directory: str, outcome: CleanupOutcome) -> Iterator[Metric]:
    if not outcome.usable or outcome.interrupted:
        return
    counted = {directory: outcome.total}
    counted |= {printable(f"{directory}/{kind}"): tally for kind, tally in outcome.tallies.items()}
    for subject, tally in counted.items():
        yield Metric(name="cache.files", value=tally.files, unit="files", subject=subject)
        yield Metric(name="cache.bytes", value=tally.bytes, unit="B", subject=subject)


def _actions(directory: str, outcome: CleanupOutcome, *, done: bool) -> Iterator[Action]:
    for path in outcome.created:
        yield Action(verb="create", target=printable(path), done=done)
    for kind, (number, moved) in outcome.top.moved.items():
        yield Action(verb="move", target=printable(f"{directory}/{kind}"), count=number, bytes=moved, done=done)
    swept = {directory: outcome.top.tally}
    swept |= {printable(f"{directory}/{kind}"): tally for kind, tally in outcome.tallies.items()}
    for path, tally in swept.items():
        if tally.expired:
            yield Action(verb="delete", target=path, count=tally.expired, bytes=tally.expired_bytes, done=done)
        if tally.folders_removed:
            yield Action(verb="remove", target=path, count=tally.folders_removed, done=done)
    for file in outcome.files:
        if file.aside or (file.broken and not done):
            yield Action(verb="keep aside", target=printable(file.path), done=done)
        if file.written or (file.planned and not done):
            yield Action(verb="write", target=printable(file.path), done=done)


def report_path(settings: Settings, now: datetime) -> str:
    """Return the path of the weekly report of the day of *now*, below the root."""
    return f"{settings.logs.directory}/cache_reports/cache_report_{now:%Y%m%d}.json"


def statistics(before: Mapping[str, Any], outcome: CleanupOutcome, now: datetime) -> dict[str, Any]:
    """Return the content of ``stats.json``: all that *before* held, with our key ``maintenance`` set.

    It holds ``updated`` (ISO 8601), ``entries`` and ``bytes`` of the whole cache, ``incomplete``: the folders
    that could not be read to their end and so are missing in the numbers, ``kinds``: per kind ``entries``,
    ``bytes`` and ``oldest`` (when its oldest entry was written), and ``other``: the same for all that lies
    outside the kinds.
    """
    return {**before, "maintenance": {"updated": now.isoformat(), **_state(outcome)}}


def weekly_report(before: Mapping[str, Any], outcome: CleanupOutcome, now: datetime) -> dict[str, Any]:
    """Return the day's report: the state now, the day's totals, and each run of the day.

    A second run of the day replaces the state and adds to the rest, so that growth can be read from the
    first run's ``entries_before`` and ``bytes_before`` of any day. An interrupted run leaves the state as the
    last complete one found it.
    """
    runs = before.get("runs")
    earlier = runs if isinstance(runs, list) else []
    total = outcome.total
    done = {"deleted": total.expired, "deleted_bytes": total.expired_bytes, "moved": outcome.moved}
    run = {
        "started": now.isoformat(),
        "entries_before": None if outcome.interrupted else total.files + total.expired,
        "bytes_before": None if outcome.interrupted else total.bytes + total.expired_bytes,
        **done,
        "interrupted": outcome.interrupted,
    }
    totals = before.get("totals")
    so_far = totals if isinstance(totals, dict) else {}
    state = _state(outcome) if not outcome.interrupted else {key: before.get(key) for key in _STATE}
    return {
        "schema": REPORT_SCHEMA,
        "date": f"{now:%Y-%m-%d}",
        "updated": now.isoformat(),
        **state,
        "totals": {key: _number(so_far.get(key)) + number for key, number in done.items()},
        "runs": [*earlier, run][-_RUNS_KEPT:],
    }


def _state(outcome: CleanupOutcome) -> dict[str, Any]:
    total = outcome.total
    return {
        "entries": total.files,
        "bytes": total.bytes,
        "incomplete": outcome.incomplete,
        "kinds": {printable(name): _counted(tally) for name, tally in sorted(outcome.tallies.items())},
        "other": _counted(outcome.elsewhere),
    }


def _counted(tally: Tally) -> dict[str, Any]:
    return {"entries": tally.files, "bytes": tally.bytes, "oldest": _moment(tally.oldest_ns)}


def _moment(nanoseconds: int | None) -> str | None:
    """Return a moment in ISO 8601; ``None`` where there is none, or where it is out of every calendar's range."""
    if nanoseconds is None:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds // 10**9, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
