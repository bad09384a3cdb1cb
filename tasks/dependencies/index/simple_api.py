"""The simple repository API of package indexes, in JSON (PEP 691, 700) and in HTML (PEP 503, 592)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

JSON = "application/vnd.pypi.simple.v1+json"

ACCEPT = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""What pip sends: JSON where the index has it."""


class Release(NamedTuple):
    """One version of a package.

    Attributes:
        version: of it.
        uploaded: when its first file was; ``None``: the index does not tell.
        yanked: True where all of its files were withdrawn.
        pythons: the versions of Python that it runs on, one set per file that is not withdrawn.
    """

    version: Version
    uploaded: datetime | None = None
    yanked: bool = False
    pythons: tuple[SpecifierSet, ...] = (SpecifierSet(),)

    def runs_on(self, python: Version) -> bool:
        """Tell whether one of its files is for that Python."""
        return any(specifier.contains(python, prereleases=True) for specifier in self.pythons)


class NoPage(Exception):
    """What was sent is no page of a package index."""


class _File(msgspec.Struct):
    """A file as the page has it."""

    filename: str
    requires_python: str | None = msgspec.field(default=None, name="requires-python")
    upload_time: str | None = msgspec.field(default=None, name="upload-time")
    yanked: bool | str = False


class _Page(msgspec.Struct):
    files: list[_File]


def releases(content: bytes, kind: str) -> tuple[Release, ...]:
    """Return the releases that a project's page tells of; files whose names tell no version are left out.

    Args:
        content: the page.
        kind: its ``Content-Type``.

    Raises:
        NoPage: it is none.
    """
    if "json" in kind:
        try:
            files = msgspec.json.decode(content, type=_Page).files
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise NoPage from None
    elif "html" in kind:
        files = _from_html(content.decode("utf-8", "replace"))
    else:
        raise NoPage
    return tuple(_releases(files))


class _Anchors(HTMLParser):
    """Collects the files that a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[_File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        target = found.get("href")
        if tag != "a" or not target:
            return
        yanked = found["data-yanked"] or True if "data-yanked" in found else False
        name = unquote(urlsplit(target).path.rpartition("/")[2])
        self.files.append(_File(name, found.get("data-requires-python"), None, yanked))


def _from_html(text: str) -> list[_File]:
    if "<" not in text:
        raise NoPage
    anchors = _Anchors()
    try:
        anchors.feed(text)
        anchors.close()
    except AssertionError:  # how html.parser refuses a marked section that it does not know, <![x
        raise NoPage from None
    return anchors.files


def _releases(files: Iterable[_File]) -> Iterator[Release]:
    by_version = defaultdict[Version, list[_File]](list)
    for file in files:
        version = _version(file.filename)
        if version is not None:
            by_version[version].append(file)
    for version, found in by_version.items():
        times = [time for time in map(_uploaded, found) if time is not None]
        kept = [file for file in found if file.yanked is False]
        yield Release(
            version,
            min(times, default=None),
            not kept,
            tuple({_pythons(file) for file in kept or found}),
        )


def _version(name: str) -> Version | None:
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[1]
        if name.endswith((".tar.gz", ".zip")):
            return parse_sdist_filename(name)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        pass
    return None


def _uploaded(file: _File) -> datetime | None:
    try:
        time = datetime.fromisoformat(file.upload_time or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _pythons(file: _File) -> SpecifierSet:
    try:
        return SpecifierSet(file.requires_python or "")
    except InvalidSpecifier:
        return SpecifierSet()
