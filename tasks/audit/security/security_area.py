"""The examination of this area."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from ...core.report.model import Finding
from ...core.settings.model import Settings
from .ignoring import evaluate_ignoring
from .key_files import find_key_files
from .permissions import evaluate_permissions, mounts
from .secrets import find_secrets
from .tracked import tracked_files


def examine(root: Path, settings: Settings, stop: Event, advance: Callable[[int], None]) -> list[Finding]:
    """Return the findings of every check of this area, at least one of each.

    Args:
        root: the project; it may be a folder of its repository.
        settings: name the folders of the cache and of the logs.
        stop: ends the work where it is set; what was not looked at is unknown then.
        advance: is told of each tracked file that was read.
    """
    tracked = tracked_files(root)
    walked = find_key_files(root, settings, stop)
    return [
        *find_secrets(root, tracked, stop, advance),
        *evaluate_ignoring(root, tracked, walked.keys),
        *evaluate_permissions(root, walked, mounts()),
    ]
