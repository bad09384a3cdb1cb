"""Installing the job with what the machine has, and taking it away again. Only the user's own files are touched."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..core.errors import UserError
from ..core.files import safe_files
from ..core.files.lock import short_lock
from ..core.programs.processes import run
from ..core.report.model import Action, Finding, Report, Status
from ..core.text.formatting import printable
from .crontab import block, read_table, with_block, without_block, write_table
from .job import Job, clock
from .service_managers import Command, Manager, launchd, systemd

SCHEDULERS = ("systemd", "cron", "launchd")

_VERDICTS = range(4)
"""The exit statuses of a run that came to a verdict."""

_LIMIT = 1_000_000
_SECONDS = 60


class Machine(NamedTuple):
    """What is known of the machine and of the user.

    Attributes:
        platform: ``linux``, ``darwin``.
        systemd: True where systemd runs the machine.
        which: finds a program by its name.
        home: the user's home.
        user: the user's number.
        environ: the environment.
    """

    platform: str
    systemd: bool
    which: Callable[[str], str | None]
    home: Path
    user: int
    environ: Mapping[str, str]


def offered(machine: Machine) -> str:
    """Return the scheduler that the machine offers: launchd on macOS, else systemd, else cron.

    Raises:
        UserError: it has none of them.
    """
    if machine.platform == "darwin":
        return "launchd"
    if machine.systemd and machine.which("systemctl"):
        return "systemd"
    if machine.which("crontab"):
        return "cron"
    raise UserError(
        "This machine has neither launchd nor systemd nor the program crontab. Install cron, or start inv schedule.due "
        "once a day by what it has; inv schedule.install --cron --print shows the command."
    )


def install(job: Job, scheduler: str, machine: Machine, *, dry_run: bool = False, show: bool = False) -> Report:
    """Install a job, in the place of what is there of it; what is there already is left as it is.

    Args:
        job: what is to run.
        scheduler: one of :data:`WAYS`.
        machine: where.
        dry_run: change nothing; say what would be written.
        show: nor that, and show what the files would hold.

    Raises:
        UserError: it cannot be installed; the message says what is as it was.
        OSError: a file cannot be written.
    """
    dry = dry_run or show
    with nullcontext() if dry else _locked(machine.home):
        if scheduler == "cron":
            return _install_cron(job, machine, dry=dry, show=show)
        return _install_manager(job, scheduler, machine, dry=dry, show=show)


def _install_manager(job: Job, scheduler: str, machine: Machine, *, dry: bool, show: bool) -> Report:
    manager = _managers(job, machine)[scheduler]
    if show:
        findings = [_shown(manager.folder / name, content) for name, content in manager.files.items()]
        changed = [*manager.files]
    else:
        findings = []
        changed = [name for name, content in manager.files.items() if _content(manager, name) != content]
    if not dry:
        findings += _load(manager, changed, machine)
        findings += _others(job, scheduler, machine)
    written = [Action(verb="write", target=printable(manager.folder / name), done=not dry) for name in changed]
    return _report(manager.name, manager.when, findings, written, dry=dry)


def _install_cron(job: Job, machine: Machine, *, dry: bool, show: bool) -> Report:
    if show:
        findings = [_shown(Path("crontab"), block(job))]
        changed = True
    else:
        findings = []
        table = read_table(machine.environ)
        wanted = with_block(table, job)
        changed = wanted != table
        if changed and not dry:
            write_table(wanted, machine.environ)
    if not dry:
        findings += _others(job, "cron", machine)
    written = [Action(verb="write", target="crontab", done=not dry)] if changed else []
    return _report("cron", f"every day at {clock(job.fixed_minute)}", findings, written, dry=dry)


def _report(scheduler: str, when: str, findings: list[Finding], actions: list[Action], *, dry: bool) -> Report:
    message = f"What is due {'would run' if dry else 'is to run'} {when}."
    has = (
        f"{scheduler} has it already" if not actions else f"{scheduler} would have it" if dry else f"{scheduler} has it"
    )
    installed = Finding(check="schedule.installed", subject=scheduler, status=Status.OK, message=message)
    return Report(summary=has, dry_run=dry, findings=[installed, *findings], actions=actions)


def tried(job: Job, report: Report, machine: Machine) -> Report:
    """Start a job that was installed, so that it changes nothing, as the machine will: with nothing of this shell.

    A job that starts prints a report, with or without problems. An error message of Python or Invoke is not a report.

    Args:
        job: what was installed.
        report: that of the installation.
        machine: where.

    Returns:
        The report; where the job does not start, with that in the place of the finding that it is installed.
    """
    environ = {"HOME": str(machine.home), **job.environ}
    ended = run(job.trial, folder=Path("/"), environ=environ, deadline_seconds=_SECONDS)
    if not ended.overdue and ended.status in _VERDICTS and ended.output.strip():
        return report
    late = f"it did not end within {_SECONDS} s" if ended.overdue else ""
    reason = late or ended.problem or printable(ended.last_words()) or f"it ended with status {ended.status}"
    words = shlex.join([*(f"{name}={value}" for name, value in environ.items()), *job.trial])
    failed = Finding(
        check="schedule.start",
        subject=shlex.join(job.command),
        status=Status.CRITICAL,
        message=f"The job is installed and does not start: {reason.rstrip('.')}.",
        remedy=f"Run env -i {words} until it starts, or inv schedule.uninstall.",
    )
    others = [each for each in report.findings if each.check != "schedule.installed"]
    summary = f"{report.summary}, and the job does not start"
    return msgspec.structs.replace(report, summary=summary, findings=[failed, *others])


def uninstall(job: Job, machine: Machine, *, dry_run: bool = False) -> Report:
    """Take a job away from wherever it is installed, and nothing else.

    Args:
        job: what was to run.
        machine: where.
        dry_run: change nothing; say what would be removed.

    Raises:
        UserError: the crontab cannot be written, or holds half of the job.
        OSError: a file cannot be removed, or nobody can tell whether it is there.
    """
    with nullcontext() if dry_run else _locked(machine.home):
        findings, actions = _removed(job, machine, dry=dry_run)
    if not actions:
        summary = "nothing was installed, so nothing is removed"
    else:
        summary = f"the schedule {'would be' if dry_run else 'was'} removed"
    return Report(summary=summary, dry_run=dry_run, findings=findings, actions=actions)


def _removed(job: Job, machine: Machine, *, dry: bool) -> tuple[list[Finding], list[Action]]:
    findings: list[Finding] = []
    actions: list[Action] = []
    for manager in _managers(job, machine).values():
        there = [name for name in (*manager.files, *manager.links) if _is_there(manager.folder / name)]
        if there and not dry:
            findings += _unload(manager, there, machine)
        actions += [Action(verb="delete", target=printable(manager.folder / name), done=not dry) for name in there]
    if machine.which("crontab"):
        table = read_table(machine.environ)
        rest = without_block(table, job.name)
        if rest != table:
            if not dry:
                write_table(rest, machine.environ)
            actions.append(Action(verb="write", target="crontab", done=not dry))
    return findings, actions


def _is_there(path: Path) -> bool:
    """Tell whether there is a file or a link.

    Raises:
        OSError: nobody can tell; ``os.path.lexists`` says then that there is none.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _managers(job: Job, machine: Machine) -> dict[str, Manager]:
    config = Path(machine.environ.get("XDG_CONFIG_HOME") or machine.home / ".config")
    return {
        "systemd": systemd(job, config),
        "launchd": launchd(job, machine.home, machine.user),
    }


def _load(manager: Manager, changed: Sequence[str], machine: Machine) -> Iterator[Finding]:
    """Write what has changed and load it."""
    if not changed:
        for command in manager.reload:  # a run that was killed may have written them and loaded nothing
            _output(command, machine)
        if _output(manager.active, machine) is not None:
            return
    if changed:
        for command in manager.forget:
            _output(command, machine)
        manager.folder.mkdir(parents=True, exist_ok=True)
        for name in changed:
            safe_files.write(manager.folder, name, manager.files[name])
    yield from _warn_of_failure(manager, manager.load, machine, "does not run them yet")
    if manager.lasting is not None and _output(manager.lasting, machine) == "no":
        yield Finding(
            check="schedule.lasting",
            subject=manager.name,
            status=Status.WARNING,
            message="Timers of yours run only while you are logged in.",
            remedy="Run loginctl enable-linger, and they run from the start of the machine on.",
        )


def _unload(manager: Manager, there: Sequence[str], machine: Machine) -> list[Finding]:
    """Unload what is installed, and remove it."""
    findings = [*_warn_of_failure(manager, manager.unload, machine, "may still run them until it starts anew")]
    for name in there:
        with suppress(FileNotFoundError):  # the manager takes its links away by itself
            (manager.folder / name).unlink()
    for command in manager.reload:
        _output(command, machine)
    return findings


def _warn_of_failure(
    manager: Manager, commands: Sequence[Command], machine: Machine, consequence: str
) -> Iterator[Finding]:
    """Tell the manager; yield a warning where it does not listen."""
    for place, command in enumerate(commands):
        ended = run(command, folder=Path("/"), environ=machine.environ, deadline_seconds=_SECONDS)
        if not ended.succeeded:
            reason = ended.problem or printable(ended.last_words()) or f"{command[0]} ended with {ended.status}"
            yield Finding(
                check="schedule.manager",
                subject=manager.name,
                status=Status.WARNING,
                message=f"{manager.name} {consequence}: {reason.rstrip('.')}.",
                remedy=f"Run in a session of your own: {' && '.join(map(' '.join, commands[place:]))}",
            )
            return


def _output(command: Command, machine: Machine) -> str | None:
    """Return what a program prints; ``None`` where it fails."""
    ended = run(command, folder=Path("/"), environ=machine.environ, deadline_seconds=_SECONDS)
    return ended.output.decode("utf-8", "replace").strip() if ended.succeeded else None


def _content(manager: Manager, name: str) -> bytes | None:
    try:
        return safe_files.read(manager.folder, name, limit=_LIMIT)
    except FileNotFoundError:
        return None


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Keep another installation of this user's from reading or writing the same meanwhile."""
    with safe_files.folder(home, ".") as descriptor, short_lock(descriptor):
        yield


def _others(job: Job, scheduler: str, machine: Machine) -> Iterator[Finding]:
    """Yield a warning where the job is installed in another way as well."""
    there = [
        name
        for name, manager in _managers(job, machine).items()
        if any(os.path.lexists(manager.folder / file) for file in manager.files)
    ]
    if machine.which("crontab"):
        with suppress(UserError):
            table = read_table(machine.environ)
            if without_block(table, job.name) != table:
                there.append("cron")
    if others := [name for name in there if name != scheduler]:
        yield Finding(
            check="schedule.twice",
            subject=scheduler,
            status=Status.WARNING,
            message=f"It is installed with {' and '.join(others)} as well. Nothing runs twice for that, but it is "
            "looked twice a day.",
            remedy="Run inv schedule.uninstall, which removes all of it, and install it again.",
        )


def _shown(path: Path, content: bytes) -> Finding:
    return Finding(
        check="schedule.file",
        subject=printable(path),
        status=Status.OK,
        message="It would hold:",
        excerpt=content.decode("utf-8"),
    )
