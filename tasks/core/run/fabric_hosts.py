"""What Fabric's ``fab -H HOST`` hands over: a procedure looks at this machine, and is never to be taken for the host's.

Fabric copies a task per host and gives each copy a connection in the place of a context. Tasks that another one
requires (``pre=``, and so all procedures of ``inv daily``) get none: Fabric runs them here, once. Fabric is known by
the modules of its classes, so that nothing of it is imported.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable

from invoke import Call, Context, Executor

from ..errors import UsageError
from ..text.formatting import printable

_FABRIC = "fabric"


def is_fabrics(thing: object) -> bool:
    """Tell whether the class of a thing, or one that it is derived from, is Fabric's."""
    return any(base.__module__.partition(".")[0] == _FABRIC for base in type(thing).__mro__)


def expanded_by_fabric(executor: Executor, calls: list[Call]) -> list[Call]:
    """Return the calls with those that they require, as Fabric's own executor has them: one per host."""
    fabrics: Executor = sys.modules[_FABRIC].Executor(executor.collection, executor.config, executor.core)
    expanded: list[Call] = fabrics.expand_calls(calls)
    return expanded


def given_hosts(executor: Executor) -> list[str]:
    """Return the hosts that Fabric was given with ``-H``; none where the program is not Fabric's."""
    if not (is_fabrics(executor.config) or is_fabrics(executor)):
        return []
    arguments = getattr(executor.core[0], "args", {}) if executor.core else {}
    hosts = arguments["hosts"].value if "hosts" in arguments else None
    return [host for each in (hosts or "").split(",") if (host := each.strip())]


def calling_executor() -> Executor | None:
    """Return the executor that has called this function, directly or through tasks.

    A task that another one requires does not learn from Fabric that there are hosts, and no task learns from Invoke
    under which name it was called; the executor knows both.
    """
    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, Executor):
            return caller
        frame = frame.f_back
    return None


def hosts_of(executor: Executor | None, context: Context) -> list[str]:
    """Return the hosts that a task is called for: those that its executor was given, or that of its connection."""
    if executor is not None and (hosts := given_hosts(executor)):
        return hosts
    return [str(getattr(context, "host", "another host"))] if is_fabrics(context) else []


def refuse_hosts(hosts: Iterable[str], command: str) -> None:
    """Refuse to run where there are hosts.

    Args:
        hosts: as Fabric has them, ``user@host:port``.
        command: what is to be called on the host.

    Raises:
        UsageError: there are some; the message says how it runs there.
    """
    if names := [printable(host) for host in dict.fromkeys(hosts)]:
        target = names[0] if len(names) == 1 else "HOST"
        address = f"ssh://{target}" if target.count(":") == 1 else target  # with a port
        raise UsageError(
            f"The suite does not run over Fabric's -H yet: it would look at this machine and not at "
            f"{', '.join(names)}. Nothing of it was run. Run it there: ssh {address} 'cd PROJECT && {command}'"
        )
