"""Running pip-audit as a program, and reading what it says rather than how it ends.

It ends with 0 and says that all is well when every package was left out, and a service like OSV has nothing to say
of a package that does not exist. So a package counts as clean only where it was sent, is mentioned in the answer,
and is known to the index.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from ...core.names import duration, printable
from ..processes import Ended, run
from .verdicts import Clean, NotAudited, Outcome, Unreadable, Verdict, from_document

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
) -> Outcome:
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
        return Outcome(verdicts, service)
    ended = _run(sent, osv_url, deadline_seconds, environ, stop)
    document, problem = _document(ended, deadline_seconds, redact)
    if problem:
        verdicts |= dict.fromkeys(sent, NotAudited(problem))
        return Outcome(verdicts, service, document, problem)
    told = from_document(document)
    for name, asked in sent.items():
        verdict = told.get(name, NotAudited("pip-audit does not mention it"))
        if asked.local and isinstance(verdict, Clean):
            verdict = Clean(f"as {asked.public}: what its builder changed in {asked} is not known to anybody else")
        if isinstance(verdict, NotAudited):
            verdict = NotAudited(redact(verdict.reason.partition(": ")[0]))  # the same for all such packages
        verdicts[name] = verdict
    return Outcome(verdicts, service, document)


def _run(
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
                *("-m", "pip_audit", "--requirement", "packages.txt", "--no-deps", "--disable-pip"),
                *("--format", "json", "--desc", "on", "--aliases", "on", "--progress-spinner", "off"),
                *("--cache-dir", "cache", "--timeout", str(_SOCKET_SECONDS), *service),
            ],
            folder=folder,
            environ=environ,
            deadline_seconds=seconds,
            stop=stop,
        )


def _document(ended: Ended, seconds: float, redact: Callable[[str], str]) -> tuple[Any, str]:
    """Return pip-audit's document, and what is wrong with the answer; empty where nothing is."""
    if ended.problem:
        return None, f"pip-audit did not run: {ended.problem}"
    if ended.overdue:
        return None, f"pip-audit had not ended within {duration(seconds)}"
    if ended.status in {0, _FOUND}:
        try:
            document = msgspec.json.decode(ended.output)
            from_document(document)
        except (msgspec.MsgspecError, UnicodeDecodeError, Unreadable):
            pass
        else:
            return document, ""
    return None, _failure(ended, redact)


_FAILURES = (
    (r"No module named '?pip_audit", "pip-audit is not installed beside this suite"),
    (r"JSONDecodeError", "the service answered with something that is no JSON"),
    (r"HTTPError: (\d{3})", r"the service answered with HTTP \1"),
    (r"(?:ReadTimeout|ConnectTimeout|[Tt]imed out|Could not connect)", "the service did not answer in time"),
    (r"(?:ConnectionError|ConnectionRefused|NewConnectionError|SSLError|ProxyError)", "the service cannot be reached"),
    (
        r"(?:KeyError|AttributeError|TypeError|InvalidVersion)",
        "the service answered with something else than advisories",
    ),
)
"""What its traceback says, as people would: the last exception in it comes first."""


def _failure(ended: Ended, redact: Callable[[str], str]) -> str:
    text = ended.errors.decode("utf-8", "replace")
    for pattern, meaning in _FAILURES:
        if match := re.search(pattern, text):
            return match.expand(meaning)
    said = printable(redact(ended.last_words()))[:_LONGEST] or "it said nothing"
    return f"pip-audit ended with status {ended.status}: {said}"


def unaudited(outcome: Outcome, reasons: Mapping[str, str]) -> Outcome:
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
