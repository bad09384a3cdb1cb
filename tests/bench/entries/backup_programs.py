"""Each step of a backup of 25,000 files against restic and borg, and a second backup against our first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ..backup_sides import Borg, Ours, Program, Restic, Step, side
from ..entry import Entry, Quantity
from ..project_files import Content, ProjectFiles

_FILES = 25_000
_ROUNDS = 3

_AGAIN_BAR = 0.2
"""Of a first backup's time, the most that one with nothing changed may take."""


class _Bars(NamedTuple):
    """By peer, the largest ratio that is well."""

    restic: float
    borg: float


_STEPS = {
    Step.FIRST: ("create", _Bars(6, 5)),
    Step.AGAIN: ("again", _Bars(1, 1)),
    Step.VERIFY: ("verify", _Bars(30, 15)),
    Step.RESTORE: ("restore", _Bars(6, 5)),
}
"""What a step is called in names, and its bars."""

_NOTES = {
    Step.FIRST: "ours packs all files into one archive and reads it back from the disk; the peers store each content "
    "once and read nothing back. Only restic encrypts, and it uses all processors.",
    Step.AGAIN: "ours reads the archive and makes no other; the peers read no old data and add a backup. Where one "
    "file is changed, ours packs all of them again, the peers only that one.",
    Step.VERIFY: "ours restores the only archive in full, compares every file and parses those of a known format; the "
    "peers read all of their repository and restore nothing.",
    Step.RESTORE: "every side compares what it reads with its digests; ours also waits until all of it is on the disk.",
}

_INPUTS = {Content.TEXT: "text", Content.PACKED: "packed"}


def _against_peer(scale: float, *, step: Step, content: Content, peer: Program, bar: float) -> Entry:
    name, _ = _STEPS[step]
    files = ProjectFiles.scaled(_FILES, scale, content)
    return Entry(
        name=f"backup-{name}-{_INPUTS[content]}-{peer.name}",
        about=f"{step.value} of 25,000 small files of {content.value}, against {peer.name}",
        quantity=Quantity.TIME,
        bar=bar,
        rounds=_ROUNDS,
        changes_input=False,
        ours=side(Ours(), step, files),
        peer=side(peer, step, files),
        note=_NOTES[step],
    )


def _against_first(scale: float, *, content: Content) -> Entry:
    files = ProjectFiles.scaled(_FILES, scale, content)
    return Entry(
        name=f"backup-again-{_INPUTS[content]}",
        about=f"{Step.AGAIN.value}, of 25,000 small files of {content.value}, against the first",
        quantity=Quantity.TIME,
        bar=_AGAIN_BAR,
        rounds=_ROUNDS,
        changes_input=False,
        ours=side(Ours(), Step.AGAIN, files),
        peer=side(Ours(), Step.FIRST, files),
        note="the second run compares the archive with its SHA-256.",
    )


def _makers() -> tuple[Callable[[float], Entry], ...]:
    made: list[Callable[[float], Entry]] = []
    for content in Content:
        made.append(partial(_against_first, content=content))
        for step, (_, bars) in _STEPS.items():
            for peer, bar in ((Restic(), bars.restic), (Borg(), bars.borg)):
                made.append(partial(_against_peer, step=step, content=content, peer=peer, bar=bar))
    return tuple(made)


MAKERS = _makers()
"""What makes each entry at a scale."""
