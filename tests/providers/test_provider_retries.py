from __future__ import annotations

import pytest

from tasks.providers.provider_faults import Failure, Fault
from tasks.providers.retries import PAUSE, pause


def _pause(
    fault: Fault, status: int | None = None, wait: float | None = None, *, free: bool = False, left: float = 60
) -> float | None:
    return pause(Failure(fault, "", status, wait), free=free, attempts=1, remaining=left)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_paid_request_is_repeated_only_where_it_was_surely_not_processed(fault: Fault) -> None:
    assert (_pause(fault) is not None) is (fault is Fault.CONNECTION_REFUSED)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_free_request_is_repeated_after_what_may_be_over_soon(fault: Fault) -> None:
    again = {Fault.CONNECTION_REFUSED, Fault.CONNECTION_LOST, Fault.OVERLOADED}
    assert (_pause(fault, free=True) is not None) is (fault in again)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(("status", "fault"), [(429, Fault.RATE_LIMITED), (503, Fault.OVERLOADED)])
@pytest.mark.parametrize(("wait", "expected"), [(0, 0), (2, 2), (5, 5), (5.1, None)])
def test_a_named_wait_of_at_most_five_seconds_is_kept(
    status: int, fault: Fault, wait: float, expected: float | None, *, free: bool
) -> None:
    assert _pause(fault, status, wait, free=free) == expected


def test_a_wait_that_the_deadline_does_not_allow_is_not_begun() -> None:
    assert _pause(Fault.RATE_LIMITED, 429, 2, left=2) == 2
    assert _pause(Fault.RATE_LIMITED, 429, 2, left=1.9) is None
    assert _pause(Fault.CONNECTION_REFUSED, left=PAUSE) == PAUSE
    assert _pause(Fault.CONNECTION_REFUSED, left=PAUSE / 2) is None


def test_no_wait_makes_a_used_up_quota_or_another_error_worth_repeating() -> None:
    assert _pause(Fault.OUT_OF_QUOTA, 429, 1) is None
    assert _pause(Fault.OVERLOADED, 500, 1) is None
    assert _pause(Fault.OVERLOADED, 500, 1, free=True) == 1


def test_nothing_is_sent_a_third_time() -> None:
    failure = Failure(Fault.CONNECTION_REFUSED, "")
    assert pause(failure, free=True, attempts=1, remaining=60) == PAUSE
    assert pause(failure, free=True, attempts=2, remaining=60) is None
