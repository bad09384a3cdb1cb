"""The gate *version*: version, changelog and tag agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packaging.version import Version

from ...conventions.stated_version import StatedVersions
from ...core.text.formatting import printable
from ..changelog import Changelog
from ..gate import Answer, Gate, GateResult
from ..release_repository import NoRepository, Repository, last_release, parsed, releases, strays

VERSION_GATE = Gate("version", "version, changelog and tag agree")


class StatedPlace(NamedTuple):
    """A version, and where it stands, for people."""

    version: Version
    place: str


def statements(reading: StatedVersions, changelog: Changelog, changelog_path: str) -> list[StatedPlace]:
    """Return every version that is stated, the files' before that of the changelog."""
    found = [
        StatedPlace(version, printable(each.place)) for each in reading.stated if (version := parsed(each.version))
    ]
    if changelog.released is not None:
        found.append(StatedPlace(changelog.released, printable(changelog_path)))
    return found


def version_to_release(
    reading: StatedVersions, changelog: Changelog, repository: Repository | NoRepository, prefix: str
) -> Version | None:
    """Return the version to be released: what the files say, else the tag of the commit, else the changelog."""
    stated = [version for each in reading.stated if (version := parsed(each.version))]
    borne = _tagged_here(repository, prefix)
    return next(iter(stated), None) or borne or changelog.released


def evaluate_version(
    reading: StatedVersions,
    changelog: Changelog,
    repository: Repository | NoRepository,
    *,
    prefix: str,
    changelog_path: str,
) -> GateResult:
    """Return the gate's answer.

    Args:
        reading: what the files say.
        changelog: what the changelog says.
        repository: its tags.
        prefix: what stands before the version in the name of a tag.
        changelog_path: where the changelog lies, for people.
    """
    version = version_to_release(reading, changelog, repository, prefix)
    stated = statements(reading, changelog, changelog_path)
    against = [
        *_unusable(reading),
        *_unlike(version, stated, repository, prefix),
        *_unreleased(version, changelog, changelog_path),
    ]
    unknown = [*reading.problems, changelog.problem]
    if version is not None:
        if isinstance(repository, NoRepository):
            unknown.append(f"Without Git, the tag is not known: {repository.reason}")
        else:
            against += _tagged(version, repository, prefix)
            unknown += [*_unseen(repository), *_unprefixed(version, repository, prefix)]
    unknown = [each for each in unknown if each]
    if against:
        sentences, remedies = zip(*against, strict=True)
        return GateResult(Answer.NO_GO, " ".join(sentences), remedies[0])
    if unknown:
        return GateResult(Answer.NOT_CHECKED, " ".join(unknown), _remedy(unknown[0], changelog, repository))
    if version is None:
        return GateResult(Answer.SKIPPED, f"No file, no changelog and no tag states a version{_made(reading)}.")
    return GateResult(
        Answer.GO, f"{_agreement(version, stated, changelog, repository, prefix, changelog_path)}{_made(reading)}."
    )


def _made(reading: StatedVersions) -> str:
    return f"; by {printable(reading.from_tags)} it is made from tags" if reading.from_tags else ""


def _unusable(reading: StatedVersions) -> Iterator[tuple[str, str]]:
    for each in reading.stated:
        if parsed(each.version) is None:
            text = f"{printable(each.place)} states {printable(each.version)!r}, which is no version (PEP 440)."
            yield text, "Write it as 1.2.3."


def _unlike(
    version: Version | None, stated: list[StatedPlace], repository: Repository | NoRepository, prefix: str
) -> Iterator[tuple[str, str]]:
    borne = _tagged_here(repository, prefix)
    compared = [*stated, *([StatedPlace(borne, "the tag of this commit")] if borne is not None else [])]
    if any(each.version != version for each in compared):
        places = ", ".join(f"{each.version} in {each.place}" for each in compared)
        yield (
            f"The version is not the same everywhere: {places}.",
            "Write the same version everywhere; name the files that count in maintenance.release.version_files.",
        )


def _tagged_here(repository: Repository | NoRepository, prefix: str) -> Version | None:
    """Return the newest version whose tag the commit at hand bears."""
    if isinstance(repository, NoRepository):
        return None
    here = [each.version for each in releases(repository, prefix) if each.tag.commit == repository.head]
    return max(here, default=None)


def _unreleased(version: Version | None, changelog: Changelog, path: str) -> Iterator[tuple[str, str]]:
    if not (changelog.released or changelog.problem or changelog.missing):
        heading = f"## [{version or 'VERSION'}] - YYYY-MM-DD"
        yield (
            f"{printable(path)} has no released section, only what is unreleased.",
            f"Put what is released under {heading}.",
        )


def _tagged(version: Version, repository: Repository, prefix: str) -> Iterator[tuple[str, str]]:
    for each in releases(repository, prefix):
        if each.version == version and each.tag.commit != repository.head:
            yield (
                f"{printable(each.tag.name)} is there already and points to another commit, {each.tag.commit[:12]}.",
                f"Raise the version; a tag that was moved is a release that nobody can trust. Now it is {version}.",
            )
            return
    last = last_release(repository, prefix)
    if last is not None and version <= last.version:
        yield f"{version} is not newer than {printable(last.tag.name)}, the last release.", "Raise the version."


def _unseen(repository: Repository) -> Iterator[str]:
    if not repository.head:
        yield "There is no commit yet."
    elif repository.shallow:
        yield "The clone is shallow: tags and releases of before are not seen."


def _unprefixed(version: Version, repository: Repository, prefix: str) -> Iterator[str]:
    """Yield that there are tags of no older versions which do not begin as those of releases do."""
    found = [each for each in strays(repository, prefix) if each.version >= version]
    if found:
        newest = max(found, key=lambda each: each.version)
        yield (
            f"There is the tag {printable(newest.tag.name)}, which does not begin with {prefix} "
            "(maintenance.release.tag_prefix), so that it is not known whether it is a release."
        )


def _remedy(first: str, changelog: Changelog, repository: Repository | NoRepository) -> str:
    if first == changelog.problem:
        return "Write it as https://keepachangelog.com says, or name the changelog in maintenance.release.changelog."
    if isinstance(repository, Repository) and repository.shallow:
        return "Run git fetch --unshallow --tags (in GitHub Actions: fetch-depth: 0)."
    if isinstance(repository, NoRepository) and repository.reason in first:
        return repository.remedy
    return "Commit the project." if "no commit" in first else "See that the file can be read, and states a version."


def _agreement(
    version: Version,
    stated: list[StatedPlace],
    changelog: Changelog,
    repository: Repository | NoRepository,
    prefix: str,
    path: str,
) -> str:
    *some, last_place = [each.place for each in stated] or ["the tag of this commit"]
    places = f"{', '.join(some)} and {last_place}" if some else last_place
    parts = [f"{version} in {places}"]
    if changelog.missing:
        parts.append(f"there is no {printable(path)}")
    if isinstance(repository, Repository):
        if _tagged_here(repository, prefix) == version:
            parts.append("its tag points to this commit")
        last = last_release(repository, prefix)
        parts.append(f"{printable(last.tag.name)} was the last release" if last else "it is the first release")
    return "; ".join(parts)
