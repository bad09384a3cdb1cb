"""Where the project logs: folders that hold logs, and paths of logs that its sources and settings name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .convention import Convention, Evidence
from .project_files import ProjectFiles

_SOUGHT = "folders named logs or log, and paths that end in .log in sources and settings"

_NAMES = ("logs", "log", "var/log", "var/logs")

_PATH = re.compile(rb"""["']((?:\./)?(?:[\w-]+/)+)[\w.{}%$ -]*\.log["']""")
"""A text that is the path of a log: ``'logs/export.log'``."""

_JOINED = re.compile(rb"""["']([\w-]+)["']\)?\s*[/,]\s*f?["'][\w.{}%$ -]*\.log["']""")
"""A path that is put together: ``Path("logs") / "app.log"``, ``os.path.join("logs", "app.log")``."""

_NAMED = re.compile(
    rb"""(?m)^[ \t]*(?:LOG|log)(?:S|s|GING|ging)?_?"""
    rb"""(?:DIR|dir|DIRECTORY|directory|FOLDER|folder|PATH|path)[ \t]*[:=][ \t]*[^\n"']*["']((?:\./)?[\w/-]+)["']"""
)
"""A name that says it: ``LOG_DIR = Path("logs")``, ``log_folder: "var/log"``."""

_NAMED_HINTS = tuple(f"{each}_".encode() for each in ("log", "LOG", "logs", "LOGS", "logging", "LOGGING"))

_SHOWN = 3
"""Places that are shown of each folder."""


def find_log_folders(files: ProjectFiles) -> Convention[tuple[str, ...]]:
    """Return the folders of logs, those first that are there, then those that are named most often."""
    places: dict[str, list[Evidence]] = {}
    for folder, evidence in (*_present(files), *_mentioned(files)):
        places.setdefault(folder, []).append(evidence)
    order = sorted(places, key=lambda folder: (not (files.root / folder).is_dir(), -len(places[folder]), folder))
    return Convention(
        "log folders",
        _SOUGHT,
        tuple(order) or None,
        ", ".join(order),
        tuple(each for folder in order for each in places[folder][:_SHOWN]),
        setting="maintenance.logs.directory",
    )


def _present(files: ProjectFiles) -> Iterator[tuple[str, Evidence]]:
    for folder in _NAMES:
        path = files.root / folder
        if path.is_symlink() or not path.is_dir():
            continue
        if log := next(_logs(path), None):
            yield folder, Evidence(f"{folder}/{log}")
        elif f"{folder}/.gitkeep" in files.paths:
            yield folder, Evidence(f"{folder}/.gitkeep")


def _logs(folder: Path) -> Iterator[str]:
    try:
        yield from sorted(each.name for each in folder.iterdir() if each.suffix == ".log" and each.is_file())
    except OSError:
        return


def _mentioned(files: ProjectFiles) -> Iterator[tuple[str, Evidence]]:
    for pattern, hints in ((_PATH, (b".log",)), (_JOINED, (b".log",)), (_NAMED, _NAMED_HINTS)):
        for match in files.matches(pattern, (*files.sources, *files.settings), hints):
            folder = PurePosixPath(match.found[1].decode())
            if not folder.is_absolute() and str(folder) != "." and _is_usable(files.root, folder):
                yield str(folder), Evidence(match.path, match.line, match.text)


def _is_usable(root: Path, folder: PurePosixPath) -> bool:
    """Tell whether a folder that is named can be one of logs: there it must be a folder, and none of code."""
    path = root / folder
    return not path.exists() or (path.is_dir() and not path.is_symlink() and not (path / "__init__.py").exists())
