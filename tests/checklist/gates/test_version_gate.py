from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tasks.checklist.changelog import Changelog
from tasks.checklist.gate import Answer, GateResult
from tasks.checklist.gates.version_gate import ReleaseFacts, evaluate_version, version_to_release
from tasks.checklist.release_repository import NoRepository, Repository, Tag
from tasks.checklist.release_tags import TagRule
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
    return Changelog("CHANGELOG.md", Version(version))


PLAIN = TagRule(forms=frozenset({"", "v"}))


def result(
    read: StatedVersions, changelog: Changelog, repo: Repository | NoRepository, rule: TagRule = PLAIN
) -> GateResult:
    return evaluate_version(ReleaseFacts(read, changelog, repo, rule))


MISSING = Changelog()
UNRELEASED = Changelog("CHANGELOG.md")


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
            "1.2.0 in file0; no changelog was found; its tag points to this commit; v1.1.0 was the last release.",
        ),
        (
            reading(from_tags="pyproject.toml"),
            MISSING,
            repository("v1.2.0"),
            Answer.GO,
            (
                "1.2.0 in the tag of this commit; no changelog was found; its tag points to this commit; "
                "it is the first release; by pyproject.toml it is made from tags."
            ),
        ),
        (
            reading("1.2.0"),
            MISSING,
            repository(beside=("v2.0.0",)),
            Answer.GO,
            "1.2.0 in file0; no changelog was found; no release was before this commit; v2.0.0 is on another branch.",
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
            UNRELEASED,
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
            Changelog("CHANGELOG.md", problem="It has another format."),
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

    assert "maintenance.release.changelog" in remedy(
        reading("1"), Changelog("CHANGELOG.md", problem="Another format."), repository(shallow=True)
    )
    assert "fetch-depth: 0" in remedy(reading("1"), MISSING, repository(shallow=True))
    assert remedy(reading("1"), MISSING, NONE) == "Run git init."
    assert remedy(reading("1"), MISSING, repository(head="", tags=())) == "Commit the project."
    assert "states a version" in remedy(reading(problems=("X.",)), MISSING, repository())
    assert "## [1.2.0] - YYYY-MM-DD" in remedy(reading("1.2.0"), UNRELEASED, repository())


# Which release was before


def said(repo: Repository, rule: TagRule = PLAIN, version: str = "1.2.0", changelog: Changelog = MISSING) -> str:
    found = result(reading(version), changelog, repo, rule)
    return f"{found.answer.value}: {found.reason.removeprefix(f'{version} in file0; no changelog was found; ')}"


def test_the_first_release_is_one_without_any_sign_of_another() -> None:
    assert said(repository()) == "go: it is the first release."
    told = Changelog("CHANGELOG.md", Version("1.2.0"), earlier=Version("1.1.0"))
    assert said(repository(), changelog=told).endswith("no tag shows an earlier release, but CHANGELOG.md names 1.1.0.")
    assert said(repository(before=("y-1.0",))) == 'go: no tag is a release of it; those of others are "y-1.0".'


def test_a_prefix_that_is_set_leaves_other_tags_out_and_says_so() -> None:
    rule = TagRule("v")
    expected = "go: no other tag is one of vVERSION (maintenance.release.tag_prefix)."
    assert said(repository(before=("1.1.0", "nightly")), rule) == expected
    assert said(repository(before=("1.1.0", "v1.0.0")), rule) == "go: v1.0.0 was the last release."
    found = said(repository(before=("release-1.2.0",)), rule)
    assert found.startswith("not checked: There is the tag release-1.2.0, which does not begin with v ")
    assert said(repository(before=("release-1.3.0", "other-1.2.0")), rule) == expected


def test_where_git_fetches_no_tags_it_is_not_known_which_release_was_before() -> None:
    assert said(repository(without_tags="origin")) == (
        "not checked: There are no tags of releases, and remote.origin.tagOpt lets Git fetch none."
    )
    assert said(repository(without_tags="origin", before=("v1.1.0",))).startswith("go: v1.1.0 was")


def test_tags_that_are_not_understood_leave_it_open_where_no_other_shows_a_release() -> None:
    assert said(repository(before=("latest", "nightly"))) == (
        "not checked: 2 tags name no version that was understood, as latest, "
        "so that it is not known which releases there were."
    )
    assert said(repository(before=("nightly", "v1.1.0"))) == "go: v1.1.0 was the last release."
    found = said(repository(before=("nightly", "foo1.2.0", "v1.1.0")))
    assert found.startswith("not checked: 2 tags name no version that was understood, as foo1.2.0,")
    assert said(repository(before=("foo1.2.0.1", "v1.1.0"))).startswith("go: ")


def test_a_doubt_about_the_tags_is_told() -> None:
    assert said(repository(before=("y-1.0",)), TagRule(doubt="Whose are they?")) == "not checked: Whose are they?"


def test_after_another_numbering_it_is_not_known_what_is_newer() -> None:
    tags = (
        Tag("2019.1", "b" * 40, NOW - timedelta(days=9), merged=True),
        Tag("v1.1.0", "c" * 40, NOW, merged=True),
    )
    found = said(repository(tags=tags))
    assert found == "not checked: The tags are of two forms: 1.2.0 is not newer than 2019.1, and v1.1.0 was made later."
    assert said(repository(tags=tags), TagRule("v")) == "go: v1.1.0 was the last release."
    same = (tags[0]._replace(name="v2019.1"), tags[1])
    assert said(repository(tags=same)) == "no-go: 1.2.0 is not newer than v2019.1, the last release."


def test_a_version_in_development_is_not_released() -> None:
    assert said(repository(), version="1.3.0.dev0") == "no-go: 1.3.0.dev0 is a version in development."
    assert said(repository(), version="1.3.0rc1").startswith("go: ")


def test_what_is_made_from_tags_needs_the_next_section_of_the_changelog() -> None:
    made = reading(from_tags="pyproject.toml")
    found = result(made, released("1.1.0"), repository(before=("v1.1.0",)))
    assert found.answer is Answer.NO_GO
    assert found.remedy is not None
    assert found.remedy.startswith("Add the section of the next release to CHANGELOG.md")
    found = result(made, MISSING, repository(before=("v1.1.0",)))
    assert (found.answer, found.reason) == (
        Answer.SKIPPED,
        (
            "No file, no changelog and no tag states a version; by pyproject.toml it is made from tags; "
            "v1.1.0 was the last release."
        ),
    )


def test_fragments_are_named_where_the_changelog_lacks_the_version() -> None:
    changelog = released("1.1.0")._replace(fragments="changes")
    found = result(reading("1.2.0"), changelog, repository())
    assert found.remedy == "Make the section of the changelog from the fragments in changes, and commit it."
    assert "version_files" in (result(reading("1.2.0", "1.3.0"), changelog, repository()).remedy or "")


VERSIONS = st.builds("{}.{}".format, st.integers(0, 3), st.integers(0, 3))


@given(st.lists(VERSIONS, min_size=1, max_size=3), VERSIONS, st.lists(VERSIONS, max_size=3))
def test_go_means_one_version_that_is_newer(files: list[str], entry: str, before: list[str]) -> None:
    found = result(reading(*files), released(entry), repository(before=tuple(f"v{each}" for each in before)))
    same = {Version(each) for each in (*files, entry)} == {Version(entry)}
    newer = all(Version(each) < Version(entry) for each in before)
    assert (found.answer is Answer.GO) == (same and newer)


def test_the_version_to_be_released() -> None:
    def version(read: StatedVersions, changelog: Changelog, repo: Repository | NoRepository) -> Version | None:
        return version_to_release(ReleaseFacts(read, changelog, repo, PLAIN))

    assert version(reading("x", "1.2.0"), released("1.1.0"), repository("v1.0.0")) == Version("1.2.0")
    assert version(reading(), released("1.1.0"), repository("v1.0.0")) == Version("1.0.0")
    assert version(reading(), released("1.1.0"), NONE) == Version("1.1.0")
    assert version(reading(), MISSING, NONE) is None
