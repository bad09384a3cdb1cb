"""A procedure as Invoke sees it: a task that carries its declaration.

Imported whenever ``inv`` starts, so nothing heavy is imported here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from invoke import Argument, Call, Context, Task, task

from ..errors import DeclarationError
from .definition import AS_OWNER, Cadence, Definition, GateSource, ReportFile, Stage, name_of
from .registry import closest, procedures, register

if TYPE_CHECKING:
    from ..report.model import Report
    from ..settings.declared import SectionType
    from .definition import Consistency, Converter, Requirement

    Body = TypeVar("Body", bound=Callable[..., Report])

_AS_OWNER_HELP = "As root: run as the project's owner, in a child process, where another user can write in it."

_PACKAGE = __name__.partition(".core.")[0]

_TASK_OPTIONS = inspect.signature(Task).parameters.keys() - {"body", "klass"}


class Procedure(Task[Any]):
    """A task whose body takes a :class:`~.context.Run` in the place of Invoke's context and returns a report.

    Our executor calls the body. Any other executor calls the task, which then prints its own report and ends the
    process with its exit status.

    Attributes:
        definition: the declaration.
    """

    definition: Definition

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the flags; a repeatable one must have a value, which Invoke's parser does not see to."""
        arguments = super().get_arguments(ignore_unknown_help)
        for argument in arguments:
            if argument.kind is list:
                argument.raw_value = None  # what the parser takes for "no value given yet"
        if self.definition.takes_as_owner:
            flag = Argument(names=("as-owner",), attr_name=AS_OWNER, kind=bool, default=False, help=_AS_OWNER_HELP)
            arguments.append(flag)
        return arguments

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run alone, under an executor that is not ours; *args* is Invoke's context."""
        from .runner import run_alone

        context: Context = args[0]
        run_alone(Call(self, args=args[1:], kwargs=kwargs), context)


def procedure(  # noqa: D417 - the others are described at Definition
    *,
    cadence: Cadence | None = "never",
    stage: Stage = Stage.LOOK,
    checks: Iterable[str] = (),
    report: ReportFile | None = None,
    writes: Iterable[str] = (),
    audit: Mapping[str, Sequence[str]] | None = None,
    gate: GateSource | None = None,
    settings: SectionType | None = None,
    unattended: Mapping[str, Any] | None = None,
    in_demo: bool | None = None,
    whole: Iterable[str] = (),
    converters: Mapping[str, Converter] | None = None,
    requires: Requirement | None = None,
    consistent: Consistency | None = None,
    page: str | None = None,
    **options: Any,
) -> Callable[[Body], Procedure]:
    """Make a procedure of a function that takes a :class:`~.context.Run` and returns a report.

    What is declared here is the only place for it: the collections, the schedule, the demo, the audit, the checklist,
    the documentation and the list of the suite's own files derive from it. All parameters but those below are
    described at :class:`~.definition.Definition`.

    Args:
        in_demo: whether the demo runs it, as nobody's attendance allows; by default where it is the suite's and runs by
            itself.
        options: those of Invoke's ``@task``: ``help``, ``iterable``, ``default`` …

    Raises:
        DeclarationError: the declaration contradicts itself or another one, or has a word that no task knows.
    """
    if unknown := sorted(options.keys() - _TASK_OPTIONS):
        known = [*inspect.signature(procedure).parameters, *_TASK_OPTIONS]
        raise DeclarationError(
            f"@procedure does not know {', '.join(f'{name}=' for name in unknown)}.{closest(unknown[0], known)}"
        )

    def declared(body: Body) -> Procedure:
        is_ours = body.__module__.partition(".")[0] == _PACKAGE and "." in body.__module__
        shown = (is_ours and cadence not in {None, "never"}) if in_demo is None else in_demo
        definition = Definition(
            name=name_of(body.__module__, body.__name__),
            body=body,
            is_ours=is_ours,
            summary=(body.__doc__ or "").partition("\n")[0],
            cadence=cadence,
            stage=stage,
            unattended=unattended or {},
            in_demo=shown,
            checks=frozenset(checks),
            report=report,
            writes=tuple(writes),
            audit=audit or {},
            gate=gate,
            settings=settings,
            whole=frozenset(whole),
            converters=converters or {},
            requires=requires,
            consistent=consistent,
            page=page,
            repeatable=frozenset(options.get("iterable", ())),
        )
        register(definition)
        made: Procedure = task(klass=Procedure, **options)(body)
        made.definition = definition
        return made

    return declared


def all_of(module: str) -> Task[Any]:
    """Return the default task of a collection, which runs all procedures that its module declares, in their order.

    Args:
        module: the ``__name__`` of the module, which must have declared them by then.
    """
    namespace = vars(sys.modules[module])
    tasks = {each.definition: each for each in namespace.values() if isinstance(each, Procedure)}
    collection = module.rpartition(".")[2]

    def every(_context: Context) -> None:
        pass

    every.__doc__ = f"Run every {collection} procedure (a dry run of all of them: inv --dry {collection})."
    ordered = [tasks[each] for each in procedures() if each in tasks]
    made: Task[Any] = task(name="all", default=True, pre=ordered)(every)
    return made
