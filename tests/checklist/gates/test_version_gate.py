from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tasks.checklist.changelog import Changelog
from tasks.checklist.gate import Answer, GateResult
from tasks.checklist.gates.version_gate import evaluate_version, version_to_release
from tasks.checklist.release_repository import NoRepository, Repository, Tag
from tasks.conventions.stated_version import StatedVersion, StatedVersions

NOW = datetime.fromisoformat("2026-11-26T12:00:00+01:00")
NONE = NoRepository("The project is not in a Git repository.", "Run git init.")


def repository(*here: str, before: tuple[str, ...] = (), beside: tuple[str, ...] = (), **other: Any) -> Repository:
    tags = [
        *(Tag(name, "a" * 40, NOW, merged=True) for name in here),
        *(Tag(name, "b" * 40, NOW, merged=True) for name in before),
        *(Tag(name, "c" * 40, NOW, merged=False) for name in beside),
    ]
    plain = Repository("a" * 40, NOW, "main", (), (), "", shallow=False, tags=tuple(tags))
    return plain._replace(**other)


def reading(*versions: str, **other: Any) -> StatedVersions:
    return StatedVersions(
        tuple(StatedVersion(f"file{place}", version) for place, version in enumerate(versions))
    )._replace(**other)


def released(version: str) -> Changelog:
    return Changelog(Version(version))


def result(read: StatedVersions, changelog: Changelog, repo: Repository | NoRepository) -> GateResult:
    return evaluate_version(read, changelog, repo, prefix="v", changelog_path="CHANGELOG.md")


MISSING = Changelog(missing=True)


@pytest.mark.parametrize(
    ("read", "changelog", "repo", "answer", "reason"),
    [
        (
            reading("1.2.0", "1.2"),
            released("1.2.0"),
            repository(before=("v1.1.0", "nightly")),
            Answer.GO,
            "1.2.0 in file0, file1 and CHANGELOG.md; v1.1.0 was the last release.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository("v1.2.0", before=("v1.1.0",)),
            Answer.GO,
            "1.2.0 in file0; there is no CHANGELOG.md; its tag points to this commit; v1.1.0 was the last release.",
        ),
        (
            reading(from_tags="pyproject.toml"),
            MISSING,
            repository("v1.2.0"),
            Answer.GO,
            (
                "1.2.0 in the tag of this commit; there is no CHANGELOG.md; its tag points to this commit; "
                "it is the first release; by pyproject.toml it is made from tags."
            ),
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(beside=("v2.0.0",)),
            Answer.GO,
            "1.2.0 in file0; there is no CHANGELOG.md; it is the first release.",
        ),
        (reading(), MISSING, NONE, Answer.SKIPPED, "No file, no changelog and no tag states a version."),
        (
            reading(from_tags="pyproject.toml"),
            MISSING,
            repository(),
            Answer.SKIPPED,
            "No file, no changelog and no tag states a version; by pyproject.toml it is made from tags.",
        ),
        (
            reading("1.2.0", "1.3.0"),
            released("1.1.0"),
            repository(),
            Answer.NO_GO,
            "The version is not the same everywhere: 1.2.0 in file0, 1.3.0 in file1, 1.1.0 in CHANGELOG.md.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository("v1.1.0"),
            Answer.NO_GO,
            "The version is not the same everywhere: 1.2.0 in file0, 1.1.0 in the tag of this commit.",
        ),
        (
            reading("1.2.0"),
            Changelog(),
            repository(),
            Answer.NO_GO,
            "CHANGELOG.md has no released section, only what is unreleased.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(before=("v1.2.0",)),
            Answer.NO_GO,
            f"v1.2.0 is there already and points to another commit, {'b' * 12}.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(beside=("v1.2",)),
            Answer.NO_GO,
            f"v1.2 is there already and points to another commit, {'c' * 12}.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(before=("v1.10.0",)),
            Answer.NO_GO,
            "1.2.0 is not newer than v1.10.0, the last release.",
        ),
        (
            reading("one\n"),
            MISSING,
            repository(),
            Answer.NO_GO,
            r"file0 states 'one\n', which is no version (PEP 440).".replace(r"\n", r"\\n"),
        ),
        (
            reading("1.2.0"),
            released("1.2.0"),
            NONE,
            Answer.NOT_CHECKED,
            "Without Git, the tag is not known: The project is not in a Git repository.",
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(shallow=True),
            Answer.NOT_CHECKED,
            "The clone is shallow: tags and releases of before are not seen.",
        ),
        (reading("1.2.0"), MISSING, repository(head="", tags=()), Answer.NOT_CHECKED, "There is no commit yet."),
        (
            reading("1.2.0"),
            Changelog(problem="It has another format."),
            repository(),
            Answer.NOT_CHECKED,
            "It has another format.",
        ),
        (
            reading(problems=("VERSION cannot be read.",)),
            MISSING,
            repository(),
            Answer.NOT_CHECKED,
            "VERSION cannot be read.",
        ),
    ],
)
def test_what_the_gate_says(
    read: StatedVersions, changelog: Changelog, repo: Repository | NoRepository, answer: Answer, reason: str
) -> None:
    found = result(read, changelog, repo)
    assert (found.answer, found.reason) == (answer, reason)
    assert (found.remedy is not None) == (answer in {Answer.NO_GO, Answer.NOT_CHECKED})


def test_the_remedy_is_for_what_is_told_first() -> None:
    def remedy(read: StatedVersions, changelog: Changelog, repo: Repository | NoRepository) -> str:
        return result(read, changelog, repo).remedy or ""

    assert "keepachangelog.com" in remedy(reading("1"), Changelog(problem="Another format."), repository(shallow=True))
    assert "fetch-depth: 0" in remedy(reading("1"), MISSING, repository(shallow=True))
    assert remedy(reading("1"), MISSING, NONE) == "Run git init."
    assert remedy(reading("1"), MISSING, repository(head="", tags=())) == "Commit the project."
    assert "states a version" in remedy(reading(problems=("X.",)), MISSING, repository())
    assert "## [1.2.0] - YYYY-MM-DD" in remedy(reading("1.2.0"), Changelog(), repository())


VERSIONS = st.builds("{}.{}".format, st.integers(0, 3), st.integers(0, 3))


@given(st.lists(VERSIONS, min_size=1, max_size=3), VERSIONS, st.lists(VERSIONS, max_size=3))
def test_go_means_one_version_that_is_newer(files: list[str], entry: str, before: list[str]) -> None:
    found = result(reading(*files), released(entry), repository(before=tuple(f"v{each}" for each in before)))
    same = {Version(each) for each in (*files, entry)} == {Version(entry)}
    newer = all(Version(each) < Version(entry) for each in before)
    assert (found.answer is Answer.GO) == (same and newer)


def test_the_version_to_be_released() -> None:
    assert version_to_release(reading("x", "1.2.0"), released("1.1.0"), repository("v1.0.0"), "v") == Version("1.2.0")
    assert version_to_release(reading(), released("1.1.0"), repository("v1.0.0"), "v") == Version("1.0.0")
    assert version_to_release(reading(), released("1.1.0"), NONE, "v") == Version("1.1.0")
    assert version_to_release(reading(), MISSING, NONE, "v") is None
