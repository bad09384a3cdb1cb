from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tasks.core.settings.all_settings import defaults
from tasks.core.settings.example import EXECUTOR, FILE, example, schema
from tasks.core.settings.loading import load
from tasks.core.settings.sources import Level, Sources

HERE = Path(__file__).resolve().parent
COMMENTED_OUT = re.compile(r"^#(maintenance:|  .*)$", re.MULTILINE)
"""A line of settings; a comment for people at the head has one blank after its mark."""


def _uncommented() -> str:
    return COMMENTED_OUT.sub(r"\1", example())


def _load(tree: object) -> dict[str, Any]:
    return load(Sources([Level("file", tree)], {}, [], HERE)).tree


def _plain_defaults() -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(json.dumps(defaults()))
    return tree


def _content(text: str) -> dict[str, Any]:
    content = yaml.safe_load(text)
    assert isinstance(content, dict)
    return content


def test_the_example_as_it_is_changes_no_setting() -> None:
    assert "maintenance" not in _content(example())


FOUND: dict[tuple[str, ...], tuple[Any, str]] = {
    ("release", "changelog"): ("CHANGES.rst", "CHANGES.rst:1: Version 2"),
    ("configuration", "files"): (["one.yaml", 'two "2".yaml'], "one.yaml"),
    ("release", "lint_commands"): ([], "nowhere"),
}


def test_what_was_found_holds_and_everything_else_is_commented_out() -> None:
    assert _content(example(FOUND))["maintenance"] == {
        "configuration": {"files": ["one.yaml", 'two "2".yaml']},
        "release": {"changelog": "CHANGES.rst", "lint_commands": []},
    }
    assert "    # Found in CHANGES.rst:1: Version 2.\n" in example(FOUND)


def test_uncommenting_every_line_beside_what_was_found_gives_the_other_defaults() -> None:
    expected = _plain_defaults()
    for (section, name), (value, _) in FOUND.items():
        expected[section][name] = value
    assert _content(COMMENTED_OUT.sub(r"\1", example(FOUND)))["maintenance"] == expected


def test_what_is_not_used_is_left_out() -> None:
    content = _content(COMMENTED_OUT.sub(r"\1", example(FOUND, [("cache",), ("providers", "grok")])))["maintenance"]
    assert content.keys() == _plain_defaults().keys() - {"cache"}
    assert [*content["providers"]] == ["deepseek"]


def test_the_example_names_the_executor_that_there_is() -> None:
    from tasks.core.run.runner import MaintenanceExecutor

    assert _content(example())["tasks"] == {"executor_class": EXECUTOR}
    assert f"{MaintenanceExecutor.__module__}.{MaintenanceExecutor.__qualname__}" == EXECUTOR


def test_uncommenting_every_line_gives_exactly_the_defaults() -> None:
    assert _content(_uncommented())["maintenance"] == _plain_defaults()


def test_uncommenting_leaves_no_setting_commented_out() -> None:
    assert _uncommented() != example()
    assert not COMMENTED_OUT.search(_uncommented())


def test_every_setting_of_a_section_has_its_description_above() -> None:
    lines = example().splitlines()
    lone = [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r" +#? *\w+:", line) and not before.strip().startswith(("# ", "#  # "))
    ]
    mapped = [*defaults()["cache"]["expiry_hours"], *defaults()["cache"]["prefixes"], *defaults()["providers"]]
    assert [line for line in lone if not any(f"{name}:" in line for name in [*mapped, "executor_class"])] == []


@pytest.mark.parametrize("text", [example(), _uncommented()], ids=["as it is", "uncommented"])
def test_no_line_is_too_long_for_an_editor(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 130
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_file_is_the_one_that_invoke_reads() -> None:
    assert FILE == "invoke.yaml"


# The JSON Schema


def _valid(maintenance: object) -> bool:
    return Draft202012Validator(schema()).is_valid({"maintenance": maintenance})


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_schema_takes_the_defaults() -> None:
    assert _valid(_plain_defaults())


def test_the_schema_takes_other_parts_of_invokes_configuration() -> None:
    assert Draft202012Validator(schema()).is_valid({"run": {"echo": True}})


@pytest.mark.parametrize(
    "tree",
    [
        {"outptu": "text"},
        {"output": "xml"},
        {"cache": {"expiry_hours": {"temp": -1}}},
        {"logs": {"allow_copytruncate": "no"}},
        {"health": {"cpu_percent": 101}},
        {"providers": {"mine": {"probe": "guess"}}},
    ],
)
def test_the_schema_refuses_what_loading_refuses(tree: object) -> None:
    assert not _valid(tree)


def test_the_schema_takes_the_example_as_it_is() -> None:
    Draft202012Validator(schema()).validate(_content(example()))


@pytest.mark.parametrize("tree", [{"cache": {"expiry_hours": {"temp": None}}}, {"providers": {"grok": None}}])
def test_the_schema_takes_the_null_that_takes_an_entry_away(tree: object) -> None:
    assert _load(tree)
    assert _valid(tree)


def test_the_schema_takes_a_part_of_a_provider_that_has_defaults() -> None:
    tree = {"providers": {"grok": {"model": "grok-5"}}}
    assert _load(tree)
    assert _valid(tree)
