"""What ``inv --list`` shows, read from top to bottom.

Each collection is a module of thin tasks in this folder; what they call is in the package of its domain
(``logs``, ``cache``, ``providers``, …), and what all of them share in ``core``.
"""

from __future__ import annotations

import sys
from typing import Any

from invoke import Collection, Task

from . import backup, daily, demo, emergency, monthly, quarterly, release, report, schedule, settings, weekly
from .core.errors import DeclarationError
from .core.output import excepthook

excepthook.install()

namespace = Collection(
    demo.demo,
    daily,
    weekly,
    monthly,
    quarterly,
    emergency,
    release,
    backup,
    schedule,
    settings,
    report,
)


def add_to(project: Collection | str, name: str = "") -> Collection:
    """Add the suite to the tasks of a project, at the end of its ``tasks.py``, and keep every one of them.

    Invoke shows a ``tasks.py`` of functions until it has an ``ns`` or a ``namespace``; from then on only that. So an
    import of the suite's namespace hides the functions, and this makes one of both.

    Args:
        project: the project's own collection; or the module's ``__name__``, where its tasks are its functions.
        name: the collection in which the suite is to lie, as in ``maintenance.daily.log-review``; empty: beside the
            project's own tasks.

    Returns:
        The collection, for ``ns`` or ``namespace`` of the module.

    Raises:
        DeclarationError: a task or a collection of the project has the name of one of the suite.
    """
    ns = project if isinstance(project, Collection) else _of_functions(project)
    ours: dict[str, Collection | Task[Any]] = (
        {name: namespace} if name else {**namespace.collections, **namespace.tasks}
    )
    own = {**_named(ns.collections, ns), **_named(ns.tasks, ns)}
    if same := [each for each in ours if ns.transform(each) in own]:
        named = "; ".join(
            f"the project's {_described(own[ns.transform(each)])} and the suite's "
            f"{'task' if isinstance(ours[each], Task) else 'collection'} are both named {each!r}"
            for each in same
        )
        other = "maintenance" if name != "maintenance" else "upkeep"
        raise DeclarationError(
            f"The suite would hide tasks of the project: {named}. "
            f'Give the suite a name of its own in tasks.py: add_to(…, "{other}").'
        )
    for each, part in ours.items():
        if isinstance(part, Task):
            ns.add_task(part, name=each)
        else:
            ns.add_collection(part, name=each)
    return ns


def _of_functions(module: str) -> Collection:
    """Return the collection of a module's tasks, as Invoke makes it of a module without one."""
    return Collection(*(each for each in vars(sys.modules[module]).values() if isinstance(each, Task)))


def _named(parts: Any, ns: Collection) -> dict[str, Collection | Task[Any]]:
    """Return tasks or collections by all their names, aliases included."""
    return {ns.transform(name): parts[name] for name in (*parts, *parts.aliases)}


def _described(part: Collection | Task[Any]) -> str:
    if not isinstance(part, Task):
        return "collection"
    code = getattr(part.body, "__code__", None)
    return "task" if code is None else f"task ({code.co_filename}, line {code.co_firstlineno})"
