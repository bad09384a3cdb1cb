"""Which release an installed package could move to: a decision on its releases, without any effect."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from packaging.version import Version

from ...core.text.formatting import age, hours
from .simple_api import Release

Step: TypeAlias = Literal["major", "minor", "patch"]

_STEPS: tuple[Step, ...] = ("patch", "minor", "major")


class ReleaseChoice(NamedTuple):
    """Where a package stands among its releases.

    Attributes:
        latest: the newest release above the installed one that could be used at all; ``None``: there is none.
        target: the version that it may move to now; the installed one: it stays.
        step: from the installed version to *latest*.
        waits: why *target* is not *latest*, as sentences without a full stop.
        uploaded: when *latest* was; ``None``: the index does not tell.
        timeless: True where the cooldown could not be applied to *target*.
        yanked: True where the installed release was withdrawn.
    """

    latest: Version | None
    target: Version
    step: Step | None = None
    waits: tuple[str, ...] = ()
    uploaded: datetime | None = None
    timeless: bool = False
    yanked: bool = False


def step(old: Version, new: Version) -> Step:
    """Return which part of a version changes: the first number, the second, or what comes after.

    The numbers are taken as Semantic Versioning means them; another epoch is a major step.
    """
    if (old.epoch, old.major) != (new.epoch, new.major):
        return "major"
    return "minor" if old.minor != new.minor else "patch"


def choose_release(
    installed: Version,
    releases: Iterable[Release],
    *,
    python: Version,
    now: datetime,
    cooldown_days: float,
    largest_step: Step,
    fixed: Version | None = None,
) -> ReleaseChoice:
    """Return what an installed package could move to.

    A withdrawn release is never chosen, nor one for another Python, nor a preview where a final release is installed.

    Args:
        installed: its version.
        releases: those that the index has.
        python: the version of Python that it is to run on.
        now: the moment of the run.
        cooldown_days: days that a release must be old: most that turn out bad are withdrawn within some.
        largest_step: the largest step that may be taken.
        fixed: the lowest version that repairs what is known against the installed one; it is taken whatever
            cooldown and step say, or the lowest release above it.
    """
    known = list(releases)
    usable = sorted(
        (
            release
            for release in known
            if release.version > installed
            and not release.yanked
            and release.runs_on(python)
            and (installed.is_prerelease or not release.version.is_prerelease)
        ),
        key=lambda release: release.version,
    )
    yanked = any(release.yanked for release in known if release.version == installed)
    if not usable:
        return ReleaseChoice(None, installed, yanked=yanked)
    cooldown = timedelta(days=cooldown_days)

    def ripe(release: Release) -> bool:
        return release.uploaded is None or now - release.uploaded >= cooldown

    def near(release: Release) -> bool:
        return _STEPS.index(step(installed, release.version)) <= _STEPS.index(largest_step)

    chosen = [release for release in usable if ripe(release) and near(release)][-1:]
    if fixed is not None and not (chosen and chosen[0].version >= fixed):
        chosen = [release for release in usable if release.version >= fixed][:1] or chosen
    latest = usable[-1]
    waits = []
    if not chosen or chosen[0].version != latest.version:
        if not near(latest):
            waits.append(
                f"{latest.version} is a {step(installed, latest.version)} step, "
                f"and dependencies.largest_step is {largest_step}"
            )
        if not ripe(latest) and latest.uploaded is not None:
            since = age((now - latest.uploaded).total_seconds())
            waits.append(f"{latest.version} was released {since} ago and is taken after {hours(cooldown_days * 24)}")
    return ReleaseChoice(
        latest=latest.version,
        target=chosen[0].version if chosen else installed,
        step=step(installed, latest.version),
        waits=tuple(waits),
        uploaded=latest.uploaded,
        timeless=bool(chosen) and chosen[0].uploaded is None and cooldown_days > 0,
        yanked=yanked,
    )
