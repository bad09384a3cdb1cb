from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from tasks.core.files import safe_files

from .conftest import INV, REPOSITORY, Inv, Result, fingerprint, wait_until

TASK = "monthly.config-review"
BASELINE = "logs/config_baseline.json"
HISTORY = "logs/config_history.jsonl"
KEYS = {"DEEPSEEK_API_KEY": "deepseek-0123456789", "GROK_API_KEY": "grok-0123456789"}

MATERIALS, WITHOUT_DENSITY = 132, 26
GIT = shutil.which("git") or "git"
REAL = REPOSITORY.parent / "shared/zbeam-data"

SETTINGS = """import os

TIMEOUT = 30
PROVIDERS = {
    "deepseek": {"model": "deepseek-chat", "temperature": 0.7},
    "grok": {"model": "grok-4", "temperature": 0.5},
}
WORKERS = int(os.environ.get("WORKERS", "4"))
"""


def material(number: int, *, density: bool = True) -> dict[str, Any]:
    """A material in the shape of the real ones."""
    characteristics: dict[str, Any] = {"hardness": {"value": 4.5, "unit": "Mohs"}}
    if density:
        characteristics["density"] = {"value": 2.5 + number / 100, "unit": "g/cm³", "min": 1, "max": 9}
    interaction = {
        "thermalConductivity": {"value": 120.5, "unit": "W/(m·K)"},
        "meltingPoint": {"value": 1200, "unit": "K"},
    }
    return {
        "category": "stone" if number % 2 else "metal",
        "materialProperties": {
            "material_characteristics": characteristics,
            "laser_material_interaction": interaction,
        },
    }


def write_yaml(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), encoding="utf-8")


@pytest.fixture
def well(project: Path, environment: dict[str, str]) -> Path:
    """A project in which nothing is wrong."""
    environment |= KEYS
    materials = {f"Material {number:03d}": material(number) for number in range(10)}
    write_yaml(project / "data/Materials.yaml", {"materials": materials})
    ranges = {"density": {"min": 1, "max": 20, "unit": "g/cm³"}}
    categories = {name: {"category_ranges": ranges} for name in ("stone", "metal")}
    write_yaml(project / "data/Categories.yaml", {"categories": categories})
    (project / "config").mkdir()
    (project / "config/settings.py").write_text(SETTINGS)
    write_yaml(project / "components/caption/config.yaml", {"enabled": True, "retries": 3})
    write_yaml(project / "components/text/config/text.yaml", {"enabled": True})
    (project / ".env").write_text("DEEPSEEK_API_KEY=deepseek-9876543210\n")
    (project / ".env.example").write_text("DEEPSEEK_API_KEY=\n")
    return project


def accepted(inv: Inv, *arguments: str) -> Result:
    result = inv(TASK, "--accept", *arguments)
    assert result.status == 0, result.out
    return result


def reported(result: Result, check: str) -> list[tuple[str, str, str]]:
    return [(each["subject"], each["status"], each["message"]) for each in result.findings(f"configuration.{check}")]


def drift(result: Result) -> list[tuple[str, str, str, str | None, str | None]]:
    rows = result.report["data"].get("drift", [])
    return [(row["file"], row["path"], row["change"], row["before"], row["now"]) for row in rows]


def missing(result: Result) -> dict[str, Any]:
    return {each["subject"].split()[-1]: each["value"] for each in result.findings("configuration.required")}


def everything_below(root: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


# The good case, what is written, and nothing at all


def test_a_configuration_that_is_well_is_ok_and_accepted(inv: Inv, well: Path) -> None:
    first = inv(TASK)
    assert (first.status, first.report["status"]) == (0, "ok"), first.out
    jsonschema.validate(first.document, json.loads(inv("report.schema", json=False).out))
    assert reported(first, "baseline")[0][1] == "skipped"
    assert not (well / BASELINE).exists()
    result = accepted(inv)
    assert result.report["status"] == "ok"
    assert "Accepted 6 files" in reported(result, "baseline")[0][2]
    assert (well / f"{BASELINE}.key").stat().st_mode & 0o777 == 0o600
    assert set(result.report["files"]) == {
        BASELINE,
        f"{BASELINE}.key",
        HISTORY,
        f"logs/config_reports/config_review_{datetime.now().astimezone():%Y%m}.json",
    }
    second = inv(TASK)
    assert (second.status, second.report["status"], drift(second)) == (0, "ok", [])
    assert second.report["files"] == [f"logs/config_reports/config_review_{datetime.now().astimezone():%Y%m}.json"]
    report = json.loads((well / second.report["files"][0]).read_text())
    assert [run["status"] for run in report["runs"]] == ["ok", "ok", "ok"]
    assert report["runs"][-1]["figures"]["configuration.materials data/Materials.yaml"] == 10


def test_an_empty_project_is_skipped(inv: Inv, project: Path) -> None:
    result = inv(TASK)
    assert (result.status, result.report["status"]) == (0, "skipped"), result.out
    assert "There is no configuration here" in result.report["findings"][0]["message"]
    assert inv(TASK, "--accept").report["status"] == "skipped"
    assert not (project / BASELINE).exists()


def test_a_dry_run_changes_nothing_and_names_what_a_run_writes(inv: Inv, well: Path) -> None:
    before = fingerprint(well)
    planned = inv(TASK, "--accept", "--dry-run")
    assert (planned.status, fingerprint(well)) == (0, before), planned.out
    assert planned.report["dry_run"]
    assert planned.report["files"] == []
    assert "Would accept 6 files" in reported(planned, "baseline")[0][2]
    done = accepted(inv)
    assert sorted(planned.targets("write")) == sorted(done.report["files"])
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "45"))
    before = fingerprint(well)
    again = inv("--dry", TASK)
    assert (again.status, fingerprint(well)) == (1, before)
    assert drift(again) == [("config/settings.py", "TIMEOUT", "changed", "30", "45")]


def test_the_text_says_what_where_and_what_to_do(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "config/settings.py").write_text(SETTINGS.replace("0.7", "0.9"))
    (well / "components/caption/config.yaml").write_text("enabled: true\nretries: 3\nretries: 4\n")
    text = inv(TASK, json=False).out
    assert "PROVIDERS.deepseek.temperature: 0.7 → 0.9 (line 5)" in text
    assert "--accept-path config/settings.py" in text
    assert re.search(
        r"Line 3, column 1: the key 'retries' stands on line 2 already; this one counts\.\n +retries: 4\n +\^\n", text
    )
    assert "verdict: warning" in text
    result = inv(TASK)
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    assert [each["excerpt"] for each in result.findings("configuration.readable") if "excerpt" in each] == [
        "retries: 4\n^"
    ]


# Files: missing, misnamed, broken


def test_a_name_that_differs_by_case_is_found_and_reviewed(inv: Inv, well: Path) -> None:
    (well / "data/Materials.yaml").rename(well / "data/materials.yaml")
    result = inv(TASK)
    ((subject, status, message),) = reported(result, "case")
    assert (subject, status) == ("data/Materials.yaml", "warning")
    assert '"data/materials.yaml"' in message
    assert reported(result, "materials") == [("data/materials.yaml", "ok", "10 materials in 2 categories.")]


def test_a_name_that_changes_its_case_is_no_drift(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "data/Materials.yaml").rename(well / "data/materials.yaml")
    assert drift(inv(TASK)) == []


def test_a_missing_file_is_unknown_where_a_setting_names_it_and_drift_once_it_was_accepted(
    inv: Inv, well: Path
) -> None:
    (well / "data/Categories.yaml").unlink()
    named = {"INVOKE_MAINTENANCE_CONFIGURATION_FILES": "data/Materials.yaml,data/Categories.yaml"}
    result = inv(TASK, env=named)
    assert (result.status, reported(result, "present")[0][:2]) == (3, ("data/Categories.yaml", "unknown"))
    assert reported(inv(TASK), "present") == []
    write_yaml(well / "data/Categories.yaml", {"categories": {"stone": {}, "metal": {}}})
    accepted(inv)
    (well / "data/Categories.yaml").unlink()
    assert drift(inv(TASK)) == [("data/Categories.yaml", "(the whole file)", "removed", "2 values", None)]


@pytest.mark.parametrize(
    "name",
    [
        "generation/config.yaml",
        "shared/config/settings.py",
        "domains/one/config.yaml",
        "data/materials/Properties.yaml",
        "app/settings/production.py",
    ],
)
def test_the_projects_own_files_are_reviewed_without_a_setting(inv: Inv, project: Path, name: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True)
    path.write_text("LIMIT = 3\n" if name.endswith(".py") else "limit: 3\n")
    (path.parent / "code.py").write_text("def limit():\n    return 3\n")
    result = accepted(inv)
    assert result.report["summary"].startswith("1 file reviewed")
    assert drift(inv(TASK)) == []
    path.write_text(path.read_text().replace("3", "4"))
    assert [(row[0], row[3], row[4]) for row in drift(inv(TASK))] == [(name, "3", "4")]


def test_a_new_file_of_many_alike_is_reviewed_as_well(inv: Inv, project: Path) -> None:
    for name in ("one", "two", "three", "four"):
        write_yaml(project / f"domains/{name}/config.yaml", {"name": name})
    assert accepted(inv).report["summary"].startswith("4 files reviewed")
    write_yaml(project / "domains/five/config.yaml", {"name": "five"})
    assert [(row[0], row[2]) for row in drift(inv(TASK))] == [("domains/five/config.yaml", "added")]


def test_a_file_that_two_patterns_match_is_reviewed_once(inv: Inv, project: Path) -> None:
    write_yaml(project / "app/config.yaml", {"limit": 3})
    write_yaml(project / "app/other.yaml", {"limit": 3})
    patterns = "app/config.yaml,app/*.yaml,*/config.yaml,gone/*.yaml,missing/*.yaml"
    result = inv(TASK, env={"INVOKE_MAINTENANCE_CONFIGURATION_FILES": patterns})
    assert result.report["summary"].startswith("2 files reviewed")
    assert [each[0] for each in reported(result, "present")] == ["gone/*.yaml", "missing/*.yaml"]


def test_where_a_setting_names_the_files_no_others_are_reviewed(inv: Inv, well: Path) -> None:
    write_yaml(well / "generation/config.yaml", {"limit": 3})
    assert inv(TASK).report["summary"].startswith("6 files reviewed")
    named = {"INVOKE_MAINTENANCE_CONFIGURATION_FILES": "generation/*.yaml"}
    assert inv(TASK, env=named).report["summary"].startswith("3 files reviewed")
    nothing = inv(TASK, env={"INVOKE_MAINTENANCE_CONFIGURATION_FILES": "elsewhere/*.yaml"})
    assert reported(nothing, "present")[0][:2] == ("elsewhere/*.yaml", "unknown")


def test_a_project_without_configuration_is_skipped_with_what_was_looked_for(inv: Inv, project: Path) -> None:
    (project / "code.py").write_text("LIMIT = 3\n")
    (project / "settings").mkdir()
    (project / "settings/code.py").write_text("def limit():\n    LIMIT = 3\n    return LIMIT\n")
    ((subject, status, message),) = reported(inv(TASK), "present")
    assert (subject, status) == ("configuration", "skipped")
    assert "config/settings.py" in message
    assert "Looked for settings.py, files named config" in message


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("data/Categories.yaml", b"categories:\n\tstone: {}\n", ("critical", "Line 2, column 1")),
        ("data/Categories.yaml", b"categories: !!python/object:os.system {}\n", ("warning", "python/object")),
        ("data/Categories.yaml", BOMB.encode(), ("critical", "values once its aliases are written out")),
        ("data/Categories.yaml", b"a: &a [*a]\n", ("critical", "stands within what it names")),
        ("data/Categories.yaml", b"[" * 10_000 + b"]" * 10_000, ("critical", "levels of nesting")),
        ("data/Categories.yaml", b"", ("warning", "It is empty")),
        ("data/Categories.yaml", b"\0\1\2\3" * 100, ("critical", "binary")),
        ("data/Categories.yaml", b"a: caf\xe9\n", ("critical", "Line 1, column 7: the byte 0xE9 is no UTF-8")),
        ("data/Categories.yaml", "categories: {}\n".encode("utf-16"), ("warning", "UTF-16")),
        ("config/settings.py", b"TIMEOUT = = 3\n", ("critical", "Line 1, column 11")),
        ("config/settings.py", b"match = 1\ntype X[T: = int\n", ("critical", "Line 2")),
    ],
    ids=[
        *("tab", "tag", "bomb", "circle", "deep", "empty", "binary", "latin-1", "utf-16"),
        *("syntax", "newer syntax"),
    ],
)
def test_a_broken_file_is_told_by_its_place_and_the_rest_is_reviewed(
    inv: Inv, well: Path, name: str, content: bytes, expected: tuple[str, str]
) -> None:
    status, message = expected
    accepted(inv)
    (well / name).write_bytes(content)
    result = inv(TASK)
    findings = [each for each in reported(result, "readable") if each[0] == name]
    assert [each[1] for each in findings] == [status], result.out
    assert message in findings[0][2]
    assert result.status == {"critical": 2, "warning": 1}[status]
    assert result.err == ""
    assert reported(result, "materials")[0][1] == "ok"


def test_a_fault_in_a_long_line_shows_no_password_of_it(inv: Inv, well: Path) -> None:
    line = (
        "smtp: {host: mail.example.com, from: the.generator@example.com, password: made-up-words-42, port: 25, x: 1: 2}"
    )
    (well / "data/Categories.yaml").write_text(f"{line}\n")
    for result in (inv(TASK), inv(TASK, json=False)):
        assert result.status == 2
        assert "made-up" not in result.out + result.err
    assert b"made-up" not in everything_below(well / "logs")


def test_a_settings_module_with_a_literal_of_a_thousand_lines_is_read(inv: Inv, well: Path) -> None:
    lines = "".join(f"    'key {number}': {number},\n" for number in range(1000))
    (well / "config/settings.py").write_text(f"TABLE = {{\n{lines}}}\n")
    accepted(inv)
    (well / "config/settings.py").write_text(f"TABLE = {{\n{lines.replace(' 777,', ' 778,')}}}\n")
    assert drift(inv(TASK)) == [("config/settings.py", "TABLE.key 777", "changed", "777", "778")]


def test_a_settings_module_is_never_run(inv: Inv, well: Path) -> None:
    (well / "config/settings.py").write_text("from pathlib import Path\nPath('ran').touch()\nTIMEOUT = Path.cwd()\n")
    assert inv(TASK).report["status"] == "ok"
    assert not [*well.rglob("ran"), *REPOSITORY.glob("ran")]


def test_a_link_out_of_the_project_is_not_followed(inv: Inv, well: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text("secret_of_another: 1\n")
    (well / "data/Categories.yaml").unlink()
    (well / "data/Categories.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    result = inv(TASK)
    ((_, status, message),) = [each for each in reported(result, "readable") if each[0] == "data/Categories.yaml"]
    assert (result.status, status) == (3, "unknown")
    assert "leads out of the project" in message


def test_a_file_of_fifty_megabytes_is_left_unread(inv: Inv, well: Path) -> None:
    with (well / "data/Categories.yaml").open("wb") as file:
        file.truncate(50_000_000)
    result = inv(TASK)
    ((_, status, message),) = [each for each in reported(result, "readable") if each[0] == "data/Categories.yaml"]
    assert (result.status, status) == (3, "unknown")
    assert "50,000,000 bytes" in message


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_unknown(
    well: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    (well / "config/settings.py").chmod(0)
    environment |= {"INVOKE_MAINTENANCE_OUTPUT": "json"}
    command = [*without_privileges, INV, TASK]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    ((_, status, message),) = [
        each
        for each in reported(Result(done.returncode, done.stdout, done.stderr), "readable")
        if "settings" in each[0]
    ]
    assert (done.returncode, status) == (3, "unknown"), done.stderr
    assert "Permission denied" in message


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_read_is_told_or_read_whole(inv: Inv, well: Path) -> None:
    path = well / "data/Categories.yaml"
    writer = subprocess.Popen(
        [sys.executable, "-c", f"while True:\n with open({str(path)!r}, 'a') as file: file.write('# more\\n')"]
    )
    try:
        size = path.stat().st_size
        wait_until(lambda: path.stat().st_size > size, writer)
        result = inv(TASK)
    finally:
        writer.kill()
        writer.wait()
    about = [each for each in reported(result, "readable") if each[0] == "data/Categories.yaml"]
    assert [(each[1], "changed 3 times" in each[2]) for each in about] in ([], [("unknown", True)]), result.out
    assert result.err == ""


# Materials, components, environment


def test_what_is_missing_is_grouped(inv: Inv, well: Path) -> None:
    materials = {f"Material {number:03d}": material(number, density=number >= 4) for number in range(20)}
    materials["Material 000"]["materialProperties"]["laser_material_interaction"].pop("meltingPoint")
    write_yaml(well / "data/Materials.yaml", {"materials": materials})
    result = inv(TASK)
    assert result.status == 1
    assert missing(result) == {"density": 4, "melting_point": 1, "thermal_conductivity": 0}
    rows = [(row["missing"], row["materials"]) for row in result.report["data"]["missing_properties"]]
    assert rows == [("density", 3), ("density, melting_point", 1)]


def test_values_references_and_units_are_judged(inv: Inv, well: Path) -> None:
    materials = {f"Material {number:03d}": material(number) for number in range(6)}
    characteristics = [each["materialProperties"]["material_characteristics"]["density"] for each in materials.values()]
    characteristics[0] |= {"value": 12}
    characteristics[1] |= {"value": 30, "min": None, "max": None}
    characteristics[2] |= {"min": 9, "max": 1}
    characteristics[3] |= {"unit": "kg/m³"}
    materials["Material 004"]["category"] = "Stone"
    materials["Material 005"]["category"] = "cheese"
    write_yaml(well / "data/Materials.yaml", {"materials": materials})
    result = inv(TASK)
    assert {message for _, _, message in reported(result, "ranges")} == {
        '1 range with min above max: "Material 002 density 2.52 (9 to 1)".',
        '1 value outside the range stated beside: "Material 000 density 12 (1 to 9)".',
    }
    assert reported(result, "category-ranges") == [
        (
            "data/Categories.yaml",
            "warning",
            "1 of 3 values outside the range of their category; 1 not compared, their unit being another.",
        )
    ]
    assert [message for _, _, message in reported(result, "references")] == [
        '1 material in the category "Stone", which is not defined; "stone" differs by case only: "Material 004".',
        '1 material in the category "cheese", which is not defined: "Material 005".',
    ]
    assert result.report["data"]["units"] == [{"property": "density", "units": "g/cm³ 5, kg/m³ 1"}]


def test_components_without_configuration_and_configuration_without_component_are_told(inv: Inv, well: Path) -> None:
    declared = 'COMPONENT_CONFIG = {"caption": {"provider": "grok"}, "table": {"provider": "grok"}}\n'
    (well / "config/settings.py").write_text(SETTINGS + declared)
    (well / "components/author").mkdir()
    (well / "components/caption/generator.py").touch()
    messages = [message for _, _, message in reported(inv(TASK), "components")]
    where = "COMPONENT_CONFIG in config/settings.py"
    assert messages == [
        '1 component without a configuration: "components/author".',
        f'1 component without a folder, though {where} names it: "table".',
        f'1 component with a configuration that {where} does not name: "components/text".',
        '1 component with a configuration and no code, where others have code: "components/text".',
    ]


def test_keys_are_present_or_not_and_the_example_is_compared(inv: Inv, well: Path) -> None:
    (well / ".env").write_text("DEEPSEEK_API_KEY=deepseek-9876543210\nDEEPSEEK_API_KEY=x\nWEBHOOK_TOKEN=hook-1\n='\n")
    (well / ".env.example").write_text("DEEPSEEK_API_KEY=\nGROK_API_KEY=\nTHIRD=\n")
    result = inv(TASK, env={"GROK_API_KEY": ""})
    assert reported(result, "keys")[1] == ("GROK_API_KEY", "critical", "It is empty in the environment.")
    messages = [message for _, _, message in reported(result, "environment")]
    assert messages == [
        "1 line that cannot be read, NAME=value being expected: 4.",
        '1 name more than once, the last counts: "DEEPSEEK_API_KEY".',
        '1 variable in .env and not in .env.example: "WEBHOOK_TOKEN".',
        '1 variable of .env.example set nowhere: "THIRD".',
    ]
    assert "hook-1" not in result.out


def test_a_value_that_differs_from_the_default_beside_it_is_told(inv: Inv, well: Path) -> None:
    (well / "config/settings.py").write_text(f"{SETTINGS}DEFAULT_TIMEOUT = 20\n")
    result = inv(TASK)
    assert result.report["data"]["deviations"] == [
        {"file": "config/settings.py", "path": "TIMEOUT", "value": "30", "default": "20"}
    ]


# Drift


def test_a_part_of_the_drift_can_be_accepted(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "45").replace("0.7", "0.9"))
    write_yaml(well / "components/caption/config.yaml", {"enabled": False, "retries": 3})
    part = "config/settings.py:PROVIDERS.deepseek"
    result = inv(TASK, "--accept-path", part, "--accept-path", "components/caption/config.yaml")
    assert result.status == 1, result.out
    assert "Accepted 2 changes in 2 files" in reported(result, "baseline")[0][2]
    assert drift(result) == drift(inv(TASK)) == [("config/settings.py", "TIMEOUT", "changed", "30", "45")]
    events = [json.loads(line) for line in (well / HISTORY).read_text().splitlines()]
    assert [
        (each["event"], each["path"]) for each in events if each["change"] == "changed" and each["event"] != "accepting"
    ] == [
        ("accepted", "PROVIDERS.deepseek.temperature"),
        ("accepted", "enabled"),
        ("drift", "TIMEOUT"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accept-path", "config/settings.py:TIMEOUT"], "Nothing has drifted at"),
        (["--accept-path", "config/nothing.py"], "no reviewed file of that name can be read"),
    ],
)
def test_what_cannot_be_accepted_is_told(inv: Inv, well: Path, arguments: list[str], message: str) -> None:
    accepted(inv)
    before = (well / BASELINE).read_bytes()
    result = inv(TASK, *arguments)
    assert (result.status, reported(result, "baseline")[0][1]) == (1, "warning")
    assert message in reported(result, "baseline")[0][2]
    assert (well / BASELINE).read_bytes() == before


def test_nothing_is_left_to_accept_a_second_time(inv: Inv, well: Path) -> None:
    accepted(inv)
    before = (well / BASELINE).read_bytes()
    assert "nothing was left to accept" in reported(accepted(inv), "baseline")[0][2]
    assert (well / BASELINE).read_bytes() == before


def test_a_file_that_is_gone_or_new_can_be_accepted(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "components/caption/config.yaml").rename(well / "components/caption/config.yml")
    write_yaml(well / "components/text/config/more.yaml", {"a": 1})
    assert [row[2] for row in drift(inv(TASK))] == ["added", "added", "removed"]
    names = ("config.yaml", "config.yml")
    parts = (*(f"components/caption/{name}" for name in names), "components/text/config/more.yaml")
    inv(TASK, *(argument for name in parts for argument in ("--accept-path", name)))
    assert drift(inv(TASK)) == []


def test_the_baseline_of_a_file_that_cannot_be_read_is_kept(inv: Inv, well: Path) -> None:
    accepted(inv)
    content = (well / "config/settings.py").read_bytes()
    (well / "config/settings.py").write_text("A = = 1\n")
    assert inv(TASK, "--accept").status == 2
    (well / "config/settings.py").write_bytes(content)
    assert drift(inv(TASK)) == []


@pytest.mark.parametrize(
    "name", ["logs/config_history.jsonl", "logs/config_baseline.json", "logs/config_baseline.json.key"]
)
def test_what_cannot_be_written_is_told_and_nothing_is_lost(
    inv: Inv, well: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (well / name).parent.mkdir(parents=True, exist_ok=True)
    real = safe_files.write

    def refuse(root: Path, relative: str, *rest: Any, **options: Any) -> str | None:
        if relative == name:
            raise PermissionError(13, "Permission denied")
        return real(root, relative, *rest, **options)

    monkeypatch.setattr(safe_files, "write", refuse)
    result = inv(TASK, "--accept")
    assert result.err == ""
    assert not (well / name).exists()
    if "history" in name:
        assert (result.status, "The history was not continued" in result.out) == (1, True)
        assert (well / BASELINE).is_file()
    else:
        assert (result.status, "othing was accepted" in result.out) == (2, True)
        assert not (well / BASELINE).is_file()


@pytest.mark.parametrize("name", ["logs/config_history.jsonl", BASELINE, f"{BASELINE}.key"])
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_not_believed_is_kept_aside_and_told(inv: Inv, well: Path, name: str, kind: str) -> None:
    path, outside = well / name, well.parent / "outside"
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(outside)
    result = inv(TASK, "--accept")
    assert result.err == ""
    assert f"{name} is " in result.out or f"{name}.broken-1" in result.out
    assert path.is_file()
    assert os.path.lexists(f"{path}.broken-1")
    assert not outside.exists()
    assert drift(inv(TASK)) == []


def test_a_log_folder_that_is_none_is_told(inv: Inv, well: Path) -> None:
    (well / "logs").touch()
    result = inv(TASK, "--accept")
    assert (result.status, result.err) == (2, "")
    assert "Nothing was accepted" in result.out


def test_all_or_a_part_is_accepted_not_both(inv: Inv, well: Path) -> None:
    result = inv(TASK, "--accept", "--accept-path", "config/settings.py")
    assert result.status != 0
    assert "give one of the two" in result.out + result.err
    assert not (well / BASELINE).exists()


def test_moved_and_renamed_keys_are_recognised(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "config/settings.py").write_text(SETTINGS.replace('"grok":', '"xai":'))
    assert drift(inv(TASK)) == [("config/settings.py", "PROVIDERS.xai", "moved", "PROVIDERS.grok", "2 values")]


def test_all_changes_are_shown_with_diff(inv: Inv, well: Path) -> None:
    accepted(inv)
    write_yaml(well / "components/caption/config.yaml", {f"key {number}": "x" * 100 for number in range(30)})
    shortened, whole = inv(TASK), inv(TASK, "--diff")
    assert (len(drift(shortened)), len(drift(whole))) == (20, 32)
    assert {row[4] for row in drift(shortened)} == {None, f"{'x' * 59}…"}
    assert {row[4] for row in drift(whole)} == {None, "x" * 100}


def test_drift_is_remembered_once_and_the_history_is_bounded(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "45"))
    inv(TASK)
    lines = (well / HISTORY).read_text().splitlines()
    inv(TASK)
    assert (well / HISTORY).read_text().splitlines() == lines
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "60"))
    inv(TASK)
    assert len((well / HISTORY).read_text().splitlines()) == len(lines) + 1
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "90"))
    inv(TASK, env={"INVOKE_MAINTENANCE_CONFIGURATION_HISTORY_KB": "0"})
    assert (well / HISTORY).read_text() == ""


def test_an_acceptance_that_was_killed_is_in_the_history_after_the_next_run(inv: Inv, well: Path) -> None:
    accepted(inv)
    yesterday = (datetime.now().astimezone() - timedelta(days=1)).isoformat(timespec="seconds")
    before = msgspec.json.encode(msgspec.json.decode((well / BASELINE).read_bytes()) | {"updated": yesterday})
    (well / BASELINE).write_bytes(before)
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "45"))
    inv(TASK)
    inv(TASK, "--accept")
    after, history = (well / BASELINE).read_bytes(), (well / HISTORY).read_text().splitlines(keepends=True)
    assert [json.loads(line)["event"] for line in history[-3:]] == ["drift", "accepting", "accepted"]
    (well / HISTORY).write_text("".join(history[:-1]))  # killed after the baseline was written
    inv(TASK, "--dry-run")
    assert (well / HISTORY).read_text() == "".join(history[:-1])
    inv(TASK)
    assert (well / HISTORY).read_text() == "".join(history)
    inv(TASK)
    assert (well / HISTORY).read_text() == "".join(history)
    (well / HISTORY).write_text("".join(history[:-1]))
    (well / BASELINE).write_bytes(before)  # killed before
    inv(TASK)
    assert [json.loads(line)["event"] for line in (well / HISTORY).read_text().splitlines()[-2:]] == [
        "accepting",
        "drift",
    ]
    assert (well / BASELINE).read_bytes() == before != after


def test_what_a_killed_run_left_beside_the_history_goes_though_nothing_is_new(inv: Inv, well: Path) -> None:
    accepted(inv)
    inv(TASK)
    left = well / "logs/.maintenance-tmp"
    left.write_text("half of a history")
    inv(TASK, "--dry-run")
    assert left.exists()
    inv(TASK)
    assert not left.exists()


@pytest.mark.needs("git")
def test_git_knows_who_and_when(inv: Inv, well: Path) -> None:
    def git(*arguments: str) -> None:
        settings = ("-c", "user.name=Author", "-c", "user.email=author@example.org")
        dated = {**os.environ, "GIT_AUTHOR_DATE": "2026-05-01T12:00:00", "GIT_COMMITTER_DATE": "2026-05-01T12:00:00"}
        subprocess.run([GIT, *settings, *arguments], cwd=well, check=True, capture_output=True, env=dated)

    accepted(inv)
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "45"))
    git("init")
    git("add", "config")
    git("commit", "-m", "longer")
    (row,) = inv(TASK).report["data"]["drift"]
    assert (row["line"], row["who"], row["when"][:10]) == (3, "Author", "2026-05-01")
    (well / "config/settings.py").write_text(SETTINGS.replace("30", "60"))
    (row,) = inv(TASK).report["data"]["drift"]
    assert (row["who"], row["when"]) == ("not committed", None)


@pytest.mark.parametrize("content", [b"", b'{"schema": 1, "files', b"[]", b"\xff\xfe"])
def test_a_broken_baseline_is_unknown_and_kept_aside_when_a_new_one_is_accepted(
    inv: Inv, well: Path, content: bytes
) -> None:
    accepted(inv)
    (well / BASELINE).write_bytes(content)
    result = inv(TASK)
    assert (result.status, reported(result, "baseline")[0][1]) == (3, "unknown"), result.out
    assert (well / BASELINE).read_bytes() == content
    assert "is kept as" in reported(accepted(inv), "baseline")[0][2]
    assert (well / f"{BASELINE}.broken-1").read_bytes() == content
    assert inv(TASK).report["status"] == "ok"


def test_a_baseline_of_a_newer_version_is_never_replaced(inv: Inv, well: Path) -> None:
    (well / "logs").mkdir()
    (well / BASELINE).write_text('{"schema": 2, "files": []}')
    assert reported(inv(TASK), "baseline")[0][1] == "unknown"
    result = inv(TASK, "--accept")
    assert (result.status, reported(result, "baseline")[0][1]) == (2, "critical")
    assert (well / BASELINE).read_text() == '{"schema": 2, "files": []}'


def test_a_baseline_without_its_key_says_that_secrets_cannot_be_compared(inv: Inv, well: Path) -> None:
    accepted(inv)
    (well / f"{BASELINE}.key").unlink()
    result = inv(TASK)
    assert (result.status, reported(result, "drift")[0][:2]) == (3, (".env", "unknown")), result.out
    accepted(inv)
    assert inv(TASK).report["status"] == "ok"


def test_no_secret_is_in_any_output_report_baseline_or_history(inv: Inv, well: Path) -> None:
    secrets = {
        "by its name": "correct-horse-battery",
        "by its form": "sk-live0123456789abcdefgh",
        "nested": "tr0ub4dor-and-3",
        "as a default": "fallback-hunter2",
        "in an address": "swordfish99",
        "in .env": "env-value-12345",
        "in broken YAML": "brokenpassword77",
        "a token": "Zx81Qw90Er72Ty63Ui54Op",  # maintenance: no-secret
    }

    def plant(end: str) -> None:
        planted = {name: f"{value}{end}" for name, value in secrets.items()}
        (well / "config/settings.py").write_text(
            f'{SETTINGS}import os\nDB_PASSWORD = "{planted["by its name"]}"\nX = "{planted["by its form"]}"\n'
            f'AUTH = {{"credentials": {{"main": ["{planted["nested"]}"]}}}}\n'
            f'API_TOKEN = os.environ.get("API_TOKEN", "{planted["as a default"]}")\n'
            f'DEFAULT_DB_PASSWORD = "{planted["by its name"]}-default"\n'
            f'DATABASE = "postgres://user:{planted["in an address"]}@db.example.org/x"\n'
            f'OTHER = "{planted["a token"]}"\n'
        )
        (well / ".env").write_text(f"DEEPSEEK_API_KEY={planted['in .env']}\nPLAIN={planted['in .env']}2\n")
        (well / "components/text/config/text.yaml").write_text(f'password: "{planted["in broken YAML"]}\n')

    plant("")
    outputs = [inv(TASK, "--accept").out]
    plant("-changed")
    for arguments in ([], ["--diff"]):
        outputs += [inv(TASK, *arguments).out, inv(TASK, *arguments, json=False).out]
    changed = {row["path"] for row in inv(TASK).report["data"]["drift"]}
    assert {"DB_PASSWORD", "X", "AUTH.credentials.main[0]", "API_TOKEN", "DATABASE", "PLAIN"} <= changed
    kept = everything_below(well / "logs").decode("utf-8", "replace")
    for name, value in secrets.items():
        assert not [text for text in (*outputs, kept) if value in text], name
    for value in KEYS.values():
        assert value not in kept


# The real data, and its twin


def twin(folder: Path) -> None:
    """Write data of the size and shape of the real project's."""
    materials = {}
    for number in range(MATERIALS):
        made = material(number, density=number >= WITHOUT_DENSITY)
        made["notes"] = [
            f"A sentence of some length about material {number} and fact {fact}." * 3 for fact in range(85)
        ]
        materials[f"Material {number:03d}"] = made
    write_yaml(folder / "materials.yaml", {"materials": materials})
    write_yaml(folder / "Categories.yaml", {"categories": {"stone": {}, "metal": {}}})


@pytest.fixture(params=["twin", "real"])
def data(request: pytest.FixtureRequest, project: Path, environment: dict[str, str]) -> Path:
    """The project with the real data, or with a twin of it."""
    environment |= KEYS
    folder = project / "data"
    folder.mkdir()
    if request.param == "twin":
        twin(folder)
    elif REAL.is_dir():
        for name in ("materials.yaml", "Categories.yaml"):
            (folder / name).write_bytes((REAL / name).read_bytes())
    else:
        pytest.skip("the real project's data is not here")
    assert (folder / "materials.yaml").stat().st_size > 1_900_000
    (project / "config").mkdir()
    (project / "config/settings.py").write_text(SETTINGS)
    return project


_READS = "import sys, yaml; yaml.load(open(sys.argv[1], 'rb'), Loader=yaml.CSafeLoader)"

_BAR = 6
"""Times that; 3 to 5 were measured. PyYAML's loader in Python alone took 17 times as long to read the twin."""


@pytest.mark.slow
def test_the_projects_data_is_counted_in_a_few_times_what_reading_it_takes(
    data: Path, inv: Inv, unmeasured: dict[str, str]
) -> None:
    def seconds(*command: str) -> float:
        """Return the processor time of a whole process, without the measuring of coverage."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=REPOSITORY, env=unmeasured, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    ratios = []
    for _ in range(10):  # beside other work one run may take longer
        ratios.append(seconds(INV, TASK) / seconds(sys.executable, "-c", _READS, str(data / "data/materials.yaml")))
        if ratios[-1] < _BAR:
            break
    assert min(ratios) < _BAR
    result = inv(TASK)
    assert (data / "logs/config_reports").is_dir()
    assert reported(result, "case")[0][0] == "data/Materials.yaml"
    assert result.findings("configuration.materials")[0]["value"] == MATERIALS
    assert missing(result)["density"] == WITHOUT_DENSITY


def test_one_value_deep_in_two_megabytes_is_one_change_and_layout_is_none(data: Path, inv: Inv) -> None:
    accepted(inv) if inv(TASK).status == 0 else inv(TASK, "--accept")
    path = data / "data/materials.yaml"
    value = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    name = [*value["materials"]][3]

    def reversed_keys(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: reversed_keys(inner[key]) for key in reversed(inner)}
        return [reversed_keys(each) for each in inner] if isinstance(inner, list) else inner

    other = yaml.dump(
        reversed_keys(value), Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=True, width=300
    )
    path.write_text(other, encoding="utf-8")
    assert drift(inv(TASK)) == []
    interaction = value["materials"][name]["materialProperties"]["laser_material_interaction"]
    before = interaction["thermalConductivity"]["value"]
    interaction["thermalConductivity"]["value"] = 987.5
    path.write_text(yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
    where = f"materials.{name}.materialProperties.laser_material_interaction.thermalConductivity.value"
    assert drift(inv(TASK)) == [("data/materials.yaml", where, "changed", str(before), "987.5")]
