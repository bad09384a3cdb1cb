"""``daily.log-review``: levels and sizes of every log, the latest errors, and rotation of what grew too large."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ...core.files import state_files
from ...core.files.disk_usage import usage_by_entry
from ...core.files.lock import project_lock, require_writable
from ...core.files.safe_files import Refused
from ...core.files.state_files import StateFile
from ...core.programs.interrupt import deferred_interrupt
from ...core.report.history import append_sizes
from ...core.report.history_entries import Sizes
from ...core.report.model import Interrupted, Report
from ...core.settings.model import LogSettings, Settings
from ...core.text.formatting import printable
from ..log_archives import FOLDER, is_interrupted
from ..log_folder import find_logs
from ..reading.log_levels import Level, level_finder
from ..reading.log_source import unreadable_reason
from ..reading.log_stream import ArchivedPart, archives_by_log
from . import review_history
from .level_counts import CountContext, count_log, record_at
from .review_findings import RecentError, ReviewedLog, ReviewOutcome, evaluate

TASK = "daily.log-review"

_MEGABYTE = 1_000_000

_SHOWN = 300
"""Characters of a message that are shown."""


def review(
    settings: Settings,
    *,
    now: datetime,
    dry_run: bool = False,
    since: datetime | None = None,
    lowest: Level = Level.WARNING,
    archives: bool = False,
    redact: Callable[[str], str] = str,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Review the project's logs and rotate those that are larger than the limit.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, report what a run would do.
        since: only records from then on count; ``None`` for all.
        lowest: the lowest level that counts.
        archives: count what is in the archives as well.
        redact: takes secrets out of the messages that are shown.
        advance: called with the number of bytes looked at since its last call.

    Raises:
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written.
        Interrupted: Ctrl-C; it carries the report of what was read until then.
    """
    root = Path(settings.root)
    if dry_run:
        require_writable(root)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        outcome = ReviewOutcome(settings.logs.directory, since=since, lowest=lowest, dry_run=dry_run)
        began = None if since is None else since.timestamp()
        reader = CountContext(root, level_finder(), lowest, settings.logs.recent_errors, began, advance, stop)
        try:
            if not dry_run:
                _finish_interrupted_rotation(root, settings, outcome, reader, now)
            last, kept = review_history.read_history(root, settings.logs.directory)
            outcome.broken = kept.problem
            outcome.unkept = None if kept.replaceable else kept.problem
            sizes = _measure_logs(root, settings, last, outcome, archives=archives)
            _count_levels(reader, outcome)
            outcome.recent = [*_recent_errors(reader, outcome, redact)]
            if not stop.is_set():
                _rotate_large_logs(reader, settings, [*_logs_over_limit(sizes, settings.logs)], outcome, now)
                if not dry_run:
                    # Not ended by *stop*: a total that was cut short would look like a clean-up.
                    total = usage_by_entry(root / settings.logs.directory).total()
                    content = review_history.history_content(last.totals, sizes, now)
                    _write_history(root, settings.logs.directory, outcome, content, kept)
                    append_sizes(root, settings.logs.directory, Sizes(moment=now, source=TASK, held={"logs": total}))
        except FileNotFoundError:
            outcome.missing = True
        except (Refused, OSError) as error:
            outcome.unusable = unreadable_reason(error)
        outcome.interrupted = stop.is_set()
    report = evaluate(outcome)
    if outcome.interrupted:
        raise Interrupted(report)
    return report


def _finish_interrupted_rotation(
    root: Path, settings: Settings, outcome: ReviewOutcome, reader: CountContext, now: datetime
) -> None:
    """Finish or undo a rotation that was killed: until then its lines stand twice."""
    with suppress(Refused, OSError):  # measuring the logs tells of it
        if is_interrupted(root, settings.logs.directory):
            from ..rotation.log_rotation import rotate_logs

            outcome.rotation = rotate_logs(root, settings, (), now=now, stop=reader.stop)


def _measure_logs(
    root: Path, settings: Settings, last: review_history.LastReview, outcome: ReviewOutcome, *, archives: bool
) -> dict[str, review_history.LogSize]:
    """Note which logs there are, with their growth, and return their sizes by name.

    Raises:
        FileNotFoundError: there is no log folder.
        Refused, OSError: it cannot be opened.
    """
    directory = settings.logs.directory
    found = find_logs(root, settings)
    outcome.refused = found.refused
    packed: dict[str, list[ArchivedPart]] = {}
    try:
        packed = archives_by_log(root, directory)
    except (Refused, OSError) as error:
        outcome.refused[FOLDER] = unreadable_reason(error)
    sizes = {}
    for log in found.logs:
        size = sizes[log.name] = review_history.LogSize(bytes=log.status.st_size, inode=log.status.st_ino)
        grown = review_history.log_growth(last.sizes.get(log.name), size, packed.get(log.name, ()), last.reviewed)
        outcome.logs.append(ReviewedLog(f"{directory}/{log.name}", size.bytes, grown))
    if archives:
        outcome.logs += [ReviewedLog(each.path, each.size, None) for parts in packed.values() for each in parts]
    return sizes


def _count_levels(reader: CountContext, outcome: ReviewOutcome) -> None:
    for log in outcome.logs:
        if reader.stop.is_set():
            return
        log.counted = count_log(reader, log.path)


def _logs_over_limit(sizes: dict[str, review_history.LogSize], settings: LogSettings) -> Iterator[str]:
    yield from (name for name, size in sizes.items() if size.bytes > settings.rotate_over_mb * _MEGABYTE)


def _rotate_large_logs(
    reader: CountContext, settings: Settings, names: Sequence[str], outcome: ReviewOutcome, now: datetime
) -> None:
    if names:
        from ..rotation.log_rotation import rotate_logs

        root = reader.root
        recovered = outcome.rotation.recovered if outcome.rotation else []
        outcome.rotation = rotate_logs(root, settings, names, now=now, dry_run=outcome.dry_run, stop=reader.stop)
        outcome.rotation.recovered[:0] = recovered


def _write_history(
    root: Path, directory: str, outcome: ReviewOutcome, content: dict[str, Any], kept: StateFile[Any]
) -> None:
    path = review_history.history_path(directory)
    if not kept.replaceable:
        return
    try:
        outcome.aside = state_files.write(root, path, content, kept)
        outcome.files.append(path)
    except Refused as error:
        outcome.unkept = str(error)
    except OSError as error:
        outcome.unkept = f"{printable(path)} cannot be written: {error.strerror}."


def _recent_errors(reader: CountContext, outcome: ReviewOutcome, redact: Callable[[str], str]) -> Iterator[RecentError]:
    """Yield the latest errors of all logs, newest last."""
    places = heapq.nlargest(reader.recent, (place for each in outcome.logs for place in each.counted.latest))
    for place in reversed(places):
        record = record_at(reader, place)
        if record is not None:
            # Of all its lines secrets are taken out, for one of a private key tells nothing of what it is.
            raised = redact(record.details).rstrip().rpartition("\n")[2].strip()
            yield RecentError(place, record.level, redact(record.message)[:_SHOWN], raised[:_SHOWN])
