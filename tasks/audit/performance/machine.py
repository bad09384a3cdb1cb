"""Which machine this is: benchmarks of two machines say nothing about a program."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import NamedTuple

_IDENTITIES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
"""Where Linux keeps what systemd's ``machine-id(5)`` describes: an identity that outlives restarts."""

_CPUINFO = Path("/proc/cpuinfo")


class Machine(NamedTuple):
    """A machine.

    Attributes:
        identity: twelve hexadecimal digits, the same as long as all that follows and the machine's own id are.
        processor: its name.
        processors: how many there are.
        python: the implementation and version that ran the benchmarks.
    """

    identity: str
    processor: str
    processors: int
    python: str


def this_machine() -> Machine:
    """Return the machine that this runs on. Its own id and name are in the identity as a hash only."""
    processor, processors = _processor(), os.cpu_count() or 1
    python = f"{platform.python_implementation()} {platform.python_version()}"
    own = next((text for path in _IDENTITIES if (text := _text(path))), platform.node())
    parts = "\n".join([own, platform.system(), platform.machine(), processor, str(processors), python])
    return Machine(
        hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:12], processor, processors, python
    )


def _processor() -> str:
    for line in _text(_CPUINFO).splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "cpu model"}:
            return value.strip()
    return platform.processor() or platform.machine()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
