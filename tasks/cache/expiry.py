"""Which entries expire, and to which kind a loose file belongs: decided from names and times alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import stat_result
from typing import NamedTuple

from ..core.settings.model import CacheSettings

_NS_PER_HOUR = 3_600_000_000_000

_CLOCK_TOLERANCE_NS = 5 * 60 * 1_000_000_000
"""How far ahead of our clock an entry may be dated: 5 minutes, the tolerance that Kerberos made customary."""


MARKERS = frozenset({".gitignore", ".gitkeep", ".keep", "CACHEDIR.TAG"})
"""Files that people and tools put into a cache folder to mark it: they are no entries and never expire."""


class Expiry(NamedTuple):
    """When the entries of one folder expire, and whether this run may delete them.

    Attributes:
        hours: the age at which an entry expires; ``None``: entries here never do.
        before_ns: an entry written before this moment (nanoseconds since the epoch) has expired.
        now_ns: the moment of the run.
        newest: an entry was written at the later of its mtime and its ctime, not at its mtime.
        active: False where this run only counts.
        clock_doubted: True where the clock is not believed, so that nothing is deleted for its age.
    """

    hours: float | None
    before_ns: int
    now_ns: int
    newest: bool
    active: bool
    clock_doubted: bool = False

    def written_ns(self, status: stat_result) -> int:
        """Return when the entry was written, in nanoseconds since the epoch."""
        return max(status.st_mtime_ns, status.st_ctime_ns) if self.newest else status.st_mtime_ns

    def has_expired(self, written_ns: int) -> bool:
        """Tell whether an entry is to be deleted by this run, if the clock is believed."""
        return self.active and self.hours is not None and written_ns < self.before_ns

    def is_ahead(self, written_ns: int) -> bool:
        """Tell whether an entry claims to be written later than now, beyond what clocks may differ."""
        return written_ns > self.now_ns + _CLOCK_TOLERANCE_NS


class Plan(NamedTuple):
    """What this run does with each kind of entry.

    Attributes:
        expiry: per kind, that is per folder of the cache.
        prefixes: the kind to which a loose file belongs, by the start of its name; the longest start that fits decides.
        unmanaged: for folders that are no kind: they are counted and left alone.
    """

    expiry: Mapping[str, Expiry]
    prefixes: Mapping[str, str]
    unmanaged: Expiry

    def kind_of(self, name: str) -> str | None:
        """Return the kind to which a loose file called *name* belongs; ``None`` where no prefix fits."""
        fitting = [prefix for prefix in self.prefixes if name.startswith(prefix)]
        return self.prefixes[max(fitting, key=len)] if fitting else None


def plan(
    settings: CacheSettings,
    now_ns: int,
    *,
    kinds: Collection[str] = (),
    older_than: float | None = None,
    clock_doubted: bool = False,
) -> Plan:
    """Return the plan for a run at *now_ns* (nanoseconds since the epoch).

    Args:
        settings: the cache's settings.
        now_ns: the moment of the run.
        kinds: clean only these; all where empty.
        older_than: an age in hours that takes the place of every configured one.
        clock_doubted: the clock is too far ahead to be believed. An age of 0 hours does not depend on that.
    """
    newest = settings.age_by == "newest"

    def expiry(kind: str, configured: float) -> Expiry:
        hours = configured if older_than is None else older_than
        before_ns = now_ns - round(hours * _NS_PER_HOUR)
        is_active = not kinds or kind in kinds
        return Expiry(hours, before_ns, now_ns, newest, is_active, clock_doubted=clock_doubted and hours > 0)

    return Plan(
        expiry={kind: expiry(kind, hours) for kind, hours in settings.expiry_hours.items()},
        prefixes={prefix: kind for prefix, kind in settings.prefixes.items() if kind in settings.expiry_hours},
        unmanaged=Expiry(None, 0, now_ns, newest, active=False),
    )
