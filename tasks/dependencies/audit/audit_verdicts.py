"""The verdict of an audit on each package, and which vulnerabilities were accepted until a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ...core.settings.model import IgnoredVulnerability


class Vulnerability(NamedTuple):
    """One known vulnerability.

    Attributes:
        id: its identifier.
        aliases: its other identifiers.
        fixed: the versions in which it was repaired, ascending.
        description: what it is, on one line.
    """

    id: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    description: str = ""

    def is_called(self, name: str) -> bool:
        """Tell whether *name* is one of its identifiers."""
        return name.casefold() in {each.casefold() for each in (self.id, *self.aliases)}


class Clean(NamedTuple):
    """Nothing is known against it; the note says how that was found where it matters."""

    note: str = ""


class Vulnerable(NamedTuple):
    """Something is known against it."""

    vulnerabilities: tuple[Vulnerability, ...]


class NotAudited(NamedTuple):
    """It could not be audited; the reason is the end of a sentence."""

    reason: str


Verdict: TypeAlias = Clean | Vulnerable | NotAudited


class AuditOutcome(NamedTuple):
    """How an audit ended.

    Attributes:
        verdicts: by normalized name.
        service: who was asked, for people.
        raw: pip-audit's own document; ``None`` where it gave none.
        problem: why the audit as a whole failed, as the end of a sentence; empty where it did not.
    """

    verdicts: Mapping[str, Verdict]
    service: str
    raw: Any = None
    problem: str = ""


class Unreadable(Exception):
    """pip-audit's document is not of the known shape."""


def verdicts_from_document(document: Any) -> dict[str, Verdict]:
    """Return the verdicts in pip-audit's JSON document, by normalized name.

    A package that is named twice has all the vulnerabilities of both.

    Raises:
        Unreadable: the document has another shape.
    """
    try:
        found: dict[str, Verdict] = {}
        for each in document["dependencies"]:
            name, verdict = canonicalize_name(each["name"]), _verdict(each)
            before = found.get(name)
            if isinstance(before, Vulnerable):
                also = verdict.vulnerabilities if isinstance(verdict, Vulnerable) else ()
                verdict = Vulnerable(tuple(dict.fromkeys((*before.vulnerabilities, *also))))
            found[name] = verdict
    except (TypeError, KeyError, AttributeError):
        raise Unreadable from None
    return found


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    if "skip_reason" in entry:
        return NotAudited(str(entry["skip_reason"]))
    vulnerabilities = tuple(
        Vulnerability(
            id=str(each["id"]),
            aliases=tuple(sorted(map(str, each.get("aliases", ())))),  # pip-audit has them in no order
            fixed=tuple(map(str, each["fix_versions"])),
            description=" ".join(str(each.get("description", "")).split()),
        )
        for each in entry["vulns"]
    )
    return Vulnerable(vulnerabilities) if vulnerabilities else Clean()


def lowest_fix(vulnerabilities: tuple[Vulnerability, ...], installed: str) -> Version | None:
    """Return the lowest version in which all of them are repaired; ``None`` where one is repaired in none.

    A vulnerability may be repaired in several lines of releases; the one that counts is the first above the
    installed version.
    """
    try:
        current = Version(installed)
        fixes = [
            min((each for each in map(Version, vulnerability.fixed) if each > current), default=None)
            for vulnerability in vulnerabilities
        ]
    except InvalidVersion:
        return None
    found = [fix for fix in fixes if fix is not None]
    return max(found) if found and len(found) == len(fixes) else None


class AuditTriage(NamedTuple):
    """An audit's outcome, weighed against what was accepted.

    Attributes:
        counting: by package, the vulnerabilities that count.
        accepted: by package, those that are accepted, each with what accepts it.
        expired: what would accept a known vulnerability, but no longer does.
        unmatched: what accepts nothing that is known.
        open: what may match or not, since its package was not audited.
    """

    counting: Mapping[str, tuple[Vulnerability, ...]]
    accepted: Mapping[str, tuple[tuple[Vulnerability, IgnoredVulnerability], ...]]
    expired: tuple[IgnoredVulnerability, ...]
    unmatched: tuple[IgnoredVulnerability, ...]
    open: tuple[IgnoredVulnerability, ...]


def triage(outcome: AuditOutcome, ignored: Sequence[IgnoredVulnerability], today: date) -> AuditTriage:
    """Return which vulnerabilities count, and which of the accepted ones are to be looked at again.

    An acceptance holds through its last day; after it, the vulnerability counts again.
    """
    counting: dict[str, tuple[Vulnerability, ...]] = {}
    accepted: dict[str, tuple[tuple[Vulnerability, IgnoredVulnerability], ...]] = {}
    matched: set[IgnoredVulnerability] = set()
    for name, verdict in outcome.verdicts.items():
        if not isinstance(verdict, Vulnerable):
            continue
        counts, accepts = [], []
        for vulnerability in verdict.vulnerabilities:
            matching = [each for each in ignored if _matches(each, name, vulnerability)]
            matched.update(matching)
            holding = next((each for each in matching if _in_force(each, today)), None)
            if holding is None:
                counts.append(vulnerability)
            else:
                accepts.append((vulnerability, holding))
        if counts:
            counting[name] = tuple(counts)
        if accepts:
            accepted[name] = tuple(accepts)
    rest = [each for each in ignored if each not in matched]
    undecided = [each for each in rest if isinstance(outcome.verdicts.get(canonicalize_name(each.package)), NotAudited)]
    return AuditTriage(
        counting,
        accepted,
        expired=tuple(each for each in ignored if each in matched and not _in_force(each, today)),
        unmatched=tuple(each for each in rest if each not in undecided),
        open=tuple(undecided),
    )


def _matches(ignored: IgnoredVulnerability, name: str, vulnerability: Vulnerability) -> bool:
    return canonicalize_name(ignored.package) == name and vulnerability.is_called(ignored.id)


def _in_force(ignored: IgnoredVulnerability, today: date) -> bool:
    return today <= ignored.until
