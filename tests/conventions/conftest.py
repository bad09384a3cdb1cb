"""A project of files, with or without Git."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.conventions.project_files import ProjectFiles

GIT = shutil.which("git") or "git"


class Project:
    """A folder to be looked at."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: dict[str, str]) -> None:
        """Write files, by their path below the root."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def files(self, is_own: Callable[[str], bool] = lambda _path: False) -> ProjectFiles:
        """Return its files, looked at anew."""
        return ProjectFiles(self.root, is_own=is_own)

    def git(self, *arguments: str) -> None:
        """Run Git in it."""
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run([GIT, *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        """Make it a repository that tracks all of it."""
        self.git("init", "-q")
        self.git("add", "--force", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "all")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty one."""
    return Project(tmp_path)
