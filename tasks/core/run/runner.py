"""Running procedures one after the other, also after one with findings: each timed, all in one verdict."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import Any

import msgspec
from invoke import Call, Collection, Context, Executor, Exit, Task

from ..errors import OutputError, RefusedToRoot, UserError
from ..output.console import Console, Page, QuietConsole, console_for
from ..output.streams import complain, open_closed
from ..report.model import Finding, Interrupted, Report, RunReport, Status, exit_status
from ..settings import sources
from ..settings.loading import Loaded, load
from ..settings.model import Settings
from ..text.formatting import printable
from .as_owner import continue_as
from .commands import Commands
from .definition import AS_OWNER, Definition
from .execution import RunCache, now
from .fabric_hosts import calling_executor, expanded_by_fabric, given_hosts, hosts_of, is_fabrics, refuse_hosts
from .local_time import zone_findings
from .ownership import root_refusal

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


class MaintenanceExecutor(Executor):
    """Invoke's executor for a run of procedures: ``tasks.executor_class`` in ``invoke.yaml``.

    Each call is made once, even where it is both named and pre-required, or a part of another procedure; one
    that fails does not stop those after it; everything is rendered in one place, and the process ends with the
    worst status. A task of the user's own in such a chain behaves as Invoke has it: an exception that it raises
    ends the run, after the verdict on what was done.
    """

    def execute(self, *tasks: Any) -> Any:
        """Run *tasks*, as Invoke hands them over, and return what each gave."""
        open_closed()
        calls = self.plan(*tasks)
        given = self.normalize(tasks)
        named = [normalised(call) for call in given]
        ours = [call for call in calls if definition_of(call.task)]
        if ours:
            self._refuse_hosts(given)
        loaded = self._load(required=bool(ours))
        if loaded is None:
            return {call.task: self._foreign(call, named=call in named) for call in calls}
        with _user_errors():
            self._configure(None)
            dry = sources.is_dry(self.config, os.environ)
            arguments = [converted(call, loaded.settings) for call in calls]
            _continue_as_owner(calls, loaded.settings, wanted=any(map(wants_owner, given)))
        commands = commands_of(self)
        console = _console(loaded.settings, arguments)
        session = Session(loaded, console, commands, dedupe=self.config.tasks.dedupe)
        names = task_names(self.collection)
        results: dict[Task[Any], Any] = {}
        done = 0
        try:
            for call, kwargs in zip(calls, arguments, strict=True):
                if definition := definition_of(call.task):
                    name = names.get(call.task.body, call.task.name)
                    results[call.task] = session.execute(definition, kwargs, name=name, dry=dry)
                else:
                    results[call.task] = self._foreign(call, named=call in named)
                done += 1
        except KeyboardInterrupt:
            session.end()
            raise Exit(code=INTERRUPTED) from None
        except BaseException as error:
            left = [names.get(call.task.body, call.task.name) for call in calls[done:]]
            session.stopped(left, error)
            session.end()
            raise
        session.exit()
        return results

    def plan(self, *tasks: Any) -> list[Call]:
        """Return the calls to make, in order, each once unless ``--no-dedupe`` was given."""
        given = self.normalize(tasks)
        is_fabric = is_fabrics(self.config)
        expanded = expanded_by_fabric(self, given) if is_fabric else self.expand_calls(given)
        calls = [normalised(call) for call in expanded]
        if not self.config.tasks.dedupe:
            return calls
        if is_fabric:  # calls for two hosts compare equal, so that Fabric makes each call
            return [
                call
                for place, call in enumerate(calls)
                if definition_of(call.task) is None or call not in calls[:place]
            ]
        return self.dedupe(calls)

    def _refuse_hosts(self, given: list[Call]) -> None:
        """Refuse a chain with procedures that Fabric is to run on hosts, before anything runs.

        Raises:
            Exit: there are hosts.
        """
        ours = [call for call in given if any(definition_of(each.task) for each in self.expand_calls([call]))]
        command = " ".join(["inv", *(call.called_as or call.task.name for call in ours)])
        with _user_errors():
            refuse_hosts(given_hosts(self), command)

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


class Session:
    """The procedures of one run, performed one by one and rendered as they end."""

    def __init__(
        self, loaded: Loaded, console: Console, commands: Commands | None = None, *, dedupe: bool = True
    ) -> None:
        self._loaded = loaded
        self._console = console
        self._cache = RunCache(
            loaded, dedupe=dedupe, command=_command(commands.program if commands else "inv"), commands=commands
        )
        self._started = now()
        self._clock = time.monotonic()
        self._reports: list[Report] = []
        self._unprinted: OutputError | None = None

    def execute(self, definition: Definition, arguments: Mapping[str, Any], *, name: str, dry: bool) -> Report:
        """Run one procedure and return its report, even where it fails.

        Raises:
            KeyboardInterrupt: Ctrl-C came; what the procedure had done is among the reports all the same.
        """
        page = _page(definition, arguments)
        try:
            report = self._cache.execute(definition, arguments, name=name, dry=dry)
        except Interrupted as stop:
            self._add(stop.report, page)
            raise
        if not self._reports and (findings := zone_findings(os.environ)):
            report = msgspec.structs.replace(report, findings=[*report.findings, *findings])
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
        from ..secrets.redaction import redactor

        name, *after = left
        reason = redactor()(printable(" ".join(str(error).split()) or type(error).__name__))
        not_run = f" Not run: {', '.join(after)}." if after else ""
        finding = Finding(
            check="run.stopped",
            subject=name,
            status=Status.CRITICAL,
            message=f"It ended the run: {reason}.{not_run}",
        )
        self._add(Report(task=name, summary="ended the run", started=now().isoformat(), findings=[finding]))

    def exit(self) -> None:
        """Render the verdict, and end the run with its exit status.

        Raises:
            Exit: the status is not 0, or what was to be printed could not be.
        """
        document = self.end()
        if self._cache.has_refused:
            raise Exit(code=RefusedToRoot.exit_status)
        if code := exit_status(document.status, self._loaded.settings.fail_on):
            raise Exit(code=code)

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
            complain(str(self._unprinted))
            raise Exit(code=OutputError.exit_status)
        return document


def _page(definition: Definition, arguments: Mapping[str, Any]) -> Page:
    if definition.page is None:
        return Page.NONE
    return Page.ASKED if arguments.get(definition.page) else Page.OFFERED


def run_alone(call: Call, context: Context) -> None:
    """Run one procedure under a foreign executor: print its report, and end with its exit status.

    Fabric's executor is such a one; where it was given hosts, the procedure is refused. The chain ends where the status
    is not 0: Invoke knows no other way for a task to fail.

    Raises:
        Exit: the status is not 0, the procedure is to run on other hosts, or the settings or arguments
            cannot be used.
    """
    open_closed()
    definition = definition_of(call.task)
    if definition is None:
        raise TypeError(f"{call.task} is no procedure")
    config = context.config
    executor = calling_executor()
    names = {} if executor is None else task_names(executor.collection)
    name = names.get(call.task.body, definition.name)
    with _user_errors():
        refuse_hosts(hosts_of(executor, context), f"inv {name}")
        loaded = load(sources.read(config, os.environ))
        dry = sources.is_dry(config, os.environ)
        arguments = converted(normalised(call), loaded.settings)
        _continue_as_owner([call], loaded.settings, wanted=wants_owner(call))
    commands = None if executor is None else commands_of(executor)
    session = Session(loaded, _console(loaded.settings, [arguments]), commands)
    try:
        session.execute(definition, arguments, name=name, dry=dry)
    except KeyboardInterrupt:
        session.end()
        raise Exit(code=INTERRUPTED) from None
    session.exit()


def wants_owner(call: Call) -> bool:
    """Tell whether a procedure is called with ``--as-owner``."""
    definition = definition_of(call.task)
    return definition is not None and definition.takes_as_owner and call.kwargs.get(AS_OWNER) is True


def _continue_as_owner(calls: Iterable[Call], settings: Settings, *, wanted: bool) -> None:
    """Continue as the project's owner, where root is to do so and not to change the project itself.

    Raises:
        Exit: this is the parent, and the run has ended in the child.
        RefusedToRoot: the owner's identity cannot be taken.
    """
    if not (wanted or settings.run.as_owner):
        return
    if not any(definition.changes for call in calls if (definition := definition_of(call.task))):
        return
    refusal = root_refusal(settings, _command())
    if refusal is None or refusal.owner is None:
        return
    status = continue_as(refusal.owner)
    if status is not None:
        raise Exit(code=status)


def _command(program: str = "inv") -> str:
    """Return the command that this process was called with, as a user can type it."""
    words = [program, *sys.argv[1:]]
    root = os.environ.get("INVOKE_MAINTENANCE_ROOT")
    return printable(shlex.join([*(["env", f"INVOKE_MAINTENANCE_ROOT={root}"] if root else []), *words]))


def commands_of(executor: Executor) -> Commands:
    """Return how the suite was called.

    Args:
        executor: the executor of the run; one that was made without a command line stands for ``inv``.
    """
    if not executor.core:
        return Commands(names=_typed_names(executor.collection))
    name = PurePath(sys.argv[0]).name if sys.argv else ""
    arguments = executor.core[0].args
    given = {flag: str(arguments[flag].value or "") if flag in arguments else "" for flag in _NEEDED}
    return Commands(
        # A module that Python runs, as in `python -m invoke`, has no name that could be typed.
        program=name if re.fullmatch(r"[a-z][a-z0-9_-]*", name) else "fab" if is_fabrics(executor.config) else "inv",
        collection=given["collection"],
        search_root=given["search-root"],
        file=given["config"],
        script="" if "search-root" in arguments else os.path.abspath(sys.argv[0]),  # noqa: PTH100 - links stay
        names=_typed_names(executor.collection),
    )


_NEEDED = ("collection", "search-root", "config")
"""The flags of Invoke without which it finds other tasks or other settings."""


def _typed_names(collection: Collection) -> dict[str, str]:
    """Return under which name each procedure, and each collection of procedures, is mounted."""
    names: dict[str, str] = {}
    for typed in collection.task_names:
        if definition := definition_of(collection[typed]):
            names[definition.name] = typed
            own, where = definition.name.rpartition(".")[0], typed.rpartition(".")[0]
            if own and where:
                names |= {own: where, f"{own}.all": f"{where}.all"}
    return names


@contextmanager
def _user_errors() -> Iterator[None]:
    """End the run where the user's settings or arguments cannot be used: with the sentence that says so."""
    try:
        yield
    except UserError as error:
        complain(str(error))
        raise Exit(code=error.exit_status) from None


def _console(settings: Settings, arguments: Iterable[Mapping[str, Any]]) -> Console:
    """Return the run's renderer: a silent one where a procedure is called with ``--quiet``."""
    console = console_for(settings, environ=os.environ)
    return QuietConsole(console) if any(each.get("quiet") is True for each in arguments) else console


def definition_of(task: Task[Any]) -> Definition | None:
    """Return the declaration that a task carries; ``None`` where it is no procedure."""
    found = getattr(task, "definition", None)
    return found if isinstance(found, Definition) else None


def normalised(call: Call) -> Call:
    """Return a procedure's *call* with every parameter spelled out by name, so that equal calls compare equal.

    The command line gives all parameters with their defaults, ``pre=[…]`` gives none. A call that does not fit its
    procedure stays as it is, and fails there.
    """
    definition = definition_of(call.task)
    if definition is None:
        return call
    try:
        given = dict(zip(definition.parameters, call.args, strict=False)) | call.kwargs
        if definition.takes_as_owner:
            given.pop(AS_OWNER, None)
        return Call(call.task, called_as=call.called_as, kwargs=definition.spelled_out(given))
    except TypeError:
        return call


def converted(call: Call, settings: Settings) -> dict[str, Any]:
    """Return the call's arguments as its procedure takes them.

    Raises:
        UsageError: one of them cannot be used, or they contradict each other.
        SettingsError: the procedure cannot use the settings.
    """
    definition = definition_of(call.task)
    return dict(call.kwargs) if definition is None else definition.converted(call.kwargs, settings)


def task_names(collection: Collection) -> dict[Any, str]:
    """Return the full name of every task, by its body: Invoke copies the task objects of a namespace."""
    return {collection[name].body: name for name in collection.task_names}
