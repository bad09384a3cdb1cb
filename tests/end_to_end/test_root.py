"""Root in a project that another user can write: it refuses, or continues as the owner."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest

from tasks.core.report.model import schema

from .conftest import REPOSITORY, Inv, Result, entry, fingerprint, recorded, wait_until

ROTATION, CLEANUP, REFUSED = "weekly.log-rotation", "weekly.cache-cleanup", 77
NAMELESS = 4_000_000
"""A number that no user has."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused")


def fill(root: Path) -> None:
    """Give a project an expired entry, an old archive, and a log with an error."""
    entry(root / "cache/temp/old", hours=100)
    entry(root / "logs/app.log", content=b"2026-11-23 11:59:59,707 - api - ERROR - it broke\n")
    entry(root / "logs/archive/2026/01/app_20260101.log.gz", content=b"packed")
    entry(root / "data/one.yaml", content=b"one: 1\n")


def give(root: Path, user: int, group: int) -> None:
    """Give a whole tree to a user."""
    for path in [root, *root.rglob("*")]:
        os.chown(path, user, group, follow_symlinks=False)


@pytest.fixture
def stranger() -> pwd.struct_passwd:
    """A user of this machine who is not root."""
    return next(each for each in pwd.getpwall() if each.pw_name == "nobody" or each.pw_uid >= 1000)


@pytest.fixture
def foreign(project: Path, stranger: pwd.struct_passwd) -> Path:
    """A project that belongs to the stranger, whole."""
    fill(project)
    give(project, stranger.pw_uid, stranger.pw_gid)
    return project


# Refused


@pytest.mark.parametrize(
    "task", [ROTATION, CLEANUP, "daily.error-monitor", "backup.create", "schedule.due", "emergency.recover"]
)
def test_what_is_refused_leaves_the_tree_as_it_is_and_names_the_command(
    inv: Inv, foreign: Path, stranger: pwd.struct_passwd, task: str
) -> None:
    before = fingerprint(foreign)
    result = inv(task)
    assert result.status == REFUSED
    assert fingerprint(foreign) == before
    jsonschema.validate(result.document, schema())
    (finding,) = result.report["findings"]
    assert (result.document["status"], result.report["task"], result.report["dry_run"]) == ("unknown", task, False)
    assert (finding["check"], finding["status"], result.report["actions"]) == ("run.owner", "unknown", [])
    assert f"{foreign} belongs to {stranger.pw_name}. Refused; nothing was changed." in finding["message"]
    command = f"sudo -u {stranger.pw_name} env INVOKE_MAINTENANCE_ROOT={foreign} inv {task}"
    assert f"Run `{command}`, or set INVOKE_MAINTENANCE_RUN_AS_OWNER=true" in finding["remedy"]


def test_a_chain_goes_on_with_what_changes_nothing(inv: Inv, foreign: Path) -> None:
    before = fingerprint(foreign)
    result = inv(CLEANUP, "schedule.status", ROTATION)
    assert (result.status, fingerprint(foreign)) == (REFUSED, before)
    summaries = [report["summary"] for report in result.document["reports"]]
    assert (summaries[0], summaries[2], summaries[1] == "refused") == ("refused", "refused", False)
    assert inv("schedule.status").status == 1


def test_a_refusal_is_none_of_the_statuses_that_fail_on_is_about(inv: Inv, foreign: Path) -> None:
    assert inv(CLEANUP, env={"INVOKE_MAINTENANCE_FAIL_ON": "never"}).status == REFUSED
    assert recorded(foreign) == []


def test_text_shows_the_reason_and_the_command(inv: Inv, foreign: Path, stranger: pwd.struct_passwd) -> None:
    result = inv(CLEANUP, "--older-than", "12", json=False)
    assert result.status == REFUSED
    assert result.out.startswith(f"{CLEANUP}  unknown  refused\n")
    assert (
        f"sudo -u {stranger.pw_name} env INVOKE_MAINTENANCE_ROOT={foreign} inv {CLEANUP} --older-than 12" in result.out
    )


@pytest.mark.parametrize("arguments", [(CLEANUP, "--dry-run"), ("--dry", CLEANUP)])
def test_a_dry_run_shows_the_plan_and_that_a_run_would_be_refused(
    inv: Inv, foreign: Path, arguments: tuple[str, ...]
) -> None:
    before = fingerprint(foreign)
    result = inv(*arguments)
    assert (result.status, fingerprint(foreign)) == (3, before)
    (finding,) = result.findings("run.owner")
    assert finding["message"].endswith("A run would be refused.")
    assert result.targets("delete") == ["cache/temp"]


@pytest.mark.parametrize("arguments", [(), ("--as-owner",)])
def test_an_owner_without_an_entry_in_passwd_is_refused(inv: Inv, project: Path, arguments: tuple[str, ...]) -> None:
    fill(project)
    give(project, NAMELESS, 7)
    before = fingerprint(project)
    result = inv(CLEANUP, *arguments)
    assert (result.status, fingerprint(project)) == (REFUSED, before)
    (finding,) = result.findings("run.owner")
    assert f"belongs to the user number {NAMELESS}, whom /etc/passwd does not name" in finding["message"]
    assert f"`setpriv --reuid={NAMELESS} --regid=7 --clear-groups " in finding["remedy"]


@pytest.mark.parametrize("place", [".", "logs", "cache", "cache/temp", "backups"])
@pytest.mark.parametrize("how", ["owner", "group", "others"])
def test_one_folder_of_a_project_of_root_is_enough(
    inv: Inv, project: Path, stranger: pwd.struct_passwd, place: str, how: str
) -> None:
    if (place, how) == (".", "owner"):
        pytest.skip("then the project is the stranger's")
    fill(project)
    (project / "backups").mkdir()
    if how == "owner":
        os.chown(project / place, stranger.pw_uid, -1)
    else:
        os.chown(project / place, -1, stranger.pw_gid)
        (project / place).chmod(0o775 if how == "group" else 0o757)
    before = fingerprint(project)
    for arguments in ((CLEANUP,), (CLEANUP, "--as-owner")):
        result = inv(*arguments)
        assert (result.status, fingerprint(project)) == (REFUSED, before)
        (finding,) = result.findings("run.owner")
        assert str(project / place) in finding["message"]
        assert "chown" in finding["remedy"]


def test_where_nobody_else_can_write_root_runs(inv: Inv, project: Path) -> None:
    fill(project)
    os.chown(project / "data/one.yaml", NAMELESS, NAMELESS)
    os.chown(project / "logs/app.log", NAMELESS, NAMELESS)
    (project / "data").chmod(0o777)
    assert inv(CLEANUP).status == 0
    result = inv(CLEANUP, "--as-owner", env={"INVOKE_MAINTENANCE_RUN_AS_OWNER": "true"})
    assert (result.status, [each["task"] for each in recorded(project)]) == (0, [CLEANUP, CLEANUP])
    assert (project / "cache/stats.json").stat().st_uid == 0


def test_a_procedure_that_is_named_with_and_without_the_flag_runs_once(inv: Inv, project: Path) -> None:
    fill(project)
    result = inv(CLEANUP, "--as-owner", CLEANUP)
    assert [report["task"] for report in result.document["reports"]] == [CLEANUP]


def test_the_flag_is_that_of_every_procedure_that_changes_something(inv: Inv) -> None:
    help_text = " ".join(inv("--help", CLEANUP, json=False).out.split())
    assert "--as-owner As root: run as the project's owner, in a child process, where" in help_text
    assert "--as-owner" not in inv("--help", "schedule.status", json=False).out


# As the owner


Run = Callable[..., Result]


def _can_use(stranger: pwd.struct_passwd, python: str) -> bool:
    """Tell whether a user can run Invoke and the suite with an interpreter."""
    try:
        done = subprocess.run(
            [python, "-c", f"import hashlib, invoke, msgspec; open({str(REPOSITORY / 'tasks.py')!r})"],
            user=stranger.pw_uid,
            group=stranger.pw_gid,
            extra_groups=[],
            env={"PYTHONPATH": sysconfig.get_path("purelib")},
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


@pytest.fixture
def python(stranger: pwd.struct_passwd) -> list[str]:
    """An interpreter that the stranger can use as well: that of the tests may lie in root's home."""
    for each in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        if _can_use(stranger, each):
            return [each, "-m", "invoke"]
    pytest.skip("no Python that another user could run")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can reach, as a test's own is not; everything in it is root's."""
    folder = Path(tempfile.mkdtemp(prefix="maintenance-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def given(shared: Path, stranger: pwd.struct_passwd) -> Path:
    """A project of the stranger's in a folder of root."""
    root = shared / "project"
    root.mkdir()
    fill(root)
    give(root, stranger.pw_uid, stranger.pw_gid)
    return root


@pytest.fixture
def variables(given: Path, environment: dict[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in environment.items() if not name.startswith(("COVERAGE", "PYTHON"))}
    return {
        **kept,
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "INVOKE_MAINTENANCE_ROOT": str(given),
        "INVOKE_MAINTENANCE_OUTPUT": "json",
        "XDG_RUNTIME_DIR": "/run/user/0",
    }


@pytest.fixture
def run(python: list[str], variables: dict[str, str]) -> Run:
    """The real ``inv`` as root, with an interpreter that the stranger can use as well."""

    def call(*arguments: str, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> Result:
        done = subprocess.run(
            [*python, *arguments],
            cwd=cwd,
            env={**variables, **(env or {})},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call


def owners(root: Path) -> set[int]:
    return {path.lstat().st_uid for path in [root, *root.rglob("*")]}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["flag", "variable", "file"])
def test_as_the_owner_everything_belongs_to_the_owner_and_nothing_outside_is_touched(
    run: Run, given: Path, stranger: pwd.struct_passwd, way: str, tmp_path: Path
) -> None:
    outside = given.parent / "outside"
    entry(outside / "kept", hours=1000)
    (given / "cache/material_data").symlink_to(outside)
    os.chown(given / "cache/material_data", stranger.pw_uid, stranger.pw_gid, follow_symlinks=False)
    before = fingerprint(outside)
    settings = tmp_path / "as-owner.yaml"
    settings.write_text("maintenance: {run: {as_owner: true}}\n")
    flags = ["--as-owner"] if way == "flag" else []
    front = ["-f", str(settings)] if way == "file" else []
    env = {"INVOKE_MAINTENANCE_RUN_AS_OWNER": "yes"} if way == "variable" else {}
    result = run(*front, ROTATION, *flags, CLEANUP, "daily.error-monitor", "backup.create", env=env)
    assert len(result.document["reports"]) == 4, result.err
    assert not any(each["check"] == "run.owner" for report in result.document["reports"] for each in report["findings"])
    assert result.status == 3  # the link is refused
    assert [each["task"] for each in recorded(given)] == [ROTATION, CLEANUP, "daily.error-monitor"]
    assert [*given.glob("backups/backup_*.tar.gz")]
    assert [*given.glob("logs/archive/2026/1?/app_*.log.gz")]
    assert not (given / "cache/temp/old").exists()
    assert owners(given) == {stranger.pw_uid}
    assert fingerprint(outside) == before
    assert not (given / ".maintenance.lock").exists()


@pytest.mark.slow
def test_a_dry_run_as_the_owner_is_one_without_a_refusal(run: Run, given: Path) -> None:
    before = fingerprint(given)
    result = run(CLEANUP, "--dry-run", "--as-owner")
    assert (result.status, fingerprint(given), result.findings("run.owner")) == (0, before, [])
    assert result.targets("delete") == ["cache/temp"]


TASKS = """\
import os, signal, time
from invoke import Collection, task
from zbeam_maintenance import Finding, Report, Run, Status, namespace, procedure


@procedure(cadence=None, checks=["who.is"])
def who(run: Run, dry_run: bool = False) -> Report:
    '''Tell who runs.'''
    data = {
        "users": [*os.getresuid()],
        "groups": [*os.getresgid()],
        "others": sorted(os.getgroups()),
        "environment": {name: os.environ.get(name) for name in ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR")},
        "home": os.path.expanduser("~"),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "parent": os.getppid(),
    }
    finding = Finding(check="who.is", subject="who", status=Status.CRITICAL, message="It is somebody.")
    return Report(summary="told", findings=[finding], data=data)


@procedure(cadence=None)
def end(run: Run, dry_run: bool = False) -> Report:
    '''End this process.'''
    os.kill(os.getpid(), signal.SIGKILL)


@procedure(cadence=None)
def work(run: Run, dry_run: bool = False) -> Report:
    '''Work until it is told to stop.'''
    open(f"{run.settings.root}/working", "w").close()
    time.sleep(60)


@task
def plain(c):
    '''No procedure.'''
    print(os.geteuid())


ns = Collection(who, end, work, plain)
ns.add_collection(namespace, "maintenance")
"""


@pytest.fixture
def own(given: Path, variables: dict[str, str], stranger: pwd.struct_passwd) -> Path:
    """The stranger's project, with procedures of its own and the installed suite."""
    library = given.parent / "library"
    library.mkdir()
    (library / "zbeam_maintenance").symlink_to(REPOSITORY / "tasks")
    variables["PYTHONPATH"] = f"{library}:{variables['PYTHONPATH']}"
    del variables["INVOKE_MAINTENANCE_ROOT"]
    (given / "tasks.py").write_text(TASKS)
    (given / "invoke.yaml").write_text("tasks: {executor_class: zbeam_maintenance.MaintenanceExecutor}\n")
    give(given, stranger.pw_uid, stranger.pw_gid)
    return given


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["the suite's", "Invoke's"])
def test_the_child_is_the_owner_in_every_respect_and_its_status_is_passed_on(
    run: Run, own: Path, stranger: pwd.struct_passwd, executor: str
) -> None:
    if executor == "Invoke's":
        (own / "invoke.yaml").unlink()
    assert run("who", cwd=own).status == REFUSED
    result = run("who", "--as-owner", cwd=own)
    assert result.status == 2, result.err
    data = result.report["data"]
    assert data["users"] == [stranger.pw_uid] * 3
    assert data["groups"] == [stranger.pw_gid] * 3
    assert data["others"] == sorted(os.getgrouplist(stranger.pw_name, stranger.pw_gid))
    name, home = stranger.pw_name, stranger.pw_dir
    assert data["environment"] == {"HOME": home, "USER": name, "LOGNAME": name, "XDG_RUNTIME_DIR": None}
    assert (data["home"], data["mask"]) == (home, [])


@pytest.mark.slow
def test_everything_of_a_chain_happens_in_the_child(run: Run, own: Path, stranger: pwd.struct_passwd) -> None:
    env = {"INVOKE_MAINTENANCE_OUTPUT": "text"}
    assert run("plain", "who", "--as-owner", cwd=own, env=env).out.startswith(f"{stranger.pw_uid}\n")
    assert run("plain", cwd=own, env={**env, "INVOKE_MAINTENANCE_RUN_AS_OWNER": "true"}).out == "0\n"


@pytest.mark.slow
def test_the_end_of_the_child_by_a_signal_is_told_as_shells_tell_it(run: Run, own: Path) -> None:
    assert run("end", "--as-owner", cwd=own).status == 128 + signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_parent_reaches_the_child(
    python: list[str], variables: dict[str, str], own: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [*python, "work", "--as-owner"], cwd=own, env=variables, stdout=subprocess.PIPE, text=True
    )
    with process:
        wait_until((own / "working").exists, process)
        process.send_signal(number)
        out, _ = process.communicate()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert json.loads(out)["reports"][0]["findings"][0]["check"] == "run.interrupted"
    else:
        assert process.returncode == 128 + signal.SIGTERM, "nothing handles it there, so it ends the child"


@pytest.mark.slow
def test_modules_that_the_owner_cannot_read_are_told_before_anything_runs(
    run: Run, own: Path, variables: dict[str, str]
) -> None:
    library = own.parent / "library"
    (library / "zbeam_maintenance").unlink()
    shutil.copytree(REPOSITORY / "tasks", library / "zbeam_maintenance")
    library.chmod(0o700)
    before = fingerprint(own)
    result = run("who", "--as-owner", cwd=own)
    assert (result.status, result.out) == (REFUSED, "")
    assert "from where this program loads its parts. Nothing was changed." in result.err
    assert fingerprint(own) == before
    assert variables["PYTHONPATH"].startswith(str(library))
