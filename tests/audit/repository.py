"""A real Git repository for the tests of the audit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

GIT = shutil.which("git") or "git"


def git(root: Path, *arguments: str) -> None:
    """Run Git as somebody who has configured nothing."""
    own = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    subprocess.run([GIT, *own, *arguments], cwd=root, check=True, capture_output=True)
