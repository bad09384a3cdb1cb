from __future__ import annotations

from pathlib import Path

import pytest

from tasks.configuration.config_files import FoundFile, Listing, components_of


def make(root: Path, *paths: str) -> Listing:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return Listing(root)


def test_an_exact_name_is_found_and_another_of_the_same_letters_told(tmp_path: Path) -> None:
    listing = make(tmp_path, "data/Materials.yaml", "data/materials.yaml", "data/MATERIALS.yaml")
    others = ("data/MATERIALS.yaml", "data/materials.yaml")
    assert listing.find("data/Materials.yaml") == FoundFile("data/Materials.yaml", "data/Materials.yaml", others)


@pytest.mark.parametrize("asked", ["data/Materials.yaml", "Data/materials.yaml", "DATA/MATERIALS.YAML"])
def test_a_name_that_differs_by_case_is_found(tmp_path: Path, asked: str) -> None:
    assert make(tmp_path, "data/materials.yaml").find(asked) == FoundFile(asked, "data/materials.yaml")


def test_composed_and_decomposed_letters_are_one_name(tmp_path: Path) -> None:
    listing = make(tmp_path, "cafe\u0301.yaml")
    assert listing.find("caf\u00e9.yaml").path == "cafe\u0301.yaml"


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    listing = make(tmp_path, "data/materials.yaml")
    assert listing.find("data/other.yaml") == FoundFile("data/other.yaml", None)
    assert listing.find("data/materials.yaml/deeper.yaml").path is None
    assert listing.names("nothing") == []


def test_patterns_match_each_file_once_in_any_case(tmp_path: Path) -> None:
    listing = make(
        tmp_path,
        "components/text/config.yaml",
        "components/caption/Config.YAML",
        "components/caption/config/a.yaml",
        "components/.hidden/config.yaml",
        "components/__pycache__/config.yaml",
        "components/text/config.yaml.bak",
        "components/config.yaml",
    )
    patterns = ["components/*/config.yaml", "components/*/config/*.yaml", "components/text/*.yaml"]
    assert [(each.asked, each.path) for each in listing.match(patterns)] == [
        ("components/caption/config.yaml", "components/caption/Config.YAML"),
        ("components/caption/config/a.yaml", "components/caption/config/a.yaml"),
        ("components/text/config.yaml", "components/text/config.yaml"),
    ]


def test_a_pattern_says_how_a_name_in_capitals_was_meant(tmp_path: Path) -> None:
    (found,) = make(tmp_path, "parts/A.YAML").match(["parts/*.yaml"])
    assert found == FoundFile("parts/a.yaml", "parts/A.YAML")


def test_hidden_files_match_where_the_pattern_asks_for_them(tmp_path: Path) -> None:
    assert [each.path for each in make(tmp_path, ".conf/a.yaml").match([".conf/*.yaml"])] == [".conf/a.yaml"]


def test_components_are_the_folders_at_the_first_wildcard(tmp_path: Path) -> None:
    listing = make(tmp_path, "parts/text/x", "parts/_private/x", "parts/.git/x", "parts/file", "other/caption/x")
    patterns = [
        "Parts/*/config.yaml",
        "parts/*/config/*.yaml",
        "other/*/a.yaml",
        "none/*/a.yaml",
        "parts/*",
        "a/b.yaml",
    ]
    assert [*components_of(patterns, listing)] == [("parts", "text"), ("other", "caption")]
    assert ("", "parts") in [*components_of(["*/config.yaml"], listing)]
