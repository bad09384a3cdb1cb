from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection, Config

from tasks.core.errors import SettingsError
from tasks.core.settings.loading import load
from tasks.core.settings.sources import ENVIRONMENT_PREFIX, KEY, Level, hidden_environment, install, is_dry, read


def _config(project: Path, runtime: str | None = None, **overrides: Any) -> Config:
    """Return what Invoke has read by the time it runs a task: files for everyone, the user, the project and ``-f``."""
    config = Config(
        lazy=True,
        overrides=overrides,
        system_prefix=f"{project}/system-",
        user_prefix=f"{project}/user-",
        project_location=project,
        runtime_path=None if runtime is None else project / runtime,
    )
    config.load_base_conf_files()
    config.load_project()
    config.load_runtime()
    config.merge()
    return config


def _write(path: Path, directory: str) -> None:
    path.write_text(f"maintenance:\n  cache:\n    directory: {directory}\n")


def test_every_level_of_invoke_is_read_with_its_name_lowest_first(project: Path) -> None:
    for place in ("system-invoke", "user-invoke", "invoke", "extra"):
        _write(project / f"{place}.yaml", place)
    namespace = Collection()
    namespace.configure({KEY: {"cache": {"directory": "namespace"}}})
    config = _config(project, "extra.yaml", maintenance={"cache": {"directory": "argument"}})
    sources = read(
        config, {"INVOKE_MAINTENANCE_A": "1", "INVOKE_RUN_ECHO": "1", "HOME": "/"}, namespace.configuration()
    )
    assert sources.below == [
        Level("namespace.configure()", {"cache": {"directory": "namespace"}}),
        Level(f"file {project}/system-invoke.yaml", {"cache": {"directory": "system-invoke"}}),
        Level(f"file {project}/user-invoke.yaml", {"cache": {"directory": "user-invoke"}}),
        Level(f"file {project}/invoke.yaml", {"cache": {"directory": "invoke"}}),
    ]
    assert sources.environment == {"INVOKE_MAINTENANCE_A": "1"}
    assert sources.above == [
        Level(f"file {project}/extra.yaml (-f)", {"cache": {"directory": "extra"}}),
        Level("argument", {"cache": {"directory": "argument"}}),
    ]
    assert sources.folder == project


@pytest.mark.parametrize("place", ["system-invoke", "user-invoke", "invoke", "extra"])
def test_a_key_that_stands_twice_in_any_of_the_files_is_refused(project: Path, place: str) -> None:
    (project / f"{place}.yaml").write_text("maintenance:\n  fail_on: never\n  fail_on: warning\n")
    runtime = "extra.yaml" if place == "extra" else None
    with pytest.raises(SettingsError, match=rf"{place}\.yaml' has a key .* maintenance\.fail_on in lines 2 and 3\."):
        read(_config(project, runtime), {})


def test_levels_that_are_not_there_hold_nothing(project: Path) -> None:
    sources = read(_config(project), {})
    assert {level.tree for level in (*sources.below, *sources.above)} == {None}
    assert load(sources).settings.root == str(project)


def test_without_a_collection_the_one_that_invoke_has_loaded_counts(project: Path) -> None:
    config = _config(project)
    config.load_collection({KEY: {"output": "json"}})
    assert read(config, {}).below[0] == Level("namespace.configure()", {"output": "json"})


def test_without_a_project_the_present_folder_is_where_a_relative_root_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert read(Config(lazy=True), {}).folder == project


@pytest.mark.parametrize("content", ["", "null", "maintenance:\n"])
def test_a_file_that_says_nothing_of_ours_changes_nothing(project: Path, content: str) -> None:
    (project / "invoke.yaml").write_text(content)
    config = Config(lazy=True, project_location=project)
    config.load_project(merge=False)
    assert load(read(config, {})).settings.output == "text"


def test_a_file_that_is_no_mapping_holds_nothing_of_ours(project: Path) -> None:
    (project / "invoke.yaml").write_text("- a\n")
    config = Config(lazy=True, project_location=project)
    config.load_project(merge=False)
    assert read(config, {}).below[3] == Level(f"file {project}/invoke.yaml", None)


def test_a_missing_file_named_with_f_is_an_error_that_names_it(project: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(_config(project, "gone.yaml"), {})
    assert str(caught.value) == (
        f"The settings file '{project}/gone.yaml' given with -f (or INVOKE_RUNTIME_CONFIG) does not exist. "
        "Correct its path or leave it out; nothing was run."
    )


# install


def test_the_installed_tree_is_what_tasks_see_whatever_the_levels_hold(project: Path) -> None:
    for place in ("system-invoke", "user-invoke", "extra"):
        _write(project / f"{place}.yaml", place)
    (project / "invoke.yaml").write_text("maintenance:\n  cache:\nrun:\n  shell: /bin/sh\n")
    config = Config(
        lazy=True,
        overrides={"run": {"dry": True}},
        system_prefix=f"{project}/system-",
        user_prefix=f"{project}/user-",
        project_location=project,
        runtime_path=project / "extra.yaml",
    )
    config.load_base_conf_files()
    config.load_project(merge=False)
    config.load_runtime(merge=False)
    loaded = load(read(config, {"INVOKE_MAINTENANCE_OUTPUT": "json"}))
    install(config, loaded.tree)
    config.merge()
    assert config.maintenance.cache.directory == "extra"
    assert config.maintenance.output == "json"
    assert config.run.shell == "/bin/sh"
    assert config.run.dry is True


def test_installing_stands_a_level_that_is_no_mapping(project: Path) -> None:
    (project / "invoke.yaml").write_text("")
    config = Config(lazy=True, project_location=project)
    config.load_project(merge=False)
    install(config, {"output": "json"})
    assert config._overrides[KEY] == {"output": "json"}


# hidden_environment


def test_the_suites_variables_are_hidden_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_PREFIX + "OUTPUT", "json")
    monkeypatch.setenv("INVOKE_RUN_ECHO", "1")
    before = dict(os.environ)
    with hidden_environment():
        assert ENVIRONMENT_PREFIX + "OUTPUT" not in os.environ
        assert os.environ["INVOKE_RUN_ECHO"] == "1"
    assert dict(os.environ) == before


def test_hidden_variables_come_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_PREFIX + "OUTPUT", "json")
    with pytest.raises(RuntimeError, match="inside"), hidden_environment():
        raise RuntimeError("inside")
    assert os.environ[ENVIRONMENT_PREFIX + "OUTPUT"] == "json"


# is_dry


def test_a_run_is_not_dry_unless_somebody_asks_for_it(project: Path) -> None:
    assert is_dry(_config(project), {}) is False


@pytest.mark.parametrize(
    ("text", "dry"), [("1", True), ("true", True), ("YES", True), ("0", False), ("false", False), ("no", False)]
)
def test_the_environment_asks_for_a_dry_run_in_words(project: Path, text: str, *, dry: bool) -> None:
    assert is_dry(_config(project), {"INVOKE_RUN_DRY": text}) is dry


@pytest.mark.parametrize("text", ["", "maybe"])
def test_a_variable_that_is_neither_true_nor_false_is_an_error(project: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^INVOKE_RUN_DRY is {text!r}; expected true or false"):
        is_dry(_config(project), {"INVOKE_RUN_DRY": text})


@pytest.mark.parametrize("variables", [{}, {"INVOKE_RUN_DRY": "0"}, {"INVOKE_RUN_DRY": "1"}])
def test_the_command_line_asks_for_a_dry_run_whatever_the_environment_says(
    project: Path, variables: dict[str, str]
) -> None:
    assert is_dry(_config(project, run={"dry": True}), variables) is True


def test_a_settings_file_asks_for_a_dry_run(project: Path) -> None:
    (project / "invoke.yaml").write_text("run:\n  dry: true\n")
    assert is_dry(_config(project), {}) is True
    assert is_dry(_config(project), {"INVOKE_RUN_DRY": "no"}) is False


def test_the_file_named_with_f_stands_above_the_environment(project: Path) -> None:
    (project / "careful.yaml").write_text("run:\n  dry: true\n")
    assert is_dry(_config(project, "careful.yaml"), {"INVOKE_RUN_DRY": "no"}) is True
