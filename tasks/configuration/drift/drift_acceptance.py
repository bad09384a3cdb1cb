"""What ``--accept`` and ``--accept-path`` make the new baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ...core.files.safe_files import Refused
from ...core.report.model import Finding, Status
from ...core.text.formatting import count, printable
from .drift_baseline import Accepted, Baseline, write_baseline
from .drift_findings import TASK
from .file_drift import DriftedFile, PresentFile, drifted_files
from .flattening import Leaf


class ConfigReviewFlags(NamedTuple):
    """How the procedure was called.

    Attributes:
        accept: make the present state the baseline.
        accept_paths: only these parts of it, each ``FILE`` or ``FILE:PATH``.
        diff: report every change, and whole values.
        dry_run: write nothing.
    """

    accept: bool = False
    accept_paths: tuple[str, ...] = ()
    diff: bool = False
    dry_run: bool = False

    @property
    def accepting(self) -> bool:
        """True where something is to be accepted."""
        return self.accept or bool(self.accept_paths)


class AcceptedPart(NamedTuple):
    """A part of the reviewed configuration: a file by its name, and a path in it; empty for all of it."""

    file: str
    path: str


def accepted_part(text: str, names: Iterable[str], shown: Mapping[str, str]) -> AcceptedPart | None:
    """Return the part that ``FILE`` or ``FILE:PATH`` names; ``None`` where no such file is known.

    Args:
        text: as it was given.
        names: the files, as they are remembered.
        shown: the same files by the names that they have on disk.
    """
    known = {**{name: name for name in names}, **shown}
    for name in sorted(known, key=len, reverse=True):
        if text == name:
            return AcceptedPart(known[name], "")
        if text.startswith(f"{name}:"):
            return AcceptedPart(known[name], text.removeprefix(f"{name}:"))
    return None


class Acceptance(NamedTuple):
    """The result of accepting.

    Attributes:
        accepted: what was accepted.
        left: what still differs.
        findings: on the acceptance.
        files: the files that were written, or would be.
    """

    accepted: list[DriftedFile]
    left: list[DriftedFile]
    findings: list[Finding]
    files: list[str]


class ComparedState(NamedTuple):
    """What is, beside what was accepted."""

    before: Mapping[str, Accepted]
    files: Sequence[PresentFile]
    values: Mapping[str, dict[str, Leaf]]
    unread: Sequence[str]
    drifted: list[DriftedFile]


def accept_drift(
    root: Path,
    path: str,
    baseline: Baseline,
    compared: ComparedState,
    flags: ConfigReviewFlags,
    now: datetime,
    announce: Callable[[list[DriftedFile]], list[Finding]],
) -> Acceptance:
    """Write what is asked for into the baseline; a dry run only reports what that would be.

    Args:
        root: the project.
        path: the baseline.
        baseline: what it holds.
        compared: what is, beside that.
        flags: how the procedure was called.
        now: the moment of the run.
        announce: is given what is being accepted, before the baseline is written, and returns findings on that.
    """
    after, findings = _new_baseline(compared, flags, now.isoformat(timespec="seconds"))
    if after == compared.before and not baseline.broken:
        if not findings:
            findings.append(
                baseline_finding(Status.OK, path, "Everything is as it was accepted; nothing was left to accept.", None)
            )
        return Acceptance([], compared.drifted, findings, [])
    left = drifted_files(after, compared.files, compared.values, compared.unread)
    accepted = [*_no_longer_drifting(compared.drifted, left)]
    aside = None
    try:
        if not flags.dry_run:
            findings.extend(announce(accepted))
            aside = write_baseline(root, path, after, now.isoformat(timespec="seconds"), baseline)
    except (Refused, OSError) as error:
        return Acceptance([], compared.drifted, [*findings, not_accepted(path, error)], [])
    findings.append(baseline_finding(Status.OK, path, _accepted_message(accepted, aside, dry_run=flags.dry_run), None))
    return Acceptance(accepted, left, findings, [path])


def _new_baseline(
    compared: ComparedState, flags: ConfigReviewFlags, at: str
) -> tuple[dict[str, Accepted], list[Finding]]:
    """Return the baseline as it is to be, and what of the request cannot be met."""
    before, values = compared.before, compared.values
    changed = {each.name: each for each in compared.drifted}
    if flags.accept:
        kept = {name: each for name, each in before.items() if name not in changed}
        return kept | {name: Accepted(at, values[name]) for name in changed if name in values}, []
    after, problems = dict(before), []
    shown = {each.path: each.name for each in compared.files}
    for text in flags.accept_paths:
        wanted = accepted_part(text, [*values, *before], shown)
        if wanted is None or wanted.file in compared.unread:
            message = f'Nothing was accepted for "{printable(text)}": no reviewed file of that name can be read.'
            remedy = "Give FILE, or FILE:PATH as the table of drift has them."
            problems.append(baseline_finding(Status.WARNING, "--accept-path", message, remedy))
            continue
        old = after[wanted.file].values if wanted.file in after else {}
        changes = changed[wanted.file].changes if wanted.file in changed else []
        origins = [each.origin for each in changes if each.origin and each.path == wanted.path]
        made = merged_values(old, values.get(wanted.file, {}), [wanted.path, *origins])
        if made == old:
            message = f'Nothing has drifted at "{printable(text)}", so there was nothing to accept.'
            problems.append(
                baseline_finding(Status.WARNING, "--accept-path", message, f"inv {TASK} --diff shows what has.")
            )
        elif made:
            after[wanted.file] = Accepted(at, made)
        else:
            del after[wanted.file]
    return after, problems


def _no_longer_drifting(drifted: Sequence[DriftedFile], left: Sequence[DriftedFile]) -> Iterator[DriftedFile]:
    """Yield what differed and does so no longer."""
    still = {each.name: {(change.kind, change.path) for change in each.changes} for each in left}
    for each in drifted:
        gone = [change for change in each.changes if (change.kind, change.path) not in still.get(each.name, ())]
        if gone:
            yield each._replace(changes=gone)


def _accepted_message(accepted: Sequence[DriftedFile], aside: str | None, *, dry_run: bool) -> str:
    number = sum(len(each.changes) for each in accepted)
    done = "Would accept" if dry_run else "Accepted"
    kept = f" What was there is kept as {printable(aside)}." if aside else ""
    whole = all(not each.accepted for each in accepted)
    values = sum(change.values for each in accepted for change in each.changes)
    if whole:
        return f"{done} {count(len(accepted), 'file')} with {count(values, 'value')}.{kept}"
    return f"{done} {count(number, 'change')} in {count(len(accepted), 'file')}.{kept}"


def not_accepted(path: str, error: Exception) -> Finding:
    """Return the finding that nothing could be accepted."""
    message = f"Nothing was accepted: {reason_of(error)}"
    return baseline_finding(Status.CRITICAL, path, message, "Make room, and see that it can be written.")


def reason_of(error: Exception) -> str:
    """Return why a file could not be written, as a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return printable(error)


def baseline_finding(status: Status, subject: str, message: str, remedy: str | None) -> Finding:
    """Return a finding on the baseline."""
    return Finding(check="configuration.baseline", subject=subject, status=status, message=message, remedy=remedy)


def merged_values(old: Mapping[str, Leaf], new: Mapping[str, Leaf], paths: list[str]) -> dict[str, Leaf]:
    """Return the accepted values with those of *new* at and below *paths*."""
    from ..key_names import covers

    def covered(path: str) -> bool:
        return any(covers(prefix, path) for prefix in paths)

    return {path: leaf for path, leaf in old.items() if not covered(path)} | {
        path: leaf for path, leaf in new.items() if covered(path)
    }
