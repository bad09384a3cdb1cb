"""Git, asked so that nothing of the repository's own making is started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SECONDS = 10
"""After which Git is not waited for."""

_PASSED_ON = ("PATH", "HOME", "XDG_CONFIG_HOME", "SystemRoot", "TMPDIR")


class GitError(Exception):
    """Git is not there, does not answer, or cannot answer this; the message says why, as the end of a sentence."""


def is_none(error: GitError) -> bool:
    """Tell whether Git said that there is no repository."""
    return "not a git repository" in str(error)


def ask(root: Path, *arguments: str, answer: int = 0) -> str:
    """Return what Git prints. No monitor or converter of the repository's is started.

    Args:
        root: the folder in which it is asked.
        arguments: the command and its options.
        answer: an exit status that is an answer as well: 1 means no with some commands.

    Raises:
        Silent: it gave no answer.
    """
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git gave no answer in {_SECONDS} s") from None
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror}") from None
    if done.returncode not in {0, answer}:
        lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        fatal = next((line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")), "")
        raise GitError(fatal.rstrip(".") or (lines[-1] if lines else f"git ended with {done.returncode}"))
    return done.stdout.decode("utf-8", "surrogateescape")
