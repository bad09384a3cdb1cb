"""What a provider tells of the account: DeepSeek its balance, xAI the state of the key."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.report.model import Finding, Status
from ..core.text.formatting import printable
from .address import account_kind
from .answers import Balance, KeyState
from .exchange_outcome import Asked
from .provider_faults import NOT_SUPPORTED
from .provider_findings import remedy

CHECK = "providers.account"

LOW = 1.0
"""The balance, in units of its currency, below which it is a warning."""

_TOP_UP = "Top up the account in the provider's console."


def evaluate(asked: Asked) -> Iterator[Finding]:
    """Yield what the provider tells of the account; nothing where it could not be asked at all."""
    if not asked.complete or asked.refused is not None:
        return
    name = printable(asked.name)
    outcome = next(iter(asked.of("account")), None)
    if outcome is None:
        known = account_kind(asked.settings) != "none"
        text = (
            "Not asked, for the provider cannot be reached."
            if known
            else "Balance and state of the key are not reported."
        )
        yield _finding(name, Status.SKIPPED if known else Status.OK, text)
    elif outcome.failure is not None:
        failure = outcome.failure
        if failure.status in NOT_SUPPORTED:
            yield _finding(name, Status.OK, "Balance and state of the key are not reported.")
        else:
            text = f"The account could not be read: {failure.message}"
            yield _finding(name, Status.UNKNOWN, text, remedy(failure.fault, asked.name, asked.settings))
    elif isinstance(outcome.content, Balance):
        yield _of_balance(name, outcome.content)
    else:
        yield _of_key(name, outcome.content)


def _of_key(name: str, state: KeyState) -> Finding:
    if not state.closed:
        return _finding(name, Status.OK, "Neither the key nor its team is blocked.")
    advice = "Open it, or make a new key, in the provider's console."
    return _finding(name, Status.CRITICAL, f"The provider says that {' and '.join(state.closed)}.", advice)


def _of_balance(name: str, balance: Balance) -> Finding:
    amounts = sorted(balance.amounts, key=lambda amount: -amount.total)
    total = (
        f"{' and '.join(f'{amount.total:,.2f} {amount.currency}' for amount in amounts)}" or "an amount not reported"
    )
    highest = amounts[0] if amounts else None
    low = highest is not None and highest.total < LOW
    status, text = Status.OK, f"The balance is {total}."
    if not balance.available:
        status, text = Status.CRITICAL, f"The balance is used up: {total}."
    elif low:
        status = Status.WARNING
        text = f"The balance is {total}, less than {LOW:g}."
    return Finding(
        check=CHECK,
        subject=name,
        status=status,
        message=text,
        value=None if highest is None else highest.total,
        unit=None if highest is None else highest.currency,
        warning=LOW,
        remedy=None if status is Status.OK else _TOP_UP,
    )


def _finding(name: str, status: Status, message: str, advice: str | None = None) -> Finding:
    return Finding(check=CHECK, subject=name, status=status, message=message, remedy=advice)
