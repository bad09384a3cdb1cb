"""``release.checklist`` on a real repository, with an environment, an index and providers on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from tasks.core.files.lock import project_lock
from tasks.demo_site.package_index import OfferedFile, package_index
from tasks.demo_site.provider_stand_in import Behaviour, stand_in
from tasks.demo_site.vulnerability_service import KnownVulnerability, vulnerability_service
from tasks.demo_site.wheels import wheel

from .conftest import HISTORY, INV, PATIENCE, REPOSITORY, Inv, Result, fingerprint, handles, wait_until
from .dependency_site import LONG_AGO

pytestmark = pytest.mark.slow

TASK = "release.checklist"
GIT = shutil.which("git") or "git"
GATES = (
    *("tree", "branch", "version", "tests", "linters", "dependencies", "configuration", "errors", "providers"),
    *("backup", "disk", "maintenance"),
)
VERSION = "1.2.0"
CHANGELOG = f"# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-11-26\n\n### Added\n\n- More.\n"
FILES = {
    ".gitignore": ".env\n.venv/\nlogs/\nbackups/\n",
    ".env.example": "DEEPSEEK_API_KEY=\nGROK_API_KEY=\n",
    "pyproject.toml": f'[project]\nname = "generator"\nversion = "{VERSION}"\n',
    "CHANGELOG.md": CHANGELOG,
    "generator/__init__.py": f'__version__ = "{VERSION}"\n',
    "requirements.txt": "",
    "config/settings.py": "RETRIES = 3\n",
    "data/Materials.yaml": "materials:\n  Oak: {category: wood, density: 0.7, melting_point: 1, "
    "thermal_conductivity: 1}\n",
    "data/Categories.yaml": "categories:\n  wood: {description: wood}\n",
    "tests.sh": "echo 3 passed in 0.01s\n",
}


def git(root: Path, *arguments: str) -> str:
    own = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        [GIT, *own, "-c", "tag.gpgsign=false", *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(root: Path, **texts: str) -> None:
    """Commit other texts of some files, named without their dots and slashes."""
    names = {name.replace("/", "_").replace(".", "_"): name for name in FILES}
    for key, text in texts.items():
        (root / names[key]).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-m", "state")


class Site(NamedTuple):
    """A project that may be released, and the variables under which it may."""

    root: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The project of which every gate says go: made once, for making it takes seconds."""
    root = tmp_path_factory.mktemp("released") / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".env").write_text("DEEPSEEK_API_KEY=a-key-of-nobody\nGROK_API_KEY=a-key-of-nobody\n")
    (root / ".env").chmod(0o600)
    (root / "logs").mkdir()
    (root / "logs/app.log").write_text(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S},000 - api - INFO - begun\n")
    git(root, "init", "--initial-branch=main")
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace(VERSION, "1.1.0"))
    commit(root)
    git(root, "tag", "-a", "-m", "release", "v1.1.0")
    commit(root, CHANGELOG_md=CHANGELOG)
    subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
    pip = [str(root / ".venv/bin/python"), "-I", "-B", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "setuptools"], check=True, capture_output=True)
    (info,) = root.glob(".venv/lib/python*/site-packages/pip-*.dist-info")
    files = [wheel("demo-old", "1.0"), wheel("pip", info.name.removesuffix(".dist-info").removeprefix("pip-"))]
    with ExitStack() as serving:
        index = serving.enter_context(package_index({name: OfferedFile(content, LONG_AGO) for name, content in files}))
        advisories = (KnownVulnerability("demo-old", "DEMO-2026-1", fixed="3.0"),)
        service = serving.enter_context(vulnerability_service(advisories))
        one = serving.enter_context(stand_in(Behaviour(models=("deepseek-chat",))))
        other = serving.enter_context(stand_in(Behaviour(models=("grok-4",))))
        env = {
            **dict.fromkeys((name for name in os.environ if name.startswith("PIP_")), ""),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL": service.url,
            "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_BASE_URL": one.url,
            "INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": other.url,
            "INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "100",
            "INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "sh tests.sh",
            "INVOKE_MAINTENANCE_RELEASE_LINT_COMMANDS": "sh tests.sh,sh tests.sh",
            "VIRTUAL_ENV": "",
            "GITHUB_ACTIONS": "",
        }
        kept = {name: text for name, text in os.environ.items() if not name.startswith("INVOKE_")}
        own = {**kept, **env, "INVOKE_MAINTENANCE_ROOT": str(root), "HOME": str(root.parent)}
        for arguments in (("monthly.config-review", "--accept"), ("backup.create",)):
            subprocess.run([INV, *arguments], cwd=REPOSITORY, env=own, check=True, capture_output=True)
        shutil.rmtree(root / "logs/config_reports")
        yield Site(root, env)


@pytest.fixture
def unchecked(template: Site, project: Path, environment: dict[str, str]) -> Path:
    """A copy of that project."""
    environment |= template.env
    shutil.copytree(template.root, project, symlinks=True, dirs_exist_ok=True)
    return project


@pytest.fixture(scope="module")
def checked(template: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same after a checklist, whose procedures have left fresh reports."""
    root = tmp_path_factory.mktemp("checked") / "project"
    shutil.copytree(template.root, root, symlinks=True)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("INVOKE_")}
    own = {**kept, **template.env, "INVOKE_MAINTENANCE_ROOT": str(root), "HOME": str(root.parent)}
    subprocess.run([INV, TASK], cwd=REPOSITORY, env=own, check=True, capture_output=True)
    shutil.rmtree(root / "logs/release_reports")
    return Site(root, template.env)


@pytest.fixture
def clean(checked: Site, project: Path, environment: dict[str, str]) -> Path:
    """A copy of that, so that only what a test takes away is measured again."""
    environment |= checked.env
    shutil.copytree(checked.root, project, symlinks=True, dirs_exist_ok=True)
    return project


def answers(result: Result) -> dict[str, str]:
    return {name: gate["answer"] for name, gate in result.report["data"]["gates"].items()}


def gate(result: Result, name: str) -> dict[str, Any]:
    (finding,) = result.findings(f"release.{name}")
    return finding


ALL_GO = dict.fromkeys(GATES, "go")


def test_a_clean_project_is_go(inv: Inv, unchecked: Path) -> None:
    result = inv(TASK)
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    assert answers(result) == ALL_GO, result.out
    assert [*answers(result)] == [*GATES]
    assert (result.status, result.report["status"], result.err) == (0, "ok", "")
    assert result.report["summary"] == "GO for 1.2.0 (12 go)"
    data = result.report["data"]
    assert (data["verdict"], data["version"], data["branch"]) == ("GO", "1.2.0", "main")
    assert data["commit"] == git(unchecked, "rev-parse", "HEAD")
    assert {row["how"] for row in data["sources"]} == {"it was run"}
    assert "3 passed in 0.01s" in gate(result, "tests")["message"]
    page, file = (unchecked / each for each in result.report["files"])
    assert page.read_text().startswith("# Release checklist\n\n**ok**: GO for 1.2.0")
    assert json.loads(file.read_text())["data"] == data


def test_a_second_run_uses_the_reports_and_keeps_its_own(inv: Inv, clean: Path) -> None:
    first = inv(TASK)
    assert {row["how"] for row in first.report["data"]["sources"]} == {"its report was used"}
    assert (first.status, answers(first)) == (0, ALL_GO)
    assert git(clean, "status", "--porcelain") == ""
    rerun = inv(TASK, "--rerun")
    assert {row["how"] for row in rerun.report["data"]["sources"]} == {"it was run"}
    assert len([*(clean / "logs/release_reports").iterdir()]) == 4
    assert first.report["files"] != rerun.report["files"]


def forget(root: Path, folder: str) -> None:
    """Let a procedure's report be fresh no more."""
    shutil.rmtree(root / "logs" / folder)


def break_tree(root: Path) -> dict[str, str]:
    (root / "forgotten.py").touch()
    return {}


def break_branch(root: Path) -> dict[str, str]:
    git(root, "switch", "-c", "feature")
    return {}


def break_version(root: Path) -> dict[str, str]:
    git(root, "tag", f"v{VERSION}", "HEAD~1")
    return {}


def break_tests(_root: Path) -> dict[str, str]:
    return {"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "sh -c 'echo 1 failed; exit 1'"}


def break_linters(_root: Path) -> dict[str, str]:
    return {"INVOKE_MAINTENANCE_RELEASE_LINT_COMMANDS": "sh tests.sh,sh -c 'exit 1'"}


def break_dependencies(root: Path) -> dict[str, str]:
    forget(root, "dependency_reports")
    python = str(root / ".venv/bin/python")
    name, content = wheel("demo-old", "1.0")
    (root / "logs" / name).write_bytes(content)
    pip = [python, "-I", "-B", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    subprocess.run([*pip, "--find-links", str(root / "logs"), "demo-old"], check=True, capture_output=True)
    return {}


def break_configuration(root: Path) -> dict[str, str]:
    commit(root, config_settings_py="RETRIES = 7\n")
    return {}


def break_errors(root: Path) -> dict[str, str]:
    with (root / "logs/app.log").open("a") as log:
        log.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S},000 - api - CRITICAL - the store is lost\n")
    return {}


def break_providers(root: Path) -> dict[str, str]:
    forget(root, "health_reports")
    return {"INVOKE_MAINTENANCE_PROVIDERS_GROK_BASE_URL": "http://127.0.0.1:9"}


def break_backup(root: Path) -> dict[str, str]:
    forget(root, "backup_reports")
    shutil.rmtree(root / "backups")
    return {}


def break_disk(root: Path) -> dict[str, str]:
    forget(root, "health_reports")
    return {"INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "0.000001"}


def break_maintenance(root: Path) -> dict[str, str]:
    long_ago = (datetime.now().astimezone() - timedelta(days=31)).isoformat()
    entries = [json.loads(line) for line in (root / HISTORY).read_text().splitlines()]
    for each in entries:
        if each.get("task") == "monthly.config-review":
            each |= {"began": long_ago, "ended": long_ago}
    (root / HISTORY).write_text("".join(f"{json.dumps(each)}\n" for each in entries))
    return {"INVOKE_MAINTENANCE_RELEASE_GATES_MAINTENANCE": "block"}


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("tree", break_tree),
        ("branch", break_branch),
        ("version", break_version),
        ("tests", break_tests),
        ("linters", break_linters),
        ("dependencies", break_dependencies),
        ("configuration", break_configuration),
        ("errors", break_errors),
        ("providers", break_providers),
        ("backup", break_backup),
        ("disk", break_disk),
        ("maintenance", break_maintenance),
    ],
)
def test_each_gate_that_is_broken_and_no_other_says_no(
    inv: Inv, clean: Path, name: str, break_it: Callable[[Path], dict[str, str]]
) -> None:
    env = break_it(clean)
    result = inv(TASK, env=env)
    assert answers(result) == ALL_GO | {name: "no-go"}, result.out
    assert (result.status, result.report["data"]["verdict"]) == (2, "NO-GO")
    assert result.report["summary"].startswith(f"NO-GO for 1.2.0 because of {name} (11 go, 1 no-go")
    assert gate(result, name)["remedy"]


def test_backups_that_changed_since_they_were_verified_are_verified_again(inv: Inv, clean: Path) -> None:
    (archive,) = (clean / "backups").glob("*.tar.gz")
    content = archive.read_bytes()
    archive.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"backup": "no-go"}, result.out
    archive.rename(clean / "elsewhere.tar.gz")
    assert answers(inv(TASK))["backup"] == "no-go"


def test_the_disk_is_looked_at_each_time(inv: Inv, clean: Path) -> None:
    assert (clean / "logs/health_reports").exists()
    result = inv(TASK, env={"INVOKE_MAINTENANCE_HEALTH_DISK_PERCENT": "0.000001"})
    assert answers(result)["disk"] == "no-go", result.out


def test_a_stamp_that_cannot_be_written_is_no_reason_not_to_know(inv: Inv, clean: Path) -> None:
    forget(clean, "health_reports")
    (clean / HISTORY).unlink(missing_ok=True)
    (clean / HISTORY).mkdir()
    result = inv(TASK)
    assert answers(result) == {**ALL_GO, "maintenance": "not checked"}, result.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("touch made_by_tests", '1 file neither tracked nor ignored: "made_by_tests".'),
        (
            "git -c user.name=A -c user.email=a@b -c commit.gpgsign=false commit -q --allow-empty -m x",
            "HEAD is another",
        ),
    ],
)
def test_tests_that_change_the_tree_make_it_a_no(inv: Inv, clean: Path, command: str, message: str) -> None:
    result = inv(TASK, env={"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": command})
    assert answers(result)["tree"] == "no-go", result.out
    assert gate(result, "tree")["message"].startswith("no-go: It was committed, until the tests and linters ran: ")
    assert message in gate(result, "tree")["message"]
    assert clean.exists()


def test_tags_of_every_form_count_unless_the_settings_name_one(inv: Inv, clean: Path) -> None:
    git(clean, "tag", "1.1.9", "HEAD~1")
    result = inv(TASK)
    assert answers(result) == ALL_GO
    assert gate(result, "version")["message"].endswith("1.1.9 was the last release.")
    git(clean, "tag", "release-1-2-0", "HEAD~1")
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"version": "no-go"}, result.out
    assert "release-1-2-0 is there already and points to another commit" in gate(result, "version")["message"]
    result = inv(TASK, env={"INVOKE_MAINTENANCE_RELEASE_TAG_PREFIX": "v"})
    assert answers(result) == ALL_GO | {"version": "not checked"}, result.out
    assert "There is the tag release-1-2-0, which does not begin with v" in gate(result, "version")["message"]


def test_what_never_ran_is_told(inv: Inv, clean: Path) -> None:
    assert "never ran: " in gate(inv(TASK), "maintenance")["message"]
    assert clean.exists()


# Severities, and what is left out


def test_a_gate_that_only_warns_keeps_nothing_back(inv: Inv, clean: Path) -> None:
    result = inv(TASK, env={**break_tests(clean), "INVOKE_MAINTENANCE_RELEASE_GATES_TESTS": "warn"})
    assert (result.status, gate(result, "tests")["status"]) == (1, "warning"), result.out
    assert result.report["summary"] == "GO for 1.2.0, warned by tests (11 go, 1 no-go)"


def test_a_gate_that_is_switched_off_is_not_looked_at(inv: Inv, clean: Path) -> None:
    off = {f"INVOKE_MAINTENANCE_RELEASE_GATES_{name}": "skip" for name in ("TESTS", "PROVIDERS", "DISK")}
    result = inv(TASK, env={**break_tests(clean), **break_disk(clean), **off})
    assert answers(result) == ALL_GO | dict.fromkeys(("tests", "providers", "disk"), "skipped"), result.out
    assert "daily.health-check" not in {row["procedure"] for row in result.report["data"]["sources"]}


def test_what_is_skipped_and_why_is_recorded(inv: Inv, clean: Path) -> None:
    arguments = ("--skip", "tests", "--skip", "backup", "--reason", "the runner is *down*")
    result = inv(TASK, *arguments, env=break_tests(clean))
    assert (result.status, answers(result)) == (0, ALL_GO | {"tests": "skipped", "backup": "skipped"}), result.out
    assert gate(result, "tests")["message"] == "Left out by --skip: the runner is *down*"
    page, file = (clean / each for each in result.report["files"])
    assert r"skipped: tests: Left out by --skip: the runner is \*down\*" in page.read_text()
    assert "the runner is *down*" in json.loads(file.read_text())["data"]["gates"]["backup"]["reason"]


@pytest.mark.parametrize("arguments", [("--skip", "tests"), ("--skip=tests", "--reason= "), ("--reason", "because")])
def test_skip_and_reason_belong_together(inv: Inv, clean: Path, arguments: tuple[str, ...]) -> None:
    before = fingerprint(clean)
    result = inv(TASK, *arguments)
    assert (result.status, result.out, fingerprint(clean)) == (64, "", before)
    assert "--reason says why" in result.err


def test_names_that_no_gate_has_are_refused_before_anything_runs(inv: Inv, clean: Path, tmp_path: Path) -> None:
    result = inv(TASK, "--skip", "test", "--reason", "x")
    assert (result.status, result.out) == (64, "")
    assert result.err.endswith("got 'test'. Did you mean tests?\n")
    settings = tmp_path / "gates.yaml"
    settings.write_text("maintenance: {release: {gates: {tets: warn}}}\n")
    result = inv("-f", str(settings), TASK)
    assert (result.status, result.out) == (78, "")
    assert "maintenance.release.gates.tets" in result.err
    assert "(did you mean tests?)" in result.err
    settings.write_text("maintenance: {release: {gates: {tests: off}}}\n")
    result = inv("-f", str(settings), TASK)
    assert "expected one of block, warn, skip" in result.err
    assert not (clean / "logs/release_reports").exists()


# Git


def test_without_git_nothing_is_said_of_the_tree(inv: Inv, clean: Path, environment: dict[str, str]) -> None:
    programs = Path(environment["HOME"]) / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    result = inv(TASK, env={"PATH": str(programs)})
    unknown = dict.fromkeys(("tree", "branch", "version"), "not checked")
    assert (result.status, answers(result)) == (3, ALL_GO | unknown), result.out
    assert "git is not installed" in gate(result, "tree")["message"]
    assert result.report["summary"].startswith("NOT CHECKED for 1.2.0 because of tree, branch, version")
    assert clean.exists()


def test_a_project_in_no_repository(inv: Inv, clean: Path) -> None:
    shutil.rmtree(clean / ".git")
    result = inv(TASK)
    unknown = dict.fromkeys(("tree", "branch", "version"), "not checked")
    assert (result.status, answers(result)) == (3, ALL_GO | unknown), result.out
    assert gate(result, "branch")["message"] == "not checked: The project is not in a Git repository."


def test_a_repository_without_a_commit(inv: Inv, clean: Path) -> None:
    shutil.rmtree(clean / ".git")
    git(clean, "init", "--initial-branch=main")
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"tree": "no-go", "version": "not checked"}, result.out


def test_a_detached_head_is_on_no_release_branch(inv: Inv, clean: Path) -> None:
    git(clean, "switch", "--detach")
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"branch": "no-go"}, result.out
    assert "detached" in gate(result, "branch")["message"]


def test_the_first_release_has_no_tag_before_it(inv: Inv, clean: Path) -> None:
    git(clean, "tag", "--delete", "v1.1.0")
    result = inv(TASK)
    assert (result.status, answers(result)) == (0, ALL_GO), result.out
    assert "it is the first release" in gate(result, "version")["message"]


def test_a_release_that_bears_its_tag_is_go(inv: Inv, clean: Path) -> None:
    git(clean, "tag", f"v{VERSION}")
    result = inv(TASK)
    assert (result.status, answers(result)) == (0, ALL_GO), result.out
    assert "its tag points to this commit" in gate(result, "version")["message"]


def test_of_a_shallow_clone_the_tags_are_not_known(inv: Inv, clean: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth=1", "--branch=main", clean.as_uri(), str(clone))
    shutil.rmtree(clean / ".git")
    shutil.move(clone / ".git", clean / ".git")
    result = inv(TASK)
    assert (result.status, answers(result)) == (3, ALL_GO | {"version": "not checked"}), result.out
    assert "fetch-depth: 0" in gate(result, "version")["remedy"]


def test_a_merge_under_way_is_no_state_to_release(inv: Inv, clean: Path) -> None:
    git(clean, "switch", "-c", "feature")
    (clean / "more.py").touch()
    commit(clean)
    git(clean, "switch", "main")
    git(clean, "merge", "--no-ff", "--no-commit", "feature")
    result = inv(TASK)
    assert (answers(result)["tree"], gate(result, "tree")["message"]) == ("no-go", "no-go: A merge is under way.")


# Version and changelog


def test_a_version_that_differs_in_three_places(inv: Inv, clean: Path) -> None:
    commit(
        clean, pyproject_toml='[project]\nname = "generator"\nversion = "1.3.0"\n', CHANGELOG_md="## [1.2.1] - today\n"
    )
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"version": "no-go"}, result.out
    expected = "1.3.0 in pyproject.toml, 1.2.0 in generator/__init__.py, 1.2.1 in CHANGELOG.md"
    assert expected in gate(result, "version")["message"]


def test_a_changelog_in_another_place_and_style_is_read(inv: Inv, clean: Path) -> None:
    git(clean, "rm", "-q", "CHANGELOG.md")
    (clean / "docs").mkdir()
    (clean / "docs/changelog.rst").write_text("Changes\n=======\n\nRelease 1.2.0\n-------------\n\n* more\n")
    commit(clean)
    result = inv(TASK)
    assert (result.status, answers(result)) == (0, ALL_GO), result.out
    assert "generator/__init__.py and docs/changelog.rst" in gate(result, "version")["message"]
    (clean / "docs/changelog.rst").write_text("Changes\n=======\n\nRelease 1.1.0\n-------------\n\n* more\n")
    commit(clean)
    result = inv(TASK)
    assert answers(result) == ALL_GO | {"version": "no-go"}, result.out
    result = inv(TASK, env={"INVOKE_MAINTENANCE_RELEASE_CHANGELOG": "CHANGELOG.md"})
    assert answers(result) == ALL_GO | {"version": "not checked"}, result.out
    assert gate(result, "version")["message"] == "not checked: CHANGELOG.md is not there."


@pytest.mark.parametrize("text", ["", "## What is new\n\n- more\n"])
def test_a_changelog_that_names_no_version_is_not_checked(inv: Inv, clean: Path, text: str) -> None:
    commit(clean, CHANGELOG_md=text)
    result = inv(TASK)
    assert (result.status, answers(result)) == (3, ALL_GO | {"version": "not checked"}), result.out
    assert "maintenance.release.changelog" in gate(result, "version")["remedy"]


# Commands


def test_the_end_of_what_failing_tests_say_is_told_without_secrets(inv: Inv, clean: Path) -> None:
    (clean / "logs/tests.sh").write_text("seq 100\necho password=hunter2hunter2\necho gone wrong >&2\nexit 3\n")
    result = inv(TASK, env={"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "sh logs/tests.sh"})
    finding = gate(result, "tests")
    assert finding["message"] == 'no-go: "sh logs/tests.sh" ended with status 3.'
    lines = finding["excerpt"].splitlines()
    assert lines[-3:] == ["| 100", "| password=[redacted]", "| gone wrong"]
    assert len(lines) == 10
    written = [(clean / each).read_text() for each in result.report["files"]]
    assert "hunter2" not in "".join([result.out, *written])


def test_a_test_command_that_is_not_there_is_not_checked(inv: Inv, clean: Path) -> None:
    result = inv(TASK, env={"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "no-such-program --all"})
    assert (result.status, answers(result)) == (3, ALL_GO | {"tests": "not checked"}), result.out
    assert gate(result, "tests")["message"] == "not checked: There is no program no-such-program."
    assert "maintenance.release.test_command" in gate(result, "tests")["remedy"]
    assert clean.exists()


HANGING = "sleep 300 & echo $! > logs/child.pid\necho waiting\nwait\n"


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        return "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_tests_that_hang_are_ended_with_all_that_they_started(inv: Inv, clean: Path) -> None:
    (clean / "logs/tests.sh").write_text(HANGING)
    env = {
        "INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "sh logs/tests.sh",
        "INVOKE_MAINTENANCE_RELEASE_DEADLINE_SECONDS": "2",
    }
    result = inv(TASK, env=env)
    assert answers(result) == ALL_GO | {"tests": "no-go"}, result.out
    assert "had not ended within 2.0 s" in gate(result, "tests")["message"]
    assert gate(result, "tests")["excerpt"] == "| waiting"
    assert not is_alive(int((clean / "logs/child.pid").read_text()))


def test_ctrl_c_ends_the_commands_and_tells_what_is_known(
    clean: Path, environment: dict[str, str], unmeasured: dict[str, str]
) -> None:
    (clean / "logs/tests.sh").write_text(HANGING)
    own = {"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "sh logs/tests.sh", "INVOKE_MAINTENANCE_OUTPUT": "json"}
    process = subprocess.Popen(
        [INV, TASK],
        cwd=REPOSITORY,
        env={**unmeasured, **environment, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = clean / "logs/child.pid"
    wait_until(lambda: child.exists() and child.read_text().endswith("\n") and handles(process, signal.SIGINT), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    result = Result(process.returncode, out, err)
    assert (result.status, result.err) == (130, "")
    assert answers(result)["tests"] == "not checked"
    assert answers(result)["tree"] == "go"
    assert not is_alive(int(child.read_text()))
    assert not (clean / "logs/release_reports").exists()


def test_pytest_and_ruff_are_run_where_the_project_is_set_up_for_them(inv: Inv, clean: Path) -> None:
    (clean / "tests").mkdir()
    (clean / "tests/test_it.py").write_text("def test_it() -> None:\n    assert 1 + 1 == 2\n")
    (clean / "ruff.toml").write_text("line-length = 100\n")
    commit(clean)
    env = {
        "INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "",
        "INVOKE_MAINTENANCE_RELEASE_LINT_COMMANDS": "",
        "INVOKE_MAINTENANCE_RELEASE_GATES_DEPENDENCIES": "skip",
        "INVOKE_MAINTENANCE_DEPENDENCIES_PYTHON": sys.executable,
    }
    result = inv(TASK, env=env)
    assert answers(result) == ALL_GO | {"dependencies": "skipped"}, result.out
    assert '"python -m pytest -q" passed: 1 passed in' in gate(result, "tests")["message"]
    assert '"ruff check ." passed' in gate(result, "linters")["message"]
    result = inv(TASK, env={**env, "INVOKE_MAINTENANCE_DEPENDENCIES_PYTHON": ""})
    assert (answers(result)["tests"], gate(result, "tests")["status"]) == ("not checked", "unknown")
    assert "There is no program pytest, but there are tests in tests" in gate(result, "tests")["message"]


# Dry runs, other runs, output


@pytest.mark.parametrize("arguments", [(TASK, "--dry-run"), ("--dry", TASK)])
def test_a_dry_run_runs_no_command_and_writes_nothing(inv: Inv, clean: Path, arguments: tuple[str, ...]) -> None:
    before = fingerprint(clean)
    ran = {"INVOKE_MAINTENANCE_RELEASE_TEST_COMMAND": "touch ran"}
    result = inv(*arguments, env=ran)
    assert fingerprint(clean) == before
    assert (result.status, result.report["dry_run"]) == (3, True), result.out
    assert answers(result) == ALL_GO | {"tests": "not checked", "linters": "not checked"}
    assert [Path(each).suffix for each in result.targets("write")] == [".md", ".json"]
    assert result.report["files"] == []


def test_a_dry_run_of_a_project_that_nothing_was_measured_of(inv: Inv, unchecked: Path) -> None:
    before = fingerprint(unchecked)
    result = inv(TASK, "--dry-run")
    assert fingerprint(unchecked) == before
    assert answers(result)["providers"] == "skipped", result.out  # nobody is asked in a dry run


def test_an_empty_project_has_no_traceback_and_nothing_made_up(inv: Inv, project: Path) -> None:
    env = {f"INVOKE_MAINTENANCE_RELEASE_GATES_{name}": "skip" for name in ("PROVIDERS", "DISK", "DEPENDENCIES")}
    result = inv(TASK, env=env)
    assert (result.status, result.err) == (3, ""), result.out
    assert {*answers(result).values()} == {"not checked", "skipped"}
    assert result.report["data"]["version"] is None
    assert [*project.iterdir()] == [project / "logs"]


def test_another_run_keeps_the_report_from_being_written_and_not_from_being_told(inv_process: Inv, clean: Path) -> None:
    with project_lock(clean, "another.task", datetime.now().astimezone()):
        result = inv_process(TASK)
    assert (result.status, result.report["data"]["verdict"], result.report["files"]) == (1, "GO", []), result.out
    (finding,) = result.findings("release.report")
    assert "another.task" in finding["message"]


def test_a_report_that_said_no_is_measured_anew(inv: Inv, clean: Path) -> None:
    archives = [*(clean / "backups").iterdir()]
    aside = clean / "logs/aside"
    aside.mkdir()
    for each in archives:
        shutil.move(each, aside / each.name)
    forget(clean, "backup_reports")
    assert answers(inv(TASK))["backup"] == "no-go"
    for each in archives:
        shutil.move(aside / each.name, each)
    assert answers(inv(TASK)) == ALL_GO


def test_people_read_what_is_wrong_first(inv: Inv, clean: Path) -> None:
    result = inv(TASK, json=False, env=break_tests(clean))
    assert result.status == 2
    lines = result.out.splitlines()
    assert lines[0].startswith("release.checklist  critical  NO-GO for 1.2.0 because of tests")
    assert lines[1].split() == [
        "critical",
        "tests",
        "no-go:",
        '"sh',
        "-c",
        "'echo",
        "1",
        "failed;",
        "exit",
        "1'\"",
        *("ended", "with", "status", "1."),
    ]
    assert lines[2].strip() == "| 1 failed"


def test_a_page_is_printed_in_place_of_the_report(inv: Inv, clean: Path) -> None:
    result = inv(TASK, "--markdown", json=False)
    (page,) = (clean / "logs/release_reports").glob("*.md")
    assert result.status == 0
    assert result.out.startswith("# Release checklist\n")
    assert [*page.read_text().splitlines()] == [*result.out.splitlines()]
    both = inv("settings.check", TASK, "--markdown", json=False)
    assert "# Release checklist\n" in both.out
    assert both.out.splitlines()[-1].startswith("verdict: ")
    assert inv(TASK, "--markdown").report["data"]["verdict"] == "GO"


def test_a_run_of_github_actions_gets_annotations_and_a_summary(inv: Inv, clean: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), **break_tests(clean)}
    result = inv(TASK, json=False, env=env)
    assert (result.status, result.err) == (2, "")
    assert result.out.splitlines()[-1].startswith("::error title=release.checklist%3A tests::no-go: ")
    assert summary.read_text().startswith("# Before\n# Release checklist\n\n**critical**: NO-GO")
    document = inv(TASK, env=env)
    assert (document.report["data"]["verdict"], document.err) == ("NO-GO", "")
    assert summary.read_text().count("# Release checklist") == 2
    summary.unlink()
    result = inv(TASK, json=False, env=env)
    assert (result.status, summary.exists()) == (2, False)
    assert result.err.startswith(f"The page was not added to the step's summary, {summary}: No such file")
