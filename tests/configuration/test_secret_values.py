from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.secret_values import Sealer, same_key, without_secrets
from tasks.core.secrets.evidence import is_opaque
from tasks.core.secrets.redaction import redactor
from tasks.core.secrets.secret_names import names_secret

redact = redactor(["known-value-12345"])


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "DB_PASSWORD", "dbPassword", "Passwd", "passphrase", "pwd", "PASS"),
        *("api_key", "apiKey", "API_KEY", "X-Api-Key", "apikey", "secret", "client_secret", "SECRET_KEY", "secrets"),
        *("token", "access_token", "accessToken", "credentials", "private_key", "signing_keys", "sentry_dsn"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "density",
            "key",
            "keys",
            "primary_key",
            "keyword",
            "compass",
            "passes",
            "bypass",
            "tokens",
            "max_tokens",
        ),
        *("token_limit", "token_count", "password_length", "api_key_env", "key_env", "secret_name", "passport"),
        *("token_url", "TOKEN_TTL", "Tokenizer", "author", "Monkey"),
    ],
)
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize("text", ["Zx81Qw90Er72Ty63Ui54Op", "AbCdEf0123456789/+==xx"])
def test_what_looks_like_a_key(text: str) -> None:
    assert is_opaque(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "Zx81Qw90Er72",
            "d41d8cd98f00b204e9800998ecf8427e",
            "2026-11-24T12:00:00Z",
            "deepseek-chat-v3-0324-latest",
        ),
        *(
            "/images/author/alessandro-moretti2.jpg",
            "A sentence with Words and 3 numbers in it",
            "UPPERCASEONLY1234567890",
        ),
    ],
)
def test_what_does_not(text: str) -> None:
    assert not is_opaque(text)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("density: 2.5", "density: 2.5"),
        ("password: hunter2", "password: [redacted]"),
        ("  db_pass: hunter2  # note", "  db_pass: [redacted]"),
        ('"credentials" = "x"', '"credentials" = [redacted]'),
        ("DB_PASSWORD = 'hunter2", "DB_PASSWORD = [redacted]"),
        ("config['secret'] = 1", "config['secret'] = [redacted]"),
        ("- passphrase: x y z", "- passphrase: [redacted]"),
        ("other: known-value-12345", "other: [redacted]"),
        ("Zx81Qw90Er72Ty63Ui54Op", "[redacted]"),
        ("token_limit: 500", "token_limit: 500"),
        ('{"a": 1, "password": "x", "b": 2}', '{"a": 1, "password": [redacted]'),
        ("password:", "password:"),
    ],
)
def test_a_line_is_shown_without_what_may_be_secret(line: str, shown: str) -> None:
    assert without_secrets(line, redact) == shown


@given(st.text(min_size=4, max_size=40), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_hash_tells_that_a_secret_changed_and_not_what_it_is(text: str, key: bytes, other: bytes) -> None:
    sealed = Sealer(key).seal(text)
    assert sealed == Sealer(key).seal(text)
    assert sealed != Sealer(key).seal(f"{text}x")
    assert (sealed == Sealer(other).seal(text)) == (key == other)
    assert same_key(sealed, Sealer(other).seal("x")) == (key == other)
    assert len(sealed) == 41
    assert key.hex() not in sealed
