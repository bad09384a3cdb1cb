"""What holds in the shell in which the schedule is installed, and will not when it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..core.report.model import Finding, Status
from ..core.secrets.keys import Key

_CARRIED = {("root",), ("output",)}
"""Settings that the job carries, and those that are about what is printed now."""


def missing_later(
    origins: Mapping[tuple[str, ...], str], keys: Mapping[str, Key], kept: Mapping[str, Key]
) -> Iterator[Finding]:
    """Yield a warning on settings, and one on keys, that will not be there.

    Args:
        origins: where the value of each setting comes from, by its path.
        keys: the keys that hold now, by their variables.
        kept: those that the project's ``.env`` has.
    """
    settings = [
        ".".join(("maintenance", *path))
        for path, origin in origins.items()
        if path not in _CARRIED and (origin.startswith("environment ") or origin.endswith(" (-f)"))
    ]
    if settings:
        yield _warning("settings", settings, "Write them into invoke.yaml.")
    names = [name for name, key in keys.items() if key.source == "environment" and key.value and not kept[name].value]
    if names:
        yield _warning("keys", names, "Write them into the project's .env.")


def _warning(subject: str, names: Sequence[str], remedy: str) -> Finding:
    return Finding(
        check="schedule.outside",
        subject=subject,
        status=Status.WARNING,
        message=f"They hold in this shell and not when the schedule runs: {', '.join(names)}.",
        remedy=remedy,
    )
