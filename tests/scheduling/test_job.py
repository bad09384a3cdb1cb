from __future__ import annotations

import plistlib
import shlex
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import UserError
from tasks.core.secrets.keys import Key
from tasks.core.settings.model import ScheduleSettings, Settings
from tasks.scheduling.job import Job, Start, clock, job_for, missing_later, name_of
from tasks.scheduling.service_managers import agent, launchd, service, systemd

SETTINGS = Settings(root="/srv/zbeam", schedule=ScheduleSettings(at="22:05", random_delay_minutes=90))


START = Start(python="/opt/suite/.venv/bin/python", folder=Path("/opt/suite"))


def made(settings: Settings = SETTINGS, **programs: str) -> Job:
    return job_for(settings, start=START, task="schedule.due", which=programs.get)


def test_the_command_needs_nothing_of_the_shell() -> None:
    job = made(git="/usr/bin/git", restic="/home/me/bin/restic")
    assert shlex.join(job.command) == "/opt/suite/.venv/bin/python -P -m invoke -r /opt/suite schedule.due --quiet"
    assert job.environ == {
        "INVOKE_MAINTENANCE_ROOT": "/srv/zbeam",
        "PATH": "/opt/suite/.venv/bin:/usr/bin:/home/me/bin:/usr/local/bin:/bin",
    }
    assert (clock(job.minute), job.delay_minutes) == ("22:05", 90)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (START._replace(collection="invtasks"), "-m invoke -r /opt/suite -c invtasks up.due"),
        (START._replace(file="/etc/my.yaml"), "-m invoke -r /opt/suite -f /etc/my.yaml up.due"),
        (START._replace(module="fabric", collection="x"), "-m fabric -r /opt/suite -c x up.due"),
        (START._replace(script="/opt/bin/tool", file="/f.yaml"), "/opt/bin/tool -f /f.yaml up.due"),
    ],
)
def test_the_command_finds_the_same_tasks_and_settings(start: Start, expected: str) -> None:
    job = job_for(SETTINGS, start=start, task="up.due", which=lambda _: None)
    assert shlex.join(job.command) == f"/opt/suite/.venv/bin/python -P {expected} --quiet"
    assert shlex.join(job.trial) == f"/opt/suite/.venv/bin/python -P {expected} --dry-run"


def test_two_projects_of_one_name_have_two_names() -> None:
    one, other = name_of(Path("/srv/a/zbeam")), name_of(Path("/srv/b/zbeam"))
    assert one != other
    assert one.startswith("maintenance-zbeam-")
    assert name_of(Path("/srv/a/zbeam")) == one


@given(st.text(min_size=1).filter(lambda text: "\0" not in text and text.isprintable()))
def test_a_name_is_one_that_every_program_takes(text: str) -> None:
    name = name_of(Path("/srv", text.replace("/", "_")))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(name) <= 70


@given(st.text(min_size=1, max_size=8), st.integers(0, 720))
def test_where_no_random_delay_is_known_a_fixed_one_stays_within_it(text: str, delay: int) -> None:
    job = made()._replace(name=name_of(Path(text.encode("utf-8", "replace").decode())), delay_minutes=delay)
    assert job.minute <= job.fixed_minute <= job.minute + delay
    assert job.fixed_minute == job.fixed_minute


@pytest.mark.parametrize("root", ["/srv/two\nlines", "/srv/caf\udce9", "/srv/\x1b[2J"])
def test_a_path_that_no_schedule_can_hold_is_refused(root: str) -> None:
    with pytest.raises(UserError, match="Rename the folder"):
        made(msgspec.structs.replace(SETTINGS, root=root))


def test_units_say_when_and_are_confined() -> None:
    manager = systemd(made(), Path("/home/me/.config"))
    assert manager.folder == Path("/home/me/.config/systemd/user")
    texts = {Path(name).suffix: content.decode() for name, content in manager.files.items()}
    for line in ("OnCalendar=*-*-* 22:05:00", "RandomizedDelaySec=90min", "Persistent=true", "WantedBy=timers.target"):
        assert line in texts[".timer"].splitlines()
    for line in ("Type=oneshot", "TimeoutStartSec=12h", "NoNewPrivileges=yes", "IOSchedulingClass=idle"):
        assert line in texts[".service"].splitlines()


def _unquoted(text: str) -> str:
    """Return what systemd.syntax(7) makes of a word in quotes, specifiers resolved."""
    assert text[0] == text[-1] == '"'
    inner, word = iter(text[1:-1]), ""
    for character in inner:
        word += next(inner) if character == "\\" else character
    assert "%" not in word.replace("%%", "")
    return word.replace("%%", "%")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
def test_a_service_quotes_what_it_must(text: str) -> None:
    job = made()._replace(command=("/bin/x", text), environ={"P": text})
    lines = service(job).splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    program, _, word = start.removeprefix("ExecStart=:").partition(" ")
    assert (_unquoted(program), _unquoted(word)) == ("/bin/x", text)
    (variable,) = (line.removeprefix("Environment=") for line in lines if line.startswith("Environment="))
    assert _unquoted(variable) == f"P={text}"


def test_an_agent_is_a_property_list() -> None:
    job = made()
    manager = launchd(job, Path("/Users/me"), 501)
    ((name, content),) = manager.files.items()
    assert (name, manager.folder) == (f"{job.name}.plist", Path("/Users/me/Library/LaunchAgents"))
    assert manager.load == (("launchctl", "bootstrap", "gui/501", f"/Users/me/Library/LaunchAgents/{name}"),)
    found = plistlib.loads(content)
    at = found["StartCalendarInterval"]
    assert at["Hour"] * 60 + at["Minute"] == job.fixed_minute
    assert found["ProgramArguments"] == [*job.command]
    assert found["StandardOutPath"] == f"/Users/me/Library/Logs/{job.name}.log"


@given(st.text(min_size=1, max_size=12).filter(str.isprintable))
def test_an_agent_takes_any_path(text: str) -> None:
    job = made()._replace(command=("/bin/x", text))
    assert plistlib.loads(agent(job, Path("/l")))["ProgramArguments"] == ["/bin/x", text]


def test_only_what_is_set_for_this_shell_alone_is_told() -> None:
    origins = {
        ("root",): "environment INVOKE_MAINTENANCE_ROOT",
        ("output",): "environment INVOKE_MAINTENANCE_OUTPUT",
        ("fail_on",): "file /p/invoke.yaml",
        ("logs", "directory"): "environment INVOKE_MAINTENANCE_LOGS_DIRECTORY",
        ("cache", "directory"): "default",
        ("logs", "pattern"): "file /x.yaml (-f)",  # which the job is given
    }
    here = {
        "A": Key("a", "environment"),
        "B": Key("b", "environment"),
        "C": Key("c", ".env"),
        "D": Key("", "", "is not set"),
    }
    kept = {"A": Key("a", ".env"), "B": Key("", ""), "C": Key("c", ".env"), "D": Key("", "")}
    settings, keys = missing_later(origins, here, kept)
    assert settings.message.endswith(": maintenance.logs.directory.")
    assert keys.message.endswith(": B.")
    assert [*missing_later({}, {}, {})] == []
