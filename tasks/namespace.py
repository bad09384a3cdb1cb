"""What ``inv --list`` shows, read from top to bottom.

Each collection is a module of thin tasks in this folder; what they call is in the package of its domain
(``logs``, ``cache``, ``providers``, …), and what all of them share in ``core``.
"""

from __future__ import annotations

from invoke import Collection

from . import backup, daily, demo, emergency, monthly, quarterly, release, report, schedule, settings, weekly
from .core.output import excepthook

excepthook.install()

namespace = Collection(
    demo.demo,
    daily,
    weekly,
    monthly,
    quarterly,
    emergency,
    release,
    backup,
    schedule,
    settings,
    report,
)
