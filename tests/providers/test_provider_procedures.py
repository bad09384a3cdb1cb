from __future__ import annotations

import json
import socket
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.core.output.layout import report_lines
from tasks.core.report.history import append, scan
from tasks.core.report.history_entries import ProviderMeasurement
from tasks.core.report.model import Report, Status
from tasks.core.secrets.keys import Key
from tasks.core.settings.model import ProviderSettings
from tasks.demo_site.provider_stand_in import Behaviour, Reply, StandIn, stand_in
from tasks.providers.provider_faults import Fault
from tasks.providers.quick import ask_once
from tasks.providers.survey import survey

from .conftest import KEYS, NOW, SECRET, found, hostile, provider, settings

PLENTY = {"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "12.50"}]}
FREE = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "90"}
PROCEDURES = [ask_once, survey]


def quick(root: Path, *, stop: Event | None = None, dry_run: bool = False, **providers: ProviderSettings) -> Report:
    return ask_once(settings(root, **providers), keys=KEYS, now=NOW, stop=stop or Event(), dry_run=dry_run)


def weekly(root: Path, *, stop: Event | None = None, dry_run: bool = False, **providers: ProviderSettings) -> Report:
    return survey(settings(root, **providers), keys=KEYS, now=NOW, stop=stop or Event(), dry_run=dry_run)


def recorded(root: Path) -> list[ProviderMeasurement]:
    found: list[ProviderMeasurement] = []
    scan(root, "logs", found.append, ProviderMeasurement)
    return found


def remembered(root: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((root / "logs/api_performance.json").read_bytes())
    return entries


def asked_for(server: StandIn) -> list[str]:
    return [request.path.rpartition("/")[2] for request in server.seen]


def text(report: Report) -> str:
    return "\n".join("".join(piece for piece, _ in line) for line in report_lines(report))


def test_the_daily_question_is_one_small_request(tmp_path: Path) -> None:
    with stand_in(Behaviour(key=SECRET)) as server:
        report = quick(tmp_path, one=provider(server.url))
    assert report.status is Status.OK
    assert report.summary == "1 of 1 provider answered as expected"
    (request,) = server.seen
    assert request.body["max_tokens"] == 16
    assert "16 tokens" in found(report, "providers.answer", "one").message
    assert [metric.name for metric in report.metrics] == [
        "providers.response_time",
        "providers.first_byte",
        "providers.tokens_per_second",
        "providers.success_rate",
    ]
    assert [(action.verb, action.target, action.count) for action in report.actions] == [
        ("request", "one", 1),
        ("write", "logs/api_performance.json", 1),
    ]
    assert report.files == ["logs/api_performance.json"]
    (entry,) = remembered(tmp_path)
    assert (entry["source"], entry["success_rate"]) == ("daily.health-check", 1)
    assert entry["providers"]["one"]["requests"] == 1
    (measured,) = recorded(tmp_path)
    assert (measured.moment, measured.source, measured.provider) == (NOW, "daily.health-check", "one")
    kept = entry["providers"]["one"]
    assert {name: getattr(measured, name) for name in kept} == kept
    assert "tokens/s" in text(report)


def test_the_free_question_costs_nothing(tmp_path: Path) -> None:
    with stand_in() as server:
        report = quick(tmp_path, one=provider(server.url, probe="models"))
    assert report.status is Status.OK
    assert asked_for(server) == ["models"]


@pytest.mark.parametrize("probe", ["chat", "models"])
def test_a_model_that_is_not_offered_any_more_is_critical_and_names_the_others(tmp_path: Path, probe: str) -> None:
    with stand_in(Behaviour(models=("new-1", "new-2"))) as server:
        report = quick(tmp_path, one=provider(server.url, model="old", probe=probe))
    finding = found(report, "providers.answer")
    assert finding.status is Status.CRITICAL
    assert 'It offers 2 models: "new-1", "new-2".' in finding.message
    assert finding.remedy == "Set maintenance.providers.one.model to a model that is offered."
    assert remembered(tmp_path)[0]["providers"]["one"]["error"] == "model not offered"


def test_a_limited_rate_is_a_warning_with_the_wait(tmp_path: Path) -> None:
    limited = {"chat/completions": Reply(429, {}, {"Retry-After": "30"})}
    with stand_in(Behaviour(always=limited)) as server:
        report = quick(tmp_path, one=provider(server.url))
    finding = found(report, "providers.answer")
    assert finding.status is Status.WARNING
    assert "names a wait of 30.0 s" in finding.message


@pytest.mark.parametrize(("slow", "very_slow", "status"), [(0, 50, Status.WARNING), (0, 0, Status.CRITICAL)])
def test_a_slow_answer_is_judged(tmp_path: Path, slow: float, very_slow: float, status: Status) -> None:
    with stand_in() as server:
        slowly = provider(server.url, slow_seconds=slow, very_slow_seconds=very_slow)
        assert quick(tmp_path, one=slowly).status is status


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_without_a_key_nothing_is_sent_and_the_variable_is_named(tmp_path: Path, procedure: Any) -> None:
    keys = {"THE_KEY": Key("", "environment", "is empty in the environment")}
    with stand_in() as server:
        one = settings(tmp_path, one=provider(server.url))
        report = procedure(one, keys=keys, now=NOW, stop=Event())
    finding = found(report, "providers.answer")
    assert (finding.status, finding.message) == (Status.CRITICAL, "THE_KEY is empty in the environment.")
    assert server.seen == []
    assert remembered(tmp_path)[0]["providers"]["one"]["error"] == "key missing"
    assert report.status is Status.CRITICAL


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_no_providers_are_nothing_to_judge(tmp_path: Path, procedure: Any) -> None:
    report = procedure(settings(tmp_path), keys={}, now=NOW, stop=Event())
    (finding,) = report.findings
    assert (finding.check, finding.status) == ("providers.answer", Status.SKIPPED)
    assert finding.message == "No provider is set in maintenance.providers."
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("procedure", "paid", "free"), [(quick, 1, 1), (weekly, 5, 2)])
def test_a_dry_run_sends_and_writes_nothing(tmp_path: Path, procedure: Any, paid: int, free: int) -> None:
    with stand_in() as server:
        one = provider(server.url, account="balance")
        report = procedure(tmp_path, dry_run=True, one=one, two=provider(server.url, probe="models", account="api-key"))
    assert report.dry_run
    assert report.status is Status.SKIPPED
    assert [(finding.subject, finding.message) for finding in report.findings] == [
        ("one", "Not asked in a dry run."),
        ("two", "Not asked in a dry run."),
    ]
    assert [(action.verb, action.target, action.count, action.done) for action in report.actions] == [
        ("request", "one", paid, False),
        ("request", "two", free, False),
        ("write", "logs/api_performance.json", 1, False),
    ]
    assert report.summary == "2 providers would be asked"
    assert server.seen == []
    assert [*tmp_path.iterdir()] == []


def test_without_an_account_one_request_less_is_planned(tmp_path: Path) -> None:
    report = weekly(tmp_path, dry_run=True, one=provider("http://127.0.0.1:9"))
    assert report.actions[0].count == 4


def test_the_weekly_survey_asks_for_all_that_a_provider_tells(tmp_path: Path) -> None:
    with stand_in(Behaviour(key=SECRET, balance=PLENTY, headers=FREE)) as server:
        report = weekly(tmp_path, one=provider(server.url, account="balance"))
    assert asked_for(server) == ["models", *["completions"] * 3, "balance"]
    assert [request.body["max_tokens"] for request in server.seen[1:4]] == [50, 200, 500]
    assert [(finding.check, finding.status) for finding in report.findings] == [
        ("providers.answer", Status.OK),
        ("providers.model", Status.OK),
        ("providers.rate_limit", Status.OK),
        ("providers.account", Status.OK),
        ("providers.trend", Status.OK),
    ]
    assert "3 answers, each in" in found(report, "providers.answer").message
    assert "750 tokens" in found(report, "providers.answer").message
    assert found(report, "providers.account").message == "The balance is 12.50 USD."
    assert found(report, "providers.trend").message.endswith("1 measurement in the last 30 days.")  # this one
    assert [*report.data] == ["providers", "limits", "trend"]
    assert remembered(tmp_path)[0]["source"] == "weekly.api-health"
    assert remembered(tmp_path)[0]["providers"]["one"]["requests"] == 3
    assert "not enough data" in text(report)


def test_the_free_survey_says_what_is_free(tmp_path: Path) -> None:
    state = {"api_key_blocked": True, "api_key_disabled": False, "team_blocked": False, "redacted_api_key": "xai-ab"}
    with stand_in(Behaviour(key_state=state)) as server:
        report = weekly(tmp_path, one=provider(server.url, probe="models", account="api-key"))
    assert asked_for(server) == ["models", "api-key"]
    assert found(report, "providers.account").status is Status.CRITICAL
    assert "xai-ab" not in repr(report)
    assert found(report, "providers.answer").status is Status.OK
    assert "limits" not in report.data


def test_a_model_that_answers_and_is_not_listed_is_critical(tmp_path: Path) -> None:
    unlisted = {"models": Reply(200, {"data": [{"id": "another"}]})}
    with stand_in(Behaviour(always=unlisted)) as server:
        report = weekly(tmp_path, one=provider(server.url))
    assert found(report, "providers.answer").status is Status.OK
    assert found(report, "providers.model").status is Status.CRITICAL
    assert asked_for(server) == ["models", *["completions"] * 3]


@pytest.mark.parametrize(
    ("status", "fault", "chats", "account"),
    [
        (401, Fault.KEY_REFUSED, 1, True),
        (402, Fault.OUT_OF_QUOTA, 1, True),
        (429, Fault.RATE_LIMITED, 1, True),
        (500, Fault.OVERLOADED, 3, True),
        (307, Fault.REDIRECTED, 1, False),
    ],
)
def test_after_a_lasting_fault_no_more_is_asked(
    tmp_path: Path, status: int, fault: Fault, chats: int, *, account: bool
) -> None:
    with stand_in(Behaviour(always={"chat/completions": Reply(status)}, balance=PLENTY)) as server:
        report = weekly(tmp_path, one=provider(server.url, account="balance"))
    assert asked_for(server) == ["models", *["completions"] * chats, *["balance"] * account]
    assert remembered(tmp_path)[0]["providers"]["one"]["error"] == fault.value
    assert found(report, "providers.account").status is (Status.OK if account else Status.SKIPPED)


def test_a_list_that_fails_keeps_from_nothing_else(tmp_path: Path) -> None:
    with stand_in(Behaviour(always={"models": Reply(403)}, balance=PLENTY)) as server:
        report = weekly(tmp_path, one=provider(server.url, account="balance"))
    assert asked_for(server) == ["models", *["completions"] * 3, "balance"]
    assert report.status is Status.OK


def test_the_trend_counts_what_was_measured_before(tmp_path: Path) -> None:
    past = [
        {"timestamp": (NOW - timedelta(days=day)).isoformat(), "providers": {"one": {"avg_response_time": seconds}}}
        for day, seconds in zip(range(8, 0, -1), [0.0001] * 4 + [100] * 4, strict=True)
    ]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/api_performance.json").write_text(json.dumps(past))
    with stand_in() as server:
        report = weekly(tmp_path, one=provider(server.url))
    finding = found(report, "providers.trend")
    assert finding.status is Status.WARNING
    assert finding.message.endswith("(medians of 9 measurements).")
    assert len(remembered(tmp_path)) == 9


def test_the_trend_counts_what_only_the_history_has(tmp_path: Path) -> None:
    for day, seconds in zip(range(8, 0, -1), [0.0001] * 4 + [100] * 4, strict=True):
        moment = NOW - timedelta(days=day)
        append(
            tmp_path,
            "logs",
            [ProviderMeasurement(moment=moment, source="s", provider="one", avg_response_time=seconds)],
        )
    with stand_in() as server:
        report = weekly(tmp_path, one=provider(server.url))
    assert found(report, "providers.trend").message.endswith("(medians of 9 measurements).")
    assert len(remembered(tmp_path)) == 1


@pytest.mark.parametrize("procedure", [quick, weekly])
def test_a_history_that_cannot_be_used_is_told_of(tmp_path: Path, procedure: Any) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/api_performance.json").symlink_to("elsewhere")
    with stand_in() as server:
        report = procedure(tmp_path, one=provider(server.url))
    assert found(report, "providers.history").status is Status.WARNING
    assert found(report, "providers.answer").status is Status.OK
    assert report.files == []
    assert "write" not in {action.verb for action in report.actions}


@pytest.mark.parametrize("procedure", [quick, weekly])
def test_a_run_that_is_told_to_stop_says_so_and_remembers_nothing(tmp_path: Path, procedure: Any) -> None:
    stop = Event()

    def handle(_connection: socket.socket, ended: Event) -> None:
        stop.set()
        ended.wait()

    with hostile(handle) as url:
        report = procedure(tmp_path, stop=stop, one=provider(url))
    assert found(report, "providers.answer").status is Status.UNKNOWN
    assert not (tmp_path / "logs").exists()
    assert report.metrics == []


@pytest.mark.parametrize("procedure", [quick, weekly])
def test_no_report_shows_the_key_whatever_the_server_says(tmp_path: Path, procedure: Any) -> None:
    echo = Reply(400, {"error": {"message": f"Your key {SECRET} and ****{SECRET[-4:]}"}}, {"X-Echo": SECRET})
    with stand_in(Behaviour(always={"completions": echo, "models": echo, "balance": echo})) as server:
        report = procedure(tmp_path, one=provider(server.url, account="balance"))
    shown = text(report) + repr(report) + (tmp_path / "logs/api_performance.json").read_text()
    assert SECRET not in shown
    assert SECRET[-4:] not in shown


def test_names_from_the_settings_are_shown_printably(tmp_path: Path) -> None:
    with stand_in() as server:
        one = settings(tmp_path, **{"a\x1b[31m": provider(server.url)})
        report = ask_once(one, keys=KEYS, now=NOW, stop=Event())
    assert {finding.subject for finding in report.findings} == {"a\\x1b[31m"}
    assert report.data["providers"][0]["provider"] == "a\\x1b[31m"
