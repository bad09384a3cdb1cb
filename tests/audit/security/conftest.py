from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

_GIT = shutil.which("git") or "git"
_AUTHOR = ("-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture(scope="session")
def git() -> Callable[..., None]:
    def run(root: Path, *arguments: str) -> None:
        command = [_GIT, *_AUTHOR, "-c", "protocol.file.allow=always", *arguments]
        subprocess.run(command, cwd=root, check=True, capture_output=True)

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., None]) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet")
    return root


@pytest.fixture
def add(repository: Path, git: Callable[..., None]) -> Callable[[str, str | bytes], Path]:
    """Write a file of the repository and have Git track it."""

    def write(path: str, content: str | bytes) -> Path:
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        git(repository, "add", "--force", "--", path)
        return file

    return write
