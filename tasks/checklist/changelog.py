"""The changelog: which version its topmost released section is about.

The format is that of Keep a Changelog (https://keepachangelog.com): a heading of the second level for each version,
``## [1.2.0] - 2030-01-31``, and one for what is not released yet, ``## [Unreleased]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from ..core.files import safe_files
from ..core.text.formatting import printable
from .release_repository import parsed

_LIMIT = 10_000_000
_HEADING = re.compile(r"##\s+\[?(?P<name>[^\]\s]+)(?P<rest>.*)")
_NOT_OUT = re.compile(r"unreleased|tbd|tba|yanked", re.IGNORECASE)
"""What stands behind a version that is not released, or is released no more (the convention's own YANKED)."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")


class Changelog(NamedTuple):
    """What the changelog says.

    Attributes:
        released: the version of its topmost released section; ``None`` where there is none.
        problem: why it cannot be used, as a sentence; empty where it can.
        missing: True where there is no such file.
    """

    released: Version | None = None
    problem: str = ""
    missing: bool = False


def read_changelog(root: Path, path: str) -> Changelog:
    """Return what the changelog *path* below *root* says."""
    try:
        text = safe_files.read(root, path, limit=_LIMIT).decode("utf-8-sig")
    except FileNotFoundError:
        return Changelog(missing=True)
    except UnicodeDecodeError:
        return Changelog(problem=f"{printable(path)} is no text in UTF-8.")
    except safe_files.Refused as error:
        return Changelog(problem=str(error))
    except OSError as error:
        return Changelog(problem=f"{printable(path)} cannot be read: {error.strerror}.")
    return _parsed(text, path)


def _parsed(text: str, path: str) -> Changelog:
    names = [*_sections(_COMMENT.sub("", text))]
    if not names:
        return Changelog(
            problem=f"{printable(path)} has another format than Keep a Changelog: no heading ## [VERSION]."
        )
    released = [name for name in names if name.casefold() != "unreleased"]
    if not released:
        return Changelog()
    version = parsed(released[0])
    if version is None:
        section = printable(released[0])
        return Changelog(problem=f"The topmost section of {printable(path)} is about {section}, which is no version.")
    return Changelog(version)


def _sections(text: str) -> Iterator[str]:
    """Yield what the headings of the second level begin with, those in blocks of code left out.

    Of a version that is not released yet, or no more, it is "unreleased".
    """
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line)):
            yield "unreleased" if _NOT_OUT.search(heading["rest"]) else heading["name"].rstrip(":")
