"""The whole area."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from ...core.report.model import Finding, Status
from ...core.settings.model import AuditSettings
from ...core.text.formatting import count, printable
from .declared import LICENCES
from .expressions import Rules, Verdict, canonical, evaluate
from .packages import StatedLicence, Unknown, installed, licence

_SUBJECT = "packages"
_MOST = 10

UNKNOWN = "unknown"
"""In the table, the licence of packages that tell none that is known."""


class Licensed(NamedTuple):
    """A package and its licence, an SPDX expression; ``None`` where it tells none that is known."""

    package: StatedLicence
    licence: str | None


def examine(
    python: Path | None, reason: str, settings: AuditSettings, environ: Mapping[str, str], stop: Event
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return what is to be told of the licences, and a table of them with the number of packages under each.

    Args:
        python: the interpreter of the project's environment; ``None``: there is none.
        reason: why there is none, as a sentence.
        settings: those of the audit.
        environ: the process's environment.
        stop: ends the work early where it is set.
    """
    if python is None:
        return [LICENCES.finding(Status.SKIPPED, _SUBJECT, f"No installed packages to look at. {reason}".strip())], []
    told = installed(python, environ, stop)
    if isinstance(told, Unknown):
        remedy = "Make the environment anew, or set maintenance.dependencies.python to another interpreter."
        return [LICENCES.finding(Status.UNKNOWN, _SUBJECT, told.message, remedy)], []
    licensed = _licensed(told, settings.licences_known)
    return list(_findings(licensed, Rules(settings.licences_denied, settings.licences_review))), _table(licensed)


def _licensed(told: Sequence[StatedLicence], known: Mapping[str, str]) -> list[Licensed]:
    settled = {re.sub(r"[-_.]+", "-", name).lower(): canonical(text) for name, text in known.items()}
    return [Licensed(each, settled.get(each.name) or licence(each)) for each in told]


def _table(licensed: Sequence[Licensed]) -> list[dict[str, Any]]:
    numbers = Counter(each.licence or UNKNOWN for each in licensed)
    return [
        {"licence": name, "packages": number}
        for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    ]


def _findings(licensed: Sequence[Licensed], rules: Rules) -> Iterator[Finding]:
    verdicts = [None if each.licence is None else evaluate(each.licence, rules) for each in licensed]
    denied, review, unknown = (
        [each for each, verdict in zip(licensed, verdicts, strict=True) if verdict is wanted]
        for wanted in (Verdict.DENIED, Verdict.REVIEW, None)
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


def _finding(status: Status, found: Sequence[Licensed], what: str, remedy: str) -> Finding:
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


def _described(each: Licensed) -> str:
    name = f"{each.package.name} {each.package.version}".strip()
    return f"{name} ({each.licence})" if each.licence else name
