"""One fault in one system call of a run, by ``strace``.

A run without a fault is traced first. That tells which calls change or read something below the folders of a trial, and
the how manieth call of its name each is in its process: there the same run gets its fault.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_ON_FILE = (
    *("write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate", "fchmod", "fchown", "fsetxattr"),
)
_ON_NAME = (
    *("creat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "mkdir", "mkdirat", "rmdir"),
    *("symlink", "symlinkat", "truncate", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat"),
    *("utimensat", "setxattr"),
)
_BETWEEN_FILES = ("copy_file_range", "sendfile")
_READ_FILE = ("read", "pread64", "readv", "getdents64", "lseek")
_READ_NAME = (*("stat", "lstat", "newfstatat", "statx", "readlink", "readlinkat", "access", "faccessat", "faccessat2"),)
_OPEN = ("openat", "open")
_LOCK = ("flock",)

CALLS = (*_ON_FILE, *_ON_NAME, *_BETWEEN_FILES, *_READ_FILE, *_READ_NAME, *_OPEN, *_LOCK)
"""Every system call that gets faults."""

KINDS: Mapping[str, frozenset[str]] = {
    # A process that is killed before it reads leaves what it leaves when it is killed before its next change.
    "KILL": frozenset({*_ON_FILE, *_ON_NAME, *_BETWEEN_FILES, *_OPEN}),
    "TERM": frozenset(CALLS),
    "ENOSPC": frozenset({*_ON_FILE, *_ON_NAME, *_BETWEEN_FILES, *_OPEN} - {"fchmod", "fchown", "unlink", "unlinkat"}),
    "EIO": frozenset({*CALLS} - {*_LOCK}),
    "EACCES": frozenset({*_ON_NAME, *_READ_NAME, *_OPEN}),
    "EINTR": frozenset({*_ON_FILE, *_BETWEEN_FILES, *_READ_FILE, *_OPEN, *_LOCK} - {"lseek", "fchmod", "fchown"}),
}
"""By kind of fault, a signal or an error, the calls that get it."""

SIGNALS = frozenset({"KILL", "TERM"})
_ONLY_CHANGES = frozenset({"KILL", "ENOSPC"})

_LINE = re.compile(r"(\d+) +(\w+)\((.*)")
_FIRST = re.compile(r"\d+<[^>]*>")
_UNUSED_FOLDER = re.compile(r'(?:AT_FDCWD|\d+)<[^>]*>, (?="/)')
"""The folder that a path would be relative to, before one that is absolute."""


class Point(NamedTuple):
    """A system call of a run.

    Attributes:
        call: its name.
        ordinal: the how manieth of its name it is in its process, from 1.
        text: its arguments as strace shows them.
    """

    call: str
    ordinal: int
    text: str = ""

    @property
    def changes(self) -> bool:
        """Whether it changes something: of the calls that open a file, only those that may create it."""
        if self.call in _OPEN:
            return "O_CREAT" in self.text
        return self.call not in {*_READ_FILE, *_READ_NAME, *_LOCK}


class Fault(NamedTuple):
    """A fault of one of :data:`KINDS` at a point of a run."""

    kind: str
    point: Point

    @property
    def expression(self) -> str:
        """What ``strace --inject`` takes."""
        what = f"signal=SIG{self.kind}" if self.kind in SIGNALS else f"error={self.kind}"
        return f"{self.point.call}:{what}:when={self.point.ordinal}"

    def __str__(self) -> str:
        return f"{self.kind} at {self.point.call} {self.point.ordinal} ({self.point.text[:160]})"


class Ended(NamedTuple):
    """How a run ended.

    Attributes:
        status: the exit status; the negative number of a signal; ``None`` where it did not end in time.
        out: standard output.
        err: standard error.
    """

    status: int | None
    out: str
    err: str


def run_traced(
    command: Sequence[str],
    trace: Path,
    fault: Fault | None,
    *,
    folder: Path,
    environ: Mapping[str, str],
    deadline_seconds: float,
) -> Ended:
    """Run a command with one fault or none, and leave a list of its system calls in *trace*; with one, of that call."""
    names = ",".join(f"?{name}" for name in CALLS) if fault is None else fault.point.call
    inject = [] if fault is None else ["--inject", fault.expression]
    # The filter of seccomp lets calls that are not traced run at full speed, and drops signals.
    quick = [] if fault is not None and fault.kind in SIGNALS else ["--seccomp-bpf"]
    tracing = ["strace", "-f", "-y", "-qq", *quick, "-o", str(trace), "--trace", names, *inject, "--"]
    return run_to_end([*tracing, *command], folder=folder, environ=environ, deadline_seconds=deadline_seconds)


def run_to_end(command: Sequence[str], *, folder: Path, environ: Mapping[str, str], deadline_seconds: float) -> Ended:
    """Run a command; where it does not end in time, kill it and what it started."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=deadline_seconds)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            status = None
    return Ended(status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def points(trace: Iterable[str], below: Sequence[str], unread: Sequence[str] = ()) -> list[Point]:
    """Return the calls of a run that change or read something, in their order.

    A fault meets the same ordinal in every process of a run. A call that shares it with one elsewhere is left out, for
    what happened there would be told of it.

    Args:
        trace: the lines that strace wrote.
        below: the folders that count.
        unread: pieces of paths; calls that only read one of those do not count.
    """
    ordinals: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Point] = {}
    elsewhere = set()
    for each in trace:
        match = _LINE.match(each)
        if match is None:
            continue
        process, call, text = match.groups()
        ordinals[process, call] += 1
        point = Point(call, ordinals[process, call], text)
        place = (call, point.ordinal)
        if _is_below(point, below) and (point.changes or not any(part in text for part in unread)):
            found.setdefault(place, point)
        else:
            elsewhere.add(place)
    return [point for place, point in found.items() if place not in elsewhere]


def _is_below(point: Point, below: Sequence[str]) -> bool:
    text = point.text
    if point.call in {*_ON_FILE, *_READ_FILE, *_LOCK}:  # what is written may name any path
        first = _FIRST.match(text)
        text = first[0] if first else ""
    text = _UNUSED_FOLDER.sub("", text)
    return any(folder in text for folder in below)


def choose(found: Sequence[Point], kind: str, most: int) -> Iterator[Fault]:
    """Yield at most so many faults of a kind: every call in turn, and each evenly over the run.

    Where there are more calls than faults, some that are rare and some that are frequent get one.
    """
    groups: dict[str, list[Point]] = {}
    for point in found:
        if point.call in KINDS[kind] and (point.changes or kind not in _ONLY_CHANGES):
            groups.setdefault(f"{point.call} {point.changes}", []).append(point)
    ordered = sorted(groups.values(), key=len)
    if len(ordered) > most:
        ordered = [ordered[place * len(ordered) // most] for place in range(most)]
    left = most
    chosen: list[Point] = []
    for number, group in enumerate(ordered):
        share = min(len(group), -(-left // (len(ordered) - number)))
        chosen += [group[place * len(group) // share] for place in range(share)]
        left -= share
    yield from (Fault(kind, point) for point in chosen)
