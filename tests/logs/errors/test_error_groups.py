from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.errors import groups
from tasks.logs.errors.groups import (
    ALERTING,
    Group,
    Seen,
    State,
    alerted,
    begun,
    is_muted,
    mute,
    remembered,
    resolve,
    update,
    usual,
)

NOW = datetime(2025, 6, 20, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = 24.0


def seen(ago: timedelta = timedelta(0), *, new: int = 1, window: int | None = None, days: int = 0) -> Seen:
    """Return what a visit saw: records that were written *ago* before the moment of the test."""
    moment = (NOW - ago).timestamp()
    return Seen(
        title="it broke",
        level="ERROR",
        log="logs/app.log",
        sample="it broke",
        patterns=[],
        first=moment,
        last=moment,
        new=new,
        window=new if window is None else window,
        days={f"{NOW - days * DAY:%Y-%m-%d}": new} if new else {},
        latest_new=moment if new else None,
    )


def group(**values: object) -> Group:
    """Return a group that began ten days ago and was seen yesterday."""
    before = begun(seen(10 * DAY, days=10), NOW - 10 * DAY)
    return msgspec.structs.replace(before, **{"last_seen": (NOW - DAY).isoformat(), "state": State.ONGOING, **values})


def test_a_group_begins_as_new() -> None:
    first = begun(seen(timedelta(hours=1), new=3), NOW)
    assert first.state is State.NEW
    assert (first.count, first.days) == (3, {"2025-06-20": 3})
    assert first.first_seen == first.last_seen == "2025-06-20T11:00:00+00:00"
    assert (first.alerted, first.resolved, first.muted_until) == (None, None, None)


def test_the_states_in_which_somebody_is_told() -> None:
    assert set(ALERTING) == {State.NEW, State.ESCALATING, State.REGRESSED}


def test_times_are_in_the_zone_of_the_visit() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert begun(seen(), NOW.astimezone(zone)).first_seen == "2025-06-20T17:30:00+05:30"


@pytest.mark.parametrize(("window", "escalates"), [(9, False), (10, True), (11, True)])
def test_fewer_than_ten_records_are_no_trend(window: int, escalates: bool) -> None:  # noqa: FBT001 - a parameter
    after = update(group(), seen(window=window), WINDOW, NOW)
    assert after.state is (State.ESCALATING if escalates else State.ONGOING)


@pytest.mark.parametrize(("window", "state"), [(29, State.ONGOING), (30, State.ESCALATING)])
@pytest.mark.parametrize("told", [True, False])
def test_three_times_as_many_as_usual_escalate(window: int, state: State, told: bool) -> None:  # noqa: FBT001 - a parameter
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    before = alerted(group(), 10, NOW - DAY) if told else group(days=days)
    assert update(before, seen(window=window), WINDOW, NOW).state is state


@pytest.mark.parametrize(("hours", "usually"), [(24, 10), (1, 10 / 24 + 1 - 10 / 24), (168, 70), (12, 5)])
def test_what_is_usual_is_told_for_the_window_not_for_the_day(hours: float, usually: float) -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    assert usual(group(days=days), hours, NOW) == pytest.approx(usually)


def test_a_steady_group_never_escalates_in_a_window_of_a_week() -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    assert update(group(days=days), seen(new=10, window=80), 168, NOW).state is State.ONGOING
    assert update(group(days=days), seen(new=10, window=210), 168, NOW).state is State.ESCALATING


def test_today_is_no_part_of_what_is_usual() -> None:
    days = {f"{NOW:%Y-%m-%d}": 1000, f"{NOW - DAY:%Y-%m-%d}": 20}
    assert usual(group(days=days), WINDOW, NOW) == 2


def test_on_its_first_day_nothing_is_usual_yet() -> None:
    assert usual(begun(seen(new=50), NOW), WINDOW, NOW) == 1


def test_an_alert_is_forgotten_after_a_week() -> None:
    before = alerted(group(), 40, NOW - 7 * DAY)
    assert usual(before, WINDOW, NOW) == 1
    assert usual(before, WINDOW, NOW - timedelta(seconds=1)) == 40


def test_only_two_weeks_of_days_are_kept() -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 1 for number in range(40)}
    after = update(group(days=days), seen(), WINDOW, NOW)
    assert len(after.days) == 15
    assert min(after.days) == "2025-06-06"
    assert after.days["2025-06-20"] == 2


@pytest.mark.parametrize(("ago", "state"), [(7 * DAY, State.ONGOING), (7 * DAY + timedelta(seconds=1), State.RESOLVED)])
def test_a_week_of_silence_resolves(ago: timedelta, state: State) -> None:
    before = group(last_seen=(NOW - ago).isoformat())
    assert update(before, None, WINDOW, NOW).state is state
    assert update(before, seen(new=0, window=3), WINDOW, NOW).state is state


@pytest.mark.parametrize(
    ("ago", "state"), [(7 * DAY, State.ONGOING), (7 * DAY + timedelta(seconds=1), State.REGRESSED)]
)
def test_what_comes_back_after_a_week_of_silence_is_told(ago: timedelta, state: State) -> None:
    before = group(last_seen=(NOW - ago).isoformat())
    after = update(before, seen(), WINDOW, NOW)
    assert after.state is state
    assert after.count == 2


def test_nothing_seen_changes_nothing_but_the_state() -> None:
    before = group(state=State.NEW)
    after = update(before, None, WINDOW, NOW)
    assert after == msgspec.structs.replace(before, state=State.ONGOING)


@pytest.mark.parametrize(
    ("ago", "state", "resolved"),
    [
        (timedelta(hours=3), State.RESOLVED, True),
        (timedelta(hours=2), State.RESOLVED, True),
        (timedelta(hours=2) - timedelta(microseconds=1000), State.REGRESSED, False),
    ],
)
def test_what_was_written_before_it_was_resolved_does_not_count_against_it(
    ago: timedelta,
    state: State,
    resolved: bool,  # noqa: FBT001 - a parameter
) -> None:
    before = resolve(group(), NOW - timedelta(hours=2))
    after = update(before, seen(ago, new=40), WINDOW, NOW)
    assert after.state is state
    assert (after.resolved is not None) is resolved
    assert after.count == 41


def test_a_resolved_group_stays_so_while_it_is_quiet() -> None:
    before = resolve(group(), NOW - DAY)
    assert update(before, None, WINDOW, NOW) == before


def test_new_records_of_no_known_time_count_against_a_resolved_group() -> None:
    late = msgspec.structs.replace(seen(), latest_new=None)
    assert update(resolve(group(), NOW), late, WINDOW, NOW).state is State.REGRESSED


def test_a_muted_group_is_muted_until_then() -> None:
    muted = mute(group(), NOW + DAY)
    assert is_muted(muted, NOW)
    assert is_muted(muted, NOW + DAY - timedelta(seconds=1))
    assert not is_muted(muted, NOW + DAY)
    assert not is_muted(group(), NOW)
    assert update(muted, seen(new=100), WINDOW, NOW).state is State.MUTED
    assert update(muted, None, WINDOW, NOW).state is State.MUTED
    assert update(muted, None, WINDOW, NOW + DAY).state is State.ONGOING
    assert update(muted, seen(new=100), WINDOW, NOW + DAY).state is State.ESCALATING


def test_to_mute_takes_back_to_resolve_and_the_other_way_round() -> None:
    assert mute(resolve(group(), NOW), NOW + DAY).resolved is None
    assert resolve(mute(group(), NOW + DAY), NOW).muted_until is None


# What is remembered


def test_a_group_that_was_resolved_long_ago_is_forgotten() -> None:
    old = {
        "gone": group(state=State.RESOLVED, last_seen=(NOW - 90 * DAY).isoformat()),
        "kept": group(state=State.RESOLVED, last_seen=(NOW - 89 * DAY).isoformat()),
        "open": group(state=State.MUTED, last_seen=(NOW - 900 * DAY).isoformat()),
    }
    assert [key for key, _ in remembered(old, NOW)] == ["kept", "open"]


def test_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 2)
    zone = timezone(timedelta(hours=10))
    many = {
        "second": group(last_seen=(NOW - DAY).astimezone(zone).isoformat()),
        "third": group(last_seen=(NOW - 2 * DAY).isoformat()),
        "first": group(last_seen=NOW.isoformat()),
    }
    assert [key for key, _ in remembered(many, NOW)] == ["first", "second"]


def test_the_samples_of_many_groups_do_not_make_the_file_too_large() -> None:
    many = {
        str(number): group(sample="\u00fc" * 7000, last_seen=(NOW - timedelta(minutes=number)).isoformat())
        for number in range(groups.MOST)
    }
    kept = dict(remembered(many, NOW))
    assert len(kept) == groups.MOST
    assert kept["0"].sample == many["0"].sample
    assert kept[str(groups.MOST - 1)].sample == ""
    assert len(msgspec.json.encode(kept)) * 3 < 10_000_000


# Any history

visits = st.lists(
    st.tuples(st.integers(0, 24 * 20), st.integers(0, 60), st.sampled_from(["", "", "", "resolve", "mute"])),
    max_size=12,
)


@given(visits)
def test_counts_only_grow_and_the_same_is_never_told_twice(history: list[tuple[int, int, str]]) -> None:
    now = NOW
    one: Group | None = None
    total = 0
    for hours, new, wish in history:
        now += timedelta(hours=hours)
        if one is not None and wish:
            one = resolve(one, now) if wish == "resolve" else mute(one, now + DAY)
        records = msgspec.structs.replace(
            seen(new=new), first=now.timestamp(), last=now.timestamp(), latest_new=now.timestamp() if new else None
        )
        if one is None and not new:
            continue
        total += new
        one = begun(records, now) if one is None else update(one, records if new else None, WINDOW, now)
        assert one.count == total
        assert one.state is not State.NEW or total == new
        if one.state in ALERTING:
            assert new
            one = alerted(one, new, now)
            quiet = update(one, None, WINDOW, now)
            assert quiet.state is State.ONGOING
            assert update(one, records, WINDOW, now).state is State.ONGOING
        if is_muted(one, now):
            assert one.state in {State.MUTED, State.RESOLVED}
