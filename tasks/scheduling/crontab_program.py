"""The user's crontab, read and written by the program of that name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..core.errors import UserError
from ..core.programs.processes import KEPT, Ended, run
from ..core.text.formatting import printable

_NONE_YET = re.compile(r"no crontab|No such file", re.IGNORECASE)
"""What the program says where the user has none; BusyBox says it in its own way."""

_SECONDS = 30


def read_table(environ: Mapping[str, str]) -> bytes:
    """Return the user's crontab; empty where there is none.

    Args:
        environ: the environment.

    Raises:
        UserError: the program is missing, or does not say; then nobody may write one either.
    """
    ended = _crontab("-l", environ)
    if not ended.succeeded and not (ended.status and _NONE_YET.search(ended.last_words())):
        raise UserError(f"The crontab cannot be read: {_reason(ended)}. Nothing was changed.")
    if len(ended.output) >= KEPT:
        raise UserError(f"The crontab has {KEPT:,} bytes or more, which is no crontab. Nothing was changed.")
    return ended.output if ended.succeeded else b""


def write_table(table: bytes, environ: Mapping[str, str]) -> None:
    """Make *table* the user's crontab, and see that it is.

    Raises:
        UserError: the program does not take it, or what it holds afterwards is something else.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(table)
        file.flush()
        ended = _crontab(file.name, environ)
    if not ended.succeeded:
        raise UserError(f"The crontab cannot be written: {_reason(ended)}. It is as it was.")
    if read_table(environ) != table:
        raise UserError("The crontab was written and now holds something else. Look at it with crontab -l.")


def _crontab(argument: str, environ: Mapping[str, str]) -> Ended:
    ended = run(["crontab", argument], folder=Path("/"), environ={**environ, "LC_ALL": "C"}, deadline_seconds=_SECONDS)
    if ended.problem is not None:
        raise UserError(
            f"{ended.problem}. Install cron, or use --systemd or --launchd where the machine has one of these."
        )
    return ended


def _reason(ended: Ended) -> str:
    if ended.overdue:
        return f"crontab did not end within {_SECONDS} s"
    return printable(ended.last_words().rstrip(".")) or f"crontab ended with {ended.status}"
