"""The installed packages and their licences, as the project's interpreter tells them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from ...core.programs.processes import Ended, run
from ...core.text.formatting import duration, printable
from .expressions import canonical
from .names import CLASSIFIERS, GENERIC, of_text

_PROBE = Path(__file__).with_name("licences_probe.py")

_SECONDS = 60.0

_UNVERSIONED = "LicenseRef-"


class StatedLicence(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata of a package say: the fields of the core metadata specification."""

    name: str
    version: str
    expression: str = ""
    text: str = ""
    classifiers: list[str] = []


class Unknown(NamedTuple):
    """The interpreter told nothing; the message is a sentence."""

    message: str


def installed(python: Path, environ: Mapping[str, str], stop: Event) -> list[StatedLicence] | Unknown:
    """Return what an interpreter tells of its packages.

    Args:
        python: the interpreter.
        environ: the process's environment.
        stop: ends it early where it is set.
    """
    ended = run([python, "-I", "-B", _PROBE], folder=Path("/"), environ=environ, deadline_seconds=_SECONDS, stop=stop)
    name = printable(str(python))
    if not ended.succeeded:
        return Unknown(f"{name} does not work: {_failure(ended)}.")
    try:
        return sorted(msgspec.json.decode(ended.output, type=list[StatedLicence]), key=lambda each: each.name)
    except msgspec.MsgspecError:
        return Unknown(f"{name} answers with something else than was asked for.")


def _failure(ended: Ended) -> str:
    if ended.overdue:
        return f"it has not answered within {duration(_SECONDS)}, or was interrupted"
    return printable(ended.problem or ended.last_words()) or "it ended without a word"


def licence(package: StatedLicence) -> str | None:
    """Return the licence of a package as an SPDX expression; ``None`` where it tells none that is known.

    The field that is made for it comes first (PEP 639), then the classifiers, then free text. Several classifiers
    may be alternatives or not: nobody can tell, so all are taken to apply. Free text is asked too where a classifier
    leaves the version open.
    """
    if found := canonical(package.expression):
        return found
    named = [each for each in dict.fromkeys(package.classifiers) if each not in GENERIC]
    known = [CLASSIFIERS[each] for each in named if each in CLASSIFIERS]
    text = canonical(package.text.strip()) or of_text(package.text)
    if named and len(known) == len(named):
        (first, *others) = known
        is_open = not others and first.startswith(_UNVERSIONED)
        return text if is_open and text else " AND ".join(known)
    return None if named else text
