from __future__ import annotations

import pytest

from tasks.core.settings.model import ProviderSettings
from tasks.providers.address import Address, account_kind, account_url, address, target
from tasks.providers.provider_faults import Failure, Fault


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.x.ai", Address("api.x.ai", "https://api.x.ai", "https://api.x.ai/v1")),
        ("https://api.x.ai/", Address("api.x.ai", "https://api.x.ai", "https://api.x.ai/v1")),
        (" https://api.x.ai/v1/ ", Address("api.x.ai", "https://api.x.ai/v1", "https://api.x.ai")),
        ("http://[::1]:80/a/v1", Address("[::1]:80", "http://[::1]:80/a/v1", "http://[::1]:80/a")),
        ("https://h/v10", Address("h", "https://h/v10", "https://h/v10/v1")),
    ],
)
def test_an_address_is_taken_with_and_without_version_and_slash(base_url: str, expected: Address) -> None:
    assert address(base_url) == expected


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ("", "no http or https"),
        ("api.x.ai/v1", "no http or https"),
        ("ftp://api.x.ai", "no http or https"),
        ("https://", "no http or https"),
        ("https://h:99999", "no http or https"),
        ("https://h:0", "no http or https"),
        ("https://[::1", "no http or https"),
        ("https://user:word@h", "user or a password"),
        ("https://h/v1?key=1", "query"),
        ("https://h/v1#top", "fragment"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_and_not_shown(base_url: str, message: str) -> None:
    failure = address(base_url)
    assert isinstance(failure, Failure)
    assert failure.fault is Fault.WRONG_ADDRESS
    assert message in failure.message
    assert "word" not in failure.message.replace("password", "")


@pytest.mark.parametrize(
    ("base_url", "account", "kind"),
    [
        ("https://api.deepseek.com", "auto", "balance"),
        ("https://API.x.ai/v1", "auto", "api-key"),
        ("https://api.x.ai.example", "auto", "none"),
        ("http://127.0.0.1", "balance", "balance"),
        ("https://api.deepseek.com", "none", "none"),
    ],
)
def test_the_account_is_known_by_the_settings_or_the_host(base_url: str, account: str, kind: str) -> None:
    values = {"base_url": base_url, "model": "m", "key_env": "K", "account": account}
    assert account_kind(ProviderSettings(**values)) == kind  # type: ignore[arg-type]  # a literal in a table


@pytest.mark.parametrize("base_url", ["https://h", "https://h/v1", "https://h/v1/"])
def test_the_account_lies_beside_the_version(base_url: str) -> None:
    place = address(base_url)
    assert isinstance(place, Address)
    assert account_url(place, "balance") == "https://h/user/balance"
    assert account_url(place, "api-key") == "https://h/v1/api-key"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://elsewhere.example/v1/models?key=secret#x", "https://elsewhere.example/v1/models"),
        ("https://user:secret@elsewhere.example:8443/", "https://elsewhere.example:8443/"),
        ("/v2/chat", "https://h/v2/chat"),
        ("//[::1]:80/x", "https://[::1]:80/x"),
        ("", "no address"),
        ("https://[", "an address that cannot be read"),
        ("https://h:port/", "an address that cannot be read"),
        ("https://h/\x1b[31m", "https://h/\\x1b[31m"),
        ("mailto:x", "no address"),
    ],
)
def test_a_redirect_is_shown_without_what_may_be_secret(location: str, shown: str) -> None:
    assert target("https://h/v1/chat", location) == shown
