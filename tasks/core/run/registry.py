"""All procedures that were declared in this process: those of the suite, and the user's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import DeclarationError
from ..settings.declared import declare_gate, declare_section
from .definition import CADENCES, Definition

if TYPE_CHECKING:
    from ..settings.model import Settings
    from .own_files import OwnFiles

_declared: dict[str, Definition] = {}


def register(definition: Definition) -> None:
    """Add a procedure.

    Raises:
        DeclarationError: it contradicts itself, or declares what belongs to another procedure.
    """
    if not definition.is_ours:
        definition.require_sound()  # a test sees to ours, so that `inv` starts faster
    same = _declared.get(definition.name)
    # A module that is loaded again declares its procedures again.
    if same is not None and _place(same) != _place(definition):
        raise DeclarationError(
            f"The procedure {definition.name} is declared twice: in {_place(same)} and in {_place(definition)}. "
            "Give one of the two functions another name."
        )
    if not definition.is_ours:
        others = [each for name, each in _declared.items() if name != definition.name]
        if problems := [*_conflicts(definition, others)]:
            raise DeclarationError(f"The declaration of {definition.name} cannot be used: {'; '.join(problems)}.")
    _declared[definition.name] = definition
    if definition.settings is not None:
        declare_section(definition.section, definition.settings, is_ours=definition.is_ours)
    if definition.gate is not None:
        declare_gate(definition.gate.gate)


def _place(definition: Definition) -> str:
    code = definition.body.__code__
    return f"{code.co_filename}, line {code.co_firstlineno}"


def _conflicts(definition: Definition, others: list[Definition]) -> Iterator[str]:
    """Yield, each as a clause, what a user's procedure declares that belongs to another one."""
    from ..settings.model import GATES
    from .own_files import SHARED, path_problem

    owners = {path: each.name for each in others for path in _written(each)} | dict.fromkeys(SHARED, "the suite itself")
    for path in _written(definition):
        if problem := path_problem(path):
            yield f"the path {path} {problem}"
        elif path in owners:
            yield f"the file {path} belongs to {owners[path]}"
    if definition.gate is not None:
        gates = {each.gate.gate: each.name for each in others if each.gate is not None} | dict.fromkeys(
            GATES, "the suite"
        )
        if definition.gate.gate in gates:
            yield f"the gate {definition.gate.gate} belongs to {gates[definition.gate.gate]}"
    if definition.settings is not None:
        for each in others:
            if each.settings is not None and not each.is_ours and each.section == definition.section:
                yield f"the settings maintenance.own.{definition.section} belong to {each.name}"


def procedures() -> list[Definition]:
    """Return all procedures in the order in which they run together: by stage, cadence, and place of declaration."""
    return sorted(_declared.values(), key=lambda each: (each.stage, CADENCES.index(each.cadence or "never")))


def procedure_named(name: str) -> Definition:
    """Return the procedure of a full name.

    Raises:
        KeyError: there is none.
    """
    return _declared[name]


def scheduled() -> list[Definition]:
    """Return the procedures that can be given a cadence."""
    return [each for each in procedures() if each.cadence is not None]


def closest(name: str, names: Iterator[str] | list[str]) -> str:
    """Return the sentence that suggests the most similar of *names*; empty where none is similar."""
    close = difflib.get_close_matches(name, [*names], n=1)
    return f" Did you mean {close[0]}?" if close else ""


def own_files(settings: Settings) -> OwnFiles:
    """Return the files that the suite and the user's procedures write in a project, to tell them from the project's."""
    from .own_files import own_files as described

    return described(settings, [path for each in _declared.values() for path in _written(each)])


def _written(definition: Definition) -> Iterator[str]:
    yield from definition.writes
    if definition.report is not None:
        yield f"{{logs}}/{definition.report.path}"
