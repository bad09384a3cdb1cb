from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasks.audit.performance import benchmarks

from .conftest import INV, REPOSITORY, Inv, Result, fingerprint

pytestmark = pytest.mark.needs("git")

TASK = "quarterly.system-audit"
GIT = shutil.which("git") or "git"


@pytest.fixture(autouse=True)
def _each_benchmark_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "_TIMES", 1)


def git(root: Path, *arguments: str) -> None:
    own = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run([GIT, *own, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-m", "state")


@pytest.fixture
def clean(project: Path, inv: Inv, environment: dict[str, str]) -> Path:
    """A project of which every check that can be made without an index says ok."""
    environment["INVOKE_MAINTENANCE_AUDIT_PLACES"] = "README.md,data"
    for path, text in {
        "README.md": "# A\n",
        ".gitignore": ".env\nlogs/\nbackups/\n",
        "requirements.txt": "",
        "run.py": "from generator import writer\n",
        "generator/__init__.py": "",
        "generator/writer.py": "from . import prompts\n",
        "generator/prompts.py": "WORDS = 300\n",
        "config/settings.py": "RETRIES = 3\n",
        "data/Materials.yaml": "materials:\n  Oak: {category: wood, density: 0.7, melting_point: 1, "
        "thermal_conductivity: 1}\n",
        "data/Categories.yaml": "categories:\n  wood: {description: wood}\n",
        "components/text/config/text.yaml": "name: text\n",
    }.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    (project / ".env").write_text("DEEPSEEK_API_KEY=a-key-of-nobody\nGROK_API_KEY=a-key-of-nobody\n")
    (project / ".env").chmod(0o600)
    git(project, "init")
    commit(project)
    assert inv("backup.create").status == 0
    return project


def results(result: Result) -> dict[str, str]:
    return {row["check"]: row["result"] for row in result.report["data"]["score"]}


def reported(result: Result, name: str) -> list[tuple[str, str]]:
    return [(each["status"], each["subject"]) for each in result.findings(f"audit.{name}")]


@pytest.fixture
def quarter() -> str:
    now = datetime.now().astimezone()
    return f"{now.year}Q{(now.month + 2) // 3}"


def test_of_a_clean_project_nothing_is_warned(inv: Inv, clean: Path, quarter: str) -> None:
    result = inv(TASK)
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    assert {check: found for check, found in results(result).items() if found != "ok"} == {
        "audit.benchmarks": "skipped",  # the first ones
        "audit.checksums": "skipped",
        "audit.unreferenced": "skipped",  # the component has no code
        "audit.licences": "skipped",  # the project has no environment
        "audit.dependencies": "unknown",
    }
    assert result.report["data"]["percent"] == 100
    assert result.status == 3
    page = (clean / f"logs/audit_reports/audit_{quarter}.md").read_text()
    assert page.startswith(f"# System audit {quarter}\n\n**unknown**: score 100 of 100, 1 unknown")
    assert f"logs/audit_reports/audit_{quarter}.json" in result.report["files"]


@pytest.mark.slow
def test_a_second_run_uses_the_reports_and_compares_the_checksums(inv: Inv, clean: Path) -> None:
    assert {row["how"] for row in inv(TASK).report["data"]["sources"]} == {"it was run"}
    again = inv(TASK)
    how = {row["procedure"]: row["how"] for row in again.report["data"]["sources"]}
    assert how.pop("monthly.dependency-update") == "it was run"  # there was no environment, and may be one by now
    assert {*how.values()} == {"its report was used"}
    assert results(again)["audit.checksums"] == "ok"
    rerun = inv(TASK, "--rerun")
    assert {row["how"] for row in rerun.report["data"]["sources"]} == {"it was run"}
    assert clean.exists()


def test_what_its_remedy_mends_is_well_at_the_next_audit(inv: Inv, clean: Path) -> None:
    shutil.rmtree(clean / "backups")
    (lost,) = (each for each in inv(TASK).findings("audit.backups") if each["status"] == "critical")
    assert lost["remedy"] == "Run inv backup.create."
    assert inv("backup.create").status == 0
    assert results(inv(TASK))["audit.backups"] == "ok"


@pytest.mark.slow
def test_a_folder_that_cannot_be_read_is_told_and_the_rest_audited(
    inv: Inv, clean: Path, environment: dict[str, str], without_privileges: list[str]
) -> None:
    (clean / "data/locked").mkdir(mode=0)
    (clean / "data/locked").chmod(0)
    env = {**environment, "INVOKE_MAINTENANCE_OUTPUT": "json"}
    command = [*without_privileges, INV, TASK, "--dry-run"]
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    result = Result(done.returncode, done.stdout, done.stderr)
    (clean / "data/locked").chmod(0o755)
    assert result.err == ""
    assert "data/locked: Permission denied" in " ".join(each["message"] for each in result.findings("audit.cycles"))
    assert results(result)["audit.places"] == "ok"
    assert inv(TASK).report["data"]["percent"] is not None


@pytest.mark.parametrize("arguments", [(TASK, "--dry-run"), ("--dry", TASK)])
def test_a_dry_run_changes_nothing(inv: Inv, clean: Path, arguments: tuple[str, ...]) -> None:
    before = fingerprint(clean)
    result = inv(*arguments)
    assert result.report["dry_run"]
    assert all(not action["done"] for action in result.report["actions"])
    assert len(result.targets("write")) == 4
    assert fingerprint(clean) == before


def plant_cycle(root: Path) -> None:
    (root / "generator/prompts.py").write_text("from . import writer\n")


def plant_secret(root: Path) -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    (root / "deploy.sh").write_text(f"export TOKEN=ghp_{''.join(chance.choices(letters, k=36))}\n")
    git(root, "add", "deploy.sh")


def plant_readable_keys(root: Path) -> None:
    (root / ".env").chmod(0o644)


def plant_tracked_keys(root: Path) -> None:
    (root / ".env").write_text(f"DEEPSEEK_API_KEY=sk-{random.Random(7).randbytes(16).hex()}\n")
    git(root, "add", "-f", ".env")


def plant_broken_data(root: Path) -> None:
    (root / "data/more.yaml").write_text("a: [1\n")
    commit(root)


def plant_missing_place(root: Path) -> None:
    (root / "README.md").unlink()


def plant_large_module(root: Path) -> None:
    (root / "generator/writer.py").write_text("A = 1\n" * 1200)


def plant_unknown_category(root: Path) -> None:
    text = (root / "data/Materials.yaml").read_text()
    (root / "data/Materials.yaml").write_text(text.replace("wood", "stone"))


def plant_damaged_backup(root: Path) -> None:
    (archive,) = (root / "backups").glob("*.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("plant", "check", "status"),
    [
        (plant_cycle, "audit.cycles", "warning"),
        (plant_secret, "audit.secrets", "critical"),
        (plant_readable_keys, "audit.permissions", "critical"),
        (plant_tracked_keys, "audit.env_ignored", "critical"),
        (plant_broken_data, "audit.data", "critical"),
        (plant_missing_place, "audit.places", "warning"),
        (plant_large_module, "audit.sizes", "warning"),
        (plant_unknown_category, "audit.references", "warning"),
        (plant_damaged_backup, "audit.backups", "critical"),
    ],
)
def test_a_planted_problem_is_found(inv: Inv, clean: Path, plant: Any, check: str, status: str) -> None:
    plant(clean)
    result = inv(TASK)
    assert results(result)[check] == status, result.out
    assert result.report["data"]["percent"] < 100
    secret = (clean / "deploy.sh").read_text().strip().rpartition("=")[2] if (clean / "deploy.sh").exists() else None
    assert not secret or secret not in result.out


def test_secrets_are_found_by_where_they_stand(inv: Inv, clean: Path) -> None:
    secret = "q7Rk2mPz9Xw4" + "Lk3V"
    pair = base64.b64encode(f"ci:{secret}".encode()).decode()
    files = {
        "a/netrc": f"machine api.zbeam.dev login ci password {secret}\n",
        "a/config.json": f'{{"auths": {{"r.zbeam.dev": {{"auth": "{pair}"}}}}}}\n',
        "a/call.sh": f"curl -u ci:{secret} https://api.zbeam.dev\n",
        "a/db.py": f'C = "Server=db;User ID=app;Password={secret}!;Encrypt=True"\n',
        "b/doc.md": "Use `curl -u user:pass` or OPENAI_API_KEY=sk-your-key-here.\n",
    }
    for name, content in files.items():
        path = clean / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        git(clean, "add", name)
    result = inv(TASK)
    found = {subject for status, subject in reported(result, "secrets") if status == "critical"}
    assert found == {name for name in files if name.startswith("a/")}, result.out
    assert secret not in result.out
    assert pair not in result.out


def test_a_bit_that_flipped_since_the_last_audit_is_critical(inv: Inv, clean: Path) -> None:
    inv(TASK)
    path = clean / "config/settings.py"
    status = path.stat()
    path.write_text("RETRIES = 7\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert reported(inv(TASK), "checksums") == [("critical", "config/settings.py")]


def test_a_waiver_takes_a_finding_out_until_it_ends(inv: Inv, clean: Path, tmp_path: Path) -> None:
    plant_cycle(clean)
    today = datetime.now().astimezone().date()
    for until, expected in ((today, "ok"), (today - timedelta(days=1), "warning")):
        waiver = {"check": "audit.cycles", "subject": "*", "reason": "to be mended", "until": until.isoformat()}
        file = tmp_path / "waivers.yaml"
        file.write_text(json.dumps({"maintenance": {"audit": {"waivers": [waiver]}}}))
        result = inv("-f", str(file), TASK)
        assert results(result)["audit.cycles"] == expected
        assert [each["status"] for each in result.findings("audit.waiver")] == (["warning"] if until < today else [])


def test_the_score_is_set_against_that_of_an_earlier_quarter(inv: Inv, clean: Path) -> None:
    folder = clean / "logs/audit_reports"
    folder.mkdir(parents=True)
    row = {"check": "audit.cycles", "result": "critical"}
    (folder / "audit_2020Q1.json").write_text(json.dumps({"data": {"percent": 40, "score": [row]}}))
    (folder / "audit_2020Q2.json").write_bytes(b"\xff\xfe{")
    (trend,) = inv(TASK).findings("audit.trend")
    assert trend["message"].startswith("It was 40 in 2020Q1; better: audit.cycles")
    assert "audit_2020Q2.json" in trend["message"]
    assert trend["value"] == 60


def test_a_project_that_nobody_knows_is_judged_by_its_own_habits(inv: Inv, project: Path) -> None:
    (project / "main.py").write_text("import sys\n")
    git(project, "init")
    commit(project)
    result = inv(TASK)
    (places,) = result.findings("audit.places")
    assert places["status"] == "skipped"
    assert "maintenance.audit.places is empty" in places["message"]
    assert reported(result, "env_ignored") == [("skipped", ".env")]
    (project / "main.py").write_text("from dotenv import load_dotenv\n")
    assert reported(inv(TASK), "env_ignored") == [("warning", ".env")]


def test_without_an_environment_dependencies_are_unknown_only_where_some_are_declared(inv: Inv, project: Path) -> None:
    (project / "main.py").write_text("import sys\n")
    (skipped,) = inv(TASK).findings("audit.dependencies")
    assert (skipped["status"], skipped["subject"]) == ("skipped", "monthly.dependency-update")
    assert "No environment is known to be the project's" in skipped["message"]
    assert "No file declares what the project requires: looked for requirements files" in skipped["message"]
    missing = inv(TASK, env={"INVOKE_MAINTENANCE_DEPENDENCIES_PYTHON": "gone"})
    assert [status for status, _ in reported(missing, "dependencies")] == ["unknown"]
    (project / "requirements.txt").write_text("httpx\n")
    assert [status for status, _ in reported(inv(TASK), "dependencies")] == ["unknown"]


def test_a_circle_is_found_where_the_project_keeps_its_packages(inv: Inv, project: Path) -> None:
    package = project / "backend/lib/shop"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "one": "from shop import two\n", "two": "from shop import one\n"}.items():
        (package / f"{name}.py").write_text(text)
    (circle,) = inv(TASK).findings("audit.cycles")
    assert circle["message"] == (
        "shop.one → shop.two → shop.one (shop.one line 1, shop.two line 1). "
        "All of 2 imports of the project's own modules were resolved."
    )
    (unknown,) = inv(TASK, env={"INVOKE_MAINTENANCE_AUDIT_PACKAGES": "backend/lib"}).findings("audit.cycles")
    assert unknown["status"] == "unknown"
    assert "backend/lib/shop/one.py:1: from shop import two" in unknown["message"]


def test_a_tracked_env_of_a_test_is_judged_by_what_is_in_it(inv: Inv, project: Path) -> None:
    (project / "tests").mkdir()
    (project / "tests/.env").write_text("FOO=env\nSPAM=1\n")
    git(project, "init")
    commit(project)
    result = inv(TASK)
    assert reported(result, "env_ignored") == [("ok", "tests/.env")]
    assert reported(result, "permissions") == [("skipped", ".")]
    secret = f"sk-{random.Random(7).randbytes(16).hex()}"
    (project / "tests/.env").write_text(f"FOO=env\nAPI_KEY={secret}\n")
    result = inv(TASK)
    assert reported(result, "env_ignored") == [("critical", "tests/.env")]
    assert reported(result, "permissions") == [("skipped", ".")]
    assert secret not in result.out + result.err


def test_an_empty_project_has_no_traceback_and_nothing_made_up(inv: Inv, project: Path) -> None:
    result = inv(TASK)
    assert "Traceback" not in result.err
    assert result.report["findings"]
    assert project.exists()


def test_code_that_does_not_parse_is_told_and_the_rest_is_audited(inv: Inv, clean: Path) -> None:
    plant_cycle(clean)
    (clean / "generator/broken.py").write_text("def (:\n")
    found = reported(inv(TASK), "cycles")
    assert {status for status, _ in found} == {"warning", "unknown"}


def test_without_git_what_needs_it_is_unknown(inv: Inv, clean: Path, environment: dict[str, str]) -> None:
    programs = Path(environment["HOME"]) / "programs"
    programs.mkdir()
    for name in ("inv", "python3"):
        (programs / name).symlink_to(Path(sys.executable).with_name(name))
    result = inv(TASK, env={"PATH": str(programs)})
    assert results(result)["audit.secrets"] == "unknown"
    assert clean.exists()


@pytest.mark.slow
def test_a_report_of_last_month_is_too_old_to_be_used(inv: Inv, clean: Path) -> None:
    inv(TASK)
    for path in (clean / "logs").rglob("*.json"):
        content = json.loads(path.read_text())
        if isinstance(content, dict) and "updated" in content:
            content["updated"] = (datetime.now(UTC) - timedelta(days=30)).isoformat()
            path.write_text(json.dumps(content))
    assert {row["how"] for row in inv(TASK).report["data"]["sources"]} == {"it was run"}
