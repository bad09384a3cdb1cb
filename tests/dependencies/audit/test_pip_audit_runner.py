"""pip-audit itself, as a program, against a service on loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from tasks.core.programs.processes import Ended
from tasks.demo_site.loopback import Response
from tasks.demo_site.vulnerability_service import KnownVulnerability, vulnerability_service
from tasks.dependencies.audit.audit_verdicts import AuditOutcome, Clean, NotAudited, Vulnerability, Vulnerable
from tasks.dependencies.audit.checked_pip_audit import STATUS
from tasks.dependencies.audit.pip_audit_runner import (
    _document,
    _environ,
    _failure_reason,
    audit,
    with_service_doubts,
    with_unaudited,
)

KNOWN = (
    KnownVulnerability("Demo_Old", "DEMO-2026-1", fixed="1.1", aliases=("CVE-2026-0001",), summary="reads\ntoo much"),
    KnownVulnerability("demo-old", "DEMO-2026-2", fixed="", introduced="1.0"),
)
JSON = {"Content-Type": "application/json"}
ENVIRON = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}


def audited(
    url: str,
    *packages: tuple[str, str],
    seconds: float = 120,
    stop: Event | None = None,
    environ: Mapping[str, str] = ENVIRON,
) -> AuditOutcome:
    return audit(
        packages or (("demo-old", "1.0"),),
        osv_url=url,
        deadline_seconds=seconds,
        environ=environ,
        redact=lambda text: text.replace("sk-secret", "[redacted]"),
        stop=stop,
    )


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (Response(500), "the service answered with HTTP 500"),
        (Response(200, b"<html>busy</html>"), "the service answered with something that is no JSON"),
        (Response(200, b"[]", JSON), "the service answered with something else than advisories"),  # clean to pip-audit
        (Response(302, b"", {"Location": "/"}), "the service answered with HTTP 302 (a redirection)"),
    ],
)
def test_a_service_that_answers_nonsense_makes_nothing_clean(response: Response, problem: str) -> None:
    with vulnerability_service(response=response) as service:
        outcome = audited(service.url)
    assert outcome.problem == problem
    assert outcome.verdicts == {"demo-old": NotAudited(problem)}


@pytest.mark.slow
def test_a_service_that_is_down() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = audited(f"http://127.0.0.1:{closed.getsockname()[1]}/v1/query")
    assert outcome.problem == "the service cannot be reached: Connection refused"


@pytest.mark.slow
def test_one_answer_that_fails_is_no_answer_for_any_package() -> None:
    with vulnerability_service(KNOWN, drops_after=1) as service:
        outcome = audited(service.url, ("demo-old", "1.0"), ("other", "1.0"))
    assert outcome.problem.startswith("the service cannot be reached: ")
    assert set(outcome.verdicts.values()) == {NotAudited(outcome.problem)}
    assert len(service.asked) == 2


@pytest.mark.slow
def test_the_users_variables_do_not_lead_pip_audit_away(tmp_path: Path) -> None:
    known = KnownVulnerability("demo-old", "X", summary="password sk-secret")
    elsewhere = {
        "PIP_AUDIT_OUTPUT": str(tmp_path / "document"),
        "PIP_AUDIT_FORMAT": "columns",
        "PIP_AUDIT_LOGLEVEL": "odd",
        "http_proxy": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "example.invalid",
    }
    with vulnerability_service([known]) as service:
        outcome = audited(service.url, environ={**ENVIRON, **elsewhere})
    assert outcome.verdicts == {"demo-old": Vulnerable((Vulnerability("X", (), (), "password [redacted]"),))}
    assert "sk-secret" not in str(outcome.raw)
    assert [*tmp_path.iterdir()] == []


def test_no_proxy_is_on_the_way_to_this_machine_and_only_there() -> None:
    assert _environ({"NO_PROXY": "a", "PIP_AUDIT_FORMAT": "x"}, "http://127.0.0.1:1/") == {
        "NO_PROXY": "a,127.0.0.1",
        "no_proxy": "a,127.0.0.1",
    }
    assert _environ({"no_proxy": "b", "NO_PROXY": "a"}, "http://localhost/")["no_proxy"] == "b,localhost"
    assert _environ({"A": "b"}, "https://osv.invalid/") == _environ({"A": "b"}, "") == {"A": "b"}


@pytest.mark.slow
def test_a_service_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    with vulnerability_service(delay_seconds=60) as service:
        assert audited(service.url, seconds=3).problem == "pip-audit had not ended within 3.0 s"
        monkeypatch.setattr("tasks.dependencies.audit.pip_audit_runner._SOCKET_SECONDS", 1)
        assert audited(service.url).problem == "the service did not answer in time"


@pytest.mark.slow
def test_told_to_stop() -> None:
    stop = Event()
    stop.set()
    with vulnerability_service() as service:
        assert audited(service.url, stop=stop).problem == "it was told to stop"


def test_nothing_to_send_is_not_sent() -> None:
    outcome = audit([("odd", "x y")], osv_url="", deadline_seconds=1, environ={})
    assert [*outcome.verdicts] == ["odd"]
    assert audit([], osv_url="", deadline_seconds=1, environ={}).verdicts == {}


@pytest.mark.slow
def test_pip_audit_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert audited("http://127.0.0.1:9/").problem.startswith("pip-audit did not run: /nowhere/python cannot be started")


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (b"Traceback\nodd: sk-secret\n", "odd: [redacted]"),
        (b"", "it said nothing"),
    ],
)
def test_its_last_words(errors: bytes, reason: str) -> None:
    reason_with_status = f"pip-audit ended with status 2: {reason}"
    assert _failure_reason(Ended(STATUS, b"", errors), lambda text: text.replace("sk-secret", "[redacted]")) == reason
    assert (
        _failure_reason(Ended(2, b"", errors), lambda text: text.replace("sk-secret", "[redacted]"))
        == reason_with_status
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stand_in", "problem"),
    [
        ("import gone_for_good", "pip-audit is not installed beside this suite (No module named 'gone_for_good')"),
        ("raise ValueError('sk-secret\\nand more')", "pip-audit failed with ValueError: [redacted] and more"),
        ("print('{\"dependencies\": []}')", "pip-audit has asked nobody"),
        (
            "import sys; print('it is Monday', file=sys.stderr); sys.exit(1)",
            "pip-audit ended with status 2: it is Monday",
        ),
    ],
)
def test_another_pip_audit(stand_in: str, problem: str, tmp_path: Path) -> None:
    package = tmp_path / "pip_audit"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(stand_in)
    outcome = audited("", environ={**ENVIRON, "PYTHONPATH": str(tmp_path)})
    assert (outcome.problem, outcome.verdicts) == (problem, {"demo-old": NotAudited(problem)})


@pytest.mark.slow
def test_a_package_that_is_left_out_is_not_clean(tmp_path: Path) -> None:
    document = {"dependencies": [{"name": "b", "skip_reason": "Dependency not found: b (1.0)"}]}
    with vulnerability_service() as service:
        package = tmp_path / "pip_audit"
        package.mkdir()
        (package / "__init__.py").touch()
        query = {"package": {"name": "b"}, "version": "1.0"}
        (package / "__main__.py").write_text(
            f"import json, requests; requests.post({service.url!r}, json={query!r}); print(json.dumps({document!r}))"
        )
        outcome = audited(service.url, ("a", "1.0"), ("b", "1.0"), environ={**ENVIRON, "PYTHONPATH": str(tmp_path)})
    assert outcome.problem == ""
    assert outcome.verdicts == {
        "a": NotAudited("pip-audit does not mention it"),
        "b": NotAudited("Dependency not found"),
    }


def test_a_document_of_another_shape_is_none() -> None:
    assert _document(Ended(1, b'{"dependencies": 3}', b"odd"), 1, str, None)[1] == "pip-audit ended with status 1: odd"
    assert _document(Ended(0, b'{"dependencies": []}'), 1, str, None) == ({"dependencies": []}, "")


def test_where_the_index_has_it_the_service_is_told_to_lack_it() -> None:
    outcome = AuditOutcome({"a": NotAudited("Not found."), "b": NotAudited("Not found"), "c": Clean()}, "OSV")
    assert with_service_doubts(outcome, {"a", "c", "elsewhere"}).verdicts == {
        "a": NotAudited("OSV says: Not found. But the index has it"),
        "b": NotAudited("Not found"),
        "c": Clean(),
    }
    failed = outcome._replace(problem="it is down")
    assert with_service_doubts(failed, {"a"}) == failed


@pytest.mark.slow
def test_what_the_index_does_not_know_is_not_clean() -> None:
    vulnerable = Vulnerable((Vulnerability("X"),))
    outcome = AuditOutcome({"a": Clean(), "b": vulnerable, "c": NotAudited("before")}, "")
    verdicts = with_unaudited(outcome, dict.fromkeys(("a", "b", "c", "d"), "nobody knows it")).verdicts
    assert verdicts == {
        "a": NotAudited("nobody knows it"),
        "b": vulnerable,
        "c": NotAudited("before"),
        "d": NotAudited("nobody knows it"),
    }
