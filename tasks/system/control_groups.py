"""The limits that Linux sets to groups of processes (cgroup v2): what a container or a service may use.

Source: the kernel's Documentation/admin-guide/cgroup-v2.rst. A limit of any group above counts as well, so all
levels are read. Version 1 and systems without control groups have no groups here; the machine's figures stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from .machine_figures import Amount, Quota

MOUNT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def own_groups(mount: Path = MOUNT, own: Path = OWN) -> list[Path]:
    """Return the folders of this process's control group and of those above it, its own first.

    Args:
        mount: where the file system of the control groups is mounted.
        own: the file that names this process's group (``0::/user.slice``).
    """
    lines = _text(own).splitlines()
    names = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    if not names or not (mount / "cgroup.controllers").is_file():
        return []
    path = PurePosixPath(names[0].lstrip("/"))
    # A path that leads out of the mount, or is not below it, is that of a group seen from another container: then
    # the mount itself is the nearest group that can be seen.
    inside = [] if ".." in path.parts else [path, *path.parents]
    folders = [mount / name for name in inside]
    return [folder for folder in folders if folder.is_dir()] or [mount]


def memory_limit(groups: Sequence[Path], machine: int) -> Amount | None:
    """Return used and allowed bytes of the group that is nearest to its limit; ``None`` where none has a limit.

    Used is what the group could not give back at once: ``memory.current`` without the pages of files that nobody
    has used of late (``inactive_file``).

    Args:
        groups: folders of control groups.
        machine: the memory of the machine in bytes; a limit above it limits nothing.
    """
    amounts = []
    for group in groups:
        limit, current = _number(_text(group / "memory.max")), _number(_text(group / "memory.current"))
        if limit and current is not None and limit < machine:
            reclaimable = _counters(_text(group / "memory.stat")).get("inactive_file", 0)
            amounts.append(Amount(max(0, current - reclaimable), limit))
    return max(amounts, key=lambda amount: amount.used / amount.total, default=None)


def processor_limits(groups: Sequence[Path], processors: int) -> dict[Path, float]:
    """Return the groups that may use less than all *processors*, with the number whose time they may use."""
    limits = {}
    for group in groups:
        quota, _, period = _text(group / "cpu.max").strip().partition(" ")
        allowed, length = _number(quota), _number(period)
        if allowed and length and allowed / length < processors:
            limits[group] = allowed / length
    return limits


def processor_seconds(groups: Sequence[Path]) -> dict[Path, float]:
    """Return the processor time in seconds that each of the groups has used, where it tells."""
    used = {group: _counters(_text(group / "cpu.stat")).get("usage_usec") for group in groups}
    return {group: number / 1e6 for group, number in used.items() if number is not None}


def tightest(
    limits: Mapping[Path, float], before: Mapping[Path, float], after: Mapping[Path, float], seconds: float, own: float
) -> Quota | None:
    """Return the quota of which most was used between two readings; ``None`` where there is none.

    Args:
        limits: from :func:`processor_limits`.
        before: the first reading of :func:`processor_seconds`.
        after: the second.
        seconds: the time between them.
        own: seconds of processor time that this process used meanwhile; they do not count.
    """
    quotas = [
        Quota(allowed, 100 * max(0.0, after[group] - before[group] - own) / (allowed * seconds))
        for group, allowed in limits.items()
        if group in before and group in after
    ]
    return max(quotas, key=lambda quota: quota.percent, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _number(text: str) -> int | None:
    """Return the whole number that *text* is; ``None`` for ``max`` and for what is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() else None


def _counters(text: str) -> dict[str, int]:
    """Return the lines ``name number`` of *text*."""
    pairs = (line.partition(" ") for line in text.splitlines())
    found = ((name, _number(number)) for name, _, number in pairs)
    return {name: number for name, number in found if number is not None}
