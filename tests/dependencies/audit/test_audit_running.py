"""pip-audit itself, as a program, against a service on loopback."""

from __future__ import annotations

import os
import socket
from threading import Event

import pytest

from tasks.demo_site.loopback import Response
from tasks.demo_site.vulnerability_service import Known, vulnerability_service
from tasks.dependencies.audit.running import _failure, audit, unaudited
from tasks.dependencies.audit.verdicts import Clean, NotAudited, Outcome, Vulnerability, Vulnerable
from tasks.dependencies.processes import Ended

KNOWN = (
    Known("Demo_Old", "DEMO-2026-1", fixed="1.1", aliases=("CVE-2026-0001",), summary="reads\ntoo much"),
    Known("demo-old", "DEMO-2026-2", fixed="", introduced="1.0"),
)
JSON = {"Content-Type": "application/json"}
ENVIRON = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}


def audited(url: str, *packages: tuple[str, str], seconds: float = 120, stop: Event | None = None) -> Outcome:
    return audit(packages or (("demo-old", "1.0"),), osv_url=url, deadline_seconds=seconds, environ=ENVIRON, stop=stop)


def test_clean_vulnerable_and_what_cannot_be_asked_for() -> None:
    packages = ("demo-old", "1.0"), ("demo-clean", "2.0"), ("demo-local", "2.1+cpu"), ("demo-odd", "not-a-version")
    with vulnerability_service(KNOWN) as service:
        outcome = audited(service.url, *packages)
    assert outcome.verdicts == {
        "demo-old": Vulnerable(
            (
                Vulnerability("CVE-2026-0001", ("DEMO-2026-1",), ("1.1",), "reads too much"),
                Vulnerability("DEMO-2026-2", (), (), "a crafted input is executed"),
            )
        ),
        "demo-clean": Clean(),
        "demo-local": Clean("as 2.1: what its builder changed in 2.1+cpu is not known to anybody else"),
        "demo-odd": NotAudited("its version 'not-a-version' is none by PEP 440"),
    }
    assert sorted(service.asked) == [("demo-clean", "2.0"), ("demo-local", "2.1"), ("demo-old", "1.0")]
    assert (outcome.problem, outcome.service) == ("", f"OSV at {service.url}")
    assert {each["name"] for each in outcome.raw["dependencies"]} == {"demo-old", "demo-clean", "demo-local"}


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (Response(500), "the service answered with HTTP 500"),
        (Response(200, b"<html>busy</html>"), "the service answered with something that is no JSON"),
        (Response(200, b'{"vulns": [{"i', JSON), "the service answered with something that is no JSON"),
        (Response(200, b'{"foo": 1}', JSON), "the service answered with something else than advisories"),
    ],
)
def test_a_service_that_answers_nonsense_makes_nothing_clean(response: Response, told: str) -> None:
    with vulnerability_service(response=response) as service:
        outcome = audited(service.url)
    assert outcome.problem == told
    assert outcome.verdicts == {"demo-old": NotAudited(told)}


def test_a_service_that_is_down() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = audited(f"http://127.0.0.1:{closed.getsockname()[1]}/v1/query")
    assert outcome.problem == "the service cannot be reached"


def test_a_service_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    with vulnerability_service(delay_seconds=60) as service:
        assert audited(service.url, seconds=3).problem == "pip-audit had not ended within 3.0 s"
        monkeypatch.setattr("tasks.dependencies.audit.running._SOCKET_SECONDS", 1)
        assert audited(service.url).problem == "the service did not answer in time"


def test_told_to_stop() -> None:
    stop = Event()
    stop.set()
    with vulnerability_service() as service:
        assert "had not ended" in audited(service.url, stop=stop).problem


def test_nothing_to_send_is_not_sent() -> None:
    outcome = audit([("odd", "x y")], osv_url="", deadline_seconds=1, environ={})
    assert [*outcome.verdicts] == ["odd"]
    assert audit([], osv_url="", deadline_seconds=1, environ={}).verdicts == {}


def test_pip_audit_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert audited("http://127.0.0.1:9/").problem.startswith("pip-audit did not run: /nowhere/python cannot be started")


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        (b"/venv/bin/python: No module named pip_audit\n", "pip-audit is not installed beside this suite"),
        (b"Traceback\nodd: sk-secret\n", "pip-audit ended with status 2: odd: [redacted]"),
        (b"", "pip-audit ended with status 2: it said nothing"),
    ],
)
def test_its_last_words(errors: bytes, told: str) -> None:
    assert _failure(Ended(2, b"", errors), lambda text: text.replace("sk-secret", "[redacted]")) == told


def test_what_the_index_does_not_know_is_not_clean() -> None:
    vulnerable = Vulnerable((Vulnerability("X"),))
    outcome = Outcome({"a": Clean(), "b": vulnerable, "c": NotAudited("before")}, "")
    verdicts = unaudited(outcome, dict.fromkeys(("a", "b", "c", "d"), "nobody knows it")).verdicts
    assert verdicts == {
        "a": NotAudited("nobody knows it"),
        "b": vulnerable,
        "c": NotAudited("before"),
        "d": NotAudited("nobody knows it"),
    }
