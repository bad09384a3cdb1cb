"""Releases as tags tell of them: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from .repository import Repository, Tag


class Release(NamedTuple):
    """A tag that names a version."""

    version: Version
    tag: Tag


def releases(repository: Repository, prefix: str) -> Iterator[Release]:
    """Yield the tags that name a version.

    Args:
        repository: the repository.
        prefix: what stands before the version in the name of a tag.
    """
    for tag in repository.tags:
        version = parsed(tag.name.removeprefix(prefix)) if tag.name.startswith(prefix) else None
        if version is not None:
            yield Release(version, tag)


def strays(repository: Repository, prefix: str) -> Iterator[Release]:
    """Yield the tags that are versions as they stand, without the prefix that the others have."""
    for tag in repository.tags:
        version = None if tag.name.startswith(prefix) else parsed(tag.name)
        if version is not None:
            yield Release(version, tag)


def last_release(repository: Repository, prefix: str) -> Release | None:
    """Return the newest version that the commit at hand comes after, and does not bear itself; ``None``: the first."""
    before = [each for each in releases(repository, prefix) if each.tag.merged and each.tag.commit != repository.head]
    return max(before, key=lambda each: each.version, default=None)


def parsed(text: str) -> Version | None:
    """Return a text as a version (PEP 440); ``None`` where it is none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None
