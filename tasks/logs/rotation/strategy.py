"""The strategy for a log, given who writes to it: pure, so that every case can be tested."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from ...core.text.formatting import printable
from .log_filesystem import COLLAPSING_TYPES, Filesystem


class LogWriter(NamedTuple):
    """A process that has a log open for writing.

    Attributes:
        pid: its number.
        program: its name; may be empty.
        append: whether every write of it goes to the file's end (``O_APPEND``); ``None`` where that cannot be seen.
        mapped: whether it writes to the file through memory as well (``mmap``).
    """

    pid: int
    program: str
    append: bool | None
    mapped: bool = False


class LogWriters(NamedTuple):
    """Who has a log open for writing.

    Attributes:
        known: the processes that were seen.
        unseen: somebody has it open whom we cannot see.
    """

    known: tuple[LogWriter, ...] = ()
    unseen: bool = False

    @property
    def nobody(self) -> bool:
        """Nobody has it open for writing."""
        return not self.known and not self.unseen


class Strategy(Enum):
    """What is done to the live file once its content is archived."""

    RENAME = "renamed"
    COLLAPSE = "collapsed"
    TRUNCATE = "copied and truncated"
    ALONE = "left alone"


class StrategyChoice(NamedTuple):
    """The strategy for a log; *reason* says why there is no better one."""

    strategy: Strategy
    reason: str = ""


def choose_strategy(writers: LogWriters, filesystem: Filesystem) -> StrategyChoice:
    """Return the safest way for a log with these *writers* on this *filesystem* (README, "Rotation with a writer")."""
    if writers.nobody:
        return StrategyChoice(Strategy.RENAME)
    reason = _obstacle(writers, filesystem)
    if reason is None:
        return StrategyChoice(Strategy.COLLAPSE)
    return StrategyChoice(Strategy.TRUNCATE if filesystem.allow_copytruncate else Strategy.ALONE, reason)


def _obstacle(writers: LogWriters, filesystem: Filesystem) -> str | None:
    """Return why the log's start cannot be released under the hands of its writers; ``None`` where it can."""
    names = writer_names(writers)
    where = printable(filesystem.file_system or "a file system of unknown type")
    obstacles = (
        (writers.unseen, "a process that cannot be seen from here may have it open for writing"),
        (
            any(writer.mapped for writer in writers.known),
            f"{names} has it mapped into memory, whose places must not move",
        ),
        (
            any(writer.append is None for writer in writers.known),
            f"{names} has it open, and the system does not tell in which mode",
        ),
        (
            not all(writer.append for writer in writers.known),
            f"{writer_names(writers, appending=False)} writes to it and not in append mode",
        ),
        (not filesystem.collapses, f"{names} writes to it, and this system cannot release the start of a file"),
        (
            filesystem.file_system not in COLLAPSING_TYPES,
            f"{names} writes to it, and the start of a file on {where} cannot be released",
        ),
        (
            bool(filesystem.refusal),
            f"{names} writes to it, and the file system refuses to release its start ({filesystem.refusal})",
        ),
    )
    return next((text for holds, text in obstacles if holds), None)


def writer_names(writers: LogWriters, *, appending: bool = True) -> str:
    """Return the known writers as people read them.

    Args:
        writers: whom to name.
        appending: name those in append mode as well.
    """
    chosen = [writer for writer in writers.known if appending or not writer.append]
    shown = [f"{printable(writer.program) or 'a program'} (process {writer.pid})" for writer in chosen[:3]]
    more = len(chosen) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


class LogCut(NamedTuple):
    """Where a log is cut whose writers keep it open.

    Attributes:
        released: bytes at its start that are taken away, a multiple of the file system's block.
        end: bytes at its start that are archived. What lies between the two is blanked: the rest of the line
            that crosses the border.
    """

    released: int
    end: int


def cut_point(
    size: int, complete: int, block: int, end_of_line: Callable[[int], int], *, force: bool = False
) -> LogCut | None:
    """Return where to cut a log; ``None`` where there is nothing to archive yet.

    Args:
        size: the file's length in bytes.
        complete: the offset after its last newline.
        block: the file system's block in bytes.
        end_of_line: gives the end of the line that contains an offset, the offset itself where a line begins there.
        force: archive every complete line, though what lies behind the last block boundary can only be blanked.
    """
    released = complete // block * block
    if released and released >= size:  # a file cannot be released to its end
        released -= block
    if force:
        return LogCut(released, complete) if complete else None
    return LogCut(released, end_of_line(released)) if released else None
