"""Running the tests on mutants, each in a fork of a process that has imported and collected everything.

A mutant never is on the disk. One whose change is in the body of a function replaces the code of that function where
it is; any other one is imported in the place of the module, before anything else of the project is.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import hypothesis
import pytest

from .mutants import Mutant

_PATIENCE = 5.0
"""Seconds of processor time that a trial may take beyond three times that of the tests as they are."""

_WAITING = 10.0
"""Times as long as that a trial may take by the clock, which a busy machine stretches."""

_IMPORTED = 20.0
"""Seconds of processor time that a trial may take whose mutant is imported: collecting takes some, too."""

_MEMORY = 8 << 30
"""Bytes of address space of a trial: an endless list ends it, and not the machine."""


_GLANCE = 0.004
"""Seconds between two looks at whether a trial has ended."""


_OPTIONS = (
    *("-q", "-x", "-W", "ignore::pytest.PytestAssertRewriteWarning"),  # hypothesis is imported already
    *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"),
)


class TestsFail(Exception):
    """The tests fail without any mutation; the message says how."""


class Outcome(NamedTuple):
    """What became of a mutant: *killer* is the test that failed, ``None`` where none did."""

    mutant: Mutant
    killer: str | None


def trials(mutants: Sequence[Mutant], tests: Sequence[str]) -> Iterator[Outcome]:
    """Yield what becomes of each mutant of a module.

    Args:
        mutants: mutants of one module.
        tests: the files of the tests that decide it.

    Raises:
        TestsFail: a test fails without any mutation.
    """
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        run = [*_OPTIONS, "--basetemp", f"{place}/tests", *tests]
        log = Path(place, "log")
        in_bodies = [mutant for mutant in mutants if mutant.in_body]
        for line in _lines_of_child(lambda tell: _collect_and_try(in_bodies, run, tell), log):
            yield Outcome(in_bodies[line["mutant"]], line["killer"])
        for mutant in mutants:
            if not mutant.in_body:
                yield Outcome(mutant, _imported(mutant, run, log))


def _lines_of_child(work: Callable[[Callable[[Any], None]], int], log: Path) -> Iterator[Any]:
    """Yield what the work in a forked process tells, line by line."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _silence(log)
        with os.fdopen(writing, "w") as pipe:

            def tell(what: Any) -> None:
                pipe.write(json.dumps(what) + "\n")
                pipe.flush()

            status = 1
            try:
                status = work(tell)
            except BaseException:  # noqa: BLE001 - a process of its own that must end here
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            yield from map(json.loads, pipe)
    finally:
        _, status = os.waitpid(pid, 0)
    if status:
        raise TestsFail(log.read_text("utf-8", "replace")[-4000:])


def _silence(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _imported(mutant: Mutant, run: Sequence[str], log: Path) -> str | None:
    """Try a mutant that is imported in the place of its module."""

    def work(tell: Callable[[str], None]) -> int:
        sys.meta_path.insert(0, _Finder(mutant))
        return int(pytest.main([*run], plugins=[_Quiet(), _Teller(tell)]))

    return _killer(work, _Limit(_IMPORTED), log)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the mutant where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mutant.source)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - it loads one module
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Quiet:
    """Makes of hypothesis a search that is the same each time, leaves nothing behind and does not explain."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        settings = hypothesis.settings
        settings.register_profile(
            "mutation",
            settings.get_profile("patient"),
            database=None,
            derandomize=True,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        settings.load_profile("mutation")


class _Teller:
    """Tells the first test that fails."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._tell(report.nodeid)


def _collect_and_try(mutants: Sequence[Mutant], run: Sequence[str], tell: Callable[[Any], None]) -> int:
    if not mutants:
        return 0
    return int(pytest.main([*run], plugins=[_Quiet(), _Trials(mutants, tell)]))


class _Limit(NamedTuple):
    """Seconds of processor time, and by the clock, after which a trial has run into an endless loop."""

    processor: float

    @property
    def clock(self) -> float:
        return self.processor * _WAITING


class _Trials:
    """Takes the place of pytest's loop over the collected tests: runs them once as they are, then on each mutant."""

    def __init__(self, mutants: Sequence[Mutant], tell: Callable[[Any], None]) -> None:
        self._mutants = mutants
        self._tell = tell

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        known = self._as_they_are(session)
        limit = _Limit(3 * sum(one.seconds for one in known) + _PATIENCE)
        recent: list[str] = []
        for number, mutant in enumerate(self._mutants):
            called = [one for one in known if mutant.function in one.functions] or known
            order = sorted(called, key=lambda one: (-recent.index(one.test) if one.test in recent else 1, one.seconds))
            chosen = [items[one.test] for one in order]

            def work(tell: Callable[[str], None], mutant: Mutant = mutant, chosen: Any = chosen) -> int:
                session.config.pluginmanager.register(_Teller(tell))
                _replace(mutant)
                return _run(session, chosen)

            killer = _killer(work, limit, None)
            if killer in items:
                recent = [*(test for test in recent if test != killer), killer]
            self._tell({"mutant": number, "killer": killer})
        return True

    def _as_they_are(self, session: pytest.Session) -> list[_Known]:
        """Run the tests as they are, and return what is known of them."""
        path = str(Path(self._mutants[0].path).absolute())
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                with os.fdopen(writing, "w") as pipe:
                    watch = _Watch(path)
                    session.config.pluginmanager.register(watch)
                    status = _run(session, session.items)
                    json.dump(watch.known, pipe)
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            content = pipe.read()
        _, status = os.waitpid(pid, 0)
        if status:
            raise TestsFail("a test fails without any mutation")
        return [_Known(*one) for one in json.loads(content)]


class _Known(NamedTuple):
    """A test, the functions of the module that it calls, and the seconds of processor time that it takes."""

    test: str
    functions: list[str]
    seconds: float


class _Watch:
    """Notes which functions of a module each test calls."""

    def __init__(self, path: str) -> None:
        self.known: list[_Known] = []
        self._path = path
        self._called: set[str] = set()

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename == self._path:
            self._called.add(frame.f_code.co_qualname.partition(".<locals>")[0])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._called.clear()
        began = time.process_time()
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            self.known.append(_Known(item.nodeid, sorted(self._called), time.process_time() - began))


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> int:
    """Run tests up to the first failure, and return 1 where there is one."""
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _replace(mutant: Mutant) -> None:
    """Give the function that the mutant changes its new code, wherever it is referred to."""
    path = str(Path(mutant.path).absolute())
    code = _code(compile(mutant.source, path, "exec", dont_inherit=True), mutant.function)
    found = [
        each
        for each in gc.get_objects()
        if isinstance(each, FunctionType)
        and each.__code__.co_filename == path
        and each.__code__.co_qualname == mutant.function
    ]
    if not found:
        raise LookupError(mutant.function)
    for each in found:
        each.__code__ = code


def _code(inside: CodeType, function: str) -> CodeType:
    for constant in inside.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == function:
                return constant
            if function.startswith(constant.co_qualname + "."):
                return _code(constant, function)
    raise LookupError(function)


def _killer(work: Callable[[Callable[[str], None]], int], limit: _Limit, log: Path | None) -> str | None:
    """Run tests in a forked process, and return the test that failed, or why it ended; ``None`` where all passed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setsid()
            os.close(reading)
            if log is not None:
                _silence(log)
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit.processor) + 1, int(limit.processor) + 2))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            status = work(lambda test: _write(writing, test))
        except BaseException as error:  # noqa: BLE001 - a process of its own that must end here
            _write(writing, f"{type(error).__name__}: {error}")
        finally:
            os._exit(status)
    os.close(writing)
    return _wait(pid, reading, limit)


def _write(pipe: int, text: str) -> None:
    os.write(pipe, text.encode("utf-8", "replace") + b"\n")


def _wait(pid: int, reading: int, limit: _Limit) -> str | None:
    """Wait for the end of a trial, and end what is left of it."""
    late = ""
    end = time.monotonic() + limit.clock
    while (done := os.waitpid(pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            late = "it did not come to an end"
            os.killpg(pid, signal.SIGKILL)
        time.sleep(_GLANCE)
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as pipe:
        first = (pipe.read() or b"").decode("utf-8", "replace").partition("\n")[0]
    return (late or first or f"it ended with {done[1]}") if done[1] else None
