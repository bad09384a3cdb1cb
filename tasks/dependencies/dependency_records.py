"""The files of an installed package, by the list that its installer left (``RECORD``, PEP 376 and 627)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from ..core.files.safe_files import Refused
from ..core.text.formatting import printable
from .environment import Environment


def infos(environment: Environment, name: str) -> Iterator[Path]:
    """Yield the folders ``NAME-VERSION.dist-info`` of a package, by its normalized name, within the environment."""
    for folder in environment.folders:
        if folder.is_relative_to(environment.prefix):
            for info in folder.glob("*.dist-info"):
                if canonicalize_name(info.name.removesuffix(".dist-info").rpartition("-")[0]) == name:
                    yield info


def recorded(info: Path) -> list[str]:
    """Return the files that a package's list names, relative to the folder that *info* lies in.

    Raises:
        Refused: there is no list, or none that can be read.
    """
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as lines:
            return [row[0] for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"The list of files of {printable(info.name)} cannot be read: {printable(error)}.") from None
