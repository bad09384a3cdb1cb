"""Where a provider is asked: the addresses that follow from its ``base_url``."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from ..core.settings.model import ProviderSettings
from ..core.text.formatting import printable
from .provider_faults import Failure, Fault

Account = Literal["balance", "api-key", "none"]

_VERSION = "/v1"

_ACCOUNTS: dict[str, Account] = {"api.deepseek.com": "balance", "api.x.ai": "api-key"}
_ACCOUNT_PATHS: dict[Account, str] = {"balance": "/user/balance", "api-key": f"{_VERSION}/api-key"}


class Address(NamedTuple):
    """Where a provider's API is.

    Attributes:
        host: host and port as they stand in the address, for messages.
        base: the address as it was given, without a slash at its end.
        other: the same with ``/v1`` added, or without it where it ends so: people write either, and each provider
            knows one of the two or both.
    """

    host: str
    base: str
    other: str


def address(base_url: str) -> Address | Failure:
    """Return where the API at *base_url* is, or what is wrong with that address."""
    try:
        parts = urlsplit(base_url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return Failure(Fault.WRONG_ADDRESS, "Its base_url is no http or https address.")
    if "@" in parts.netloc:
        return Failure(Fault.WRONG_ADDRESS, "Its base_url holds a user or a password; the key belongs in a variable.")
    if parts.query or parts.fragment:
        return Failure(Fault.WRONG_ADDRESS, "Its base_url has a query or a fragment; an API's address has neither.")
    base = base_url.strip().rstrip("/?#")
    other = base.removesuffix(_VERSION) if base.endswith(_VERSION) else base + _VERSION
    return Address(parts.netloc, base, other)


def account_kind(provider: ProviderSettings) -> Account:
    """Return how *provider* tells of the account: as its settings say, else by the name of its host."""
    if provider.account != "auto":
        return provider.account
    return _ACCOUNTS.get(urlsplit(provider.base_url).hostname or "", "none")


def account_url(place: Address, kind: Account) -> str:
    """Return the address of the account, which lies beside ``/v1``, not below it.

    Raises:
        KeyError: *kind* is ``none``.
    """
    return place.base.removesuffix(_VERSION) + _ACCOUNT_PATHS[kind]


def target(url: str, location: str) -> str:
    """Return where a redirect of *url* leads to: scheme, host and path, printable and nothing more.

    A query, a user or a password may hold a secret and is left out.
    """
    try:
        parts = urlsplit(urljoin(url, location))
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that cannot be read"
    if not location.strip() or not host:
        return "no address"
    shown = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path}")
