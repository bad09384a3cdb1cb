"""What a review saw and did, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..reading.levels import Level
from .counting import Counted, Place

if TYPE_CHECKING:
    from ..rotation.rotation_outcome import RotationOutcome as Rotation


@dataclass(slots=True)
class Reviewed:
    """A log, or an archive of one.

    Attributes:
        path: the file, below the root.
        size: its size in bytes.
        growth: bytes written since the last review; ``None`` where that cannot be known.
        counted: what it holds.
    """

    path: str
    size: int
    growth: int | None
    counted: Counted = field(default_factory=Counted)

    @property
    def errors(self) -> int:
        """Its records of errors and worse."""
        return self.counted.levels[Level.ERROR] + self.counted.levels[Level.CRITICAL]


class Recent(NamedTuple):
    """One of the latest errors: where, its level, its message, and the last line of its traceback."""

    place: Place
    level: Level
    message: str
    raised: str


@dataclass(slots=True)
class ReviewOutcome:
    """What a review saw and did.

    Attributes:
        directory: the log folder, below the root.
        since: only records from then on count.
        lowest: the lowest level that counts.
        dry_run: everything is only planned.
        missing: there is no log folder.
        unusable: why the log folder cannot be read.
        refused: per name of a log, why it was not read.
        logs: the logs, and the archives where they were asked for.
        recent: the latest errors, newest last.
        rotation: what became of the logs over the limit.
        broken: what was wrong with what the last review had kept.
        aside: where that was kept.
        unkept: why the sizes could not be kept.
        files: the files written.
        interrupted: it was told to stop.
    """

    directory: str
    since: datetime | None
    lowest: Level
    dry_run: bool
    missing: bool = False
    unusable: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    logs: list[Reviewed] = field(default_factory=list)
    recent: list[Recent] = field(default_factory=list)
    rotation: Rotation | None = None
    broken: str | None = None
    aside: str | None = None
    unkept: str | None = None
    files: list[str] = field(default_factory=list)
    interrupted: bool = False
