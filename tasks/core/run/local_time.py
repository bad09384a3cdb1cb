"""Whether the system can use the time zone that the environment names."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from ..report.model import Finding, Status
from ..text.formatting import printable

_RULE = re.compile(r"([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d")
"""How a zone begins that is written out, as POSIX has it: ``CET-1CEST``, ``<+03>-3``."""


def zone_findings(environ: Mapping[str, str]) -> list[Finding]:
    """Report a time zone that the system does not know: it then takes UTC, without a word.

    Args:
        environ: the environment of this process, whose ``TZ`` holds since its start.
    """
    zone = environ.get("TZ", "")
    if _is_usable(zone.removeprefix(":")):
        return []
    return [
        Finding(
            check="run.timezone",
            subject="TZ",
            status=Status.WARNING,
            message=f"The system does not know the time zone {printable(zone)!r}, so local times are read as UTC.",
            remedy="Set TZ to a zone such as Europe/Berlin whose data is installed (package tzdata), or unset it.",
        )
    ]


def _is_usable(zone: str) -> bool:
    if zone in {"", "UTC", "GMT"} or time.timezone or time.daylight or _RULE.match(zone):
        return True
    # The system's clock shows UTC all year: right for some zones, and what an unknown one gives.
    from zoneinfo import ZoneInfo

    try:
        if zone.startswith("/"):
            with Path(zone).open("rb") as file:
                known = ZoneInfo.from_file(file)
        else:
            known = ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        return False
    year = datetime.now(known).year
    return not any(datetime(year, month, 1, tzinfo=known).utcoffset() != timedelta() for month in (1, 7))
