from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from tasks.checklist.changelog import Changelog, read_changelog


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-26\n\n## [1.1.0] - 2026-10-01\n", "1.2.0"),
        ("## 1.2.0 - 2026-11-26\n", "1.2.0"),
        ("## v1.2.0\n", "1.2.0"),
        ("\ufeff## [2.0.0rc1] - today\r\n", "2.0.0rc1"),
        ("## [1.3.0] - Unreleased\n## 1.2.9 (unreleased)\n## [1.2.8] - TBD\n## [1.2.0] - 2026-01-01\n", "1.2.0"),
        ("## [1.3.0] - 2026-01-01 [YANKED]\n## [1.2.0] - 2026-01-01\n", "1.2.0"),
        ("<!--\n## [9.9.9] - DATE\n-->\n## [1.2.0]\n", "1.2.0"),
        ("```\n## [9.9.9]\n```\n## [1.2.0]: more\n", "1.2.0"),
        ("### [9.9.9]\n## [UNRELEASED]\n## 1.0:\n", "1.0"),
    ],
)
def test_the_topmost_released_section_counts(tmp_path: Path, text: str, version: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(text, encoding="utf-8")
    assert read_changelog(tmp_path, "CHANGELOG.md")[:2] == ("CHANGELOG.md", Version(version))


def test_where_everything_is_unreleased_nothing_is_released(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n- more\n")
    assert read_changelog(tmp_path, "CHANGELOG.md") == Changelog("CHANGELOG.md")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "No title in CHANGES names a version."),
        (b"## Features\n\n- 1.2.0\n", "No title in CHANGES names a version."),
        (b"## Features\n\n## 1.2.x\n\n## 1.1.0\n", "CHANGES:3 is about 1.2.x, which is no version."),
        (b"## [1.2.0]\xff\n", "is no text in UTF-8"),
    ],
)
def test_another_format_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "CHANGES").write_bytes(content)
    found = read_changelog(tmp_path, "CHANGES")
    assert (found.path, found.released) == ("CHANGES", None)
    assert problem in found.problem
    assert "CHANGES" in found.problem


def test_a_changelog_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_changelog(tmp_path, "CHANGELOG.md").problem == "CHANGELOG.md is not there."
    (tmp_path / "link").symlink_to("elsewhere")
    assert "symbolic link" in read_changelog(tmp_path, "link").problem

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tasks.checklist.changelog.safe_files.read", denied)
    assert read_changelog(tmp_path, "CHANGELOG.md").problem == "CHANGELOG.md cannot be read: Permission denied."
