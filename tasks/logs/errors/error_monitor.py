"""``daily.error-monitor``: groups the errors of all logs and reports each group once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec

from ...core.errors import UsageError
from ...core.files import state_files
from ...core.files.lock import project_lock, require_writable
from ...core.files.safe_files import Refused
from ...core.files.state_files import StateFile
from ...core.programs.interrupt import deferred_interrupt
from ...core.report.model import Interrupted, Report
from ...core.run.clock import clock_doubt
from ...core.settings.model import Settings
from ...core.text.formatting import listed, printable
from ..log_archives import is_interrupted
from ..reading.log_levels import level_finder
from ..reading.log_source import unreadable_reason
from ..reading.log_stream import Cursor
from . import monitor_files
from .critical_patterns import PatternTooSlow, pattern_matcher
from .error_findings import MonitorOutcome, evaluate
from .error_groups import (
    ALERTING,
    ErrorGroup,
    ScannedGroup,
    groups_to_keep,
    is_outdated,
    mark_alerted,
    mute_group,
    new_group,
    resolve_group,
    update_group,
)
from .error_scan import ScanContext, scan_logs, shorten_sample
from .fingerprint import fingerprint

if TYPE_CHECKING:
    from ..rotation.rotation_outcome import RotationOutcome

TASK = "daily.error-monitor"


def watch(
    settings: Settings,
    *,
    now: datetime,
    dry_run: bool = False,
    mutes: Sequence[str] = (),
    until: datetime | None = None,
    resolves: Sequence[str] = (),
    redact: Callable[[str], str] = str,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Read the errors of the window, group them, and tell of what is new, escalating or back again.

    Keeps ``error_tracking.json`` in the log folder and writes an alert beside it where there is something to
    tell. Every record counts once, however often the window is read and whatever rotates between two visits.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: write nothing, report what a run would tell.
        mutes: groups on which no alert is to be written until *until*; the beginning of a name is enough.
        until: the moment until which they are muted.
        resolves: groups that are taken for resolved from now on.
        redact: takes secrets out of what is kept and reported.
        advance: called with the number of records looked at since its last call.

    Raises:
        UsageError: a group that is named is not known, or *mutes* without *until*.
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written.
        Interrupted: Ctrl-C; it carries the report of what was read until then.
    """
    root = Path(settings.root)
    if dry_run:
        require_writable(root)
    with nullcontext() if dry_run else project_lock(root, TASK, now), deferred_interrupt() as stop:
        doubt = clock_doubt(settings, now)
        recovered = None if dry_run else _finish_interrupted_rotation(root, settings, now, stop)
        kept, found = monitor_files.read_tracking(root, settings.logs.directory, now)
        groups = dict(kept.groups)
        _apply_user_states(groups, mutes, until, resolves, now)
        outcome = MonitorOutcome(
            broken=found.problem,
            unkept=None if found.replaceable else found.problem,
            recovered=recovered if recovered and recovered.recovered else None,
            doubt=doubt,
        )
        cursors = _scan_and_update(settings, kept, groups, outcome, now=now, redact=redact, advance=advance, stop=stop)
        outcome.withheld = sum(is_outdated(group, now) for group in groups.values())
        if cursors is not None and not dry_run:
            _write_files(root, settings, outcome, monitor_files.Tracking(groups, cursors, now), found)
    report = evaluate(settings.logs, outcome, now, dry_run=dry_run)
    if stop.is_set():
        raise Interrupted(report)
    return report


def current_groups(
    settings: Settings,
    *,
    now: datetime,
    redact: Callable[[str], str],
    advance: Callable[[int], None],
    stop: Event,
) -> tuple[Mapping[str, ErrorGroup], MonitorOutcome]:
    """Return the groups as a visit at this moment would leave them, and what it would see; nothing is kept.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the visit, aware of its zone.
        redact: takes secrets out of what is reported.
        advance: called with the number of records looked at since its last call.
        stop: ends it early where it is set.
    """
    kept, found = monitor_files.read_tracking(Path(settings.root), settings.logs.directory, now)
    groups = dict(kept.groups)
    outcome = MonitorOutcome(broken=found.problem)
    _scan_and_update(settings, kept, groups, outcome, now=now, redact=redact, advance=advance, stop=stop)
    return groups, outcome


def _scan_and_update(
    settings: Settings,
    kept: monitor_files.Tracking,
    groups: dict[str, ErrorGroup],
    outcome: MonitorOutcome,
    *,
    now: datetime,
    redact: Callable[[str], str],
    advance: Callable[[int], None],
    stop: Event,
) -> dict[str, Cursor] | None:
    """Read the window, and bring *groups* and *outcome* up to date.

    Returns:
        How far each log was read; ``None`` where none could be.
    """
    root = Path(settings.root)
    try:
        since = (now - timedelta(hours=settings.logs.window_hours)).timestamp()
    except OverflowError:
        since = 0.0
    try:
        reader = ScanContext(
            root, level_finder(), pattern_matcher(settings.logs.critical_patterns), since, now, redact, advance, stop
        )
        seen = scan_logs(reader, settings, kept.cursors)
    except PatternTooSlow as error:
        outcome.unusable = f"maintenance.logs.critical_patterns: {error}"
    except FileNotFoundError:
        outcome.missing = True
    except (Refused, OSError) as error:
        outcome.unusable = unreadable_reason(error)
    else:
        outcome.visit = seen
        _update_groups(outcome, groups, _redact_samples(seen.seen, redact), settings.logs.window_hours, now)
        return seen.cursors
    return None


def _finish_interrupted_rotation(root: Path, settings: Settings, now: datetime, stop: Event) -> RotationOutcome | None:
    """Finish or undo a rotation that was killed: until then its lines stand twice."""
    try:
        if not is_interrupted(root, settings.logs.directory):
            return None
    except (Refused, OSError):  # reading the logs tells of it
        return None
    from ..rotation.log_rotation import rotate_logs

    return rotate_logs(root, settings, (), now=now, stop=stop)


def _apply_user_states(
    groups: dict[str, ErrorGroup], mutes: Sequence[str], until: datetime | None, resolves: Sequence[str], now: datetime
) -> None:
    """Set the states that the user asked for."""
    if mutes and until is None:
        raise UsageError("--mute GROUP needs --until DATE, as in --mute 1:9f3c2a7b10d4 --until 2030-01-31.")
    if until is not None and not mutes:
        raise UsageError("--until DATE says until when to mute; name the group with --mute GROUP.")
    if until is not None and until <= now:
        raise UsageError(f"--until takes a date that is still to come; got {until:%Y-%m-%d}.")
    for name in resolves:
        key = _group_key(groups, name)
        groups[key] = resolve_group(groups[key], now)
    for name in mutes:
        key = _group_key(groups, name)
        groups[key] = mute_group(groups[key], until or now)


def _group_key(groups: Mapping[str, ErrorGroup], name: str) -> str:
    """Return the group whose name begins like that, with or without the version in front."""
    if name in groups:
        return name
    found = [key for key in groups if name and (key.startswith(name) or key.partition(":")[2].startswith(name))]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{name!r} is the beginning of {len(found)} groups: {listed(found, len(found))}. Give more of it."
        )
    raise UsageError(
        f"There is no group {name!r} in {monitor_files.TRACKING_FILE}; "
        "inv daily.error-monitor names them. Nothing was changed."
    )


def _redact_samples(seen: Mapping[str, ScannedGroup], redact: Callable[[str], str]) -> dict[str, ScannedGroup]:
    """Return the groups without secrets: the samples, and titles made of what is left of them."""
    groups = {}
    for key, group in seen.items():
        sample = shorten_sample(redact(group.sample))
        message, _, details = sample.partition("\n")
        groups[key] = msgspec.structs.replace(group, sample=sample, title=fingerprint("", message, details).title)
    return groups


def _update_groups(
    outcome: MonitorOutcome,
    groups: dict[str, ErrorGroup],
    seen: Mapping[str, ScannedGroup],
    window_hours: float,
    now: datetime,
) -> None:
    """Bring the groups up to date, and choose those to report."""
    for key in sorted({*groups, *seen}):
        before, here = groups.get(key), seen.get(key)
        if before is not None:
            groups[key] = update_group(before, here, window_hours, now)
        elif here is not None and here.new:
            groups[key] = new_group(here, now)
        else:
            # An earlier run read and reported all of it, and no room was left to remember it; or a rotation has
            # parted its first line from its traceback since.
            continue
        window = here.window if here else 0
        if groups[key].state in ALERTING:
            outcome.alerting[key] = (groups[key], window)
        elif window:
            outcome.known[key] = (groups[key], window)


def _write_files(
    root: Path, settings: Settings, outcome: MonitorOutcome, kept: monitor_files.Tracking, found: StateFile[Any]
) -> None:
    """Write the alert, then what is kept: a run killed between the two tells again rather than never."""
    directory, now = settings.logs.directory, kept.visited
    path = f"{directory}/{monitor_files.ALERT_FOLDER}"
    try:
        if outcome.alerting:
            path = monitor_files.alert_path(root, directory, now)
            monitor_files.write_alert(
                root, path, monitor_files.alert_content(outcome.alerting, settings.logs.window_hours, now)
            )
            outcome.files.append(path)
            for key, (group, window) in outcome.alerting.items():
                kept.groups[key] = mark_alerted(group, window, now)
        path = monitor_files.tracking_path(directory)
        if not found.replaceable:
            return
        groups = dict(groups_to_keep(kept.groups, now, clock_doubted=outcome.doubt is not None))
        content = monitor_files.tracking_content(kept._replace(groups=groups))
        outcome.aside = state_files.write(root, path, content, found)
        outcome.files.append(path)
    except Refused as error:
        outcome.unkept = str(error)
    except OSError as error:
        outcome.unkept = f"{printable(path)} cannot be written: {error.strerror}."
