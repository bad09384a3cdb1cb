"""The service managers that can start the job: systemd's user manager, and macOS's launchd.

launchd runs the job once the machine is awake again, where it slept at that time; systemd does with ``Persistent``.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from .job import Job, clock

Command: TypeAlias = tuple[str, ...]


class Manager(NamedTuple):
    """What is installed there, and with which commands.

    Attributes:
        name: what people call it.
        folder: where its files lie.
        files: by their names in that folder, what they hold.
        links: what it makes of them there by itself, and does not take away where it cannot be reached.
        active: succeeds where it knows them and has set the timer.
        forget: run before changed files are loaded; they may fail, for it may know of none.
        load: run once the files are written.
        unload: run before they are removed.
        reload: reads the files anew.
        lasting: says ``no`` where it ends with the user's session; ``None`` where nothing does.
        when: when the job runs, as the end of a sentence.
    """

    name: str
    folder: Path
    files: Mapping[str, bytes]
    links: tuple[str, ...]
    active: Command
    forget: tuple[Command, ...]
    load: tuple[Command, ...]
    unload: tuple[Command, ...]
    reload: tuple[Command, ...]
    lasting: Command | None
    when: str


# A run that waits for a file system that hangs would keep its lock, and every later run out, for ever.
_MOST_HOURS = 12

# These options need no privilege and take nothing away from what procedures do. Those that give a service its own view
# of the file system need user namespaces, which many machines do not allow, and the service would not start; the one
# that forbids set-group-ID bits would fail a restored folder that has one.
_CONFINED = """\
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
"""


def systemd(job: Job, config: Path) -> Manager:
    """Return what systemd is given.

    Args:
        job: what is to run.
        config: the user's folder of configuration, ``~/.config``.
    """
    timer, own = f"{job.name}.timer", ("systemctl", "--user")
    return Manager(
        name="systemd",
        folder=config / "systemd" / "user",
        files={f"{job.name}.service": service(job).encode(), timer: _timer(job).encode()},
        links=(f"timers.target.wants/{timer}",),
        active=(*own, "is-active", "--quiet", timer),
        forget=(),
        load=((*own, "daemon-reload"), (*own, "enable", timer), (*own, "restart", timer)),
        unload=((*own, "disable", "--now", timer),),
        reload=((*own, "daemon-reload"),),
        lasting=("loginctl", "show-user", "--property=Linger", "--value"),
        when=f"every day at {clock(job.minute)}, up to {job.delay_minutes} min later",
    )


def service(job: Job) -> str:
    """Return the service. The colon keeps ``$`` in the command from being a variable."""
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.environ.items())
    return (
        f"# Written by inv schedule.install; inv schedule.uninstall removes it.\n"
        f"[Unit]\nDescription={_specifiers(job.title)}\n\n"
        f"[Service]\nType=oneshot\nTimeoutStartSec={_MOST_HOURS}h\n{environment}"
        f"ExecStart=:{' '.join(map(_quoted, job.command))}\n{_CONFINED}"
    )


def _timer(job: Job) -> str:
    return (
        f"# Written by inv schedule.install; inv schedule.uninstall removes it.\n"
        f"[Unit]\nDescription={_specifiers(job.title)}\n\n"
        f"[Timer]\nOnCalendar=*-*-* {clock(job.minute)}:00\nRandomizedDelaySec={job.delay_minutes}min\n"
        "Persistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    r"""Return a word as systemd.syntax(7) has it: in quotes, with ``\`` and ``"`` escaped."""
    escaped = _specifiers(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def launchd(job: Job, home: Path, user: int) -> Manager:
    """Return what launchd is given.

    Args:
        job: what is to run.
        home: the user's home.
        user: the user's number.
    """
    file, domain = f"{job.name}.plist", f"gui/{user}"
    folder = home / "Library" / "LaunchAgents"
    unload = ("launchctl", "bootout", f"{domain}/{job.name}")
    return Manager(
        name="launchd",
        folder=folder,
        files={file: agent(job, home / "Library" / "Logs" / f"{job.name}.log")},
        links=(),
        active=("launchctl", "print", f"{domain}/{job.name}"),
        forget=(unload,),
        load=(("launchctl", "bootstrap", domain, str(folder / file)),),
        unload=(unload,),
        reload=(),
        lasting=None,
        when=f"every day at {clock(job.fixed_minute)}",
    )


def agent(job: Job, log: Path) -> bytes:
    """Return the property list; what the job prints is appended to *log*."""
    hour, minute = divmod(job.fixed_minute, 60)
    content = {
        "Label": job.name,
        "ProgramArguments": list(job.command),
        "EnvironmentVariables": dict(job.environ),
        "StartCalendarInterval": {"Hour": hour, "Minute": minute},
        "ProcessType": "Background",
        "Nice": 10,
        "LowPriorityIO": True,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    return plistlib.dumps(content, sort_keys=False)
