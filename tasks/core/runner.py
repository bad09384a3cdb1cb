"""Running procedures: one after the other whatever they find, each timed, all in one verdict."""

from __future__ import annotations

import inspect
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple, cast

import msgspec
from invoke import Call, Collection, Config, Executor, Exit, Task

from . import stamps
from .cadence import cadence_of, short_name
from .confirmation import confirm
from .console import Console, Page, QuietConsole, console_for
from .errors import OutputError, UserError
from .lock import NotAcquired
from .names import printable
from .procedure import Perform, Procedure, Run
from .progress import Display
from .report import Finding, Interrupted, Report, RunReport, Status, exit_status
from .settings import sources
from .settings.loading import Loaded, load
from .settings.model import Settings

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""

_log = logging.getLogger(__name__)


class MaintenanceExecutor(Executor):
    """Invoke's executor for a run of procedures: ``tasks.executor_class`` in ``invoke.yaml``.

    Each call is made once, even where it is both named and pre-required, or a part of another procedure; one
    that fails does not stop those after it; everything is rendered in one place, and the process ends with the
    worst status. A task of the user's own in such a chain behaves as Invoke has it: an exception that it raises
    ends the run, after the verdict on what was done.
    """

    def execute(self, *tasks: Any) -> Any:
        """Run *tasks*, as Invoke hands them over, and return what each gave."""
        calls = self.plan(*tasks)
        named = [_normalised(call) for call in self.normalize(tasks)]
        loaded = self._load(required=any(isinstance(call.task, Procedure) for call in calls))
        if loaded is None:
            return {call.task: self._foreign(call, named=call in named) for call in calls}
        with _user_errors():
            self._configure(None)
            dry = sources.is_dry(self.config, os.environ)
            arguments = [_checked(call, loaded.settings) for call in calls]
        session = Session(loaded, _console(loaded.settings, arguments), dedupe=self.config.tasks.dedupe)
        names = task_names(self.collection)
        results: dict[Task[Any], Any] = {}
        try:
            for call, kwargs in zip(calls, arguments, strict=True):
                if isinstance(call.task, Procedure):
                    name = names.get(call.task.body, call.task.name)
                    results[call.task] = session.perform(call.task, name, kwargs, dry=dry)
                else:
                    results[call.task] = self._foreign(call, named=call in named)
        except KeyboardInterrupt:
            session.end()
            raise Exit(code=INTERRUPTED) from None
        except BaseException as error:
            left = [names.get(call.task.body, call.task.name) for call in calls[len(results) :]]
            session.stopped(left, error)
            session.end()
            raise
        _exit(session.end(), loaded.settings)
        return results

    def plan(self, *tasks: Any) -> list[Call]:
        """Return the calls to make, in order, each once unless ``--no-dedupe`` was given."""
        calls = [_normalised(call) for call in self.expand_calls(self.normalize(tasks))]
        return self.dedupe(calls) if self.config.tasks.dedupe else calls

    def _load(self, *, required: bool) -> Loaded | None:
        """Load the settings and make them what ``c.config.maintenance`` shows.

        Returns:
            ``None`` where no procedure is to run: tasks of others must not fail for our settings.
        """
        loaded = None
        with _user_errors() if required else suppress(UserError):
            loaded = load(sources.read(self.config, os.environ, self.collection.configuration()))
            sources.install(self.config, loaded.tree)
        return loaded if required else None

    def _configure(self, called_as: str | None) -> None:
        """Load what Invoke loads for a task, but for its reading of our variables."""
        configuration = self.collection.configuration(called_as)
        configuration.pop(sources.KEY, None)
        self.config.load_collection(configuration, merge=False)
        with sources.hidden_environment():
            self.config.load_shell_env()

    def _foreign(self, call: Call, *, named: bool) -> Any:
        """Run a task that is no procedure as Invoke does; *named* on the command line, it may print its result."""
        self._configure(call.called_as)
        # Invoke 3 passes the parsed command line on, Invoke 2 does not.
        takes_core = "core_parse_result" in inspect.signature(call.make_context).parameters
        context = call.make_context(self.config, **({"core_parse_result": self.core} if takes_core else {}))
        with _user_errors():
            result = call.task(context, *call.args, **call.kwargs)
        if call.autoprint and named:
            print(result)  # noqa: T201 - what Invoke does for a task that asks for it
        return result


class _Call(NamedTuple):
    """What makes two calls of a procedure equal: its body, its arguments, and whether it is a dry run."""

    body: Any
    arguments: Mapping[str, Any]
    dry: bool

    @classmethod
    def of(cls, procedure: Procedure, arguments: Mapping[str, Any], *, dry: bool) -> _Call:
        """Return it for arguments that are spelled out and checked; both ways of asking for a dry run are one."""
        others = {name: value for name, value in arguments.items() if name != "dry_run"}
        return cls(procedure.body, others, dry or bool(arguments.get("dry_run")))


class _Performed(NamedTuple):
    """A call that was made, its report, and the procedure of which it was a part, if it was one."""

    call: _Call
    report: Report
    part_of: str | None


class Performed:
    """What was performed in one run, so that a procedure that is a part of another one is not run a second time.

    Args:
        loaded: the settings of the run.
        dedupe: False where Invoke was called with ``--no-dedupe``: then everything runs as often as it is asked for.
    """

    def __init__(self, loaded: Loaded, *, dedupe: bool = True) -> None:
        self._loaded = loaded
        self._dedupe = dedupe
        self._all: list[_Performed] = []

    def find(self, call: _Call) -> _Performed | None:
        """Return what was made of an equal call."""
        return next((each for each in self._all if each.call == call), None) if self._dedupe else None

    def perform(self, procedure: Procedure, name: str, arguments: Mapping[str, Any], *, dry: bool) -> Report:
        """Perform a procedure of the chain; its arguments are spelled out and checked.

        Returns:
            Its report. Where it has run as a part of another one, the report of that, which says so.

        Raises:
            Interrupted: Ctrl-C; it carries the procedure's report as far as it got.
        """
        call = _Call.of(procedure, arguments, dry=dry)
        if earlier := self.find(call):
            told = f"already run by {earlier.part_of} in this run" if earlier.part_of else "already run in this run"
            return msgspec.structs.replace(earlier.report, task=name, summary=f"{earlier.report.summary} ({told})")
        return self._perform(procedure, name, arguments, call, part_of=None)

    def within(self, part_of: str, before: Callable[[], None] = lambda: None) -> Perform:
        """Return what performs the parts of a procedure; *before* is called before one begins."""

        def another(
            procedure: Procedure, name: str, arguments: Mapping[str, Any], *, dry: bool, anew: bool = False
        ) -> Report:
            checked = _checked(_normalised(Call(procedure, kwargs=dict(arguments))), self._loaded.settings)
            call = _Call.of(procedure, checked, dry=dry)
            if not anew and (earlier := self.find(call)):
                return earlier.report
            before()
            return self._perform(procedure, name, checked, call, part_of=part_of)

        return another

    def _perform(
        self, procedure: Procedure, name: str, arguments: Mapping[str, Any], call: _Call, *, part_of: str | None
    ) -> Report:
        report = perform(procedure, name, arguments, self._loaded, dry=call.dry, performed=self)
        self._all = [*(each for each in self._all if each.call != call), _Performed(call, report, part_of)]
        return report


class Session:
    """The procedures of one run, performed one by one and rendered as they end."""

    def __init__(self, loaded: Loaded, console: Console, *, dedupe: bool = True) -> None:
        self._loaded = loaded
        self._console = console
        self._performed = Performed(loaded, dedupe=dedupe)
        self._started = _now()
        self._clock = time.monotonic()
        self._reports: list[Report] = []
        self._unprinted: OutputError | None = None

    def perform(self, procedure: Procedure, name: str, arguments: Mapping[str, Any], *, dry: bool) -> Report:
        """Run one procedure and return its report, whatever happens in it.

        Raises:
            KeyboardInterrupt: Ctrl-C came; what the procedure had done is among the reports all the same.
        """
        page = _page(procedure, arguments)
        try:
            report = self._performed.perform(procedure, name, arguments, dry=dry)
        except Interrupted as stop:
            self._add(stop.report, page)
            raise
        self._add(report, page)
        return report

    def _add(self, report: Report, page: Page = Page.NONE) -> None:
        self._reports.append(report)
        try:
            self._console.report(report, page)
        except OutputError as error:
            self._unprinted = error

    def stopped(self, left: list[str], error: BaseException) -> None:
        """Report that a task of the user's own ended the run; *left* names it and the tasks after it."""
        name, *after = left
        reason = printable(" ".join(str(error).split()) or type(error).__name__)
        not_run = f" Not run: {', '.join(after)}." if after else ""
        finding = Finding(
            check="run.stopped",
            subject=name,
            status=Status.CRITICAL,
            message=f"It ended the run: {reason}.{not_run}",
        )
        self._add(Report(task=name, summary="ended the run", started=_now().isoformat(), findings=[finding]))

    def end(self) -> RunReport:
        """Render the verdict and return the run's document.

        Raises:
            Exit: what was to be printed could not be.
        """
        document = RunReport(
            root=printable(self._loaded.settings.root),
            started=self._started.isoformat(),
            duration_seconds=round(time.monotonic() - self._clock, 3),
            reports=self._reports,
        )
        try:
            self._console.verdict(document)
        except OutputError as error:
            self._unprinted = error
        if self._unprinted is not None:
            raise Exit(str(self._unprinted), code=OutputError.exit_status)
        return document


def _page(procedure: Procedure, arguments: Mapping[str, Any]) -> Page:
    if procedure.page is None:
        return Page.NONE
    return Page.ASKED if arguments.get(procedure.page) else Page.OFFERED


def perform(
    procedure: Procedure,
    name: str,
    arguments: Mapping[str, Any],
    loaded: Loaded,
    *,
    dry: bool = False,
    performed: Performed | None = None,
) -> Report:
    """Run *procedure* and return its report with its name and times.

    An exception becomes a critical finding of one line; its traceback is logged, which ``inv --debug`` shows. A run
    that is not dry and does all that the procedure does leaves its stamp, where the procedure has a cadence.

    Args:
        procedure: what to run.
        name: its full name, ``weekly.cache-cleanup``.
        arguments: its keyword arguments, checked.
        loaded: the settings of the run.
        dry: True for a dry run.
        performed: what was performed in this run; nothing where it is left out.

    Raises:
        Interrupted: Ctrl-C; it carries the procedure's report as far as it got.
    """
    started, clock = _now(), time.monotonic()
    with Display(name) as display:

        def asked(lines: Sequence[str], question: str, stop: Event) -> bool | None:
            display.pause()
            return confirm(lines, question, stop)

        parts = (performed or Performed(loaded)).within(name, display.pause)
        run = Run(loaded, started, dry, display.advance, parts, asked, name)
        report, interrupted = _outcome(procedure, arguments, run)
    duration = round(time.monotonic() - clock, 3)
    report = msgspec.structs.replace(report, task=name, started=started.isoformat(), duration_seconds=duration)
    if not (dry or report.dry_run) and procedure.is_whole(loaded.settings, arguments):
        try:
            report = _stamped(report, loaded.settings, interrupted=interrupted)
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise Interrupted(report)
    return report


def _outcome(procedure: Procedure, arguments: Mapping[str, Any], run: Run) -> tuple[Report, bool]:
    """Return the report of a run, whatever happens in it, and whether Ctrl-C ended it."""
    name = run.task
    try:
        report = procedure.body(run, **arguments)
        if not isinstance(report, Report):
            raise TypeError(f"it returned {type(report).__name__} where a report was expected")  # noqa: TRY301
    except Interrupted as stop:
        return stop.report, True
    except KeyboardInterrupt:
        return _interrupted(name), True
    except NotAcquired as error:
        report = _failed("run.lock", name, Status.UNKNOWN, str(error), None)
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


_NOT_ENDED = {"run.error", "run.interrupted"}
"""Findings of a procedure, or of a part of one, that did not come to its end."""


def _stamped(report: Report, settings: Settings, *, interrupted: bool) -> Report:
    """Write down that a procedure with a cadence has run, or could not; return its report.

    One that another run kept out writes nothing. Where a run that came to its end cannot be written down, its report
    says so; of one that did not, it says enough.
    """
    checks = {each.check for each in report.findings}
    if "run.lock" in checks or cadence_of(report.task, settings.schedule.cadence) is None:
        return report
    reason = next((each.message for each in report.findings if each.check in _NOT_ENDED), None)
    if interrupted and reason is None:
        reason = "It was interrupted."
    task, root = short_name(report.task), Path(settings.root)
    problem = stamps.record(root, settings.logs.directory, task, report, ended=_now(), reason=reason)
    if problem is None or reason is not None:
        return report
    finding = Finding(
        check="run.stamp",
        subject=report.task,
        status=Status.WARNING,
        message=f"That it has run could not be written down, so it is due again. {problem}",
        remedy="Make room, or see that the folder can be written.",
    )
    return msgspec.structs.replace(report, findings=[*report.findings, finding])


def _failed(check: str, name: str, status: Status, message: str, remedy: str | None) -> Report:
    finding = Finding(check=check, subject=name, status=status, message=printable(message), remedy=remedy)
    return Report(summary="did not run to its end", findings=[finding])


def _interrupted(name: str) -> Report:
    return _failed(
        "run.interrupted", name, Status.UNKNOWN, "Ctrl-C ended it before it could say what it had done.", None
    )


def run_alone(call: Call, config: Config) -> None:
    """Run one procedure under a foreign executor: print its report, and end with its exit status.

    That ends the chain where the status is not 0: Invoke knows no other way for a task to fail.

    Raises:
        Exit: the status is not 0, or the settings or arguments cannot be used.
    """
    with _user_errors():
        loaded = load(sources.read(config, os.environ))
        dry = sources.is_dry(config, os.environ)
        checked = _checked(_normalised(call), loaded.settings)
    procedure = cast("Procedure", call.task)
    session = Session(loaded, _console(loaded.settings, [checked]))
    name = f"{procedure.__module__.rpartition('.')[2]}.{procedure.name.replace('_', '-')}"
    try:
        session.perform(procedure, name, checked, dry=dry)
    except KeyboardInterrupt:
        session.end()
        raise Exit(code=INTERRUPTED) from None
    _exit(session.end(), loaded.settings)


@contextmanager
def _user_errors() -> Iterator[None]:
    """End the run where the user's settings or arguments cannot be used: with the sentence that says so."""
    try:
        yield
    except UserError as error:
        raise Exit(str(error), code=error.exit_status) from None


def _console(settings: Settings, arguments: Iterable[Mapping[str, Any]]) -> Console:
    """Return the run's renderer: a silent one where a procedure is called with ``--quiet``."""
    console = console_for(settings, environ=os.environ)
    return QuietConsole(console) if any(each.get("quiet") is True for each in arguments) else console


def _exit(document: RunReport, settings: Settings) -> None:
    code = exit_status(document.status, settings.fail_on)
    if code:
        raise Exit(code=code)


def _checked(call: Call, settings: Settings) -> dict[str, Any]:
    """Return the call's arguments as its procedure takes them.

    Raises:
        UsageError: one of them cannot be used.
        SettingsError: the procedure cannot use the settings.
    """
    arguments = dict(call.kwargs)
    if requires := getattr(call.task, "requires", None):
        requires(settings)
    for name, check in getattr(call.task, "checks", {}).items():
        if name in arguments:
            arguments[name] = check(settings, arguments[name])
    return arguments


def _normalised(call: Call) -> Call:
    """Return a procedure's *call* with every parameter spelled out by name, so that equal calls compare equal.

    The command line gives all parameters with their defaults, an empty list for a repeatable flag that was
    not used; ``pre=[…]`` gives none. A call that does not fit its procedure stays as it is, and fails there.
    """
    if not isinstance(call.task, Procedure):
        return call
    signature = call.task.argspec(call.task.body)
    unused = {
        name
        for name in call.task.iterable
        if call.kwargs.get(name) == [] and signature.parameters[name].default is not inspect.Parameter.empty
    }
    try:
        bound = signature.bind(*call.args, **{name: value for name, value in call.kwargs.items() if name not in unused})
    except TypeError:
        return call
    bound.apply_defaults()
    return Call(call.task, called_as=call.called_as, kwargs=dict(bound.arguments))


def task_names(collection: Collection) -> dict[Any, str]:
    """Return the full name of every task, by its body: Invoke copies the task objects of a namespace."""
    return {collection[name].body: name for name in collection.task_names}


def _now() -> datetime:
    return datetime.now().astimezone()
