from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.report.model import Report, Status
from tasks.core.run.cadence import DAYS, Standing, cadence_of, doubts, evaluate, standing
from tasks.core.run.definition import Cadence, Definition
from tasks.core.run.stamps import Attempt, Completed, Stamp

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 3, 17, tzinfo=BERLIN)
CADENCES = tuple(DAYS)


def ran(began: datetime) -> Stamp:
    return Stamp(Completed(began, began, Status.OK, 1.0))


def days_ago(days: int, cadence: Cadence = "weekly", task: str = "weekly.x") -> Standing:
    return standing(task, cadence, ran(NOW - timedelta(days=days)), NOW)


@pytest.mark.parametrize(
    ("declared", "chosen", "expected"),
    [
        ("weekly", {}, "weekly"),
        ("weekly", {"weekly.tidy": "daily"}, "daily"),
        ("weekly", {"weekly.other": "daily"}, "weekly"),
        ("weekly", {"weekly.tidy": "never"}, None),
        ("never", {}, None),
        ("never", {"weekly.tidy": "monthly"}, "monthly"),
        (None, {}, None),
        (None, {"weekly.tidy": "monthly"}, None),
    ],
)
def test_the_declaration_says_how_often_unless_the_settings_do(
    declared: Cadence | None, chosen: dict[str, Cadence], expected: str | None
) -> None:
    tidy = Definition(name="weekly.tidy", body=lambda _run: Report(summary=""), cadence=declared)
    assert cadence_of(tidy, chosen) == expected


@pytest.mark.parametrize("cadence", CADENCES)
def test_it_is_due_after_its_days_and_not_before(cadence: Cadence) -> None:
    period = DAYS[cadence]
    assert not days_ago(period - 1, cadence).is_due
    due = days_ago(period, cadence)
    assert (due.is_due, due.overdue_days) == (True, 0)
    assert days_ago(period + 3, cadence).overdue_days == 3


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - the zone is added below
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 200),
    st.sampled_from(CADENCES),
)
def test_days_are_those_of_the_calendar_whatever_the_clock_and_daylight_saving_do(
    day: datetime, first: int, second: int, days: int, cadence: Cadence
) -> None:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=BERLIN)
    began = midnight + timedelta(minutes=first)  # Python adds to what the clock on the wall shows
    now = midnight + timedelta(days=days, minutes=second)
    if began > now:
        began, now = now, began
    # What is stored and what the runner passes have offsets, no zone.
    fixed = [datetime.fromisoformat(each.isoformat()) for each in (began, now)]
    found = standing("t", cadence, ran(fixed[0]), fixed[1])
    assert found.is_due == (days >= DAYS[cadence])
    assert found.due == began.date() + timedelta(days=DAYS[cadence])
    assert found.overdue_days == max(0, days - DAYS[cadence])


def test_a_run_in_the_future_counts_as_none_and_is_told() -> None:
    found = days_ago(-2)
    assert (found.is_due, found.last, found.never_ran, found.due) == (True, None, False, NOW.date())
    (finding,) = evaluate([found])
    assert (finding.check, finding.status) == ("schedule.stamp", Status.WARNING)
    assert "dated 2026-11-25 03:17, which is to come" in finding.message


def test_a_clock_that_was_set_back_within_the_day_changes_nothing() -> None:
    found = standing("daily.x", "daily", ran(NOW + timedelta(minutes=5)), NOW)
    assert (found.is_due, found.doubt) == (False, None)


def test_a_traveller_whose_calendar_went_back_waits_for_the_next_day() -> None:
    began = datetime(2026, 11, 24, 6, tzinfo=ZoneInfo("Asia/Tokyo"))
    now = datetime(2026, 11, 23, 17, tzinfo=ZoneInfo("America/New_York"))
    assert not standing("daily.x", "daily", ran(began), now).is_due


def test_a_run_of_this_very_moment_counts_also_where_the_calendar_is_a_day_ahead() -> None:
    began = datetime(2026, 11, 24, 6, tzinfo=ZoneInfo("Asia/Tokyo"))
    found = standing("daily.x", "daily", ran(began), began.astimezone(UTC))
    assert (found.last, found.doubt) == (date(2026, 11, 24), None)


@pytest.mark.parametrize(("cadence", "days"), [("daily", 1), ("weekly", 7), ("monthly", 30), ("quarterly", 90)])
def test_a_month_has_30_days_and_a_quarter_90(cadence: Cadence, days: int) -> None:
    assert days_ago(0, cadence).due - NOW.date() == timedelta(days=days)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_no_error(year: int) -> None:
    found = standing("t", "quarterly", ran(datetime(year, 1, 1, 12, tzinfo=UTC)), NOW)
    assert (found.is_due, isinstance(found.due, date)) == (True, True)


@pytest.mark.parametrize(
    ("days", "status"), [(7, None), (8, Status.WARNING), (14, Status.WARNING), (15, Status.CRITICAL)]
)
def test_overdue_is_a_warning_and_by_more_than_a_period_critical(days: int, status: Status | None) -> None:
    found = evaluate([days_ago(days)])
    assert [each.status for each in found] == ([] if status is None else [status])
    assert [(each.value, each.warning, each.critical) for each in found] == [(days - 7, 0, 7)] * len(found)


def test_what_never_ran_is_one_finding() -> None:
    never = [standing(f"daily.{name}", "daily", Stamp(), NOW) for name in "abc"]
    (finding,) = evaluate(never)
    assert finding.message == "None of 3 procedures ever ran: daily.a, daily.b, daily.c."
    assert (finding.value, finding.warning, finding.unit) == (3, 0, "procedures")
    (finding,) = evaluate([*never[:1], days_ago(0)])
    assert finding.message == "1 of 2 procedures never ran: daily.a."
    assert evaluate([days_ago(0)]) == []


def test_what_is_not_known_is_told_with_its_reason_and_is_not_never() -> None:
    found = standing("daily.a", "daily", Stamp(problem="It is cut off."), NOW)
    assert (found.is_due, found.never_ran) == (True, False)
    assert [each.message for each in doubts([found, days_ago(0)])] == [
        "When it last ran was not known, so that it counts as due. It is cut off."
    ]


def test_an_attempt_is_told_with_its_reason_beside_what_is_overdue() -> None:
    stamp = ran(NOW - timedelta(days=9))._replace(attempt=Attempt(NOW - timedelta(hours=1), "No\nroom."))
    overdue, attempt = evaluate([standing("weekly.x", "weekly", stamp, NOW)])
    assert (overdue.check, attempt.check) == ("schedule.overdue", "schedule.attempt")
    assert attempt.message == "The last attempt, of 2026-11-23 02:17, did not come to its end: No\\nroom."
