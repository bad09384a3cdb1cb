"""What the import graph shows: modules that import each other in a circle, and code that could not be read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.report.model import Finding, Status
from ...core.text.formatting import count, printable
from ..audit_checks import CYCLES
from .import_graph import ImportCycle, ImportGraph

_SUBJECT = "imports"
_MOST_UNREAD = 5
_MOST_STEPS = 8

_LITTLE = 10
"""Where more than one in so many imports of the project's own modules is not resolved, a circle may be among them."""


def cycle_findings(graph: ImportGraph, problems: Sequence[str]) -> Iterator[Finding]:
    """Yield the findings: one for each circle, at most those of *graph*, and one for what was not analysed.

    Args:
        graph: what imports what.
        problems: the files and folders that could not be looked at, and why.
    """
    if graph.problem:
        yield CYCLES.finding(
            Status.UNKNOWN,
            _SUBJECT,
            f"The imports could not be analysed: {graph.problem}.",
            "Run the audit again; if it stays so, name the folders of code in maintenance.audit.packages.",
        )
    else:
        yield from _circles(graph)
    if unread := [*problems, *graph.unread]:
        yield _unread(unread)


def _circles(graph: ImportGraph) -> Iterator[Finding]:
    is_little = graph.unresolved * _LITTLE > graph.own
    for number, circle in enumerate(graph.shown):
        yield _circle(circle, graph.cycles, "" if number or is_little else f" {_resolved(graph)}")
    if graph.cycles > len(graph.shown):
        yield CYCLES.finding(
            Status.WARNING,
            _SUBJECT,
            f"{count(graph.cycles - len(graph.shown), 'further circle')} of imports.",
            "Resolve those that are told, then audit again.",
            value=graph.cycles,
            unit="cycles",
        )
    if is_little:
        yield CYCLES.finding(
            Status.UNKNOWN,
            _SUBJECT,
            f"Whether there {'are more circles' if graph.cycles else 'is a circle'} is not known. {_resolved(graph)}",
            "Name the folders of the packages in maintenance.audit.packages, or make the modules that are generated; "
            "`inv settings.conventions` shows the import roots.",
            value=graph.unresolved,
            unit="imports",
        )
    elif not graph.cycles:
        modules, imports = count(graph.modules, "module"), count(graph.imports, "import")
        message = f"{modules} with {imports} and no circle. {_resolved(graph)}"
        yield CYCLES.finding(Status.OK, _SUBJECT, message, value=0, unit="cycles")


def _resolved(graph: ImportGraph) -> str:
    """Return, as a sentence, how many imports of the project's own modules were resolved."""
    if not graph.own:
        return "Nothing imports a module of the project."
    what = f"{count(graph.own, 'import')} of the project's own modules"
    verb = "was" if graph.own == 1 else "were"
    if not graph.unresolved:
        return f"{'All of ' if graph.own > 1 else ''}{what} {verb} resolved."
    return f"{graph.own - graph.unresolved:,} of {what} {verb} resolved; not {printable(graph.example)}, for one."


def _circle(circle: ImportCycle, total: int, coverage: str) -> Finding:
    names = [printable(step.importer) for step in circle.steps]
    places = ", ".join(f"{printable(step.importer)} line {step.line}" for step in circle.steps[:_MOST_STEPS])
    others = circle.size - len(names)
    if len(names) > _MOST_STEPS:
        names[_MOST_STEPS:] = [f"{len(names) - _MOST_STEPS:,} more"]
    more = f" {count(others, 'more module hangs', 'more modules hang')} together with them." if others else ""
    return CYCLES.finding(
        Status.WARNING,
        names[0],
        f"{' → '.join([*names, names[0]])} ({places}).{more}{_deferred(circle)}{coverage}",
        "Move what they share into a module that imports none of them, or turn one import round.",
        value=total,
        unit="cycles",
    )


def _deferred(circle: ImportCycle) -> str:
    """Return, as a sentence, which imports of a circle are made only when a function is called; empty: none."""
    names = [printable(step.importer) for step in circle.steps if step.inside]
    if not names:
        return ""
    shown = ", ".join(names[:_MOST_STEPS])
    return f" The import in {shown} is inside a function; that keeps Python from failing on it."


def _unread(unread: Sequence[str]) -> Finding:
    shown = "; ".join(printable(each) for each in unread[:_MOST_UNREAD])
    rest = len(unread) - _MOST_UNREAD
    return CYCLES.finding(
        Status.UNKNOWN,
        "code",
        f"Not analysed: {shown}{f'; and {rest:,} more' if rest > 0 else ''}.",
        "Repair them or remove them; the rest was analysed.",
        value=len(unread),
        unit="files",
    )
