from __future__ import annotations

import random
import string

import pytest

from tasks.core.secrets.entropy import is_made_of_words, looks_like_words, reads_like_words
from tasks.core.secrets.evidence import decoded_pair, is_opaque, is_password, is_random, is_secret_pair
from tasks.core.secrets.stand_ins import hints_at_placeholder, is_identifier, is_no_secret, is_placeholder, is_published


@pytest.mark.parametrize(
    "value",
    [
        *("", "  ", "None", "null", "required.", "invalid:", "str", "SecretStr", "no"),
        *("[redacted]", "[secret]", "[secret 1a2b3c4d:0f]", "[REDACTED]", "***", "xxxx-xxxx", "…", "......"),
        *(
            "$TOKEN",
            "$password",
            "$env:TOKEN",
            "${TOKEN}",
            "$(pass show x)",
            "%s",
            "%(token)s",
            "%TOKEN%",
            "{token}",
            "{{ token }}",
            "#{x}",
        ),
        *("<your token>", "<token", "|", "@token@", "vault:secret/x", "env:TOKEN", "op://x/y"),
        *("your-key-here", "YOUR_API_KEY", "sk-your-key-here", "changeme", "change-me", "user:pass", "my-secret-token"),
        *("AKIA" + "XXXXXXXXXXXXXXXX", "0000000000000000", "insert your key here", "example", "fake-token"),
        *("sha256:0a1b2c", "$2b$12$abc", "pbkdf2_sha256$1$a", "{SSHA}abc", "md5-0a1b"),
        *(
            "/run/secrets/db",
            "./keys/a.pem",
            "~/.ssh/id",
            "keys/server.pem",
            "C:\\keys",
            "^5.0.1",
            ">=1.2",
            "1.2.3-rc1",
        ),
        *("password", "access_token", "apiKey", "new_password", "API_KEY_2", "data-secret"),
        *("Bearer <token>", "Token your-token", "Basic $X", '"+ token', "// what it is", "`secret`"),
    ],
)
def test_what_is_no_secret_wherever_it_stands(value: str) -> None:
    assert is_no_secret(value, literal=True) or value.startswith('"')
    assert is_no_secret(value.strip('"'))


@pytest.mark.parametrize(
    "value",
    [
        *(
            "get_token()",
            "self.token",
            "settings.SECRET_KEY",
            "os.environ['X']",
            "config[",
            "Depends(get_user)",
            "!x.token",
        ),
        *("generate_key(32", "process.env.TOKEN"),
    ],
)
def test_an_expression_is_no_secret_unless_it_is_in_quotes(value: str) -> None:
    assert is_no_secret(value)
    assert not is_no_secret(value, literal=True)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "hunter2",
            "letmein",
            "f00dCafe",
            "P@ssw0rd!9182",
            "admin123",
            "test1234",
            "s3cr3t",
            "123456",
            "correct-horse",
        ),
        *("made-up-words-here-only-99", "a,f00dCafe)b", "abc.def", "tok_abc987zyx", "test-only-password-20240101"),
        *("d41d8cd98f00b204e9800998ecf8427e", "qqqqqqqqqqqqqqqq", "demo99", "shared secret of ours"),
    ],
)
def test_in_doubt_it_is_one(value: str) -> None:
    assert not is_no_secret(value)
    assert not is_no_secret(value, literal=True)


def test_no_random_value_is_taken_for_a_stand_in_or_for_words() -> None:
    chance = random.Random(4)
    for alphabet in (string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_"):
        values = ["".join(chance.choices(alphabet, k=32)) for _ in range(2_000)]
        assert sum(map(is_no_secret, values)) <= 4
        assert sum(map(looks_like_words, values)) <= 30
        assert sum(map(is_made_of_words, values)) <= 4
        assert sum(map(is_random, values)) >= 1_900


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("toggleable__label-arrow-2", True),
        ("requiredCharacteristicTypesForDisplayMetadata", True),
        ("grok-4-fast-reasoning-2025-11-23-preview", True),
        ("f00dCafe0123456789", False),
        ("abcdefgh12345678", False),
        ("qzxkwvjb", False),
        ("", False),
    ],
)
def test_words_are_known_by_the_letters_that_follow_each_other(value: str, *, words: bool) -> None:
    assert is_made_of_words(value) == words


def test_capitals_among_digits_and_hexadecimal_digits_are_no_words() -> None:
    assert reads_like_words("PACIFICSOUTHEASTERN")
    assert not reads_like_words("PACIFICSOUTHEASTERN2")
    assert not reads_like_words("decadefacade0000decade")
    assert reads_like_words("decadefacade")


def test_a_placeholder_is_one_as_a_whole() -> None:
    assert is_placeholder("username:password")
    assert not is_placeholder("username:passw0rd1")
    assert not is_placeholder("the-new-one")  # no word of it says that it stands for something
    assert not is_placeholder("secret-99")
    assert hints_at_placeholder("Zq9-your-key-Lk3")
    assert not hints_at_placeholder("Zq9Lk3Wm5Xt8")


def test_published_keys_are_known() -> None:
    assert is_published("AKIAIOSFODNN7" + "EXAMPLE")
    assert is_published("sk_test_4eC39HqLyjWDarjt" + "T1zdp7dc")
    assert not is_published("sk_test_4eC39HqLyjWDarjt" + "T1zdp7dd")


@pytest.mark.parametrize(
    ("value", "password"),
    [
        *((each, True) for each in ("P@ssw0rd!9182", "hk7#Qz!9vLm2", "s3cr3tValue91", "q7rk2mpz9xw4")),
        *((each, False) for each in ("hunter2", "testing123", "Zbeam2024", "zbeam2024!", "aaaaaaaa1", "Hello World1")),
        *(
            (each, False)
            for each in ("2024-11-23T10:00", "v1.2.3-rc1", "https://x.org/A1", "laser_cleaning2", "a" * 65)
        ),
        *(
            (each, False)
            for each in ("callFunctionCheck1", "ünïcödé99!A", "f(x)9Zk!q", "8b0e7153-bf7c-3706-85dc-524e44006655")
        ),
    ],
)
def test_a_password_that_somebody_uses(value: str, *, password: bool) -> None:
    assert is_password(value) == password


def test_a_pair_in_base64() -> None:
    assert decoded_pair("dXNlcjpwYXNz") == ("user", "pass")
    assert decoded_pair("dXNlcjpwYXNzPz8_") == ("user", "pass???")
    assert decoded_pair("bm9jb2xvbg==") is None
    assert decoded_pair("no base64!") is None
    assert decoded_pair("AAAA") is None
    assert decoded_pair("/////w==") is None
    assert decoded_pair("dToAAAAA") is None
    assert not is_secret_pair("user", "pass")
    assert not is_secret_pair("q7Rk2mPz9Xw4", "q7Rk2mPz9Xw4")
    assert is_secret_pair("ci", "q7Rk2mPz9Xw4")
    assert not is_secret_pair("anna", "")


def test_what_is_opaque_wherever_it_stands() -> None:
    assert is_opaque("Zx81Qw90Er72Ty63Ui54Op")
    assert not is_opaque("sha512-Zx81Qw90Er72Ty63Ui54Op")
    assert not is_opaque("Deepseek-Chat-V3-Latest-Model")
    assert is_identifier("callFunctionCheckIfDataExists")
    assert not is_identifier("Zx81Qw90Er72Ty63Ui54Op")
