"""The area *compliance*: the licences of the installed packages, asked of the project's interpreter and evaluated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import msgspec

from ...core.programs.processes import Ended, run
from ...core.report.model import Finding, Status
from ...core.settings.model import AuditSettings
from ...core.text.formatting import count, duration, printable
from ..audit_checks import LICENCES
from .licence_expressions import LicenceRules, LicenceVerdict, canonical, evaluate_licence
from .package_licences import StatedLicence, stated_licence

_SUBJECT = "packages"
_MOST = 10

UNKNOWN = "unknown"
"""In the table, the licence of packages that state none that is known."""


class LicensedPackage(NamedTuple):
    """A package and its licence, an SPDX expression; ``None`` where it states none that is known."""

    package: StatedLicence
    licence: str | None


def examine_licences(
    python: Path | None, reason: str, settings: AuditSettings, environ: Mapping[str, str], stop: Event
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return the findings on the licences, and a table of them with the number of packages under each.

    Args:
        python: the interpreter of the project's environment; ``None``: there is none.
        reason: why there is none, as a sentence.
        settings: those of the audit.
        environ: the process's environment.
        stop: ends the work early where it is set.
    """
    if python is None:
        return [LICENCES.finding(Status.SKIPPED, _SUBJECT, f"No installed packages to look at. {reason}".strip())], []
    answer = ask_installed(python, environ, stop)
    if isinstance(answer, NoAnswer):
        remedy = "Make the environment anew, or set maintenance.dependencies.python to another interpreter."
        return [LICENCES.finding(Status.UNKNOWN, _SUBJECT, answer.message, remedy)], []
    licensed = _licensed(answer, settings.licences_known)
    return list(_findings(licensed, LicenceRules(settings.licences_denied, settings.licences_review))), _table(licensed)


def _licensed(answer: Sequence[StatedLicence], known: Mapping[str, str]) -> list[LicensedPackage]:
    settled = {re.sub(r"[-_.]+", "-", name).lower(): canonical(text) for name, text in known.items()}
    return [LicensedPackage(each, settled.get(each.name) or stated_licence(each)) for each in answer]


def _table(licensed: Sequence[LicensedPackage]) -> list[dict[str, Any]]:
    numbers = Counter(each.licence or UNKNOWN for each in licensed)
    return [
        {"licence": name, "packages": number}
        for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _findings(licensed: Sequence[LicensedPackage], rules: LicenceRules) -> Iterator[Finding]:
    verdicts = [None if each.licence is None else evaluate_licence(each.licence, rules) for each in licensed]
    denied, review, unknown = (
        [each for each, verdict in zip(licensed, verdicts, strict=True) if verdict is wanted]
        for wanted in (LicenceVerdict.DENIED, LicenceVerdict.REVIEW, None)
    )
    if denied:
        yield _finding(
            Status.CRITICAL,
            denied,
            "a licence that maintenance.audit.licences_denied excludes",
            "Replace them, or come to an agreement with their authors.",
        )
    if review:
        yield _finding(
            Status.WARNING,
            review,
            "a licence that somebody has to look at",
            "See what it asks of you; maintenance.audit.licences_review says which licences are told.",
        )
    if unknown:
        yield _finding(
            Status.WARNING,
            unknown,
            "no licence that is known",
            "Look it up and write it under maintenance.audit.licences_known.",
        )
    if licensed and not (denied or review or unknown):
        yield LICENCES.finding(
            Status.OK,
            _SUBJECT,
            f"{count(len(licensed), 'package')} under {count(len(_table(licensed)), 'licence')}, all of them allowed.",
            value=0,
            unit="packages",
        )
    if not licensed:
        yield LICENCES.finding(Status.SKIPPED, _SUBJECT, "No packages are installed in the project's environment.")


def _finding(status: Status, found: Sequence[LicensedPackage], what: str, remedy: str) -> Finding:
    shown = ", ".join(printable(_described(each)) for each in found[:_MOST])
    rest = f" and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
    return LICENCES.finding(
        status,
        _SUBJECT,
        f"{count(len(found), 'package has', 'packages have')} {what}: {shown}{rest}.",
        remedy,
        value=len(found),
        unit="packages",
    )


def _described(each: LicensedPackage) -> str:
    name = f"{each.package.name} {each.package.version}".strip()
    return f"{name} ({each.licence})" if each.licence else name


_PROBE = Path(__file__).with_name("licences_probe.py")

_SECONDS = 60.0


class NoAnswer(NamedTuple):
    """The interpreter gave no usable answer; the message is a sentence."""

    message: str


def ask_installed(python: Path, environ: Mapping[str, str], stop: Event) -> list[StatedLicence] | NoAnswer:
    """Return what the packages of an interpreter state about their licences.

    Args:
        python: the interpreter.
        environ: the process's environment.
        stop: ends it early where it is set.
    """
    ended = run([python, "-I", "-B", _PROBE], folder=Path("/"), environ=environ, deadline_seconds=_SECONDS, stop=stop)
    name = printable(str(python))
    if not ended.succeeded:
        return NoAnswer(f"{name} does not work: {_failure(ended)}.")
    try:
        return sorted(msgspec.json.decode(ended.output, type=list[StatedLicence]), key=lambda each: each.name)
    except msgspec.MsgspecError:
        return NoAnswer(f"{name} answers with something else than was asked for.")


def _failure(ended: Ended) -> str:
    if ended.overdue:
        return f"it has not answered within {duration(_SECONDS)}, or was interrupted"
    return printable(ended.problem or ended.last_words()) or "it ended without a word"
