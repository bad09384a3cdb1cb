"""Python tracebacks as text in a log: which exceptions they show, raised through which frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

HEAD = 32_768
TAIL = 32_768
"""Of longer details the first and the last characters count: where the traceback begins, and how it ends."""


class TracebackFrame(NamedTuple):
    """Where a traceback passed: the file as the traceback has it, and the function, ``""`` for a SyntaxError's."""

    path: str
    function: str


class RaisedException(NamedTuple):
    """One exception of a traceback.

    Attributes:
        type: its name as printed; ``""`` where the traceback breaks off before it.
        text: what its first line says after the name.
        depth: how far it is indented: deeper inside an exception group.
        frames: those that led to it, the innermost last; recursion appears once.
    """

    type: str
    text: str
    depth: int
    frames: tuple[TracebackFrame, ...]


_FRAME = re.compile(r"File \"(?P<path>[^\"]{1,4096})\", line \d++(?:,? in (?P<function>[^\n]{1,256}))?")
_EXCEPTION = re.compile(r"(?P<type>[^\W\d]\w{0,100}(?:\.(?:<locals>|\w{1,100})){0,20})(?:: ?(?P<text>.*))?\Z")
_EXCEPTION_NAME = re.compile(r"(?:Error|Exception|Warning|Exit|Interrupt|Group|Timeout|Refused|Failed|Failure)\Z")
_BREAKS = (
    "Traceback (most recent call last)",
    "Exception Group Traceback",
    "+ Exception Group Traceback",
    "+-+--",
    "+---",
    "During handling of the above exception",
    "The above exception was the direct cause",
)

# PEP 709: comprehensions are inlined since Python 3.12 and have no frame of their own there.
_INLINED = frozenset(("<listcomp>", "<dictcomp>", "<setcomp>"))

# What other Python versions call the same: "What's New In Python 3.10" (socket.timeout) and 3.11 (asyncio's and
# concurrent.futures' TimeoutError).
_ALIASES = {
    "asyncio.exceptions.TimeoutError": "TimeoutError",
    "asyncio.TimeoutError": "TimeoutError",
    "concurrent.futures._base.TimeoutError": "TimeoutError",
    "socket.timeout": "TimeoutError",
}

_INSTALLED = re.compile(
    # with the launchers that pip writes: .venv/bin/zbeam
    r"<|.*[\\/]bin[\\/][^\\/.]+\Z|.*\.exe[\\/]__main__\.py\Z"
    r"|.*[\\/](?:(?:site|dist)-packages|lib(?:32|64)?[\\/]python\d[\d.]*t?|python[\d.-]*[\\/]lib|python\d+\.zip)[\\/]",
    re.IGNORECASE,
)


def read_traceback(details: str) -> list[RaisedException]:
    """Return the exceptions that *details* tells of, in the order of the text; none where it is no traceback.

    Chained exceptions, exception groups, tracebacks without their first or last lines and a bare exception line
    are understood. An exception that appears twice with the same frames is returned once.
    """
    if len(details) > HEAD + TAIL:
        details = f"{details[:HEAD]}\n{details[-TAIL:]}"
    found: list[RaisedException] = []
    frames: list[TracebackFrame] = []
    inside = -1  # how far the frames are indented; -1 outside a traceback
    awaited = True  # whether an exception may stand here without frames before it
    for line in details.splitlines():
        text = line.lstrip(" \t|")
        depth = len(line) - len(text)
        if not text:
            continue
        if frame := _FRAME.match(text):
            frames.append(TracebackFrame(frame["path"], frame["function"] or ""))
            inside = depth
        elif text.startswith(_BREAKS):
            if frames:
                found.append(RaisedException("", "", depth, _unique_frames(frames)))
            frames, inside, awaited = [], -1, True
        elif depth < inside or (awaited and inside < 0):
            raised = _EXCEPTION.match(text.rstrip())
            if raised and _is_exception(raised["type"], with_frames=bool(frames)):
                name = _ALIASES.get(raised["type"], raised["type"])
                found.append(RaisedException(name, raised["text"] or "", depth, _unique_frames(frames)))
                frames = []
            inside, awaited = -1, False
    if frames:
        found.append(RaisedException("", "", inside, _unique_frames(frames)))
    return list({(exception.type, exception.frames): exception for exception in reversed(found)}.values())[::-1]


def _is_exception(name: str, *, with_frames: bool) -> bool:
    last = name.rpartition(".")[2]
    if with_frames:
        return "." in name or last.lstrip("_")[:1].isupper()
    return bool(_EXCEPTION_NAME.search(last))


def _unique_frames(frames: Iterable[TracebackFrame]) -> tuple[TracebackFrame, ...]:
    return tuple(dict.fromkeys(frame for frame in frames if frame.function not in _INLINED))


def project_frames(raised: Sequence[RaisedException]) -> list[list[str]]:
    """Return per exception where it came through: ``api/client.py:request``, without line numbers.

    Only the project's own frames, unless there are none at all. The project is what is neither installed
    (site-packages, dist-packages), nor the standard library, nor code without a file (``<frozen …>``, ``<string>``).

    The same file reads the same wherever the project lies. Its root is the folder of the script where the traceback
    begins in one (Python puts that folder first on ``sys.path``), else the deepest folder that holds all frames;
    where that cannot tell, for all frames are in one folder, a file goes by its name and its folder's.
    """
    own = [[frame for frame in exception.frames if not _INSTALLED.match(frame.path)] for exception in raised]
    if not any(own):
        return [[f"{_library(frame.path)}:{frame.function}" for frame in exception.frames] for exception in raised]
    root = _root([frame for frames in own for frame in frames])
    return [[f"{_relative(_parts(frame.path), root)}:{frame.function}" for frame in frames] for frames in own]


def _library(path: str) -> str:
    return "/".join(_parts(_INSTALLED.sub("", path, count=1) if not path.startswith("<") else path)[-3:])


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part != "."]


def _root(frames: Sequence[TracebackFrame]) -> list[str]:
    folders = [_parts(frame.path)[:-1] for frame in frames]
    absolute = [folder for folder in folders if _is_absolute(folder)]
    if not absolute:
        return []
    first = folders[0]
    if frames[0].function == "<module>" and all(folder[: len(first)] == first for folder in absolute):
        return first
    common: list[str] = []
    for names in zip(*absolute, strict=False):
        if any(name != names[0] for name in names):
            break
        common.append(names[0])
    return common if any(folder != common for folder in absolute) else []


def _is_absolute(folder: Sequence[str]) -> bool:
    return bool(folder) and (not folder[0] or folder[0].endswith(":"))


def _relative(parts: list[str], root: Sequence[str]) -> str:
    """Return the last parts of a path beneath *root*, at most three, or two where it is not beneath it."""
    if not _is_absolute(parts[:-1]):
        return "/".join(parts[-3:])
    if len(root) > 1 and parts[: len(root)] == root:
        return "/".join(parts[len(root) :][-3:])
    return "/".join(parts[-2:])
