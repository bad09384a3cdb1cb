"""Running pip-audit as a program, and reading what it says rather than how it ends.

It ends with 0 and says that all is well when every package was left out, and a service like OSV has nothing to say
of a package that does not exist. So a package counts as clean only where it was sent, the service's answer was looked
at (:mod:`.checked_pip_audit`), the package is mentioned in pip-audit's document, and the index knows it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import msgspec
from packaging.version import InvalidVersion, Version

from ...core.programs.processes import Ended, run
from ...core.secrets.redaction import shortened
from ...core.text.addresses import is_loopback
from ...core.text.formatting import duration, printable
from .audit_verdicts import AuditOutcome, Clean, NotAudited, Unreadable, Verdict, verdicts_from_document

_PROGRAM = Path(__file__).with_name("checked_pip_audit.py")

_UNANSWERED = 70
"""How that program ends where there is no answer that can be believed; its last line says why."""

_SOCKET_SECONDS = 15
"""What pip-audit itself waits for an answer."""

_FOUND = 1
"""Its exit status where something is known against a package."""

_LONGEST = 300
"""Characters of its last words."""


def audit(
    packages: Iterable[tuple[str, str]],
    *,
    osv_url: str,
    deadline_seconds: float,
    environ: Mapping[str, str],
    redact: Callable[[str], str] = str,
    stop: Event | None = None,
) -> AuditOutcome:
    """Audit packages with pip-audit and return a verdict on each.

    Args:
        packages: normalized names and versions of what comes from an index.
        osv_url: where to ask; empty: pip-audit's own choice.
        deadline_seconds: how long it may take.
        environ: the process's environment.
        redact: takes secrets out of a text.
        stop: ends it early where it is set.
    """
    service = f"OSV at {osv_url}" if osv_url else "pip-audit's advisory service"
    verdicts: dict[str, Verdict] = {}
    sent: dict[str, Version] = {}
    for name, version in packages:
        try:
            sent[name] = Version(version)
        except InvalidVersion:
            verdicts[name] = NotAudited(f"its version {version!r} is none by PEP 440")
    if not sent:
        return AuditOutcome(verdicts, service)
    ended = _run_pip_audit(sent, osv_url, deadline_seconds, environ, stop)
    document, problem = _document(ended, deadline_seconds, redact, stop)
    if problem:
        verdicts |= dict.fromkeys(sent, NotAudited(problem))
        return AuditOutcome(verdicts, service, document, problem)
    document_verdicts = verdicts_from_document(document)
    for name, asked in sent.items():
        verdict = document_verdicts.get(name, NotAudited("pip-audit does not mention it"))
        if asked.local and isinstance(verdict, Clean):
            verdict = Clean(f"as {asked.public}: what its builder changed in {asked} is not known to anybody else")
        if isinstance(verdict, NotAudited):
            verdict = NotAudited(redact(verdict.reason.partition(": ")[0]))  # the same for all such packages
        verdicts[name] = verdict
    return AuditOutcome(verdicts, service, document)


def _run_pip_audit(
    sent: Mapping[str, Version], osv_url: str, seconds: float, environ: Mapping[str, str], stop: Event | None
) -> Ended:
    with tempfile.TemporaryDirectory(prefix="pip-audit-") as name:
        folder = Path(name)
        lines = (f"{package}=={version.public}\n" for package, version in sent.items())
        (folder / "packages.txt").write_text("".join(lines), encoding="ascii")
        service = ["--vulnerability-service", "osv", "--osv-url", osv_url] if osv_url else []
        return run(
            [
                sys.executable,
                "-P",  # what lies beside the program is no library
                _PROGRAM,
                *("--requirement", "packages.txt", "--no-deps", "--disable-pip"),
                *("--format", "json", "--desc", "on", "--aliases", "on", "--progress-spinner", "off"),
                *("--cache-dir", "cache", "--timeout", str(_SOCKET_SECONDS), *service),
            ],
            folder=folder,
            environ=_environ(environ, osv_url),
            deadline_seconds=seconds,
            stop=stop,
        )


def _environ(environ: Mapping[str, str], osv_url: str) -> dict[str, str]:
    """Return the variables of pip-audit: all but its own, which would send the document elsewhere, for one.

    No proxy can be on the way to this machine.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("PIP_AUDIT_")}
    if osv_url and is_loopback(osv_url):
        direct = [kept.get("no_proxy") or kept.get("NO_PROXY", ""), urlsplit(osv_url).hostname or ""]
        kept["no_proxy"] = kept["NO_PROXY"] = ",".join(filter(None, direct))
    return kept


def _document(ended: Ended, seconds: float, redact: Callable[[str], str], stop: Event | None) -> tuple[Any, str]:
    """Return pip-audit's document without secrets, and what is wrong with the answer; empty where nothing is."""
    if ended.problem:
        return None, f"pip-audit did not run: {ended.problem}"
    if ended.overdue and stop is not None and stop.is_set():
        return None, "it was told to stop"
    if ended.overdue:
        return None, f"pip-audit had not ended within {duration(seconds)}"
    if ended.status in {0, _FOUND}:
        try:
            document = msgspec.json.decode(ended.output)
            verdicts_from_document(document)
        except (msgspec.MsgspecError, UnicodeDecodeError, Unreadable):
            pass
        else:
            return _redacted(document, redact), ""
    return None, _failure_reason(ended, redact)


def _redacted(document: Any, redact: Callable[[str], str]) -> Any:
    for package in document["dependencies"]:
        for each in package.get("vulns", ()):
            each["description"] = redact(str(each.get("description", "")))
    return document


def _failure_reason(ended: Ended, redact: Callable[[str], str]) -> str:
    last_words = shortened(printable(ended.last_words()), _LONGEST, redact) or "it said nothing"
    return last_words if ended.status == _UNANSWERED else f"pip-audit ended with status {ended.status}: {last_words}"


def with_service_doubts(outcome: AuditOutcome, offered: Collection[str]) -> AuditOutcome:
    """Return an outcome that says so where the service could not tell of a package that the index offers.

    It is not the package that is odd then, but the service: a mirror that has a part of it, for one.

    Args:
        outcome: what the audit gave.
        offered: normalized names that the index has in the installed version.
    """
    if outcome.problem:
        return outcome
    verdicts = dict(outcome.verdicts)
    for name in verdicts.keys() & set(offered):
        verdict = verdicts[name]
        if isinstance(verdict, NotAudited):
            reason = verdict.reason.rstrip(".")
            verdicts[name] = NotAudited(f"{outcome.service} says: {reason}. But the index has it")
    return outcome._replace(verdicts=verdicts)


def with_unaudited(outcome: AuditOutcome, reasons: Mapping[str, str]) -> AuditOutcome:
    """Return an outcome in which these packages were not audited, for these reasons, unless something is known.

    Args:
        outcome: what the audit gave.
        reasons: by normalized name, why it is not to be called clean: the index does not know it, for one.
    """
    verdicts = dict(outcome.verdicts)
    for name, reason in reasons.items():
        if isinstance(verdicts.get(name), Clean | None):
            verdicts[name] = NotAudited(reason)
    return outcome._replace(verdicts=verdicts)
