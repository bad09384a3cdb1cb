"""Our side: the real ``inv`` in this repository."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from .process import Command, Terminal

REPOSITORY = Path(__file__).resolve().parents[2]
"""Where ``tasks.py`` lies."""

INV = Path(sys.executable).with_name("inv")
"""The ``inv`` of the environment that runs the benchmark."""


def inv(
    *arguments: str,
    root: Path,
    settings: Mapping[str, str] | None = None,
    terminal: Terminal = Terminal.NONE,
) -> Command:
    """Return the command that runs ``inv`` on a project.

    Args:
        arguments: those of ``inv``.
        root: the project.
        settings: further variables of the environment.
        terminal: the streams that are on a terminal.
    """
    environment = {"INVOKE_MAINTENANCE_ROOT": str(root), **(settings or {})}
    return Command((INV, *arguments), REPOSITORY, environment, terminal)
