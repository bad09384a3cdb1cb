from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.generation import damaged_records
from tasks.generation import generation_records as reading
from tasks.generation.damaged_records import read_damaged
from tasks.generation.generation_records import Records, read_records
from tasks.generation.generation_tally import Fault

from .conftest import FILE, Project, ago, entries, entry, faults, kept, periods


def whole(records: Records) -> object:
    """Return all that was read, in a form that can be compared."""
    groups = {
        key: (group.count, group.evaluated, group.succeeded, sorted(group.durations))
        for key, group in records.tally.groups.items()
    }
    return groups, records.tally.earlier, records.tally.faults, records.truncated, records.problem


def test_a_missing_file_is_nothing_unusual(project: Project) -> None:
    assert project.read().absent == f"There is no {FILE}."
    assert not project.read().truncated
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
    monkeypatch.setattr(reading, "LONGEST_HEAD", 1 << 16)
    assert "too long" in str(project.read(json.dumps({"note": "x" * 200_000, "entries": [entry()]})).problem)


def test_more_than_16_mib_before_the_first_entry_are_not_read(project: Project) -> None:
    problem = project.read(json.dumps({"note": "x" * (17 << 20), "entries": [entry()]})).problem
    assert "too long" in str(problem)


@given(st.integers(0, 2000), st.sampled_from(["array", "lines", "wrapped"]), st.integers(20, 400))
def test_the_entries_before_any_cut_are_kept(cut: int, form: str, window: int) -> None:
    lines = [json.dumps(entry(note="},{")) for _ in range(12)]
    before, between = {"array": ("[", ", "), "lines": ("", "\n"), "wrapped": ('{"entries": [', ", ")}[form]
    text = (before + between.join(lines))[: max(cut, len(before) + 15)]
    complete = sum(len(before + between.join(lines[: number + 1])) <= len(text) for number in range(len(lines)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", window)
        patch.setattr(damaged_records, "WINDOW", window)
        (Path(folder) / "r.json").write_text(text)
        records = read_records(Path(folder), "r.json", periods())
    assert kept(records) == ({"caption": complete} if complete else {})
    assert not faults(records)
    on_border = text.rstrip() in {between.join(lines[:number]).rstrip() for number in range(1, 13)}
    assert records.truncated == (form != "lines" or not on_border)


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
    if form == "far apart":
        return "[" + (", \n" + " " * 300).join(map(json.dumps, values)) + "]"
    return json.dumps({"entries": values} if form == "wrapped" else values, indent=2 if form == "indented" else None)


FORMS = ["array", "wrapped", "lines", "indented", "attempts", "far apart"]


@pytest.mark.parametrize("window", [100, 5_000, 1_000_000])
@pytest.mark.parametrize("form", FORMS)
def test_a_record_read_one_value_at_a_time_gives_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str, window: int
) -> None:
    project.write(many(form))
    one = project.read()
    assert one.tally.earlier == 150
    assert sum(kept(one).values()) == 250
    monkeypatch.setattr(reading, "_HEAD", 300)
    monkeypatch.setattr(reading, "PIECE", window)
    assert whole(project.read()) == whole(one)
    monkeypatch.setattr(reading, "_add_piece", lambda *_arguments: 0)
    monkeypatch.setattr(damaged_records, "WINDOW", window)
    assert whole(project.read()) == whole(one)


def read_one_by_one(patch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """Note what is read one value at a time: the content and the place up to which the file had been read."""
    rest: list[tuple[bytes, int]] = []

    def noted(file: IO[bytes], content: bytes, *arguments: Any) -> bool:
        rest.append((content, file.tell()))
        return read_damaged(file, content, *arguments)

    patch.setattr(reading, "read_damaged", noted)
    return rest


@pytest.mark.parametrize("form", FORMS)
def test_of_what_is_in_order_only_the_end_is_read_one_value_at_a_time(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    rest = read_one_by_one(monkeypatch)
    monkeypatch.setattr(reading, "_HEAD", 300)
    monkeypatch.setattr(reading, "PIECE", 5_000)
    assert kept(project.read(many(form)))
    ((content, _),) = rest
    assert len(content) < 700


def test_a_first_entry_longer_than_the_beginning_is_read_in_a_piece(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = read_one_by_one(monkeypatch)
    monkeypatch.setattr(reading, "_HEAD", 10)
    monkeypatch.setattr(reading, "PIECE", 5_000)
    assert kept(project.read([entry(note="x" * 3000), *entries(100)])) == {"caption": 101}
    ((content, place),) = rest
    assert (len(content) < 700, place) == (True, project.file.stat().st_size)


def test_a_record_of_many_pieces_is_read_in_pieces_to_its_end(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = read_one_by_one(monkeypatch)
    text = json.dumps(entries(20_000))
    assert kept(project.read(text)) == {"caption": 20_000}
    ((content, place),) = rest
    assert (len(content) < 700, place) == (True, len(text))


def test_where_a_piece_is_damaged_no_more_is_read_into_memory(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = read_one_by_one(monkeypatch)
    monkeypatch.setattr(reading, "_HEAD", 300)
    monkeypatch.setattr(reading, "PIECE", 16 * 300 - 1)
    text = json.dumps(entries(700))
    assert faults(project.read("[{" + text[1:])) == {Fault.DAMAGED: 1}
    ((content, _),) = rest
    assert len(content) == reading.PIECE


def test_damage_is_located_in_the_file_and_not_in_its_piece(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_HEAD", 30)
    monkeypatch.setattr(reading, "PIECE", 700)
    before = json.dumps(entries(50))[:-1] + ", "
    records = project.read(f'{before}{{"timestamp" 1}}, {json.dumps(entry())}]')
    assert kept(records) == {"caption": 51}
    assert records.tally.faults[Fault.DAMAGED].example == f"byte {len(before):,}"


def test_a_bracket_too_many_is_damage_where_it_stands(project: Project) -> None:
    good = json.dumps(entry())
    for text, place in ((f"{good}}}", len(good)), (f"[}}, {good}]", 1)):
        records = project.read(text)
        assert kept(records) == {"caption": 1}
        assert records.tally.faults[Fault.DAMAGED].example == f"byte {place}"


def test_what_was_read_cannot_be_changed(project: Project) -> None:
    with pytest.raises(AttributeError):
        project.read().problem = "another"  # type: ignore[misc]


@pytest.mark.parametrize("more", [{}, {"attempts": [entry("false")] * 30}, {"note": '}, {"a": 1}' * 30}])
def test_a_border_inside_an_entry_is_not_trusted(
    project: Project, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    project.write([entry("true") | more for _ in range(50)])
    for piece in (100, 700, 3000):
        monkeypatch.setattr(reading, "_HEAD", 300)
        monkeypatch.setattr(reading, "PIECE", piece)
        records = project.read()
        assert kept(records) == {"true": 50}
        assert not faults(records)


@pytest.mark.parametrize("form", ["array", "lines"])
def test_damage_and_a_missing_end_cost_only_themselves(project: Project, form: str) -> None:
    text = many(form)
    middle = text.index('"success"', len(text) // 2)
    records = project.read(text[:middle] + text[middle + 5 : -40])
    assert records.truncated
    assert faults(records) == {Fault.NO_DURATION: 1, Fault.DAMAGED: 1}
    assert sum(kept(records).values()) == 249


def test_settings_name_the_file(project: Project) -> None:
    generation = msgspec.structs.replace(project.settings.generation, file="other.json")
    project.settings = msgspec.structs.replace(project.settings, generation=generation)
    (project.root / "other.json").write_text(json.dumps(entries(3)))
    assert project.recent().summary == "3 generations in the last 24 h, 100 % succeeded"
    assert project.compare().summary == "3 generations in the last 30 days, 100 % succeeded"
