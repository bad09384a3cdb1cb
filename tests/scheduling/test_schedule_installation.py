"""What the end-to-end tests cannot bring about: other machines, and programs that misbehave."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.core.errors import UserError
from tasks.core.report.model import Finding, Report, Status
from tasks.scheduling import crontab, schedule_installation
from tasks.scheduling.crontab import read_table, write_table
from tasks.scheduling.job import Job
from tasks.scheduling.schedule_installation import Machine, install, offered, tried, uninstall

JOB = Job("maintenance-zbeam-0000002a", "Maintenance of /srv/zbeam: what is due", ("/bin/x",), {"P": "1"}, 197, 20)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose programs are those that a test writes."""
    (tmp_path / "bin").mkdir()
    path = f"{tmp_path / 'bin'}:/bin:/usr/bin"
    environ = {"HOME": str(tmp_path), "PATH": path}

    def which(name: str) -> str | None:
        found = tmp_path / "bin" / name
        return str(found) if found.exists() else None

    return Machine("linux", systemd=True, which=which, home=tmp_path, user=1000, environ=environ)


@pytest.fixture
def program(tmp_path: Path, machine: Machine) -> Callable[[str, str], None]:
    """Writes a program as a shell script."""
    assert machine.home == tmp_path

    def write(name: str, text: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    return write


def test_the_machine_says_which_way_it_has(machine: Machine, program: Callable[[str, str], None]) -> None:
    with pytest.raises(UserError, match="neither launchd nor systemd nor the program crontab"):
        offered(machine)
    program("crontab", "")
    assert offered(machine) == "cron"
    program("systemctl", "")
    assert offered(machine) == "systemd"
    assert offered(machine._replace(systemd=False)) == "cron"
    assert offered(machine._replace(platform="darwin")) == "launchd"


@pytest.mark.parametrize(
    "output", ["no crontab for me", "crontab: no crontab for me", "crontab: can't open 'me': No such file or directory"]
)
def test_a_user_without_a_crontab_has_an_empty_one(
    machine: Machine, program: Callable[[str, str], None], output: str
) -> None:
    program("crontab", f'echo "{output}" >&2; exit 1')
    assert read_table(machine.environ) == b""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'You are not allowed' >&2; exit 1", "You are not allowed"),
        ("exit 3", "crontab ended with 3"),
        ("kill -9 $$", "crontab ended with -9"),
    ],
)
def test_a_crontab_that_cannot_be_read_is_an_error(
    machine: Machine, program: Callable[[str, str], None], text: str, reason: str
) -> None:
    program("crontab", text)
    with pytest.raises(UserError, match=f"cannot be read: {reason}"):
        read_table(machine.environ)


def test_a_program_that_hangs_is_not_waited_for(
    machine: Machine, program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crontab, "_SECONDS", 0.2)
    program("crontab", "exec sleep 60")
    with pytest.raises(UserError, match=r"crontab did not end within 0\.2 s"):
        read_table(machine.environ)


def test_a_table_without_an_end_is_not_taken_for_one(
    machine: Machine, program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crontab, "KEPT", 4)
    program("crontab", "echo 12345")
    with pytest.raises(UserError, match="which is no crontab"):
        read_table(machine.environ)


def test_a_crontab_that_is_not_taken_is_as_it_was(machine: Machine, program: Callable[[str, str], None]) -> None:
    program("crontab", '[ "$1" = -l ] || { echo "errors in crontab file, can\'t install." >&2; exit 1; }')
    with pytest.raises(UserError, match=r"errors in crontab file, can't install\. It is as it was"):
        install(JOB, "cron", machine)


def test_a_crontab_that_holds_something_else_afterwards_is_told(
    machine: Machine, program: Callable[[str, str], None]
) -> None:
    program("crontab", "true")
    with pytest.raises(UserError, match="now holds something else"):
        write_table(b"x\n", machine.environ)


def test_another_way_is_looked_for_even_where_the_crontab_is_out_of_reach(
    machine: Machine, program: Callable[[str, str], None]
) -> None:
    program("crontab", "exit 3")
    program("systemctl", "true")
    program("loginctl", "exit 1")
    without_launchctl = machine._replace(environ={**machine.environ, "PATH": f"{machine.home}/bin"})
    assert install(JOB, "launchd", without_launchctl).status is Status.WARNING
    report = install(JOB, "systemd", machine)
    assert [each.check for each in report.findings] == ["schedule.installed", "schedule.twice"]
    assert "with launchd as well" in report.findings[1].message


def test_the_configuration_may_lie_elsewhere(machine: Machine, program: Callable[[str, str], None]) -> None:
    program("systemctl", "true")
    program("loginctl", "true")
    elsewhere = machine._replace(environ={**machine.environ, "XDG_CONFIG_HOME": str(machine.home / "conf")})
    assert install(JOB, "systemd", elsewhere).status is Status.OK
    assert len([*(machine.home / "conf/systemd/user").iterdir()]) == 2
    assert not (machine.home / ".config").exists()
    assert len(uninstall(JOB, elsewhere).actions) == 2


def test_a_unit_that_is_a_link_is_not_written_through(machine: Machine, program: Callable[[str, str], None]) -> None:
    program("systemctl", "true")
    units = machine.home / ".config/systemd/user"
    units.mkdir(parents=True)
    mine = machine.home / "mine"
    mine.write_text("mine")
    (units / f"{JOB.name}.timer").symlink_to(mine)
    with pytest.raises(UserError, match="symbolic link"):
        install(JOB, "systemd", machine)
    assert mine.read_text() == "mine"
    assert len(uninstall(JOB, machine).actions) == 1
    assert mine.read_text() == "mine"


def test_a_manager_that_says_nothing_is_told_by_its_status(
    machine: Machine, program: Callable[[str, str], None]
) -> None:
    program("systemctl", "exit 7")
    report = install(JOB, "systemd", machine)
    assert "systemd does not run them yet: systemctl ended with 7." in {each.message for each in report.findings}


def test_what_cannot_be_looked_at_is_not_said_to_be_removed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        if path.name == f"{JOB.name}.timer":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return real(path)

    assert uninstall(JOB, machine).summary == "nothing was installed, so nothing is removed"
    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(OSError, match="Input/output error"):
        uninstall(JOB, machine)


_INSTALLED = Report(
    summary="cron has it",
    findings=[
        Finding(check="schedule.installed", subject="cron", status=Status.OK, message="It is to run."),
        Finding(check="schedule.twice", subject="cron", status=Status.WARNING, message="Also systemd."),
    ],
)


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_a_job_that_comes_to_a_verdict_starts(machine: Machine, status: int) -> None:
    job = JOB._replace(trial=("/bin/sh", "-c", f"[ -z $OTHER ] && echo verdict on $P in $HOME; exit {status}"))
    assert tried(job, _INSTALLED, machine) is _INSTALLED


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (("/bin/sh", "-c", "echo 'No idea what it is!' >&2; exit 1"), "No idea what it is!."),
        (("/bin/sh", "-c", "echo verdict; echo 'The settings are wrong.' >&2; exit 78"), "The settings are wrong."),
        (("/bin/sh", "-c", "exit 3"), "it ended with status 3."),
        (("/missing/python",), "/missing/python cannot be started: No such file or directory."),
        (("/bin/sh", "-c", "echo verdict; kill -9 $$"), "verdict."),
    ],
)
def test_a_job_that_does_not_start_is_a_finding_and_nothing_is_ok(
    machine: Machine, trial: tuple[str, ...], reason: str
) -> None:
    report = tried(JOB._replace(trial=trial), _INSTALLED, machine)
    failed, other = report.findings
    assert (report.status, report.summary) == (Status.CRITICAL, "cron has it, and the job does not start")
    assert failed.message == f"The job is installed and does not start: {reason}"
    assert failed.remedy is not None
    assert failed.remedy.startswith(f"Run env -i HOME={machine.home} P=1 {trial[0]}")
    assert other.check == "schedule.twice"


def test_a_job_that_hangs_does_not_start(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule_installation, "_SECONDS", 0.2)
    report = tried(JOB._replace(trial=("/bin/sh", "-c", "echo verdict; sleep 60")), _INSTALLED, machine)
    assert report.findings[0].message == "The job is installed and does not start: it did not end within 0.2 s."
