"""``weekly.log-rotation``: every log archived without losing a line, old archives deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from threading import Event

from ...core.files import safe_files
from ...core.files.lock import project_lock, require_writable
from ...core.programs.interrupt import deferred_interrupt
from ...core.report.model import Interrupted, Report
from ...core.run.clock import clock_doubt
from ...core.settings.model import Settings
from ...core.text.formatting import printable
from ..log_folder import find_logs_in
from . import log_filesystem
from .archive_retention import archive_months, expire_archives
from .archive_writer import RotationStopped
from .log_filesystem import Filesystem
from .log_writers import WriterWatch
from .rotate_file import rotate_file
from .rotation_findings import evaluate
from .rotation_outcome import LeftLog, LeftReason, RotatedLog, RotationOutcome
from .rotation_recovery import recover_interrupted
from .rotation_steps import RotationContext, error_reason

TASK = "weekly.log-rotation"


def rotate(
    settings: Settings,
    *,
    now: datetime,
    dry_run: bool = False,
    force: bool = False,
    older_than_days: int | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Archive the project's logs, delete old archives, and report on it.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, report what a run would do.
        force: of a log that is in use archive every complete line, not only whole blocks of the file system.
        older_than_days: takes the place of the configured age of archives; 0 deletes all from before today.
        advance: called with the number of logs looked at since its last call.

    Raises:
        Refused: the root is no folder.
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written.
        Interrupted: Ctrl-C; it carries the report of what was done until then.
    """
    root = Path(settings.root)
    if not root.is_dir():
        raise safe_files.Refused(
            f"The project {printable(root)} does not exist or is no folder. Correct maintenance.root."
        )
    if dry_run:
        require_writable(root)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        days = settings.logs.archive_days if older_than_days is None else older_than_days
        expiry = closed = None
        try:  # first, so that what is freed is there for the new archives
            doubt = clock_doubt(settings, now)
            expiry = expire_archives(root, settings.logs.directory, now, days, doubt=doubt, dry_run=dry_run)
        except (safe_files.Refused, OSError) as error:
            closed = f"Old archives were not looked at: {error_reason(error)}."
        outcome = rotate_logs(root, settings, None, now=now, dry_run=dry_run, force=force, stop=stop, advance=advance)
        if not outcome.missing:
            outcome.expiry, outcome.closed = expiry, outcome.closed or closed
        if expiry and outcome.made:
            expiry.months = archive_months(root, settings.logs.directory)
        outcome.interrupted |= stop.is_set()
    report = evaluate(outcome)
    if outcome.interrupted:
        raise Interrupted(report)
    return report


def rotate_logs(
    root: Path,
    settings: Settings,
    names: Collection[str] | None,
    *,
    now: datetime,
    dry_run: bool = False,
    force: bool = False,
    stop: Event | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> RotationOutcome:
    """Archive logs, after what an interrupted rotation left was finished or undone.

    The caller holds the project's lock, unless it is a dry run.

    Args:
        root: the project.
        settings: the project's: where the logs are.
        names: archive only these logs; ``None``: all.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, say what a run would do.
        force: of a log that is in use archive every complete line.
        stop: set to end the work between two blocks of a log; that log is as it was then.
        advance: called with the number of logs looked at since its last call. Its ``KeyboardInterrupt`` is
            taken as a request to stop.

    Returns:
        What it saw and did; :mod:`.rotation_findings` makes findings and actions of it.
    """
    own = settings.logs
    outcome = RotationOutcome(own.directory, dry_run=dry_run)
    stop = stop or Event()
    try:
        with (
            safe_files.folder(root, own.directory) as logs,
            ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool,
        ):
            device = os.fstat(logs).st_dev
            context = RotationContext(root, own.directory, logs, now, WriterWatch(device), pool, stop)
            filesystem = Filesystem(
                log_filesystem.filesystem_type(device), log_filesystem.collapse_available(), own.allow_copytruncate
            )
            recover_interrupted(context, outcome)
            for name in _logs_to_rotate(context, settings, names, outcome):
                if stop.is_set():
                    break
                _record_result(outcome, rotate_file(context, filesystem, name, force=force, dry_run=dry_run))
                _report_progress(advance, stop)
    except FileNotFoundError:
        outcome.missing = True
    except (safe_files.Refused, OSError) as error:
        outcome.closed = f"Not rotated: {error_reason(error)}."
    except RotationStopped:
        stop.set()
    outcome.interrupted = stop.is_set()
    return outcome


def _logs_to_rotate(
    context: RotationContext, settings: Settings, names: Collection[str] | None, outcome: RotationOutcome
) -> list[str]:
    """Return the names of the logs to archive, and note those that are refused."""
    found = find_logs_in(context.logs, settings)
    outcome.left += [
        LeftLog(name, LeftReason.REFUSED, f"It was left, for it is {reason}.")
        for name, reason in found.refused.items()
        if names is None or name in names
    ]
    outcome.logs = len(found.logs)
    return [log.name for log in found.logs if log.status.st_size and (names is None or log.name in names)]


def _record_result(outcome: RotationOutcome, result: RotatedLog | LeftLog | None) -> None:
    if isinstance(result, LeftLog):
        outcome.left.append(result)
    elif result is not None:
        outcome.rotated.append(result)
        outcome.made.add("/".join(result.archive.rsplit("/", 3)[1:]))


def _report_progress(advance: Callable[[int], None], stop: Event) -> None:
    try:
        advance(1)
    except KeyboardInterrupt:
        stop.set()
