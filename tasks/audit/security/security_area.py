"""The area *security*: secrets in Git, ``.env`` and Git, and who can read the files that hold keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from ...conventions.project_conventions import ProjectConventions
from ...core.report.model import Finding
from ...core.settings.model import Settings
from .git_tracking import ignore_findings, tracked_files
from .key_files import find_key_files
from .key_permissions import mounts, permission_findings
from .tracked_secrets import secret_findings


def examine_security(
    root: Path,
    settings: Settings,
    conventions: ProjectConventions,
    stop: Event,
    advance: Callable[[int], None],
) -> list[Finding]:
    """Return the findings of every check of this area, at least one of each.

    Args:
        root: the project; it may be a folder of its repository.
        settings: name the folders of the cache and of the logs.
        conventions: the project's; they say whether it keeps a ``.env``.
        stop: ends the work where it is set; what was not looked at is unknown then.
        advance: called after each tracked file.
    """
    tracked = tracked_files(root)
    walked = find_key_files(root, settings, stop)
    return [
        *secret_findings(root, tracked, stop, advance),
        *ignore_findings(root, tracked, walked.keys, conventions.environment_file, conventions.files.cut),
        *permission_findings(root, walked, mounts(), frozenset(tracked.paths)),
    ]
