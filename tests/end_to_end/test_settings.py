from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from .conftest import REPOSITORY, Inv, fingerprint

TASK = "weekly.cache-cleanup"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "more.yaml"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("maintenance: {cache: {directroy: c}}", "did you mean maintenance.cache.directory?"),
        ("maintenance: {expiry_hours: {}}", "did you mean maintenance.cache.expiry_hours?"),
        ("maintenance: {cache: {expiry_hours: {temp: -3}}}", "maintenance.cache.expiry_hours.temp"),
        (
            "maintenance: {cache: {expiry_hours: {temp: soon}}}",
            "'soon' cannot be used; expected a number from 0 to 1000000",
        ),
        ("maintenance: {cache: {directory: ../elsewhere}}", "expected a relative path below the root"),
        ("maintenance: {logs: {critical_patterns: ['(']}}", "'(' is none: missing ), unterminated subpattern"),
        ("maintenance: {fail_on: sometimes}", "expected one of warning, unknown, critical, never"),
        ("maintenance: 3", "expected a mapping of settings"),
        ("maintenance: {cache: {prefixes: {x_: nowhere}}}", "one of the kinds in cache.expiry_hours"),
        # These Invoke itself cannot read:
        ("maintenance: {cache: [", "while parsing a flow"),
        ("- a list\n", "cannot be read"),
        ("maintenance:\n\tcache: {}\n", "cannot start any token"),
    ],
)
def test_settings_that_cannot_be_used_end_the_run_before_anything_happens(
    project: Path, inv: Inv, settings_file: Path, text: str, complaint: str
) -> None:
    settings_file.write_text(text)
    result = inv("-f", str(settings_file), TASK)

    assert result.status == 78
    assert complaint in result.err
    assert str(settings_file) in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
    assert list(project.iterdir()) == []


def test_a_settings_file_that_does_not_exist_is_no_reason_to_run_with_defaults(project: Path, inv: Inv) -> None:
    for result in (inv("-f", "missing.yaml", TASK), inv(TASK, env={"INVOKE_RUNTIME_CONFIG": "missing.yaml"})):
        assert result.status == 78
        assert "'missing.yaml' given with -f" in result.err
    assert list(project.iterdir()) == []


def test_a_key_that_stands_twice_is_refused_and_nothing_is_lost(project: Path, inv: Inv, settings_file: Path) -> None:
    settings_file.write_text("maintenance:\n  fail_on: never\nrun:\n  echo: true\nmaintenance:\n  output: json\n")
    result = inv("-f", str(settings_file), TASK)
    assert result.status == 78
    assert result.err.count("\n") == 1
    assert f"{str(settings_file)!r} has a key more than once" in result.err
    assert "maintenance in lines 1 and 5. Keep one of them; nothing was run." in result.err
    assert list(project.iterdir()) == []


def test_the_roots_own_file_counts_below_the_environment_and_f(project: Path, inv: Inv, settings_file: Path) -> None:
    own = project / "invoke.yaml"
    own.write_text(
        "run: {shell: /none}\n"
        "maintenance: {root: /elsewhere, cache: {directory: own}, logs: {directory: own}, fail_on: never}\n"
    )
    settings_file.write_text("maintenance: {fail_on: critical}\n")
    result = inv("-f", str(settings_file), "settings.show", env={"INVOKE_MAINTENANCE_LOGS_DIRECTORY": "shell"})
    shown = {row["setting"]: (row["value"], row["from"]) for row in result.report["data"]["settings"]}
    assert shown["maintenance.cache.directory"] == ("own", f"file {own}")
    assert shown["maintenance.logs.directory"] == ("shell", "environment INVOKE_MAINTENANCE_LOGS_DIRECTORY")
    assert shown["maintenance.fail_on"] == ("critical", f"file {settings_file} (-f)")
    assert shown["maintenance.root"][0] == str(project)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("invoke.yaml", "maintenance: {cache: [", "cannot be read: while parsing a flow"),
        ("invoke.yaml", "- a list\n", "cannot be read: it holds no mapping of settings."),
        ("invoke.json", "{", "cannot be read: Expecting property name"),
        ("invoke.yml", "maintenance: 3\n", "expected a mapping of settings"),
        ("invoke.yaml", "maintenance: {cash: {}}\n", "there is no such setting"),
        ("invoke.yaml", "maintenance:\n  fail_on: never\n  fail_on: never\n", "maintenance.fail_on in lines 2 and 3."),
    ],
)
def test_a_file_of_the_root_that_cannot_be_used_ends_the_run(
    project: Path, inv: Inv, name: str, text: str, complaint: str
) -> None:
    (project / name).write_text(text)
    result = inv(TASK)
    assert (result.status, result.out) == (78, "")
    assert complaint in result.err
    assert str(project / name) in result.err
    assert [path.name for path in project.iterdir()] == [name]


@pytest.mark.parametrize("text", ["", "run: {echo: true, echo: false}\n", "maintenance:\n"])
def test_a_file_of_the_root_that_says_nothing_of_the_suite_changes_nothing(project: Path, inv: Inv, text: str) -> None:
    (project / "invoke.yaml").write_text(text)
    assert inv("settings.check").status == 0


@pytest.mark.parametrize("path", ["a folder", "missing"])
def test_other_files_given_with_f_are_named_too(inv: Inv, tmp_path: Path, path: str) -> None:
    if path == "a folder":
        (tmp_path / "more.yaml").mkdir()
    result = inv("-f", str(tmp_path / "more.yaml"), TASK)
    assert result.status == 78
    assert "more.yaml" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_root_that_is_no_folder_is_a_settings_error(tmp_path: Path, inv: Inv, kind: str) -> None:
    root = tmp_path / "root"
    if kind == "file":
        root.write_text("")
    result = inv(TASK, env={"INVOKE_MAINTENANCE_ROOT": str(root)})

    assert result.status == 78
    assert f"maintenance.root (environment INVOKE_MAINTENANCE_ROOT): '{root}' cannot be used" in result.err


@pytest.mark.parametrize("word", ["false", "no", "off", "0", "False"])
def test_false_in_the_environment_is_false(inv: Inv, word: str) -> None:
    value = {"INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE": word}
    assert shown(inv, env=value)["maintenance.logs.allow_copytruncate"]["value"] is False


def test_a_boolean_that_is_none_is_refused(inv: Inv) -> None:
    result = inv("settings.check", env={"INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE": "maybe"})
    assert result.status == 78
    assert "'maybe' cannot be used; expected true or false" in result.err


def test_a_list_in_the_environment_is_separated_by_commas(inv: Inv) -> None:
    value = {"INVOKE_MAINTENANCE_LOGS_CRITICAL_PATTERNS": "Disk.*full, quota"}
    assert shown(inv, env=value)["maintenance.logs.critical_patterns"]["value"] == ["Disk.*full", "quota"]


def test_a_variable_that_names_no_setting_is_refused_with_a_suggestion(inv: Inv) -> None:
    result = inv("settings.check", env={"INVOKE_MAINTENANCE_CACHE_DIRECTROY": "c"})
    assert result.status == 78
    assert "did you mean INVOKE_MAINTENANCE_CACHE_DIRECTORY?" in result.err


def shown(inv: Inv, *arguments: str, env: dict[str, str] | None = None) -> dict[str, dict[str, object]]:
    """Call settings.show and return its records by the setting's name."""
    result = inv(*arguments, "settings.show", env=env)
    assert result.status == 0, result.err
    return {record["setting"]: record for record in result.report["data"]["settings"]}


def test_every_value_is_shown_with_its_origin(inv: Inv, settings_file: Path, environment: dict[str, str]) -> None:
    user_file = Path(environment["HOME"]) / ".invoke.yaml"
    user_file.write_text("maintenance: {cache: {directory: theirs, age_by: newest}, health: {cpu_percent: 50}}")
    settings_file.write_text("maintenance:\n  health: {cpu_percent: 60}\n  logs:\n")
    records = shown(
        inv,
        "-f",
        str(settings_file),
        env={"INVOKE_MAINTENANCE_CACHE_DIRECTORY": "ours", "INVOKE_MAINTENANCE_HEALTH_CPU_PERCENT": "70"},
    )

    def of(name: str) -> tuple[object, object]:
        return records[f"maintenance.{name}"]["value"], records[f"maintenance.{name}"]["from"]

    assert of("cache.age_by") == ("newest", f"file {user_file}")
    assert of("cache.directory") == ("ours", "environment INVOKE_MAINTENANCE_CACHE_DIRECTORY")
    assert of("health.cpu_percent") == (60, f"file {settings_file} (-f)")
    assert of("logs.directory") == ("logs", "default")


def test_show_changed_leaves_the_defaults_out(inv: Inv) -> None:
    records = inv("settings.show", "--changed").report["data"]["settings"]
    assert {record["setting"] for record in records} == {"maintenance.root", "maintenance.output"}


def test_check_says_that_all_is_well(inv: Inv) -> None:
    result = inv("settings.check", json=False)
    assert result.status == 0
    assert "the settings can be used" in result.out


def test_the_example_holds_every_default_and_fits_its_schema(inv: Inv) -> None:
    text = inv("settings.example", json=False).out
    schema = json.loads(inv("settings.schema", json=False).out)
    uncommented = re.sub(r"^#(maintenance:|  .*)$", r"\1", text, flags=re.MULTILINE)
    content = yaml.safe_load(uncommented)

    jsonschema.Draft202012Validator(schema).validate(content)
    assert content["tasks"]["executor_class"] == "tasks.core.run.runner.MaintenanceExecutor"
    assert content["maintenance"]["cache"]["expiry_hours"]["material_data"] == 168
    assert list(jsonschema.Draft202012Validator(schema).iter_errors({"maintenance": {"cach": {}}}))


def test_init_never_replaces_the_file_that_is_there(inv: Inv) -> None:
    before = fingerprint(REPOSITORY / "tests" / "end_to_end"), (REPOSITORY / "invoke.yaml").read_bytes()
    result = inv("settings.init")
    assert result.status == 1
    assert "inv settings.example" in result.report["findings"][0]["remedy"]
    assert (fingerprint(REPOSITORY / "tests" / "end_to_end"), (REPOSITORY / "invoke.yaml").read_bytes()) == before


def test_a_key_in_the_wrong_place_is_not_repeated(inv: Inv, settings_file: Path) -> None:
    settings_file.write_text(
        "maintenance: {providers: {grok: {key_env: sk-secret-1, api_key: sk-secret-2, "
        "base_url: 'https://user:sk-secret-3@example.invalid'}}}"
    )
    first = inv("-f", str(settings_file), "settings.check")
    settings_file.write_text(settings_file.read_text().replace("api_key: sk-secret-2, ", ""))
    second = inv("-f", str(settings_file), "settings.check")

    assert (first.status, second.status) == (78, 78)
    for result in (first, second):
        assert "sk-secret" not in result.out + result.err
    assert "the name of an environment variable, not the key itself" in second.err


def _of_a_stranger(project: Path) -> None:
    files = {
        "CHANGES.rst": "Changes\n=======\n\nVersion 1.2\n-----------\n",
        "app/config.yaml": "limit: 3\n",
        "pyproject.toml": '[project]\nname = "app"\nversion = "1.2"\n',
        "app/__init__.py": "",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)


def test_what_the_projects_own_files_say_is_shown_as_a_convention(inv: Inv, project: Path) -> None:
    _of_a_stranger(project)
    changed = inv("settings.show", "--changed").report["data"]["settings"]
    records = {record["setting"]: record for record in changed}
    assert records["maintenance.release.changelog"]["value"] == "CHANGES.rst"
    assert str(records["maintenance.release.changelog"]["from"]).startswith("convention (CHANGES.rst:4")
    assert records["maintenance.configuration.files"]["value"] == ["app/config.yaml"]
    assert records["maintenance.release.version_files"]["value"] == ["pyproject.toml"]
    set_by_hand = shown(inv, env={"INVOKE_MAINTENANCE_RELEASE_CHANGELOG": "NEWS"})["maintenance.release.changelog"]
    assert (set_by_hand["value"], "environment" in str(set_by_hand["from"])) == ("NEWS", True)


def test_init_writes_what_was_found_leaves_out_what_does_not_apply_and_changes_no_verdict(
    project: Path, library: Path, environment: dict[str, str], inv_process: Inv
) -> None:
    del environment["INVOKE_MAINTENANCE_ROOT"]
    environment["PYTHONPATH"] = str(library)
    _of_a_stranger(project)
    (project / "tasks.py").write_text("from zbeam_maintenance import namespace\n")
    first = inv_process("settings.conventions", cwd=project)
    result = inv_process("settings.init", cwd=project)
    assert result.status == 0, result.out + result.err
    text = (project / "invoke.yaml").read_text()
    written = yaml.safe_load(text)["maintenance"]
    assert written["release"] == {"version_files": ["pyproject.toml"], "changelog": "CHANGES.rst"}
    assert written["configuration"] == {"files": ["app/config.yaml"]}
    assert "deepseek" not in text
    assert "expiry_hours" not in text
    (message,) = [each["message"] for each in result.findings("settings.file")]
    assert "Left out, for the project does not use them: maintenance.providers.deepseek" in message
    assert {"tag forms", "log folders"} <= {each["subject"] for each in result.findings("conventions.found")}
    assert inv_process("settings.check", cwd=project).status == 0
    second = inv_process("settings.conventions", cwd=project)
    assert second.report["data"] == first.report["data"]
