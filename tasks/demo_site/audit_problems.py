"""What the audit has to find in the demo project: a circle of imports, a secret in Git, a file of keys open to all."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path

from ..core.programs import git
from ..core.report.model import Status
from .planted import Planted

SETTINGS = {"places": ["README.md", "requirements.txt", "config", "data", "components"]}
"""What the demo project is expected to have, and has."""

_IMPORTED = "generator/prompts.py"
_SCRIPT = "tools/deploy.sh"
_LETTERS = 36
"""Of a personal access token of GitHub, behind its prefix."""


def plant(site: Path) -> Iterator[Planted]:
    """Plant them in the project at *site*, which becomes a repository, and yield them.

    Without Git there is no secret in it.
    """
    module = site / _IMPORTED
    module.write_text(f"from . import writer\n{module.read_text(encoding='utf-8')}", encoding="utf-8")
    yield Planted("modules that import each other", "audit.cycles", "generator.prompts", 1, Status.WARNING)

    (site / ".env").chmod(0o644)
    yield Planted("keys that every user can read", "audit.permissions", ".env", None, Status.CRITICAL)

    script = site / _SCRIPT
    script.parent.mkdir()
    script.write_text(f"export GITHUB_TOKEN={_token()}\n", encoding="utf-8")
    try:
        git.ask(site, "init", "--quiet", "--template=", "--initial-branch=main")
        git.ask(site, "add", "--force", _SCRIPT)
    except git.GitError:
        return
    yield Planted("a secret that Git tracks", "audit.secrets", _SCRIPT, 1, Status.CRITICAL)


def _token() -> str:
    """Return what looks like a token and is none: put together here, so that no scanner finds it in this file."""
    chance = random.Random("token")  # noqa: S311 - it has to be nobody's
    return "ghp_" + "".join(chance.choices(string.ascii_letters + string.digits, k=_LETTERS))
