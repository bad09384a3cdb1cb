"""What a procedure declares about itself. Everything else about procedures derives from this declaration.

Free of Invoke, and imported whenever ``inv`` starts, so nothing heavy is imported here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ..errors import DeclarationError

if TYPE_CHECKING:
    from ..report.model import Report
    from ..settings.declared import SectionType
    from ..settings.model import Settings

    Body: TypeAlias = Callable[..., Report]
    Converter: TypeAlias = Callable[[Settings, Any], Any]
    Requirement: TypeAlias = Callable[[Settings], None]
    Consistency: TypeAlias = Callable[[Mapping[str, Any]], None]

Cadence: TypeAlias = Literal["daily", "weekly", "monthly", "quarterly", "never"]
"""How often a procedure runs by itself. ``never``: only where ``schedule.cadence`` of the settings says how often."""

CADENCES: tuple[Cadence, ...] = ("daily", "weekly", "monthly", "quarterly", "never")


AS_OWNER = "as_owner"
"""The parameter of ``--as-owner``, which no procedure declares and every one that changes something has."""


class Stage(IntEnum):
    """The place of a procedure among others that run with it: those of an earlier stage run first.

    What only looks comes before what changes something: errors are read before logs are rotated, and the analyses see
    the cache before it is cleaned, because the clean-up's report would be the latest. A backup is made before anything
    is cleaned up, and verified at once. What judges by the reports of others comes last.
    """

    LOOK = 1
    BACK_UP = 2
    VERIFY = 3
    CHANGE = 4
    CONCLUDE = 5


class ReportFile(NamedTuple):
    """Where a procedure keeps its report.

    Attributes:
        path: below the log folder; ``{day}``, ``{month}``, ``{quarter}`` and ``{second}`` stand for the moment of the
            run.
        check: the id of the finding on this file.
    """

    path: str
    check: str


class GateSource(NamedTuple):
    """A gate of the release checklist that a procedure's report answers.

    Attributes:
        gate: the gate's name, as the settings and ``--skip`` have it.
        stops: by check id, the lowest status of a finding that stops a release: ``warning`` or ``critical``. Findings
            of other checks do not count; less severe ones are reported and stop nothing.
        of_commit: True where only a report that is newer than the last commit counts.
    """

    gate: str
    stops: Mapping[str, Literal["warning", "critical"]]
    of_commit: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Definition:
    """The declaration of a procedure.

    Attributes:
        name: its full name, ``weekly.cache-cleanup``: the module's own name and the function's.
        body: the function; takes a :class:`~.context.Run` and the arguments, and returns a report.
        is_ours: True for a procedure of the suite, False for one of the user's.
        summary: the first line of its docstring.
        cadence: how often it runs by itself; ``None``: it cannot be scheduled.
        stage: its place among procedures that run together.
        unattended: the arguments that it is called with where nobody can be asked: by the schedule, the audit, the
            checklist and the demo.
        in_demo: whether the demo runs it.
        checks: the ids of all checks that its findings can have.
        report: where it keeps its report; ``None``: nowhere.
        writes: the other files that it writes, as :mod:`.own_files` describes them.
        audit: by check of the system audit, the ids of the checks whose findings the audit reuses for it.
        gate: the gate of the release checklist that its report answers.
        settings: the type of its own section of the settings, or where in the suite it is: ``cache.dust:DustSettings``.
        whole: the parameters that leave a run complete with any value: one with ``--accept`` is the month's
            review all the same, one with ``--kind`` is not the week's clean-up.
        converters: per parameter, what makes the procedure's argument of the text given on the command line; all are
            called before anything runs, with the settings and the value.
        requires: called before anything runs, with the settings; raises where the procedure cannot use them.
        consistent: called before anything runs, with all arguments as given; raises where they contradict each other.
        page: the parameter that asks for the report as a page; ``None`` where it has no page.
        repeatable: the parameters that can be given several times.
    """

    name: str
    body: Body
    is_ours: bool = False
    summary: str = ""
    cadence: Cadence | None = "never"
    stage: Stage = Stage.LOOK
    unattended: Mapping[str, Any] = field(default_factory=dict)
    in_demo: bool = False
    checks: frozenset[str] = frozenset()
    report: ReportFile | None = None
    writes: tuple[str, ...] = ()
    audit: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gate: GateSource | None = None
    settings: SectionType | None = None
    whole: frozenset[str] = frozenset()
    converters: Mapping[str, Converter] = field(default_factory=dict)
    requires: Requirement | None = None
    consistent: Consistency | None = None
    page: str | None = None
    repeatable: frozenset[str] = frozenset()

    def __deepcopy__(self, memo: dict[int, Any]) -> Definition:
        """Return it itself: Invoke copies every task at each start, and a declaration never changes."""
        return self

    def require_sound(self) -> None:
        """Raise where the declaration contradicts itself.

        Raises:
            DeclarationError: with every contradiction.
        """
        if problems := [*_problems(self)]:
            raise DeclarationError(f"The declaration of {self.name} cannot be used: {'; '.join(problems)}.")

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the body after its run, by name."""
        _run, *parameters = inspect.signature(self.body).parameters.values()
        return {each.name: each for each in parameters}

    @cached_property
    def changes(self) -> bool:
        """True where a run may change the project: it has a dry run, writes files or is recorded in the history."""
        writes = bool(self.writes) or self.report is not None or self.cadence is not None
        return writes or "dry_run" in self.parameters

    @property
    def takes_as_owner(self) -> bool:
        """True where ``--as-owner`` is a flag that the runner sees to, and none of the procedure's own."""
        return self.changes and AS_OWNER not in self.parameters

    @property
    def section(self) -> str:
        """The name of its own section of the settings: the function's name."""
        return self.name.rpartition(".")[2].replace("-", "_")

    def spelled_out(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return *arguments* with the defaults of all other parameters, so that equal calls compare equal.

        The command line gives an empty list for a repeatable flag that was not used; its default takes that place.

        Raises:
            TypeError: they do not fit the body.
        """
        unused = {name for name in self.repeatable if arguments.get(name) == [] and self._has_default(name)}
        given = {name: value for name, value in arguments.items() if name not in unused}
        signature = inspect.Signature([each.replace(kind=each.KEYWORD_ONLY) for each in self.parameters.values()])
        bound = signature.bind(**given)
        bound.apply_defaults()
        return dict(bound.arguments)

    def _has_default(self, name: str) -> bool:
        return name in self.parameters and self.parameters[name].default is not inspect.Parameter.empty

    def converted(self, arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
        """Return the arguments as the body takes them.

        Raises:
            UsageError: one of them cannot be used, or they contradict each other.
            SettingsError: the procedure cannot use the settings.
        """
        if self.requires is not None:
            self.requires(settings)
        if self.consistent is not None:
            self.consistent(arguments)
        return {
            name: self.converters[name](settings, value) if name in self.converters else value
            for name, value in arguments.items()
        }

    def is_whole(self, settings: Settings, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a run with these arguments does all that a run without any does."""
        parameters = self.parameters

        def is_default(name: str, value: Any) -> bool:
            default, converter = parameters[name].default, self.converters.get(name)
            return bool(value == default or (converter is not None and value == converter(settings, default)))

        return all(
            name in self.whole or (name in parameters and is_default(name, value)) for name, value in arguments.items()
        )


_GATE = re.compile(r"[a-z][a-z0-9-]*")
_CHECK = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")


def _problems(declared: Definition) -> Iterator[str]:
    """Yield what is wrong with a declaration, each as a clause."""
    yield from _parameter_problems(declared)
    if declared.cadence is not None and declared.cadence not in CADENCES:
        yield f"cadence is {declared.cadence!r}; expected one of {', '.join(CADENCES)}, or None"
    yield from _check_problems(declared)


def _parameter_problems(declared: Definition) -> Iterator[str]:
    parameters = declared.parameters
    for what, names in (
        ("unattended", declared.unattended),
        ("whole", declared.whole),
        ("converters", declared.converters),
    ):
        for name in names:
            if name not in parameters:
                yield f"{what} names {name!r}, which is no parameter ({', '.join(parameters) or 'it has none'})"
    required = {name for name, each in parameters.items() if each.default is inspect.Parameter.empty}
    missing = sorted(required - declared.unattended.keys())
    if missing and declared.cadence not in {None, "never"}:
        yield f"it is to run by itself, and {', '.join(missing)} has no default; give it one, or name it in unattended"


def _check_problems(declared: Definition) -> Iterator[str]:
    for check in declared.checks:
        if not _CHECK.fullmatch(check):
            yield f"checks names {check!r}; expected domain.what in small letters, as in links.broken"
    used = [(f"audit[{name!r}]", [*ids]) for name, ids in declared.audit.items()]
    used += [("report", [declared.report.check])] if declared.report else []
    used += [("gate", [*declared.gate.stops])] if declared.gate else []
    for what, ids in used:
        for check in ids:
            if check not in declared.checks:
                yield f"{what} names the check {check!r}, which is not among its checks"
    if declared.gate and not (_GATE.fullmatch(declared.gate.gate) and declared.gate.stops):
        yield f"gate is {declared.gate.gate!r}; expected a name such as links, and a check that stops a release"
    for check, status in declared.gate.stops.items() if declared.gate else ():
        if status not in {"warning", "critical"}:
            yield f"gate stops at {status!r} for {check}; expected warning or critical"


def name_of(module: str, function: str) -> str:
    """Return the full name of the procedure that a function in a module is.

    A function in the ``tasks.py`` of a project (module ``tasks``) has no collection in front: ``link-check``. Nor has
    one that its module is named after: ``demo``.
    """
    own = function.rstrip("_").replace("_", "-")
    collection = "" if module == "tasks" else module.rpartition(".")[2]
    return own if collection in {"", own} else f"{collection}.{own}"
