"""Which tags are releases of the project."""

from __future__ import annotations

import pytest

from tasks.checklist.release_tags import TagRule, tag_rule
from tasks.conventions.convention import Convention, Evidence
from tasks.conventions.distribution_names import DistributionNames
from tasks.conventions.tag_forms import TagForm, Tags, read_tag


def forms(*names: str) -> Convention[Tags]:
    read = [each for each in map(read_tag, names) if each is not None]
    number = {each.before: each for each in read}
    found = tuple(
        TagForm(before, each.distribution, sum(other.before == before for other in read), f"{before}{each.version}")
        for before, each in number.items()
    )
    return Convention("tag forms", "", Tags(found, ()) if names else None)


def names(*own: str, others: tuple[str, ...] = ()) -> Convention[DistributionNames]:
    value = DistributionNames(frozenset(own), frozenset(others))
    return Convention("distribution names", "", value, evidence=(Evidence("pyproject.toml", 2, "name = x"),))


def rule(tags: Convention[Tags], known: Convention[DistributionNames], *, is_part: bool = False) -> TagRule:
    return tag_rule(tags, known, prefix=None, is_part=is_part)


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2.3", "release-1-2-3", "rel_1_2_3", "x-1.2.3", "x@1.2.3", "X-v1.2.3"])
def test_plain_tags_and_those_with_the_projects_name_are_releases(tag: str) -> None:
    found = rule(forms(tag), names("x"))
    assert (str(found.version(tag)), found.doubt) == ("1.2.3", "")


def test_both_are_where_the_form_was_changed() -> None:
    found = rule(forms("x-1.0", "v1.1"), names("x"))
    assert found.forms == {"x-", "v"}


def test_in_a_repository_of_several_those_with_the_projects_name_are() -> None:
    tags = forms("v1.0", "x-1.1", "y-3.0")
    assert rule(tags, names("x", others=("y",))).forms == {"x-"}
    assert rule(tags, names("x"), is_part=True).forms == {"x-"}
    assert rule(forms("v1.0", "y-3.0"), names("x", others=("y",))).forms == {"v"}
    assert rule(forms("y-3.0"), names("x", others=("y",))) == TagRule()


def test_tags_of_a_name_that_no_file_knows_are_in_doubt_with_both_sides() -> None:
    found = rule(forms("pkg-1.2.3", "pkg-1.2.4"), names("x"))
    assert (found.forms, found.doubt) == (
        frozenset(),
        (
            "It is not known whose releases the tags are (2 tags as pkg-1.2.4): "
            "the project's name is another by pyproject.toml:2: name = x."
        ),
    )
    assert rule(forms("pkg-1.0", "v1.0"), names("x")) == TagRule(forms=frozenset({"v"}))


def test_without_a_name_of_the_project_one_name_of_all_tags_is_its_own() -> None:
    nameless: Convention[DistributionNames] = Convention("distribution names", "")
    assert rule(forms("pkg-1.0", "pkg@1.1"), nameless).forms == {"pkg-", "pkg@"}
    found = rule(forms("a-1.0", "b-1.1"), nameless)
    assert found.doubt.endswith("(1 tag as a-1.0; 1 tag as b-1.1): no file names the project.")


def test_the_prefix_of_the_settings_counts_alone() -> None:
    found = tag_rule(forms("v1.0", "1.1"), names("x"), prefix="release-", is_part=False)
    assert found == TagRule("release-")
    assert str(found.version("release-1.2")) == "1.2"
    assert [found.version(name) for name in ("v1.2", "1.2", "release-v1.2", "release-x")] == [None] * 4
    assert TagRule("").version("v1.2") is None


def test_without_tags_nothing_is() -> None:
    assert rule(forms(), names("x")) == TagRule()
    assert TagRule().version("1.2") is None
