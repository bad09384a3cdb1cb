"""The rotation of a log of 300 MB against pigz."""

from __future__ import annotations

from ..entry import Entry, Quantity
from ..log_files import LogFile
from ..log_sides import packer, rotation


def entry(scale: float) -> Entry:
    """Return the entry with 300 MB times *scale*."""
    log = LogFile.scaled(300_000_000, scale)
    return Entry(
        name="log-rotation-pigz",
        about="the rotation of a log of 300 MB, read back and on the disk, against pigz",
        quantity=Quantity.TIME,
        bar=0.4,
        rounds=5,
        changes_input=True,
        ours=rotation(log),
        peer=packer(log, "pigz"),
    )
