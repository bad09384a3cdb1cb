"""Vulnerabilities that were looked at and accepted until a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from packaging.utils import canonicalize_name

from ...core.settings.model import IgnoredVulnerability
from .verdicts import AuditOutcome, NotAudited, Vulnerability, Vulnerable


class Weighed(NamedTuple):
    """An audit's outcome, weighed against what was accepted.

    Attributes:
        counting: by package, the vulnerabilities that count.
        accepted: by package, those that are accepted, each with what accepts it.
        expired: what would accept a known vulnerability, but no longer does.
        unmatched: what accepts nothing that is known.
        open: what cannot be told to match or not, since its package was not audited.
    """

    counting: Mapping[str, tuple[Vulnerability, ...]]
    accepted: Mapping[str, tuple[tuple[Vulnerability, IgnoredVulnerability], ...]]
    expired: tuple[IgnoredVulnerability, ...]
    unmatched: tuple[IgnoredVulnerability, ...]
    open: tuple[IgnoredVulnerability, ...]


def weigh(outcome: AuditOutcome, ignored: Sequence[IgnoredVulnerability], today: date) -> Weighed:
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
            holding = next((each for each in matching if _holds(each, today)), None)
            if holding is None:
                counts.append(vulnerability)
            else:
                accepts.append((vulnerability, holding))
        if counts:
            counting[name] = tuple(counts)
        if accepts:
            accepted[name] = tuple(accepts)
    rest = [each for each in ignored if each not in matched]
    untold = [each for each in rest if isinstance(outcome.verdicts.get(canonicalize_name(each.package)), NotAudited)]
    return Weighed(
        counting,
        accepted,
        expired=tuple(each for each in ignored if each in matched and not _holds(each, today)),
        unmatched=tuple(each for each in rest if each not in untold),
        open=tuple(untold),
    )


def _matches(ignored: IgnoredVulnerability, name: str, vulnerability: Vulnerability) -> bool:
    return canonicalize_name(ignored.package) == name and vulnerability.is_called(ignored.id)


def _holds(ignored: IgnoredVulnerability, today: date) -> bool:
    return today <= ignored.until
