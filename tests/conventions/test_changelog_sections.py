"""Which versions a changelog is about, however it is written."""

from __future__ import annotations

import pytest

from tasks.conventions.changelog_sections import read_sections


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## [1.2.0] - 2030-01-31\n\n### Added\n\n## [1.1.0]\n", ["1:1.2.0", "5:1.1.0"]),
        ("# 1.2.0 (2030-01-31)\n\n## Fixed\n\n# 1.1.0\n", ["1:1.2.0", "5:1.1.0"]),
        ("## [1.2.0](https://example.org/1.1.0...1.2.0) (2030-01-31)\n", ["1:1.2.0"]),
        ('## <a id="a"></a>v1.2.0\n', ["1:1.2.0"]),
        ("Changes\n=======\n\n1.2.0 (2030-01-31)\n------------------\n\n1.1.0\n-----\n", ["4:1.2.0", "7:1.1.0"]),
        ("===========\n Pkg 1.2.0\n===========\n\nFixed\n-----\n", ["2:1.2.0"]),
        ("Version 1.2.0\n-------------\n\nReleased 2030-01-31\n\n- needs other 2.0\n", ["1:1.2.0"]),
        ("**1.2.0**\n\n- more\n", ["1:1.2.0"]),
        (
            "- :release:`1.2.0 <2030-01-31>`\n- :bug:`7` as of 1.1.5\n- :release:`1.1.0 <2030-01-01>`\n",
            ["1:1.2.0", "3:1.1.0"],
        ),
        ("1.2.0: more\n  of 1.1.9\n1.1.0: less\n", ["1:1.2.0", "3:1.1.0"]),
        ("2030-01-31  Version 1.2.0\n\n\t* more\n", ["1:1.2.0"]),
        ("31.01.2030 1.2.0\n", ["1:1.2.0"]),
        ("## What's new in 1.2.0\n", ["1:1.2.0"]),
        ("## 12\n## [11]\n", ["1:12", "2:11"]),
        ("# 2030\n## 1.2.0\n# 2029\n## 1.1.0\n", ["2:1.2.0", "4:1.1.0"]),
        ("# Changes in 2.1\n## 2.1.3\n## 2.1.2\n", ["2:2.1.3", "3:2.1.2"]),
        ("# 1.2.0\n## 1.2.0-rc1\n## 1.2.0-rc0\n", ["1:1.2.0"]),
        ("```\n## 9.9.9\n```\n<!--\n## 9.9.8\n-->\n## 1.2.0\n", ["7:1.2.0"]),
        ("## Python 3.12 support\n## Upgrading from 1.1 to 1.2\n## Pkg 1.2.0 is here\n## 1.2.0\n", ["4:1.2.0"]),
        ("## 2030-01-31\n\n- pkg 1.2.0\n", []),
        ("", []),
    ],
)
def test_titles_that_are_about_versions(text: str, expected: list[str]) -> None:
    assert [f"{each.line}:{each.version}" for each in read_sections(text)] == expected


@pytest.mark.parametrize(
    "title",
    [
        "[Unreleased]",
        "1.2.0 (unreleased)",
        "1.2.0 - TBD",
        "[1.2.0] - 2030-01-31 [YANKED]",
        "1.2.0 (not yet released)",
        "1.2.0 - XXXX-XX-XX",
        "1.2.0.dev0",
        "1.2.0 (in development)",
    ],
)
def test_what_is_not_released_is_said_to_be(title: str) -> None:
    first, second = read_sections(f"## {title}\n\n## 1.1.0 - 2030-01-01\n")
    assert (first.released, second.released) == (False, True)


@pytest.mark.parametrize("title", ["## Version 1.2.0\n", "Version 1.2.0\n-------------\n", "1.2.0\n"])
def test_the_line_below_may_say_so(title: str) -> None:
    assert [each.released for each in read_sections(f"{title}\nUnreleased\n\n- more\n")] == [False]
    text = f"{title}\nReleased 2030-01-31\n\nUnreleased\n"
    assert [each.released for each in read_sections(text)] == [True]
    assert read_sections(f"{title}\nUnreleased files are no longer listed among the others.\n")[0].released


def test_underlines_of_another_kind_hide_no_newer_version() -> None:
    text = "News\n====\n\nNow\n---\n\n1.2.1\n^^^^^\n\n1.2.0\n-----\n\n1.1.5\n^^^^^\n\n1.1.0\n-----\n"
    assert [each.name for each in read_sections(text)] == ["1.2.1", "1.2.0", "1.1.0"]


def test_what_is_like_a_version_and_none_is_not_passed_over() -> None:
    assert [(each.name, each.version) for each in read_sections("## 1.x\n")] == [("1.x", None)]


def test_a_changelog_that_begins_with_the_oldest_is_turned_round() -> None:
    assert [each.name for each in read_sections("## 1.0\n## 1.1\n## 1.2\n")] == ["1.2", "1.1", "1.0"]
    assert [each.name for each in read_sections("## 1.0.1\n## 1.1\n")] == ["1.0.1", "1.1"]
