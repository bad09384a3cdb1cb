"""The benchmark: ``python -m tests.bench`` from the top of the repository.

Whole processes of ours and of a peer are measured in turn on this machine, and the ratio of their medians is
held against a declared bar. Exit status: 0 all within their bars, 1 a ratio or the memory is over its bar,
2 a figure is void (a run did not do its work) or an argument is wrong, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .catalogue import ENTRIES
from .figures import Result, Verdict
from .show import catalogue, table
from .turns import measure
from .workshop import Workshop

_EXIT_STATUS = {Verdict.OK: 0, Verdict.OVER: 1, Verdict.VOID: 2}
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, print the table and return the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.list:
        print(catalogue(make(1) for make in ENTRIES.values()))  # noqa: T201 - printing is what it is for
        return 0
    results: list[Result] = []
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder) as base:
        try:
            for name in asked.only or ENTRIES:
                workshop = Workshop(Path(base))
                result = measure(ENTRIES[name], workshop, scale=asked.scale, rounds=asked.rounds, tell=_tell)
                results.append(result)
        except KeyboardInterrupt:
            interrupted = True
    if results:
        print(table(results))  # noqa: T201 - the same
    if interrupted:
        _tell("Interrupted.")
        return _INTERRUPTED
    return max(_EXIT_STATUS[result.verdict] for result in results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure ours and a peer in turn, and hold the ratio against a bar."
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=ENTRIES, help="measure this; may be given several times"
    )
    parser.add_argument("--rounds", metavar="N", type=_rounds, help="rounds to measure in place of each one's own")
    parser.add_argument("--list", action="store_true", help="say what can be measured, and measure nothing")
    parser.add_argument(
        "--folder", metavar="DIR", type=_folder, help="make the inputs below DIR (the system's temporary folder)"
    )
    parser.add_argument("--scale", metavar="FACTOR", type=_scale, default=1.0, help="times the size of every input (1)")
    return parser


def _rounds(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("takes 1 or more")
    return number


def _scale(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("takes a factor above 0")
    return number


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return path


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    raise SystemExit(main())
