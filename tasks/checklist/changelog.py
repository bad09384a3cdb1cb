"""The changelog: which version its newest released section is about, and which release was before that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from ..conventions.changelog_sections import read_sections
from ..core.files import safe_files
from ..core.text.formatting import printable

_LIMIT = 10_000_000


class Changelog(NamedTuple):
    """What the changelog says.

    Attributes:
        path: where it lies, below the root; empty where the project has none.
        released: the version of its newest released section; ``None`` where there is none.
        earlier: the version of the released section before that; ``None`` where there is none.
        problem: why it cannot be used, as a sentence; empty where it can.
        fragments: the folder of the fragments that make its next section; empty where there is none.
    """

    path: str = ""
    released: Version | None = None
    earlier: Version | None = None
    problem: str = ""
    fragments: str = ""


def read_changelog(root: Path, path: str, fragments: str = "") -> Changelog:
    """Return what the changelog *path* below *root* says.

    Args:
        root: the project.
        path: the changelog's, below it.
        fragments: the folder of the fragments that make its next section.
    """
    name = printable(path)
    try:
        text = safe_files.read(root, path, limit=_LIMIT).decode("utf-8-sig")
    except FileNotFoundError:
        return Changelog(path, problem=f"{name} is not there.")
    except UnicodeDecodeError:
        return Changelog(path, problem=f"{name} is no text in UTF-8.")
    except safe_files.Refused as error:
        return Changelog(path, problem=str(error))
    except OSError as error:
        return Changelog(path, problem=f"{name} cannot be read: {error.strerror}.")
    return _parsed(text, path)._replace(fragments=fragments)


def _parsed(text: str, path: str) -> Changelog:
    name = printable(path)
    sections = read_sections(text)
    if not sections:
        return Changelog(path, problem=f"No title in {name} names a version.")
    released = [each for each in sections if each.released]
    if not released:
        return Changelog(path)
    newest, *older = released
    if newest.version is None:
        about = printable(newest.name)
        return Changelog(path, problem=f"{name}:{newest.line} is about {about}, which is no version.")
    before = next((each.version for each in older if each.version and each.version != newest.version), None)
    return Changelog(path, newest.version, before)
