"""The sides that several entries on logs share."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .entry import Figure, Side
from .log_files import LogFile, log_path, made
from .log_text import GREP_PATTERN
from .process import Command, Outcome
from .programs import program
from .suite import inv

SETTINGS = {"INVOKE_MAINTENANCE_OUTPUT": "json", "INVOKE_MAINTENANCE_FAIL_ON": "never"}
"""Findings on what the log holds are no failure of the run, and its document says what was done."""

_WINDOW = timedelta(hours=24)
_BLOCK = 1 << 20


def grep(log: LogFile) -> Side:
    """Return the search that people make, in the locale of who runs the benchmark."""

    def problem(_project: Path, outcome: Outcome) -> str | None:
        found, expected = int(outcome.output), log.levels().matching
        return None if found == expected else f"found {found:,} lines of {expected:,}"

    return Side(
        f"grep -cE '{GREP_PATTERN}'",
        log,
        lambda project: Command((program("grep"), "-cE", GREP_PATTERN, log_path(project)), project),
        problem,
    )


def error_monitor(log: LogFile, label: str) -> Side:
    """Return the error monitor at its first visit to a log, which each run finds without what the last one kept."""

    def problem(project: Path, outcome: Outcome) -> str | None:
        report = _report(outcome)
        since = datetime.fromisoformat(report["started"]) - _WINDOW
        least, most = log.levels_since(since.timestamp(), made(project).last)
        for name, low, high in (
            ("errors.error", least.errors, most.errors),
            ("errors.critical", least.criticals, most.criticals),
            ("errors.new_records", least.errors + least.criticals, most.errors + most.criticals),
        ):
            found = metrics(outcome)[name]
            if not low <= found <= high:
                return f"told {found:,.0f} for {name} where there are {low:,} to {high:,} in the window"
        return None if (project / "logs" / "error_tracking.json").is_file() else "kept nothing"

    return Side(
        label, log, lambda project: inv("daily.error-monitor", root=project, settings=SETTINGS), problem, _forget
    )


def _forget(project: Path) -> None:
    """Take away what the error monitor keeps from one visit to the next."""
    (project / "logs" / "error_tracking.json").unlink(missing_ok=True)
    shutil.rmtree(project / "logs" / "alerts", ignore_errors=True)


def rotation(log: LogFile, figure: Callable[[Path, Outcome], Figure] | None = None) -> Side:
    """Return our rotation."""

    def problem(project: Path, _outcome: Outcome) -> str | None:
        archives = [*_archives(project)]
        if len(archives) != 1:
            return f"made {len(archives)} archives of one log"
        if log_path(project).stat().st_size:
            return "left lines in the log"
        return _difference(project, archives[0])

    def command(project: Path) -> Command:
        return inv("weekly.log-rotation", root=project, settings=SETTINGS)

    return Side("inv weekly.log-rotation", log, command, problem, figure=figure)


def packer(log: LogFile, name: str, figure: Callable[[Path, Outcome], Figure] | None = None) -> Side:
    """Return a packer of gzip files by its name, as it comes: in place, not waiting for the disk."""

    def problem(project: Path, _outcome: Outcome) -> str | None:
        return "left the log" if log_path(project).exists() else _difference(project, packed_by_peer(project))

    return Side(name, log, lambda project: Command((program(name), log_path(project)), project), problem, figure=figure)


def packed_by_us(project: Path) -> Path:
    """Return the archive that our rotation made."""
    return next(_archives(project))


def packed_by_peer(project: Path) -> Path:
    """Return the archive that a packer made."""
    log = log_path(project)
    return log.with_name(f"{log.name}.gz")


def _archives(project: Path) -> Iterator[Path]:
    return (project / "logs" / "archive").glob("*/*/*.gz")


def _difference(project: Path, archive: Path) -> str | None:
    """Return how an archive differs from the log; ``None`` where it holds all of it."""
    digest = hashlib.sha256(usedforsecurity=False)
    with gzip.open(archive) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return None if digest.hexdigest() == made(project).sha256 else "the archive does not hold what the log held"


def metrics(outcome: Outcome) -> Mapping[str, float]:
    """Return the metrics of the one procedure that ran, by name."""
    return {metric["name"]: metric["value"] for metric in _report(outcome)["metrics"]}


def _report(outcome: Outcome) -> dict[str, Any]:
    """Return the report of the one procedure that ran, from the run's JSON document."""
    (report,) = json.loads(outcome.output)["reports"]
    return dict(report)
