"""Is there room on the disk?"""

from __future__ import annotations

from ...core.report import Status
from ..gate import Gate
from ..taken import Taken

TAKEN = Taken(
    Gate("disk", "there is room on the disk"),
    "daily.health-check",
    {"system.disk": Status.CRITICAL, "system.inodes": Status.CRITICAL},
)
