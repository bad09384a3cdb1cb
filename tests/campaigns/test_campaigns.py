"""The campaign's short form, and that the campaign notices what it is there for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .injection import CALLS, KINDS, Ended, Fault, Point, choose, points
from .invariants import Clean, Observed, dishonest, end_problems, kept_problems, leftovers, observed, recovery_problems
from .procedures import SCENARIOS
from .projects import LINES, Place, build, line, line_problems, put, state, writing
from .scenario import Scenario, changing
from .services import Services, serving
from .trials import Bench, outcomes

_ROOT = "/place/project"
_SAMPLE = 3
"""Faults of each call in the short form."""

_SHORT = [each for each in SCENARIOS if not each.slow]
"""What takes many seconds is only in the long form: two runs for each fault."""


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with serving() as served:
        yield served


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.parametrize("scenario", _SHORT, ids=[each.name for each in _SHORT])
def test_the_run_after_a_fault_recovers(scenario: Scenario, services: Services, tmp_path: Path) -> None:
    bench = Bench(scenario, tmp_path / "bench", services)
    faults = bench.faults(KINDS, 4)
    first = _SHORT.index(scenario)  # so that the calls get faults of different kinds at different places
    sample = [faults[(first + place * len(faults) // _SAMPLE) % len(faults)] for place in range(_SAMPLE)]
    wrong = [
        f"{each.fault}: status {each.status}: {'; '.join(each.problems)}"
        for each in outcomes(bench, sample, at_once=1)
        if each.problems
    ]
    assert wrong == []


def test_every_procedure_that_changes_something_gets_faults() -> None:
    named = {each.name for each in changing()}
    tried = {each.procedure for each in SCENARIOS}
    assert len(named) >= 20
    assert named - tried == set(), f"SCENARIOS in tests/campaigns/procedures.py lacks {sorted(named - tried)}"
    assert tried - named == set(), f"{sorted(tried - named)} change nothing, or are no procedures any more"


def _traced(*lines: str) -> list[tuple[str, int]]:
    return [(each.call, each.ordinal) for each in points(lines, [_ROOT])]


def test_a_point_is_the_ordinal_of_a_call_in_its_process() -> None:
    assert _traced(
        '7 openat(AT_FDCWD</>, "/usr/lib/a.py", O_RDONLY) = 3',
        f'7 openat(AT_FDCWD</>, "{_ROOT}/a", O_RDWR|O_CREAT <unfinished ...>',
        "7 <... openat resumed>) = 3",
        f"7 write(3<{_ROOT}/a>, ...) = 1",
        f'8 unlinkat(4<{_ROOT}/logs>, "a", 0) = 0',
    ) == [("openat", 2), ("write", 1), ("unlinkat", 1)]


def test_a_point_whose_ordinal_means_another_place_in_another_process_is_left_out() -> None:
    elsewhere = '8 openat(AT_FDCWD</>, "/usr/lib/b.py", O_RDONLY) = 3'
    here = f'7 openat(AT_FDCWD</>, "{_ROOT}/a", O_RDWR|O_CREAT) = 3'
    assert _traced(here) == [("openat", 1)]
    assert _traced(here, elsewhere) == []
    assert _traced(elsewhere, here) == []


@pytest.mark.parametrize(
    "text",
    [
        f'7 write(1</dev/pts/0>, "{_ROOT}/a", 9) = 9',
        f'7 openat(AT_FDCWD<{_ROOT}>, "/usr/lib/a.py", O_RDONLY) = 3',
    ],
)
def test_what_only_mentions_the_project_is_no_point(text: str) -> None:
    assert _traced(text) == []


def test_reading_what_belongs_to_others_is_no_point_and_changing_it_is() -> None:
    read = f'7 openat(AT_FDCWD</>, "{_ROOT}/pip/a.py", O_RDONLY) = 3'
    changed = f'7 openat(AT_FDCWD</>, "{_ROOT}/pip/a.py", O_RDWR|O_CREAT) = 3'
    assert [each.ordinal for each in points([read, changed], [_ROOT], ["/pip/"])] == [2]


def test_a_fault_is_what_strace_takes() -> None:
    assert Fault("EIO", Point("write", 3)).expression == "write:error=EIO:when=3"
    assert Fault("TERM", Point("write", 3)).expression == "write:signal=SIGTERM:when=3"


def test_the_choice_has_every_call_and_is_even_over_the_run() -> None:
    found = [*(Point("newfstatat", number, "...") for number in range(1, 101)), Point("unlinkat", 1), Point("read", 1)]
    chosen = [(each.point.call, each.point.ordinal) for each in choose(found, "EIO", 6)]
    assert {call for call, _ in chosen} == {"newfstatat", "unlinkat", "read"}
    assert [ordinal for call, ordinal in chosen if call == "newfstatat"] == [1, 26, 51, 76]
    assert len([*choose(found, "EIO", 1000)]) == 102
    assert [each.point.call for each in choose(found, "EIO", 2)] == ["unlinkat", "read"]


def test_a_kill_and_a_full_disk_meet_calls_that_change_something() -> None:
    found = [
        Point("openat", 1, "O_RDONLY"),
        Point("openat", 2, "O_WRONLY|O_CREAT"),
        Point("read", 1),
        Point("unlinkat", 1),
    ]
    met = {kind: {(each.point.call, each.point.ordinal) for each in choose(found, kind, 9)} for kind in KINDS}
    assert met["KILL"] == {("openat", 2), ("unlinkat", 1)}
    assert met["ENOSPC"] == {("openat", 2)}
    assert met["TERM"] == met["EIO"] == {("openat", 1), ("openat", 2), ("read", 1), ("unlinkat", 1)}


def test_every_kind_of_fault_is_for_calls_that_are_traced() -> None:
    assert {call for calls in KINDS.values() for call in calls} <= {*CALLS}


_WELL = Observed({("a", "a.check", "x"): "ok"}, {("a", "a.files", "x"): 3}, {("a", "a.check", "x"): "Well."})
_CLEAN = Clean(_WELL, _WELL, _WELL)


def _ended(status: int | None, out: str = "{}", err: str = "") -> Ended:
    return Ended(status, out, err)


def test_work_left_out_without_a_word_is_dishonest() -> None:
    assert [*dishonest(_ended(0), _WELL, _CLEAN, [])] == []
    assert [*dishonest(_ended(0), _WELL, _CLEAN, ["no report"])] == ["dishonest: no report"]


def test_less_counted_without_a_word_is_dishonest() -> None:
    less = Observed(_WELL.findings, {("a", "a.files", "x"): 2}, _WELL.messages)
    assert [*dishonest(_ended(0), less, _CLEAN, [])] == ["dishonest: a a.files x is 2 in place of 3"]


@pytest.mark.parametrize(
    ("message", "honest"), [("There is none.", False), ("It cannot be read: Input/output error.", True)]
)
def test_what_is_skipped_is_honest_where_it_names_the_error(message: str, *, honest: bool) -> None:
    skipped = Observed({("a", "a.check", "x"): "skipped"}, _WELL.metrics, {("a", "a.check", "x"): message})
    assert ([*dishonest(_ended(0), skipped, _CLEAN, [])] == []) is honest


def test_what_is_said_is_honest() -> None:
    told = Observed({("a", "a.check", "x"): "unknown"}, {}, {("a", "a.check", "x"): "It cannot be read."})
    assert [*dishonest(_ended(3), told, _CLEAN, ["no report"])] == []
    assert [*dishonest(_ended(78), None, _CLEAN, ["no report"])] == []


def test_what_a_clean_run_finds_as_well_says_nothing_of_a_fault() -> None:
    warned = Observed({("a", "a.check", "x"): "warning"}, {}, {("a", "a.check", "x"): "Old."})
    clean = Clean(warned, warned, warned)
    assert [*dishonest(_ended(1), warned, clean, ["no report"])] == ["dishonest: no report"]


def test_what_only_a_second_run_says_says_nothing_of_a_fault_in_the_first() -> None:
    refused = Observed({("a", "a.check", "y"): "critical"}, {}, {("a", "a.check", "y"): "It is there already."})
    assert [*dishonest(_ended(2), refused, Clean(_WELL, _WELL, refused), ["no report"])] == []
    assert [*recovery_problems(refused, Clean(_WELL, _WELL, refused), [])] == []


def test_the_run_after_must_have_done_all_and_find_nothing_severe() -> None:
    told = Observed({("a", "a.check", "x"): "unknown"}, {}, {("a", "a.check", "x"): "It cannot be read."})
    warned = Observed({("a", "a.check", "x"): "warning"}, {}, {("a", "a.check", "x"): "It was interrupted."})
    assert [*recovery_problems(_WELL, _CLEAN, ["no report"])] == ["not recovered: no report"]
    assert [*recovery_problems(told, _CLEAN, [])] == ["not recovered: a a.check x is unknown: It cannot be read."]
    assert [*recovery_problems(warned, _CLEAN, [])] == []


@pytest.mark.parametrize(
    ("ended", "signalled", "problem"),
    [
        (_ended(0), False, None),
        (_ended(3), False, None),
        (_ended(78, ""), False, None),
        (_ended(-15, ""), True, None),
        (_ended(-9, ""), True, None),
        (_ended(130, ""), True, None),
        (_ended(-9, ""), False, "undocumented exit status -9"),
        (_ended(70, ""), False, "undocumented exit status 70"),
        (_ended(1, "no document"), False, "exit status 1 without a document"),
        (_ended(None), False, "hangs"),
        (_ended(-9, "", "Traceback (most recent call last):\nKeyError: 1"), True, "traceback: KeyError: 1"),
    ],
)
def test_how_a_run_may_end(ended: Ended, *, signalled: bool, problem: str | None) -> None:
    found = _WELL if ended.out == "{}" else None
    problems = [*end_problems(ended, found, signalled=signalled)]
    assert [each.startswith(problem or "") for each in problems] == ([True] if problem else [])


def test_the_paths_of_a_trial_do_not_count_as_news(tmp_path: Path) -> None:
    finding = {"check": "a.check", "subject": f"{tmp_path}/project/x", "status": "warning", "message": "Old."}
    report = {"task": "a", "findings": [finding], "metrics": [{"name": "m", "value": 1}]}
    found = observed(_ended(0, json.dumps({"reports": [report]})), Place(tmp_path))
    assert found is not None
    assert found.bad == {(("a", "a.check", "PLACE/project/x"), "warning")}
    assert found.metrics == {("a", "m", ""): 1}
    assert observed(_ended(0, "text"), Place(tmp_path)) is None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    build(found)
    return found


_CLEANING = next(each for each in SCENARIOS if each.procedure == "weekly.cache-cleanup")


def _changed(place: Place, change: str) -> list[str]:
    before = state(place.project)
    path = place.project / change
    if change.endswith("mode"):
        (place.project / "data/Materials.yaml").chmod(0o600)
    elif path.exists():
        path.write_text("changed")
    else:
        put(path, "new")
    return [*kept_problems(place, before, _CLEANING)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("data/Materials.yaml", "lost: data/Materials.yaml has changed"),
        ("mode", "lost: data/Materials.yaml has changed"),
        ("data/new.yaml", "lost: data/new.yaml is new"),
        ("logs/performance.json", "lost: logs/performance.json has changed"),
        ("logs/error_tracking.json.broken-1", "lost: a record was kept aside as logs/error_tracking.json.broken-1"),
        ("logs/maintenance_history.jsonl", "lost: an entry of the history is there 0 times"),
    ],
)
def test_what_changes_that_may_not_is_noticed(place: Place, change: str, problem: str) -> None:
    place.remember("history", (place.project / "logs/maintenance_history.jsonl").read_text().splitlines())
    assert problem in _changed(place, change)


@pytest.mark.parametrize("change", ["logs/alerts/alert_20260101_010101.txt", "cache/temp/note.txt"])
def test_what_a_procedure_owns_may_change(place: Place, change: str) -> None:
    assert ("lost: " in "".join(_changed(place, change))) is change.startswith("logs")


def test_a_hidden_file_that_stays_is_left_over(place: Place) -> None:
    before = state(place.project)
    put(place.project / "logs/.maintenance-tmp", "half")
    assert [*leftovers(place, before)] == ["left over: logs/.maintenance-tmp"]


def test_lines_are_counted_over_logs_and_archives(place: Place) -> None:
    lines = {"idle": LINES, "live": LINES}
    assert [*line_problems(place.project, lines, at_rest=True)] == []
    log = place.project / "logs/idle.log"
    text = log.read_text().splitlines(keepends=True)
    put(place.project / "logs/archive/2026/01/idle_20260101.log.gz", gzip.compress("".join(text[:10]).encode()))
    assert [*line_problems(place.project, lines, at_rest=False)] == []
    assert [*line_problems(place.project, lines, at_rest=True)] == ["10 lines of idle.log are doubled, the first is 0"]
    log.write_text("".join(text[12:]))
    assert [*line_problems(place.project, lines, at_rest=True)] == ["2 lines of idle.log are lost, the first is 10"]


def test_a_torn_archive_is_noticed(place: Place) -> None:
    put(place.project / "logs/archive/2026/01/idle_20260101.log.gz", gzip.compress(line("idle", 0).encode())[:-9])
    (problem,) = line_problems(place.project, {"live": LINES}, at_rest=True)
    assert problem.startswith("the archive idle_20260101.log.gz cannot be read")


def test_the_writer_says_how_much_it_wrote(place: Place) -> None:
    with writing(place.project) as writer:
        while (place.project / "logs/live.log").read_text().count("\n") < LINES + 3:
            pass
    assert writer.lines == (place.project / "logs/live.log").read_text().count("\n") >= LINES + 3
