"""Drift against the baseline: told, accepted, remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ...core.files.safe_files import Refused
from ...core.report.model import Action, Finding, Metric, Report, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, printable
from .acceptance import part
from .baseline import Accepted, Baseline, key_path, merged, read_baseline, read_key, sealer, write_baseline
from .drift_findings import TASK, drift_findings, entries, report_drift, rows
from .drift_history import Entry, fresh, read_history, write_history
from .flattening import Leaf
from .state import Drifted, Present, drift, flattened


class Flags(NamedTuple):
    """How the procedure was called.

    Attributes:
        accept: make the present state the baseline.
        accept_paths: only these parts of it, each ``FILE`` or ``FILE:PATH``.
        diff: tell every change, and whole values.
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


class _Acceptance(NamedTuple):
    """What accepting gave.

    Attributes:
        taken: what was accepted.
        left: what still differs.
        findings: what is told of it.
        files: the files that were written, or would be.
    """

    taken: list[Drifted]
    left: list[Drifted]
    findings: list[Finding]
    files: list[str]


class _Compared(NamedTuple):
    """What is, beside what was accepted."""

    before: Mapping[str, Accepted]
    files: Sequence[Present]
    values: Mapping[str, dict[str, Leaf]]
    unread: Sequence[str]
    drifted: list[Drifted]


def history_path(settings: Settings) -> str:
    """Return where the history of drift is kept, below the root."""
    return f"{settings.logs.directory}/config_history.jsonl"


def review_drift(
    settings: Settings,
    files: Sequence[Present],
    unread: Sequence[str],
    flags: Flags,
    *,
    now: datetime,
    redact: Callable[[str], str],
) -> Report:
    """Compare what is with what was accepted, and accept what is asked for.

    Args:
        settings: the suite's.
        files: every file that can be read.
        unread: names of those that cannot.
        flags: how the procedure was called.
        now: the moment of the run.
        redact: takes secrets out of a text.
    """
    root, path = Path(settings.root), settings.configuration.baseline
    baseline = read_baseline(root, path)
    if baseline.files is None and not (baseline.replaceable and flags.accepting):
        return Report(summary="no baseline to compare with", findings=[_without(path, baseline, flags)])
    new_key = read_key(root, path) is None
    try:
        seal = sealer(root, path, create=flags.accepting and not flags.dry_run)
    except (Refused, OSError) as error:
        return Report(summary="nothing accepted", findings=[_not_accepted(path, error)])
    values, before = flattened(files, seal, redact), dict(baseline.files or {})
    drifted = drift(before, files, values, unread)
    done = _Acceptance([], drifted, [], [])
    if flags.accepting:
        compared = _Compared(before, files, values, unread, drifted)
        done = _accept(root, path, baseline, compared, flags, now)
        if new_key and done.files:
            done.files.append(key_path(path))
    return _reported(root, settings, done, flags, now)


def _reported(root: Path, settings: Settings, done: _Acceptance, flags: Flags, now: datetime) -> Report:
    """Tell what drifted, and remember what was not told before."""
    known, at = report_drift(root, done.left), now.isoformat(timespec="seconds")
    taken = report_drift(root, done.taken)
    lines = [*entries("accepted", taken, at), *entries("drift", known, at)]
    findings, files = [*done.findings, *drift_findings(done.left, known)], [*done.files]
    problem = _remember(root, settings, lines, files, dry_run=flags.dry_run)
    if problem is not None:
        findings.append(problem)
    if not findings:
        message = "Everything is as it was accepted."
        findings.append(_finding(Status.OK, settings.configuration.baseline, message, None))
    changes = sum(change.kind != "reordered" for each in done.left for change in each.changes)
    return Report(
        summary=f"{count(changes, 'change')} since the baseline" if changes else "no drift",
        findings=findings,
        metrics=[Metric(name="configuration.drift", value=changes, unit="changes")],
        actions=[Action(verb="write", target=name, done=not flags.dry_run) for name in files],
        files=[] if flags.dry_run else files,
        data={name: rows(each, diff=flags.diff) for name, each in (("accepted", taken), ("drift", known)) if each},
    )


def _remember(
    root: Path, settings: Settings, lines: Sequence[Entry], files: list[str], *, dry_run: bool
) -> Finding | None:
    """Add what is new to the history; return what is to be told where that cannot be done."""
    path = history_path(settings)
    history = read_history(root, path)
    new = fresh(history, lines)
    if not new:
        return None
    try:
        if not dry_run:
            write_history(root, path, history, new, most=settings.configuration.history_kb * 1000)
    except (Refused, OSError) as error:
        remedy = "Make room, and see that it can be written."
        return _finding(Status.WARNING, path, f"The history was not continued: {_reason(error)}", remedy)
    files.append(path)
    return None


# Accepting


def _accept(root: Path, path: str, baseline: Baseline, compared: _Compared, flags: Flags, now: datetime) -> _Acceptance:
    after, findings = _wanted(compared, flags, now.isoformat(timespec="seconds"))
    if after == compared.before and not baseline.broken:
        if not findings:
            findings.append(
                _finding(Status.OK, path, "Everything is as it was accepted; nothing was left to accept.", None)
            )
        return _Acceptance([], compared.drifted, findings, [])
    left = drift(after, compared.files, compared.values, compared.unread)
    taken = [*_taken(compared.drifted, left)]
    try:
        aside = (
            None if flags.dry_run else write_baseline(root, path, after, now.isoformat(timespec="seconds"), baseline)
        )
    except (Refused, OSError) as error:
        return _Acceptance([], compared.drifted, [*findings, _not_accepted(path, error)], [])
    findings.append(_finding(Status.OK, path, _told(taken, aside, dry_run=flags.dry_run), None))
    return _Acceptance(taken, left, findings, [path])


def _wanted(compared: _Compared, flags: Flags, at: str) -> tuple[dict[str, Accepted], list[Finding]]:
    """Return the baseline as it is to be, and what of the request cannot be met."""
    before, values = compared.before, compared.values
    changed = {each.name: each for each in compared.drifted}
    if flags.accept:
        kept = {name: each for name, each in before.items() if name not in changed}
        return kept | {name: Accepted(at, values[name]) for name in changed if name in values}, []
    after, problems = dict(before), []
    shown = {each.path: each.name for each in compared.files}
    for text in flags.accept_paths:
        wanted = part(text, [*values, *before], shown)
        if wanted is None or wanted.file in compared.unread:
            message = f'Nothing was accepted for "{printable(text)}": no reviewed file of that name can be read.'
            remedy = "Give FILE, or FILE:PATH as the table of drift has them."
            problems.append(_finding(Status.WARNING, "--accept-path", message, remedy))
            continue
        old = after[wanted.file].values if wanted.file in after else {}
        changes = changed[wanted.file].changes if wanted.file in changed else []
        origins = [each.origin for each in changes if each.origin and each.path == wanted.path]
        made = merged(old, values.get(wanted.file, {}), [wanted.path, *origins])
        if made == old:
            message = f'Nothing has drifted at "{printable(text)}", so there was nothing to accept.'
            problems.append(_finding(Status.WARNING, "--accept-path", message, f"inv {TASK} --diff shows what has."))
        elif made:
            after[wanted.file] = Accepted(at, made)
        else:
            del after[wanted.file]
    return after, problems


def _taken(drifted: Sequence[Drifted], left: Sequence[Drifted]) -> Iterator[Drifted]:
    """Yield what differed and does so no longer."""
    still = {each.name: {(change.kind, change.path) for change in each.changes} for each in left}
    for each in drifted:
        gone = [change for change in each.changes if (change.kind, change.path) not in still.get(each.name, ())]
        if gone:
            yield each._replace(changes=gone)


def _told(taken: Sequence[Drifted], aside: str | None, *, dry_run: bool) -> str:
    number = sum(len(each.changes) for each in taken)
    done = "Would accept" if dry_run else "Accepted"
    kept = f" What was there is kept as {printable(aside)}." if aside else ""
    whole = all(not each.accepted for each in taken)
    values = sum(change.values for each in taken for change in each.changes)
    if whole:
        return f"{done} {count(len(taken), 'file')} with {count(values, 'value')}.{kept}"
    return f"{done} {count(number, 'change')} in {count(len(taken), 'file')}.{kept}"


# What cannot be done


def _without(path: str, baseline: Baseline, flags: Flags) -> Finding:
    if baseline.problem is None:
        message = "There is no baseline yet, so nothing was compared."
        return _finding(Status.SKIPPED, path, message, f"inv {TASK} --accept makes the present state the baseline.")
    if not baseline.replaceable:
        status = Status.CRITICAL if flags.accepting else Status.UNKNOWN
        done = " Nothing was accepted." if flags.accepting else ""
        return _finding(
            status, path, baseline.problem + done, "See that this version of the suite can read it, or move it away."
        )
    remedy = f"inv {TASK} --accept makes the present state the baseline, and keeps this file under another name."
    return _finding(Status.UNKNOWN, path, baseline.problem, remedy)


def _not_accepted(path: str, error: Exception) -> Finding:
    message = f"Nothing was accepted: {_reason(error)}"
    return _finding(Status.CRITICAL, path, message, "Make room, and see that it can be written.")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return printable(error)


def _finding(status: Status, subject: str, message: str, remedy: str | None) -> Finding:
    return Finding(check="configuration.baseline", subject=subject, status=status, message=message, remedy=remedy)
