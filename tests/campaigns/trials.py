"""Trials: a run with one fault and the run after it, each on a copy of a project that was prepared once."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from .injection import Ended, Fault, Point, choose, points, run_to_end, run_traced
from .invariants import (
    Clean,
    Observed,
    dishonest,
    end_problems,
    kept_problems,
    leftovers,
    observed,
    recovery_problems,
)
from .projects import LINES, Place, build, line_problems, state, writing
from .scenario import INV, REPOSITORY, Scenario, history
from .services import Services, environment, put_stand_ins

_COPY = shutil.which("cp") or "cp"
"""It keeps owners and hard links, which Python's own does not."""

_DEADLINE_SECONDS = 300.0
"""For one run under strace, on a busy machine."""


class Outcome(NamedTuple):
    """What became of a trial.

    Attributes:
        fault: the one that was injected.
        hit: whether it met the call that it was meant for.
        status: the exit status of the run that it met.
        problems: what is not as it must be; empty where the next run recovered everything.
    """

    fault: Fault
    hit: bool
    status: int | None
    problems: list[str]


class CleanRunFails(Exception):
    """A run without a fault does not do its work; the message says what is missing."""


class Bench:
    """A scenario whose project is prepared, and whose calls are known.

    Attributes:
        scenario: what is tried.
        points: the calls that can get faults.
    """

    def __init__(self, scenario: Scenario, folder: Path, services: Services) -> None:
        """Prepare the project in *folder*, and run the scenario on copies of it without a fault.

        Raises:
            CleanRunFails: that does not do its work.
        """
        self.scenario = scenario
        self._folder = folder
        self._services = services
        self._template = Place(folder / "template")
        self._prepare()
        self._before = state(self._template.project)
        self._clean, self.points = self._run_clean()

    def _prepare(self) -> None:
        place = self._template
        place.folder.mkdir(parents=True)
        (place.folder / "settings.json").write_text(
            json.dumps({"maintenance": {**self._services.settings, **self.scenario.settings}})
        )
        put_stand_ins(place.programs)
        build(place)
        if not self.scenario.anew:
            self.scenario.prepare(place, self._inv)
        place.remember("history", history(place))

    def _run_clean(self) -> tuple[Clean, list[Point]]:
        found: list[Observed] = []
        met: list[Point] = []
        for name in ("clean-1", "clean-2"):
            place = self._copy(name)
            with self._writing(place):
                for times in range(1 if name == "clean-2" else 2):
                    ended, calls = self._run(place, None)
                    said = observed(ended, place)
                    wrong = [*end_problems(ended, said, signalled=False), *self.scenario.not_done(place)]
                    wrong += kept_problems(place, self._before, self.scenario)
                    if said is None or (wrong and (self.scenario.repeats or not times)):
                        raise CleanRunFails(f"{self.scenario.name}: {'; '.join(wrong)}\n{ended.out[:2000]}{ended.err}")
                    found.append(said)
                    met = met or calls
            shutil.rmtree(place.folder)
        first, again, second = found
        return Clean(first, second, again), met

    def faults(self, kinds: Iterable[str], most: int) -> list[Fault]:
        """Return at most so many faults of each kind."""
        return [fault for kind in kinds for fault in choose(self.points, kind, most)]

    def trial(self, number: int, fault: Fault) -> Outcome:
        """Run with a fault, then without; return what is wrong after either."""
        place = self._copy(f"trial-{number}")
        try:
            with self._writing(place) as writer:
                ended, calls = self._run(place, fault)
                said = observed(ended, place)
                not_done = [*_safely(self.scenario.not_done, place)]
                problems = [*end_problems(ended, said, signalled=fault.kind in {"KILL", "TERM"})]
                problems += dishonest(ended, said, self._clean, not_done)
                problems += _safely(lambda each: kept_problems(each, self._before, self.scenario), place)
                if not_done or self.scenario.repeats:
                    problems += self._recover(place)
            lines = {"idle": LINES, "live": LINES if writer is None else writer.lines}
            problems += (f"lost: {each}" for each in line_problems(place.project, lines, at_rest=True))
            hit = any(each[:2] == fault.point[:2] for each in calls)
            return Outcome(fault, hit, ended.status, [*dict.fromkeys(problems)])
        finally:
            shutil.rmtree(place.folder, ignore_errors=True)

    def _recover(self, place: Place) -> Iterator[str]:
        undone = self.scenario.not_undone
        if undone is not None:
            ended = self._inv(place, self.scenario.procedure, *self.scenario.arguments)
            yield from (f"undoing: {each}" for each in end_problems(ended, observed(ended, place), signalled=False))
            not_done = _safely(self.scenario.not_done, place)
            if not not_done:
                return
            yield from (f"neither done nor undone: {each}" for each in _safely(undone, place))
        ended = self._inv(place, self.scenario.procedure, *self.scenario.arguments)
        said = observed(ended, place)
        yield from (f"again: {each}" for each in end_problems(ended, said, signalled=False))
        for call in self.scenario.afterwards:
            more = self._inv(place, *call)
            yield from (f"again: {each}" for each in end_problems(more, observed(more, place), signalled=False))
        if said is None:
            yield f"not recovered: status {ended.status}, {ended.err[-300:].strip()}"
        not_done = [*_safely(self.scenario.not_done, place)]
        yield from recovery_problems(said, self._clean, not_done)
        yield from _safely(lambda each: kept_problems(each, self._before, self.scenario), place)
        yield from leftovers(place, self._before)

    def _copy(self, name: str) -> Place:
        place = Place(self._folder / name)
        subprocess.run([_COPY, "-a", str(self._template.folder), str(place.folder)], check=True)
        if self.scenario.anew:
            self.scenario.prepare(place, self._inv)
        return place

    def _writing(self, place: Place) -> Any:
        return writing(place.project) if self.scenario.writes else nullcontext()

    def _command(self, place: Place, *arguments: str) -> tuple[list[str], Path, Mapping[str, str]]:
        environ = {**environment(place.home, place.programs, place.project), **self._services.environ}
        folder = place.suite if self.scenario.in_copy else REPOSITORY
        return [INV, "-f", str(place.folder / "settings.json"), *arguments], folder, environ

    def _inv(self, place: Place, *arguments: str) -> Ended:
        command, folder, environ = self._command(place, *arguments)
        return run_to_end(command, folder=folder, environ=environ, deadline_seconds=_DEADLINE_SECONDS)

    def _run(self, place: Place, fault: Fault | None) -> tuple[Ended, list[Point]]:
        command, folder, environ = self._command(place, self.scenario.procedure, *self.scenario.arguments)
        trace = place.folder / "trace"
        ended = run_traced(command, trace, fault, folder=folder, environ=environ, deadline_seconds=_DEADLINE_SECONDS)
        below = [str(place.folder / each) for each in self.scenario.watched]
        with trace.open(errors="replace") as lines:
            return ended, points(lines, below, self.scenario.unread)


def _safely(check: Any, place: Place) -> list[str]:
    """Return what a check yields; where the project is so broken that it cannot be made, that."""
    try:
        return [*check(place)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"lost: what is there cannot be looked at: {type(error).__name__}: {error}"]


def outcomes(bench: Bench, faults: Sequence[Fault], *, at_once: int) -> Iterator[Outcome]:
    """Yield what becomes of each fault, so many trials side by side: each has a folder of its own."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield from pool.map(bench.trial, range(len(faults)), faults)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
