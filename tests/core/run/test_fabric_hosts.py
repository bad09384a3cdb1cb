"""Procedures under Fabric. Fabric needs Invoke 2, so that a stand-in hands over here what Fabric does.

Tried by hand with Fabric 3.2.3 and Invoke 2.2.1, under its own executor and under the suite's: ``fab -H web1
daily.log-review``, ``fab -H web1,web2 daily``, a chain with tasks of ``fabric.task`` with and without ``hosts=``, and
``fab daily.log-review``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from invoke import Argument, Call, Collection, Config, Context, Executor, Exit, ParserContext, ParseResult, Task, task

from tasks.core.report.model import Report
from tasks.core.run.context import Run
from tasks.core.run.procedure import procedure
from tasks.core.run.runner import MaintenanceExecutor


class _Config(Config):
    """Stands for ``fabric.Config``."""


class _Connection(Context):
    """Stands for ``fabric.Connection``."""

    def __init__(self, host: str, config: Config) -> None:
        super().__init__(config)
        self._set(host=host)


class _ConnectionCall(Call):
    """Stands for ``fabric.tasks.ConnectionCall``."""

    host = ""

    def make_context(self, config: Config, core_parse_result: Any = None) -> Context:  # noqa: ARG002 - of Invoke 3
        return _Connection(self.host, config)


class _Executor(Executor):
    """Stands for ``fabric.Executor``: a call per host, none of them for what is required, nothing left out."""

    def expand_calls(self, calls: list[Any], *, apply_hosts: bool = True) -> list[Call]:
        assert self.core is not None
        given = self.core[0].args.hosts.value if apply_hosts else None
        expanded = []
        for each in calls:
            call = Call(each) if isinstance(each, Task) else each
            expanded += self.expand_calls(call.pre, apply_hosts=False)
            hosts = given.split(",") if given else getattr(call.task, "hosts", [])
            for host in hosts:
                bound = _ConnectionCall(call.task, called_as=call.called_as, args=call.args, kwargs=call.kwargs)
                bound.host = host
                expanded.append(bound)
            if not hosts:
                expanded.append(call)
        return expanded

    def dedupe(self, calls: list[Call]) -> list[Call]:
        return calls


ran: list[str] = []


@procedure()
def look(run: Run) -> Report:
    """Look at this machine."""
    ran.append(f"look at {run.settings.root}")
    return Report(summary="looked")


@task(pre=[look])
def every(_context: Context) -> None:
    """Run every procedure."""


@task
def deploy(context: Context) -> None:
    """Deploy."""
    ran.append(f"deploy to {getattr(context, 'host', 'here')}")


@task
def fixed(context: Context) -> None:
    """Go to the hosts that it names."""
    ran.append(f"fixed on {getattr(context, 'host', 'here')}")


@task
def calling(context: Context) -> None:
    """Call a procedure as a function."""
    look(context)


@pytest.fixture(autouse=True)
def fabric(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fabric, as a program that runs under it sees it."""
    ran.clear()
    for each in (_Config, _Connection, _ConnectionCall, _Executor):
        monkeypatch.setattr(each, "__module__", "fabric.stand_in")
    module = ModuleType("fabric")
    vars(module)["Executor"] = _Executor
    monkeypatch.setitem(sys.modules, "fabric", module)
    monkeypatch.setattr(fixed, "hosts", ["web7", "web8"], raising=False)


def _run(klass: type[Executor], project: Path, hosts: str | None, *names: str, config: type[Config] = _Config) -> int:
    """Run a chain as ``fab`` does, and return the exit status."""
    arguments = ParserContext(args=[Argument(names=("H", "hosts"))])
    if hosts is not None:
        arguments.args.hosts.value = hosts
    core = ParseResult([arguments])
    core.remainder = ""
    collection = Collection(look, every, deploy, fixed, calling)
    try:
        klass(collection, config(lazy=True, project_location=project), core).execute(*names)
    except Exit as end:
        return end.code
    return 0


both = pytest.mark.parametrize("klass", [_Executor, MaintenanceExecutor])


@both
@pytest.mark.parametrize("name", ["look", "every", "calling"])
def test_a_procedure_never_runs_here_for_a_host(
    klass: type[Executor], name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(klass, project, "web1", name) == 64
    assert ran == []
    out, err = capsys.readouterr()
    assert out == ""
    what = "look" if name == "calling" or klass is _Executor else name
    assert err == (
        "The suite does not run over Fabric's -H yet: it would look at this machine and not at web1. Nothing of it was "
        f"run. Run it there: ssh web1 'cd PROJECT && inv {what}'\n"
    )


@both
def test_all_hosts_are_named(klass: type[Executor], project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(klass, project, "web1, bob@web2:22", "look") == 64
    assert "and not at web1, bob@web2:22. " in (err := capsys.readouterr().err)
    assert "ssh HOST 'cd PROJECT && inv look'" in err


def test_a_host_with_a_port_is_an_address_that_ssh_takes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(MaintenanceExecutor, project, "bob@web2:22", "look")
    assert "Run it there: ssh ssh://bob@web2:22 'cd" in capsys.readouterr().err


def test_under_our_executor_nothing_of_such_a_chain_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(MaintenanceExecutor, project, "web1", "deploy", "look") == 64
    assert ran == []
    assert "&& inv look'" in capsys.readouterr().err


@both
def test_tasks_of_fabric_still_go_to_each_host(klass: type[Executor], project: Path) -> None:
    assert _run(klass, project, "web1,web2", "deploy") == 0
    assert ran == ["deploy to web1", "deploy to web2"]


@both
def test_a_chain_goes_where_each_task_says(klass: type[Executor], project: Path) -> None:
    assert _run(klass, project, None, "fixed", "look", "deploy") == 0
    assert ran == ["fixed on web7", "fixed on web8", f"look at {project}", "deploy to here"]


def test_a_procedure_runs_once_under_our_executor(project: Path) -> None:
    assert _run(MaintenanceExecutor, project, None, "look", "every", "deploy", "look") == 0
    assert ran == [f"look at {project}", "deploy to here"]


def test_what_was_left_by_a_task_that_failed_on_one_host_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(context: Context) -> None:
        if getattr(context, "host", "") == "web8":
            raise RuntimeError("no room")

    monkeypatch.setattr(fixed, "body", fail)
    with pytest.raises(RuntimeError):
        _run(MaintenanceExecutor, project, None, "fixed", "look")
    assert "Not run: look." in capsys.readouterr().out


@pytest.mark.parametrize("hosts", [None, ""])
@both
def test_without_hosts_it_runs_here(klass: type[Executor], hosts: str | None, project: Path) -> None:
    assert _run(klass, project, hosts, "look") == 0
    assert ran == [f"look at {project}"]


def test_a_program_of_somebody_elses_may_have_hosts_of_its_own(project: Path) -> None:
    assert _run(MaintenanceExecutor, project, "web1", "look", config=Config) == 0
    assert ran == [f"look at {project}"]


def test_a_procedure_that_is_called_with_a_connection_is_refused(project: Path) -> None:
    with pytest.raises(Exit) as end:
        look(_Connection("web9", _Config(lazy=True, project_location=project)))
    assert end.value.code == 64
    assert ran == []


def test_a_procedure_goes_by_its_full_name_under_the_executor_of_others(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mounted = Collection(look)
    Executor(Collection(maintenance=mounted), _Config(lazy=True, project_location=project)).execute("maintenance.look")
    assert capsys.readouterr().out.startswith("maintenance.look ")
