"""The long campaign: ``python -m tests.campaigns`` from the top of the repository, on Linux with ``strace``.

Every procedure that changes something is run again and again, each time with one fault in one of its system calls, and
once more without. Exit status: 0 the next run recovered every time, 1 it did not, 2 an argument is wrong or a procedure
does not do its work without a fault, 130 Ctrl-C or TERM.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from .injection import KINDS
from .procedures import SCENARIOS
from .scenario import Scenario
from .services import Services, serving
from .trials import Bench, CleanRunFails, outcomes

_INTERRUPTED = 130
_COLUMNS = ("tried", "recovered", "lost", "dishonest", "tracebacks", "not hit")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print the table of counts and return the exit status."""
    asked = _parser().parse_args(arguments)
    for stopping in (signal.SIGINT, signal.SIGTERM):  # a shell starts what is in the background deaf to Ctrl-C
        signal.signal(stopping, signal.default_int_handler)
    if shutil.which("strace") is None:
        print("strace is not installed. Run apt-get install strace.", file=sys.stderr)
        return 2
    wanted = [each for each in SCENARIOS if not asked.only or {each.procedure, each.name} & {*asked.only}]
    counts: dict[str, dict[str, Counter[str]]] = {}
    began = time.monotonic()
    status = 0
    with tempfile.TemporaryDirectory(prefix="campaign-", dir=asked.folder) as folder, serving() as services:
        try:
            for number, scenario in enumerate(wanted):
                place = Path(folder) / str(number)
                try:
                    counts[scenario.name] = _campaign(scenario, place, services, asked)
                except CleanRunFails as error:
                    print(error, file=sys.stderr, flush=True)
                    status = 2
                shutil.rmtree(place, ignore_errors=True)
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            status = _INTERRUPTED
    total = _print_table(counts)
    print(f"{time.monotonic() - began:.0f} s")
    return status or int(total["recovered"] < total["tried"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaigns", description="Inject one fault per run, and see that the next run recovers."
    )
    names = sorted({name for each in SCENARIOS for name in (each.procedure, each.name)})
    parser.add_argument(
        "--only", metavar="CALL", action="append", choices=names, help="try this; may be given several times"
    )
    parser.add_argument("--per", metavar="N", type=_number, default=20, help="faults of each kind per call (20)")
    parser.add_argument(
        "--kinds", metavar="KIND,…", type=_kinds, default=[*KINDS], help=f"of {', '.join(KINDS)}; all of them"
    )
    parser.add_argument("--jobs", metavar="N", type=_number, default=os.cpu_count() or 1, help="trials side by side")
    parser.add_argument("--folder", metavar="DIR", help="make the projects below DIR (the system's temporary folder)")
    return parser


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("takes 1 or more")
    return number


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    if unknown := {*kinds} - {*KINDS}:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: expected some of {', '.join(KINDS)}")
    return kinds


def _campaign(
    scenario: Scenario, folder: Path, services: Services, asked: argparse.Namespace
) -> dict[str, Counter[str]]:
    """Try one call, print what was not recovered and what was counted, and return that, by kind."""
    bench = Bench(scenario, folder, services)
    print(f"\n{scenario.name}: {len(bench.points)} system calls", flush=True)
    counts = {kind: Counter[str]() for kind in asked.kinds}
    for outcome in outcomes(bench, bench.faults(asked.kinds, asked.per), at_once=asked.jobs):
        count = counts[outcome.fault.kind]
        if not outcome.hit and not outcome.problems:
            count["not hit"] += 1
            continue
        count["tried"] += 1
        count["recovered"] += not outcome.problems
        for column, sign in (("lost", "lost: "), ("dishonest", "dishonest: "), ("tracebacks", "traceback: ")):
            count[column] += any(sign in each for each in outcome.problems)
        if outcome.problems:
            print(f"  {outcome.fault}: status {outcome.status}", *outcome.problems, sep="\n    ", flush=True)
    for kind, count in counts.items():
        print(_row(kind, count), flush=True)
    return counts


def _row(name: str, count: Counter[str]) -> str:
    return f"  {name:42}" + "".join(f"{count[column]:>11,}" for column in _COLUMNS)


def _print_table(counts: Mapping[str, Mapping[str, Counter[str]]]) -> Counter[str]:
    """Print what was counted, by call and by kind, and return the sums."""
    kinds: dict[str, Counter[str]] = {}
    print("\n  call or kind of fault                     " + "".join(f"{column:>11}" for column in _COLUMNS))
    for name, by_kind in counts.items():
        print(_row(name, sum(by_kind.values(), Counter())))
        for kind, count in by_kind.items():
            kinds[kind] = kinds.get(kind, Counter()) + count
    for kind, count in kinds.items():
        print(_row(kind, count))
    total = sum(kinds.values(), Counter[str]())
    print(_row("all", total))
    return total


if __name__ == "__main__":
    raise SystemExit(main())
