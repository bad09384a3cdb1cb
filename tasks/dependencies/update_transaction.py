"""An update: tried in a fresh environment, applied to the live one, and undone exactly where anything fails.

Nothing that can fail for its own reasons is left to the moment in which the live environment changes: the packages
are fetched, built and installed elsewhere first, the smoke test passes there, and what is applied are the very files
that passed it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

from ..core.files import safe_files
from ..core.files.safe_files import Refused
from ..core.settings.model import DependencySettings
from ..core.text.formatting import listed, printable
from .environment import Environment, Interpreter, NoEnvironment, examine
from .installation.installers import Installer
from .installation.package_managers import Refusal
from .installation.smoke_test import SmokeResult, run_smoke_test
from .package_findings import TASK
from .project_files import back_up, lock_text, paths_written
from .requirements.requirement_files import encoded
from .undo.rollback import roll_back
from .undo.snapshot import take_snapshot
from .undo.undo_journal import FOLDER, BrokenJournal, pending_journal, remove_folder, require_environment
from .update_plan import UpdatePlan


class UpdateContext(NamedTuple):
    """What all steps of an update share.

    Attributes:
        root: the project.
        installer: installs packages; it knows the live environment as it was before.
        settings: deadlines and the smoke command.
        environ: the process's environment, with the keys that a smoke test may need.
        now: the moment of the run.
        advance: called after each step.
        redact: takes secrets out of a text.
        stop: ends it early where it is set.
    """

    root: Path
    installer: Installer
    settings: DependencySettings
    environ: Mapping[str, str]
    now: datetime
    advance: Callable[[int], None]
    redact: Callable[[str], str]
    stop: Event

    def smoke(self, environment: Environment) -> SmokeResult:
        """Run the smoke test with an environment active."""
        return run_smoke_test(
            self.settings.smoke_command,
            environment,
            self.root,
            environ=self.environ,
            deadline_seconds=self.settings.smoke_seconds,
            redact=self.redact,
            stop=self.stop,
        )


class UpdateOutcome(NamedTuple):
    """How an update ended.

    Attributes:
        done: True where it stands.
        message: a sentence on what happened.
        remedy: what to do; empty where there is nothing to do.
        written: the project's files that it wrote, as paths below the root.
    """

    done: bool
    message: str
    remedy: str = ""
    written: tuple[str, ...] = ()


def carry_out(context: UpdateContext, plan: UpdatePlan) -> UpdateOutcome:
    """Carry a plan out, or leave everything as it was.

    Args:
        context: what all steps share.
        plan: what is to change.
    """
    command = printable(context.redact(context.settings.smoke_command))
    before = context.smoke(context.installer.environment)
    context.advance(1)
    if not before.passed:
        return UpdateOutcome(
            done=False,
            message=f"Nothing was updated: the smoke test fails already, for {before.message}.",
            remedy=f"Mend the project first, or dependencies.smoke_command: {command}",
        )
    with tempfile.TemporaryDirectory(prefix="zbeam-update-") as name:
        tried = _try_in_fresh_environment(context, plan, Path(name))
        if tried is not None:
            return UpdateOutcome(done=False, message=f"Nothing was updated. {tried.message}", remedy=tried.remedy)
        return _apply_to_live_environment(context, plan, Path(name))


def _try_in_fresh_environment(context: UpdateContext, plan: UpdatePlan, work: Path) -> Refusal | None:
    """Install everything in a fresh environment and run the smoke test there; return what failed."""
    staged = context.installer.stage(plan.pins, plan.local, work)
    context.advance(1)
    if isinstance(staged, Refusal):
        return staged
    tried = context.smoke(staged)
    context.advance(1)
    if tried.passed:
        return None
    return Refusal(
        f"With the new versions the smoke test fails in a fresh environment: {tried.message}.",
        "Update fewer packages (--only), or look at what changed in them.",
    )


def _apply_to_live_environment(context: UpdateContext, plan: UpdatePlan, work: Path) -> UpdateOutcome:
    """Change the live environment and the project's files, or put everything back."""
    environment = context.installer.environment
    try:
        take_snapshot(
            context.root,
            environment,
            [move.name for move in plan.moves if move.before],
            paths_written(context.root, plan.edits, plan.lock, context.now.date()),
            moves=map(str, plan.moves),
            now=context.now,
        )
    except (Refused, OSError) as error:
        return UpdateOutcome(
            done=False, message=f"Nothing was updated. {_error_sentence(error)}", remedy="See to that first."
        )
    try:
        failure = _change_environment(context, plan, work)
        if failure is None:
            written = _write_project_files(context, plan)
            remove_folder(context.root)
            return UpdateOutcome(done=True, message=_summary(plan), written=tuple(written))
    except (Refused, OSError) as error:
        failure = _error_sentence(error).rstrip(".")
    except KeyboardInterrupt:
        context.stop.set()  # so that the caller ends the run after its report
        failure = "it was told to stop"
    except BaseException as error:
        problems = put_back(context.root, environment.prefix, context.stop)
        if not problems:
            raise
        return _failed_outcome(problems, printable(" ".join(f"{type(error).__name__}: {error}".split())).rstrip("."))
    return _failed_outcome(put_back(context.root, environment.prefix, context.stop), failure)


def _failed_outcome(problems: Sequence[str], failure: str) -> UpdateOutcome:
    """Return how an update ended that failed, with what could not be put back."""
    if problems:
        return UpdateOutcome(
            done=False,
            message=f"The update failed, for {failure}. Not all is as it was: {each_of(problems)}.",
            remedy=f"Look at these, then run inv {TASK} --yes to put them back; {FOLDER} keeps what was replaced.",
        )
    return UpdateOutcome(
        done=False,
        message=f"The update failed and was undone, everything is as it was: {failure}.",
        remedy="Update fewer packages (--only), or look at what changed in them.",
    )


def _change_environment(context: UpdateContext, plan: UpdatePlan, work: Path) -> str | None:
    """Change the live environment; return what failed."""
    refusal = context.installer.apply({move.name: move.after for move in plan.moves}, work)
    context.advance(1)
    if refusal is not None:
        return refusal.message.rstrip(".")
    live = context.smoke(context.installer.environment)
    context.advance(1)
    return None if live.passed else f"the smoke test fails in the live environment: {live.message}"


def _write_project_files(context: UpdateContext, plan: UpdatePlan) -> list[str]:
    """Write the requirements files, after a copy of each, and the lock; return their paths.

    Raises:
        Refused, OSError: one of them cannot be written.
    """
    written = []
    for path, text in plan.edits.items():
        written += [back_up(context.root, path, context.now.date()), path]
        safe_files.write(context.root, path, encoded(text))
    if not plan.lock:
        return written
    now = examine(Interpreter(context.installer.environment.python, ""), context.environ)
    if isinstance(now, NoEnvironment):
        raise Refused(now.message)
    text = lock_text(now.packages.values(), now.version, context.settings.requirements)
    safe_files.write(context.root, plan.lock, text.encode())
    return [*written, plan.lock]


def put_back(root: Path, prefix: Path, stop: Event) -> tuple[str, ...]:
    """Undo an update of the environment *prefix* that has begun and return what is not as it was; empty: all is."""
    try:
        journal = pending_journal(root)
        if journal is None:
            return (f"{FOLDER}, which keeps what was replaced, is gone.",)
        require_environment(root, journal, [prefix])
    except BrokenJournal as error:
        return (f"{error}.",)
    return roll_back(root, prefix, journal, stop).problems


def each_of(problems: Sequence[str]) -> str:
    """Return all of the problems on one line: a file that goes unnamed here is named nowhere."""
    return listed(problems, len(problems), most=len(problems))


def _summary(plan: UpdatePlan) -> str:
    return f"Updated: {', '.join(map(str, plan.moves))}."


def _error_sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{printable(error.filename or 'A file')} cannot be used: {error.strerror}."
    return str(error)
