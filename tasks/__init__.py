"""The maintenance suite, as other programs use it.

A project adopts it at the end of its ``tasks.py``: ``ns = add_to(__name__)``, or ``add_to(ns)`` where it has an ``ns``.
Its own procedures use the other names; these are the interface that the changelog speaks of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core.run.context import Run
from .core.run.definition import GateSource, ReportFile, Stage
from .core.run.procedure import procedure
from .namespace import add_to, namespace

if TYPE_CHECKING:
    from .core.report.model import Action, Finding, Metric, Report, Status
    from .core.run.runner import MaintenanceExecutor
    from .core.settings.model import Section

__all__ = [
    "Action",
    "Finding",
    "GateSource",
    "MaintenanceExecutor",
    "Metric",
    "Report",
    "ReportFile",
    "Run",
    "Section",
    "Stage",
    "Status",
    "add_to",
    "namespace",
    "procedure",
]

_LOADED_WHEN_USED = {
    **dict.fromkeys(("Action", "Finding", "Metric", "Report", "Status"), ".core.report.model"),
    "MaintenanceExecutor": ".core.run.runner",
    "Section": ".core.settings.model",
}
"""What takes time to import, which ``inv --list`` need not."""


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LOADED_WHEN_USED[name], __name__), name)
