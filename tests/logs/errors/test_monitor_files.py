from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.logs.errors import monitor_files
from tasks.logs.errors.error_groups import ErrorGroup, GroupState
from tasks.logs.errors.monitor_files import Tracking, read_tracking, tracking_content, tracking_path
from tasks.logs.reading.log_stream import Cursor

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)
GROUP = ErrorGroup(
    title="it broke",
    level="ERROR",
    state=GroupState.MUTED,
    first_seen="2025-06-01T12:00:00+00:00",
    last_seen="2025-06-02T11:00:00+00:00",
    count=7,
    days={"2025-06-01": 3, "2025-06-02": 4},
    log="logs/app.log",
    sample="it broke\n\udcff",
    patterns=["Disk.*full"],
    alerted="2025-06-01T12:30:00+00:00",
    alerted_at=3,
    resolved=None,
    muted_until="2025-07-01T00:00:00+02:00",
)
CURSOR = Cursor(device=1, inode=2, offset=3, head={"3": "ab"}, before={"3": "cd"}, archives=["2025/06/app_1.log.gz"])


def write(root: Path, value: Any) -> None:
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs/error_tracking.json").write_text(json.dumps(value))


def whole() -> dict[str, Any]:
    return tracking_content(Tracking({"1:0123456789ab": GROUP}, {"app.log": CURSOR}, NOW))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, whole())
    kept, found = read_tracking(tmp_path, "logs", NOW)
    assert kept == Tracking({"1:0123456789ab": GROUP}, {"app.log": CURSOR}, NOW)
    assert found.problem is None
    assert list(whole()) == ["schema", "visited", "logs", "groups"]


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    kept, found = read_tracking(tmp_path, "logs", NOW)
    assert kept == Tracking({}, {}, NOW)
    assert (found.problem, found.broken) == (None, False)
    assert tracking_path("var/log") == "var/log/error_tracking.json"


def test_groups_of_other_rules_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, whole())
    monkeypatch.setattr(monitor_files, "VERSION", 2)
    kept, found = read_tracking(tmp_path, "logs", NOW)
    assert kept.groups == {}
    assert kept.cursors == {"app.log": CURSOR}
    assert found.problem is None


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the content with one value changed."""
    tree = whole()
    place: Any = tree
    *parents, last = path.split("/")
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return tree


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("schema", 2, "Invalid enum value 2 - at `$.schema`"),
        ("schema", "1", "Expected `int`, got `str` - at `$.schema`"),
        ("schema", ..., "missing required field `schema`"),
        ("visited", ..., "visited"),
        ("visited", 17, "Expected `datetime`, got `int`"),
        ("visited", "soon", "Invalid RFC3339 encoded datetime"),
        ("groups", [], "Expected `object`, got `array`"),
        ("groups/1:0123456789ab", 7, "Expected `object`, got `int`"),
        ("groups/1:0123456789ab/count", "7", "Expected `int`, got `str`"),
        ("groups/1:0123456789ab/state", "odd", "Invalid enum value 'odd'"),
        ("groups/1:0123456789ab/title", ..., "missing required field `title`"),
        ("groups/1:0123456789ab/last_seen", "soon", "Invalid isoformat"),
        (
            "groups/1:0123456789ab/last_seen",
            "2025-06-02T11:00:00",
            "last_seen is '2025-06-02T11:00:00', without a zone",
        ),
        ("groups/1:0123456789ab/muted_until", "2025-06-02", "muted_until is '2025-06-02', without a zone"),
        ("logs", 7, "Expected `object`, got `int`"),
        ("logs/app.log/offset", -1, "Expected `int` >= 0"),
        ("logs/app.log/offset", 1 << 63, "Expected `int` <= "),
        ("logs/app.log/before", {"many": "ab"}, "Expected `str` that is a name of the expected form"),
        ("logs/app.log/head", {"-5": "ab"}, "Expected `str` that is a name of the expected form"),
    ],
)
def test_what_the_monitor_does_not_write_is_not_believed(tmp_path: Path, path: str, value: Any, problem: str) -> None:
    write(tmp_path, changed(path, value))
    kept, found = read_tracking(tmp_path, "logs", NOW)
    assert kept == Tracking({}, {}, NOW)
    assert found.broken
    assert found.problem is not None
    assert found.problem.startswith("logs/error_tracking.json does not hold what this suite writes: ")
    assert problem in found.problem
    assert found.problem.isprintable()
