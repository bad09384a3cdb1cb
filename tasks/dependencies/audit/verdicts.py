"""What an audit says of a package: clean, vulnerable, or not audited with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


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


def from_document(document: Any) -> dict[str, Verdict]:
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


def _verdict(told: Mapping[str, Any]) -> Verdict:
    if "skip_reason" in told:
        return NotAudited(str(told["skip_reason"]))
    vulnerabilities = tuple(
        Vulnerability(
            id=str(each["id"]),
            aliases=tuple(sorted(map(str, each.get("aliases", ())))),  # pip-audit has them in no order
            fixed=tuple(map(str, each["fix_versions"])),
            description=" ".join(str(each.get("description", "")).split()),
        )
        for each in told["vulns"]
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
