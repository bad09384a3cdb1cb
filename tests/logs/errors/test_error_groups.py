from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.errors import error_groups
from tasks.logs.errors.error_groups import (
    ALERTING,
    ErrorGroup,
    GroupState,
    ScannedGroup,
    groups_to_keep,
    is_muted,
    is_outdated,
    mark_alerted,
    mute_group,
    new_group,
    resolve_group,
    update_group,
    usual_count,
)

NOW = datetime(2025, 6, 20, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = 24.0


def seen(ago: timedelta = timedelta(0), *, new: int = 1, window: int | None = None, days: int = 0) -> ScannedGroup:
    """Return what a visit saw: records that were written *ago* before the moment of the test."""
    moment = (NOW - ago).timestamp()
    return ScannedGroup(
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


def group(**values: object) -> ErrorGroup:
    """Return a group that began ten days ago and was seen yesterday."""
    before = new_group(seen(10 * DAY, days=10), NOW - 10 * DAY)
    return msgspec.structs.replace(
        before, **{"last_seen": (NOW - DAY).isoformat(), "state": GroupState.ONGOING, **values}
    )


def test_a_group_begins_as_new() -> None:
    first = new_group(seen(timedelta(hours=1), new=3), NOW)
    assert first.state is GroupState.NEW
    assert (first.count, first.days) == (3, {"2025-06-20": 3})
    assert first.first_seen == first.last_seen == "2025-06-20T11:00:00+00:00"
    assert (first.alerted, first.resolved, first.muted_until) == (None, None, None)


def test_the_states_in_which_somebody_is_told() -> None:
    assert set(ALERTING) == {GroupState.NEW, GroupState.ESCALATING, GroupState.REGRESSED}


def test_times_are_in_the_zone_of_the_visit() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert new_group(seen(), NOW.astimezone(zone)).first_seen == "2025-06-20T17:30:00+05:30"


@pytest.mark.parametrize(("window", "escalates"), [(9, False), (10, True), (11, True)])
def test_fewer_than_ten_records_are_no_trend(window: int, escalates: bool) -> None:  # noqa: FBT001 - a parameter
    after = update_group(group(), seen(window=window), WINDOW, NOW)
    assert after.state is (GroupState.ESCALATING if escalates else GroupState.ONGOING)


@pytest.mark.parametrize(("window", "state"), [(29, GroupState.ONGOING), (30, GroupState.ESCALATING)])
@pytest.mark.parametrize("alerted", [True, False])
def test_three_times_as_many_as_usual_escalate(window: int, state: GroupState, alerted: bool) -> None:  # noqa: FBT001 - a parameter
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    before = mark_alerted(group(), 10, NOW - DAY) if alerted else group(days=days)
    assert update_group(before, seen(window=window), WINDOW, NOW).state is state


@pytest.mark.parametrize(("hours", "usually"), [(24, 10), (1, 10 / 24 + 1 - 10 / 24), (168, 70), (12, 5)])
def test_what_is_usual_is_told_for_the_window_not_for_the_day(hours: float, usually: float) -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    assert usual_count(group(days=days), hours, NOW) == pytest.approx(usually)


def test_a_steady_group_never_escalates_in_a_window_of_a_week() -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 10 for number in range(1, 11)}
    assert update_group(group(days=days), seen(new=10, window=80), 168, NOW).state is GroupState.ONGOING
    assert update_group(group(days=days), seen(new=10, window=210), 168, NOW).state is GroupState.ESCALATING


def test_today_is_no_part_of_what_is_usual() -> None:
    days = {f"{NOW:%Y-%m-%d}": 1000, f"{NOW - DAY:%Y-%m-%d}": 20}
    assert usual_count(group(days=days), WINDOW, NOW) == 2


def test_on_its_first_day_nothing_is_usual_yet() -> None:
    assert usual_count(new_group(seen(new=50), NOW), WINDOW, NOW) == 1


def test_an_alert_is_forgotten_after_a_week() -> None:
    before = mark_alerted(group(), 40, NOW - 7 * DAY)
    assert usual_count(before, WINDOW, NOW) == 1
    assert usual_count(before, WINDOW, NOW - timedelta(seconds=1)) == 40


def test_only_two_weeks_of_days_are_kept() -> None:
    days = {f"{NOW - number * DAY:%Y-%m-%d}": 1 for number in range(40)}
    after = update_group(group(days=days), seen(), WINDOW, NOW)
    assert len(after.days) == 15
    assert min(after.days) == "2025-06-06"
    assert after.days["2025-06-20"] == 2


@pytest.mark.parametrize(
    ("ago", "state"), [(7 * DAY, GroupState.ONGOING), (7 * DAY + timedelta(seconds=1), GroupState.RESOLVED)]
)
def test_a_week_of_silence_resolves(ago: timedelta, state: GroupState) -> None:
    before = group(last_seen=(NOW - ago).isoformat())
    assert update_group(before, None, WINDOW, NOW).state is state
    assert update_group(before, seen(new=0, window=3), WINDOW, NOW).state is state


@pytest.mark.parametrize(
    ("ago", "state"), [(7 * DAY, GroupState.ONGOING), (7 * DAY + timedelta(seconds=1), GroupState.REGRESSED)]
)
def test_what_comes_back_after_a_week_of_silence_is_told(ago: timedelta, state: GroupState) -> None:
    before = group(last_seen=(NOW - ago).isoformat())
    after = update_group(before, seen(), WINDOW, NOW)
    assert after.state is state
    assert after.count == 2


def test_nothing_seen_changes_nothing_but_the_state() -> None:
    before = group(state=GroupState.NEW)
    after = update_group(before, None, WINDOW, NOW)
    assert after == msgspec.structs.replace(before, state=GroupState.ONGOING)


@pytest.mark.parametrize(
    ("ago", "state", "resolved"),
    [
        (timedelta(hours=3), GroupState.RESOLVED, True),
        (timedelta(hours=2), GroupState.RESOLVED, True),
        (timedelta(hours=2) - timedelta(microseconds=1000), GroupState.REGRESSED, False),
    ],
)
def test_what_was_written_before_it_was_resolved_does_not_count_against_it(
    ago: timedelta,
    state: GroupState,
    resolved: bool,  # noqa: FBT001 - a parameter
) -> None:
    before = resolve_group(group(), NOW - timedelta(hours=2))
    after = update_group(before, seen(ago, new=40), WINDOW, NOW)
    assert after.state is state
    assert (after.resolved is not None) is resolved
    assert after.count == 41


def test_a_resolved_group_stays_so_while_it_is_quiet() -> None:
    before = resolve_group(group(), NOW - DAY)
    assert update_group(before, None, WINDOW, NOW) == before


def test_new_records_of_no_known_time_count_against_a_resolved_group() -> None:
    late = msgspec.structs.replace(seen(), latest_new=None)
    assert update_group(resolve_group(group(), NOW), late, WINDOW, NOW).state is GroupState.REGRESSED


def test_a_muted_group_is_muted_until_then() -> None:
    muted = mute_group(group(), NOW + DAY)
    assert is_muted(muted, NOW)
    assert is_muted(muted, NOW + DAY - timedelta(seconds=1))
    assert not is_muted(muted, NOW + DAY)
    assert not is_muted(group(), NOW)
    assert update_group(muted, seen(new=100), WINDOW, NOW).state is GroupState.MUTED
    assert update_group(muted, None, WINDOW, NOW).state is GroupState.MUTED
    assert update_group(muted, None, WINDOW, NOW + DAY).state is GroupState.ONGOING
    assert update_group(muted, seen(new=100), WINDOW, NOW + DAY).state is GroupState.ESCALATING


def test_to_mute_takes_back_to_resolve_and_the_other_way_round() -> None:
    assert mute_group(resolve_group(group(), NOW), NOW + DAY).resolved is None
    assert resolve_group(mute_group(group(), NOW + DAY), NOW).muted_until is None


# What is remembered


def test_a_group_that_was_resolved_long_ago_is_forgotten() -> None:
    old = {
        "gone": group(state=GroupState.RESOLVED, last_seen=(NOW - 90 * DAY).isoformat()),
        "kept": group(state=GroupState.RESOLVED, last_seen=(NOW - 89 * DAY).isoformat()),
        "open": group(state=GroupState.MUTED, last_seen=(NOW - 900 * DAY).isoformat()),
    }
    assert [key for key, _ in groups_to_keep(old, NOW)] == ["kept", "open"]
    assert {key for key, _ in groups_to_keep(old, NOW, clock_doubted=True)} == {*old}
    assert {key for key in old if is_outdated(old[key], NOW)} == {"gone"}


def test_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_groups, "MOST", 2)
    zone = timezone(timedelta(hours=10))
    many = {
        "second": group(last_seen=(NOW - DAY).astimezone(zone).isoformat()),
        "third": group(last_seen=(NOW - 2 * DAY).isoformat()),
        "first": group(last_seen=NOW.isoformat()),
    }
    assert [key for key, _ in groups_to_keep(many, NOW)] == ["first", "second"]


def test_the_samples_of_many_groups_do_not_make_the_file_too_large() -> None:
    many = {
        str(number): group(sample="\u00fc" * 7000, last_seen=(NOW - timedelta(minutes=number)).isoformat())
        for number in range(error_groups.MOST)
    }
    kept = dict(groups_to_keep(many, NOW))
    assert len(kept) == error_groups.MOST
    assert kept["0"].sample == many["0"].sample
    assert kept[str(error_groups.MOST - 1)].sample == ""
    assert len(msgspec.json.encode(kept)) * 3 < 10_000_000


# Any history

visits = st.lists(
    st.tuples(st.integers(0, 24 * 20), st.integers(0, 60), st.sampled_from(["", "", "", "resolve", "mute"])),
    max_size=12,
)


@given(visits)
def test_counts_only_grow_and_the_same_is_never_told_twice(history: list[tuple[int, int, str]]) -> None:
    now = NOW
    one: ErrorGroup | None = None
    total = 0
    for hours, new, wish in history:
        now += timedelta(hours=hours)
        if one is not None and wish:
            one = resolve_group(one, now) if wish == "resolve" else mute_group(one, now + DAY)
        records = msgspec.structs.replace(
            seen(new=new), first=now.timestamp(), last=now.timestamp(), latest_new=now.timestamp() if new else None
        )
        if one is None and not new:
            continue
        total += new
        one = new_group(records, now) if one is None else update_group(one, records if new else None, WINDOW, now)
        assert one.count == total
        assert one.state is not GroupState.NEW or total == new
        if one.state in ALERTING:
            assert new
            one = mark_alerted(one, new, now)
            quiet = update_group(one, None, WINDOW, now)
            assert quiet.state is GroupState.ONGOING
            assert update_group(one, records, WINDOW, now).state is GroupState.ONGOING
        if is_muted(one, now):
            assert one.state in {GroupState.MUTED, GroupState.RESOLVED}
