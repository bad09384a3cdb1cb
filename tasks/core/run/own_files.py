"""The files that procedures write, as their declarations name them, so that no reader takes them for the project's.

A declared path begins with the folder that a setting names: ``{logs}``, ``{cache}``, ``{backups}``, or is the setting
``{baseline}``; ``{day}``, ``{month}``, ``{quarter}`` and ``{second}`` stand for the moment of a run, ``*`` for any part
of a name and ``**`` for any path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import DeclarationError
from ..files.lock import LOCK_FILE, SHORT_LOCK_FILE
from ..files.safe_files import ASIDE, TEMPORARY
from ..report.history import FILE as HISTORY
from ..settings.model import Settings
from .definition import Definition, ReportFile

SHARED = (f"{{logs}}/{HISTORY}", "{logs}/schedule/*.json")
"""What running procedures writes for all of them, and what earlier versions wrote."""

_PERIODS = {
    "day": (r"\d{8}", "{:%Y%m%d}"),
    "month": (r"\d{6}", "{:%Y%m}"),
    "second": (r"\d{8}_\d{6}(?:_\d+)?", "{:%Y%m%d_%H%M%S}"),
    "quarter": (r"\d{4}Q[1-4]", ""),
}

_FOLDERS = ("logs", "cache", "backups", "baseline")

_FIELD = re.compile(r"\{(\w+)\}|(\*\*)|(\*)")


def quarter(moment: datetime) -> str:
    """Return the quarter of a moment, ``2026Q4``."""
    return f"{moment.year}Q{(moment.month + 2) // 3}"


def dated(template: str, moment: datetime) -> str:
    """Return a declared path at the moment of a run; the fields of folders stay as they are."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] == "quarter":
            return quarter(moment)
        return _PERIODS[match[1]][1].format(moment) if match[1] in _PERIODS else match[0]

    return _FIELD.sub(replaced, template)


class OwnFiles(NamedTuple):
    """The suite's own files in one project; a file that was set aside under another name counts as well."""

    pattern: re.Pattern[str]

    def owns(self, path: str) -> bool:
        """Tell whether a path below the root is one of them."""
        return self.pattern.fullmatch(path) is not None


def own_files(settings: Settings, templates: Iterable[str]) -> OwnFiles:
    """Return the files that *templates* describe, with locks and temporary files, which lie in any folder.

    Raises:
        DeclarationError: a template has a field that there is not.
    """
    folders = {
        "logs": settings.logs.directory,
        "cache": settings.cache.directory,
        "backups": settings.backups.directory,
        "baseline": settings.configuration.baseline,
    }

    def expression(template: str) -> str:
        parts, end = [], 0
        for match in _FIELD.finditer(template):
            parts.append(re.escape(template[end : match.start()]))
            if match[1] in folders:
                parts.append(re.escape(folders[match[1]]))
            elif match[1] in _PERIODS:
                parts.append(_PERIODS[match[1]][0])
            elif match[1]:
                known = ", ".join([*folders, *_PERIODS])
                raise DeclarationError(f"The path {template!r} has the field {match[1]!r}; expected one of {known}.")
            else:
                parts.append(".*" if match[2] else "[^/]*")
            end = match.end()
        return "".join([*parts, re.escape(template[end:])])

    declared = "|".join(expression(each) for each in dict.fromkeys([*SHARED, *templates]))
    temporary = "|".join(map(re.escape, (LOCK_FILE, SHORT_LOCK_FILE, TEMPORARY)))
    return OwnFiles(re.compile(rf"(?:{declared})(?:{re.escape(ASIDE)}.*)?|(?:.*/)?(?:{temporary})", re.DOTALL))


def report_path(definition: Definition, settings: Settings, moment: datetime) -> ReportFile:
    """Return where a procedure keeps the report of a run, below the root.

    Args:
        definition: its declaration, which must name a report file.
        settings: the project's.
        moment: when the run began.

    Raises:
        TypeError: the declaration names no report file.
    """
    if definition.report is None:
        raise TypeError(f"{definition.name} declares no report file")
    path, check = definition.report
    return ReportFile(f"{settings.logs.directory}/{dated(path, moment)}", check)


def path_problem(template: str) -> str | None:
    """Return what is wrong with a declared path, as the end of a clause; ``None`` where it can be used."""
    if PurePosixPath(template).is_absolute() or {"..", ""} & {*template.split("/")}:
        return "leads elsewhere; expected a path in the folder of logs, cache or backups"
    known = {*_FOLDERS, *_PERIODS}
    unknown = [match[1] for match in _FIELD.finditer(template) if match[1] and match[1] not in known]
    return f"has the field {unknown[0]!r}; expected one of {', '.join([*_FOLDERS, *_PERIODS])}" if unknown else None
