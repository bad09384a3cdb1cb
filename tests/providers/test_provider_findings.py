from __future__ import annotations

import pytest

from tasks.core.report.model import Finding, Status
from tasks.providers import account_findings, provider_findings, rate_limits, trend_findings
from tasks.providers.answers import Amount, Balance, Completion, KeyState, Offer
from tasks.providers.exchange_outcome import Asked
from tasks.providers.provider_faults import Failure, Fault
from tasks.providers.provider_history import History, Measurement
from tasks.providers.rate_limits import Limit
from tasks.providers.trend_findings import Trend

from .conftest import NOW, asked, bad, good

LISTED = Offer(offered=True, names=("stand-in",), total=1)
HALVES = "the first half of the last 30 days"

UNLISTED = Offer(offered=False, names=("a", "b"), total=2)


def answer(of: Asked) -> Finding:
    (finding,) = provider_findings.answer(of)
    return finding


@pytest.mark.parametrize(
    ("total", "status", "message"),
    [
        (4.9, Status.OK, "Answered in 4.9 s (first"),
        (5, Status.OK, "Answered in 5.0 s (first"),
        (5.01, Status.WARNING, "Answered in 5.0 s, more than 5.0 s (first"),
        (15, Status.WARNING, "Answered in 15.0 s, more than 5.0 s (first"),
        (15.1, Status.CRITICAL, "Answered in 15.1 s, more than 15.0 s (first"),
    ],
)
def test_the_time_is_judged_by_the_providers_thresholds(total: float, status: Status, message: str) -> None:
    finding = answer(asked(good(total=total, content=Completion(14))))
    assert (finding.check, finding.subject, finding.status) == ("providers.answer", "one", status)
    assert finding.message.startswith(message)
    assert (finding.value, finding.unit, finding.warning, finding.critical) == (total, "s", 5, 15)
    assert (finding.remedy is None) is (status is Status.OK)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (
            asked(good(total=2, content=Completion(1))),
            "Answered in 2.0 s (first byte after 500 ms), 1 token, 0.5 tokens/s.",
        ),
        (
            asked(good(content=Completion(None))),
            "Answered in 1.0 s (first byte after 500 ms), tokens not reported.",
        ),
        (
            asked(good(content=Completion(16), attempts=2)),
            "Answered in 1.0 s (first byte after 500 ms), 16 tokens, 16.0 tokens/s; 1 of 2 requests failed.",
        ),
        (
            asked(*[good(content=Completion(2000))] * 3),
            "3 answers, each in 1.0 s on average (first byte after 500 ms), 6,000 tokens, 2,000.0 tokens/s.",
        ),
        (
            asked(good("models", content=LISTED), settings={"probe": "models"}),
            "Answered in 1.0 s (first byte after 500 ms).",
        ),
    ],
)
def test_the_figures_are_said_in_one_sentence(of: Asked, message: str) -> None:
    finding = answer(of)
    assert (finding.message, finding.status) == (message, Status.OK)


@pytest.mark.parametrize("fault", list(Fault))
def test_a_fault_is_critical_but_for_a_limited_rate_and_has_a_remedy(fault: Fault) -> None:
    finding = answer(asked(bad(fault)))
    assert finding.status is (Status.WARNING if fault is Fault.RATE_LIMITED else Status.CRITICAL)
    assert finding.message == f"{fault.name}."
    assert (finding.value, finding.unit) == (None, "s")
    assert finding.remedy is not None
    assert finding.remedy[0].isupper()
    assert finding.remedy.endswith(".")
    assert "{" not in finding.remedy


def test_remedies_name_the_setting_and_the_variable_printably() -> None:
    of = asked(name="a\nb", settings={"key_env": "MY_KEY"})
    remedy = provider_findings.remedy(Fault.KEY_MISSING, of.name, of.settings)
    assert remedy is not None
    assert remedy.startswith("Set MY_KEY in the environment or in .env; or set maintenance.providers.")
    text = provider_findings.remedy(Fault.MODEL_NOT_OFFERED, of.name, of.settings)
    assert text == "Set maintenance.providers.a\\nb.model to a model that is offered."


def test_a_repeated_failure_says_how_often_it_was_tried() -> None:
    assert answer(asked(bad(attempts=2))).message == "OVERLOADED. It was asked 2 times."


def test_a_provider_that_could_not_be_asked_is_critical() -> None:
    finding = answer(asked(refused=Failure(Fault.KEY_MISSING, "THE_KEY is empty in the environment.")))
    assert (finding.status, finding.message) == (Status.CRITICAL, "THE_KEY is empty in the environment.")
    assert finding.remedy is not None
    assert finding.remedy.startswith("Set THE_KEY in the environment or in .env;")


@pytest.mark.parametrize("fault", list(Fault))
def test_a_fault_beside_a_success_is_a_warning_where_it_may_be_over(fault: Fault) -> None:
    passing = {Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.CONNECTION_LOST, Fault.MALFORMED}
    finding = answer(asked(good(content=Completion(10)), bad(fault)))
    assert finding.status is (Status.WARNING if fault in passing else Status.CRITICAL)
    assert finding.message.startswith(f"{fault.name}. Answered in 1.0 s (")
    assert finding.message.endswith("; 1 of 2 requests failed.")
    assert finding.value == 1


def test_a_slow_answer_beside_a_passing_fault_keeps_its_weight() -> None:
    assert answer(asked(good(total=16), bad())).status is Status.CRITICAL


def test_a_list_without_the_model_is_critical_where_only_that_is_asked() -> None:
    finding = answer(asked(good("models", content=UNLISTED), settings={"probe": "models"}))
    assert finding.status is Status.CRITICAL
    assert finding.message.startswith('It does not offer the model "stand-in". It offers 2 models: "a", "b". Answered')


def test_who_was_told_to_stop_does_not_know() -> None:
    finding = answer(asked(good(), complete=False))
    assert (finding.status, finding.value) == (Status.UNKNOWN, None)
    assert "told to stop" in finding.message


def test_blanks_around_a_key_are_a_warning_of_their_own() -> None:
    of = asked(good(), remark="has blanks around it in .env", name="one")
    key, answered = provider_findings.answer(of)
    assert (key.check, key.subject, key.status) == ("providers.key", "one", Status.WARNING)
    assert key.message == "THE_KEY has blanks around it in .env; it was used without them."
    assert answered.status is Status.OK


@pytest.mark.parametrize(
    ("of", "status", "message"),
    [
        (asked(good("models", content=LISTED)), Status.OK, 'It offers "stand-in".'),
        (asked(good("models", content=UNLISTED), good()), Status.CRITICAL, 'It does not offer the model "stand-in".'),
        (asked(bad(kind="models", status=404), good()), Status.OK, '"stand-in" answers; which models are offered is'),
        (asked(bad(Fault.TIMEOUT, kind="models"), good()), Status.OK, '"stand-in" answers; which'),
        (asked(bad(kind="models", status=404), bad()), Status.SKIPPED, "Which models are offered is not reported."),
        (asked(bad(kind="models", status=405)), Status.SKIPPED, "Which models are offered is not reported."),
        (asked(bad(kind="models", status=500)), Status.UNKNOWN, "Which models are offered could not be read: OVER"),
        (
            asked(bad(Fault.DNS, kind="models"), bad()),
            Status.UNKNOWN,
            "Which models are offered could not be read: DNS",
        ),
    ],
)
def test_the_model_is_judged_by_the_list_or_else_by_its_answers(of: Asked, status: Status, message: str) -> None:
    (finding,) = provider_findings.model(of)
    assert (finding.check, finding.status) == ("providers.model", status)
    assert finding.message.startswith(message)
    assert (finding.remedy is not None) is (status in {Status.CRITICAL, Status.UNKNOWN})


@pytest.mark.parametrize(
    "of",
    [
        asked(good()),
        asked(refused=Failure(Fault.KEY_MISSING, "")),
        asked(good("models", content=LISTED), complete=False),
    ],
)
def test_without_a_list_there_is_nothing_to_say_of_models(of: Asked) -> None:
    assert [*provider_findings.model(of)] == []


def test_the_summary_counts_who_answered() -> None:
    assert provider_findings.summary([asked(good())]) == "1 of 1 provider answered as expected"
    everyone = [asked(good()), asked(bad()), asked(good(), complete=False)]
    assert provider_findings.summary(everyone) == "1 of 3 providers answered as expected"


def test_every_request_that_was_sent_is_an_action() -> None:
    everyone = [asked(good(attempts=2), bad(kind="models")), asked(name="two")]
    assert [
        (action.verb, action.target, action.count, action.done) for action in provider_findings.actions(everyone)
    ] == [("request", "one", 3, True)]


def _headers(what: str, **values: str) -> dict[str, str]:
    return {f"x-ratelimit-{part}-{what}": value for part, value in values.items()}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, []),
        (_headers("requests", limit="100"), []),
        (_headers("requests", remaining="many"), []),
        (_headers("requests", remaining="-1"), []),
        (_headers("requests", remaining="5"), [Limit("requests", None, 5, None)]),
        (_headers("tokens", limit="x", remaining="5", reset="6m0s"), [Limit("tokens", None, 5, 360)]),
        (
            _headers("tokens", limit="10", remaining="0") | _headers("requests", limit="9", remaining="8", reset="1s"),
            [Limit("requests", 9, 8, 1), Limit("tokens", 10, 0, None)],
        ),
    ],
)
def test_limits_are_those_that_are_reported(headers: dict[str, str], expected: list[Limit]) -> None:
    assert rate_limits.limits(headers, NOW) == expected


@pytest.mark.parametrize(
    ("remaining", "status", "message"),
    [
        ("100", Status.OK, "100 of 1,000 requests left, all of them again in 2.0 s."),
        ("99", Status.WARNING, "99 of 1,000 requests left"),
        ("1", Status.WARNING, "1 of 1,000 requests left"),
        ("0", Status.CRITICAL, "0 of 1,000 requests left"),
    ],
)
def test_little_left_of_a_limit_is_a_warning_and_nothing_critical(remaining: str, status: Status, message: str) -> None:
    headers = _headers("requests", limit="1000", remaining=remaining, reset="2")
    (finding,) = rate_limits.evaluate(asked(good(headers=headers)), NOW)
    assert (finding.check, finding.status) == ("providers.rate_limit", status)
    assert finding.message.startswith(message)
    assert (finding.value, finding.unit, finding.warning, finding.critical) == (int(remaining), "requests", 100, 0)
    assert (finding.remedy is None) is (status is Status.OK)


@pytest.mark.parametrize(("remaining", "status"), [("1", Status.OK), ("0", Status.CRITICAL)])
def test_without_a_limit_only_nothing_left_is_bad(remaining: str, status: Status) -> None:
    (finding,) = rate_limits.evaluate(asked(good(headers=_headers("tokens", remaining=remaining))), NOW)
    assert (finding.status, finding.warning) == (status, None)
    assert finding.message == f"{remaining} token{'' if remaining == '1' else 's'} left."


def test_the_last_answer_that_reports_limits_counts() -> None:
    first, second = (good(headers=_headers("requests", limit="10", remaining=left)) for left in ("9", "8"))
    of = asked(first, second, good("account"))
    assert rate_limits.of(of, NOW) == [Limit("requests", 10, 8, None)]
    assert rate_limits.rows(of, NOW) == [{"provider": "one", "what": "requests", "limit": 10, "left": 8, "reset": None}]


def test_limits_that_are_not_reported_are_not_made_up() -> None:
    (finding,) = rate_limits.evaluate(asked(good()), NOW)
    assert (finding.status, finding.message, finding.value) == (Status.OK, "Rate limits are not reported.", None)
    assert rate_limits.rows(asked(good()), NOW) == []
    assert [*rate_limits.evaluate(asked(bad()), NOW)] == []
    (limited,) = rate_limits.evaluate(asked(bad(headers=_headers("requests", limit="9", remaining="0"))), NOW)
    assert limited.status is Status.CRITICAL


def _balance(*totals: float, available: bool = True) -> Asked:
    amounts = tuple(map(Amount, ("USD", "CNY"), totals))
    return asked(good("account", content=Balance(available, amounts)), settings={"account": "balance"})


@pytest.mark.parametrize(
    ("of", "status", "message"),
    [
        (_balance(1234.5), Status.OK, "The balance is 1,234.50 USD."),
        (_balance(1), Status.OK, "The balance is 1.00 USD."),
        (_balance(0.99), Status.WARNING, "The balance is 0.99 USD, less than 1."),
        (_balance(0, 50), Status.OK, "The balance is 50.00 CNY and 0.00 USD."),
        (_balance(0.5, 0.6), Status.WARNING, "The balance is 0.60 CNY and 0.50 USD, less than 1."),
        (_balance(0, available=False), Status.CRITICAL, "The balance is used up: 0.00 USD."),
        (_balance(), Status.OK, "The balance is an amount not reported."),
    ],
)
def test_a_low_balance_is_a_warning_and_none_critical(of: Asked, status: Status, message: str) -> None:
    (finding,) = account_findings.evaluate(of)
    assert (finding.check, finding.status, finding.message) == ("providers.account", status, message)
    assert (finding.remedy is None) is (status is Status.OK)


def test_a_balance_is_measured_in_its_currency() -> None:
    (finding,) = account_findings.evaluate(_balance(0, 50))
    assert (finding.value, finding.unit, finding.warning) == (50, "CNY", 1)


def test_a_key_that_is_closed_is_critical() -> None:
    closed = KeyState(("the key is blocked", "the team is blocked"))
    (finding,) = account_findings.evaluate(asked(good("account", content=closed)))
    assert finding.status is Status.CRITICAL
    assert finding.message == "The provider says that the key is blocked and the team is blocked."
    (fine,) = account_findings.evaluate(asked(good("account", content=KeyState(()))))
    assert (fine.status, fine.remedy) == (Status.OK, None)


@pytest.mark.parametrize(
    ("of", "status", "message"),
    [
        (asked(good()), Status.OK, "Balance and state of the key are not reported."),
        (asked(bad(kind="account", status=404)), Status.OK, "Balance and state of the key are not reported."),
        (asked(bad(kind="account", status=405)), Status.OK, "Balance and state of the key are not reported."),
        (asked(bad(kind="account", status=500)), Status.UNKNOWN, "The account could not be read: OVERLOADED."),
        (asked(bad(Fault.DNS), settings={"account": "balance"}), Status.SKIPPED, "Not asked, for the provider"),
    ],
)
def test_an_account_that_is_not_told_of_says_why(of: Asked, status: Status, message: str) -> None:
    (finding,) = account_findings.evaluate(of)
    assert finding.status is status
    assert finding.message.startswith(message)


@pytest.mark.parametrize("of", [asked(complete=False), asked(refused=Failure(Fault.KEY_MISSING, ""))])
def test_who_was_not_asked_has_no_account(of: Asked) -> None:
    assert [*account_findings.evaluate(of)] == []


@pytest.mark.parametrize(
    ("trend", "status", "message", "value"),
    [
        (
            Trend("slower", 0.354, 1.0, 1.354, 12),
            Status.WARNING,
            f"Slower by 35%: 1.0 s in {HALVES}, 1.4 s in the second (medians of 12 measurements).",
            35.4,
        ),
        (
            Trend("faster", -0.5, 2.0, 1.0, 8),
            Status.OK,
            f"Faster by 50%: 2.0 s in {HALVES}, 1.0 s in the second (medians of 8 measurements).",
            -50,
        ),
        (
            Trend("steady", 0.2, 1.0, 1.2, 8),
            Status.OK,
            f"Steady: 1.0 s in {HALVES}, 1.2 s in the second (medians of 8 measurements).",
            20,
        ),
        (
            Trend("slower", None, 0.0, 1.0, 8),
            Status.WARNING,
            f"Slower: 0 ms in {HALVES}, 1.0 s in the second (medians of 8 measurements).",
            None,
        ),
        (
            Trend("not enough data", None, None, None, 1),
            Status.OK,
            "Not enough data for a trend: 1 measurement in the last 30 days.",
            None,
        ),
    ],
)
def test_only_a_trend_to_slower_is_a_warning(trend: Trend, status: Status, message: str, value: float | None) -> None:
    finding = trend_findings.evaluate("one", trend)
    assert (finding.check, finding.status, finding.message) == ("providers.trend", status, message)
    assert (finding.value, finding.unit) == (value, None if value is None else "%")
    assert (finding.remedy is None) is (status is Status.OK)
    assert trend_findings.row("one", trend) == {
        "provider": "one",
        "trend": trend.direction,
        "change %": value,
        "first": trend.first,
        "last": trend.last,
        "count": trend.count,
    }


def test_a_trend_is_that_of_the_providers_own_measurements() -> None:
    times = [NOW.timestamp() - 86_400 * day for day in range(10, 0, -1)]
    measured = [Measurement(time, "a", 1.0 + number) for number, time in enumerate(times)]
    found = trend_findings.of(History([*measured, Measurement(times[0], "b", 1.0)]), ["a", "b"], NOW)
    assert (found["a"].direction, found["a"].count) == ("slower", 10)
    assert (found["b"].direction, found["b"].count) == ("not enough data", 1)
