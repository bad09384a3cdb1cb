"""A sentence in the place of a traceback where Invoke itself cannot use the settings.

Invoke reads ``invoke.yaml`` and imports the executor that it names after it has imported ``tasks.py`` and
before it runs anything, and lets what goes wrong there escape. No task is running by then that could catch
it, so this stands at the very end.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from invoke.config import AmbiguousMergeError

from ..errors import DeclarationError, SettingsError

_INSTALLED = "zbeam_maintenance.MaintenanceExecutor"
_COPIED = "tasks.core.run.runner.MaintenanceExecutor"


def install() -> None:
    """Put the hook before the one in place, which still sees everything that is no fault of the settings."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        message = sentence(error, trace) if isinstance(error, Exception) else None  # Ctrl-C is no fault of a file
        if message is None or logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
            before(kind, error, trace)
        if message is not None:
            from ..secrets.redaction import redactor  # what is wrong with a file may quote its lines

            print(f"{redactor()(message)}; nothing was run.", file=sys.stderr)  # noqa: T201 - Python calls this to print
            raise SystemExit(SettingsError.exit_status)

    sys.excepthook = hook


def sentence(error: BaseException, trace: TracebackType | None) -> str | None:
    """Return what is wrong with the settings, on one line; ``None`` where they are not what failed."""
    what = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, DeclarationError):
        return what.rstrip(".")
    if isinstance(error, RecursionError):
        what = "it refers to itself"
    elif isinstance(error, AttributeError):
        what = "it holds no mapping of settings"
    for place, variables in _places(trace):
        if place == ("config.py", "_load_file"):
            return f"The settings file {variables.get('filepath')!r} cannot be read: {what}. Correct it"
        if place == ("config.py", "_merge_file"):
            hint = " A section without anything in it cannot be merged with a filled one of another file; remove it"
            return (
                f"The settings file {variables.get('path')!r} cannot be read: {what}."
                f"{hint if isinstance(error, AmbiguousMergeError) else ' Correct it'}"
            )
        if place == ("env.py", "_to_env_var"):
            name = ".".join(map(str, variables.get("key_path", ())))
            return f"The setting {name} has a name that is no text. Put it in quotes"
        if place == ("program.py", "execute") and "executor" not in variables:
            return (
                f"tasks.executor_class is {variables.get('config_path')!r}, which cannot be imported: {what}. "
                f"It must be {_INSTALLED} where the suite is installed, {_COPIED} in a copy of it"
            )
    return None


def _places(trace: TracebackType | None) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Yield the functions of Invoke that *trace* goes through: file and name, and their variables."""
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        if path.parent.name == "invoke":
            yield (path.name, code.co_name), trace.tb_frame.f_locals
        trace = trace.tb_next
