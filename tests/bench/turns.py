"""Measuring an entry: ours and the peer in turn, and who goes first alternates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .entry import Entry, Quantity, Side
from .figures import Result, Round, Run
from .process import Outcome, own_peak_bytes, run
from .programs import NotInstalled
from .show import quantity
from .workshop import Workshop

_SMALLEST_SCALE = 1e-9
"""Brings every input down to its smallest size, for the rehearsal."""


class Void(Exception):
    """A run did not do what it is measured for; the message says why, and its figure says nothing."""


def measure(
    make_entry: Callable[[float], Entry],
    workshop: Workshop,
    *,
    scale: float,
    rounds: int | None,
    tell: Callable[[str], None],
) -> Result:
    """Measure an entry and return what came of it.

    A rehearsal on the smallest input comes first and does not count: it compiles what Python compiles once
    and brings programs and libraries into memory. A run that turns out void ends the entry.

    Args:
        make_entry: given a scale, the entry.
        workshop: where inputs are made; it is empty afterwards.
        scale: the factor for the size of the inputs.
        rounds: how many rounds to measure; ``None`` leaves that to the entry.
        tell: given a line of text after each round.
    """
    entry = make_entry(scale)
    measured: list[Round] = []
    number = rounds or entry.rounds
    try:
        _rehearse(make_entry(_SMALLEST_SCALE), workshop)
        for turn in range(number):
            latest = _round(entry, workshop, peer_first=turn % 2 == 1)
            measured.append(latest)
            tell(f"{entry.name}, round {turn + 1} of {number}: {_line(entry, latest)}")
    except Void as reason:
        return Result(entry, void=str(reason))
    finally:
        workshop.clear()
    return Result(entry, tuple(measured))


def _rehearse(entry: Entry, workshop: Workshop) -> None:
    for side in (entry.ours, entry.peer):
        _start(side, workshop.provide(side.input, fresh=entry.changes_input))


def _round(entry: Entry, workshop: Workshop, *, peer_first: bool) -> Round:
    if peer_first:
        peer = _run(entry, entry.peer, workshop)
        return Round(_run(entry, entry.ours, workshop), peer)
    ours = _run(entry, entry.ours, workshop)
    return Round(ours, _run(entry, entry.peer, workshop))


def _run(entry: Entry, side: Side, workshop: Workshop) -> Run:
    folder = workshop.provide(side.input, fresh=entry.changes_input)
    outcome = _start(side, folder)
    if problem := _problem(entry, side, folder, outcome):
        raise Void(f"{side.label}: {problem}")
    return Run(outcome, side.figure(folder, outcome) if side.figure else entry.quantity.of(outcome))


def _start(side: Side, folder: Path) -> Outcome:
    try:
        side.before(folder)
        return run(side.command(folder))
    except NotInstalled as error:
        raise Void(f"{side.label}: {error}") from error
    except OSError as error:
        raise Void(f"{side.label}: cannot be started: {error}") from error


def _problem(entry: Entry, side: Side, folder: Path, outcome: Outcome) -> str | None:
    if outcome.status != 0:
        text = (outcome.error + outcome.output + outcome.shown).decode(errors="replace").strip()
        return f"ended with status {outcome.status}: {text[-500:]}"
    if entry.quantity is Quantity.MEMORY and outcome.peak_bytes <= own_peak_bytes():
        return "needs less memory than the benchmark itself, which hides how much"
    return side.problem(folder, outcome)


def _line(entry: Entry, measured: Round) -> str:
    ours, peer = (quantity(entry.quantity, run.figure) for run in measured)
    return f"ours {ours}, peer {peer}, ratio {measured.ratio:.3f}"
