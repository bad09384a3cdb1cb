"""What Git shows of the project before a release: its state, its tags, and which of them are releases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from ..conventions.tag_forms import read_tag
from ..core.programs import git
from ..core.text.formatting import printable
from .release_tags import TagRule


class Tag(NamedTuple):
    """A tag.

    Attributes:
        name: its name.
        commit: to which it points.
        created: when it was made; of a lightweight one, when its commit was.
        merged: True where the commit at hand comes after it.
    """

    name: str
    commit: str
    created: datetime
    merged: bool


class Repository(NamedTuple):
    """The state of the repository.

    Attributes:
        head: the commit at hand; empty before the first.
        committed: when it was made.
        branch: the branch; empty where the head is detached.
        changed: tracked files below the root that differ from it.
        untracked: files below the root that are neither tracked nor ignored.
        under_way: what is half done: ``merge``, ``rebase``, …; empty: nothing.
        shallow: True where the history was cut off when it was cloned.
        tags: the tags of commits.
        folder: where the project lies below the top of the repository; empty where it is that.
        without_tags: the remote of which Git is set up to fetch no tags; empty: it fetches them.
    """

    head: str
    committed: datetime | None
    branch: str
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    under_way: str
    shallow: bool
    tags: tuple[Tag, ...]
    folder: str = ""
    without_tags: str = ""


class NoRepository(NamedTuple):
    """There is no answer of Git: why, as a sentence, and what to do."""

    reason: str
    remedy: str


_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisection",
}
"""Files in Git's folder, and what they are traces of (git-status(1) looks at the same ones)."""

_FIELDS = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:iso-strict)"


def read_repository(root: Path) -> Repository | NoRepository:
    """Return the state of the repository that the project lies in.

    Args:
        root: the project, which may lie below the repository's top.
    """
    try:
        return _read(root)
    except git.GitError as error:
        if git.is_none(error):
            return NoRepository("The project is not in a Git repository.", "Run git init, and commit the project.")
        return NoRepository(f"Git cannot tell: {printable(error)}.", "See that git status works in the root.")


def _read(root: Path) -> Repository:
    asked = git.ask(root, "rev-parse", "--absolute-git-dir", "--is-shallow-repository", "--show-prefix")
    folder, shallow, prefix, *_ = asked.split("\n")
    head = git.ask(root, "rev-parse", "--verify", "--quiet", "HEAD", answer=1).strip()
    status = git.ask(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", ".")
    records = [(each[:2], each[3:].removeprefix(prefix)) for each in status.split("\0") if each]
    return Repository(
        head=head,
        committed=datetime.fromisoformat(git.ask(root, "log", "-1", "--format=%cI").strip()) if head else None,
        branch=git.ask(root, "symbolic-ref", "--quiet", "--short", "HEAD", answer=1).strip(),
        changed=tuple(path for state, path in records if state != "??"),
        untracked=tuple(path for state, path in records if state == "??"),
        under_way=next((what for name, what in _UNDER_WAY.items() if Path(folder, name).exists()), ""),
        shallow=shallow == "true",
        tags=_tags(root) if head else (),
        folder=prefix.rstrip("/"),
        without_tags=_without_tags(root),
    )


def _without_tags(root: Path) -> str:
    """Return the remote of which no tags are fetched, as ``git clone --no-tags`` has it; empty: there is none."""
    for line in git.ask(root, "config", "--get-regexp", r"^remote\..*\.tagopt$", answer=1).splitlines():
        name, _, option = line.partition(" ")
        if option.strip() == "--no-tags":
            return name.removeprefix("remote.").removesuffix(".tagopt")
    return ""


def _tags(root: Path) -> tuple[Tag, ...]:
    merged = {*git.ask(root, "for-each-ref", "refs/tags", "--merged=HEAD", "--format=%(refname:strip=2)").splitlines()}
    found = []
    for line in git.ask(root, "for-each-ref", "refs/tags", f"--format={_FIELDS}").splitlines():
        name, itself, target, created = line.split("\0")
        if created:  # a tag of a tree or of a file has no moment, and releases nothing
            found.append(Tag(name, target or itself, datetime.fromisoformat(created), name in merged))
    return tuple(found)


def unexpected(repository: Repository, is_kept: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the untracked files but those that belong there.

    Args:
        repository: the repository.
        is_kept: by path below the root, whether a file belongs there.
    """
    return tuple(path for path in repository.untracked if not is_kept(path))


class Release(NamedTuple):
    """A tag that names a version."""

    version: Version
    tag: Tag


def releases(repository: Repository, rule: TagRule) -> Iterator[Release]:
    """Yield the tags that are releases.

    Args:
        repository: the repository.
        rule: which tags are.
    """
    for tag in repository.tags:
        version = rule.version(tag.name)
        if version is not None:
            yield Release(version, tag)


def strays(repository: Repository, rule: TagRule) -> Iterator[Release]:
    """Yield the tags of a version that lack the prefix of the settings and name no distribution either."""
    for tag in repository.tags:
        if rule.prefix is not None and not tag.name.startswith(rule.prefix):
            read = read_tag(tag.name)
            if read is not None and not read.distribution:
                yield Release(read.version, tag)


def not_understood(repository: Repository, rule: TagRule) -> tuple[str, ...]:
    """Return the tags in whose names no version was understood; none where the settings name a prefix."""
    return tuple(tag.name for tag in repository.tags if rule.prefix is None and read_tag(tag.name) is None)


def last_release(repository: Repository, rule: TagRule) -> Release | None:
    """Return the newest version that the commit at hand comes after, and does not bear itself; ``None``: none."""
    return max(_before(repository, rule), key=lambda each: each.version, default=None)


def latest_release(repository: Repository, rule: TagRule) -> Release | None:
    """Return that of these releases which was made last: after another numbering it may be no higher version."""
    return max(_before(repository, rule), key=lambda each: (each.tag.created, each.version), default=None)


def release_beside(repository: Repository, rule: TagRule) -> Release | None:
    """Return the newest version that another line of commits bears; ``None``: there is none."""
    beside = [each for each in releases(repository, rule) if not each.tag.merged]
    return max(beside, key=lambda each: each.version, default=None)


def _before(repository: Repository, rule: TagRule) -> list[Release]:
    return [each for each in releases(repository, rule) if each.tag.merged and each.tag.commit != repository.head]


def parsed(text: str) -> Version | None:
    """Return a text as a version (PEP 440); ``None`` where it is none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None
