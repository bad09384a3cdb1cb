"""Which answers pip-audit may believe."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tasks.demo_site.loopback import Request, Response, serve
from tasks.dependencies.audit.checked_pip_audit import NoAnswer, _checked, flaw

NO_JSON = "the service answered with something that is no JSON"
NO_ADVISORIES = "the service answered with something else than advisories"
LEFT_OUT = "pip-audit cannot read the form in which the service tells of X-1"
ADVISORY = {"id": "X-1", "affected": []}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({}, ""),
        ({"vulns": []}, ""),
        ({"vulns": [ADVISORY]}, ""),
        ({"vulns": [{**ADVISORY, "schema_version": "1.7.0"}], "next_page_token": ""}, ""),
        ({"vulns": [{**ADVISORY, "schema_version": "2.0.0"}]}, LEFT_OUT),
        ({"vulns": [{**ADVISORY, "schema_version": "10.0"}]}, LEFT_OUT),
        ({"vulns": [{"id": "X-2", "affected": []}, {"id": "X-1"}]}, LEFT_OUT),
        ({"vulns": [{"id": "X-1", "withdrawn": "2025-01-01T00:00:00Z"}]}, ""),
        (
            {"vulns": [], "next_page_token": "more"},
            "the service has a second page of advisories, which pip-audit does not read",
        ),
        *((nonsense, NO_ADVISORIES) for nonsense in ([], None, 0, "", False, [ADVISORY], {"foo": 1}, {"vulns": None})),
        ({"vulns": ["X-1"]}, NO_ADVISORIES),
        ({"vulnerabilities": []}, NO_ADVISORIES),
    ],
)
def test_what_osv_says(answer: Any, reason: str) -> None:
    assert flaw(200, json.dumps(answer).encode(), query=True) == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"info": {}, "vulnerabilities": []}, ""),
        ({"vulnerabilities": [{"id": "X-1"}]}, ""),
        ({"info": {}}, NO_ADVISORIES),
        ({}, NO_ADVISORIES),
        ([], NO_ADVISORIES),
    ],
)
def test_what_the_index_says_of_a_release(answer: Any, reason: str) -> None:
    assert flaw(200, json.dumps(answer).encode(), query=False) == reason


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (200, b"", NO_JSON),
        (200, b"<html>", NO_JSON),
        (200, b'{"vulns": [{"i', NO_JSON),
        (200, b"\xff\xfe\xfd", NO_JSON),
        (204, b"", "the service answered with HTTP 204"),
        (300, b"", "the service answered with HTTP 300 (a redirection)"),
        (399, b"{}", "the service answered with HTTP 399 (a redirection)"),
        (400, b"{}", "the service answered with HTTP 400"),
        (503, b"{}", "the service answered with HTTP 503"),
    ],
)
def test_what_is_no_answer(status: int, content: bytes, reason: str) -> None:
    assert flaw(status, content, query=True) == reason


@given(st.binary(max_size=40), st.integers(100, 599), st.booleans())
def test_whatever_comes_it_is_believed_only_as_an_object(content: bytes, status: int, query: bool) -> None:  # noqa: FBT001 - hypothesis
    if flaw(status, content, query=query) == "":
        assert isinstance(json.loads(content), dict)


Send = Callable[[str, str], requests.Response]


@pytest.fixture
def answers() -> list[str]:
    return []


@pytest.fixture
def send(answers: list[str]) -> Send:
    checked = _checked(requests.Session.send, answers)

    def sent(method: str, url: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return checked(session, session.prepare_request(requests.Request(method, url)), timeout=30)

    return sent


def answered(request: Request) -> Response:
    if request.path == "/moved":
        return Response(302, b"", {"Location": "/release"})
    if request.path == "/gone":
        return Response(404)
    return Response(200, b'{"vulnerabilities": []}')


def test_the_index_may_redirect_and_may_not_know_a_release(send: Send, answers: list[str]) -> None:
    with serve(answered) as url:
        assert send("GET", f"{url}/moved").history
        assert send("GET", f"{url}/gone").status_code == 404
        assert answers[-1] == f"{url}/gone"
        with pytest.raises(NoAnswer, match="something else than advisories"):
            send("POST", f"{url}/release")
        with pytest.raises(NoAnswer, match=r"HTTP 302 \(a redirection\)"):
            send("POST", f"{url}/moved")
        with pytest.raises(NoAnswer, match="HTTP 404"):
            send("POST", f"{url}/gone")


def test_an_address_that_leads_nowhere(send: Send, answers: list[str]) -> None:
    with pytest.raises(NoAnswer, match="cannot be reached: No connection adapters"):
        send("POST", "gopher://127.0.0.1/")
    assert answers == []
