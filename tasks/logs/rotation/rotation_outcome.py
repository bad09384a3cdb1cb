"""The outcome of a rotation: what it saw and did, before it is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from ...core.run.clock import ClockDoubt
from .strategy import Strategy


class RotatedLog(NamedTuple):
    """A log that was archived, or that a dry run would archive.

    Attributes:
        log: its name.
        strategy: what became of the live file.
        bytes: how many of its bytes are archived.
        size: bytes of the archive; ``None`` in a dry run.
        archive: the archive's path below the root; in a dry run the folder's.
        reason: why no better strategy was possible; empty where it was the best.
    """

    log: str
    strategy: Strategy
    bytes: int
    size: int | None
    archive: str
    reason: str = ""


class LeftReason(Enum):
    """Why a log was not archived."""

    IN_USE = "in use"
    NOTHING_YET = "less than a block"
    REFUSED = "refused"
    FOREIGN = "of another user"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    FULL = "disk full"


class LeftLog(NamedTuple):
    """A log that was left as it is: its name, the kind of reason, and the reason in words."""

    log: str
    why: LeftReason
    reason: str


class RecoveredRotation(NamedTuple):
    """What became of something that an interrupted rotation left.

    Attributes:
        subject: the path below the root of what was found.
        message: a sentence for people.
        problem: it could not be put right.
        corrupt: an archive that it refers to is damaged or missing.
    """

    subject: str
    message: str
    problem: bool = False
    corrupt: bool = False


@dataclass(slots=True)
class ArchiveMonth:
    """The archives of one month.

    Attributes:
        archives: how many there are.
        bytes: their size.
        original: bytes of the logs in those that say so.
        telling: bytes of the archives that say so.
    """

    archives: int = 0
    bytes: int = 0
    original: int = 0
    telling: int = 0


@dataclass(slots=True)
class ArchiveExpiry:
    """What became of old archives.

    Attributes:
        days: the age in days above which they are deleted.
        doubt: why the clock is not believed, so that none was deleted; ``None`` where it is.
        withheld: how many look old by that clock.
        deleted: per month, how many were and their bytes.
        removed: the folders of years and months removed, as paths below the root.
        failed: per path below the root, why it could not be deleted.
        months: what is left, per month.
    """

    days: int
    doubt: ClockDoubt | None = None
    withheld: int = 0
    deleted: dict[str, tuple[int, int]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    months: dict[str, ArchiveMonth] = field(default_factory=dict)


@dataclass(slots=True)
class RotationOutcome:
    """What a rotation saw and did, before it is judged.

    Attributes:
        directory: the log folder, below the root.
        dry_run: everything is only planned.
        missing: there is no log folder.
        closed: why the log folder, or its archive, cannot be used at all.
        logs: how many logs there were, empty ones included.
        rotated: the logs archived.
        left: the logs left.
        recovered: what was found of interrupted rotations.
        made: the paths in the archive folder of the archives that this run made.
        expiry: what became of old archives; ``None`` where they were not looked at.
        interrupted: the run was ended early.
    """

    directory: str = "logs"
    dry_run: bool = False
    missing: bool = False
    closed: str | None = None
    logs: int = 0
    rotated: list[RotatedLog] = field(default_factory=list)
    left: list[LeftLog] = field(default_factory=list)
    recovered: list[RecoveredRotation] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    expiry: ArchiveExpiry | None = None
    interrupted: bool = False
