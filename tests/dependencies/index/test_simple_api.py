from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from tasks.dependencies.index.simple_api import JSON, NoPage, Release, releases


def page(*files: dict[str, Any]) -> dict[str, Release]:
    content = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": list(files)}).encode()
    return {str(each.version): each for each in releases(content, JSON)}


def test_a_release_is_what_its_files_are() -> None:
    found = page(
        {"filename": "demo-1.0.tar.gz", "upload-time": "2026-01-02T00:00:00Z", "requires-python": ">=3.8"},
        {"filename": "demo-1.0-py3-none-any.whl", "upload-time": "2026-01-01T00:00:00.5Z", "yanked": "broken"},
        {"filename": "demo-1.1.zip", "yanked": True, "upload-time": "2026-01-01T00:00:00"},
        {"filename": "demo-1.2-py3-none-any.whl", "requires-python": "nonsense", "upload-time": "soon"},
    )
    assert found["1.0"].uploaded == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert not found["1.0"].yanked
    assert found["1.0"].runs_on(Version("3.8"))
    assert not found["1.0"].runs_on(Version("3.7"))
    assert found["1.1"].yanked
    assert found["1.1"].uploaded == datetime(2026, 1, 1, tzinfo=UTC)
    assert found["1.2"].uploaded is None
    assert found["1.2"].runs_on(Version("2.7"))


def test_a_release_fits_if_one_of_its_files_does() -> None:
    found = page(
        {"filename": "demo-1.0-cp38-none-any.whl", "requires-python": "<3.9"},
        {"filename": "demo-1.0-cp312-none-any.whl", "requires-python": ">=3.12"},
    )["1.0"]
    assert [found.runs_on(Version(python)) for python in ("3.8", "3.10", "3.12.1")] == [True, False, True]


def test_files_that_tell_no_version_are_left_out() -> None:
    names = ["demo.tar.gz", "demo-1.0.egg", "demo-x.y.tar.gz", "demo-1.0.whl", "README", "", "demo-1.0.exe"]
    assert page(*({"filename": name} for name in names)) == {}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", JSON),
        (b"{}", JSON),
        (b'{"files": 3}', JSON),
        (b'{"files": [{"name": 1}]}', JSON),
        (b"\xff", "application/json"),
        (b"nothing here", "text/html"),
        (b"", "text/html"),
        (b"<html>", "text/plain"),
        (b"{}", ""),
    ],
)
def test_what_is_no_page(content: bytes, kind: str) -> None:
    with pytest.raises(NoPage):
        releases(content, kind)


def test_html() -> None:
    content = (
        b'<!DOCTYPE html><html><body><p class="x">demo</p><a>nothing</a>\n'
        b'<a href="../../files/demo-1.0-py3-none-any.whl#sha256=ab" data-requires-python="&gt;=3.8">x</a>\n'
        b'<a href="https://example.org/f/demo-1.1%2Bcpu.tar.gz?x=1" data-yanked="broken">y</a>\n'
        b'<a href="demo-1.2.tar.gz" data-yanked>z</a><a href="../">up</a></body></html>'
    )
    found = {str(each.version): each for each in releases(content, "text/html; charset=utf-8")}
    assert {version: each.yanked for version, each in found.items()} == {"1.0": False, "1.1+cpu": True, "1.2": True}
    assert not found["1.0"].runs_on(Version("3.7"))
    assert found["1.0"].uploaded is None


@given(st.binary(max_size=200), st.sampled_from([JSON, "text/html", "text/plain"]))
@example(b"<![A", "text/html")
@example(b"<![\0", "text/html")
def test_any_bytes_are_a_page_or_none(content: bytes, kind: str) -> None:
    try:
        found = releases(content, kind)
    except NoPage:
        return
    assert all(isinstance(each, Release) for each in found)
