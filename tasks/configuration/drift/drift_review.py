"""Drift against the baseline: compared, accepted where that is asked for, reported, and kept in a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ...core.files.safe_files import Refused, remove_temporary
from ...core.report.model import Action, Finding, Metric, Report, Status
from ...core.settings.model import Settings
from ...core.text.formatting import count, printable
from .change_authors import locate_drift
from .drift_acceptance import (
    Acceptance,
    ComparedState,
    ConfigReviewFlags,
    accept_drift,
    baseline_finding,
    not_accepted,
    reason_of,
)
from .drift_baseline import Baseline, baseline_sealer, key_path, key_problem, read_baseline, read_key
from .drift_findings import TASK, change_rows, drift_findings, history_entries
from .drift_history import Entry, new_entries, read_history, unfinished_entries, write_history
from .file_drift import DriftedFile, PresentFile, drifted_files, flattened_files


def history_path(settings: Settings) -> str:
    """Return where the history of drift is kept, below the root."""
    return f"{settings.logs.directory}/config_history.jsonl"


def review_drift(
    settings: Settings,
    files: Sequence[PresentFile],
    unread: Sequence[str],
    flags: ConfigReviewFlags,
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
        return Report(summary="no baseline to compare with", findings=[_no_baseline(path, baseline, flags)])
    new_key, lost_key = read_key(root, path) is None, key_problem(root, path)
    try:
        seal = baseline_sealer(root, path, create=flags.accepting and not flags.dry_run)
    except (Refused, OSError) as error:
        return Report(summary="nothing accepted", findings=[not_accepted(path, error)])
    values, before = flattened_files(files, seal, redact), dict(baseline.files or {})
    drifted = drifted_files(before, files, values, unread)
    done = Acceptance([], drifted, [], [])
    if flags.accepting:
        compared = ComparedState(before, files, values, unread, drifted)
        done = accept_drift(root, path, baseline, compared, flags, now, _announcing(root, settings, baseline, now))
        if new_key and done.files:
            done.files.append(key_path(path))
    if lost_key is not None:
        kept = " It was kept aside under another name." if flags.accepting and not flags.dry_run else ""
        message = f"{lost_key} Every secret counts as changed.{kept}"
        done.findings.append(baseline_finding(Status.WARNING, key_path(path), message, "Look at what wrote it."))
    # What an earlier run left was completed with the announcement, which may be of the same second.
    return _report(root, settings, done, flags, "" if done.accepted else baseline.updated, now)


def _announcing(
    root: Path, settings: Settings, baseline: Baseline, now: datetime
) -> Callable[[Sequence[DriftedFile]], list[Finding]]:
    def announce(accepting: Sequence[DriftedFile]) -> list[Finding]:
        lines = history_entries("accepting", locate_drift(root, accepting), now.isoformat(timespec="seconds"))
        problem = _remember(root, settings, lines, [], baseline.updated, dry_run=False)
        return [problem] if problem else []

    return announce


def _report(
    root: Path, settings: Settings, done: Acceptance, flags: ConfigReviewFlags, updated: str, now: datetime
) -> Report:
    """Report what drifted, and add to the history what is new."""
    known, at = locate_drift(root, done.left), now.isoformat(timespec="seconds")
    accepted = locate_drift(root, done.accepted)
    lines = [*history_entries("accepted", accepted, at), *history_entries("drift", known, at)]
    findings, files = [*done.findings, *drift_findings(done.left, known)], [*done.files]
    problem = _remember(root, settings, lines, files, updated, dry_run=flags.dry_run)
    if problem is not None and problem not in findings:
        findings.append(problem)
    if not findings:
        message = "Everything is as it was accepted."
        findings.append(baseline_finding(Status.OK, settings.configuration.baseline, message, None))
    changes = sum(change.kind != "reordered" for each in done.left for change in each.changes)
    return Report(
        summary=f"{count(changes, 'change')} since the baseline" if changes else "no drift",
        findings=findings,
        metrics=[Metric(name="configuration.drift", value=changes, unit="changes")],
        actions=[Action(verb="write", target=name, done=not flags.dry_run) for name in files],
        files=[] if flags.dry_run else files,
        data={
            name: change_rows(each, diff=flags.diff)
            for name, each in (("accepted", accepted), ("drift", known))
            if each
        },
    )


def _remember(
    root: Path, settings: Settings, lines: Sequence[Entry], files: list[str], updated: str, *, dry_run: bool
) -> Finding | None:
    """Add what is new to the history; return a finding where that cannot be done.

    Args:
        root: the project.
        settings: the suite's.
        lines: what happened.
        files: the files that were written; the history is added.
        updated: when the baseline had been written last before this run.
        dry_run: nothing is written.
    """
    path = history_path(settings)
    history = read_history(root, path)
    new = [*unfinished_entries(history, updated), *new_entries(history, lines)]
    if not new:
        if not dry_run:
            remove_temporary(root, settings.logs.directory)
        return None
    aside = None
    try:
        if not dry_run:
            aside = write_history(root, path, history, new, most=settings.configuration.history_kb * 1000)
    except (Refused, OSError) as error:
        remedy = "Make room, and see that it can be written."
        return baseline_finding(Status.WARNING, path, f"The history was not continued: {reason_of(error)}", remedy)
    files.append(path)
    if history.problem is None:
        return None
    kept = f" It was kept aside as {printable(aside)}." if aside else ""
    return baseline_finding(Status.WARNING, path, history.problem + kept, "Look at what wrote it.")


# What cannot be done


def _no_baseline(path: str, baseline: Baseline, flags: ConfigReviewFlags) -> Finding:
    if baseline.problem is None:
        message = "There is no baseline yet, so nothing was compared."
        return baseline_finding(
            Status.SKIPPED, path, message, f"inv {TASK} --accept makes the present state the baseline."
        )
    if not baseline.replaceable:
        status = Status.CRITICAL if flags.accepting else Status.UNKNOWN
        done = " Nothing was accepted." if flags.accepting else ""
        return baseline_finding(
            status, path, baseline.problem + done, "See that this version of the suite can read it, or move it away."
        )
    remedy = f"inv {TASK} --accept makes the present state the baseline, and keeps this file under another name."
    return baseline_finding(Status.UNKNOWN, path, baseline.problem, remedy)
