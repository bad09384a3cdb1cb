from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.report.model import Finding, Report, Status
from tasks.recovery.diagnosis import DiskRoom

from .conftest import room

SIZES = st.integers(0, 10**15)


@pytest.mark.parametrize("status", [*Status])
def test_a_disk_is_short_unless_it_is_well(status: Status) -> None:
    expected = status in {Status.WARNING, Status.UNKNOWN, Status.CRITICAL}
    assert DiskRoom.of(room(status=status)).short is expected


def test_inodes_can_be_short_as_well() -> None:
    assert DiskRoom.of(room(inodes=95)).short


def test_what_else_is_wrong_with_the_machine_makes_no_disk_short() -> None:
    memory = Finding(check="system.memory", subject="memory", status=Status.WARNING, message="m")
    assert not DiskRoom.of(Report(summary="", findings=[memory])).short


def test_what_was_not_measured_is_unknown() -> None:
    unknown = DiskRoom.of(Report(summary=""))
    assert (unknown.percent, unknown.freed_since(DiskRoom.of(room()))) == (None, (0, 0))


@given(SIZES, SIZES, SIZES, SIZES)
def test_freed_is_what_is_in_use_no_more(before: int, after: int, inodes_before: int, inodes_after: int) -> None:
    freed = DiskRoom.of(room(after, inodes_after)).freed_since(DiskRoom.of(room(before, inodes_before)))
    assert freed == (before - after, inodes_before - inodes_after)
