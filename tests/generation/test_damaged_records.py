"""What is wrong in the file costs only itself."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tasks.generation import damaged_records
from tasks.generation import generation_records as reading
from tasks.generation.generation_tally import Fault, shown

from .conftest import Project, ago, entries, entry, faults, kept

GOOD = json.dumps(entry())
BROKEN = '{"timestamp": "2025-06-02T11:00:00Z", "component": "caption", "duration" 3.2, "success": true, "a": {"b": 1}}'


def test_all_that_is_in_order_is_kept(project: Project) -> None:
    records = project.read([*entries(3), *entries(2, "tags", failed=1)])
    assert kept(records) == {"caption": 3, "tags": 2}
    group = records.tally.groups[2, "tags"]
    assert (group.evaluated, group.succeeded, group.durations.tolist(), group.seconds) == (2, 1, [2.0, 2.0], 4.0)
    assert (records.absent, records.problem, records.truncated) == (None, None, False)
    assert not faults(records)


@pytest.mark.parametrize(
    "text",
    [
        f"[{GOOD}, {BROKEN}, {GOOD}]",
        f"[{BROKEN}, {GOOD}, {GOOD}]",
        f"[{GOOD}, {GOOD}, {BROKEN}]",
        f"[{GOOD}, {GOOD[:50]}, {GOOD}]",
        f"[{GOOD}, {GOOD[:-1]}, {GOOD}]",
        f"[{GOOD} {GOOD}]",
        f"[{GOOD}, {GOOD}]]",
        f"[{GOOD}, {GOOD}] x",
        f"[{GOOD}][{GOOD}]",
        f'{{"entries": [{GOOD}, {GOOD}]',
        f'{{"entries": [{GOOD}, {BROKEN}, {GOOD}]}}',
        f"{GOOD}\n{BROKEN}\n{GOOD}\n",
        f"{GOOD}\n{GOOD[:-9]}\n{GOOD}",
        f"{GOOD} x\n{GOOD}\n",
        f"{BROKEN}\n{GOOD}\n{GOOD}",
        "\0\0\0" + f"{GOOD}\n{GOOD}",
        f"{GOOD}\n\0\0\0\0{GOOD}\n",
        f'[{GOOD}, {{"a": {"[" * 100_000}, {GOOD}]',
        f'[{GOOD}, {{"a": "}},{{"timestamp" {{ , {GOOD}]',
    ],
)
def test_damage_costs_nothing_but_itself(project: Project, text: str) -> None:
    records = project.read(text)
    expected = {"caption": 2}
    assert kept(records) == expected
    if text.endswith(f"{GOOD}]") and "entries" in text:
        assert records.truncated
        assert not faults(records)
    else:
        assert not records.truncated
        assert faults(records) == {Fault.DAMAGED: 1}


def test_damage_is_located_in_bytes(project: Project) -> None:
    text = f'[{{"ü": "é", {GOOD[1:]}, {BROKEN}, {GOOD}]'
    records = project.read(text)
    assert kept(records) == {"caption": 2}
    assert records.tally.faults[Fault.DAMAGED].example == f"byte {text.encode().index(BROKEN.encode())}"


@pytest.mark.parametrize("head", ["[", '{"entries": ['])
@pytest.mark.parametrize(
    "tail", ["", ",", ", ", ", {", ', {"timestamp"', f", {GOOD[:30]}", f", {GOOD[:-1]}", ', {"a": 12', ', {"a": tru']
)
def test_the_entries_before_a_missing_end_count(project: Project, head: str, tail: str) -> None:
    records = project.read(f"{head}{GOOD}, {GOOD}{tail}")
    assert kept(records) == {"caption": 2}
    assert records.truncated
    assert not faults(records)


def test_a_line_that_was_cut_off_at_the_end_is_a_missing_end(project: Project) -> None:
    records = project.read(f"{GOOD}\n{GOOD}\n{GOOD[:-3]}")
    assert kept(records) == {"caption": 2}
    assert records.truncated


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \n\n"])
def test_lines_may_end_in_any_way(project: Project, end: str) -> None:
    records = project.read("\r\n".join([GOOD] * 3) + end)
    assert kept(records) == {"caption": 3}
    assert not records.truncated
    assert not faults(records)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"version": 2, "entries": [{GOOD}], "tail": [1, {{}}]}}\n',
        f"\ufeff[{GOOD}]",
        f"[{GOOD},]",
        f"[{json.dumps(entry(note='}},{', more=[{'a': [{}, {}]}, {'timestamp': 'x'}]))}]",
        f"{GOOD},\n",
        f'[{GOOD[:-1]}, "x": NaN, "y": -Infinity, "z": 1e999}}]',
        f'[{GOOD[:-1]}, "x": "\x00\t\x1b"}}]',
        f'[{GOOD[:-1]}, "x": "\\ud800"}}]',
        f'[{GOOD[:-1]}, "x": {"9" * 5000}}}]',
    ],
)
def test_what_python_reads_and_writes_is_no_damage(project: Project, text: str) -> None:
    records = project.read(text)
    assert kept(records) == {"caption": 1}
    assert not faults(records)
    assert not records.truncated


@pytest.mark.parametrize("place", ["component", "note"])
def test_bytes_that_are_no_utf_8_cost_nothing(project: Project, place: str) -> None:
    odd = json.dumps({**entry(), place: "@"}).encode().replace(b"@", b"\xff\xfe")
    records = project.read(b"[%s, %s, %s]" % (GOOD.encode(), odd, GOOD.encode()))
    assert sum(kept(records).values()) == 3
    assert kept(records).get("\\xff\\xfe", 0) == (place == "component")
    assert not faults(records)


def small_windows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "_HEAD", 300)
    patch.setattr(reading, "PIECE", 4096)
    patch.setattr(damaged_records, "WINDOW", 1024)
    patch.setattr(damaged_records, "LARGEST", 65536)


@pytest.mark.parametrize("score", [0.5, math.nan])
def test_an_entry_of_any_size_up_to_the_limit_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    small_windows(monkeypatch)
    for size, damaged in ((60_000, 0), (300_000, 1)):
        records = project.read([entry(score=score), entry(note="x" * size), entry()])
        assert kept(records) == {"caption": 3 - damaged}
        assert faults(records) == ({Fault.DAMAGED: 1} if damaged else {})
        assert not records.truncated


def test_a_giant_of_many_parts_is_one_damaged_stretch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    giant = entry(parts=[{"n": 1, "s": "{"}] * 10_000)
    records = project.read([entry(), giant, entry()])
    assert kept(records) == {"caption": 2}
    assert faults(records) == {Fault.DAMAGED: 1}


def test_a_giant_after_damage_is_part_of_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    records = project.read(f"[{GOOD}, {BROKEN}, {json.dumps(entry(note='x' * 300_000))}, {GOOD}]")
    assert kept(records) == {"caption": 2}
    assert faults(records) == {Fault.DAMAGED: 1}


def test_damage_that_nothing_follows_is_the_end(project: Project) -> None:
    for tail in (GOOD[:50], "{", '{ "a": {}, {', "x"):
        records = project.read(f"[{GOOD}, {BROKEN}, {tail}")
        assert kept(records) == {"caption": 1}
        assert faults(records) == {Fault.DAMAGED: 1}


def test_a_bomb_of_brackets_is_passed_over(project: Project) -> None:
    records = project.read(f'[{GOOD}, {{"a": {{"b":' + '{"a":' * 400_000 + f", {GOOD}]")
    assert kept(records) == {"caption": 2}
    assert faults(records) == {Fault.DAMAGED: 1}


@pytest.mark.parametrize("score", [1.0, math.nan])
def test_entries_may_be_nested_at_will(project: Project, monkeypatch: pytest.MonkeyPatch, score: float) -> None:
    small_windows(monkeypatch)
    attempts = [{"timestamp": ago(hours=1), "component": "x", "duration": 1, "success": False}] * 3
    records = project.read([entry(attempts=attempts, score=score) for _ in range(50)])
    assert kept(records) == {"caption": 50}
    assert not faults(records)


@pytest.mark.parametrize(
    ("changed", "fault", "numbers"),
    [
        ({"timestamp": ...}, Fault.NO_TIME, (0, 0, 0)),
        ({"timestamp": None}, Fault.NO_TIME, (0, 0, 0)),
        ({"timestamp": "soon"}, Fault.BAD_TIME, (0, 0, 0)),
        ({"timestamp": True}, Fault.BAD_TIME, (0, 0, 0)),
        ({"timestamp": math.nan}, Fault.BAD_TIME, (0, 0, 0)),
        ({"timestamp": ago(minutes=-6)}, Fault.FUTURE, (0, 0, 0)),
        ({"timestamp": ago(minutes=-6), "duration": "x"}, Fault.FUTURE, (0, 0, 0)),
        ({"component": ...}, Fault.NO_COMPONENT, (1, 1, 1)),
        ({"component": ""}, Fault.NO_COMPONENT, (1, 1, 1)),
        ({"component": 7}, Fault.NO_COMPONENT, (1, 1, 1)),
        ({"duration": ...}, Fault.NO_DURATION, (1, 0, 1)),
        ({"duration": None}, Fault.NO_DURATION, (1, 0, 1)),
        ({"duration": -0.001}, Fault.NEGATIVE_DURATION, (1, 0, 1)),
        ({"duration": -math.inf}, Fault.NEGATIVE_DURATION, (1, 0, 1)),
        ({"duration": math.nan}, Fault.IMPOSSIBLE_DURATION, (1, 0, 1)),
        ({"duration": math.inf}, Fault.IMPOSSIBLE_DURATION, (1, 0, 1)),
        ({"duration": 10**400}, Fault.IMPOSSIBLE_DURATION, (1, 0, 1)),
        ({"duration": 1_000_000_001}, Fault.IMPOSSIBLE_DURATION, (1, 0, 1)),
        ({"duration": "3.2"}, Fault.BAD_DURATION, (1, 0, 1)),
        ({"duration": True}, Fault.BAD_DURATION, (1, 0, 1)),
        ({"duration": [1]}, Fault.BAD_DURATION, (1, 0, 1)),
        ({"success": ...}, Fault.NO_SUCCESS, (1, 1, 0)),
        ({"success": None}, Fault.NO_SUCCESS, (1, 1, 0)),
        ({"success": "yes"}, Fault.BAD_SUCCESS, (1, 1, 0)),
        ({"success": 1}, Fault.BAD_SUCCESS, (1, 1, 0)),
        ({"duration": 0}, None, (1, 1, 1)),
        ({"duration": 1_000_000_000}, None, (1, 1, 1)),
        ({"timestamp": ago(minutes=-5)}, None, (1, 1, 1)),
        ({"timestamp": 1_748_862_000}, None, (1, 1, 1)),
        ({"timestamp": 1_748_862_000_500.5}, None, (1, 1, 1)),
        ({"timestamp": "2025-06-02 11:00:00,250+00:00"}, None, (1, 1, 1)),
    ],
)
@pytest.mark.parametrize("spoiled", [False, True])
def test_a_fault_in_an_entry_is_counted(
    project: Project,
    changed: dict[str, Any],
    fault: Fault | None,
    numbers: tuple[int, int, int],
    *,
    spoiled: bool,
) -> None:
    whole = {key: value for key, value in (entry("odd") | changed).items() if value is not ...}
    neighbour = entry(note=math.nan if spoiled else 0)
    records = project.read([neighbour, whole, neighbour])
    assert faults(records) == ({fault: 1} if fault else {})
    groups = [group for (_, name), group in records.tally.groups.items() if name != "caption"]
    assert (
        sum(group.count for group in groups),
        sum(len(group.durations) for group in groups),
        sum(group.evaluated for group in groups),
    ) == numbers
    assert kept(records)["caption"] == 2
    assert kept(records).get("(none)", 0) == (fault is Fault.NO_COMPONENT)


@pytest.mark.parametrize("value", [1, "x", None, True, 1.5, [1, {"timestamp": ago(hours=1)}]])
def test_what_is_no_object_is_no_entry(project: Project, value: object) -> None:
    for text in (json.dumps([entry(), value, entry()]), f"{GOOD}\n{json.dumps(value)}\n{GOOD}\n"):
        records = project.read(text)
        assert faults(records) == {Fault.NO_OBJECT: 1}
        assert kept(records) == {"caption": 2}


def test_only_the_times_of_entries_out_of_the_periods_are_looked_at(project: Project) -> None:
    old = entry("old", "x", success="y", timestamp=ago(days=61))
    records = project.read([old, {"timestamp": ago(days=90)}, entry()])
    assert records.tally.earlier == 2
    assert not faults(records)


@pytest.mark.parametrize(
    ("changed", "fault", "example"),
    [
        ({"timestamp": None}, Fault.NO_TIME, "one of 'odd'"),
        ({"timestamp": "soon"}, Fault.BAD_TIME, "'soon'"),
        ({"timestamp": "2030-01-01T00:00:00Z"}, Fault.FUTURE, "'2030-01-01T00:00:00+00:00'"),
        ({"timestamp": 1_748_862_000, "duration": None}, Fault.NO_DURATION, "that of 1748862000"),
        ({"timestamp": 1_748_862_000, "duration": "x"}, Fault.BAD_DURATION, "'x' at 1748862000"),
        ({"timestamp": 1_748_862_000, "success": None}, Fault.NO_SUCCESS, "that of 1748862000"),
        ({"timestamp": 1_748_862_000, "success": "x"}, Fault.BAD_SUCCESS, "'x' at 1748862000"),
        ({"timestamp": 1_748_862_000, "component": None}, Fault.NO_COMPONENT, "that of 1748862000"),
    ],
)
def test_the_first_of_each_fault_is_an_example(
    project: Project, changed: dict[str, Any], fault: Fault, example: str
) -> None:
    records = project.read([entry("odd") | changed, entry("odd", note=1) | changed | {"component": "other"}])
    assert records.tally.faults[fault].example == example


def test_values_are_shown_short_and_on_one_line() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 1000)) < 50
    assert len(shown({str(n): [n] * 100 for n in range(100)})) < 200
    assert shown(2**63) == shown(-(10**5000)) == "a number out of range"
    assert shown(2**63 - 1) == "9223372036854775807"


def test_names_of_components_are_shown_short_and_on_one_line(project: Project) -> None:
    records = project.read([entry("a\nb\u202e"), entry("x" * 60), entry("y" * 61), entry("y" * 62)])
    assert kept(records) == {"a\\nb\\u202e": 1, "x" * 60: 1, "y" * 59 + "…": 2}
