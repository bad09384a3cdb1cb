"""Findings on an audit: what is vulnerable, accepted, not audited, and whether the whole can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ...core.report.model import Finding, Metric, Status
from ...core.settings.model import IgnoredVulnerability
from ...core.text.formatting import count, listed, printable
from .audit_verdicts import AuditOutcome, AuditTriage, NotAudited, Vulnerability, Vulnerable, lowest_fix

_LONGEST = 160
"""Characters of a description in a message; the report has all of it."""


def findings(
    outcome: AuditOutcome, triaged: AuditTriage, versions: Mapping[str, str], others: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield what there is to say of an audit.

    Args:
        outcome: what it gave.
        triaged: the same, weighed against what was accepted.
        versions: the installed versions, by normalized name.
        others: those that no requirement leads to, so that an update leaves them.
    """
    yield _on_all(outcome, triaged)
    for name, vulnerabilities in triaged.counting.items():
        yield _on_package(name, versions.get(name, ""), vulnerabilities, updated=name not in others)
    for name, accepted in triaged.accepted.items():
        text = "; ".join(f"{each.id} until {ignored.until} ({printable(ignored.reason)})" for each, ignored in accepted)
        yield Finding(
            check="dependencies.accepted",
            subject=name,
            status=Status.OK,
            message=f"Accepted: {text}.",
            value=len(accepted),
            unit="vulnerabilities",
        )
    yield from _on_not_audited(outcome)
    yield from _on_ignored(triaged)


def _on_all(outcome: AuditOutcome, triaged: AuditTriage) -> Finding:
    total = len(outcome.verdicts)
    missing = sum(isinstance(verdict, NotAudited) for verdict in outcome.verdicts.values())
    checked = total - missing
    against = f"something is known against {len(triaged.counting):,} of them" if triaged.counting else ""
    if outcome.problem:
        status, message = Status.UNKNOWN, f"The audit failed: {outcome.problem}."
    elif missing:
        status = Status.CRITICAL if against else Status.UNKNOWN
        message = f"Of {count(total, 'package')}, {checked:,} could be audited and {missing:,} could not"
        message += f"; {against}." if against else "."
    else:
        status = Status.CRITICAL if against else Status.OK
        what = against or "nothing is known against them"
        message = f"Audited: {count(total, 'package')}, every one; {what}, says {printable(outcome.service)}."
    return Finding(
        check="dependencies.audit",
        subject="audit",
        status=status,
        message=message,
        value=checked,
        unit="packages",
        remedy="See that the service can be reached, then run it again." if outcome.problem else None,
    )


def _on_package(name: str, version: str, vulnerabilities: tuple[Vulnerability, ...], *, updated: bool) -> Finding:
    fix = lowest_fix(vulnerabilities, version)
    if fix is None:
        remedy = "No fixed version is known: replace it, or accept the risk for a time under dependencies.ignore."
    elif not updated:
        remedy = f"No requirement leads to it: bring {fix} or a later one into the environment yourself, or remove it."
    else:
        remedy = f"inv monthly.dependency-update --security brings {fix} or a later one."
    return Finding(
        check="dependencies.vulnerable",
        subject=name,
        status=Status.CRITICAL,
        message=f"{version} is vulnerable: {'; '.join(map(_describe, vulnerabilities))}.",
        value=len(vulnerabilities),
        unit="vulnerabilities",
        remedy=remedy,
    )


def _describe(vulnerability: Vulnerability) -> str:
    aliases = f" ({', '.join(map(printable, vulnerability.aliases))})" if vulnerability.aliases else ""
    description = printable(vulnerability.description).rstrip(".")
    if len(description) > _LONGEST:
        description = description[: _LONGEST - 1].rstrip() + "…"
    fixed = f"fixed in {', '.join(map(printable, vulnerability.fixed))}" if vulnerability.fixed else "not fixed yet"
    return f"{printable(vulnerability.id)}{aliases}, {fixed}: {description or 'no description'}"


def _on_not_audited(outcome: AuditOutcome) -> Iterator[Finding]:
    if outcome.problem:
        return
    reasons = defaultdict[str, list[str]](list)
    for name, verdict in outcome.verdicts.items():
        if isinstance(verdict, NotAudited):
            reasons[verdict.reason].append(name)
    for reason, names in reasons.items():
        yield Finding(
            check="dependencies.not-audited",
            subject=names[0] if len(names) == 1 else "several packages",
            status=Status.UNKNOWN,
            message=f"Whether something is known against {listed(names, len(names))} cannot be told: "
            f"{printable(reason).rstrip('.')}.",
            value=len(names),
            unit="packages",
            remedy="Look after these packages yourself, or ask another service (dependencies.osv_url); "
            "the suite never calls them safe.",
        )


def _on_ignored(triaged: AuditTriage) -> Iterator[Finding]:
    for ignored in triaged.expired:
        message = f"It was accepted until {ignored.until} ({printable(ignored.reason)}), and counts again."
        yield _ignore(ignored, Status.WARNING, message, "Update the package, or accept it anew until a later day.")
    for ignored in triaged.unmatched:
        message = "It is accepted under dependencies.ignore, but nothing of that kind is known against the package."
        yield _ignore(ignored, Status.WARNING, message, "Take it out of dependencies.ignore.")
    for ignored in triaged.open:
        message = "Whether it is still known cannot be told, since the package was not audited."
        yield _ignore(ignored, Status.SKIPPED, message, None)


def _ignore(ignored: IgnoredVulnerability, status: Status, message: str, remedy: str | None) -> Finding:
    return Finding(
        check="dependencies.ignore",
        subject=f"{printable(ignored.package)} {printable(ignored.id)}",
        status=status,
        message=message,
        remedy=remedy,
    )


def metrics(outcome: AuditOutcome, triaged: AuditTriage) -> list[Metric]:
    """Return how many packages were audited, are vulnerable, and were not audited; no number of what was not seen."""
    missing = sum(isinstance(verdict, NotAudited) for verdict in outcome.verdicts.values())
    numbers = {
        "dependencies.audited": len(outcome.verdicts) - missing,
        **({} if nothing_audited(outcome) else {"dependencies.vulnerable": len(triaged.counting)}),
        "dependencies.not_audited": missing,
    }
    return [Metric(name=name, value=value, unit="packages") for name, value in numbers.items()]


def summary(outcome: AuditOutcome, triaged: AuditTriage) -> str:
    """Return an audit as a part of a summary: ``1 vulnerable, 2 not audited``."""
    if nothing_audited(outcome):
        return "none audited"
    missing = sum(isinstance(verdict, NotAudited) for verdict in outcome.verdicts.values())
    return f"{len(triaged.counting):,} vulnerable" + (f", {missing:,} not audited" if missing else "")


def nothing_audited(outcome: AuditOutcome) -> bool:
    """Tell whether there are packages and not one of them was audited."""
    return bool(outcome.verdicts) and all(isinstance(verdict, NotAudited) for verdict in outcome.verdicts.values())


def record(outcome: AuditOutcome, name: str) -> dict[str, Any]:
    """Return the verdict on one package as a record for other programs."""
    verdict = outcome.verdicts.get(name, NotAudited("it was not asked for"))
    if isinstance(verdict, NotAudited):
        return {"verdict": "not audited", "reason": verdict.reason}
    if isinstance(verdict, Vulnerable):
        return {"verdict": "vulnerable", "vulnerabilities": [each._asdict() for each in verdict.vulnerabilities]}
    return {"verdict": "clean", "note": verdict.note or None}
