from __future__ import annotations

import pytest

from tasks.providers.provider_faults import LASTING, UNREACHABLE, Fault, of_status, refusal, timed_out

OPENAI_RATE = (
    "Rate limit reached for the model in organization x on requests per min. You can increase your rate limit by "
    "adding a payment method to your account at https://platform.example/account/billing."
)


@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (200, "insufficient_quota", None),
        (299, "", None),
        (300, "", Fault.REDIRECTED),
        (399, "", Fault.REDIRECTED),
        (400, "", Fault.WRONG_REQUEST),
        (400, "Model Not Exist", Fault.MODEL_NOT_OFFERED),
        (400, "Incorrect API key provided. You can obtain one at …", Fault.KEY_REFUSED),
        (400, "Your API key is invalid", Fault.KEY_REFUSED),
        (400, "max_tokens: too large for this model", Fault.WRONG_REQUEST),
        (401, "", Fault.KEY_REFUSED),
        (402, "", Fault.OUT_OF_QUOTA),
        (403, "", Fault.KEY_REFUSED),
        (403, "You do not have permission to see the billing page", Fault.KEY_REFUSED),
        (403, "Your newly created team doesn't have any credits yet.", Fault.OUT_OF_QUOTA),
        (404, "", Fault.WRONG_ADDRESS),
        (404, "The model grok-0 does not exist or your team does not have access to it", Fault.MODEL_NOT_OFFERED),
        (404, '{"code": "model_not_found"}', Fault.MODEL_NOT_OFFERED),
        (404, "unknown model", Fault.MODEL_NOT_OFFERED),
        (404, "The model was retired", Fault.MODEL_NOT_OFFERED),
        (405, "", Fault.WRONG_REQUEST),
        (407, "", Fault.PROXY),
        (408, "", Fault.TIMEOUT),
        (422, "", Fault.WRONG_REQUEST),
        (429, "", Fault.RATE_LIMITED),
        (429, "slow down", Fault.RATE_LIMITED),
        (429, OPENAI_RATE, Fault.RATE_LIMITED),
        (429, "You exceeded your current quota, please check your plan and billing details.", Fault.OUT_OF_QUOTA),
        (429, "rate limit: insufficient_quota", Fault.OUT_OF_QUOTA),
        (429, "Insufficient Balance", Fault.OUT_OF_QUOTA),
        (429, "Your team has used all available credits", Fault.OUT_OF_QUOTA),
        (429, "reached its monthly spending limit", Fault.OUT_OF_QUOTA),
        (429, "check your billing", Fault.OUT_OF_QUOTA),
        (429, "credit", Fault.OUT_OF_QUOTA),
        (429, "the load balancer is busy", Fault.RATE_LIMITED),
        (451, "", Fault.WRONG_REQUEST),
        (499, "", Fault.WRONG_REQUEST),
        (500, "", Fault.OVERLOADED),
        (503, "insufficient_quota", Fault.OVERLOADED),
        (529, "", Fault.OVERLOADED),
    ],
)
def test_a_status_and_its_text_are_one_fault(status: int, text: str, fault: Fault | None) -> None:
    assert of_status(status, text) is fault


def test_a_refusal_quotes_the_server_and_its_status() -> None:
    failure = refusal(Fault.KEY_REFUSED, 401, "Authentication Fails", wait=3)
    assert failure.message == 'The key was refused (HTTP 401: "Authentication Fails").'
    assert (failure.fault, failure.status, failure.wait) == (Fault.KEY_REFUSED, 401, 3)
    assert refusal(Fault.OVERLOADED, 500, "", wait=None).message == "It is overloaded or out of order (HTTP 500)."


@pytest.mark.parametrize(
    ("wait", "message"), [(12, "names a wait of 12.0 s"), (0, "names a wait of 0 ms"), (None, "names no wait")]
)
def test_a_limited_rate_names_the_wait(wait: float | None, message: str) -> None:
    assert message in refusal(Fault.RATE_LIMITED, 429, "", wait=wait).message
    assert "wait" not in refusal(Fault.OVERLOADED, 503, "", wait=wait).message


@pytest.mark.parametrize("status", range(300, 600))
def test_every_failing_status_can_be_said(status: int) -> None:
    fault = of_status(status, "")
    assert fault is not None
    if fault is not Fault.REDIRECTED:  # of which the address says where to
        assert refusal(fault, status, "", wait=None).message.endswith(f"(HTTP {status}).")


def test_a_timeout_says_how_long_was_waited() -> None:
    assert timed_out(60).message == "It did not answer within 1 min 0 s."


def test_who_cannot_be_reached_is_asked_nothing_more() -> None:
    assert UNREACHABLE < LASTING
    assert not LASTING & {Fault.OVERLOADED, Fault.CONNECTION_LOST, Fault.MALFORMED}
    assert not UNREACHABLE & {Fault.KEY_REFUSED, Fault.OUT_OF_QUOTA, Fault.RATE_LIMITED}
