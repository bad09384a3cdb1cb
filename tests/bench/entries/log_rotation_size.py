"""The archive of a log of 300 MB against what gzip makes of it."""

from __future__ import annotations

from pathlib import Path

from ..entry import Entry, Figure, Quantity
from ..log_files import LogFile
from ..log_sides import packed_by_peer, packed_by_us, packer, rotation
from ..process import Outcome


def entry(scale: float) -> Entry:
    """Return the entry with 300 MB times *scale*."""
    log = LogFile.scaled(300_000_000, scale)
    return Entry(
        name="log-rotation-size",
        about="the size of the archive of a log of 300 MB against gzip's",
        quantity=Quantity.SIZE,
        bar=1.12,
        rounds=1,
        changes_input=True,
        ours=rotation(log, _ours),
        peer=packer(log, "gzip", _peers),
    )


def _ours(project: Path, _outcome: Outcome) -> Figure:
    return Figure(packed_by_us(project).stat().st_size)


def _peers(project: Path, _outcome: Outcome) -> Figure:
    return Figure(packed_by_peer(project).stat().st_size)
