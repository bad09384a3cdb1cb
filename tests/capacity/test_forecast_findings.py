from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

import pytest

from tasks.capacity.forecast import Point
from tasks.capacity.forecast_findings import (
    RECORDED,
    EvaluatedSeries,
    evaluate,
    evaluated_series,
    growers,
    recorded,
    row,
)
from tasks.capacity.present_sizes import Amount
from tasks.capacity.recorded_sizes import BACKUPS, CACHE, DISK, INODES, LOGS
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import CapacitySettings

TODAY = date(2026, 11, 26)
GB = 1e9
SETTINGS = CapacitySettings()


def series(function: Callable[[int], float], days: int = 30) -> list[Point]:
    """Return a measurement at noon of each day, the last one today; *function* takes the day, in GB."""
    return [Point(day + 0.5, function(day) * GB) for day in range(days)]


def found(
    points: Sequence[Point], *, limit: float | None = 90, total: float | None = 100, name: str = DISK
) -> EvaluatedSeries:
    """Judge a series in GB."""
    used = points[-1].value
    return evaluated_series(name, Amount(used, total and total * GB, limit and limit * GB), points)


def evaluated(each: EvaluatedSeries, helps: str = "", settings: CapacitySettings = SETTINGS) -> Finding:
    return evaluate(settings, each, TODAY, helps)


def test_growth_that_reaches_the_limit_soon_is_a_warning() -> None:
    finding = evaluated(found(series(lambda day: 50 + day)))
    assert finding.status is Status.WARNING
    assert finding.message == (
        "79 % used, 79.0 GB of 100.0 GB, the limit is 90.0 GB; it grows by 1.0 GB a day (1.0 GB to 1.0 GB with 95 %), "
        "so the limit is reached about 2026-12-07 (between 2026-12-07 and 2026-12-07)."
    )
    assert (finding.value, finding.unit, finding.critical) == (79.0, "%", 90.0)
    assert finding.remedy is not None


@pytest.mark.parametrize("used", [90, 95, 100])
def test_a_limit_that_is_reached_is_critical_whatever_the_history(used: float) -> None:
    finding = evaluated(found([Point(0.5, used * GB)]))
    assert finding.status is Status.CRITICAL
    assert finding.message == (
        f"{used} % used, {used}.0 GB of 100.0 GB, the limit is 90.0 GB; the limit is reached."
        if used < 100
        else "100 % used, 100.0 GB of 100.0 GB, the limit is 90.0 GB; the limit is reached."
    )
    assert evaluated(found(series(lambda _day: used))).status is Status.CRITICAL
    assert evaluated(found(series(lambda day: used + 30 - day))).status is Status.CRITICAL


def test_below_fourteen_points_there_is_not_enough_history() -> None:
    finding = evaluated(found(series(lambda day: 10 + 6 * day, days=13)))
    assert finding.status is Status.OK
    assert finding.message == (
        "82 % used, 82.0 GB of 100.0 GB, the limit is 90.0 GB; there is not enough history for a forecast: "
        "13 measurements over 12 days, where at least 14 over 7 days are needed."
    )
    assert finding.remedy is None


def test_within_seven_days_there_is_not_enough_history_either() -> None:
    points = [Point(number / 3, 80 * GB) for number in range(19)]
    assert "19 measurements over 6 days" in evaluated(found(points)).message
    assert "1 measurement over 0 days" in evaluated(found(points[:1])).message


def test_a_constant_series_is_ok() -> None:
    finding = evaluated(found(series(lambda _day: 89)))
    assert (finding.status, finding.remedy) == (Status.OK, None)
    assert finding.message.endswith("; it does not grow, so the limit is not in sight.")


def test_a_series_that_shrinks_is_ok_and_says_so() -> None:
    finding = evaluated(found(series(lambda day: 89 - 0.1 * day)))
    assert finding.status is Status.OK
    assert "it shrinks by 100.0 MB a day (-100.0 MB to -100.0 MB with 95 %), so the limit is not in" in finding.message


def test_a_single_outlier_is_no_reason_to_warn() -> None:
    assert evaluated(found(series(lambda day: 5000 if day == 20 else 70))).status is Status.OK


def test_gaps_hide_nothing() -> None:
    points = [point for point in series(lambda day: 40 + 0.5 * day, days=90) if not 20 <= point.day < 70]
    assert evaluated(found(points)).status is Status.WARNING


def test_growth_at_a_low_level_is_ok() -> None:
    finding = evaluated(found(series(lambda day: 20 + day)))
    assert finding.status is Status.OK
    assert "so the limit is reached about 2027-01-06" in finding.message


def test_growth_beyond_the_horizon_is_ok() -> None:
    each = found(series(lambda day: 65 + 0.1 * day))
    assert evaluated(each).status is Status.OK
    assert evaluated(each, settings=CapacitySettings(horizon_days=300)).status is Status.WARNING
    assert evaluated(each, settings=CapacitySettings(horizon_days=300, high_percent=70)).status is Status.OK


def test_growth_close_below_the_limit_is_a_warning_however_slow() -> None:
    assert evaluated(found(series(lambda day: 86 + 0.001 * day))).status is Status.WARNING


def test_growth_that_may_be_chance_is_ok_and_its_end_open() -> None:
    finding = evaluated(found(series(lambda day: 70 + (day * 7 % 5) + 0.02 * day)))
    assert finding.status is Status.OK
    assert "and never)." in finding.message


def test_growth_that_takes_more_than_a_century_is_no_date() -> None:
    each = found(series(lambda day: 30 + 0.0001 * day))
    assert "so the limit is not in sight." in evaluated(each).message
    assert row(each, TODAY)["reached"] is None


def test_a_saw_tooth_below_the_limit_is_ok() -> None:
    finding = evaluated(found(series(lambda day: 50 + 3 * (day % 10), days=60)))
    assert finding.status is Status.OK
    assert "; what it rises to between clean-ups does not grow, so the limit is not in sight." in finding.message


def test_a_saw_tooth_that_reaches_the_limit_again_and_again_is_a_warning() -> None:
    finding = evaluated(found(series(lambda day: 64 + 3 * (day % 10), days=65)))
    assert finding.status is Status.WARNING
    assert "; what it rises to between clean-ups does not grow. At about 91.0 GB it is at the limit" in finding.message


def test_a_clean_up_of_today_counts_although_the_morning_was_full() -> None:
    points = [*series(lambda day: 50 + day), Point(30.3, 89 * GB), Point(30.4, 95 * GB), Point(30.5, 20 * GB)]
    assert evaluated(found(points)).status is Status.OK


def test_several_measurements_of_a_day_are_one_day() -> None:
    points = [Point(day + hour / 24, (70 + 0.001 * hour) * GB) for day in range(20) for hour in (1, 1, 12, 23)]
    assert evaluated(found(points)).status is Status.OK


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_limit_only_the_growth_is_told(limit: float | None) -> None:
    each = found(series(lambda day: 5 + day), limit=limit, total=limit, name=CACHE)
    finding = evaluated(each)
    assert (finding.status, finding.value, finding.unit, finding.critical) == (Status.OK, None, None, None)
    assert finding.message == ("34.0 GB, without a limit; it grows by 1.0 GB a day (1.0 GB to 1.0 GB with 95 %).")
    assert row(each, TODAY)["limit"] is None


def test_a_limit_that_is_all_there_is_is_named_once() -> None:
    assert evaluated(found(series(lambda _day: 5), limit=100)).message.startswith(
        "5 % used, 5.0 GB of 100.0 GB; it does"
    )


def test_inodes_are_counted_in_inodes() -> None:
    points = [Point(day + 0.5, 500_000 + 10_000 * day) for day in range(30)]
    each = evaluated_series(INODES, Amount(790_000, 1_000_000, 900_000), points)
    assert evaluated(each).message.startswith(
        "79 % used, 790,000 of 1,000,000 inodes, the limit is 900,000 inodes; it grows by 10,000 inodes a day"
    )
    assert row(each, TODAY) == {
        "series": "inodes",
        "now": "790,000 inodes",
        "limit": "900,000 inodes",
        "a day": "10,000 inodes",
        "from": "10,000 inodes",
        "to": "10,000 inodes",
        "reached": "2026-12-07",
        "measurements": 30,
        "clean-ups": 0,
    }


def test_a_row_without_a_forecast_has_none() -> None:
    line = row(found(series(lambda day: 1.0 * day, days=3)), TODAY)
    assert [line[key] for key in ("a day", "from", "to", "reached", "clean-ups")] == [None] * 5
    assert line["measurements"] == 3


@pytest.mark.parametrize("name", [DISK, INODES, LOGS, CACHE, BACKUPS])
def test_whatever_is_near_its_limit_has_a_remedy_and_what_helps_now_comes_first(name: str) -> None:
    each = found(series(lambda day: 50 + day), name=name)
    without = evaluated(each).remedy
    assert without
    assert evaluated(each, "inv weekly.cache-cleanup would free 1.2 GB now.").remedy == (
        f"inv weekly.cache-cleanup would free 1.2 GB now. {without}"
    )


# What grows


def test_before_the_first_planning_the_largest_are_told() -> None:
    finding = growers([], 10.0, {"data": 5e9, "logs": 2e6, "empty": 0, ".": 10, "b\x1b": 7e9})
    assert finding.status is Status.OK
    assert finding.message == (
        "The largest are b\\x1b (7.0 GB), data (5.0 GB), logs (2.0 MB); what grows is told from the next day on."
    )


def test_an_empty_project_holds_nothing() -> None:
    assert growers([], 10.0, {"a": 0}).message == "It holds nothing."


def test_what_grew_is_told_since_the_first_planning_that_counts() -> None:
    earlier = [(1.0, {"data": 1e9, "logs": 5e9, ".": 0.0}), (5.0, {"data": 2e9})]
    finding = growers(earlier, 8.2, {"data": 4e9, "logs": 4e9, "new": 2e6, ".": 5})
    assert finding.message == (
        "What grew most in 7 days: data by 3.0 GB to 4.0 GB, new by 2.0 MB to 2.0 MB, files in the root by 5 B to 5 B."
    )


def test_a_planning_of_today_is_too_young_to_compare_with() -> None:
    assert growers([(9.5, {"data": 1.0})], 10.0, {"data": 5e9}).message.startswith("The largest are data")
    assert growers([(9.0, {"data": 5e9})], 10.0, {"data": 5e9}).message == "Nothing in the project grew in 1 day."


def test_a_folder_whose_name_cannot_be_shown_is_known_again() -> None:
    name = "\udcff"
    assert growers([(1.0, recorded({name: 5.0}))], 10.0, {name: 5.0}).message.startswith("Nothing")


def test_of_a_folder_too_small_to_be_recorded_only_the_growth_that_is_sure_is_told() -> None:
    folders = {f"folder{number}": 100.0 + number for number in range(RECORDED + 5)}
    held = recorded(folders)
    assert (len(held), min(held.values())) == (RECORDED, 105.0)
    finding = growers([(1.0, held)], 3.0, {**folders, "folder0": 305.0})
    assert finding.message == "What grew most in 2 days: folder0 by 200 B to 305 B."


def test_nothing_of_a_forecast_is_no_number() -> None:
    each = found(series(lambda _day: 0.0), limit=None, total=None)
    assert each.when is not None
    assert each.when.expected == math.inf
