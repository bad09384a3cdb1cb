"""Which time zones the system cannot use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.core.run.local_time import zone_findings

INSTALLED = Path("/usr/share/zoneinfo")

needs_zones = pytest.mark.skipif(not (INSTALLED / "Africa/Abidjan").exists(), reason="no zones are installed")


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set TZ with it; the zone of this process comes back at the end."""
    with monkeypatch.context() as patch:
        yield patch
    time.tzset()


def found(patch: pytest.MonkeyPatch, zone: str) -> int:
    patch.setenv("TZ", zone)
    time.tzset()
    return len(zone_findings({"TZ": zone}))


@pytest.mark.parametrize(
    "zone",
    [
        *("", ":", "UTC", "GMT", "GMT0", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3", "EST5EDT", "FOO0"),
        *(
            pytest.param(zone, marks=needs_zones)
            for zone in ("Europe/Berlin", ":Europe/Berlin", "Africa/Abidjan", "Etc/Zulu", "Atlantic/Reykjavik")
        ),
    ],
)
def test_a_zone_that_the_system_knows_is_well(in_zone: pytest.MonkeyPatch, zone: str) -> None:
    assert found(in_zone, zone) == 0


@pytest.mark.parametrize(
    "zone", ["Nowhere/Land", "Berlin", "Europe/Berlin ", "../etc/passwd", "/etc/passwd", "/missing", "\x01", "+1", "é"]
)
def test_a_zone_that_it_does_not_know_is_a_warning(in_zone: pytest.MonkeyPatch, zone: str) -> None:
    assert found(in_zone, zone) == 1


@needs_zones
def test_a_zone_whose_data_only_python_has_is_a_warning(
    in_zone: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(in_zone, "UTC")
    monkeypatch.setattr(time, "timezone", 0)
    assert len(zone_findings({"TZ": "Europe/Berlin"})) == 1
    assert zone_findings({"TZ": "Africa/Abidjan"}) == []


@needs_zones
def test_the_data_may_lie_in_a_file_of_its_own(in_zone: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "zone").write_bytes((INSTALLED / "Africa/Abidjan").read_bytes())
    assert found(in_zone, str(tmp_path / "zone")) == 0
