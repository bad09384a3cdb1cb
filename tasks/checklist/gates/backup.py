"""Is there a recent backup that was restored and compared?"""

from __future__ import annotations

from ...core.report import Status
from ..gate import Gate
from ..taken import Taken

TAKEN = Taken(
    Gate("backup", "a recent backup was verified"),
    "quarterly.backup-verification",
    {"backup.recent": Status.WARNING, "backup.": Status.CRITICAL},
)
