"""How a project releases: its version, its tags, its changelog."""

from __future__ import annotations

import pytest

from tasks.conventions.changelog_file import find_changelog
from tasks.conventions.convention import Convention
from tasks.conventions.distribution_names import find_distribution_names
from tasks.conventions.project_conventions import ProjectConventions
from tasks.conventions.stated_version import StatedVersions
from tasks.conventions.tag_forms import find_tag_forms

from .conftest import Project


def version_sources(project: Project) -> Convention[StatedVersions]:
    return ProjectConventions(project.root, is_own=lambda _path: False, keys=()).versions


def test_a_version_is_found_with_its_line(project: Project) -> None:
    project.write(
        {"pyproject.toml": '[project]\nname = "x"\nversion = "1.2"\n', "x/__init__.py": '__version__ = "1.2"\n'}
    )
    found = version_sources(project)
    assert found.shown == "1.2"
    assert [str(each) for each in found.evidence] == ["pyproject.toml:3: 1.2", "x/__init__.py:1: 1.2"]


def test_versions_that_differ_contradict_each_other(project: Project) -> None:
    project.write({"pyproject.toml": '[project]\nversion = "1.2"\n', "x/__init__.py": '__version__ = "1.3"\n'})
    found = version_sources(project)
    assert (found.value, found.contradiction) == (
        None,
        "The version is 1.2 in pyproject.toml and 1.3 in x/__init__.py.",
    )
    assert len(found.evidence) == 2


def test_a_version_may_be_made_from_the_tags(project: Project) -> None:
    project.write({"pyproject.toml": '[project]\ndynamic = ["version"]\n[tool.setuptools_scm]\n'})
    found = version_sources(project)
    assert (found.shown, str(found.evidence[0])) == ("from the tags", "pyproject.toml: made from the tags")


def test_without_a_version_there_is_none(project: Project) -> None:
    project.write({"app.py": ""})
    assert version_sources(project).value is None


# Tags


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("tags", "forms", "unknown"),
    [
        (["v1.0", "v1.2", "v1.1"], [("v", "", 3, "v1.2")], []),
        (["1.0", "2.0rc1"], [("", "", 2, "1.0")], []),
        (["2.0b1", "2.0b2"], [("", "", 2, "2.0b2")], []),
        (["release-1.0"], [("release-", "", 1, "release-1.0")], []),
        (["pkg@1.0", "pkg@1.1", "other@2.0"], [("pkg@", "pkg", 2, "pkg@1.1"), ("other@", "other", 1, "other@2.0")], []),
        (["my-pkg-v1.0"], [("my-pkg-v", "my-pkg", 1, "my-pkg-v1.0")], []),
        (["2026.1", "2025.12"], [("", "", 2, "2026.1")], []),
        (["REL_1_0"], [("REL_", "", 1, "REL_1_0")], []),
        (["release-1-2", "release-1-10"], [("release-", "", 2, "release-1-10")], []),
        (["1-2-3"], [("", "", 1, "1-2-3")], []),
        (["v1.0-2", "v1.0-10"], [("v", "", 2, "v1.0-10")], []),
        (["v.1.2"], [("v.", "", 1, "v.1.2")], []),
        (["releases/v1.0"], [("releases/v", "", 1, "releases/v1.0")], []),
        (["a-2-1.0"], [("a-2-", "a-2", 1, "a-2-1.0")], []),
        (["v1.0+local.1", "1!2.0"], [("", "", 1, "1!2.0"), ("v", "", 1, "v1.0+local.1")], []),
        (["2026-11-20", "nightly-2026-11-20", "3d-1.0"], [], ["2026-11-20", "3d-1.0", "nightly-2026-11-20"]),
        (["v1.0", "nightly", "1.0.x"], [("v", "", 1, "v1.0")], ["1.0.x", "nightly"]),
    ],
)
def test_the_forms_of_tags(
    project: Project, tags: list[str], forms: list[tuple[str, str, int, str]], unknown: list[str]
) -> None:
    project.commit()
    for tag in tags:
        project.git("tag", tag)
    found = find_tag_forms(project.files())
    assert found.value is not None
    assert [tuple(each) for each in found.value.forms] == forms
    assert sorted(found.value.unknown) == unknown
    assert found.shown == (", ".join(f"{before}VERSION" for before, *_ in forms) or "tags without a version")


@pytest.mark.needs("git")
def test_without_a_version_in_any_tag_it_is_said(project: Project) -> None:
    project.commit()
    project.git("tag", "nightly")
    found = find_tag_forms(project.files())
    assert (found.shown, str(found.evidence[0])) == (
        "tags without a version",
        "git tag: 1 without a version, as nightly",
    )


@pytest.mark.needs("git")
def test_without_tags_there_is_no_form(project: Project) -> None:
    project.commit()
    assert find_tag_forms(project.files()).value is None


def test_without_a_repository_it_is_said_why(project: Project) -> None:
    found = find_tag_forms(project.files())
    assert found.value is None
    assert "; " in found.sought


# Distributions


@pytest.mark.parametrize(
    ("files", "own", "others"),
    [
        ({"pyproject.toml": '[project]\nname = "My_Pkg"\n'}, {"my-pkg"}, set()),
        ({"pyproject.toml": '[tool.poetry]\nname = "x"\n', "setup.cfg": "[metadata]\nname = x\n"}, {"x"}, set()),
        ({"setup.py": "setup(name='x')\n", "y/__init__.py": ""}, {"x", "y"}, set()),
        ({"src/y/__init__.py": "", "src/y/z/__init__.py": "", "tests/__init__.py": ""}, {"y"}, set()),
        ({"a/__init__.py": "", "b/__init__.py": "", "setup.py": "setup(name='x')\n"}, {"x"}, set()),
        (
            {"pyproject.toml": '[project]\nname = "x"\n', "packages/y/pyproject.toml": '[project]\nname = "y"\n'},
            {"x"},
            {"y"},
        ),
        ({"tests/data/pyproject.toml": '[project]\nname = "z"\n', "setup.py": "setup(name=read())\n"}, None, None),
    ],
)
def test_the_names_of_distributions(
    project: Project, files: dict[str, str], own: set[str] | None, others: set[str] | None
) -> None:
    project.write(files)
    found = find_distribution_names(project.files())
    assert (found.value and found.value.own, found.value and found.value.others) == (own, others)


# The changelog


@pytest.mark.parametrize(
    ("path", "text", "style"),
    [
        ("CHANGELOG.md", "# Changelog\n\n## 1.2.0\n", "markdown"),
        ("CHANGES.rst", "Changes\n=======\n\n1.2.0\n-----\n", "rst"),
        ("HISTORY", "# 1.2.0\n", "markdown"),
        ("NEWS", "1.2.0\n=====\n", "rst"),
        ("news.txt", "1.2.0: new\n", "text"),
        ("docs/changelog.md", "## 1.2.0\n", "markdown"),
        ("RELEASES.md", "## Unreleased\n", "markdown"),
    ],
)
def test_a_changelog_is_found_in_its_style(project: Project, path: str, text: str, style: str) -> None:
    project.write({path: text})
    found = find_changelog(project.files())
    assert found.value is not None
    assert (found.value.path, found.value.style, found.value.fragments) == (path, style, "")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "1.2" in each or "Unre" in each)
    assert found.evidence[0].line == line


def test_one_that_only_points_to_another_is_not_the_changelog(project: Project) -> None:
    project.write({"CHANGELOG.md": "See docs/changelog.md\n", "docs/changelog.md": "## 1.2.0\n" * 10})
    found = find_changelog(project.files())
    assert found.value is not None
    assert found.value.path == "docs/changelog.md"


def test_of_two_the_nearest_to_the_root_is_taken(project: Project) -> None:
    project.write({"CHANGELOG.md": "x" * 3000, "docs/changelog.md": "y" * 9000})
    found = find_changelog(project.files())
    assert found.value is not None
    assert found.value.path == "CHANGELOG.md"


def test_of_several_the_one_with_the_newest_release_is_taken(project: Project) -> None:
    project.write({"HISTORY.md": "## 0.9\n" * 400, "CHANGELOG.rst": "1.2.0\n=====\n", "NEWS": "We moved.\n" * 400})
    found = find_changelog(project.files())
    assert found.value is not None
    assert (found.value.path, str(found.evidence[0])) == ("CHANGELOG.rst", "CHANGELOG.rst:1: 1.2.0")


@pytest.mark.needs("git")
def test_a_changelog_in_the_root_counts_even_where_git_ignores_it(project: Project) -> None:
    project.write({"app.py": ""})
    project.commit()
    project.write({".gitignore": "*\n", "CHANGELOG.md": "## 1.2.0\n", "docs/changelog.md": "## 1.3.0\n"})
    found = find_changelog(project.files())
    assert found.value is not None
    assert found.value.path == "CHANGELOG.md"
    assert find_changelog(project.files(lambda path: path == "CHANGELOG.md")).value is None


def test_a_long_changelog_is_read(project: Project) -> None:
    project.write({"CHANGELOG.md": "## 1.2.0\n" + "- more\n" * 90_000, "docs/changelog.md": "Included.\n"})
    found = find_changelog(project.files())
    assert found.value is not None
    assert (found.value.path, found.evidence[0].line) == ("CHANGELOG.md", 1)


def test_elsewhere_there_is_none(project: Project) -> None:
    project.write({"a/b/c/CHANGELOG.md": "", "changelog.py": "", "news/1.feature": ""})
    assert find_changelog(project.files()).value is None


@pytest.mark.parametrize(
    ("config", "folder"),
    [
        ('[tool.towncrier]\ndirectory = "changes"\n', "changes"),
        ("[tool.towncrier]\n", "newsfragments"),
        ('[tool.scriv]\nfragment_directory = "x/y"\n', "x/y"),
    ],
)
def test_fragments_that_make_the_next_section_are_found(project: Project, config: str, folder: str) -> None:
    project.write({"CHANGELOG.md": "## 1.0\n", "pyproject.toml": f"[project]\n{config}", "newsfragments/1.feature": ""})
    found = find_changelog(project.files())
    assert found.value is not None
    assert found.value.fragments == folder
    assert found.evidence[1].line == 2
