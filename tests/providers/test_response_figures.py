from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.answers import Completion, Offer
from tasks.providers.provider_faults import Failure, Fault
from tasks.providers.response_figures import entry, measure, metrics, not_offered, offer, row, trouble

from .conftest import NOW, asked, bad, good

LISTED = Offer(offered=True, names=("stand-in",), total=1)
UNLISTED = Offer(offered=False, names=("a", "b"), total=7)


def test_figures_are_means_over_what_succeeded() -> None:
    figures = measure(
        asked(
            good(total=2, first=1, content=Completion(30)),
            good(total=4, first=2, content=Completion(None)),
            good(total=3, first=3, content=Completion(70), attempts=2),
            bad(Fault.TIMEOUT),
            good("models", total=100),
            bad(kind="account"),
        )
    )
    assert (figures.requests, figures.failures, figures.success_rate) == (5, 2, 0.6)
    assert (figures.response_time, figures.first_byte) == (3, 2)
    assert (figures.tokens, figures.tokens_per_second) == (100, 20)


def test_nothing_that_was_not_measured_has_a_figure() -> None:
    assert measure(asked()).success_rate is None
    figures = measure(asked(bad(attempts=2)))
    assert (figures.requests, figures.failures, figures.success_rate) == (2, 2, 0)
    assert figures.response_time is figures.first_byte is figures.tokens_per_second is figures.tokens is None
    assert [metric.name for metric in metrics("one", figures)] == ["providers.success_rate"]
    assert [*metrics("one", measure(asked()))] == []


def test_no_tokens_are_a_figure_as_well() -> None:
    figures = measure(asked(good(content=Completion(0))))
    assert (figures.tokens, figures.tokens_per_second) == (0, 0)


def test_an_answer_that_took_no_time_has_no_speed() -> None:
    assert measure(asked(good(total=0, content=Completion(5)))).tokens_per_second is None


@given(st.lists(st.tuples(st.integers(1, 2), st.booleans())))
def test_the_rate_of_success_is_a_share(outcomes: list[tuple[int, bool]]) -> None:
    made = [good(attempts=attempts) if fine else bad(attempts=attempts) for attempts, fine in outcomes]
    figures = measure(asked(*made))
    assert figures.requests - figures.failures == sum(fine for _, fine in outcomes)
    assert figures.success_rate is None if not outcomes else 0 <= (figures.success_rate or 0) <= 1


def test_free_requests_are_measured_where_only_they_are_made() -> None:
    figures = measure(asked(good("models", total=2, content=LISTED), bad(), settings={"probe": "models"}))
    assert (figures.requests, figures.response_time, figures.tokens) == (1, 2, None)


def test_metrics_have_their_units() -> None:
    figures = measure(asked(good(total=1.23456, first=1, content=Completion(10))))
    assert [(metric.name, metric.value, metric.unit, metric.subject) for metric in metrics("one", figures)] == [
        ("providers.response_time", 1.2346, "s", "one"),
        ("providers.first_byte", 1, "s", "one"),
        ("providers.tokens_per_second", 8.1001, "tokens/s", "one"),
        ("providers.success_rate", 1, "share", "one"),
    ]
    assert row("one", figures) == {
        "provider": "one",
        "mean": 1.2346,
        "first byte": 1,
        "success": 1,
        "tokens/s": 8.1001,
        "requests": 1,
    }


def test_the_list_that_has_the_model_counts() -> None:
    assert offer(asked()) is None
    assert offer(asked(bad(kind="models"))) is None
    assert offer(asked(good("models", content=UNLISTED), good("language-models", content=LISTED))) is LISTED
    assert offer(asked(good("models", content=UNLISTED), bad(kind="language-models"))) is UNLISTED
    other = Offer(offered=False, names=("x",), total=1)
    assert offer(asked(good("models", content=UNLISTED), good("language-models", content=other))) is UNLISTED


def test_trouble_is_the_first_failure_of_what_is_measured() -> None:
    assert trouble(asked(good(), bad(kind="models"), bad(kind="account"))) is None
    failure = trouble(asked(good(), bad(Fault.TIMEOUT), bad(Fault.TLS)))
    assert failure is not None
    assert failure.fault is Fault.TIMEOUT
    refused = Failure(Fault.KEY_MISSING, "K is empty.")
    assert trouble(asked(refused=refused)) is refused


def test_trouble_with_the_model_names_those_that_are_offered() -> None:
    found = trouble(asked(bad(Fault.MODEL_NOT_OFFERED, status=404), good("models", content=UNLISTED)))
    expected = 'MODEL_NOT_OFFERED. It offers 7 models: "a", "b" and 5 more.'
    assert found == Failure(Fault.MODEL_NOT_OFFERED, expected, 404)
    without = trouble(asked(bad(Fault.MODEL_NOT_OFFERED), bad(kind="models")))
    assert without == Failure(Fault.MODEL_NOT_OFFERED, "MODEL_NOT_OFFERED.")
    other = trouble(asked(bad(Fault.TIMEOUT), good("models", content=UNLISTED)))
    assert other == Failure(Fault.TIMEOUT, "TIMEOUT.")


@pytest.mark.parametrize(("probe", "is_one"), [("models", True), ("chat", False)])
def test_a_list_without_the_model_is_trouble_where_it_is_all_that_is_asked(probe: str, *, is_one: bool) -> None:
    found = trouble(asked(good("models", content=UNLISTED), good(), settings={"probe": probe}))
    expected = Failure(
        Fault.MODEL_NOT_OFFERED,
        'It does not offer the model "stand-in". It offers 7 models: "a", "b" and 5 more.',
    )
    assert found == (expected if is_one else None)
    assert not_offered("stand-in", UNLISTED) == expected
    assert trouble(asked(good("models", content=LISTED), settings={"probe": probe})) is None


def test_the_entry_has_the_shape_that_every_reader_knows() -> None:
    everyone = [
        asked(good(total=1, first=0.5, content=Completion(10)), name="a"),
        asked(good(total=2.00006), bad(Fault.RATE_LIMITED, attempts=2), name="b"),
        asked(refused=Failure(Fault.KEY_MISSING, ""), name="c"),
        asked(good(total=50), name="d", complete=False),
    ]
    assert entry(everyone, "daily.health-check", NOW) == {
        "timestamp": "2025-06-02T12:00:00+00:00",
        "source": "daily.health-check",
        "avg_response_time": 1.5,
        "success_rate": 0.5,
        "providers": {
            "a": {
                "avg_response_time": 1,
                "success_rate": 1,
                "time_to_first_byte": 0.5,
                "tokens_per_second": 10,
                "requests": 1,
                "failures": 0,
                "error": None,
                "model": "stand-in",
            },
            "b": {
                "avg_response_time": 2.0001,
                "success_rate": 0.3333,
                "time_to_first_byte": 0.5,
                "tokens_per_second": None,
                "requests": 3,
                "failures": 2,
                "error": "rate limited",
                "model": "stand-in",
            },
            "c": {
                "avg_response_time": None,
                "success_rate": None,
                "time_to_first_byte": None,
                "tokens_per_second": None,
                "requests": 0,
                "failures": 0,
                "error": "key missing",
                "model": "stand-in",
            },
        },
    }


def test_there_is_no_entry_where_nothing_was_asked_to_the_end() -> None:
    assert entry([asked(complete=False)], "x", NOW) is None
    assert entry([], "x", NOW) is None
    made = entry([asked(refused=Failure(Fault.KEY_MISSING, ""))], "x", NOW)
    assert made is not None
    assert (made["avg_response_time"], made["success_rate"]) == (None, None)
