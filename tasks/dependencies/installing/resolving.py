"""Finding out what an update would install, by pip's own resolver, without installing it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.utils import canonicalize_name

from ..refusals import Refusal
from .pip_runner import Pip


class Sources(NamedTuple):
    """Where pip is to look for packages.

    Attributes:
        options: the lines with options of the project's requirements files.
        index_url: the setting; empty: as pip is configured.
    """

    options: tuple[str, ...] = ()
    index_url: str = ""

    def lines(self) -> list[str]:
        """Return them as lines of a requirements file; the last index named is the one that counts."""
        return [*self.options, *([f"--index-url {self.index_url}"] if self.index_url else [])]


class _Metadata(msgspec.Struct):
    name: str
    version: str


class _Install(msgspec.Struct):
    metadata: _Metadata


class _Report(msgspec.Struct):
    """The part that matters of pip's installation report (its documentation, "Installation Report", version 1)."""

    install: list[_Install]


def resolve(
    pip: Pip, requirements: Iterable[str], constraints: Iterable[str], sources: Sources
) -> Mapping[str, str] | Refusal:
    """Return what pip would install into an empty environment: versions by normalized name.

    Args:
        pip: the environment's.
        requirements: lines of a requirements file.
        constraints: lines of a constraints file.
        sources: where it looks.
    """
    with tempfile.TemporaryDirectory(prefix="zbeam-resolve-") as name:
        folder = Path(name)
        wanted, limits, report = folder / "requirements.txt", folder / "constraints.txt", folder / "report.json"
        _write(wanted, [*sources.lines(), *requirements])
        _write(limits, constraints)
        ended = pip.call(
            *("install", "--dry-run", "--ignore-installed", "--quiet", "--report", report),
            *("--requirement", wanted, "--constraint", limits, "--retries", "1"),
        )
        if not ended.succeeded:
            said = ended.errors.decode("utf-8", "replace")
            if "ResolutionImpossible" in said:
                conflict = _conflict(said) or pip.reason(ended)
                return Refusal(
                    f"No set of versions suits everybody who asks for them: {pip.redact(conflict)}.",
                    "Loosen one of these requirements, or update fewer packages (--only).",
                )
            remedy = "See that the package index can be reached and has what the requirements ask for."
            return pip.refusal("What to install could not be found out", ended, remedy)
        try:
            found = msgspec.json.decode(report.read_bytes(), type=_Report).install
        except (OSError, msgspec.MsgspecError) as error:
            return Refusal(f"pip's report cannot be read: {error}.", "Update the environment's pip.")
    return {canonicalize_name(each.metadata.name): each.metadata.version for each in found}


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _conflict(said: str) -> str:
    """Return what pip names as the cause of a conflict, on one line."""
    _, _, after = said.partition("The conflict is caused by:")
    causes, _, _ = after.partition("\n\n")
    return "; ".join(line.strip() for line in causes.splitlines() if line.strip())
