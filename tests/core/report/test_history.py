"""The history of runs and measurements: written by several, read by many, damaged by kills and full disks."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.core.files import lock
from tasks.core.files.safe_files import Refused
from tasks.core.report import history, history_entries
from tasks.core.report.history import Scan, append, append_sizes, history_path, run_of, scan
from tasks.core.report.history_compaction import Ages
from tasks.core.report.history_entries import (
    Benchmarks,
    Entry,
    Figure,
    ProviderMeasurement,
    Run,
    Sizes,
    encoded,
    seconds_since_1970,
)
from tasks.core.report.model import Finding, Metric, Report, Status

NOW = datetime(2026, 11, 23, 12, 0, 0, 250, tzinfo=timezone(timedelta(hours=1)))
PATH = "logs/maintenance_history.jsonl"


def run(task: str = "daily.one", **changes: Any) -> Run:
    plain = {"began": NOW, "ended": NOW + timedelta(seconds=2), "status": Status.OK, "duration_seconds": 2.0}
    return Run(**{"task": task, **plain, **changes})


FULL: list[Entry] = [
    run(
        status=Status.CRITICAL,
        whole=False,
        reason="No room.",
        results={"a.b": Status.CRITICAL},
        figures=(Figure("disk.used_bytes", ".", 123, "B"), Figure("a.share", None, 0.25, "share")),
    ),
    ProviderMeasurement(
        moment=NOW,
        source="daily.health-check",
        provider="deepseek",
        avg_response_time=1.25,
        success_rate=0.5,
        time_to_first_byte=0.9,
        tokens_per_second=35.5,
        requests=2,
        failures=1,
        error="timeout",
        model="deepseek-chat",
    ),
    Sizes(moment=NOW, source="weekly.cache-cleanup", held={"cache": 5}),
    Benchmarks(moment=NOW, identity="a", processor="P", processors=2, python="CPython 3.11", seconds={"json": 0.5}),
]


def read(project: Path, *kinds: type[Entry]) -> list[Entry]:
    found: list[Entry] = []
    scan(project, "logs", found.append, *(kinds or (Run, ProviderMeasurement, Sizes, Benchmarks)))
    return found


def looked(project: Path) -> Scan:
    return scan(project, "logs", lambda _entry: None, Run)


def content(project: Path) -> bytes:
    return (project / PATH).read_bytes()


def put(project: Path, text: bytes) -> None:
    (project / PATH).parent.mkdir(exist_ok=True)
    (project / PATH).write_bytes(text)


# Writing and reading


def test_what_is_written_is_read_again_in_its_order(project: Path) -> None:
    append(project, "logs", FULL[:2])
    append(project, "logs", FULL[2:])
    assert read(project) == FULL
    assert history_path("logs") == PATH
    assert [*(project / "logs").iterdir()] == [project / PATH]


def test_each_entry_is_a_line_of_json_that_begins_with_its_kind(project: Path) -> None:
    append(project, "logs", FULL)
    lines = content(project).splitlines()
    assert [line[:9] for line in lines] == [b'{"kind":"'] * 4
    assert [json.loads(line)["kind"] for line in lines] == ["run", "provider", "sizes", "benchmarks"]
    assert json.loads(lines[0])["figures"] == [["disk.used_bytes", ".", 123, "B"], ["a.share", None, 0.25, "share"]]


@pytest.mark.parametrize("entry", FULL, ids=lambda entry: type(entry).__name__)
def test_a_reader_gets_the_kinds_that_it_asks_for(project: Path, entry: Entry) -> None:
    append(project, "logs", FULL)
    assert read(project, type(entry)) == [entry]
    assert looked(project) == Scan()


def test_a_line_whose_kind_does_not_come_first_counts_as_well(project: Path) -> None:
    fields = json.loads(encoded(FULL[2]))
    fields["kind"] = fields.pop("kind")
    put(project, b"\r\n  " + json.dumps(fields).encode() + b" \r\n\n")
    assert read(project, Sizes) == [FULL[2]]
    assert read(project, Run) == []


def test_without_a_history_there_is_nothing_to_read(project: Path) -> None:
    assert looked(project) == Scan()
    (project / "logs").mkdir()
    assert looked(project) == Scan()


def test_a_new_file_has_the_owner_of_its_folder(project: Path) -> None:
    append(project, "logs", FULL)
    mine, folder = (project / PATH).stat(), (project / "logs").stat()
    assert (mine.st_uid, mine.st_gid) == (folder.st_uid, folder.st_gid)


def test_an_entry_that_is_there_is_not_touched_by_another(project: Path) -> None:
    append(project, "logs", FULL)
    (project / PATH).chmod(0o640)
    before, status = content(project), (project / PATH).stat()
    append(project, "logs", FULL[:1])
    assert content(project).startswith(before)
    after = (project / PATH).stat()
    assert (after.st_ino, stat.S_IMODE(after.st_mode)) == (status.st_ino, 0o640)


# The entry of a run


def test_a_run_has_the_worst_result_of_each_check_and_all_numbers() -> None:
    def finding(check: str, status: Status) -> Finding:
        return Finding(check=check, subject="s", status=status, message="m")

    found = [
        finding("a.one", Status.WARNING),
        finding("a.one", Status.OK),
        finding("a.two", Status.OK),
        finding("a.two", Status.SKIPPED),
        finding("a.three", Status.SKIPPED),
        finding("a.four", Status.SKIPPED),
        finding("a.four", Status.UNKNOWN),
    ]
    metrics = [Metric(name="a.size", value=5, unit="B", subject="x"), Metric(name="a.rate", value=0.5, unit="share")]
    report = Report(
        summary="s", findings=found, metrics=metrics, started="2026-11-23T12:00:00+01:00", duration_seconds=1.5
    )
    made = run_of("a.task", report, ended=NOW, whole=True, reason=None)
    assert made.results == {
        "a.one": Status.WARNING,
        "a.two": Status.OK,
        "a.three": Status.SKIPPED,
        "a.four": Status.UNKNOWN,
    }
    assert made.figures == (Figure("a.size", "x", 5, "B"), Figure("a.rate", None, 0.5, "share"))
    assert (made.began, made.ended, made.duration_seconds) == (NOW.replace(microsecond=0), NOW, 1.5)
    assert (made.status, made.whole, made.reason) == (Status.UNKNOWN, True, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**40, 2.0**63, True])
def test_what_no_reader_could_calculate_with_is_no_figure(project: Path, value: float) -> None:
    metrics = [Metric(name="a.b", value=value, unit="B"), Metric(name="a.c", value=2**63 - 1025, unit="B")]
    made = run_of("t", Report(summary="s", metrics=metrics), ended=NOW, whole=True, reason=None)
    append(project, "logs", [made])
    assert read(project) == [run_of("t", Report(summary="s", metrics=metrics[1:]), ended=NOW, whole=True, reason=None)]


def test_names_that_are_no_text_are_kept_as_they_are_shown(project: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    append(project, "logs", [run(figures=(Figure("a.b", name, 1, "B"),), reason=name)])
    (found,) = read(project)
    assert isinstance(found, Run)
    assert (found.figures[0].subject, found.reason) == ("caf\\xe9", "caf\\xe9")


def test_a_line_is_never_longer_than_its_bound(project: Path) -> None:
    figures = tuple(Figure("capacity.folder", f"folder {number}", number, "B") for number in range(10_000))
    made = run_of("t", Report(summary="s"), ended=NOW, whole=False, reason="x" * 300_000)
    append(project, "logs", [run(figures=figures), made])
    long, cut = read(project)
    assert isinstance(long, Run)
    assert isinstance(cut, Run)
    assert (long.figures, long.left_out) == ((), 10_000)
    assert cut.reason == "x" * 1000
    assert max(map(len, content(project).splitlines())) < history_entries.LINE_LIMIT


# What is damaged


def line(entry: Entry) -> bytes:
    return encoded(entry)


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_torn_last_line_is_ended_by_the_next_entry_and_costs_nothing_else(project: Path, cut: int) -> None:
    put(project, line(FULL[1]) + line(run())[:cut])
    assert read(project) == FULL[1:2]
    append(project, "logs", FULL[2:3])
    assert read(project) == FULL[1:3]
    assert content(project) == line(FULL[1]) + line(run())[:cut] + b"\n" + line(FULL[2])
    assert looked(project) == Scan()


def test_an_entry_that_only_lacks_its_newline_counts(project: Path) -> None:
    put(project, line(run()).rstrip())
    assert read(project) == [run()]
    append(project, "logs", FULL[:1])
    assert read(project) == [run(), FULL[0]]


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x00\xff\x00",
        b"5",
        b"[]",
        b"[[[",
        b"{}",
        b'{"kind":5}',
        b'{"kind":"run","task":"t"}',
        b'{"kind":"run"} {"kind":"run"}',
        b"[" * 200_000,
        b"x" * 600_000,
        line(run()).replace(b"+01:00", b"", 1).rstrip(),
        line(run()).replace(b"2.0", b"1e999", 1).rstrip(),
        line(run()).replace(b"2.0", b"NaN", 1).rstrip(),
        line(run()).replace(b"daily", b"\xff\xfe", 1).rstrip(),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_line_that_is_no_entry_is_counted_and_stays(project: Path, damaged: bytes) -> None:
    put(project, line(FULL[0]) + damaged + b"\n" + line(run()))
    assert read(project, Run) == [FULL[0], run()]
    assert looked(project) == Scan(unreadable=1)
    append(project, "logs", [run("daily.two")])
    assert content(project) == line(FULL[0]) + damaged + b"\n" + line(run()) + line(run("daily.two"))


def test_what_a_later_version_has_added_is_no_damage(project: Path) -> None:
    later = line(run()).rstrip().replace(b'"kind":"run",', b'"kind":"run","new":{"a":[1]},')
    put(project, later + b'\n{"kind":"weather","moment":5}\n')
    assert read(project) == [run()]
    assert looked(project) == Scan()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40) | st.sampled_from([line(run())[:-1], line(FULL[1])[:50]]), max_size=6))
def test_any_content_is_read_to_its_end_and_stays(project: Path, texts: list[bytes]) -> None:
    put(project, b"\n".join(texts))
    before = content(project)
    read(project)
    append(project, "logs", [run("the.last")])
    assert content(project).startswith(before)
    assert read(project, Run)[-1] == run("the.last")


def test_of_a_file_beyond_the_bound_the_newest_part_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(project, "logs", [run("daily.old"), run("daily.new"), run("daily.new")])
    monkeypatch.setattr(history_entries, "READ_LIMIT", 2 * len(line(run("daily.new"))) + 5)
    assert [each.task for each in read(project) if isinstance(each, Run)] == ["daily.new"] * 2
    assert looked(project) == Scan()


def test_a_line_without_an_end_is_read_in_bounded_memory(project: Path) -> None:
    put(project, line(run()))
    os.truncate(project / PATH, 40_000_000)  # zeros without a newline, which take no room on the disk
    assert read(project) == [run()]
    assert looked(project) == Scan(unreadable=1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", f"{PATH} is empty."),
        (b"\n\n", f"{PATH} holds no entry of this suite."),
        (b"\x00\n", f"{PATH} holds no entry of this suite."),
        (line(run())[:30], f"{PATH} holds no entry of this suite."),
    ],
    ids=["empty", "blank", "zeros", "torn"],
)
def test_a_file_without_an_entry_is_a_problem_until_there_is_one(project: Path, text: bytes, problem: str) -> None:
    put(project, text)
    found = looked(project)
    assert (found.problem, found.is_closed) == (problem, False)
    append(project, "logs", [run()])
    assert looked(project).problem is None


# What is in its place


@pytest.mark.parametrize("target", ["elsewhere", "missing", "folder"])
def test_a_link_is_neither_read_nor_written(project: Path, target: str) -> None:
    (project / "elsewhere").write_bytes(line(run()))
    (project / "folder").mkdir()
    (project / "logs").mkdir()
    (project / PATH).symlink_to(project / target)
    problem = f"{PATH} is a symbolic link, so it is not read or written."
    assert (looked(project).problem, looked(project).is_closed) == (problem, True)
    with pytest.raises(Refused, match="is a symbolic link"):
        append(project, "logs", [run()])
    assert (project / "elsewhere").read_bytes() == line(run())
    assert not (project / "missing").exists()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
@pytest.mark.usefixtures("_deadline")
def test_what_is_no_regular_file_is_refused(project: Path, make: Callable[[Path], None]) -> None:
    (project / "logs").mkdir()
    make(project / PATH)
    assert looked(project).problem == f"{PATH} is not a regular file, so it is not read or written."
    with pytest.raises(Refused, match="is not a regular file"):
        append(project, "logs", [run()])


def test_a_folder_on_the_way_that_is_a_link_is_refused(project: Path) -> None:
    (project / "other").mkdir()
    (project / "logs").symlink_to("other")
    assert looked(project).is_closed
    with pytest.raises(Refused, match="logs is a symbolic link"):
        append(project, "logs", [run()])
    assert [*(project / "other").iterdir()] == []


def test_a_file_that_cannot_be_read_is_reported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(project, "logs", [run()])

    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(history, "lines", broken)
    assert looked(project) == Scan(problem=f"{PATH} cannot be read: Input/output error.", is_closed=True)


# Disks, and others


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("written", [None, 0, 10], ids=["refused", "nothing", "in part"])
def test_a_full_disk_leaves_the_file_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch, written: int | None, *, is_there: bool
) -> None:
    if is_there:
        append(project, "logs", [run()])
    real = os.write

    def full(descriptor: int, text: bytes) -> int:
        if written is None:
            raise OSError(28, "No space left on device")
        return real(descriptor, text[:written])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        append(project, "logs", [run("daily.two")])
    append_sizes(project, "logs", Sizes(moment=NOW, source="s", held={}))
    monkeypatch.undo()
    assert read(project) == [run()] * is_there
    assert (project / PATH).exists() == is_there
    append(project, "logs", [run("daily.two")])
    assert read(project)[-1] == run("daily.two")


def test_only_what_is_on_the_disk_counts_as_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(project, "logs", [run()])

    def full(_descriptor: int) -> None:
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="Disk quota exceeded"):
        append(project, "logs", [run("daily.two")])
    assert content(project) == line(run())


def test_sizes_that_cannot_be_added_are_no_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_TRIES", 0)
    append_sizes(project, "logs", Sizes(moment=NOW, source="s", held={"cache": 1}))
    assert read(project) == []
    monkeypatch.undo()
    append_sizes(project, "logs", Sizes(moment=NOW, source="s", held={"cache": 1}))
    assert len(read(project)) == 1


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.core.report.history import append
from tasks.core.report.history_entries import Figure, Run
from tasks.core.report.model import Status
root, name, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
figures = tuple(Figure("a.b", str(each), each, "B") for each in range(200))
print("ready", flush=True)
for each in range(number):
    moment = datetime.fromtimestamp(each, UTC)
    run = Run(task=name, began=moment, ended=moment, status=Status.OK, duration_seconds=each, figures=figures)
    append(root, "logs", [run])
"""


@pytest.mark.slow
def test_several_writers_lose_nothing(project: Path, child: Callable[..., Popen[str]]) -> None:
    for process in [child(WRITER, project, name, 40) for name in "abc"]:
        process.communicate()
        assert process.returncode == 0
    found = [(each.task, each.duration_seconds) for each in read(project) if isinstance(each, Run)]
    assert sorted(found) == [(name, float(each)) for name in "abc" for each in range(40)]
    assert looked(project) == Scan()


def test_a_writer_that_is_killed_costs_at_most_its_last_entry(project: Path, child: Callable[..., Popen[str]]) -> None:
    process = child(WRITER, project, "a", 1_000_000)
    assert process.stdout is not None
    process.stdout.readline()
    while not (project / PATH).exists() or (project / PATH).stat().st_size < 100_000:
        assert process.poll() is None
    process.kill()
    process.wait()
    append(project, "logs", [run("daily.next")])
    *killed, last = [each for each in read(project) if isinstance(each, Run)]
    assert [each.duration_seconds for each in killed] == [float(number) for number in range(len(killed))]
    assert last.task == "daily.next"
    assert looked(project) == Scan()


def test_a_file_that_has_grown_too_large_is_made_smaller_where_the_writer_says_how(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Ages]] = []
    monkeypatch.setattr(history, "compact", lambda _root, path, ages: asked.append((path, ages)))
    append(project, "logs", [run()])
    size = len(content(project))
    monkeypatch.setattr(history, "COMPACT_OVER", 3 * size)
    append(project, "logs", [run(), run()], ages=Ages(1, 2))
    assert asked == []
    append(project, "logs", [run()])
    assert asked == []
    append(project, "logs", [run()], ages=Ages(1, 2))
    assert asked == [(PATH, Ages(1, 2))]


def test_moments_are_seconds_at_the_ends_of_the_calendar_too() -> None:
    for moment in (NOW, NOW.astimezone(UTC), datetime(2026, 1, 1, tzinfo=UTC)):
        assert seconds_since_1970(moment) == moment.timestamp()
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    late = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-14)))
    assert seconds_since_1970(early) < -6e10
    assert seconds_since_1970(late) > 2e11


@pytest.mark.parametrize("entry", FULL, ids=lambda entry: type(entry).__name__)
def test_a_line_may_be_torn_anywhere(project: Path, entry: Entry) -> None:
    whole = line(entry).rstrip()
    put(project, line(run()) + b"".join(whole[:cut] + b"\n" for cut in range(1, len(whole))))
    assert read(project) == [run()]
    assert looked(project) == Scan()
