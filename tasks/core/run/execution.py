"""Executing one procedure: timed, always reported, and only once in a run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import msgspec

from ..errors import UserError
from ..files.lock import NotAcquired
from ..output.confirmation import confirm
from ..output.progress import Display
from ..report.history_compaction import Ages
from ..report.model import INCOMPLETE, LOCKED_OUT, SHARED_CHECKS, Finding, Interrupted, Report, Status
from ..settings.loading import Loaded
from ..settings.model import Settings
from ..text.formatting import listed, printable
from . import stamps
from .cadence import cadence_of
from .clock import ClockDoubt, clock_doubt
from .commands import Commands
from .context import Execute, Run
from .definition import Definition
from .ownership import RootRefusal, root_refusal
from .registry import own_files, procedures

CHECKLIST = "release.checklist"
"""The procedure whose findings are the gates that all procedures declare."""

_log = logging.getLogger(__name__)

_RUNS_KEPT_DAYS = 400
"""How long runs stay at least in a history that has grown too large: a year, and what is compared with it."""


class _Call(NamedTuple):
    """What makes two calls of a procedure equal: its body, its arguments, and whether it is a dry run."""

    body: Any
    arguments: Mapping[str, Any]
    dry: bool

    @classmethod
    def of(cls, definition: Definition, arguments: Mapping[str, Any], *, dry: bool) -> _Call:
        """Return it for arguments that are spelled out and converted; both ways of asking for a dry run are one."""
        others = {name: value for name, value in arguments.items() if name != "dry_run"}
        return cls(definition.body, others, dry or bool(arguments.get("dry_run")))


class _CachedReport(NamedTuple):
    """A call that was made, its report, and the procedure that it was a part of, if any."""

    call: _Call
    report: Report
    part_of: str | None


class RunCache:
    """The reports of one run, so that a procedure that is a part of another one is not executed a second time.

    Args:
        loaded: the settings of the run.
        dedupe: False where Invoke was called with ``--no-dedupe``: then everything runs as often as it is asked for.
        command: what was called, for the remedy of a refusal; by default, each procedure by itself.
        commands: how the suite was called, so that remedies name commands as they can be typed.

    Attributes:
        has_refused: True once a procedure was refused because root is not to change the project.
        shared: what procedures keep for each other.
        commands: how the suite was called.
    """

    def __init__(
        self, loaded: Loaded, *, dedupe: bool = True, command: str = "", commands: Commands | None = None
    ) -> None:
        self._loaded = loaded
        self._dedupe = dedupe
        self._command = command
        self.commands = commands or Commands()
        self.has_refused = False
        self.shared: dict[str, Any] = {}
        self._all: list[_CachedReport] = []

    def find(self, call: _Call) -> _CachedReport | None:
        """Return the report of an equal call."""
        return next((each for each in self._all if each.call == call), None) if self._dedupe else None

    def execute(self, definition: Definition, arguments: Mapping[str, Any], *, name: str, dry: bool) -> Report:
        """Execute a procedure of the chain; its arguments are spelled out and converted.

        Args:
            definition: what to execute.
            arguments: all of them.
            name: its full name, as people call it.
            dry: make a dry run.

        Returns:
            Its report. Where it has run as a part of another one, the report of that, which says so.

        Raises:
            Interrupted: Ctrl-C; it carries the procedure's report as far as it got.
        """
        call = _Call.of(definition, arguments, dry=dry)
        if earlier := self.find(call):
            reused = f"already run by {earlier.part_of} in this run" if earlier.part_of else "already run in this run"
            report = msgspec.structs.replace(earlier.report, task=name, summary=f"{earlier.report.summary} ({reused})")
        else:
            report = self._execute(definition, arguments, call, name=name, part_of=None)
        if call.dry and (refusal := self._refusal(definition, name)):
            refused = refusal.finding(name, dry_run=True)
            report = msgspec.structs.replace(report, findings=[*report.findings, refused])
        return report

    def within(self, part_of: str, before: Callable[[], None] = lambda: None) -> Execute:
        """Return what executes the parts of a procedure; *before* is called before one begins."""

        def another(definition: Definition, arguments: Mapping[str, Any], *, dry: bool, again: bool = False) -> Report:
            converted = definition.converted(definition.spelled_out(arguments), self._loaded.settings)
            call = _Call.of(definition, converted, dry=dry)
            if not again and (earlier := self.find(call)):
                return earlier.report
            before()
            return self._execute(definition, converted, call, name=definition.name, part_of=part_of)

        return another

    def _execute(
        self, definition: Definition, arguments: Mapping[str, Any], call: _Call, *, name: str, part_of: str | None
    ) -> Report:
        if not call.dry and (refusal := self._refusal(definition, name)):
            self.has_refused = True
            report = msgspec.structs.replace(refusal.report(name), task=name, started=now().isoformat())
        else:
            report = execute(definition, arguments, self._loaded, name=name, dry=call.dry, cache=self)
        self._all = [*(each for each in self._all if each.call != call), _CachedReport(call, report, part_of)]
        return report

    def _refusal(self, definition: Definition, name: str) -> RootRefusal | None:
        """Return why a procedure is not to run; the project is looked at each time, for it may have changed hands."""
        if not definition.changes:
            return None
        return root_refusal(self._loaded.settings, self._command or f"inv {name}")


def execute(
    definition: Definition,
    arguments: Mapping[str, Any],
    loaded: Loaded,
    *,
    name: str = "",
    dry: bool = False,
    cache: RunCache | None = None,
) -> Report:
    """Execute a procedure and return its report with its name and times.

    Its sentences name commands as the user can type them. An exception becomes a critical finding of one line; its
    traceback is logged, which ``inv --debug`` shows. A run that is not dry goes to the history, where the procedure has
    a cadence.

    Args:
        definition: what to execute.
        arguments: its keyword arguments, converted.
        loaded: the settings of the run.
        name: its full name as people call it; by default the declared one.
        dry: True for a dry run.
        cache: the reports of this run; empty where it is left out.

    Raises:
        Interrupted: Ctrl-C; it carries the procedure's report as far as it got.
    """
    name = name or definition.name
    started, clock = now(), time.monotonic()
    with Display(name) as display:

        def asked(lines: Sequence[str], question: str, stop: Event) -> bool | None:
            display.pause()
            return confirm(lines, question, stop)

        cache = cache or RunCache(loaded)
        parts = cache.within(name, display.pause)
        run = Run(loaded, started, dry, display.advance, parts, definition, asked, name, cache.shared, cache.commands)
        # Before the procedure writes anything that looks like a trace of the project's life.
        doubt = None if dry else clock_doubt(loaded.settings, started)
        report, interrupted = _outcome(definition, arguments, run)
    duration = round(time.monotonic() - clock, 3)
    report = msgspec.structs.replace(report, task=name, started=started.isoformat(), duration_seconds=duration)
    report = _as_declared(_without_secrets(report, run), definition, loaded.settings)
    if not (dry or report.dry_run):
        try:
            whole = definition.is_whole(loaded.settings, arguments)
            report = _recorded(report, definition, loaded.settings, doubt, whole=whole, interrupted=interrupted)
        except KeyboardInterrupt:
            interrupted = True
    report = cache.commands.in_report(report)
    if interrupted:
        raise Interrupted(report)
    return report


def _without_secrets(report: Report, run: Run) -> Report:
    """Return the report with sentences that show no secret, whatever a procedure forgot to take out of them."""
    findings = [
        msgspec.structs.replace(
            each,
            message=run.redact(each.message),
            remedy=run.redact(each.remedy) if each.remedy else each.remedy,
            excerpt=run.redact(each.excerpt) if isinstance(each.excerpt, str) else each.excerpt,
        )
        for each in report.findings
    ]
    return msgspec.structs.replace(report, summary=run.redact(report.summary), findings=findings)


def _as_declared(report: Report, definition: Definition, settings: Settings) -> Report:
    """Return the report, with a warning for each check and each file that no declaration names."""
    named = definition.checks | SHARED_CHECKS
    if definition.name == CHECKLIST:  # each gate is a finding, those of the user's own procedures as well
        named |= {f"release.{each.gate.gate}" for each in procedures() if each.gate is not None}
    checks = sorted({each.check for each in report.findings} - named)
    folders = (settings.logs.directory, settings.cache.directory, settings.backups.directory)
    kept = [path for path in report.files if path.startswith(tuple(f"{folder}/" for folder in folders))]
    own = own_files(settings) if kept else None
    files = [path for path in kept if own is not None and not own.owns(path)]
    undeclared = [
        *([(checks, "reports", "checks=[…]")] if checks else []),
        *([(files, "wrote", "writes=[…]")] if files else []),
    ]
    findings = [
        Finding(
            check="run.declaration",
            subject=report.task,
            status=Status.WARNING,
            message=f"Its declaration does not name {listed(names, len(names))}, which it {verb}.",
            remedy=f"Add it to {where} of its @procedure.",
        )
        for names, verb, where in undeclared
    ]
    return msgspec.structs.replace(report, findings=[*report.findings, *findings]) if findings else report


def _outcome(definition: Definition, arguments: Mapping[str, Any], run: Run) -> tuple[Report, bool]:
    """Return the report of a run, also where it fails, and whether Ctrl-C ended it."""
    name = run.task
    try:
        report = definition.body(run, **arguments)
        if not isinstance(report, Report):
            raise TypeError(f"it returned {type(report).__name__} where a report was expected")  # noqa: TRY301
        if not definition.is_ours:  # Python checks no types where a report is made
            report = msgspec.convert(msgspec.to_builtins(report), Report)
    except Interrupted as stop:
        return stop.report, True
    except KeyboardInterrupt:
        return _interrupted(name), True
    except NotAcquired as error:
        report = _failed(LOCKED_OUT, name, Status.UNKNOWN, str(error), None)
    except UserError as error:
        report = _failed("run.error", name, Status.CRITICAL, str(error), None)
    except OSError as error:
        _log.debug("%s failed", name, exc_info=error)
        remedy = "See that the path can be read and written, and that the disk has room."
        report = _failed("run.error", name, Status.CRITICAL, f"{type(error).__name__}: {error}", remedy)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the chain goes on, and the finding tells of it
        _log.debug("%s failed", name, exc_info=error)
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        remedy = f"Run inv --debug {name} to see where; please report it if it is a fault of the suite."
        report = _failed("run.error", name, Status.CRITICAL, message, remedy)
    return report, False


def _recorded(
    report: Report,
    definition: Definition,
    settings: Settings,
    doubt: ClockDoubt | None,
    *,
    whole: bool,
    interrupted: bool,
) -> Report:
    """Add to the history that a procedure has run, or could not; return its report.

    One that another run kept out adds nothing. Where a run that the schedule waits for cannot be added, its report
    says so; of one that did not come to its end, it says enough.
    """
    checks = {each.check for each in report.findings}
    has_cadence = cadence_of(definition, settings.schedule.cadence) is not None
    # A procedure whose cadence the settings take away measures all the same; one that never had one, as a backup,
    # must not change what it has just saved.
    has_measured = definition.cadence not in {None, "never"} and bool(report.metrics)
    if LOCKED_OUT in checks or not (has_cadence or has_measured):
        return report
    reason = next((each.message for each in report.findings if each.check in INCOMPLETE), None)
    if interrupted and reason is None:
        reason = "It was interrupted."
    root = Path(settings.root)
    newest = None if doubt is None else doubt.newest
    recorded = stamps.record(
        root,
        settings.logs.directory,
        definition.name,
        report,
        ended=now(),
        reason=reason,
        whole=whole,
        ages=Ages(max(settings.capacity.history_days, _RUNS_KEPT_DAYS), settings.health.history_days, newest),
        clock_newest=newest,
    )
    if recorded.problem is None or (not recorded.is_kept and (reason is not None or not (whole and has_cadence))):
        return report
    lost = "" if recorded.is_kept else "That it has run could not be written down, so it is due again. "
    finding = Finding(
        check="run.stamp",
        subject=report.task,
        status=Status.WARNING,
        message=f"{lost}{recorded.problem}",
        remedy="Look at what wrote it." if recorded.is_kept else "Make room, or see that the folder can be written.",
    )
    return msgspec.structs.replace(report, findings=[*report.findings, finding])


def _failed(check: str, name: str, status: Status, message: str, remedy: str | None) -> Report:
    finding = Finding(check=check, subject=name, status=status, message=printable(message), remedy=remedy)
    return Report(summary="did not run to its end", findings=[finding])


def _interrupted(name: str) -> Report:
    return _failed(
        "run.interrupted", name, Status.UNKNOWN, "Ctrl-C ended it before it could say what it had done.", None
    )


def now() -> datetime:
    """Return the moment, in the zone of this machine."""
    return datetime.now().astimezone()
