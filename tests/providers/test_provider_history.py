from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.files import safe_files
from tasks.core.report.model import Finding, Status
from tasks.providers.provider_history import (
    ALL,
    LIMIT,
    History,
    Measurement,
    append,
    history_path,
    outdated,
    read,
    record,
)

OWN = "logs/maintenance_history.jsonl"

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIME = NOW.timestamp()
STAMP = NOW.isoformat()

FULL = {
    "timestamp": STAMP,
    "source": "daily.health-check",
    "avg_response_time": 2.0,
    "success_rate": 0.75,
    "providers": {
        "deepseek": {
            "avg_response_time": 1.25,
            "success_rate": 1.0,
            "time_to_first_byte": 0.9,
            "tokens_per_second": 35.5,
            "requests": 1,
            "failures": 0,
            "error": None,
            "model": "deepseek-chat",
        },
        "grok": {
            "avg_response_time": None,
            "success_rate": 0.0,
            "time_to_first_byte": None,
            "tokens_per_second": None,
            "requests": 3,
            "failures": 3,
            "error": "timeout",
            "model": "grok-4",
        },
    },
}


def put(root: Path, content: object) -> Path:
    path = root / "logs/api_performance.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def history(root: Path, *entries: object) -> History:
    put(root, list(entries))
    return read(root, "logs")


def stored(root: Path) -> Any:
    return json.loads((root / "logs/api_performance.json").read_text())


def add(root: Path, entry: dict[str, Any] | None = None, *, now: datetime = NOW, days: int = 400) -> Finding | None:
    return append(root, "logs", entry or FULL, now=now, days=days)


def warned(finding: Finding | None) -> str:
    assert finding is not None
    assert (finding.check, finding.status) == ("providers.history", Status.WARNING)
    assert finding.remedy
    return finding.message


# what is read


def test_an_entry_gives_a_measurement_of_each_provider(tmp_path: Path) -> None:
    assert history(tmp_path, FULL) == History(
        [Measurement(TIME, "deepseek", 1.25, 1.0, 0.9, 35.5), Measurement(TIME, "grok", None, 0.0, None, None)]
    )


@pytest.mark.parametrize("content", [None, b"", b" \n", b"[]", b'{"entries": []}'])
def test_a_missing_or_empty_file_tells_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        put(tmp_path, content)
    assert read(tmp_path, "logs") == History([])


@pytest.mark.parametrize(
    "content", [{"entries": [FULL]}, {"version": 2, "history": [FULL]}, {"entries": 5, "history": [FULL]}]
)
def test_a_list_in_an_object_is_read(tmp_path: Path, content: object) -> None:
    put(tmp_path, content)
    assert len(read(tmp_path, "logs").measurements) == 2


@pytest.mark.parametrize("key", ["avg_response_time", "response_time", "mean_response_time"])
def test_the_response_time_has_three_names(tmp_path: Path, key: str) -> None:
    found = history(
        tmp_path,
        {"timestamp": STAMP, "providers": {"grok": {key: 2.5}}},
        {"timestamp": STAMP, "provider": "grok", key: 3},
        {"timestamp": STAMP, key: 4.5},
    )
    assert found == History(
        [Measurement(TIME, "grok", 2.5), Measurement(TIME, "grok", 3.0), Measurement(TIME, ALL, 4.5)]
    )


def test_the_first_name_that_has_a_value_counts(tmp_path: Path) -> None:
    record = {"avg_response_time": None, "response_time": 2.0, "mean_response_time": 3.0}
    assert history(tmp_path, {"timestamp": STAMP, "providers": {"grok": record}}) == History(
        [Measurement(TIME, "grok", 2.0)]
    )


@pytest.mark.parametrize(
    ("written", "rate"), [(0, 0.0), (0.5, 0.5), (1, 1.0), (1.5, 0.015), (97.5, 0.975), (100, 1.0), (100.5, None)]
)
def test_a_rate_above_one_is_percent(tmp_path: Path, written: float, rate: float | None) -> None:
    found = history(tmp_path, {"timestamp": STAMP, "api": "grok", "time_to_first_byte": 1.0, "success_rate": written})
    assert found.measurements == [Measurement(TIME, "grok", None, rate, 1.0)]
    assert found.odd == (rate is None)


@pytest.mark.parametrize(
    ("flags", "rate"),
    [
        ({"success": True}, 1.0),
        ({"success": False}, 0.0),
        ({"success": False, "status": "ok"}, 0.0),
        ({"success": "yes"}, None),
        ({"status": " OK "}, 1.0),
        ({"status": "healthy"}, 1.0),
        ({"status": "Timeout"}, 0.0),
        ({"status": "error"}, 0.0),
        ({"status": "degraded"}, None),
        ({"status": 200}, 1.0),
        ({"status": 299}, 1.0),
        ({"status": 199}, None),
        ({"status": 300}, 0.0),
        ({"status": 599}, 0.0),
        ({"status": 600}, None),
        ({"status": True}, None),
        ({"status": None}, None),
        ({"success_rate": 0.5, "success": True}, 0.5),
        ({"success_rate": None, "success": True}, 1.0),
    ],
)
@pytest.mark.parametrize("name", ["provider", "api"])
def test_success_or_status_of_one_request(
    tmp_path: Path, name: str, flags: dict[str, object], rate: float | None
) -> None:
    found = history(tmp_path, {"timestamp": STAMP, name: "grok", "tokens_per_second": 9, **flags})
    assert found == History([Measurement(TIME, "grok", None, rate, None, 9.0)])


def test_the_time_of_a_failure_is_no_response_time(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        {"timestamp": STAMP, "api": "grok", "response_time": 30.0, "success": False},
        {"timestamp": STAMP, "api": "grok", "response_time": 30.0, "success_rate": 0.01},
    )
    assert [one.response_time for one in found.measurements] == [None, 30.0]


def test_zero_is_no_response_time(tmp_path: Path) -> None:
    found = history(tmp_path, {"timestamp": STAMP, "api": "grok", "response_time": 0, "success": True})
    assert found == History([Measurement(TIME, "grok", None, 1.0)])


def test_figures_of_all_providers_together(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        {"timestamp": STAMP, "avg_response_time": 2.0, "success_rate": 90, "providers": {}},
        {"timestamp": STAMP, "avg_response_time": 3.0, "providers": ["deepseek", "grok"], "status": "error"},
    )
    assert found == History([Measurement(TIME, ALL, 2.0, 0.9), Measurement(TIME, ALL, 3.0)])


def test_what_measured_nothing_is_not_odd(tmp_path: Path) -> None:
    found = history(
        tmp_path,
        {"timestamp": STAMP, "avg_response_time": None, "success_rate": None, "providers": {}},
        {"timestamp": STAMP, "providers": {"grok": {"avg_response_time": None, "error": "key missing"}}},
        {"timestamp": STAMP, "providers": {"grok": {"avg_response_time": math.nan, "success_rate": math.inf}}},
    )
    assert found == History([])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_no_value_beside_a_value(tmp_path: Path, value: float | None) -> None:
    found = history(
        tmp_path, {"timestamp": STAMP, "providers": {"grok": {"avg_response_time": value, "success_rate": 1.0}}}
    )
    assert found == History([Measurement(TIME, "grok", None, 1.0)])


@pytest.mark.parametrize("value", ["fast", -0.5, True, [1.0], {}, 10**400])
def test_a_figure_that_is_none_makes_the_entry_odd_and_the_rest_counts(tmp_path: Path, value: object) -> None:
    found = history(
        tmp_path, {"timestamp": STAMP, "providers": {"grok": {"avg_response_time": value, "success_rate": 1.0}}}
    )
    assert found == History([Measurement(TIME, "grok", None, 1.0)], odd=1)


@pytest.mark.parametrize(
    "entry",
    [
        5,
        None,
        "text",
        [],
        {},
        {"avg_response_time": 1.0, "api": "grok"},
        {"timestamp": "yesterday", "avg_response_time": 1.0},
        {"timestamp": 1_700_000_000, "avg_response_time": 1.0},
        {"timestamp": "0001-01-01T00:00:00", "avg_response_time": 1.0},
        {"timestamp": STAMP},
        {"timestamp": STAMP, "status": "ok", "cpu": 5},
        {"timestamp": STAMP, "api": "grok", "latency": 5},
        {"timestamp": STAMP, "api": "grok", "status": "degraded"},
        {"timestamp": STAMP, "providers": {"grok": 1.5}},
        {"timestamp": STAMP, "providers": {"grok": {}}},
        {"timestamp": STAMP, "providers": {"grok": {"avg_response_time": "1.5"}}},
    ],
)
def test_an_entry_that_cannot_be_understood_is_counted_and_kept(tmp_path: Path, entry: object) -> None:
    assert history(tmp_path, entry, FULL) == History(history(tmp_path, FULL).measurements, odd=1)
    put(tmp_path, [entry])
    assert add(tmp_path) is None
    assert stored(tmp_path) == [entry, FULL]


def test_an_odd_provider_costs_only_itself(tmp_path: Path) -> None:
    entry = {"timestamp": STAMP, "providers": {"a": 5, "b": {"response_time": 2.0}, "c": "?"}}
    assert history(tmp_path, entry) == History([Measurement(TIME, "b", 2.0)], odd=1)


# times


@pytest.fixture
def _in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_new_york")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T12:00:00+00:00", 0),
        ("2026-11-23T12:00:00Z", 0),
        (" 2026-11-23T13:30:00+01:30\n", 0),
        ("2026-11-23 07:00:00", 0),
        ("2026-11-23T07:00:00.250", 0.25),
        ("2026-11-23 07:00:00,250", 0.25),
        ("2026-11-23T12:00:00.5Z", 0.5),
    ],
)
def test_times_are_read_in_every_spelling(tmp_path: Path, text: str, seconds: float) -> None:
    found = history(tmp_path, {"timestamp": text, "response_time": 1.0})
    assert found == History([Measurement(TIME + seconds, ALL, 1.0)])


# the record of this suite


def recorded(root: Path, *entries: dict[str, Any], now: datetime = NOW) -> None:
    for entry in entries:
        record(root, "logs", entry, now)


def test_what_is_recorded_is_read_again_and_counts_once(tmp_path: Path) -> None:
    recorded(tmp_path, FULL)
    alone = read(tmp_path, "logs")
    assert add(tmp_path) is None
    both = read(tmp_path, "logs")
    assert alone == both == History(history_of_file(tmp_path).measurements, recorded=2)


def history_of_file(root: Path) -> History:
    """Return what the file alone says."""
    (root / OWN).rename(root / "away")
    found = read(root, "logs")
    (root / "away").rename(root / OWN)
    return found


def test_an_entry_that_only_the_file_has_counts(tmp_path: Path) -> None:
    recorded(tmp_path, FULL)
    older = {
        "timestamp": "2026-11-20T07:00:00.25",
        "providers": {
            "grok": {"tests": [{"test": "short", "result": {}}], "avg_response_time": 3.5, "success_rate": 0.5}
        },
    }
    other = {"timestamp": STAMP, "providers": {"mistral": {"response_time": 9.0}}}
    found = history(tmp_path, older, FULL, other)
    assert [(one.provider, one.response_time) for one in found.measurements] == [
        ("deepseek", 1.25),
        ("grok", None),
        ("grok", 3.5),
        ("mistral", 9.0),
    ]
    assert (found.recorded, found.odd) == (2, 0)


def test_two_checks_of_one_moment_are_two(tmp_path: Path) -> None:
    recorded(tmp_path, FULL, FULL)
    assert len(history(tmp_path, FULL, FULL).measurements) == 4
    assert len(history(tmp_path, FULL, FULL, FULL).measurements) == 6


def test_a_measurement_of_nothing_is_none(tmp_path: Path) -> None:
    nothing = {"avg_response_time": None, "success_rate": None, "requests": 0, "failures": 0, "error": "key"}
    recorded(tmp_path, {"source": "s", "providers": {"grok": nothing}})
    assert read(tmp_path, "logs") == History([])


def test_a_file_that_is_gone_or_broken_takes_nothing_from_the_record(tmp_path: Path) -> None:
    recorded(tmp_path, FULL)
    assert len(read(tmp_path, "logs").measurements) == 2
    put(tmp_path, b"{")
    found = read(tmp_path, "logs")
    assert (len(found.measurements), found.recorded, "no valid JSON" in str(found.problem)) == (2, 2, True)


def test_damage_of_the_record_is_counted_and_the_file_is_read(tmp_path: Path) -> None:
    recorded(tmp_path, FULL)
    with (tmp_path / OWN).open("ab") as file:
        file.write(b"\x00\n")
    recorded(tmp_path, FULL, now=NOW + timedelta(hours=1))
    found = read(tmp_path, "logs")
    assert (len(found.measurements), found.unreadable, found.closed) == (4, 1, None)
    (tmp_path / OWN).unlink()
    (tmp_path / OWN).symlink_to(tmp_path)
    found = history(tmp_path, FULL)
    assert (len(found.measurements), found.recorded) == (2, 0)
    assert "is a symbolic link" in str(found.closed)
    recorded(tmp_path, FULL)  # what cannot be recorded is no error


# what is written


def test_the_first_entry_makes_folder_and_file(tmp_path: Path) -> None:
    assert history_path("logs") == "logs/api_performance.json"
    assert add(tmp_path) is None
    assert stored(tmp_path) == [FULL]
    assert os.listdir(tmp_path / "logs") == ["api_performance.json"]  # noqa: PTH208 - names are enough


def test_entries_are_added_at_the_end_a_line_each(tmp_path: Path) -> None:
    for hour in range(3):
        assert add(tmp_path, {**FULL, "timestamp": (NOW + timedelta(hours=hour)).isoformat()}) is None
    lines = (tmp_path / "logs/api_performance.json").read_text().splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("[", 5, "]")
    found = read(tmp_path, "logs")
    assert [one.time - TIME for one in found.measurements] == [0, 0, 3600, 3600, 7200, 7200]


@pytest.mark.parametrize("key", ["entries", "history"])
def test_an_object_stays_an_object_with_what_else_it_holds(tmp_path: Path, key: str) -> None:
    content = {"version": 2, key: [{"odd": "ü"}], "nested": {"entries": [1]}}
    put(tmp_path, content)
    assert add(tmp_path) is None
    assert stored(tmp_path) == {**content, key: [{"odd": "ü"}, FULL]}
    assert list(stored(tmp_path)) == list(content)


def test_values_as_python_writes_them_stay(tmp_path: Path) -> None:
    text = b'[{"timestamp": "?", "a": NaN, "b": Infinity, "c": 12345678901234567890123, "d": "\\ud800", "e": 0.1}]'
    put(tmp_path, text)
    assert add(tmp_path) is None
    assert text.strip(b"[]").decode() in (tmp_path / "logs/api_performance.json").read_text()


def at(days: float) -> dict[str, object]:
    return {"timestamp": (NOW - timedelta(days=days)).isoformat(), "response_time": 1.0}


def test_entries_of_more_than_so_many_days_are_dropped(tmp_path: Path) -> None:
    odd: list[object] = [{"timestamp": "?"}, 5]
    just, old, future = at(30), at(30 + 1e-5), at(-5000)
    put(tmp_path, [old, *odd, just, at(5000), future, at(29)])
    assert add(tmp_path, days=30) is None
    assert stored(tmp_path) == [*odd, just, future, at(29), FULL]


def test_no_days_leave_the_new_entry(tmp_path: Path) -> None:
    put(tmp_path, [at(1e-5), at(0)])
    assert add(tmp_path, days=0) is None
    assert stored(tmp_path) == [at(0), FULL]


def test_a_new_entry_stays_however_old_it_says_it_is(tmp_path: Path) -> None:
    assert add(tmp_path, at(50), days=30) is None
    assert stored(tmp_path) == [at(50)]


def test_the_age_counts_whatever_zone_now_is_in(tmp_path: Path) -> None:
    put(tmp_path, [at(30), at(30 + 1e-5)])
    assert add(tmp_path, now=NOW.astimezone(timezone(timedelta(hours=-9))), days=30) is None
    assert stored(tmp_path) == [at(30), FULL]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'[{"timestamp": "2026-11', "is no valid JSON"),
        (b"\x00\xff\xfe", "is no valid JSON"),
        (b"[" * 100_000, "is no valid JSON"),
        (b'"text"', "holds no JSON list of entries"),
        (b'{"entries": 5}', "holds no JSON list of entries"),
        (b"{}", "holds no JSON list of entries"),
    ],
)
def test_a_file_that_cannot_be_used_is_kept_aside(tmp_path: Path, content: bytes, why: str) -> None:
    path = put(tmp_path, content)
    found = read(tmp_path, "logs")
    assert (found.measurements, found.odd) == ([], 0)
    assert f"logs/api_performance.json {why}" in str(found.problem)
    assert path.read_bytes() == content
    message = warned(add(tmp_path))
    assert message == f"{found.problem} It was kept as logs/api_performance.json.broken-1 and a new one begun."
    assert path.with_name("api_performance.json.broken-1").read_bytes() == content
    assert stored(tmp_path) == [FULL]
    assert add(tmp_path) is None


@pytest.mark.parametrize("kind", ["link", "hard link", "folder", "large"])
def test_what_is_not_believed_is_kept_aside_and_not_read(tmp_path: Path, kind: str) -> None:
    target, path = tmp_path / "elsewhere.json", tmp_path / "logs/api_performance.json"
    target.write_text("[]")
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(target)
    elif kind == "hard link":
        path.hardlink_to(target)
    elif kind == "folder":
        path.mkdir()
    else:
        put(tmp_path, b"")
        os.truncate(path, LIMIT + 1)
    problem = read(tmp_path, "logs").problem
    assert problem is not None
    assert ("has 50,000,001 bytes, more than the 50,000,000 expected" in problem) is (kind == "large")
    assert warned(add(tmp_path)) == f"{problem} It was kept as logs/api_performance.json.broken-1 and a new one begun."
    assert stored(tmp_path) == [FULL]
    assert target.read_text() == "[]"


def test_by_a_clock_that_is_not_believed_no_entry_is_dropped(tmp_path: Path) -> None:
    put(tmp_path, [at(900), at(401), at(399), at(-5)])
    assert outdated(tmp_path, "logs", now=NOW, days=400) == 2
    append(tmp_path, "logs", FULL, now=NOW, days=400, clock_doubted=True)
    assert stored(tmp_path) == [at(900), at(401), at(399), at(-5), FULL]
    append(tmp_path, "logs", FULL, now=NOW, days=400)
    assert stored(tmp_path) == [at(399), at(-5), FULL, FULL]
    assert outdated(tmp_path, "logs", now=NOW, days=400) == 0


def test_a_folder_that_cannot_be_opened(tmp_path: Path) -> None:
    name = "x" * 300
    assert f"{name}/api_performance.json cannot be read: File name too long." in str(read(tmp_path, name).problem)
    finding = append(tmp_path, name, FULL, now=NOW, days=400)
    assert "cannot be read" in warned(finding)


@pytest.mark.parametrize("content", [b"[]", b"{"])
def test_a_file_that_cannot_be_written_stays(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, content)
    (tmp_path / "logs/.maintenance-tmp").mkdir()  # the place of the temporary file is taken
    assert "logs/api_performance.json cannot be written: " in warned(add(tmp_path))
    assert path.read_bytes() == content


def test_a_folder_on_the_way_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "logs").symlink_to("other")
    assert "logs is a symbolic link" in warned(add(tmp_path))
    assert not list((tmp_path / "other").iterdir())


def test_a_link_that_comes_while_it_is_read_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, [])
    real = safe_files.write

    def write(*arguments: Any, **options: Any) -> str | None:
        path.unlink()
        path.symlink_to("elsewhere")
        return real(*arguments, **options)

    monkeypatch.setattr(safe_files, "write", write)
    assert "is not a regular file and is not replaced" in warned(add(tmp_path))
    assert path.is_symlink()


def test_what_is_nested_too_deeply_is_not_written(tmp_path: Path) -> None:
    path = put(tmp_path, [FULL])
    before = path.read_bytes()
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "nested too deeply" in warned(add(tmp_path, {**FULL, "deep": deep}))
    assert path.read_bytes() == before


def test_names_are_shown_printable(tmp_path: Path) -> None:
    (tmp_path / "lo\ngs").mkdir()
    (tmp_path / "lo\ngs/api_performance.json").write_text("{")
    finding = append(tmp_path, "lo\ngs", FULL, now=NOW, days=400)
    assert "\n" not in warned(finding)
    assert finding is not None
    assert finding.subject == "lo\\ngs/api_performance.json"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["timestamp", "providers", "api", "avg_response_time", "success_rate", "status", "x"]),
            inner | st.just(STAMP),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(entries=st.lists(VALUES, max_size=5), frame=st.sampled_from([None, "entries", "history"]))
def test_whatever_it_holds_is_read_and_stays(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Any], frame: str | None
) -> None:
    root = tmp_path_factory.mktemp("any")
    put(root, entries if frame is None else {frame: entries})
    found = read(root, "logs")
    assert found.problem is None
    assert found.odd <= len(entries)
    for one in found.measurements:
        figures = [figure for figure in one[2:] if figure is not None]
        assert figures
        assert all(math.isfinite(figure) and figure >= 0 for figure in figures)
        assert one.success_rate is None or one.success_rate <= 1
    assert add(root) is None
    after = stored(root) if frame is None else stored(root)[frame]
    assert repr(after) == repr([*json.loads(json.dumps(entries)), FULL])
