from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tasks.dependencies.index.release_choice import ReleaseChoice, Step, choose_release, step
from tasks.dependencies.index.simple_api import Release

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def release(version: str, days: float | None = 100, *, yanked: bool = False, python: str = "") -> Release:
    uploaded = None if days is None else NOW - timedelta(days=days)
    return Release(Version(version), uploaded, yanked, (SpecifierSet(python),))


def found(installed: str, *releases: Release, **options: Any) -> ReleaseChoice:
    given_options: dict[str, Any] = {"cooldown_days": 7, "largest_step": "minor", **options}
    return choose_release(Version(installed), releases, python=Version("3.11.7"), now=NOW, **given_options)


def test_the_newest_within_the_step_is_taken() -> None:
    result = found("1.0", release("1.0"), release("1.0.1"), release("1.2"), release("1.1"), release("2.0"))
    assert (str(result.latest), str(result.target), result.step) == ("2.0", "1.2", "major")
    assert result.waits == ("2.0 is a major step, and dependencies.largest_step is minor",)
    assert result.uploaded == NOW - timedelta(days=100)


@pytest.mark.parametrize(("largest", "target"), [("patch", "1.0.1"), ("minor", "1.2"), ("major", "2.0")])
def test_the_largest_step(largest: Step, target: str) -> None:
    releases = release("1.0.1"), release("1.2"), release("2.0")
    assert str(found("1.0", *releases, largest_step=largest).target) == target


@pytest.mark.parametrize(("days", "target"), [(6.9, "1.0"), (7, "1.1"), (7.1, "1.1"), (None, "1.1"), (-1, "1.0")])
def test_a_release_is_taken_after_the_cooldown(days: float | None, target: str) -> None:
    result = found("1.0", release("1.1", days))
    assert str(result.target) == target
    assert result.timeless is (days is None)


def test_what_waits_says_so() -> None:
    result = found("1.0", release("1.1", 3))
    assert result.waits == ("1.1 was released 3 days ago and is taken after 7 days",)
    both = found("1.0", release("2.0", 3), cooldown_days=10)
    assert len(both.waits) == 2


def test_an_older_release_is_taken_while_the_newest_waits() -> None:
    result = found("1.0", release("1.1"), release("1.2", 3))
    assert (str(result.latest), str(result.target)) == ("1.2", "1.1")


def test_what_cannot_be_used_is_as_good_as_not_there() -> None:
    useless = release("1.1", yanked=True), release("1.2", python=">=3.12"), release("1.3rc1"), release("0.9")
    assert found("1.0", *useless) == ReleaseChoice(None, Version("1.0"))
    assert str(found("1.0rc1", release("1.0rc2")).target) == "1.0rc2"


def test_a_withdrawn_release_that_is_installed_is_told() -> None:
    assert found("1.0", release("1.0", yanked=True)).yanked
    assert found("1.0", release("1.0", yanked=True), release("1.1")).yanked
    assert not found("1.0", release("1.0"), release("1.1", yanked=True)).yanked


@pytest.mark.parametrize(
    ("fixed", "target"), [("1.1", "1.1"), ("1.1.5", "2.0"), ("2.0", "2.0"), ("3.0", "1.0.1"), ("1.0.1", "1.0.1")]
)
def test_what_repairs_does_not_wait(fixed: str, target: str) -> None:
    releases = release("1.0.1"), release("1.1", 1), release("2.0", 1), release("2.1", 1)
    assert str(found("1.0", *releases, fixed=Version(fixed)).target) == target


def test_without_a_cooldown_no_time_is_needed() -> None:
    assert not found("1.0", release("1.1", None), cooldown_days=0).timeless


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0", "2.0", "major"),
        ("1.0", "1!1.0", "major"),
        ("1.0", "1.1", "minor"),
        ("1.0", "1.0.1", "patch"),
        ("1.0", "1.0.post1", "patch"),
        ("0.1", "0.2", "minor"),
    ],
)
def test_steps(old: str, new: str, expected: Step) -> None:
    assert step(Version(old), Version(new)) == expected


versions = st.builds("{}.{}.{}".format, *[st.integers(0, 3)] * 3)
releases_of = st.lists(
    st.builds(release, versions, st.one_of(st.none(), st.floats(0, 20)), yanked=st.booleans()),
    max_size=8,
    unique_by=lambda each: each.version,
)
steps = st.sampled_from(["patch", "minor", "major"])


@given(versions, releases_of, st.floats(0, 20), steps, st.one_of(st.none(), versions))
def test_a_target_is_the_installed_version_or_a_usable_release_above_it(
    installed: str, releases: list[Release], cooldown: float, largest: Step, fixed: str | None
) -> None:
    wanted = None if fixed is None else Version(fixed)
    result = found(installed, *releases, cooldown_days=cooldown, largest_step=largest, fixed=wanted)
    usable = {each.version for each in releases if not each.yanked and each.version > Version(installed)}
    assert result.target in usable | {Version(installed)}
    assert result.latest == max(usable, default=None)
    if result.target != result.latest and result.latest is not None:
        assert result.waits or fixed
    looser = found(installed, *releases, cooldown_days=cooldown / 2, largest_step="major", fixed=wanted)
    assert fixed or looser.target >= result.target
