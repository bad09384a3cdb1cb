from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.configuration.component_configuration import component_findings, find_components
from tasks.configuration.config_files import ConfigFiles, FoundFile, Listing, ReviewedFile
from tasks.core.report.model import Status

PATTERNS = ("components/*/config.yaml", "components/*/config/*.yaml")


def inventory(root: Path, *paths: str, **settings: Any) -> ConfigFiles:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    listing = Listing(root)
    found = tuple(ReviewedFile(each, readable=True) for each in listing.match(PATTERNS))
    file = ReviewedFile(FoundFile("config/settings.py", "config/settings.py"), settings, readable=True)
    return ConfigFiles((file,), found, listing)


def findings_on(found: ConfigFiles) -> list[tuple[Status, str]]:
    return [(each.status, each.message) for each in component_findings(find_components(found, PATTERNS))]


def test_no_components_are_nothing_to_tell(tmp_path: Path) -> None:
    assert findings_on(inventory(tmp_path, COMPONENTS={"text": {}})) == []


def test_configured_components_are_ok(tmp_path: Path) -> None:
    found = inventory(tmp_path, "components/a/config.yaml", "components/b/config/b.yaml")
    assert findings_on(found) == [(Status.OK, "2 components have a configuration.")]


@pytest.mark.parametrize("name", ["COMPONENTS", "components", "COMPONENT_CONFIG", "component_settings"])
def test_the_settings_are_compared_with_the_folders(tmp_path: Path, name: str) -> None:
    found = inventory(
        tmp_path, "components/meta_tags/config.yaml", "components/b/config.yaml", **{name: {"metaTags": {}, "c": {}}}
    )
    assert [message for _, message in findings_on(found)] == [
        f'1 component without a folder, though {name} in config/settings.py names it: "c".',
        f'1 component with a configuration that {name} in config/settings.py does not name: "components/b".',
    ]


@pytest.mark.parametrize("value", [{}, {"a": 1}, ["a"], None])
def test_what_is_no_mapping_of_mappings_declares_nothing(tmp_path: Path, value: Any) -> None:
    found = inventory(tmp_path, "components/b/config.yaml", COMPONENTS=value)
    assert findings_on(found) == [(Status.OK, "1 component has a configuration.")]


def test_a_folder_without_configuration_is_told_once(tmp_path: Path) -> None:
    found = inventory(tmp_path, "components/a/config.yaml", "components/b/code.py", COMPONENTS={"a": {}, "b": {}})
    assert [message for _, message in findings_on(found)] == [
        '1 component without a configuration: "components/b".',
        '1 component with a configuration and no code, where others have code: "components/a".',
    ]
