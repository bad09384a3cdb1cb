"""A sentence in the place of a traceback where Invoke itself cannot read a settings file.

Invoke reads ``invoke.yaml`` after it has imported ``tasks.py`` and before it runs anything, and lets what
goes wrong there escape. No task is running by then that could catch it, so this stands at the very end.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from .errors import SettingsError

_READERS = {"_load_file": "filepath", "_merge_file": "path"}
"""Functions of ``invoke/config.py`` that handle one file, and their variable with its path."""


def install() -> None:
    """Put the hook before the one in place, which still sees everything that is no settings file."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        path = _file_being_read(trace) if isinstance(error, Exception) else None  # Ctrl-C is no fault of a file
        if path is None or logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
            before(kind, error, trace)
        if path is not None:
            print(sentence(path, error), file=sys.stderr)  # noqa: T201 - Python calls this to print
            raise SystemExit(SettingsError.exit_status)

    sys.excepthook = hook


def sentence(path: str, error: BaseException) -> str:
    """Return what is wrong with the settings file at *path*, on one line."""
    what = " ".join(str(error).split()) or type(error).__name__
    return f"The settings file {path!r} cannot be read: {what}. Correct it; nothing was run."


def _file_being_read(trace: TracebackType | None) -> str | None:
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name in _READERS and code.co_filename.endswith(("invoke/config.py", "invoke\\config.py")):
            return str(trace.tb_frame.f_locals.get(_READERS[code.co_name]))
        trace = trace.tb_next
    return None
