"""The mutation check: ``python -m tests.mutation`` from the top of the repository.

Each module that decides is changed in one place at a time, and the tests that decide it are run: one of them has to
fail. The result is recorded beside this file; with ``--changed``, only functions whose source is not the recorded one
are checked. Exit status: 0 well, 1 changes that no test notices or a module without a record, 2 the tests fail as
they are or an argument is wrong, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from .mutants import Mutant, functions, mutants
from .record import FunctionResult, Record, equivalents, record, recorded, unused
from .targets import NOT_RECORDED_YET, TARGETS
from .trials import TestsFail, trials

_GOAL = 0.95
"""The share of the mutants that are not equivalent that tests have to notice, of each module."""

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what is asked for, record the result and return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return _check(asked.modules or [*TARGETS], only_changed=asked.changed)
    except TestsFail as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Change the code in one place at a time: a test has to fail."
    )
    parser.add_argument("--changed", action="store_true", help="check only functions that changed since the record")
    parser.add_argument("modules", metavar="MODULE", nargs="*", choices=[*TARGETS, []], help="check these only")
    return parser


def _check(paths: Sequence[str], *, only_changed: bool) -> int:
    known = {path: found for path, found in recorded().items() if path in TARGETS}
    survivors: list[Mutant] = []
    missing = []
    for path in paths:
        if only_changed and path not in known:
            print(f"{path} has no record. Run `python -m tests.mutation {path}`.")
            missing += [path] if path not in NOT_RECORDED_YET else []
            continue
        source = Path(path).read_text("utf-8")
        hashes = functions(source)
        before = {name: found for name, found in known.get(path, {}).items() if name in hashes}
        known[path] = before
        wanted = {
            name
            for name, digest in hashes.items()
            if not only_changed or name not in before or before[name].source != digest
        }
        if not wanted:
            continue
        began = time.monotonic()
        results, alive = _try(path, source, wanted)
        survivors += [
            each for each in alive if each.function not in before or each.change not in before[each.function].survivors
        ]
        known[path] = before | results
        print(f"{_summary(path, known)}; {time.monotonic() - began:.0f} s", flush=True)
        if not (only_changed and survivors):
            record(known)
    verdict = _verdict(paths, known, survivors, only_changed=only_changed)
    return 1 if missing else verdict


def _try(path: str, source: str, wanted: set[str]) -> tuple[dict[str, FunctionResult], list[Mutant]]:
    accepted = equivalents().get(path, {})
    found: dict[str, list[Mutant]] = {name: [] for name in wanted}
    equal: dict[str, list[str]] = defaultdict(list)
    alive: dict[str, list[Mutant]] = defaultdict(list)
    tried = [mutant for mutant in mutants(path, source) if mutant.function in wanted]
    for mutant, killer in trials(tried, TARGETS[path]):
        found[mutant.function].append(mutant)
        if killer is None and mutant.change in accepted.get(mutant.function, {}):
            equal[mutant.function].append(mutant.change)
        elif killer is None:
            alive[mutant.function].append(mutant)
            print(f"  no test notices {mutant}", flush=True)
    hashes = functions(source)
    results = {
        name: FunctionResult(
            source=hashes[name],
            mutants=len(all_of_it),
            killed=len(all_of_it) - len(equal[name]) - len(alive[name]),
            equivalent=sorted(equal[name]),
            survivors=sorted(mutant.change for mutant in alive[name]),
        )
        for name, all_of_it in found.items()
    }
    return results, [mutant for each in alive.values() for mutant in each]


def _counts(path: str, known: Record) -> tuple[int, int, int]:
    results = known[path].values()
    return (
        sum(one.mutants for one in results),
        sum(one.killed for one in results),
        sum(len(one.equivalent) for one in results),
    )


def _summary(path: str, known: Record) -> str:
    number, killed, equal = _counts(path, known)
    share = killed / (number - equal) if number > equal else 1.0
    return f"{path}: {killed} of {number} noticed, {equal} equivalent: {share:.1%}"


def _verdict(paths: Sequence[str], known: Record, survivors: Sequence[Mutant], *, only_changed: bool) -> int:
    needless = unused(equivalents(), ((path, name, one) for path in paths for name, one in known.get(path, {}).items()))
    for line in needless:
        print(f"Take it out of the list of equivalent mutants, a test notices it or it is none: {line}")
    if only_changed:
        for mutant in survivors:
            print(f"No test fails with this change, write one or say why none can: {mutant}")
        return 1 if survivors or needless else 0
    poor = []
    for path in paths:
        number, killed, equal = _counts(path, known)
        if killed < _GOAL * (number - equal):
            poor.append(path)
    if poor:
        print(f"Fewer than {_GOAL:.0%} are noticed in: {', '.join(poor)}")
    return 1 if poor or needless else 0


if __name__ == "__main__":
    sys.exit(main())
