from __future__ import annotations

import random
import re
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.core.errors import UserError
from tasks.demo_site import demo_project

NOW = datetime(2025, 6, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / demo_project.FOLDER


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parsed(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def test_every_build_has_the_same_content(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    first = content(folder)
    demo_project.build_demo_project(folder, NOW)
    assert content(folder) == first
    assert len(first) > 10


def test_a_later_build_differs_in_the_times_of_the_log_only(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    first = content(folder)
    demo_project.build_demo_project(folder, NOW + timedelta(days=3))
    second = content(folder)
    assert {name for name in first if first[name] != second[name]} == {"logs/zbeam.log"}
    shifted = second["logs/zbeam.log"].replace(b"2025-06-05 ", b"2025-06-02 ").replace(b"2025-06-04 ", b"2025-06-01 ")
    assert shifted == first["logs/zbeam.log"]


def test_a_build_does_not_depend_on_other_random_numbers_or_the_place(tmp_path: Path) -> None:
    one, two = tmp_path / "one" / demo_project.FOLDER, tmp_path / "two" / demo_project.FOLDER
    demo_project.build_demo_project(one, NOW)
    random.seed(17)
    demo_project.build_demo_project(two, NOW)
    assert content(one) == content(two)


def test_parents_of_the_folder_are_made(tmp_path: Path) -> None:
    demo_project.build_demo_project(tmp_path / "a/b/demo", NOW)
    assert (tmp_path / "a/b/demo" / demo_project.MARK).is_file()


def test_what_an_earlier_demo_left_is_replaced_whole(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    first = content(folder)
    (folder / "cache").mkdir()
    (folder / "cache/left").touch()
    (folder / "run.py").write_text("changed")
    (folder / "requirements.txt").unlink()
    demo_project.build_demo_project(folder, NOW)
    assert content(folder) == first
    assert not (folder / "cache").exists()


def test_replacing_the_demo_does_not_follow_links_out_of_it(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    demo_project.build_demo_project(folder, NOW)
    (folder / "link").symlink_to(outside)
    demo_project.build_demo_project(folder, NOW)
    assert (outside / "kept").exists()


def refused(folder: Path) -> None:
    with pytest.raises(UserError, match="was not made by inv demo") as caught:
        demo_project.build_demo_project(folder, NOW)
    assert str(caught.value).startswith(f"{demo_project.FOLDER} is there already")


def test_a_folder_of_somebody_else_is_refused_and_left(folder: Path) -> None:
    folder.mkdir()
    (folder / "theirs").write_text("theirs")
    refused(folder)
    assert content(folder) == {"theirs": b"theirs"}


def test_an_empty_folder_is_taken_for_a_build_that_was_cut_short(folder: Path) -> None:
    folder.mkdir()
    demo_project.build_demo_project(folder, NOW)
    assert (folder / "run.py").is_file()


def test_a_file_is_refused_and_left(folder: Path) -> None:
    folder.write_text("theirs")
    refused(folder)
    assert folder.read_text() == "theirs"


@pytest.mark.parametrize("target", ["made", "nowhere"])
def test_a_link_is_refused_even_to_a_demo_project(folder: Path, target: str) -> None:
    made = folder.parent / "made"
    demo_project.build_demo_project(made, NOW)
    before = content(made)
    folder.symlink_to(target)
    refused(folder)
    assert folder.is_symlink()
    assert content(made) == before


@pytest.mark.parametrize("sort", ["link", "folder"])
def test_a_mark_that_is_no_file_of_ours_does_not_count(folder: Path, sort: str) -> None:
    folder.mkdir()
    (folder / "theirs").touch()
    if sort == "link":
        (folder / demo_project.MARK).symlink_to("theirs")
    else:
        (folder / demo_project.MARK).mkdir()
    refused(folder)
    assert (folder / "theirs").exists()


def test_a_build_that_was_cut_short_can_be_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def files(*_arguments: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo_project, "_files", files)
        with pytest.raises(KeyboardInterrupt):
            demo_project.build_demo_project(folder, NOW)
    assert not (folder / "run.py").exists()
    demo_project.build_demo_project(folder, NOW)
    assert (folder / "run.py").is_file()


def test_the_mark_goes_last_so_that_a_removal_that_was_cut_short_can_be_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo_project.build_demo_project(folder, NOW)
    before = content(folder)
    shutil_rmtree, removed = shutil.rmtree, list[Path]()

    def rmtree(path: Path) -> None:
        assert path != folder  # in that it would be removed at some time or other
        shutil_rmtree(path)
        removed.append(path)
        if len(removed) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        with pytest.raises(KeyboardInterrupt):
            demo_project.build_demo_project(folder, NOW)
    assert (folder / demo_project.MARK).is_file()
    demo_project.build_demo_project(folder, NOW)
    assert content(folder) == before


def test_git_ignores_the_whole_demo(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_materials_are_as_many_and_as_incomplete_as_the_real_ones(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    materials = parsed(folder / "data/materials.yaml")["materials"]
    categories = parsed(folder / "data/Categories.yaml")["categories"]
    assert len(materials) == 132
    lacking = 0
    for material in materials.values():
        assert material["category"] in categories
        assert len(material["notes"]) == 60
        characteristics = material["materialProperties"]["material_characteristics"]
        lacking += "density" not in characteristics
        density = characteristics.get("density", {"value": 1.0, "unit": "g/cm³"})
        assert (type(density["value"]), density["unit"]) == (float, "g/cm³")
        interaction = material["materialProperties"]["laser_material_interaction"]
        assert interaction["thermalConductivity"]["unit"] == "W/(m·K)"
        assert 300 <= interaction["meltingPoint"]["value"] <= 3500
    assert lacking == 26


def test_the_configuration_of_every_component_parses(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    files = sorted(folder.glob("components/*/config/*.yaml"))
    assert len(files) == 6
    for path in files:
        assert parsed(path) == {"name": path.stem, "enabled": True, "retries": 3}


def test_the_python_files_compile_and_name_the_components(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    names: dict[str, Any] = {}
    exec(compile((folder / "config/settings.py").read_text(), "settings.py", "exec"), names)  # noqa: S102 - our own
    assert {path.name for path in (folder / "components").iterdir()} == names["COMPONENTS"].keys()
    assert names["COMPONENTS"]["frontmatter"]["max_tokens"] == 4000
    compile((folder / "run.py").read_text(), "run.py", "exec")


def test_the_log_tells_of_the_last_day_line_by_line(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    lines = (folder / "logs/zbeam.log").read_text().splitlines()
    failing = [line for line in lines if " - api.client - ERROR - Request " in line]
    assert len(lines) - len(failing) == 24 * 60
    assert len(failing) == 3
    assert lines[0].startswith("2025-06-01 12:00:00,")
    assert lines[-1].startswith("2025-06-02 11:59:00,")
    shape = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - generator\.[a-z]+ - INFO - wrote \d{3} words")
    assert [line for line in lines if line not in failing and not shape.fullmatch(line)] == []


def test_a_cache_entry_is_as_old_as_it_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "cache/kind/entry.json"
    written = NOW - timedelta(hours=5)
    demo_project.cache_entry(path, random.Random("x"), written)
    assert path.stat().st_mtime == written.timestamp()
    entry = parsed(path)
    assert entry["prompt"] == "entry"
    assert 20 <= len(entry["text"].split()) < 300


def test_no_file_of_the_demo_can_be_run(folder: Path) -> None:
    demo_project.build_demo_project(folder, NOW)
    assert not [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & stat.S_IXUSR]
