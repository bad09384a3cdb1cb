"""What all tests share."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Generator, Iterable
from contextlib import suppress
from copy import deepcopy

import psutil
import pytest
from hypothesis import HealthCheck, settings

import tasks
from tasks.core.run import registry
from tasks.core.settings import declared
from tests.check import PROGRAMS

# How long an example takes is the machine's business: the benchmarks measure, and a busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("patient"), max_examples=25)
settings.load_profile("patient")

# A shell starts a program in the background deaf to Ctrl-C, and so would be all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


assert tasks.namespace
_DECLARED = dict(registry._declared)
_SECTIONS = deepcopy(declared.declared())
"""The suite's own procedures: what a test module declares for itself is nothing to others."""


@pytest.fixture(autouse=True)
def _only_the_suites_procedures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the procedures that test modules declare out of the schedule, the demo and the settings."""
    monkeypatch.setattr(registry, "_declared", dict(_DECLARED))
    monkeypatch.setattr(declared, "_declared", deepcopy(_SECTIONS))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts ``inv`` as a process of its own; refuse a program that ``--all`` would not miss."""
    for item in items:
        if isinstance(item, pytest.Function) and "inv_process" in item.fixturenames:
            item.add_marker(pytest.mark.slow)
    if unlisted := unlisted_programs(items):
        raise pytest.UsageError(f"Tests need {', '.join(unlisted)}: add that to PROGRAMS in tests/check.py.")


def unlisted_programs(items: Iterable[pytest.Item]) -> list[str]:
    """Return the programs that tests need and ``tests.check --all`` does not look for."""
    needed = {program for item in items for mark in item.iter_markers("needs") for program in mark.args}
    return sorted(needed - {*PROGRAMS})


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a program that is not installed."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests fail."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the processes that a failed test has left: no fixture of a longer life keeps one."""
    if not item.stash.get(_FAILED, False):
        return
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)
