from __future__ import annotations

import json
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.programs.forks import Job, in_forks
from tasks.generation import chunk_reader
from tasks.generation import generation_records as reading
from tasks.generation.chunk_reader import Ending, read_stretch
from tasks.generation.generation_records import Records, read_records
from tasks.generation.generation_tally import Fault, Tally
from tasks.generation.layouts import Layout

from .conftest import FILE, Project, ago, entries, entry, faults, kept, periods


@pytest.fixture(autouse=True)
def _forks_beside_the_threads_of_the_tests() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def whole(records: Records) -> object:
    """Return all that was read, in a form that can be compared."""
    groups = {
        key: (group.count, group.judged, group.succeeded, sorted(group.durations))
        for key, group in records.tally.groups.items()
    }
    return groups, records.tally.earlier, records.tally.faults, records.truncated, records.problem


def test_a_missing_file_is_nothing_unusual(project: Project) -> None:
    assert project.read().absent == f"There is no {FILE}."
    (project.root / "logs").rmdir()
    assert project.read().absent == f"There is no {FILE}."


@pytest.mark.parametrize("content", ["", " \n", "\ufeff", " " * 70_000])
def test_an_empty_file_is_nothing_unusual(project: Project, content: str) -> None:
    assert project.read(content).absent == f"{FILE} is empty."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('"text"', "holds a JSON string where an array of entries, an object with such an array, or one entry on each"),
        ("{}", "holds an object without an array"),
        ("oops", "is no JSON"),
        ('{"entries": ', "ends, or goes on for too long, before its first entry"),
        ('{"entries"', "ends, or goes on"),
    ],
)
def test_a_file_of_another_shape_is_a_problem(project: Project, content: str, problem: str) -> None:
    records = project.read(content)
    assert records.problem is not None
    assert records.problem.startswith(f"{FILE} {problem}")
    assert records.absent is None


@pytest.mark.parametrize("text", ["[]", '{"entries": []}', "[ ]\n"])
def test_an_empty_array_holds_nothing(project: Project, text: str) -> None:
    records = project.read(text)
    assert (kept(records), faults(records), records.truncated, records.problem) == ({}, {}, False, None)


def test_links_are_not_followed(project: Project) -> None:
    (project.root / "elsewhere.json").write_text(json.dumps(entries(3)))
    project.file.symlink_to(project.root / "elsewhere.json")
    assert project.read().problem == f"{FILE} is a symbolic link, which is not followed."
    outside = project.root / "outside"
    (project.root / "logs").rename(outside)
    (project.root / "logs").symlink_to(outside)
    assert "symbolic link" in str(project.read().problem)


def test_what_is_no_regular_file_is_a_problem(project: Project) -> None:
    os.mkfifo(project.file)
    assert project.read().problem == f"{FILE} is not a regular file."
    project.file.unlink()
    project.file.mkdir()
    assert project.read().problem == f"{FILE} is not a regular file."


def test_what_cannot_be_opened_is_a_problem() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/record")
        records = read_records(Path(folder), "record", periods())
    assert str(records.problem).startswith("record cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_file_is_a_problem(project: Project) -> None:
    project.write([entry()])
    project.file.chmod(0)
    assert project.read().problem == f"{FILE} cannot be read: Permission denied."


def test_a_path_out_of_the_project_is_a_problem(project: Project) -> None:
    assert "leads out" in str(read_records(project.root, "../record.json", periods()).problem)


def test_what_comes_before_the_array_may_be_long(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    records = project.read(json.dumps({"note": "x" * 200_000, "entries": [entry()]}))
    assert kept(records) == {"caption": 1}
    assert kept(project.read("\n" * 100_000 + json.dumps([entry()]))) == {"caption": 1}
    monkeypatch.setattr(reading, "LARGEST", 1 << 16)
    assert "too long" in str(project.read(json.dumps({"note": "x" * 200_000, "entries": [entry()]})).problem)


def test_a_file_that_becomes_shorter_meanwhile_ends_there(project: Project) -> None:
    project.write([entry(), entry()])
    size = project.file.stat().st_size
    tally = Tally(periods())
    descriptor = os.open(project.file, os.O_RDONLY)
    try:
        ending = read_stretch(descriptor, 1, size + 1000, Layout(1, lines=False, wrapped=False, opening=b"{"), tally)
    finally:
        os.close(descriptor)
    assert ending is Ending.CLOSED
    assert tally.groups[2, "caption"].count == 2


@given(st.integers(0, 2000), st.sampled_from(["array", "lines", "wrapped"]), st.integers(20, 400))
def test_the_entries_before_any_cut_are_kept(cut: int, form: str, block: int) -> None:
    lines = [json.dumps(entry(note="},{")) for _ in range(12)]
    before, between = {"array": ("[", ", "), "lines": ("", "\n"), "wrapped": ('{"entries": [', ", ")}[form]
    text = (before + between.join(lines))[: max(cut, len(before) + 15)]
    complete = sum(len(before + between.join(lines[: number + 1])) <= len(text) for number in range(len(lines)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk_reader, "BLOCK", block)
        patch.setattr(chunk_reader, "WINDOW", block)
        (Path(folder) / "r.json").write_text(text)
        records = read_records(Path(folder), "r.json", periods())
    assert kept(records) == ({"caption": complete} if complete else {})
    assert not faults(records)
    on_border = text.rstrip() in {between.join(lines[:number]).rstrip() for number in range(1, 13)}
    assert records.truncated == (form != "lines" or not on_border)


def side_by_side(project: Project, patch: pytest.MonkeyPatch, workers: int) -> Records:
    with patch.context() as inner:
        inner.setattr(reading, "LARGE", 1)
        inner.setattr(reading, "processors", lambda: workers)
        return project.read()


def many(form: str) -> str:
    values = [
        entry(f"part{place % 3}", place % 7 / 2, success=place % 5 > 0, timestamp=ago(days=75 - place / 10))
        for place in range(700)
    ]
    values[500]["duration"] = None
    if form == "lines":
        return "\n".join(map(json.dumps, values)) + "\n"
    if form == "attempts":
        for value in values:
            value["attempts"] = [{"n": 1}, {"n": 2}]
    if form == "no border":
        return "[" + (", \n" + " " * 300).join(map(json.dumps, values)) + "]"
    return json.dumps({"entries": values} if form == "wrapped" else values, indent=2 if form == "indented" else None)


@pytest.mark.parametrize("workers", [2, 3, 16])
@pytest.mark.parametrize("form", ["array", "wrapped", "lines", "indented", "attempts", "no border"])
def test_a_large_record_read_side_by_side_gives_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str, workers: int
) -> None:
    project.write(many(form))
    one = project.read()
    assert one.tally.earlier == 150
    assert sum(kept(one).values()) == 250
    assert whole(side_by_side(project, monkeypatch, workers)) == whole(one)


def test_stretches_are_read_side_by_side(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(many("array"))
    seen: list[int] = []

    def watched(jobs: list[Job]) -> list[bytes | None]:
        answers = in_forks(jobs)
        seen.extend(len(answer or b"") for answer in answers)
        return answers

    monkeypatch.setattr(reading, "in_forks", watched)
    side_by_side(project, monkeypatch, 3)
    assert len(seen) == 3
    assert min(seen) > 100


@pytest.mark.parametrize("answers", [[None, None], [b"first", None], [None, b"last"]])
def test_a_stretch_whose_process_failed_is_read_here(
    project: Project, monkeypatch: pytest.MonkeyPatch, answers: list[bytes | None]
) -> None:
    project.write(many("array"))
    one = project.read()

    def failing(jobs: list[Job]) -> list[bytes | None]:
        return [given and found for given, found in zip(answers, in_forks(jobs), strict=True)]

    monkeypatch.setattr(reading, "in_forks", failing)
    assert whole(side_by_side(project, monkeypatch, 2)) == whole(one)


def test_a_border_inside_an_entry_is_not_trusted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    false = '}, {"timestamp": "2025-06-02T11:00:00Z", "component": "false", "duration": 1, "success": true}'
    project.write([entry("true", note=false * 200), entry("true")])
    assert project.file.stat().st_size > 10_000
    assert whole(side_by_side(project, monkeypatch, 2)) == whole(project.read())
    assert kept(side_by_side(project, monkeypatch, 2)) == {"true": 2}


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_more_processes_than_entries_are_no_problem(
    project: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for text in (
        json.dumps(entries(number)),
        "\n".join(map(json.dumps, entries(number))),
        json.dumps([number] * number),
    ):
        project.write(text)
        assert whole(side_by_side(project, monkeypatch, 64)) == whole(project.read())


def test_a_nested_entry_at_the_border_is_not_trusted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write([entry("true", attempts=[entry("false")] * 100), entry("true")])
    assert kept(side_by_side(project, monkeypatch, 2)) == {"true": 2}


@pytest.mark.parametrize("form", ["array", "lines"])
def test_damage_and_a_missing_end_are_the_same_side_by_side(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    text = many(form)
    middle = text.index('"success"', len(text) // 2)
    project.write(text[:middle] + text[middle + 5 : -40])
    one = project.read()
    assert one.truncated
    assert faults(one) == {Fault.NO_DURATION: 1, Fault.DAMAGED: 1}
    for workers in (2, 3):
        assert whole(side_by_side(project, monkeypatch, workers)) == whole(one)


def test_only_a_large_record_is_read_side_by_side(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_jobs: object) -> list[bytes | None]:
        raise AssertionError

    project.write(many("array"))
    size = project.file.stat().st_size - 1
    monkeypatch.setattr(reading, "processors", lambda: 2)
    monkeypatch.setattr(reading, "in_forks", none)
    monkeypatch.setattr(reading, "LARGE", size + 1)
    assert kept(project.read())
    monkeypatch.setattr(reading, "LARGE", size)
    with pytest.raises(AssertionError):
        project.read()


def test_settings_name_the_file(project: Project) -> None:
    generation = msgspec.structs.replace(project.settings.generation, file="other.json")
    project.settings = msgspec.structs.replace(project.settings, generation=generation)
    (project.root / "other.json").write_text(json.dumps(entries(3)))
    assert project.recent().summary == "3 generations in the last 24 h, 100 % succeeded"
    assert project.compare().summary == "3 generations in the last 30 days, 100 % succeeded"
