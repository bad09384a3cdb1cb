from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

import tasks
from tasks.core.secrets.keys import Key
from tasks.core.secrets.redaction import redactor
from tasks.core.settings.model import ProviderSettings
from tasks.demo_site.provider_stand_in import Behaviour, Reply, stand_in
from tasks.providers.all_providers import Script, ask_all
from tasks.providers.answers import Completion, Offer
from tasks.providers.exchange_outcome import Asked, ExchangeOutcome, Kind, Request
from tasks.providers.provider_faults import Fault
from tasks.providers.session import PROMPT, Session

from .conftest import KEYS, NOW, SECRET, closed_port, hostile, provider, says

ROOT = Path(tasks.__file__).parent.parent

CHAT = b'{"choices": [{"message": {"content": "text"}}]}'


def script(*requests: Request) -> Script:
    async def ask(line: Session) -> None:
        for request in requests:
            await line.ask(request)

    return ask


def ask_each(
    providers: Mapping[str, ProviderSettings],
    asks: Script,
    *,
    keys: Mapping[str, Key] = KEYS,
    stop: Event | None = None,
    **more: Any,
) -> dict[str, Asked]:
    everyone = ask_all(providers, asks, keys=keys, now=NOW, stop=stop or Event(), **more)
    return {asked.name: asked for asked in everyone}


def outcome_of(url: str, kind: Kind = "chat", **values: Any) -> ExchangeOutcome:
    request = Request(kind, 16 if kind == "chat" else None)
    (outcome,) = ask_each({"one": provider(url, **values)}, script(request))["one"].outcomes
    return outcome


def fault(outcome: ExchangeOutcome) -> Fault | None:
    return outcome.failure.fault if outcome.failure else None


def message(outcome: ExchangeOutcome) -> str:
    assert outcome.failure is not None
    return outcome.failure.message


def test_a_chat_completion_is_asked_for_as_the_api_wants_it() -> None:
    with stand_in(Behaviour(key=SECRET)) as server:
        outcome = outcome_of(server.url)
    (request,) = server.seen
    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["content-type"] == "application/json"
    assert request.body == {
        "model": "stand-in",
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": 16,
        "temperature": 0,
        "stream": False,
    }
    assert (outcome.content, outcome.attempts, outcome.failure) == (Completion(16), 1, None)
    assert outcome.first_byte is not None
    assert outcome.total is not None
    assert 0 < outcome.first_byte <= outcome.total


def test_tokens_that_are_not_reported_are_not_made_up() -> None:
    with stand_in(Behaviour(tokens=None)) as server:
        assert outcome_of(server.url).content == Completion(None)


@pytest.mark.parametrize("bases", [("",), ("/v1",), ("", "/v1")])
@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
def test_a_base_url_works_with_and_without_version(bases: tuple[str, ...], end: str) -> None:
    with stand_in(Behaviour(bases=bases)) as server:
        asks = script(Request("models"), Request("chat", 50), Request("chat", 200))
        asked = ask_each({"one": provider(server.url + end)}, asks)["one"]
    assert [(outcome.failure, outcome.attempts) for outcome in asked.outcomes] == [(None, 1)] * 3
    right = end.rstrip("/") in bases
    base = end.rstrip("/") if right else bases[0]
    paths = [f"{base}/models", f"{base}/chat/completions", f"{base}/chat/completions"]
    assert [request.path for request in server.seen][0 if right else 1 :] == paths


def test_where_there_is_no_api_at_all_the_address_is_wrong() -> None:
    with stand_in(Behaviour(bases=())) as server:
        outcome = outcome_of(f"{server.url}/v1")
    assert fault(outcome) is Fault.WRONG_ADDRESS
    assert "/v1/chat/completions" in message(outcome)
    assert [request.path for request in server.seen] == ["/v1/chat/completions", "/chat/completions"]


def test_an_address_that_was_right_is_not_doubted_later() -> None:
    with stand_in(Behaviour(bases=("/v1",), always={"models": Reply(404)})) as server:
        asks = script(Request("chat", 1), Request("models"))
        asked = ask_each({"one": provider(f"{server.url}/v1")}, asks)["one"]
    assert [fault(outcome) for outcome in asked.outcomes] == [None, Fault.WRONG_ADDRESS]
    assert server.count("models") == 1


@pytest.mark.parametrize(
    ("reply", "expected", "text"),
    [
        (Reply(401, {"error": {"message": "Authentication Fails"}}), Fault.KEY_REFUSED, '"Authentication Fails"'),
        (Reply(402, {"error": {"message": "Insufficient Balance"}}), Fault.OUT_OF_QUOTA, "HTTP 402"),
        (Reply(429, {"error": {"code": "insufficient_quota"}}), Fault.OUT_OF_QUOTA, "used up (HTTP 429)"),
        (Reply(429, {}, {"Retry-After": "20"}), Fault.RATE_LIMITED, "names a wait of 20.0 s"),
        (Reply(429, {}), Fault.RATE_LIMITED, "names no wait"),
        (Reply(500, b"<html>"), Fault.OVERLOADED, '"an HTML page"'),
        (Reply(400, {"error": {"message": "Model Not Exist"}}), Fault.MODEL_NOT_OFFERED, "Model Not Exist"),
        (Reply(400, {"error": {"message": "no"}}), Fault.WRONG_REQUEST, "did not accept"),
        (Reply(200, b"<!DOCTYPE html>"), Fault.MALFORMED, "it is an HTML page"),
        (Reply(200, b"{"), Fault.MALFORMED, "no complete JSON"),
        (Reply(200, b""), Fault.MALFORMED, "it is empty"),
        (Reply(307, b"", {"Location": "https://elsewhere.example/v1?x=1"}), Fault.REDIRECTED, "example/v1 (HTTP 307)"),
        (Reply(301, b"", {"Location": "/v2"}), Fault.REDIRECTED, "/v2 (HTTP 301)"),
    ],
)
def test_faults_are_told_apart_and_a_paid_request_is_not_repeated(reply: Reply, expected: Fault, text: str) -> None:
    with stand_in(Behaviour(always={"chat/completions": reply})) as server:
        outcome = outcome_of(server.url)
    assert fault(outcome) is expected
    assert text in message(outcome)
    assert (len(server.seen), outcome.attempts, outcome.total) == (1, 1, None)


@pytest.mark.parametrize("status", [429, 503])
def test_a_named_short_wait_is_kept_and_the_request_repeated(status: int) -> None:
    replies = {"chat/completions": (Reply(status, {}, {"Retry-After": "0.3"}),)}
    with stand_in(Behaviour(replies=replies)) as server:
        began = time.monotonic()
        outcome = outcome_of(server.url)
        took = time.monotonic() - began
    assert (outcome.failure, outcome.attempts, len(server.seen)) == (None, 2, 2)
    assert took >= 0.3
    assert outcome.total is not None
    assert outcome.total < took - 0.29  # the time of the attempt that succeeded, not of the wait


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    with stand_in(Behaviour(always={"chat/completions": Reply(503, {}, {"Retry-After": "3"})})) as server:
        outcome = outcome_of(server.url, slow_seconds=1, very_slow_seconds=1, deadline_seconds=2.5)
    assert (fault(outcome), outcome.attempts) == (Fault.OVERLOADED, 1)


def test_a_second_refusal_is_the_last() -> None:
    with stand_in(Behaviour(always={"chat/completions": Reply(503, {}, {"Retry-After": "0"})})) as server:
        outcome = outcome_of(server.url)
    assert (fault(outcome), outcome.attempts, len(server.seen)) == (Fault.OVERLOADED, 2, 2)


def test_a_free_request_is_repeated_once_after_an_error_of_the_server() -> None:
    with stand_in(Behaviour(replies={"models": (Reply(500),)})) as server:
        outcome = outcome_of(server.url, "models")
    assert (outcome.content, outcome.attempts) == (Offer(offered=True, names=("stand-in",), total=1), 2)
    assert len(server.seen) == 2


def test_a_refused_connection_is_tried_twice() -> None:
    outcome = outcome_of(f"http://127.0.0.1:{closed_port()}")
    assert (fault(outcome), outcome.attempts) == (Fault.CONNECTION_REFUSED, 2)


def test_an_answer_cut_short_is_a_lost_connection_and_paid_only_once() -> None:
    seen: list[int] = []

    def handle(connection: socket.socket, _ended: Event) -> None:
        seen.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")

    with hostile(handle) as url:
        assert fault(outcome_of(url)) is Fault.CONNECTION_LOST
        assert len(seen) == 1
        assert (fault(outcome_of(url, "models")), len(seen)) == (Fault.CONNECTION_LOST, 3)


@pytest.mark.parametrize(("kind", "path"), [("balance", "/user/balance"), ("api-key", "/v1/api-key")])
@pytest.mark.parametrize("end", ["", "/v1"])
def test_the_account_is_asked_for_beside_the_version(kind: str, path: str, end: str) -> None:
    behaviour = Behaviour(balance={"is_available": True}, key_state={"team_blocked": False})
    with stand_in(behaviour) as server:
        outcome = outcome_of(server.url + end, "account", account=kind)
    assert outcome.failure is None
    assert [request.path for request in server.seen] == [path]


@pytest.mark.parametrize(
    ("model", "account", "asked_for"),
    [
        ("grok-4-0709", "api-key", ["models"]),
        ("grok-4", "api-key", ["models", "language-models"]),
        ("grok-4", "none", ["models"]),
    ],
)
def test_other_names_of_models_are_asked_for_where_they_are_told(
    model: str, account: str, asked_for: list[str]
) -> None:
    async def asks(line: Session) -> None:
        await line.ask_for_models()

    behaviour = Behaviour(models=("grok-4-0709",), aliases={"grok-4-0709": ("grok-4",)})
    with stand_in(behaviour) as server:
        asked = ask_each({"one": provider(server.url, model=model, account=account)}, asks)["one"]
    assert [outcome.request.kind for outcome in asked.outcomes] == asked_for
    assert asked.outcomes[-1].content.offered is (model == "grok-4-0709" or account == "api-key")


def test_no_list_of_models_is_no_reason_to_ask_for_another() -> None:
    async def asks(line: Session) -> None:
        await line.ask_for_models()

    with stand_in(Behaviour(bases=())) as server:
        asked = ask_each({"one": provider(server.url, account="api-key")}, asks)["one"]
    assert [outcome.request.kind for outcome in asked.outcomes] == ["models"]


def test_all_providers_are_asked_at_once() -> None:
    together = Barrier(3)

    def handle(connection: socket.socket, ended: Event) -> None:
        together.wait(30)  # until the requests to all three have come in
        says(CHAT)(connection, ended)

    with hostile(handle) as first, hostile(handle) as second, hostile(handle) as third:
        urls = {"a": first, "b": second, "c": third}
        everyone = ask_each({name: provider(url) for name, url in urls.items()}, script(Request("chat", 1)))
    assert list(everyone) == ["a", "b", "c"]
    assert all(asked.outcomes[0].failure is None for asked in everyone.values())


def test_the_requests_of_one_provider_are_made_in_order() -> None:
    with stand_in(Behaviour(delay_seconds=0.05)) as server:
        lengths = (50, 200, 500)
        ask_each({"one": provider(server.url)}, script(*(Request("chat", length) for length in lengths)))
    assert [request.body["max_tokens"] for request in server.seen] == [50, 200, 500]


def test_what_was_answered_before_the_wish_to_stop_is_kept() -> None:
    stop = Event()
    seen: list[int] = []

    def handle(connection: socket.socket, ended: Event) -> None:
        seen.append(1)
        if len(seen) == 1:
            says(CHAT)(connection, ended)
        else:
            stop.set()
            ended.wait()

    with hostile(handle) as url:
        asks = script(Request("chat", 50), Request("chat", 200))
        asked = ask_each({"one": provider(url)}, asks, stop=stop)["one"]
    assert not asked.complete
    assert [(outcome.request.max_tokens, outcome.failure) for outcome in asked.outcomes] == [(50, None)]


def test_a_wish_to_stop_that_came_before_sends_nothing() -> None:
    stop = Event()
    stop.set()
    with stand_in() as server:
        asked = ask_each({"one": provider(server.url)}, script(Request("chat", 1)), stop=stop)["one"]
    assert (asked.complete, asked.outcomes, server.seen) == (False, (), [])


def test_an_error_of_ours_is_not_hidden() -> None:
    async def asks(_line: Session) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with stand_in() as server, pytest.raises(ZeroDivisionError):
        ask_each({"one": provider(server.url)}, asks)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (None, "THE_KEY was not looked up."),
        (Key("", "environment", "is empty in the environment"), "THE_KEY is empty in the environment."),
        (Key("", "", None), "THE_KEY is empty."),
        (
            Key("a b", ".env", "has characters in .env that no key has"),
            "THE_KEY has characters in .env that no key has.",
        ),
        (Key("kéy", ".env", "is odd"), "THE_KEY is odd."),
        (Key("a\nb", ".env", "is odd"), "THE_KEY is odd."),
    ],
)
def test_a_key_that_cannot_be_sent_is_missing(key: Key | None, text: str) -> None:
    with stand_in() as server:
        keys = {} if key is None else {"THE_KEY": key}
        asked = ask_each({"one": provider(server.url)}, script(Request("chat", 1)), keys=keys)["one"]
    assert asked.refused is not None
    assert (asked.refused.fault, asked.refused.message) == (Fault.KEY_MISSING, text)
    assert (asked.outcomes, asked.complete, server.seen) == ((), True, [])


def test_a_key_with_blanks_around_it_is_used_without_them() -> None:
    keys = {"THE_KEY": Key(SECRET, ".env", "has blanks around it in .env")}
    with stand_in(Behaviour(key=SECRET)) as server:
        asked = ask_each({"one": provider(server.url)}, script(Request("chat", 1)), keys=keys)["one"]
    assert asked.outcomes[0].failure is None
    assert asked.remark == "has blanks around it in .env"


def test_one_provider_that_cannot_be_asked_does_not_keep_from_asking_the_others() -> None:
    with stand_in() as server:
        providers = {"bad": provider("nowhere"), "keyless": provider(server.url, key_env="NONE")}
        everyone = ask_each({**providers, "good": provider(server.url)}, script(Request("chat", 1)))
    assert everyone["bad"].refused is not None
    assert everyone["bad"].refused.fault is Fault.WRONG_ADDRESS
    assert everyone["keyless"].refused is not None
    assert everyone["good"].outcomes[0].failure is None


ECHOES = [
    Reply(400, {"error": {"message": f"I was sent {SECRET}"}}),
    Reply(401, f"Authorization: Bearer {SECRET}".encode()),
    Reply(200, f"{SECRET} is what I was sent".encode()),
    Reply(200, {"error": {"message": f"{SECRET}"}}),
    Reply(302, b"", {"Location": f"https://elsewhere.example/{SECRET}"}),
    Reply(429, b"", {"Retry-After": SECRET}),
    Reply(503, {"error": SECRET[:4] + "****" + SECRET[-4:]}),
]


@pytest.mark.parametrize("reply", ECHOES)
def test_a_server_that_echoes_the_key_does_not_give_it_away(reply: Reply) -> None:
    with stand_in(Behaviour(always={"chat/completions": reply})) as server:
        outcome = outcome_of(server.url)
    assert SECRET not in message(outcome)
    assert "4711" not in message(outcome)
    assert SECRET not in repr(outcome)


def test_a_model_named_like_the_key_is_not_shown() -> None:
    with stand_in(Behaviour(models=(SECRET, "other"))) as server:
        offer = outcome_of(server.url, "models").content
    assert offer.names == ("[redacted]", "other")


def test_what_the_caller_takes_out_is_taken_out() -> None:
    reply = Reply(400, {"error": "another-secret"})
    with stand_in(Behaviour(always={"chat/completions": reply})) as server:
        providers = {"one": provider(server.url)}
        asked = ask_each(providers, script(Request("chat", 1)), redact=redactor(["another-secret"]))["one"]
    assert "another-secret" not in message(asked.outcomes[0])


def test_no_representation_shows_the_key() -> None:
    shown: list[str] = []

    async def asks(line: Session) -> None:
        shown.append(repr(line))
        shown.append(repr(await line.ask(Request("chat", 1))))
        shown.append(repr(line.outcomes))

    with stand_in() as server:
        shown.append(repr(ask_each({"one": provider(server.url)}, asks)))
    assert SECRET not in "".join(shown)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in(Behaviour(bases=("http://provider.invalid",))) as proxy:
        monkeypatch.setenv(name, proxy.url)
        outcome = outcome_of("http://provider.invalid")
    assert outcome.failure is None
    assert [request.path for request in proxy.seen] == ["http://provider.invalid/chat/completions"]


def test_no_proxy_is_used_for_what_the_environment_excepts(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "provider.invalid")
        outcome = outcome_of("http://provider.invalid")
    assert outcome.failure is not None
    assert outcome.failure.fault is Fault.DNS
    assert not proxy.seen


def test_no_proxy_is_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_in() as server, stand_in() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert outcome_of(server.url).failure is None
    assert (len(server.seen), len(proxy.seen)) == (1, 0)


@pytest.mark.parametrize("reply", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"HTTP/1.1 502 No\r\n\r\n"])
def test_a_proxy_that_refuses_is_told_of(reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(connection: socket.socket, _ended: Event) -> None:
        connection.sendall(reply)

    with hostile(handle) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        outcome = outcome_of("https://provider.invalid")
    assert fault(outcome) is Fault.PROXY
    assert "provider.invalid" in message(outcome)


@pytest.mark.parametrize("proxy", ["nonsense://user:pass-word@x", "http://h:port", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_told_of(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    asked = ask_each({"one": provider("http://provider.invalid")}, script(Request("chat", 1)))["one"]
    assert asked.refused is not None
    assert asked.refused.fault is Fault.PROXY
    assert asked.refused.message.startswith("The proxy that the environment names cannot be used: ")
    assert "pass-word" not in asked.refused.message


def test_a_process_that_logs_everything_does_not_log_the_key() -> None:
    program = (
        "import logging, sys\n"
        "from datetime import UTC, datetime\n"
        "from threading import Event\n"
        "from tasks.core.secrets.keys import Key\n"
        "from tasks.core.settings.model import ProviderSettings\n"
        "from tasks.providers.all_providers import ask_all\n"
        "from tasks.providers.exchange_outcome import Request\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "async def asks(line):\n"
        "    await line.ask(Request('chat', 1))\n"
        "provider = ProviderSettings(base_url=sys.argv[1], model='stand-in', key_env='K')\n"
        "keys = {'K': Key(sys.stdin.read(), 'environment')}\n"
        "(asked,) = ask_all({'p': provider}, asks, keys=keys, now=datetime.now(UTC), stop=Event())\n"
        "print(asked)\n"
        "logging.getLogger('httpx').info('still heard')\n"
    )
    reply = Reply(200, {"choices": [{"message": {"content": SECRET}}]}, {"X-Echo": SECRET, "Set-Cookie": SECRET})
    with stand_in(Behaviour(always={"chat/completions": reply})) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, server.url],
            input=SECRET,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    assert server.count("chat/completions") == 1
    assert "failure=None" in done.stdout
    assert "still heard" in done.stderr
    assert SECRET not in done.stdout + done.stderr
