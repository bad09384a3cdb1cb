from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from tasks.cache.expiry import MARKERS, Expiry, plan
from tasks.core.settings.model import CacheSettings

from .conftest import HOUR_NS, NOW_NS


def test_each_kind_expires_at_its_own_configured_age() -> None:
    expiry = plan(CacheSettings(), NOW_NS).expiry
    ages = {kind: (NOW_NS - one.before_ns) // HOUR_NS for kind, one in expiry.items()}
    assert ages == {"api_responses": 24, "material_data": 168, "component_cache": 6, "temp": 24}
    assert {kind: one.hours for kind, one in expiry.items()} == ages


def test_fractions_of_an_hour_count_to_the_nanosecond() -> None:
    settings = msgspec.structs.replace(CacheSettings(), expiry_hours={"temp": 0.25})
    assert plan(settings, NOW_NS).expiry["temp"].before_ns == NOW_NS - 15 * 60 * 10**9


def test_older_than_takes_the_place_of_every_configured_age_even_when_it_is_zero() -> None:
    expiry = plan(CacheSettings(), NOW_NS, older_than=0).expiry
    assert {one.before_ns for one in expiry.values()} == {NOW_NS}
    assert {one.hours for one in expiry.values()} == {0}


def test_all_kinds_are_active_where_none_is_named() -> None:
    assert all(one.active for one in plan(CacheSettings(), NOW_NS).expiry.values())


def test_only_the_named_kinds_are_active() -> None:
    expiry = plan(CacheSettings(), NOW_NS, kinds=("temp", "material_data")).expiry
    assert {kind for kind, one in expiry.items() if one.active} == {"temp", "material_data"}


def test_what_is_no_kind_never_expires() -> None:
    unmanaged = plan(CacheSettings(), NOW_NS, older_than=0).unmanaged
    assert (unmanaged.hours, unmanaged.active) == (None, False)


def test_the_longest_prefix_that_fits_decides_whatever_the_order_of_settings() -> None:
    prefixes = {"api_": "api_responses", "api_tmp_": "temp", "a": "material_data"}
    for order in (prefixes, dict(reversed(prefixes.items()))):
        homes = plan(msgspec.structs.replace(CacheSettings(), prefixes=order), NOW_NS)
        assert homes.kind_of("api_tmp_1") == "temp"
        assert homes.kind_of("api_1") == "api_responses"
        assert homes.kind_of("apricot") == "material_data"


def test_a_name_that_no_prefix_fits_has_no_home() -> None:
    homes = plan(CacheSettings(), NOW_NS)
    assert homes.kind_of("my_api_1") is None
    assert homes.kind_of("API_1") is None
    assert homes.kind_of("api_") == "api_responses"


def test_a_prefix_of_a_kind_that_was_removed_from_the_settings_is_nobodys_home() -> None:
    settings = msgspec.structs.replace(CacheSettings(), expiry_hours={"temp": 24})
    assert plan(settings, NOW_NS).prefixes == {}
    assert plan(settings, NOW_NS).kind_of("api_1") is None


def test_age_by_mtime_ignores_the_time_of_change(tmp_path: Path) -> None:
    file = tmp_path / "entry"
    file.touch()
    os.utime(file, ns=(5, 5))
    assert plan(CacheSettings(), NOW_NS).expiry["temp"].written_ns(file.stat()) == 5


def test_age_by_newest_takes_the_later_of_both_times(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(CacheSettings(), age_by="newest")
    expiry = plan(settings, NOW_NS).expiry["temp"]
    file = tmp_path / "entry"
    file.touch()
    os.utime(file, ns=(5, 5))
    assert expiry.written_ns(file.stat()) == file.stat().st_ctime_ns
    ahead = file.stat().st_ctime_ns + HOUR_NS
    os.utime(file, ns=(ahead, ahead))
    assert expiry.written_ns(file.stat()) == file.stat().st_mtime_ns


def test_newest_holds_for_folders_that_are_no_kind_as_well() -> None:
    settings = msgspec.structs.replace(CacheSettings(), age_by="newest")
    assert plan(settings, NOW_NS).unmanaged.newest
    assert not plan(CacheSettings(), NOW_NS).unmanaged.newest


@pytest.mark.parametrize("name", [".gitignore", ".gitkeep", ".keep", "CACHEDIR.TAG"])
def test_the_usual_markers_are_known(name: str) -> None:
    assert name in MARKERS


def test_the_clock_of_another_machine_may_be_five_minutes_ahead() -> None:
    expiry = plan(CacheSettings(), NOW_NS).expiry["temp"]
    assert not expiry.is_ahead(NOW_NS + 300 * 10**9)
    assert expiry.is_ahead(NOW_NS + 300 * 10**9 + 1)


def test_an_entry_has_expired_where_its_kind_is_cleaned_and_has_an_age() -> None:
    expiry = Expiry(24, before_ns=1000, now_ns=2000, newest=False, active=True)
    assert (expiry.has_expired(999), expiry.has_expired(1000)) == (True, False)
    assert not expiry._replace(active=False).has_expired(999)
    assert not expiry._replace(hours=None).has_expired(999)
    assert expiry._replace(clock_doubted=True).has_expired(999)


def test_a_clock_that_is_not_believed_matters_to_every_age_but_none() -> None:
    doubted = plan(CacheSettings(expiry_hours={"temp": 24, "none": 0}), NOW_NS, clock_doubted=True)
    assert {kind: expiry.clock_doubted for kind, expiry in doubted.expiry.items()} == {"temp": True, "none": False}
    assert not any(each.clock_doubted for each in plan(CacheSettings(), NOW_NS).expiry.values())
    assert plan(CacheSettings(), NOW_NS, older_than=1e-3, clock_doubted=True).expiry["temp"].clock_doubted
    assert not plan(CacheSettings(), NOW_NS, older_than=0, clock_doubted=True).expiry["temp"].clock_doubted


def test_a_plan_carries_the_moment_of_the_run() -> None:
    expiry = plan(CacheSettings(), NOW_NS).expiry["temp"]
    assert expiry == Expiry(24, NOW_NS - 24 * HOUR_NS, NOW_NS, newest=False, active=True)
