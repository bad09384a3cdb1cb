"""``monthly.dependency-update`` on a real environment, with an index and an advisory service on loopback."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from tasks.core.report.model import schema
from tasks.demo_site.loopback import Response
from tasks.demo_site.package_index import OfferedFile, package_index
from tasks.demo_site.vulnerability_service import KnownVulnerability, vulnerability_service
from tasks.demo_site.wheels import wheel

from .conftest import INV, PATIENCE, REPOSITORY, Inv, wait_until
from .dependency_site import LONG_AGO, Site, offered, reported

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip, to be copied: making one takes seconds."""
    folder = tmp_path_factory.mktemp("template") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin/python"), "-I", "-B", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "setuptools"], check=True, capture_output=True)
    return folder


def pip_of(template: Path) -> dict[str, OfferedFile]:
    """Return the pip that is there as the index offers it."""
    (info,) = template.glob("lib/python*/site-packages/pip-*.dist-info")
    version = info.name.removesuffix(".dist-info").removeprefix("pip-")
    name, content = wheel("pip", version)
    return {name: OfferedFile(content, LONG_AGO)}


@pytest.fixture
def site(project: Path, template: Path, inv: Inv) -> Iterator[Site]:
    shutil.copytree(template, project / ".venv", symlinks=True)
    known = (KnownVulnerability("demo-old", "DEMO-2026-1", fixed="3.0", aliases=("CVE-2026-0001",)),)
    with package_index(offered() | pip_of(template)) as index, vulnerability_service(known) as service:
        env = {
            **dict.fromkeys((name for name in os.environ if name.startswith("PIP_")), ""),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_INDEX_URL": index.url,
            "INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL": service.url,
            "VIRTUAL_ENV": "",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(project.parent),
        }
        yield Site(project, inv, env, index, service)


def test_an_update_of_pins_and_ranges(site: Site) -> None:
    site.requires("# ours\ndemo-widget==1.0  # keep this comment\ndemo-base>=1.0\n")
    site.pip("install", "--quiet", "demo-base==1.0")
    result = site.update("--yes")
    jsonschema.validate(result.document, schema())
    assert reported(result, "update")["status"] == "ok", result.out
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    text = (site.root / "requirements.txt").read_text()
    assert text == "# ours\ndemo-widget==1.1  # keep this comment\ndemo-base>=1.0\n"
    (backup,) = site.root.glob("requirements.txt.backup.*")
    assert "demo-widget==1.0" in backup.read_text()
    assert "demo-widget==1.1\n" in (site.root / "requirements.lock.txt").read_text()
    assert not (site.root / ".maintenance-undo").exists()
    verbs = {(each["verb"], each["target"], each["done"]) for each in result.report["actions"]}
    assert ("update", "demo-widget 1.0 -> 1.1 (outdated)", True) in verbs


def test_without_a_terminal_or_yes_nothing_is_updated(site: Site) -> None:
    site.requires("demo-widget==1.0\ndemo-old==1.0\n")
    before = site.state()
    dry = site.inv("-R", "monthly.dependency-update", env=site.env)
    results = site.update(), site.update("--check"), site.update("--dry-run"), dry
    assert site.state() == before
    for result in results:
        jsonschema.validate(result.document, schema())
        assert result.status == 2, result.out
        vulnerable = reported(result, "vulnerable")
        assert (vulnerable["subject"], vulnerable["status"], vulnerable["value"]) == ("demo-old", "critical", 1)
        assert "CVE-2026-0001 (DEMO-2026-1), fixed in 3.0" in vulnerable["message"]
        assert reported(result, "outdated", "demo-widget")["status"] == "warning"
        assert reported(result, "audit")["status"] == "critical"
    assert "nobody can be asked" in reported(results[0], "update")["message"]
    assert results[1].findings("dependencies.update") == []
    planned = [each["target"] for each in results[2].report["actions"] if each["verb"] == "update"]
    assert planned == ["demo-old 1.0 -> 3.0 (repairs a vulnerability)", "demo-widget 1.0 -> 1.1 (outdated)"]
    assert results[2].report["dry_run"]
    assert not any(each["done"] for each in results[2].report["actions"])


def test_a_dry_run_names_what_the_run_that_follows_does(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    for day in ("20200101", "20200102"):
        (site.root / f"requirements.txt.backup.{day}").touch()
    dry, real = site.update("--dry-run"), site.update("--yes")
    assert reported(real, "update")["status"] == "ok", real.out
    assert dry.targets("write") == real.report["files"]
    assert len(real.report["files"]) == 5
    assert dry.report["files"] == []
    for verb in ("update", "install"):
        assert dry.targets(verb) == real.targets(verb)
    assert dry.targets("delete") == real.targets("delete")
    assert real.targets("delete") == [f"requirements.txt.backup.2020010{number}" for number in (1, 2)]


def test_by_a_clock_that_is_not_believed_no_copy_of_the_requirements_goes(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    copies = [site.root / f"requirements.txt.backup.2020010{number}" for number in (1, 2)]
    for copy in copies:
        copy.touch()
    day = datetime.now().astimezone() - timedelta(days=401)
    archive = site.root / f"logs/archive/{day:%Y/%m}/app_{day:%Y%m%d}.log.gz"
    archive.parent.mkdir(parents=True)
    archive.touch()
    dry, real = site.update("--dry-run"), site.update("--yes")
    for result in (dry, real):
        (finding,) = result.findings("clock.trust")
        assert finding["message"].startswith("2 copies of requirements look older than 90 days and w")
        assert (finding["status"], result.targets("delete")) == ("unknown", [])
    assert reported(real, "update")["status"] == "ok", real.out
    assert all(copy.exists() for copy in copies)


def test_a_dry_run_leaves_the_whole_tree_as_it_is(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    site.update("--dry-run")
    assert not (site.root / "logs").exists()


def test_all_is_well_where_everything_was_checked(site: Site) -> None:
    site.requires("demo-widget==1.1\n")
    result = site.update()
    assert (result.status, reported(result, "audit")["status"]) == (0, "ok"), result.out
    assert reported(result, "held", "demo-widget")["message"] == (
        "1.1 stays though there is 2.0: 2.0 is a major step, and dependencies.largest_step is minor."
    )
    (kept,) = (site.root / "logs/dependency_reports").glob("pip_audit_*.json")
    audited = {each["name"] for each in json.loads(kept.read_text())["dependencies"]}
    assert audited == {"demo-base", "demo-widget", "pip"}
    (report,) = (site.root / "logs/dependency_reports").glob("dependency_report_*.json")
    packages = json.loads(report.read_text())["data"]["packages"]
    assert packages["demo-base"]["wanted"] == "transitive"
    assert packages["demo-widget"]["audit"]["verdict"] == "clean"
    again = site.update()
    assert again.status == 0
    assert len(json.loads(report.read_text())["runs"]) == 2


def test_what_the_index_does_not_know_is_never_called_safe(site: Site) -> None:
    site.requires("demo-widget==1.1\n")
    name, content = wheel("demo-private", "1.0")
    (site.root.parent / name).write_bytes(content)
    site.index.files[name] = OfferedFile(content)
    site.pip("install", "--quiet", "demo-private")
    del site.index.files[name]
    result = site.update()
    assert result.status == 3
    finding = reported(result, "not-audited")
    assert (finding["subject"], finding["status"]) == ("demo-private", "unknown")
    assert "the index does not know it" in finding["message"]


@pytest.mark.parametrize("service", ["down", "nonsense"])
def test_an_audit_that_fails_is_unknown(site: Site, service: str) -> None:
    site.requires("demo-widget==1.1\n")
    if service == "nonsense":
        site.service.response = Response(200, b"[]", {"Content-Type": "application/json"})
    url = "http://127.0.0.1:9/v1/query" if service == "down" else site.service.url
    result = site.update(INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL=url)
    assert result.status == 3
    assert reported(result, "audit")["message"].startswith("The audit failed: ")
    assert result.report["summary"].startswith("3 packages, none audited, ")
    measured = {each["name"] for each in result.report["metrics"]}
    assert "dependencies.vulnerable" not in measured
    assert "dependencies.outdated" in measured
    repaired = site.update("--security", "--yes", INVOKE_MAINTENANCE_DEPENDENCIES_OSV_URL=url)
    assert reported(repaired, "update")["status"] == "unknown"
    assert "for the audit failed" in reported(repaired, "update")["message"]


def test_an_advisory_service_that_is_too_slow_is_unknown(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    site.service.delay_seconds = 60
    before = site.state()
    result = site.update("--check", INVOKE_MAINTENANCE_DEPENDENCIES_DEADLINE_SECONDS="6")
    jsonschema.validate(result.document, schema())
    assert (result.status, site.state()) == (3, before)
    assert "pip-audit had not ended within 6.0 s" in reported(result, "audit")["message"]
    assert result.report["duration_seconds"] < PATIENCE


def test_an_index_that_is_down_is_unknown(site: Site) -> None:
    site.requires("demo-widget==1.1\n")
    result = site.update("--yes", INVOKE_MAINTENANCE_DEPENDENCIES_INDEX_URL="http://127.0.0.1:9/simple")
    assert result.status == 3
    assert "the index cannot be reached" in reported(result, "releases")["message"]


def test_only_what_repairs_a_vulnerability(site: Site) -> None:
    site.requires("demo-widget==1.0\ndemo-old==1.0\n")
    result = site.update("--yes", "--security")
    assert result.status == 1, result.out
    assert site.frozen() == ["demo-base==1.1", "demo-old==3.0", "demo-widget==1.0"]
    assert (site.root / "requirements.txt").read_text() == "demo-widget==1.0\ndemo-old==3.0\n"
    assert reported(result, "audit")["status"] == "ok"


def test_only_one_package(site: Site) -> None:
    site.requires("demo-widget==1.0\ndemo-base==1.0\n")
    assert site.update("--yes", "--only", "Demo_Widget").status == 1
    assert site.frozen() == ["demo-base==1.0", "demo-widget==1.1"]
    gone = site.update("--yes", "--only", "gone")
    assert gone.status == 2
    assert "not installed is" in gone.report["findings"][0]["message"]


def test_a_smoke_test_that_fails_with_the_new_versions_leaves_everything(site: Site) -> None:
    site.requires("demo-broken==1.0\n", run="import demo_broken\ndef main() -> None: ...\n")
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (2, before)
    message = reported(result, "update")["message"]
    assert "the smoke test fails in a fresh environment" in message
    assert "hunter2" not in result.out


def test_a_smoke_test_that_fails_in_the_live_environment_only_is_undone(site: Site) -> None:
    run = (
        "import importlib.metadata, os, sys\n"
        "version = importlib.metadata.version('demo-widget')\n"
        f"if version != '1.0' and sys.prefix == {str(site.root / '.venv')!r}:\n"
        "    raise SystemExit('not here')\n"
        "def main() -> None: ...\n"
    )
    site.requires("demo-widget==1.0\ndemo-base>=1.0\n", run=run)
    site.pip("install", "--quiet", "demo-base==1.0")
    before, frozen = site.state(), site.frozen()
    result = site.update("--yes")
    assert result.status == 2
    assert reported(result, "update")["message"] == (
        "The update failed and was undone, everything is as it was: "
        "the smoke test fails in the live environment: it ended with status 1: not here."
    )
    assert (site.state(), site.frozen()) == (before, frozen)


@pytest.mark.parametrize(
    ("command", "explanation"),
    [
        ("no-such-program --version", "cannot be started"),
        ("python -c 'import gone'", "ended with status 1: ModuleNotFoundError"),
        ("python -c 'import time; time.sleep(600)'", "had not ended within 1.0 s"),
        ("python -c 'raise SystemExit(\"token=abcdef0123456789abcdef\")'", "token=[redacted]"),
    ],
)
def test_a_smoke_test_that_fails_already(site: Site, command: str, explanation: str) -> None:
    site.requires("demo-widget==1.0\n")
    before = site.state()
    settings = {
        "INVOKE_MAINTENANCE_DEPENDENCIES_SMOKE_COMMAND": command,
        "INVOKE_MAINTENANCE_DEPENDENCIES_SMOKE_SECONDS": "1" if "sleep" in command else "60",
    }
    result = site.update("--yes", **settings)
    assert (result.status, site.state()) == (2, before)
    message = reported(result, "update")["message"]
    assert message.startswith("Nothing was updated: the smoke test fails already")
    assert explanation in message
    assert reported(result, "update")["remedy"].startswith("Mend the project first, or dependencies.smoke_command: ")
    assert "abcdef0123456789" not in result.out


def test_a_package_that_cannot_be_built_leaves_everything(site: Site) -> None:
    site.requires("demo-built==1.0\n")
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (3, before)
    assert "could not be found out" in reported(result, "update")["message"]


def test_a_conflict_is_told(site: Site) -> None:
    (site.root / "limits.txt").write_text("demo-base<1.1\n")
    site.requires("demo-widget==1.0\n-c limits.txt\n")
    (site.root / "limits.txt").write_text("demo-base<1.0\n")
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (3, before)
    assert "No set of versions suits" in reported(result, "update")["message"]


def test_no_requirements_file_no_environment_and_a_broken_line(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    before = site.state()
    (site.root / "requirements.txt").rename(site.root / "other.txt")
    result = site.update("--yes")
    assert reported(result, "requirements")["status"] == "skipped"
    assert "without a requirements file" in reported(result, "update")["message"]
    (site.root / "other.txt").rename(site.root / "requirements.txt")
    (site.root / "requirements.txt").write_text("demo-widget==1.0\nwhat is this\n")
    result = site.update("--yes")
    assert "requirements.txt cannot be read whole" in reported(result, "held", "demo-widget")["message"]
    assert result.report["summary"].endswith("0 can move")
    assert "line 2, is no requirement" in reported(result, "requirements")["message"]
    assert "cannot be read whole" in reported(result, "update")["message"]
    (site.root / "requirements.txt").write_text("demo-widget==1.0\n")
    (site.root / ".venv").rename(site.root / "away")
    result = site.update("--yes")
    assert result.status == 3
    assert "No environment is known to be the project's" in reported(result, "environment")["message"]
    (site.root / "away").rename(site.root / ".venv")
    assert site.state().keys() == before.keys()


def test_requirements_that_include_others_and_themselves(site: Site) -> None:
    (site.root / "more").mkdir()
    (site.root / "more/pins.txt").write_text("demo-base==1.0\n")
    site.requires("demo-widget==1.0\n-r more/pins.txt\n")
    result = site.update("--yes")
    assert reported(result, "update")["status"] == "ok", result.out
    assert (site.root / "more/pins.txt").read_text() == "demo-base==1.1\n"
    assert len([*site.root.glob("more/pins.txt.backup.*")]) == 1
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    (site.root / "more/pins.txt").write_text("demo-base==1.0\n-r ../requirements.txt\n")
    before = site.state()
    circular = site.update("--yes")
    jsonschema.validate(circular.document, schema())
    assert (circular.status, site.state()) == (3, before)
    assert "leads in a circle" in reported(circular, "requirements")["message"]


def test_an_empty_folder_is_told_as_one_without_anything(site: Site) -> None:
    shutil.rmtree(site.root / ".venv")
    result = site.update()
    assert reported(result, "requirements")["message"] == "There is no requirements file, and nothing is updated."
    assert result.report["summary"] == "no environment to look at"


def test_a_requirements_file_that_cannot_be_written_is_undone(site: Site) -> None:
    (site.root / "more.txt").write_text("demo-base==1.0\n")
    site.requires("demo-widget==1.0\n-r more.txt\n")
    before = site.state()
    (site.root / "requirements.lock.txt").mkdir()
    result = site.update("--yes")
    (site.root / "requirements.lock.txt").rmdir()
    assert result.status == 2
    assert site.state() == before


HANGING = (
    "import importlib.metadata, pathlib, sys, time\n"
    "if importlib.metadata.version('demo-widget') != '1.0' and sys.prefix.endswith('/project/.venv'):\n"
    "    pathlib.Path('logs/there').touch()\n"
    "    time.sleep(60)\n"
    "def main() -> None: ...\n"
)
"""A project that hangs once the live environment has changed."""


def test_an_update_that_is_killed_is_found_and_undone_by_the_next_run(site: Site) -> None:
    site.requires("demo-widget==1.0\ndemo-base>=1.0\n", run=HANGING)
    site.pip("install", "--quiet", "demo-base==1.0")
    (site.root / "logs").mkdir()
    before = site.state()
    process = subprocess.Popen(
        [INV, "monthly.dependency-update", "--yes"],
        cwd=REPOSITORY,
        env={**os.environ, **site.env, "INVOKE_MAINTENANCE_ROOT": str(site.root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until((site.root / "logs/there").exists, process)
    process.kill()
    process.wait()
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    for arguments in ([], ["--check"], ["--dry-run", "--yes"]):
        result = site.update(*arguments)
        finding = reported(result, "interrupted")
        assert (result.status, finding["status"]) == (2, "critical")
        assert "demo-widget 1.0 -> 1.1" in finding["message"]
        assert "--yes puts everything back" in finding["remedy"]
        assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    result = site.update("--yes")
    assert (result.status, reported(result, "interrupted")["status"]) == (1, "warning"), result.out
    after = site.state()
    assert after == before
    assert site.update("--check").findings("dependencies.interrupted") == []


def test_an_interrupted_update_names_what_could_not_be_put_back(site: Site) -> None:
    site.requires("demo-widget==1.0\n", run=HANGING)
    (site.root / "logs").mkdir()
    process = subprocess.Popen(
        [INV, "monthly.dependency-update", "--yes"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **site.env,
            "INVOKE_MAINTENANCE_ROOT": str(site.root),
            "INVOKE_MAINTENANCE_OUTPUT": "json",
        },
        stdout=subprocess.PIPE,
    )
    wait_until((site.root / "logs/there").exists, process)
    undo = site.root / ".maintenance-undo"
    kept = {copy: copy.read_bytes() for copy in undo.iterdir() if copy.name.isdecimal()}
    for copy in kept:
        copy.unlink()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    document = json.loads(out)
    jsonschema.validate(document, schema())
    findings = {each["check"]: each for each in document["reports"][0]["findings"]}
    assert findings["run.interrupted"]["status"] == "unknown"
    finding = findings["dependencies.update"]
    assert finding["status"] == "critical"
    (module,) = site.root.glob(".venv/lib/python*/site-packages")
    assert f"{module}/demo_widget-1.0.dist-info/METADATA cannot be put back" in finding["message"]
    assert "inv monthly.dependency-update --yes" in finding["remedy"]
    for copy, content in kept.items():
        copy.write_bytes(content)
    result = site.update("--yes")
    assert reported(result, "interrupted")["status"] == "warning", "the command that the remedy names finishes it"
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.0"]


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_shows_and_asks(site: Site, answer: str) -> None:
    site.requires("demo-widget==1.0\n")
    before = site.state()
    here, there = pty.openpty()
    process = subprocess.Popen(
        [INV, "monthly.dependency-update"],
        cwd=REPOSITORY,
        env={**os.environ, **site.env, "INVOKE_MAINTENANCE_ROOT": str(site.root), "TERM": "dumb"},
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=there,
    )
    os.close(there)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(here, 1000)
    assert b"demo-widget 1.0 -> 1.1 (outdated)" in seen
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.0"]
    os.write(here, f"{answer}\n".encode())
    out, _ = process.communicate(timeout=PATIENCE)
    os.close(here)
    assert process.returncode in {0, 1}
    if answer == "y":
        assert b"Updated: demo-widget 1.0 -> 1.1 (outdated)." in out
        assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]
    else:
        assert b"Not updated: demo-widget 1.0 -> 1.1 (outdated)." in out
        assert site.state() == before


def test_a_package_from_a_folder_is_copied_never_called_safe_and_stays(site: Site) -> None:
    name, content = wheel("demo-local", "1.0", requires=["demo-base>=1.0"])
    (site.root / name).write_bytes(content)
    text = f"./{name}\ndemo-widget==1.0\n"
    site.requires(text, run="import demo_local, demo_base\ndef main() -> None: ...\n")
    site.pip("install", "--quiet", "demo-base==1.0")
    result = site.update("--yes")
    assert result.status == 3, result.out
    assert reported(result, "update")["status"] == "ok"
    assert reported(result, "not-audited")["subject"] == "demo-local"
    frozen = site.frozen()
    assert frozen[:1] + frozen[2:] == ["demo-base==1.1", "demo-widget==1.1"]
    assert frozen[1].startswith("demo-local @ file://")
    assert (site.root / "requirements.txt").read_text() == text.replace("widget==1.0", "widget==1.1")
    assert "# demo-local==1.0 (URL)" in (site.root / "requirements.lock.txt").read_text()


@pytest.mark.parametrize("pip", ["gone", "old"])
def test_an_environment_whose_pip_cannot_be_used(site: Site, pip: str) -> None:
    site.requires("demo-widget==1.0\n")
    (folder,) = (site.root / ".venv/lib").glob("python*/site-packages/pip")
    shutil.rmtree(folder)
    if pip == "old":
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text("print('pip 21.0 from somewhere')\n")
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (3, before)
    finding = reported(result, "update")
    assert ("has no pip" if pip == "gone" else "pip is 21.0; an update needs 22.3") in finding["message"]
    assert "-m " in finding["remedy"]
    assert reported(result, "outdated")["subject"] == "demo-widget"


def test_the_environment_of_the_suite_is_looked_at_and_never_changed(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    result = site.update("--yes", INVOKE_MAINTENANCE_DEPENDENCIES_PYTHON=sys.executable)
    assert "the one that this suite runs in" in reported(result, "environment")["message"]
    assert "nothing replaces what it runs on" in reported(result, "update")["message"]


def test_what_the_requirements_ask_for_and_nobody_installed(site: Site) -> None:
    site.requires("demo-widget==1.1\n")
    (site.root / "requirements.txt").write_text("demo-widget==1.0\ndemo-old>=1\ndemo-base>=1; python_version<'3'\n")
    unmet = {each["subject"]: each["message"] for each in site.update().findings("dependencies.unmet")}
    assert unmet == {
        "demo-old": "requirements.txt, line 2, asks for it, but it is not installed.",
        "demo-widget": "requirements.txt, line 1, asks for ==1.0, but 1.1 is installed.",
    }


def test_a_journal_that_cannot_be_read_is_told_and_nothing_changed(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    (site.root / ".maintenance-undo").mkdir()
    (site.root / ".maintenance-undo/journal.json").write_text('{"prefix"')
    before = site.state()
    for flag in ("--check", "--dry-run"):
        result = site.update(flag)
        assert (result.status, site.state()) == (2, before)
        assert "cannot be undone" in reported(result, "interrupted")["message"]
        assert (site.root / ".maintenance-undo/journal.json").exists()
    frozen = site.frozen()
    result = site.update("--yes")
    assert (result.status, site.frozen()) == (2, frozen)
    assert "It was kept aside as .maintenance-undo.broken-1." in reported(result, "interrupted")["message"]
    assert (site.root / ".maintenance-undo.broken-1/journal.json").read_text() == '{"prefix"'


def test_a_journal_that_names_another_folder_is_kept_aside_and_nothing_there_is_deleted(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    outside = site.root.parent / "elsewhere"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    undo = site.root / ".maintenance-undo"
    undo.mkdir(mode=0o700)
    journal = {
        "schema": 1,
        "prefix": str(outside),
        "python": "python",
        "moves": ["demo-widget 1.0 -> 1.1"],
        "started": "2026-06-01T00:00:00+00:00",
        "listing": {".": [0o40755, 0, 0, "", [0, 0]]},
        "copies": {},
        "project": {},
        "project_copies": {},
    }
    (undo / "journal.json").write_text(json.dumps(journal))
    frozen = site.frozen()
    result = site.update("--yes")
    assert (result.status, site.frozen()) == (2, frozen)
    assert "is not the project's environment" in reported(result, "interrupted")["message"]
    assert [path.read_text() for path in outside.iterdir()] == ["mine"]


def test_a_write_protected_file_is_left_alone(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    (site.root / "requirements.txt").chmod(0o444)
    before = site.state()
    result = site.update("--yes")
    assert (result.status, site.state()) == (3, before)
    assert 'write-protected is: "requirements.txt".' in reported(result, "update")["message"]


def test_an_environment_outside_the_project_is_changed_only_where_the_settings_name_it(site: Site) -> None:
    site.requires("demo-widget==1.0\n")
    outside = site.root.parent / "outside"
    shutil.move(site.root / ".venv", outside)
    (site.root / ".venv").symlink_to(outside)
    result = site.update("--yes")
    assert "lies outside the project" in reported(result, "update")["message"]
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.0"]
    result = site.update("--yes", INVOKE_MAINTENANCE_DEPENDENCIES_PYTHON=str(outside / "bin/python"))
    assert reported(result, "update")["status"] == "ok", result.out
    assert site.frozen() == ["demo-base==1.1", "demo-widget==1.1"]


def test_it_ends_on_request_and_leaves_everything(site: Site) -> None:
    run = "import pathlib, time\npathlib.Path('logs/there').touch()\ntime.sleep(60)\ndef main() -> None: ...\n"
    site.requires("demo-widget==1.0\n", run=run)
    (site.root / "logs").mkdir()
    before = site.state()
    process = subprocess.Popen(
        [INV, "monthly.dependency-update", "--yes"],
        cwd=REPOSITORY,
        env={**os.environ, **site.env, "INVOKE_MAINTENANCE_ROOT": str(site.root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until((site.root / "logs/there").exists, process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "it was told to stop" in out
    assert site.state() == before
