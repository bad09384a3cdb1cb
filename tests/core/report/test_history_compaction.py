"""What stays of a history that has grown too large."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tasks.core.files import safe_files
from tasks.core.report import history_compaction, history_entries
from tasks.core.report.history import append, scan
from tasks.core.report.history_compaction import Ages, compact, kept
from tasks.core.report.history_entries import (
    Benchmarks,
    Entry,
    Figure,
    Line,
    ProviderMeasurement,
    Run,
    Sizes,
    encoded,
    lines,
)
from tasks.core.report.model import Status

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=1)))
PATH = "logs/maintenance_history.jsonl"
AGES = Ages(runs=400, measurements=100)
ENDLESS = 10**12
KINDS = (Run, ProviderMeasurement, Sizes, Benchmarks)


def run(
    ago: float, task: str = "daily.one", *, reason: str | None = None, whole: bool = True, used: float | None = None
) -> Run:
    began = NOW - timedelta(days=ago)
    figures = () if used is None else (Figure("disk.used_bytes", ".", used, "B"), Figure("a.share", ".", ago, "share"))
    return Run(
        task=task,
        began=began,
        ended=began,
        status=Status.OK,
        duration_seconds=ago,
        whole=whole,
        reason=reason,
        figures=figures,
    )


def asked(ago: float, provider: str = "deepseek") -> ProviderMeasurement:
    return ProviderMeasurement(moment=NOW - timedelta(days=ago), source="s", provider=provider)


def held(ago: float, size: float) -> Sizes:
    return Sizes(moment=NOW - timedelta(days=ago), source="s", held={"cache": size})


def measured(ago: float, identity: str = "here") -> Benchmarks:
    moment = NOW - timedelta(days=ago)
    return Benchmarks(moment=moment, identity=identity, processor="p", processors=1, python="3", seconds={})


def left(entries: Sequence[Entry], target: int = ENDLESS, ages: Ages = AGES) -> list[Entry]:
    """Return which of the entries stay; each is a line of 100 bytes."""
    found = [Line(100 * place, 100, entry) for place, entry in enumerate(entries)]
    return [entries[place.offset // 100] for place in kept(found, ages, target)]


def test_entries_of_their_age_stay_and_older_ones_go() -> None:
    young: list[Entry] = [run(399), asked(99), held(399, 1), run(400), asked(100), run(0)]
    old: list[Entry] = [asked(100.01), asked(101, "grok"), held(400.01, 1), run(403), run(400.01)]
    assert left([*old, *young]) == young


def test_the_last_of_each_month_of_a_procedure_stays() -> None:
    monthly = [run(500 - 30 * month) for month in range(3)]
    others: list[Entry] = [held(440, 1), run(1), run(0)]
    assert left([run(501), monthly[0], run(471), *monthly[1:], *others]) == [*monthly, *others]


def test_the_last_run_and_the_last_attempt_of_each_procedure_stay_at_any_size() -> None:
    entries: list[Entry] = [
        run(3000, "quarterly.a"),
        run(2999, "quarterly.a", reason="No room."),
        run(2998, "quarterly.a", whole=False),
        run(2997, "quarterly.b"),
        measured(2996, "there"),
        measured(2995),
        run(2, "quarterly.b"),
        asked(1),
        run(0),
    ]
    essential = [entries[0], entries[1], entries[4], entries[5], entries[6], entries[8]]
    assert left(entries, target=0) == essential
    assert left(entries, target=700) == [*entries[:2], *entries[4:]]


def test_too_large_by_a_byte_costs_the_oldest_line() -> None:
    entries: list[Entry] = [asked(3), asked(2), asked(1), run(0)]
    assert left(entries, target=400) == entries
    assert left(entries, target=399) == entries[1:]
    assert left(entries, target=200) == entries[2:][-2:]


def test_of_an_older_day_the_last_run_and_those_with_the_highest_sizes_stay() -> None:
    day = [run(40 + 0.1, used=1), run(40 + 0.05, used=9), run(40 + 0.02, used=9), run(40, used=2), run(40, "daily.two")]
    sizes = [held(40.1, 3), held(40.05, 7), held(40, 5)]
    recent = [run(30.1, used=1), run(30.05, used=1), run(0)]
    entries: list[Entry] = [*day, *sizes, *recent]
    assert left(entries) == entries
    assert left(entries, target=len(entries) * 100 - 1) == [day[1], *day[3:], *sizes[1:], *recent]


def test_measurements_of_providers_are_not_thinned() -> None:
    entries: list[Entry] = [asked(40.1), asked(40), run(40.1), run(40), run(0)]
    assert left(entries, target=499) == [*entries[:2], *entries[3:]]


def test_what_is_torn_goes_and_what_is_not_understood_stays_until_there_is_no_room() -> None:
    found = [
        Line(0, 10, None, is_torn=True),
        Line(10, 10, None, is_damaged=True),
        Line(20, 10, None),
        Line(30, 10, run(0)),
    ]
    assert [place.offset for place in kept(found, AGES, ENDLESS)] == [10, 20, 30]
    assert [place.offset for place in kept(found, AGES, 20)] == [20, 30]
    assert kept([], AGES, ENDLESS) == []


def test_what_is_dated_ahead_stays_for_the_clock_may_be_the_one_that_is_wrong() -> None:
    entries: list[Entry] = [run(-5000), asked(-5000), run(1), run(0)]
    assert left(entries) == entries


def test_a_clock_that_is_not_believed_makes_nothing_old() -> None:
    entries: list[Entry] = [run(900, used=1), run(899.9, used=2), asked(600), run(0)]
    assert left(entries) == [entries[1], entries[3]]  # the last of its month, and the newest
    assert left(entries, ages=AGES._replace(clock_newest=NOW - timedelta(days=600))) == entries


def test_where_the_clock_is_not_believed_a_history_is_thinned_by_the_time_before_it() -> None:
    newest = NOW - timedelta(days=600)
    old: list[Entry] = [run(632.1, used=1), run(632.05, used=9), run(632, used=2)]
    young: list[Entry] = [run(630.9, used=1), run(630.85, used=9), run(630.8, used=2), run(0)]
    assert left([*old, *young], target=600, ages=AGES._replace(clock_newest=newest)) == [*old[1:], *young]


def test_the_only_entry_is_not_dropped() -> None:
    assert left([asked(5000)]) == [asked(5000)]


# The file


def read(project: Path) -> list[Entry]:
    found: list[Entry] = []
    scan(project, "logs", found.append, *KINDS)
    return found


def test_a_file_that_is_too_large_is_replaced_by_what_stays(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old: list[Entry] = [asked(101), run(1)]
    append(project, "logs", old)
    with (project / PATH).open("ab") as file:
        file.write(b"\x00 not ours\n" + encoded(run(2))[:40])
    (project / PATH).chmod(0o640)
    monkeypatch.setattr("tasks.core.report.history.COMPACT_OVER", 10)
    append(project, "logs", [run(0)], ages=AGES)
    assert (project / PATH).read_bytes() == encoded(run(1)) + b"\x00 not ours\n" + encoded(run(0))
    assert (project / PATH).stat().st_mode & 0o777 == 0o640
    assert [*(project / "logs").iterdir()] == [project / PATH]


def test_what_lies_beyond_the_bound_is_kept_aside_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(project, "logs", [run(3), run(2), run(1)])
    before = (project / PATH).read_bytes()
    monkeypatch.setattr(history_entries, "READ_LIMIT", len(before) - 10)
    monkeypatch.setattr(history_compaction, "READ_LIMIT", len(before) - 10)
    compact(project, PATH, AGES)
    assert (project / f"{PATH}.broken-1").read_bytes() == before
    assert read(project) == [run(2), run(1)]


@pytest.mark.parametrize("where", ["write", "fsync", "rename"])
def test_a_history_that_cannot_be_made_smaller_stays_as_it_is(
    project: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    append(project, "logs", [asked(101), run(0)])
    before = (project / PATH).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "write":
        monkeypatch.setattr(safe_files, "write", full)
    else:
        monkeypatch.setattr(os, where, full)
    compact(project, PATH, AGES)
    assert (project / PATH).read_bytes() == before
    assert [*(project / "logs").iterdir()] == [project / PATH]


def test_what_every_reader_needs_is_there_after_years_of_checks_every_ten_minutes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.core.report.history.COMPACT_OVER", 400_000)
    monkeypatch.setattr(history_compaction, "TARGET", 300_000)
    highest: dict[object, float] = {}
    append(project, "logs", [run(101, "quarterly.a"), measured(101)])
    for step in range(100 * 24, -1, -1):
        ago = step / 24
        one = run(ago, used=1000 + (step * 7919) % 1000)
        highest[one.began.date()] = max(one.figures[0].value, highest.get(one.began.date(), 0))
        append(project, "logs", [one], ages=AGES)
    assert (project / PATH).stat().st_size <= 400_000
    found = [each for each in read(project) if isinstance(each, Run) and each.figures]
    seen: dict[object, float] = {}
    for each in found:
        seen[each.began.date()] = max(each.figures[0].value, seen.get(each.began.date(), 0))
    assert seen == highest
    assert found[-1] == run(0, used=1000)
    assert {each.task for each in read(project) if isinstance(each, Run)} == {"quarterly.a", "daily.one"}
    with (project / PATH).open("rb") as file:
        assert all(line.entry for line in lines(file.fileno(), 10**9))
