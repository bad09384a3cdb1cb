"""What the verification reports of repositories, copies and media: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ...core.report.model import Finding, Status
from ...core.settings.model import RepositorySettings
from ...core.text.formatting import count, printable
from .archive_copies import ComparedCopy
from .repository_backend import Problem
from .repository_verification import VerifiedRepository
from .rule_3_2_1 import COPIES, ELSEWHERE, MEDIA, CopyCount

_RULE = f"{COPIES} copies on {MEDIA} media with {ELSEWHERE} off-site are the rule (3-2-1)"

_SHOWN = 3

_AHEAD = 0.05
"""Days that another machine's clock may be ahead."""


def days_old(made: datetime, now: datetime) -> float:
    """Return the age of a snapshot in days."""
    return (now - made).total_seconds() / 86_400


def repository_findings(
    name: str, own: RepositorySettings, each: VerifiedRepository, max_age_days: float, now: datetime
) -> Iterator[Finding]:
    """Yield the findings on one repository.

    Args:
        name: the user's, for it.
        own: its settings.
        each: what was found.
        max_age_days: how old the newest snapshot may be, where its settings do not say.
        now: the moment of the run.
    """
    subject = printable(name)
    what = "snapshot" if own.program == "restic" else "archive"
    if each.unlisted is not None:
        yield _problem("backup.external", subject, "It could not be looked at", each.unlisted)
        return
    if not each.snapshots:
        message = f"{own.program} holds no {what} there."
        remedy = f"Make one with {own.program}, and see that something runs it regularly."
        yield _finding("backup.external", subject, Status.CRITICAL, message, remedy)
        return
    yield _age(subject, own, each, own.max_age_days or max_age_days, now, what)
    if each.failed_check is not None:
        yield _problem("backup.external.check", subject, "Its check did not pass", each.failed_check)
    else:
        message = f"{own.program} found no fault: {each.checked}."
        yield _finding("backup.external.check", subject, Status.OK, message)
    yield from _restored(subject, each, what)


def _age(
    subject: str, own: RepositorySettings, each: VerifiedRepository, warning: float, now: datetime, what: str
) -> Finding:
    newest = each.newest or each.snapshots[0]
    days, critical = days_old(newest.made, now), 3 * warning
    status = Status.CRITICAL if days > critical else Status.WARNING if days > warning else Status.OK
    if days < -_AHEAD:
        message = f"The newest {what} is dated {-days:.1f} days in the future, so that its age is not known."
        remedy = "Set the clock of the machine that made it."
        return _finding("backup.external", subject, Status.WARNING, message, remedy)
    return Finding(
        check="backup.external",
        subject=subject,
        status=status,
        message=f"{own.program} holds {count(len(each.snapshots), what)}, the newest {days:.1f} days old.",
        value=round(days, 2),
        unit="days",
        warning=warning,
        critical=critical,
        remedy=None
        if status is Status.OK
        else f"Back up with {own.program}, and see that something does so regularly.",
    )


def _restored(subject: str, each: VerifiedRepository, what: str) -> Iterator[Finding]:
    check = "backup.external.restored"
    if each.failed_restore is not None:
        about = f"Of the newest {what} nothing is verified" if each.newest else "It is no copy"
        yield _problem(check, subject, about, each.failed_restore)
    elif each.restored is not None:
        level = "" if each.level is None or each.failed_check is None else f"; it is {each.level.value}, and not more"
        message = f"Restored of the newest {what}: {each.restored.in_words()}, each as it was listed{level}."
        yield _finding(check, subject, Status.OK, message)
        if each.restored.faults:
            broken = [f"{printable(name)} ({found})" for name, found in each.restored.faults]
            more = f" and {len(broken) - _SHOWN:,} more" if len(broken) > _SHOWN else ""
            message = f"{count(len(broken), 'file')} broken when it was saved: {'; '.join(broken[:_SHOWN])}{more}."
            remedy = f"Look at these; an older {what} may help."
            yield _finding("backup.external.content", subject, Status.WARNING, message, remedy)
    else:
        level = "" if each.level is None else f"It is {each.level.value}; "
        status = Status.OK if each.failed_check is None else Status.SKIPPED
        yield _finding(check, subject, status, f"{level}nothing of it was restored.")


def copy_findings(compared: Sequence[ComparedCopy], number: int) -> Iterator[Finding]:
    """Yield the findings on each folder of copies; *number* are the archives that there are here."""
    for each in compared:
        if each.problem is None:
            message = (
                f"The newest archive is there and the same; by size, {each.same_size:,} of {count(number, 'archive')}."
            )
            yield _finding("backup.copy", printable(each.path), Status.OK, message)
        else:
            message = f"{each.problem.message}."
            yield _finding("backup.copy", printable(each.path), each.problem.status, message, each.problem.remedy)


def no_archive(paths: Sequence[str]) -> Iterator[Finding]:
    """Yield that copies cannot be compared where there is nothing to compare them with."""
    for path in paths:
        message = "There is no whole archive here to compare it with."
        yield _finding("backup.copy", printable(path), Status.SKIPPED, message, "Run inv backup.create.")


def media_finding(numbers: CopyCount) -> Finding:
    """Return the finding on the number of copies and media."""
    if numbers.suffices:
        return _finding("backup.media", "3-2-1", Status.OK, f"{numbers.in_words()}: the rule 3-2-1 is met.")
    remedy = f"Add {numbers.lacking()}: backups.copies and backups.repositories name them."
    return _finding("backup.media", "3-2-1", Status.WARNING, f"{numbers.in_words()}; {_RULE}.", remedy)


def nothing_configured(directory: str) -> Finding:
    """Return that no copy elsewhere is known."""
    message = f"Nothing but {printable(directory)} is known, which is lost with this disk; {_RULE}."
    remedy = "Copy the archives elsewhere and name that in backups.copies, or a repository in backups.repositories."
    return _finding("backup.media", "3-2-1", Status.SKIPPED, message, remedy)


def not_kept(path: str, reason: str) -> Finding:
    """Return that it will not be known which part was read."""
    message = f"Which part was read could not be kept: {reason}."
    return _finding("backup.ledger", path, Status.WARNING, message, "See that it can be written.")


def summary(examined: Mapping[str, VerifiedRepository], compared: int, numbers: CopyCount) -> str:
    """Return all of it in a line."""
    parts = []
    if examined:
        restored = sum(each.restored is not None for each in examined.values())
        parts.append(f"{count(len(examined), 'repository', 'repositories')}, {restored:,} restored from")
    if compared:
        parts.append(f"{count(compared, 'copy', 'copies')} compared")
    return "; ".join([*parts, numbers.in_words()])


def _problem(check: str, subject: str, what: str, problem: Problem) -> Finding:
    return _finding(check, subject, problem.status, f"{what}: {problem.message}.", problem.remedy)


def _finding(check: str, subject: str, status: Status, message: str, remedy: str | None = None) -> Finding:
    return Finding(check=check, subject=subject, status=status, message=message, remedy=remedy)
