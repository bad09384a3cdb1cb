from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.output.layout import report_lines
from tasks.core.report.history import append
from tasks.core.report.history_entries import ProviderMeasurement
from tasks.core.report.model import Finding, Report, Status
from tasks.core.settings.model import Settings
from tasks.providers.provider_months import compare_months

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATH = "logs/api_performance.json"


def entries(
    figures: Sequence[float | None],
    *,
    name: str = "deepseek",
    back: timedelta = timedelta(),
    rate: float | None = 1.0,
    tokens: float | None = None,
) -> list[dict[str, Any]]:
    """Return entries two hours apart, the last one so long *back*, with these response times."""
    return [
        {
            "timestamp": (NOW - back - timedelta(hours=2 * place)).isoformat(),
            "providers": {name: {"avg_response_time": time, "success_rate": rate, "tokens_per_second": tokens}},
        }
        for place, time in enumerate(figures)
    ]


MONTH = timedelta(days=30)


def before(figures: Sequence[float | None], **more: Any) -> list[dict[str, Any]]:
    return entries(figures, back=MONTH, **more)


def run(root: Path, content: object, **changes: Any) -> Report:
    (root / "logs").mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (root / PATH).write_text(text)
    return compare_months(msgspec.structs.replace(Settings(root=str(root)), **changes), now=NOW)


def evaluated(report: Report, name: str = "deepseek") -> dict[str, Finding]:
    return {one.check.removeprefix("providers."): one for one in report.findings if one.subject == name}


def rows(report: Report) -> dict[str, dict[str, Any]]:
    return {row["provider"]: row for row in report.data["providers"]}


def only_deepseek() -> dict[str, Any]:
    return {"providers": {"deepseek": Settings().providers["deepseek"]}}


def test_two_months_side_by_side(tmp_path: Path) -> None:
    content = [
        *entries([2.0, 1.0, 3.0, 4.0], tokens=30),
        *entries([5.0], rate=0.5, tokens=50, back=timedelta(days=29)),
        *before([1.0, 2.0, 3.0], rate=0.75),
    ]
    report = run(tmp_path, content)
    assert report.summary == "1 provider, 5 measurements in the last 30 days"
    assert report.data["providers"] == [
        {
            "provider": "deepseek",
            "count": 5,
            "mean": 3.0,
            "p50": 3.0,
            "p95": 4.8,
            "max": 5.0,
            "success": 0.9,
            "tokens/s": 34.0,
            "count before": 3,
            "p50 before": 2.0,
            "p95 before": 2.9,
            "success before": 0.75,
            "change %": 50.0,
        }
    ]
    assert {one.name.removeprefix("providers."): (one.value, one.unit, one.subject) for one in report.metrics} == {
        "measurements": (5, "measurements", "deepseek"),
        "response_time_mean": (3.0, "s", "deepseek"),
        "response_time_p50": (3.0, "s", "deepseek"),
        "response_time_p95": (4.8, "s", "deepseek"),
        "success_rate": (0.9, "share", "deepseek"),
        "tokens_per_second": (34.0, "tokens/s", "deepseek"),
    }


def test_a_month_that_calls_for_nothing_has_no_findings(tmp_path: Path) -> None:
    report = run(tmp_path, [*entries([1.0] * 30), *entries([2.0] * 30, name="grok"), *before([1.0] * 30)])
    assert report.findings == []
    assert report.status is Status.OK
    assert report.summary == "2 providers, 60 measurements in the last 30 days"
    assert not [one.name for one in report.metrics if "tokens" in one.name]


def test_the_table_is_shown_in_text(tmp_path: Path) -> None:
    lines = ["".join(text for text, _ in line) for line in report_lines(run(tmp_path, entries([1.0] * 8)))]
    assert any("provider" in line and "p95 before" in line for line in lines)
    assert any("deepseek" in line and "1.0" in line for line in lines)


@pytest.mark.parametrize(
    ("mean", "status", "limit"),
    [(5.0, None, None), (5.01, Status.WARNING, "5 s"), (15.0, Status.WARNING, "5 s"), (15.01, Status.CRITICAL, "15 s")],
)
def test_a_slow_mean(tmp_path: Path, mean: float, status: Status | None, limit: str | None) -> None:
    report = run(tmp_path, entries([mean - 1] * 4 + [mean + 1] * 4), **only_deepseek())
    if status is None:
        assert report.findings == []
        return
    finding = evaluated(report)["response_time"]
    assert (finding.status, finding.value, finding.unit) == (status, mean, "s")
    assert (finding.warning, finding.critical) == (5, 15)
    assert f"It took {mean:.2f} s to answer, the mean of 8 measurements in the last 30 days" in finding.message
    assert f"at most {limit} was expected" in finding.message
    assert "maintenance.providers.deepseek.slow_seconds" in str(finding.remedy)


@pytest.mark.parametrize(("median", "slower"), [(2.4, False), (2.42, True)])
def test_a_median_slower_than_the_month_before(tmp_path: Path, median: float, slower: bool) -> None:  # noqa: FBT001
    last = [0.1] * 3 + [median] * 2 + [4.5] * 3
    report = run(tmp_path, [*entries(last), *before([2.0] * 8)], **only_deepseek())
    assert [one.check for one in report.findings] == (["providers.slower"] if slower else [])
    if slower:
        finding = evaluated(report)["slower"]
        assert (finding.status, finding.value, finding.unit, finding.warning) == (Status.WARNING, 2.42, "s", 2.4)
        assert finding.message == (
            "It became 21.0 % slower: the median response time was 2.42 s in the last 30 days and 2.00 s in the 30 "
            "days before; at most 2.40 s (20 % more) was expected."
        )
        assert finding.remedy


@pytest.mark.parametrize(("last", "earlier"), [(7, 8), (8, 7)])
def test_two_months_are_compared_from_eight_measurements_each(tmp_path: Path, last: int, earlier: int) -> None:
    content = [*entries([2.0] * last), *before([1.0] * earlier)]
    assert "slower" not in evaluated(run(tmp_path, content))
    content = [*entries([2.0] * 8), *before([1.0] * 8)]
    assert "slower" in evaluated(run(tmp_path, content))


@pytest.mark.parametrize(("rates", "low"), [([1.0] * 19 + [0.0], False), ([1.0] * 18 + [0.0], True)])
def test_a_low_rate_of_success(tmp_path: Path, rates: list[float], low: bool) -> None:  # noqa: FBT001
    content = [entry for rate in rates for entry in entries([1.0], rate=rate)]
    report = run(tmp_path, content, **only_deepseek())
    assert [one.check for one in report.findings] == (["providers.success_rate"] if low else [])
    if low:
        finding = evaluated(report)["success_rate"]
        assert (finding.status, finding.value, finding.unit, finding.warning) == (
            Status.WARNING,
            round(18 / 19, 4),
            "share",
            0.95,
        )
        assert "94.7 % of its requests succeeded, the mean of 19 measurements" in finding.message
        assert "at least 95 % was expected" in finding.message
        assert "inv weekly.api-health" in str(finding.remedy)


def test_a_rate_just_below_the_threshold_does_not_read_as_if_it_met_it(tmp_path: Path) -> None:
    report = run(tmp_path, entries([1.0] * 8, rate=0.9499), **only_deepseek())
    assert "94.9 % of its requests succeeded" in evaluated(report)["success_rate"].message


def test_a_provider_that_never_answered_is_judged_by_that(tmp_path: Path) -> None:
    report = run(tmp_path, entries([None] * 8, rate=0.0), **only_deepseek())
    assert list(evaluated(report)) == ["success_rate"]
    assert evaluated(report)["success_rate"].value == 0
    assert rows(report)["deepseek"]["p50"] is None
    assert rows(report)["deepseek"]["max"] is None


def test_fewer_than_eight_are_too_few(tmp_path: Path) -> None:
    report = run(tmp_path, [*entries([90.0] * 7, rate=0.5), *entries([1.0] * 8, name="grok")])
    finding = evaluated(report)["response_time"]
    assert (finding.status, finding.value) == (Status.SKIPPED, 7)
    assert finding.message == "7 measurements in the last 30 days, too few to judge it by; 8 are needed."
    assert "inv daily.health-check" in str(finding.remedy)
    assert report.findings == [finding]


@pytest.mark.parametrize(("rate", "time"), [(0.5, None), (None, 9.0)])
def test_eight_of_one_figure_are_enough_to_judge_that(tmp_path: Path, rate: float | None, time: float | None) -> None:
    report = run(tmp_path, entries([time] * 8, rate=rate), **only_deepseek())
    assert [one.status for one in report.findings] == [Status.WARNING]
    report = run(tmp_path, entries([time] * 7, rate=rate), **only_deepseek())
    assert [one.status for one in report.findings] == [Status.SKIPPED]


def test_the_change_of_the_median_has_one_decimal(tmp_path: Path) -> None:
    report = run(tmp_path, [*entries([2.0, 2.3456, 9.0]), *before([1.0, 2.0, 3.0])])
    assert rows(report)["deepseek"]["change %"] == 17.3
    report = run(tmp_path, [*entries([1.0]), *before([2.0])])
    assert rows(report)["deepseek"]["change %"] == -50.0


def test_a_configured_provider_that_was_not_measured(tmp_path: Path) -> None:
    report = run(tmp_path, [*entries([1.0] * 8), *before([1.0] * 8, name="grok")])
    assert evaluated(report, "grok")["response_time"].message.startswith("0 measurements")
    row = rows(report)["grok"]
    assert (row["count"], row["mean"], row["p50"], row["max"]) == (0, None, None, None)
    assert (row["count before"], row["p50 before"], row["change %"]) == (8, 1.0, None)
    assert {one.subject for one in report.metrics} == {"deepseek"}
    assert report.summary.startswith("1 provider, 8 ")


def test_a_provider_that_is_not_configured_any_more_is_shown_and_not_judged(tmp_path: Path) -> None:
    content = [*entries([99.0] * 8, name="z\nold", rate=0.0), *entries([99.0] * 8, name="old")]
    report = run(tmp_path, [*content, *entries([1.0] * 8), *entries([1.0] * 8, name="grok")])
    assert report.findings == []
    assert list(rows(report)) == ["deepseek", "grok", "old", "z\\nold"]
    assert {one.subject for one in report.metrics} == {"deepseek", "grok", "old", "z\\nold"}


def test_the_months_meet_and_do_not_overlap(tmp_path: Path) -> None:
    def entry(back: timedelta) -> dict[str, Any]:
        return entries([1.0], back=back)[0]

    second = timedelta(seconds=1)
    content = [entry(timedelta()), entry(MONTH - second)]
    content += [entry(MONTH), entry(MONTH + second), entry(2 * MONTH - second)]
    content += [entry(2 * MONTH), entry(-second)]
    row = rows(run(tmp_path, content))["deepseek"]
    assert (row["count"], row["count before"]) == (2, 3)


@pytest.mark.parametrize("content", [None, "", "[]", before([1.0] * 8)])
def test_no_measurement_of_the_last_month(tmp_path: Path, content: object) -> None:
    report = run(tmp_path, content) if content is not None else compare_months(Settings(root=str(tmp_path)), now=NOW)
    (finding,) = report.findings
    assert (finding.check, finding.subject, finding.status) == ("providers.history", PATH, Status.SKIPPED)
    assert finding.message == f"No measurement of the last 30 days stands in {PATH}."
    assert "inv daily.health-check" in str(finding.remedy)
    assert report.summary == "0 providers, 0 measurements in the last 30 days"
    assert report.metrics == []


def test_a_broken_history_is_unknown(tmp_path: Path) -> None:
    report = run(tmp_path, '[{"timestamp": ')
    (finding,) = report.findings
    assert (finding.check, finding.subject, finding.status) == ("providers.history", PATH, Status.UNKNOWN)
    assert finding.message.startswith(f"{PATH} is no valid JSON")
    assert finding.message.endswith("No month can be compared.")
    assert finding.remedy
    assert (tmp_path / PATH).read_text() == '[{"timestamp": '


def test_odd_entries_are_told_and_the_others_judged(tmp_path: Path) -> None:
    report = run(tmp_path, [5, *entries([9.0] * 8), {"timestamp": "?"}], **only_deepseek())
    assert [one.check for one in report.findings] == ["providers.history", "providers.response_time"]
    finding = report.findings[0]
    assert (finding.subject, finding.status, finding.value, finding.unit) == (PATH, Status.WARNING, 2, "entries")
    assert finding.message == f"2 entries of {PATH} could not be understood, as a whole or in part."
    assert finding.remedy


@pytest.mark.parametrize(("seconds", "warned"), [(300, False), (301, True)])
def test_measurements_dated_in_the_future_are_left_out(tmp_path: Path, seconds: int, warned: bool) -> None:  # noqa: FBT001
    ahead = entries([99.0], back=-timedelta(seconds=seconds))
    report = run(tmp_path, [*entries([1.0] * 8), *ahead], **only_deepseek())
    assert rows(report)["deepseek"]["count"] == 8
    assert [(one.check, one.status) for one in report.findings] == (
        [("providers.history", Status.WARNING)] if warned else []
    )
    if warned:
        assert report.findings[0].message == f"1 measurement of {PATH} left out, for the time lies in the future."
        assert "clock" in str(report.findings[0].remedy)


def test_the_log_folder_is_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/api_performance.json").write_text(json.dumps(entries([1.0] * 8)))
    logs = msgspec.structs.replace(Settings().logs, directory="var")
    report = compare_months(
        msgspec.structs.replace(Settings(root=str(tmp_path)), logs=logs, **only_deepseek()), now=NOW
    )
    assert report.findings == []
    assert report.summary.startswith("1 provider, 8 ")


def test_many_names_take_no_longer_than_few(tmp_path: Path) -> None:
    """One pass over the measurements serves all names: with one per name this would take minutes."""
    names = {f"provider {number}": {"response_time": 1.0} for number in range(20_000)}
    report = run(tmp_path, [{"timestamp": NOW.isoformat(), "providers": names}])
    assert report.summary == "20,000 providers, 20,000 measurements in the last 30 days"


OWN = "logs/maintenance_history.jsonl"


def recorded(root: Path, figures: Sequence[float], *, back: timedelta = timedelta()) -> None:
    """Leave measurements two hours apart in the history, the last one so long *back*."""
    append(
        root,
        "logs",
        [
            ProviderMeasurement(
                moment=NOW - back - timedelta(hours=2 * place),
                source="daily.health-check",
                provider="deepseek",
                avg_response_time=time,
                success_rate=1.0,
            )
            for place, time in enumerate(figures)
        ],
    )


def compared(root: Path) -> Report:
    return compare_months(msgspec.structs.replace(Settings(root=str(root)), **only_deepseek()), now=NOW)


def test_months_are_those_of_the_history_and_of_the_file_together(tmp_path: Path) -> None:
    recorded(tmp_path, [1.0, 2.0, 3.0])
    report = run(tmp_path, [*entries([1.0, 2.0]), *entries([9.0], back=timedelta(days=3))], **only_deepseek())
    assert (rows(report)["deepseek"]["count"], rows(report)["deepseek"]["max"]) == (4, 9.0)


def test_a_broken_file_is_a_warning_where_the_history_has_measurements(tmp_path: Path) -> None:
    recorded(tmp_path, [1.0] * 8)
    (finding,) = run(tmp_path, "{", **only_deepseek()).findings
    assert (finding.subject, finding.status) == (PATH, Status.WARNING)
    assert finding.message.endswith("Measurements that only this file has are left out.")
    assert finding.remedy


def test_damage_of_the_history_is_named_with_its_own_path(tmp_path: Path) -> None:
    recorded(tmp_path, [1.0] * 8)
    with (tmp_path / OWN).open("ab") as file:
        file.write(b"[]\n")
    recorded(tmp_path, [99.0], back=-timedelta(hours=1))
    report = compared(tmp_path)
    assert [(one.subject, one.status, one.message) for one in report.findings] == [
        (OWN, Status.WARNING, f"1 entry of {OWN} could not be understood, as a whole or in part."),
        (OWN, Status.WARNING, f"1 measurement of {OWN} left out, for the time lies in the future."),
    ]
    assert rows(report)["deepseek"]["count"] == 8


def test_a_history_that_cannot_be_read_is_a_warning_and_the_file_counts(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / OWN).symlink_to(tmp_path)
    report = run(tmp_path, entries([1.0] * 8), **only_deepseek())
    (finding,) = report.findings
    assert (finding.subject, finding.status, "is a symbolic link" in finding.message) == (OWN, Status.WARNING, True)
    assert rows(report)["deepseek"]["count"] == 8
