"""What a licence expression allows: of alternatives the best one counts, of licences that all apply the worst."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

_TOKEN = re.compile(r"[()]|[^()\s]+")


class LicenceVerdict(IntEnum):
    """What is thought of a licence; a later member is worse."""

    ALLOWED = 0
    REVIEW = 1
    DENIED = 2


class LicenceRules(NamedTuple):
    """Shell patterns on SPDX identifiers, which know no case: what is denied, and what somebody has to look at."""

    denied: Sequence[str]
    review: Sequence[str]

    def verdict(self, licence: str) -> LicenceVerdict:
        """Return what is thought of one licence."""
        for patterns, verdict in ((self.denied, LicenceVerdict.DENIED), (self.review, LicenceVerdict.REVIEW)):
            if any(fnmatchcase(licence.casefold(), pattern.casefold()) for pattern in patterns):
                return verdict
        return LicenceVerdict.ALLOWED


_Part: TypeAlias = Callable[[list[str], LicenceRules], LicenceVerdict]
_Chosen: TypeAlias = Callable[[LicenceVerdict, LicenceVerdict], LicenceVerdict]


def canonical(text: str) -> str | None:
    """Return an SPDX expression as it is spelled in full; ``None`` for what is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def evaluate_licence(expression: str, rules: LicenceRules) -> LicenceVerdict:
    """Return what is thought of a canonical expression.

    ``WITH`` binds more tightly than ``AND``, and that more than ``OR`` (SPDX specification, annex B). An exception
    only ever adds permissions, which ones differs; the licence is evaluated as if it were alone.
    """
    tokens = _TOKEN.findall(expression)[::-1]
    return _alternatives(tokens, rules)


def _alternatives(tokens: list[str], rules: LicenceRules) -> LicenceVerdict:
    return _chain(tokens, rules, "OR", min, _conjunction)


def _conjunction(tokens: list[str], rules: LicenceRules) -> LicenceVerdict:
    return _chain(tokens, rules, "AND", max, _operand)


def _chain(tokens: list[str], rules: LicenceRules, operator: str, chosen: _Chosen, part: _Part) -> LicenceVerdict:
    verdict = part(tokens, rules)
    while tokens and tokens[-1] == operator:
        tokens.pop()
        verdict = chosen(verdict, part(tokens, rules))
    return verdict


def _operand(tokens: list[str], rules: LicenceRules) -> LicenceVerdict:
    token = tokens.pop()
    if token == "(":  # noqa: S105 - a parenthesis
        verdict = _alternatives(tokens, rules)
        tokens.pop()
        return verdict
    if tokens and tokens[-1] == "WITH":
        del tokens[-2:]
    return rules.verdict(token)
