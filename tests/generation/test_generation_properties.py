"""Any record, written in any way and read in pieces of any size, gives what a plain reading of it gives."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.generation import damaged_records
from tasks.generation import generation_records as reading
from tasks.generation.generation_records import Records, read_records
from tasks.generation.generation_tally import Fault
from tasks.generation.record_layout import Layout
from tests.examples import examples

from .conftest import NOW, NOW_SECONDS, periods

SPANS = [timedelta(days=days, microseconds=tick) for days in (30, 60, 0) for tick in (-1, 0, 1)]
MOMENTS = st.one_of(
    st.sampled_from([NOW - span for span in SPANS] + [NOW + timedelta(seconds=300, microseconds=n) for n in (0, 1)]),
    st.timedeltas(timedelta(days=-1), timedelta(days=70)).map(lambda span: NOW - span),
)
ZONES = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (0, 2, -11, 14)])


def _written(moment: datetime, zone: timezone, form: str) -> object:
    local = moment.astimezone(zone)
    match form:
        case "seconds":
            return moment.timestamp()
        case "milliseconds":
            return round(moment.timestamp() * 1000)
        case "naive":
            return moment.astimezone().replace(tzinfo=None).isoformat()
        case "comma":
            return local.isoformat(" ").replace(".", ",")
    return local.isoformat()


TIMES = st.builds(
    _written, MOMENTS, ZONES, st.sampled_from(["iso", "iso", "naive", "comma", "seconds", "milliseconds"])
)
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.sampled_from('},{[]":\\\n é\u2028\U0001f600a'), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b}", '"{']), inner, max_size=3),
    max_leaves=5,
)
CLEAN = st.fixed_dictionaries(
    {
        "timestamp": TIMES,
        "component": st.sampled_from(["caption", "tags", "größe"]),
        "duration": st.floats(0, 1000) | st.integers(0, 1000),
        "success": st.booleans(),
    }
)
MORE = st.dictionaries(st.sampled_from(["note", "attempts", "ü"]), JUNK | st.lists(CLEAN, max_size=2), max_size=2)
ODD = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": TIMES | st.sampled_from([None, "soon", True, math.nan]),
        "component": st.sampled_from(["caption", "", None, 3]),
        "duration": st.floats() | st.sampled_from([None, "1", True, -1, [1]]),
        "success": st.sampled_from([True, False, None, 1, "true"]),
    },
)
ENTRIES = st.one_of(CLEAN, CLEAN, st.builds(lambda *parts: {**parts[1], **parts[0]}, CLEAN, MORE), ODD, JUNK)
FORMS = st.sampled_from(["array", "wrapped", "lines"])
SIZES = ((reading, "PIECE"), (damaged_records, "WINDOW"))
SEPARATORS = st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : "), (",\n", ":")])


def text_of(
    values: list[Any], form: str, indent: int | None, separators: tuple[str, str], *, ascii_only: bool
) -> bytes:
    """Return *values* as Python writes them."""
    if form == "lines":
        text = "\n".join(
            json.dumps(value, ensure_ascii=ascii_only, separators=(", ", separators[1])) for value in values
        )
    else:
        content = values if form == "array" else {"version": 1, "entries": values, "end": [{}]}
        text = json.dumps(content, indent=indent, separators=separators, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


def seconds(value: object) -> float | None:
    """Return the time that a timestamp names, in the plainest way."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return None if not math.isfinite(value) else value / 1000 if value > 1e11 else value
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return None


class Expected:
    """What a plain reading finds."""

    def __init__(self, values: list[Any]) -> None:
        self.groups: defaultdict[tuple[int, str], list[Any]] = defaultdict(lambda: [0, 0, 0, []])
        self.faults: Counter[Fault] = Counter()
        self.earlier = 0
        for value in values:
            self.add(value)

    def add(self, value: Any) -> None:
        """Count one entry."""
        if not isinstance(value, dict):
            self.faults[Fault.NO_OBJECT] += 1
            return
        when = seconds(value.get("timestamp"))
        if when is None:
            self.faults[Fault.NO_TIME if value.get("timestamp") is None else Fault.BAD_TIME] += 1
        elif when > NOW_SECONDS + 300:
            self.faults[Fault.FUTURE] += 1
        elif when < NOW_SECONDS - 60 * 86400:
            self.earlier += 1
        else:
            self.keep(2 if when >= NOW_SECONDS - 30 * 86400 else 1, value)

    def keep(self, period: int, value: dict[str, Any]) -> None:
        """Count one entry of a period."""
        component, duration, success = (value.get(key) for key in ("component", "duration", "success"))
        if not isinstance(component, str) or not component:
            self.faults[Fault.NO_COMPONENT] += 1
            component = "(none)"
        group = self.groups[period, component]
        group[0] += 1
        fault = self.fault_of(duration)
        if fault:
            self.faults[fault] += 1
        else:
            group[3].append(duration)
        if isinstance(success, bool):
            group[1] += 1
            group[2] += success
        else:
            self.faults[Fault.NO_SUCCESS if success is None else Fault.BAD_SUCCESS] += 1

    @staticmethod
    def fault_of(duration: object) -> Fault | None:
        """Return what is wrong with a duration."""
        if duration is None:
            return Fault.NO_DURATION
        if isinstance(duration, bool) or not isinstance(duration, int | float):
            return Fault.BAD_DURATION
        if duration < 0:
            return Fault.NEGATIVE_DURATION
        return Fault.IMPOSSIBLE_DURATION if math.isnan(duration) or duration > 1e9 else None


def check(found: Records, values: list[Any]) -> None:
    """Compare what was read with a plain reading of *values*."""
    expected = Expected(values)
    assert not found.truncated
    assert {fault: noted.count for fault, noted in found.tally.faults.items()} == dict(expected.faults)
    assert found.tally.earlier == expected.earlier
    groups = {
        key: [group.count, group.evaluated, group.succeeded, sorted(group.durations)]
        for key, group in found.tally.groups.items()
    }
    assert groups == {key: [*group[:3], sorted(group[3])] for key, group in expected.groups.items()}
    for key, group in found.tally.groups.items():
        assert group.seconds == pytest.approx(sum(expected.groups[key][3]))


def read(content: bytes) -> Records:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "record.json").write_bytes(content)
        return read_records(Path(folder), "record.json", periods())


def head_of(size: int, real: Callable[[IO[bytes]], tuple[bytes, Layout | None]], file: IO[bytes]) -> Any:
    """Find the layout in all of the file, and give only so many bytes after the beginning of the first entry."""
    head, found = real(file)
    if found is None:
        return head, found
    file.seek(min(found.start + size, len(head)))
    return head[: found.start + size], found


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(CLEAN, max_size=12) | st.lists(ENTRIES, max_size=12),
    FORMS,
    st.fixed_dictionaries(
        {"indent": st.none() | st.integers(0, 4), "separators": SEPARATORS, "ascii_only": st.booleans()}
    ),
    st.tuples(st.integers(1, 500), st.integers(1, 3000), st.integers(1, 500)),
)
def test_any_record_is_read_as_a_plain_reading_finds_it(
    values: list[Any], form: str, style: dict[str, Any], sizes: tuple[int, int, int]
) -> None:
    if form != "array" and not (values and isinstance(values[0], dict) and "timestamp" in values[0]):
        values = [{"timestamp": NOW.isoformat(), "component": "c", "duration": 1, "success": True}, *values]
    content = text_of(values, form, **style)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_head", partial(head_of, sizes[0], reading._head))
        for (module, name), size in zip(SIZES, sizes[1:], strict=True):
            patch.setattr(module, name, size)
        check(read(content), values)
