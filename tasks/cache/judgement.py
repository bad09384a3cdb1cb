"""From what a clean-up saw and did to its report: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.names import count, hours, listed, printable, size
from ..core.report import Action, Finding, Metric, Report, Status
from ..core.settings.model import CacheSettings
from .outcome import Note, Outcome
from .sweep import Names, Tally


def judge(settings: CacheSettings, outcome: Outcome, *, dry_run: bool) -> Report:
    """Return the report of *outcome*; the runner adds task and times."""
    return Report(
        summary=_summary(outcome, dry_run=dry_run),
        dry_run=dry_run,
        findings=list(_findings(settings, outcome, dry_run=dry_run)),
        metrics=list(_metrics(settings, outcome)),
        actions=list(_actions(settings, outcome, dry_run=dry_run)),
        files=[printable(note.path) for note in outcome.notes if note.written],
    )


def _summary(outcome: Outcome, *, dry_run: bool) -> str:
    if not outcome.usable:
        return "the cache could not be cleaned"
    done = "would be deleted" if dry_run else "deleted"
    text = (
        f"{count(outcome.expired, 'expired entry', 'expired entries')} {done} ({size(outcome.freed_bytes)}), "
        f"{outcome.files_left:,} kept ({size(outcome.bytes_left)})"
    )
    return f"interrupted: {text} until then" if outcome.interrupted else text


def _findings(settings: CacheSettings, outcome: Outcome, *, dry_run: bool) -> Iterator[Finding]:
    directory = settings.directory
    would = "would be " if dry_run else ""
    if outcome.interrupted:
        yield Finding(
            check="cache.interrupted",
            subject=directory,
            status=Status.UNKNOWN,
            message="Ctrl-C ended the clean-up; what it had not reached is as it was, and no statistics were written.",
            remedy="Run inv weekly.cache-cleanup again.",
        )
    for path, reason in outcome.refused.items():
        yield Finding(
            check="cache.folder",
            subject=printable(path),
            status=Status.UNKNOWN,
            message=f"Not cleaned: {reason}",
            remedy="Put that right, or name another folder in maintenance.cache.",
        )
    if not outcome.usable:
        return
    if outcome.created:
        yield Finding(
            check="cache.structure",
            subject=directory,
            status=Status.OK,
            message=f"{count(len(outcome.created), 'missing folder')} {would}created.",
            value=len(outcome.created),
            unit="folders",
        )
    for name, tally in outcome.tallies.items():
        if name in outcome.plan.expiry and outcome.plan.expiry[name].active:
            yield _expired(f"{directory}/{name}", outcome.plan.expiry[name].hours or 0, tally, would)
    yield from _loose(directory, outcome, would)
    for name, tally in outcome.tallies.items():
        yield from _exceptions(f"{directory}/{name}", tally)
    unmanaged = sorted(set(outcome.tallies) - set(outcome.plan.expiry))
    if unmanaged:
        yield Finding(
            check="cache.unmanaged",
            subject=directory,
            status=Status.OK,
            message=f"Counted and left alone, for no expiry is set: {listed(unmanaged, len(unmanaged))}.",
            value=len(unmanaged),
            unit="folders",
        )
    for note in outcome.notes:
        yield from _note(note)


def _expired(subject: str, age: float, tally: Tally, would: str) -> Finding:
    return Finding(
        check="cache.expired",
        subject=printable(subject),
        status=Status.OK,
        message=(
            f"{count(tally.expired, 'entry', 'entries')} older than {hours(age)} {would}deleted "
            f"({size(tally.freed_bytes)}), {tally.files_left:,} kept."
        ),
        value=tally.expired,
        unit="files",
    )


def _loose(directory: str, outcome: Outcome, would: str) -> Iterator[Finding]:
    top = outcome.top
    if top.tally.expired:
        yield Finding(
            check="cache.expired",
            subject=directory,
            status=Status.OK,
            message=f"{count(top.tally.expired, 'misplaced file')} that had expired {would}deleted.",
            value=top.tally.expired,
            unit="files",
        )
    for kind, (number, _) in top.moved.items():
        yield Finding(
            check="cache.misplaced",
            subject=directory,
            status=Status.OK,
            message=f"{count(number, 'misplaced file')} {would}moved to {printable(kind)}.",
            value=number,
            unit="files",
        )
    if top.taken.count:
        yield Finding(
            check="cache.misplaced",
            subject=directory,
            status=Status.WARNING,
            message=f"{count(top.taken.count, 'misplaced file')} left, the name being taken at home: {_of(top.taken)}.",
            value=top.taken.count,
            unit="files",
            remedy="Compare the two files of each name and remove one.",
        )
    if top.homeless.count:
        yield Finding(
            check="cache.misplaced",
            subject=directory,
            status=Status.WARNING,
            message=f"{count(top.homeless.count, 'misplaced file')} left, its home being closed to us: "
            f"{_of(top.homeless)}.",
            value=top.homeless.count,
            unit="files",
        )
    if top.tally.files_left > top.taken.count + top.homeless.count:
        number = top.tally.files_left - top.taken.count - top.homeless.count
        yield Finding(
            check="cache.unsorted",
            subject=directory,
            status=Status.OK,
            message=f"{count(number, 'loose file')} left alone, for no prefix says where it belongs.",
            value=number,
            unit="files",
        )
    yield from _exceptions(directory, top.tally)


def _exceptions(subject: str, tally: Tally) -> Iterator[Finding]:
    """Yield what did not go as usual in one folder."""
    failed = ("cache.failed", tally.failed, f"that could not be read or deleted ({tally.failed.reason})")
    future = ("cache.future", tally.future, "dated in the future, which would outlive the expiry")
    for (check, names, what), remedy in (
        (failed, "Look at owner and permissions with ls -l."),
        (future, "Check the clock (date), then give it the present time with touch."),
    ):
        if names.count:
            yield _entries(check, subject, names, what, status=Status.WARNING, remedy=remedy)
    for check, names, what in (
        ("cache.locked", tally.locked, "expired but locked by a process, left for the next run"),
        ("cache.changed", tally.changed, "expired but changed before the deletion, left alone"),
        ("cache.special", tally.special, "other than a regular file (link, pipe, socket, device), never touched"),
        ("cache.foreign", tally.foreign, f"left alone ({tally.foreign.reason})"),
    ):
        if names.count:
            yield _entries(check, subject, names, what)


def _entries(
    check: str, subject: str, names: Names, what: str, *, status: Status = Status.OK, remedy: str | None = None
) -> Finding:
    return Finding(
        check=check,
        subject=printable(subject),
        status=status,
        message=f"{count(names.count, 'entry', 'entries')} {what}: {_of(names)}.",
        value=names.count,
        unit="entries",
        remedy=remedy,
    )


def _of(names: Names) -> str:
    return listed(names.first, names.count)


def _note(note: Note) -> Iterator[Finding]:
    if note.problem is None:
        return
    kept = f" It was kept as {printable(note.aside)} and a new one begun." if note.aside else ""
    lost = "" if note.written else " It was not written."
    yield Finding(
        check=note.check,
        subject=printable(note.path),
        status=Status.WARNING,
        message=f"{note.problem}{kept}{lost if not note.aside else ''}",
        remedy="Look at what wrote it." if note.aside else "Make room and see that the folder can be written.",
    )


def _metrics(settings: CacheSettings, outcome: Outcome) -> Iterator[Metric]:
    if not outcome.usable or outcome.interrupted:
        return
    yield Metric(name="cache.files", value=outcome.files_left, unit="files", subject=settings.directory)
    yield Metric(name="cache.bytes", value=outcome.bytes_left, unit="B", subject=settings.directory)
    for name, tally in outcome.tallies.items():
        subject = printable(f"{settings.directory}/{name}")
        yield Metric(name="cache.files", value=tally.files_left, unit="files", subject=subject)
        yield Metric(name="cache.bytes", value=tally.bytes_left, unit="B", subject=subject)


def _actions(settings: CacheSettings, outcome: Outcome, *, dry_run: bool) -> Iterator[Action]:
    directory, done = settings.directory, not dry_run
    for path in outcome.created:
        yield Action(verb="create", target=printable(path), done=done)
    for kind, (number, total) in outcome.top.moved.items():
        yield Action(verb="move", target=printable(f"{directory}/{kind}"), count=number, bytes=total, done=done)
    folders = {directory: outcome.top.tally, **{f"{directory}/{name}": t for name, t in outcome.tallies.items()}}
    for path, tally in folders.items():
        if tally.expired:
            yield Action(verb="delete", target=printable(path), count=tally.expired, bytes=tally.freed_bytes, done=done)
        if tally.folders_removed:
            yield Action(verb="remove", target=printable(path), count=tally.folders_removed, done=done)
    for note in outcome.notes:
        if note.planned and (dry_run or note.written):
            yield Action(verb="write", target=printable(note.path), done=done)
