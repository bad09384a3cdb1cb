"""The lock: everything that is installed, with its version, apart from what the project asks for by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from ..environment import Installed


def lock_path(requirements: str) -> str:
    """Return the lock's path for that of a requirements file: ``requirements.lock.txt``."""
    path = PurePosixPath(requirements)
    return str(path.with_name(f"{path.stem}.lock{path.suffix or '.txt'}"))


def lock_text(packages: Iterable[Installed], python: str, requirements: str) -> str:
    """Return the lock: one line per package, as ``pip install --requirement`` takes it.

    What was installed from elsewhere than an index is told in a comment, for nobody else has it.
    """
    lines = [
        f"# Everything that was installed for {requirements} with Python {python}.",
        "# Written by inv monthly.dependency-update; the next update writes it anew.",
    ]
    for package in sorted(packages):
        pin = f"{package.name}=={package.version}"
        lines.append(f"# {pin} ({package.source})" if package.source else pin)
    return "".join(f"{line}\n" for line in lines)
