"""The gate *version*: version, changelog and tag agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from packaging.version import Version

from ...conventions.stated_version import StatedVersions
from ...conventions.tag_forms import read_tag
from ...core.text.formatting import listed, printable
from ..changelog import Changelog
from ..gate import Answer, Gate, GateResult
from ..release_repository import (
    NoRepository,
    Release,
    Repository,
    last_release,
    latest_release,
    not_understood,
    parsed,
    release_beside,
    releases,
    strays,
)
from ..release_tags import TagRule

VERSION_GATE = Gate("version", "version, changelog and tag agree")


class StatedPlace(NamedTuple):
    """A version, and where it stands, for people."""

    version: Version
    place: str


class ReleaseFacts(NamedTuple):
    """What is known of the release.

    Attributes:
        reading: what the files say of the version.
        changelog: what the changelog says.
        repository: the tags.
        tags: which of them are releases.
    """

    reading: StatedVersions
    changelog: Changelog
    repository: Repository | NoRepository
    tags: TagRule


def statements(facts: ReleaseFacts) -> list[StatedPlace]:
    """Return every version that is stated, the files' before that of the changelog."""
    found = [
        StatedPlace(version, printable(each.place))
        for each in facts.reading.stated
        if (version := parsed(each.version))
    ]
    if facts.changelog.released is not None:
        found.append(StatedPlace(facts.changelog.released, printable(facts.changelog.path)))
    return found


def version_to_release(facts: ReleaseFacts) -> Version | None:
    """Return the version to be released: what the files say, else the tag of the commit, else the changelog."""
    stated = [version for each in facts.reading.stated if (version := parsed(each.version))]
    return next(iter(stated), None) or _tagged_here(facts) or facts.changelog.released


def evaluate_version(facts: ReleaseFacts) -> GateResult:
    """Return the gate's answer.

    Args:
        facts: what the files, the changelog and the tags say.
    """
    reading, changelog, repository, _ = facts
    version = version_to_release(facts)
    against = [*_unusable(reading), *_unlike(version, facts), *_unreleased(version, changelog)]
    unknown = [_Doubt(each) for each in reading.problems]
    unknown += [_Doubt(changelog.problem, _FORMAT)] if changelog.problem else []
    if version is not None:
        against += _in_development(version)
        if isinstance(repository, NoRepository):
            unknown.append(_Doubt(f"Without Git, the tag is not known: {repository.reason}", repository.remedy))
        else:
            against += _tagged(version, repository, facts)
            unknown += [
                *_unseen(repository, facts.tags),
                *_unprefixed(version, repository, facts.tags),
                *_undetermined(version, repository, facts.tags),
            ]
    if against:
        sentences, remedies = zip(*against, strict=True)
        return GateResult(Answer.NO_GO, " ".join(sentences), remedies[0])
    if unknown:
        return GateResult(Answer.NOT_CHECKED, " ".join(each.sentence for each in unknown), unknown[0].remedy)
    if version is None:
        return GateResult(Answer.SKIPPED, f"No file, no changelog and no tag states a version{_made(facts)}.")
    return GateResult(Answer.GO, f"{_agreement(version, facts)}{_made(facts)}.")


class _Doubt(NamedTuple):
    """Why something could not be checked, and what to do about it."""

    sentence: str
    remedy: str = "See that the file can be read, and states a version."


_FORMAT = (
    "Begin each release with a title such as ## [1.2.0] - 2030-01-31, "
    "or name the changelog in maintenance.release.changelog."
)

_PREFIX = "Set maintenance.release.tag_prefix to what stands before the version in the tags of releases."


def _made(facts: ReleaseFacts) -> str:
    """Return by which file the version is made from tags, as the end of a sentence; empty where it is not."""
    if not facts.reading.from_tags:
        return ""
    made = f"; by {printable(facts.reading.from_tags)} it is made from tags"
    if version_to_release(facts) is None and isinstance(facts.repository, Repository):
        last = last_release(facts.repository, facts.tags)
        made += f"; {printable(last.tag.name)} was the last release" if last else ""
    return made


def _unusable(reading: StatedVersions) -> Iterator[tuple[str, str]]:
    for each in reading.stated:
        if parsed(each.version) is None:
            text = f"{printable(each.place)} states {printable(each.version)!r}, which is no version (PEP 440)."
            yield text, "Write it as 1.2.3."


def _unlike(version: Version | None, facts: ReleaseFacts) -> Iterator[tuple[str, str]]:
    borne = _tagged_here(facts)
    compared = [*statements(facts), *([StatedPlace(borne, "the tag of this commit")] if borne is not None else [])]
    if any(each.version != version for each in compared):
        places = ", ".join(f"{each.version} in {each.place}" for each in compared)
        fragments = facts.changelog.fragments
        yield (
            f"The version is not the same everywhere: {places}.",
            f"Make the section of the changelog from the fragments in {printable(fragments)}, and commit it."
            if fragments and len({each.version for each in compared[:-1]}) == 1
            else "Write the same version everywhere; name the files that count in maintenance.release.version_files.",
        )


def _tagged_here(facts: ReleaseFacts) -> Version | None:
    """Return the newest version whose tag the commit at hand bears."""
    repository = facts.repository
    if isinstance(repository, NoRepository):
        return None
    here = [each.version for each in releases(repository, facts.tags) if each.tag.commit == repository.head]
    return max(here, default=None)


def _unreleased(version: Version | None, changelog: Changelog) -> Iterator[tuple[str, str]]:
    if changelog.path and not (changelog.released or changelog.problem):
        heading = f"## [{version or 'VERSION'}] - YYYY-MM-DD"
        yield (
            f"{printable(changelog.path)} has no released section, only what is unreleased.",
            f"Put what is released under {heading}.",
        )


def _in_development(version: Version) -> Iterator[tuple[str, str]]:
    if version.is_devrelease:
        yield f"{version} is a version in development.", f"Set the version of the release, {version.base_version}."


def _tagged(version: Version, repository: Repository, facts: ReleaseFacts) -> Iterator[tuple[str, str]]:
    raise_it = "Raise the version"
    if not facts.reading.stated and _tagged_here(facts) is None:
        raise_it = f"Add the section of the next release to {printable(facts.changelog.path)}"
    for each in releases(repository, facts.tags):
        if each.version == version and each.tag.commit != repository.head:
            yield (
                f"{printable(each.tag.name)} is there already and points to another commit, {each.tag.commit[:12]}.",
                f"{raise_it}; a tag that was moved is a release that nobody can trust. Now it is {version}.",
            )
            return
    last, latest = last_release(repository, facts.tags), latest_release(repository, facts.tags)
    if last is not None and version <= last.version and _form(last) == _form(latest):
        yield f"{version} is not newer than {printable(last.tag.name)}, the last release.", f"{raise_it}."


def _form(release: Release | None) -> str:
    """Return what stands before the version in the name of its tag."""
    read = read_tag(release.tag.name) if release else None
    return read.before if read else ""


def _unseen(repository: Repository, rule: TagRule) -> Iterator[_Doubt]:
    if not repository.head:
        yield _Doubt("There is no commit yet.", "Commit the project.")
    elif repository.shallow:
        yield _Doubt(
            "The clone is shallow: tags and releases of before are not seen.",
            "Run git fetch --unshallow --tags (in GitHub Actions: fetch-depth: 0).",
        )
    elif repository.without_tags and not any(releases(repository, rule)):
        remote = printable(repository.without_tags)
        yield _Doubt(
            f"There are no tags of releases, and remote.{remote}.tagOpt lets Git fetch none.",
            f"Run git fetch --tags, and git config --unset remote.{remote}.tagOpt.",
        )


def _unprefixed(version: Version, repository: Repository, rule: TagRule) -> Iterator[_Doubt]:
    """Yield that a tag of this very version does not begin as the settings say that releases do."""
    found = next((each.tag.name for each in strays(repository, rule) if each.version == version), "")
    if found:
        yield _Doubt(
            f"There is the tag {printable(found)}, which does not begin with {rule.prefix} "
            "(maintenance.release.tag_prefix), so that it is not known whether it is a release.",
            f"Raise the version, or delete the tag if nothing was released under it. Now it is {version}.",
        )


def _undetermined(version: Version, repository: Repository, rule: TagRule) -> Iterator[_Doubt]:
    """Yield why the tags do not show which release was before this one."""
    if rule.doubt:
        yield _Doubt(rule.doubt, _PREFIX)
    last, latest = last_release(repository, rule), latest_release(repository, rule)
    if last and latest and version <= last.version and _form(last) != _form(latest):
        yield _Doubt(
            f"The tags are of two forms: {version} is not newer than {printable(last.tag.name)}, "
            f"and {printable(latest.tag.name)} was made later.",
            _PREFIX,
        )
    strange = not_understood(repository, rule)
    same = re.compile(rf"(?<![\d.]){re.escape(str(version))}(?![\d.])")
    if strange and (not any(releases(repository, rule)) or any(map(same.search, strange))):
        shown = next(filter(same.search, strange), strange[0])
        yield _Doubt(
            f"{_tags(len(strange))} no version that was understood, as {printable(shown)}, "
            "so that it is not known which releases there were.",
            _PREFIX,
        )


def _tags(number: int) -> str:
    return "1 tag names" if number == 1 else f"{number:,} tags name"


def _agreement(version: Version, facts: ReleaseFacts) -> str:
    *some, last_place = [each.place for each in statements(facts)] or ["the tag of this commit"]
    places = f"{', '.join(some)} and {last_place}" if some else last_place
    parts = [f"{version} in {places}"]
    if not facts.changelog.path:
        parts.append("no changelog was found")
    if isinstance(facts.repository, Repository):
        if _tagged_here(facts) == version:
            parts.append("its tag points to this commit")
        parts.append(_before(facts.repository, facts))
    return "; ".join(parts)


def _before(repository: Repository, facts: ReleaseFacts) -> str:
    """Return which release was before; that it is the first only where no tag and no changelog shows another."""
    rule, changelog = facts.tags, facts.changelog
    if last := last_release(repository, rule):
        return f"{printable(last.tag.name)} was the last release"
    if beside := release_beside(repository, rule):
        return f"no release was before this commit; {printable(beside.tag.name)} is on another branch"
    others = [tag for tag in repository.tags if rule.version(tag.name) is None]
    if others and rule.prefix is not None:
        return f"no other tag is one of {printable(rule.prefix)}VERSION (maintenance.release.tag_prefix)"
    if changelog.earlier:
        return f"no tag shows an earlier release, but {printable(changelog.path)} names {changelog.earlier}"
    if others:
        return (
            f"no tag is a release of it; those of others are {listed([each.name for each in others], len(others), 3)}"
        )
    return "it is the first release"
