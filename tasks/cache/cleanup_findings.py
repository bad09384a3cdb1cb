"""From what a clean-up saw and did to its report: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.report.model import Action, Finding, Metric, Report, Status
from ..core.settings.model import CacheSettings
from ..core.text.formatting import count, hours, listed, printable, size
from .cleanup_outcome import CleanupOutcome, Note
from .sweep_tally import Names, Tally


def evaluate(settings: CacheSettings, outcome: CleanupOutcome, *, dry_run: bool) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    directory = printable(settings.directory)
    return Report(
        summary=_summary(outcome, dry_run=dry_run),
        dry_run=dry_run,
        findings=[*_findings(directory, outcome, would="would be " if dry_run else "")],
        metrics=[*_metrics(directory, outcome)],
        actions=[*_actions(directory, outcome, done=not dry_run)],
        files=[printable(note.path) for note in outcome.notes if note.written],
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
        yield _told("cache.structure", directory, text, len(outcome.created), "folders")
    for kind, tally in outcome.tallies.items():
        expiry = outcome.plan.expiry[kind]
        if expiry.active:
            age = f" older than {hours(expiry.hours)}" if expiry.hours else ""
            text = (
                f"{count(tally.expired, 'entry', 'entries')}{age} {would}deleted ({size(tally.expired_bytes)}), "
                f"{tally.files:,} kept ({size(tally.bytes)})."
            )
            yield _told("cache.expired", printable(f"{directory}/{kind}"), text, tally.expired)
    yield from _loose(directory, outcome, would)
    for kind, tally in outcome.tallies.items():
        yield from _exceptions(printable(f"{directory}/{kind}"), tally)
    yield from _exceptions(directory, outcome.elsewhere)
    if outcome.top.folders:
        names = listed(sorted(outcome.top.folders), len(outcome.top.folders))
        text = f"Counted and left alone, for no expiry is set: {names}."
        yield _told("cache.unmanaged", directory, text, len(outcome.top.folders), "folders")
    yield from (_of_note(note) for note in outcome.notes if note.problem)


def _told(check: str, subject: str, message: str, value: int, unit: str = "files") -> Finding:
    return Finding(check=check, subject=subject, status=Status.OK, message=message, value=value, unit=unit)


def _loose(directory: str, outcome: CleanupOutcome, would: str) -> Iterator[Finding]:
    """Yield what became of the files that lay loose in the cache folder."""
    top = outcome.top
    if top.tally.expired:
        text = f"{count(top.tally.expired, 'misplaced file')} that had expired {would}deleted."
        yield _told("cache.expired", directory, text, top.tally.expired)
    for kind, (number, _) in top.moved.items():
        text = f"{count(number, 'misplaced file')} {would}moved to {printable(kind)}."
        yield _told("cache.misplaced", directory, text, number)
    taken = "a file of that name is in the folder they belong to", "Compare the two files of each name and remove one."
    homeless = "the folder they belong to is closed to us", "Put right what keeps us out of it, see above."
    for names, (why, remedy) in ((top.taken, taken), (top.homeless, homeless)):
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
        yield _told("cache.unsorted", directory, text, top.unsorted)


def _exceptions(subject: str, tally: Tally) -> Iterator[Finding]:
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


def _of_note(note: Note) -> Finding:
    kept = f" It was kept as {printable(note.aside)} and a new one begun." if note.aside else ""
    return Finding(
        check=note.check,
        subject=printable(note.path),
        status=Status.WARNING,
        message=f"{note.problem}{kept}",
        remedy=note.remedy,
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
    for note in outcome.notes:
        if note.aside or (note.broken and not done):
            yield Action(verb="keep aside", target=printable(note.path), done=done)
        if note.written or (note.planned and not done):
            yield Action(verb="write", target=printable(note.path), done=done)
