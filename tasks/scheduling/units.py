"""The job as a service and a timer of systemd's user manager.

The options that confine it are those that need no privilege and take nothing away from what procedures do: the ones
that give a service its own view of the file system need user namespaces, which many machines do not allow, and the
service would not start; one that forbids set-group-ID bits would fail a restored folder that has one.
"""

from __future__ import annotations

from pathlib import Path

from .job import Job, clock
from .manager import Manager

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
        take=((*own, "daemon-reload"), (*own, "enable", timer), (*own, "restart", timer)),
        drop=((*own, "disable", "--now", timer),),
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
        f"[Service]\nType=oneshot\n{environment}ExecStart=:{' '.join(map(_quoted, job.command))}\n{_CONFINED}"
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
