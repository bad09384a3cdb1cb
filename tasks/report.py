"""The report: what other programs need to know to read it."""

from __future__ import annotations

from invoke import Context, task


@task
def schema(_context: Context) -> None:
    """Print the JSON Schema of what a run prints with output: json."""
    import json
    import sys

    from .core.output.console import emit
    from .core.report.model import schema

    emit(sys.stdout, json.dumps(schema(), indent=2))
