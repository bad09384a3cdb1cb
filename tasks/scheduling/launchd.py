"""The job as an agent of macOS's launchd. It runs once the machine is awake again, where it slept at that time."""

from __future__ import annotations

import plistlib
from pathlib import Path

from .job import Job, clock
from .manager import Manager


def launchd(job: Job, home: Path, user: int) -> Manager:
    """Return what launchd is given.

    Args:
        job: what is to run.
        home: the user's home.
        user: the user's number.
    """
    file, domain = f"{job.name}.plist", f"gui/{user}"
    folder = home / "Library" / "LaunchAgents"
    drop = ("launchctl", "bootout", f"{domain}/{job.name}")
    return Manager(
        name="launchd",
        folder=folder,
        files={file: agent(job, home / "Library" / "Logs" / f"{job.name}.log")},
        links=(),
        active=("launchctl", "print", f"{domain}/{job.name}"),
        forget=(drop,),
        take=(("launchctl", "bootstrap", domain, str(folder / file)),),
        drop=(drop,),
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
