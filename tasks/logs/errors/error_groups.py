"""Groups of errors and their states: pure, from one run of the monitor to the next.

A group is *new* at its first scan, *ongoing* after that, *escalating* if it is far more frequent than before,
*resolved* when somebody said so or when it was quiet for a week, *regressed* when it comes back after that, and
*muted* until a date if somebody asked for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from ...core.files.state_files import Count
from ...core.report.model import Moment

QUIET = timedelta(days=7)
"""A group without a record for this long counts as resolved, and its last alert as forgotten."""

ESCALATION = 3
"""Times the usual number of records in the window."""

FEWEST = 10
"""Records in the window below which nothing escalates: three after one is no trend."""

_DAYS = 14
"""Days whose numbers are kept per group."""

KEPT_DAYS = 90
"""How long a resolved group is remembered."""

MOST = 2000
"""Groups remembered; beyond that the ones that were seen last stay."""

SAMPLES = 2_000_000
"""Bytes of samples remembered in all: the file must stay small enough to be read again."""


class GroupState(Enum):
    """What a group is, see above."""

    NEW = "new"
    ONGOING = "ongoing"
    ESCALATING = "escalating"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    MUTED = "muted"


ALERTING = (GroupState.NEW, GroupState.ESCALATING, GroupState.REGRESSED)


class ErrorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group as it is kept in ``error_tracking.json``.

    Attributes:
        title: what it is, on one line.
        level: the level of its latest record.
        state: what it was at the last visit.
        first_seen: the time of its first record.
        last_seen: the time of its latest record.
        count: records so far, each counted once.
        days: records by day, ``YYYY-MM-DD``; the last two weeks.
        log: where its latest record stands.
        sample: the first lines of its latest record, without secrets.
        patterns: the critical patterns that it matches.
        alerted: when the last alert on it was written.
        alerted_at: how many records the window held then.
        resolved: when somebody said that it is resolved.
        muted_until: until when no alert is written.
    """

    title: str
    level: str
    state: GroupState
    first_seen: Moment
    last_seen: Moment
    count: Count
    days: dict[str, Count]
    log: str
    sample: str
    patterns: list[str] = []
    alerted: Moment | None = None
    alerted_at: Count = 0
    resolved: Moment | None = None
    muted_until: Moment | None = None


class ScannedGroup(msgspec.Struct, kw_only=True):
    """What one visit saw of a group.

    Attributes:
        title: as above; likewise *level*, *log*, *sample*, *patterns*, those of the latest record.
        first: the time of the earliest record, in seconds since 1970.
        last: the time of the latest record.
        new: records not seen by an earlier visit.
        window: records in the window, seen before or not.
        days: new records by day.
        latest_new: the time of the latest new record.
    """

    title: str
    level: str
    log: str
    sample: str
    patterns: list[str]
    first: float
    last: float
    new: int = 0
    window: int = 0
    days: dict[str, int] = msgspec.field(default_factory=dict)
    latest_new: float | None = None


def new_group(seen: ScannedGroup, now: datetime) -> ErrorGroup:
    """Return a group that is seen for the first time."""
    first = _moment(seen.first, now).isoformat()
    return ErrorGroup(state=GroupState.NEW, count=seen.new, first_seen=first, **_latest(seen, {}, now))


def update_group(before: ErrorGroup, seen: ScannedGroup | None, window_hours: float, now: datetime) -> ErrorGroup:
    """Return a group after a visit.

    Args:
        before: the group as it was.
        seen: what the visit saw of it; ``None`` for nothing.
        window_hours: how long the window is.
        now: the moment of the visit.
    """
    if seen is None or not seen.new:
        return msgspec.structs.replace(before, state=_idle_state(before, now))
    after = msgspec.structs.replace(before, count=before.count + seen.new, **_latest(seen, before.days, now))
    state = _active_state(before, seen, window_hours, now)
    resolved = before.resolved if state is GroupState.RESOLVED else None
    return msgspec.structs.replace(after, state=state, resolved=resolved)


def _latest(seen: ScannedGroup, days: Mapping[str, int], now: datetime) -> dict[str, Any]:
    together = {day: days.get(day, 0) + seen.days.get(day, 0) for day in sorted({*days, *seen.days})}
    oldest = f"{now - timedelta(days=_DAYS):%Y-%m-%d}"
    return {
        "title": seen.title,
        "level": seen.level,
        "log": seen.log,
        "sample": seen.sample,
        "patterns": seen.patterns,
        "last_seen": _moment(seen.last, now).isoformat(),
        "days": {day: number for day, number in together.items() if day >= oldest},
    }


def _moment(seconds: float, now: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, now.tzinfo)


def is_critical(group: ErrorGroup) -> bool:
    """Tell whether a group is critical: by its level, or by a pattern of the settings."""
    return bool(group.patterns) or group.level == "CRITICAL"


def is_muted(group: ErrorGroup, now: datetime) -> bool:
    """Tell whether no alert is to be written on a group."""
    return group.muted_until is not None and now < datetime.fromisoformat(group.muted_until)


def _idle_state(group: ErrorGroup, now: datetime) -> GroupState:
    if group.resolved is not None or now - datetime.fromisoformat(group.last_seen) > QUIET:
        return GroupState.RESOLVED
    return GroupState.MUTED if is_muted(group, now) else GroupState.ONGOING


def _active_state(before: ErrorGroup, seen: ScannedGroup, window_hours: float, now: datetime) -> GroupState:
    """Return the state of a group that has new records."""
    if is_muted(before, now):
        return GroupState.MUTED
    if before.resolved is not None:
        # What was written before somebody said so, and only read now, does not count against it.
        late = seen.latest_new is None or _moment(seen.latest_new, now) > datetime.fromisoformat(before.resolved)
        return GroupState.REGRESSED if late else GroupState.RESOLVED
    if _moment(seen.last, now) - datetime.fromisoformat(before.last_seen) > QUIET:
        return GroupState.REGRESSED
    return (
        GroupState.ESCALATING
        if seen.window >= max(FEWEST, ESCALATION * usual_count(before, window_hours, now))
        else GroupState.ONGOING
    )


def usual_count(group: ErrorGroup, window_hours: float, now: datetime) -> float:
    """Return how many records a window usually holds: by the mean before today, or the number in the last alert."""
    first = datetime.fromisoformat(group.first_seen)
    days = min(max((now.date() - first.date()).days, 0), _DAYS)
    today = f"{now:%Y-%m-%d}"
    mean = sum(number for day, number in group.days.items() if day < today) / days if days else 0.0
    recently_alerted = group.alerted is not None and now - datetime.fromisoformat(group.alerted) < QUIET
    return max(mean * window_hours / 24, group.alerted_at if recently_alerted else 0, 1)


def resolve_group(group: ErrorGroup, now: datetime) -> ErrorGroup:
    """Return the group as resolved at *now*."""
    return msgspec.structs.replace(group, state=GroupState.RESOLVED, resolved=now.isoformat(), muted_until=None)


def mute_group(group: ErrorGroup, until: datetime) -> ErrorGroup:
    """Return the group as muted until then."""
    return msgspec.structs.replace(group, state=GroupState.MUTED, muted_until=until.isoformat(), resolved=None)


def mark_alerted(group: ErrorGroup, window: int, now: datetime) -> ErrorGroup:
    """Return the group after an alert on it, when the window held *window* records."""
    return msgspec.structs.replace(group, alerted=now.isoformat(), alerted_at=window)


def is_outdated(group: ErrorGroup, now: datetime) -> bool:
    """Tell whether a group was resolved so long ago that it is forgotten."""
    is_resolved = group.state is GroupState.RESOLVED and not is_muted(group, now)
    return is_resolved and now - datetime.fromisoformat(group.last_seen) >= timedelta(days=KEPT_DAYS)


def groups_to_keep(
    groups: Mapping[str, ErrorGroup], now: datetime, *, clock_doubted: bool = False
) -> Iterator[tuple[str, ErrorGroup]]:
    """Yield the groups to be kept: none that was resolved long ago, and no more than there is room for.

    Where their samples are too long together, those of the groups seen longest ago go. Where the clock is not believed,
    none is forgotten for its age.
    """
    kept = [(key, group) for key, group in groups.items() if clock_doubted or not is_outdated(group, now)]
    kept.sort(key=lambda item: datetime.fromisoformat(item[1].last_seen), reverse=True)
    room = SAMPLES
    for key, group in kept[:MOST]:
        room -= len(json.dumps(group.sample))
        yield key, group if room >= 0 else msgspec.structs.replace(group, sample="")
