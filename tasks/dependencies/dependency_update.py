"""``monthly.dependency-update``: undo an interrupted update, review, plan, ask, update, and review again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple, TypeAlias

import msgspec

from ..core.errors import UserError
from ..core.files import safe_files
from ..core.files.safe_files import Refused
from ..core.report.model import Action, Finding, Report, Status
from ..core.run.clock import Withheld, clock_doubt
from ..core.settings.model import Settings
from ..core.text.formatting import count, listed, printable
from .dependency_review import DependencyReview, review, review_report
from .environment import Environment, prefixes
from .installation.package_managers import Refusal
from .package_findings import TASK
from .planning import Move, Scope
from .project_files import expired, paths_written, prune
from .undo.rollback import roll_back
from .undo.undo_journal import FOLDER, BrokenJournal, pending_journal, require_environment, set_aside
from .update_plan import UpdatePlan, prepare_update
from .update_transaction import UpdateContext, UpdateOutcome, carry_out, each_of

Ask: TypeAlias = Callable[[Iterable[str], str], bool]
"""Shows lines and asks a question; False where nobody is there."""


class Flags(NamedTuple):
    """How the procedure was called.

    Attributes:
        check: review only.
        yes: update without asking.
        scope: what may be touched.
        dry_run: change nothing, and say what an update would do.
    """

    check: bool = False
    yes: bool = False
    scope: Scope = Scope()
    dry_run: bool = False


def run_update(
    settings: Settings,
    flags: Flags,
    *,
    ask: Ask | None,
    environ: Mapping[str, str],
    keys: Iterable[str],
    now: datetime,
    redact: Callable[[str], str],
    stop: Event,
    advance: Callable[[int], None],
) -> Report:
    """Review what the project requires, and update it where that is wanted.

    Args:
        settings: the suite's.
        flags: how it was called.
        ask: asks the user; ``None``: there is nobody to ask.
        environ: the process's environment.
        keys: variables in it that hold keys: only the smoke test gets them.
        now: the moment of the run.
        redact: takes secrets out of a text.
        stop: ends it between two steps where it is set.
        advance: called after each step.
    """
    root = Path(settings.root)
    secret = {*keys}
    public = {name: value for name, value in environ.items() if name not in secret}
    undone = [*_undo_interrupted(settings, flags, ask, stop, public)]

    def reviewed_now() -> DependencyReview:
        found = review(settings, environ=public, now=now, redact=redact, stop=stop)
        advance(1)
        return found

    reviewed = reviewed_now()
    _require_installed(reviewed, flags.scope)
    wanted = not flags.check and not undone and (flags.yes or flags.dry_run or ask is not None)
    findings: list[Finding] = undone
    actions: list[Action] = []
    written: list[str] = []
    if wanted and not stop.is_set():
        planned = prepare_update(settings, reviewed, flags.scope, environ=public, redact=redact, stop=stop)
        if isinstance(planned, Refusal):
            findings.append(_finding(Status.UNKNOWN, planned.message, planned.remedy))
        elif not planned.plan.moves:
            findings.append(_nothing_to_update(reviewed, flags.scope))
        elif flags.dry_run or not (flags.yes or (ask is not None and ask(_plan_lines(planned.plan), "Update these?"))):
            actions = [_move_action(move, done=False) for move in planned.plan.moves]
            if flags.dry_run:
                deletions, withheld = _prune_backups(settings, planned.plan, now, dry_run=True)
                actions += deletions
                findings += withheld
                actions += map(_planned_write, paths_written(root, planned.plan.edits, planned.plan.lock, now.date()))
            else:
                findings.append(_finding(Status.SKIPPED, f"Not updated: {_moves_text(planned.plan.moves)}.", None))
        else:
            context = UpdateContext(root, planned.installer, settings.dependencies, environ, now, advance, redact, stop)
            updated = carry_out(context, planned.plan)
            findings.append(_outcome_finding(updated))
            if updated.done:
                actions = [_move_action(move, done=True) for move in planned.plan.moves]
                written = [*updated.written]
                deletions, withheld = _prune_backups(settings, planned.plan, now)
                actions += deletions
                findings += withheld
                reviewed = reviewed_now()
    elif not flags.check and not undone and any(package.moves for package in reviewed.packages.values()):
        message = "Nothing was updated: nobody can be asked here, and --yes was not given."
        findings.append(_finding(Status.SKIPPED, message, None))
    report = review_report(reviewed, root, now)
    report = msgspec.structs.replace(report, findings=[*findings, *report.findings], actions=actions, files=written)
    return _with_audit(settings, report, reviewed, now, dry_run=flags.dry_run)


# What was interrupted


def _undo_interrupted(
    settings: Settings, flags: Flags, ask: Ask | None, stop: Event, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield the finding on an update that was interrupted, undone here where that is wanted."""
    root = Path(settings.root)
    try:
        journal = pending_journal(root)
        if journal is None:
            return
        prefix = require_environment(root, journal, prefixes(root, settings.dependencies.python, environ, stop))
    except BrokenJournal as error:
        yield _broken(root, error, is_change=flags.yes and not flags.check and not flags.dry_run)
        return
    interruption = (
        f"The update of {printable(journal.started)} was interrupted ({', '.join(map(printable, journal.moves))})"
    )
    question = "Put everything back as it was before?"
    if flags.check or flags.dry_run or not (flags.yes or (ask is not None and ask([f"{interruption}."], question))):
        remedy = f"inv {TASK} --yes puts everything back as it was before it."
        yield _interrupted(Status.CRITICAL, f"{interruption}; the environment may be half of each.", remedy)
        return
    restored = roll_back(root, prefix, journal, stop)
    if restored.problems:
        message = f"{interruption}; not all could be put back: {each_of(restored.problems)}."
        yield _interrupted(Status.CRITICAL, message, f"Look at these; {FOLDER} keeps what was replaced.")
        return
    number = restored.replaced + restored.removed
    message = f"{interruption}. All is as it was before it: {count(number, 'entry', 'entries')} put back or removed."
    yield _interrupted(Status.WARNING, message, f"Run inv {TASK} again to update.")


def _broken(root: Path, error: BrokenJournal, *, is_change: bool) -> Finding:
    """Return the finding on a journal that is not acted on; a run that changes something keeps it aside."""
    message, kept = f"An update was interrupted and cannot be undone: {error}.", FOLDER
    if is_change:
        try:
            kept = set_aside(root)
            message += f" It was kept aside as {kept}."
        except (Refused, OSError) as failure:
            message += f" It cannot be kept aside: {printable(failure)}."
    return _interrupted(
        Status.CRITICAL, message, f"Make the environment anew from the requirements, then remove {kept}."
    )


def _interrupted(status: Status, message: str, remedy: str) -> Finding:
    return Finding(check="dependencies.interrupted", subject="update", status=status, message=message, remedy=remedy)


def _require_installed(reviewed: DependencyReview, scope: Scope) -> None:
    gone = sorted(scope.only - reviewed.packages.keys())
    if gone and isinstance(reviewed.environment, Environment):
        raise UserError(f"--only takes installed packages, but not installed is: {listed(gone, len(gone))}.")


# Findings and actions


def _plan_lines(plan: UpdatePlan) -> Iterator[str]:
    yield "An update would change:"
    yield from (f"  {move}" for move in plan.moves)
    if plan.edits:
        yield f"and the versions in {listed([*plan.edits], len(plan.edits))}."


def _moves_text(changed: Iterable[Move]) -> str:
    return ", ".join(map(str, changed))


def _outcome_finding(updated: UpdateOutcome) -> Finding:
    if updated.done:
        return _finding(Status.OK, updated.message, None)
    return _finding(Status.CRITICAL, updated.message, updated.remedy or None)


def _nothing_to_update(reviewed: DependencyReview, scope: Scope) -> Finding:
    """Return the finding on an update without a change; what an audit that failed would have called for is unknown."""
    if scope.security and reviewed.outcome is not None and reviewed.outcome.problem:
        message = "Nothing was updated: what would repair a vulnerability is not known, for the audit failed."
        return _finding(Status.UNKNOWN, message, f"Run inv {TASK} --security again once the audit works.")
    return _finding(Status.OK, "Nothing can be updated now.", None)


def _finding(status: Status, message: str, remedy: str | None) -> Finding:
    return Finding(check="dependencies.update", subject="update", status=status, message=message, remedy=remedy)


def _move_action(move: Move, *, done: bool) -> Action:
    return Action(verb="update" if move.before else "install", target=str(move), done=done)


def _prune_backups(
    settings: Settings, plan: UpdatePlan, now: datetime, *, dry_run: bool = False
) -> tuple[list[Action], list[Finding]]:
    """Delete the copies of the requirements that are too old, once an update has made its own; a dry run names them.

    Returns:
        The deletions, and the finding on those that were withheld because the clock is not believed.
    """
    root, days, today = Path(settings.root), settings.dependencies.backup_days, now.date()
    if doubt := clock_doubt(settings, now):
        left = [name for path in plan.edits for name in expired(root, path, today, days, before=dry_run)]
        withheld = Withheld(len(left), ("copy of requirements", "copies of requirements"), count(days, "day"))
        subject = settings.dependencies.requirements
        return [], [doubt.finding(withheld, subject=subject, task=TASK, dry_run=dry_run)] if left else []
    if dry_run:
        gone = [name for path in plan.edits for name in expired(root, path, today, days, before=True)]
    else:
        gone = [name for path in plan.edits for name in prune(root, path, today, days)]
    return [Action(verb="delete", target=name, done=not dry_run) for name in gone], []


def _planned_write(path: str) -> Action:
    return Action(verb="write", target=path, done=False)


def _with_audit(
    settings: Settings, report: Report, reviewed: DependencyReview, now: datetime, *, dry_run: bool
) -> Report:
    """Keep pip-audit's own document beside the report; a dry run only names it."""
    if reviewed.outcome is None or reviewed.outcome.raw is None:
        return report
    path = f"{settings.logs.directory}/dependency_reports/pip_audit_{now:%Y%m%d}.json"
    if dry_run:
        return msgspec.structs.replace(report, actions=[*report.actions, _planned_write(path)])
    try:
        safe_files.write(Path(settings.root), path, _document(reviewed.outcome.raw))
    except (Refused, OSError) as error:
        finding = Finding(
            check="dependencies.report",
            subject=path,
            status=Status.WARNING,
            message=f"pip-audit's document was not kept: {printable(error)}.",
            remedy="Make room, and see that the folder can be written.",
        )
        return msgspec.structs.replace(report, findings=[*report.findings, finding])
    return msgspec.structs.replace(report, files=[*report.files, path])


def _document(raw: Any) -> bytes:
    return f"{json.dumps(raw, indent=2, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
