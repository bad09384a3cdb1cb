"""Which package indexes to ask: those of the settings, of the project's files and of pip's configuration."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Event

from ...core.programs.processes import run
from ..environment import Environment

_SECONDS = 60.0

_OPTIONS = {"-i": "index", "--index-url": "index", "--pypi-url": "index", "--extra-index-url": "extra"}


def index_urls(
    environment: Environment,
    *,
    configured: str,
    options: Iterable[str],
    environ: Mapping[str, str],
    stop: Event | None = None,
) -> list[str]:
    """Return the addresses of the indexes that packages come from; none where none is known.

    The setting comes first, then the project's requirements files, then pip's own configuration (its files and the
    environment), then what pip asks by default, as pip itself has it.

    Args:
        environment: the project's.
        configured: ``dependencies.index_url``; empty: not set.
        options: the lines with options of the requirements files.
        environ: the process's environment.
        stop: ends it early where it is set.
    """
    if configured:
        return [configured]
    of_pip = _urls_of_pip(environment, environ, stop) if environment.index_url else {}
    of_project = _urls_of_option_lines(options)
    main = of_project.get("index") or of_pip.get("index") or [environment.index_url or ""]
    extra = [*of_pip.get("extra", []), *of_project.get("extra", [])]
    return [url for url in (main[-1], *extra) if url]


def _urls_of_option_lines(lines: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        try:
            words = shlex.split(line.replace("=", " ", 1) if line.startswith("--") else line)
        except ValueError:
            continue
        if len(words) > 1 and words[0] in _OPTIONS:
            found.setdefault(_OPTIONS[words[0]], []).append(words[1])
    return found


_KEYS = {"index-url": "index", "extra-index-url": "extra"}
_LEVELS = ("global", "install", ":env:")
"""pip's sections in the order in which they count: a later one takes the place of an earlier one."""


def _urls_of_pip(environment: Environment, environ: Mapping[str, str], stop: Event | None) -> dict[str, list[str]]:
    ended = run(
        [environment.python, "-I", "-B", "-m", "pip", "--disable-pip-version-check", "config", "list"],
        folder=Path("/"),
        environ=environ,
        deadline_seconds=_SECONDS,
        stop=stop,
    )
    found: dict[tuple[str, str], list[str]] = {}
    for line in ended.output.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        level, _, name = key.rpartition(".")
        if level in _LEVELS and name in _KEYS:
            found[level, name] = _split_value(value)
    merged: dict[str, list[str]] = {}
    for level in _LEVELS:
        merged |= {kind: found[level, name] for name, kind in _KEYS.items() if (level, name) in found}
    return merged


def _split_value(value: str) -> list[str]:
    """Return the words of a value that pip shows as Python has it."""
    try:
        return str(ast.literal_eval(value)).split()
    except (ValueError, SyntaxError):
        return []
