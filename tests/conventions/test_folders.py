"""Where a project logs, and where it keeps a cache."""

from __future__ import annotations

import pytest

from tasks.conventions.cache_folders import find_cache_folders
from tasks.conventions.data_files import find_data_files
from tasks.conventions.log_folders import find_log_folders

from .conftest import Project


def test_a_folder_that_holds_logs_is_found(project: Project) -> None:
    project.write({"log/app.log": "x", "var/log/other.log": "x", "logs/readme.txt": ""})
    found = find_log_folders(project.files())
    assert found.value == ("log", "var/log")
    assert [str(each) for each in found.evidence] == ["log/app.log", "var/log/other.log"]


@pytest.mark.parametrize(
    ("file", "text", "folder"),
    [
        ("app.py", "handler = FileHandler('out/logs/app.log')", "out/logs"),
        ("app.py", 'setup("./logs/export.log", level="INFO")', "logs"),
        ("app.py", 'FILE = Path("protocol") / f"{name}.log"', "protocol"),
        ("app.py", 'os.path.join("protocol", "x.log")', "protocol"),
        ("app.py", 'LOG_DIR = Path("run/logs")', "run/logs"),
        ("config.yaml", 'log_folder: "run/logs"', "run/logs"),
        ("logging.json", '{"filename": "run/logs/app.log"}', "run/logs"),
    ],
)
def test_a_folder_that_a_source_or_setting_names_is_found(project: Project, file: str, text: str, folder: str) -> None:
    project.write({file: f"first\n{text}\n"})
    found = find_log_folders(project.files())
    assert found.value == (folder,)
    assert str(found.evidence[0]) == f"{file}:2: {text}"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("app.py", "open('/var/log/app.log')"),
        ("app.py", "open('app.log')"),
        ("tests/test_app.py", "open('logs/app.log')"),
        ("docs/conf.py", "open('logs/app.log')"),
        ("app.py", "catalog_dir = 'logs'"),
        ("app.py", "open('../logs/app.log')"),
    ],
)
def test_what_names_no_folder_of_the_project_makes_none(project: Project, file: str, text: str) -> None:
    project.write({file: text})
    found = find_log_folders(project.files())
    assert (found.value, found.evidence) == (None, ())
    assert "paths that end in .log" in found.sought


def test_a_package_named_logs_is_no_log_folder(project: Project) -> None:
    project.write({"logs/__init__.py": "", "app.py": "open('logs/app.log')"})
    assert find_log_folders(project.files()).value is None


def test_folders_that_are_there_come_first_then_those_named_most_often(project: Project) -> None:
    project.write(
        {"a.py": "'one/a.log'", "b.py": "'two/a.log'; 'two/b.log'", "c.py": "'three/a.log'", "three/old.txt": ""}
    )
    assert find_log_folders(project.files()).value == ("three", "two", "one")


def test_of_each_folder_three_places_are_shown(project: Project) -> None:
    project.write({"a.py": "\n".join(f"'logs/{number}.log'" for number in range(9))})
    assert len(find_log_folders(project.files()).evidence) == 3


# Caches


@pytest.mark.parametrize("folder", ["cache", ".cache", "var/cache"])
def test_a_folder_named_cache_is_found(project: Project, folder: str) -> None:
    project.write({f"{folder}/entry.json": "{}"})
    assert find_cache_folders(project.files()).value == (folder,)


@pytest.mark.parametrize(
    "text", ['CACHE_DIR = Path("data/.cache")', 'self.cache_path = "data/.cache"', "cache_root: 'data/.cache'"]
)
def test_a_folder_that_is_there_and_named_as_a_cache_is_found(project: Project, text: str) -> None:
    project.write({"data/.cache/entry": "x", "settings.yaml" if ": '" in text else "app.py": text})
    found = find_cache_folders(project.files())
    assert found.value == ("data/.cache",)
    assert found.evidence[0].text == text


@pytest.mark.parametrize(
    "files",
    [
        {"app.py": 'CACHE_DIR = "cache"'},
        {"cache/__init__.py": "", "cache/entry.json": ""},
        {"cache": "a file"},
        {".mypy_cache/x": "", "app.py": 'CACHE_DIR = ".mypy_cache"'},
        {"app.py": 'CACHE_DIR = "../cache"'},
        {"path/x": "", "app.py": 'cache_path = "path"'},
    ],
)
def test_what_is_only_named_or_is_code_is_no_cache(project: Project, files: dict[str, str]) -> None:
    project.write(files)
    assert find_cache_folders(project.files()).value is None


@pytest.mark.needs("git")
def test_what_git_tracks_is_work_and_no_cache(project: Project) -> None:
    project.write({"cache/entry.json": "{}", ".cache/.gitkeep": ""})
    project.commit()
    project.write({".cache/entry.json": "{}"})
    assert find_cache_folders(project.files()).value == (".cache",)


# Data


def test_folders_of_data_are_found_with_what_is_in_them(project: Project) -> None:
    project.write(
        {"data/a.yaml": "", "data/b/c.json": "", "app/data/d.csv": "", "data/e.txt": "", "tests/data/f.csv": ""}
    )
    found = find_data_files(project.files())
    assert found.value == ("app/data/**", "data/**")
    assert [str(each) for each in found.evidence] == ["app/data/d.csv: 1 files", "data/a.yaml: 2 files"]


def test_data_far_below_and_files_named_data_are_none(project: Project) -> None:
    project.write({"a/b/c/data/d.yaml": "", "data.yaml": "", "data": ""})
    assert find_data_files(project.files()).value is None
