"""Secrets are put together when the tests run, so that no scanner finds any in this file."""

from __future__ import annotations

import base64
import random
import string
import sys
import time
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.audit.security.secret_patterns import FoundSecret, secrets_in
from tasks.core.secrets.entropy import entropy
from tasks.core.secrets.evidence import is_random
from tasks.core.secrets.redaction import redactor
from tasks.core.secrets.signs import sign_finder
from tasks.core.secrets.stand_ins import hints_at_placeholder

WORD = string.ascii_letters + string.digits
URL = WORD + "-_"
HEX = "0123456789abcdef"
DJANGO = string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)"

Make = Callable[[random.Random], str]


def some(chance: random.Random, alphabet: str, size: int) -> str:
    """Return random characters, the last a digit and the last but one a letter, as nearly every real key has both."""
    return "".join(chance.choices(alphabet, k=size - 2)) + "".join((chance.choice("qwzkj"), chance.choice("24679")))


def form(begin: str, alphabet: str, size: int) -> Make:
    return lambda chance: begin + some(chance, alphabet, size)


def json_token(chance: random.Random) -> str:
    head, body = ('{"alg":"HS256"}', f'{{"sub":"{chance.randrange(10**9)}"}}')
    parts = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (head, body)]
    return ".".join([*parts, some(chance, URL, 43)])


def private_key(kind: str, between: str = "\n", head: str = "") -> Make:
    def make(chance: random.Random) -> str:
        lines = [some(chance, WORD + "+/", 64) for _ in range(3)]
        dashes = "-" * 5
        name = f"{kind} PRIVATE KEY".strip()
        return between.join([f"{dashes}BEGIN {name}{dashes}", *([head] if head else []), *lines, f"{dashes}END {name}"])

    return make


def pair(chance: random.Random) -> str:
    """Return a user and a password in base64."""
    return base64.b64encode(f"ci:{some(chance, WORD, 16)}".encode()).decode()


KNOWN: dict[str, tuple[str, Make]] = {
    "openai": ("key of OpenAI", form("sk-" + "proj-", URL, 100)),
    "deepseek": ("key of OpenAI, DeepSeek", form("sk-", HEX, 32)),
    "xai": ("key of xAI", form("xai-", WORD, 80)),
    "github": ("token of GitHub", form("gh" + "p_", WORD, 36)),
    "github app": ("token of GitHub", form("gh" + "s_", WORD, 36)),
    "github fine": ("token of GitHub", form("github_" + "pat_", WORD + "_", 82)),
    "gitlab": ("token of GitLab", form("gl" + "pat-", URL, 20)),
    "aws": ("access key of AWS", form("AK" + "IA", string.ascii_uppercase + "234567", 18)),
    "slack": ("token of Slack", lambda chance: "xox" + f"b-{some(chance, string.digits, 12)}-{some(chance, WORD, 24)}"),
    "google": ("key of Google", form("AI" + "za", URL, 35)),
    "hugging face": ("token of Hugging Face", form("hf" + "_", WORD, 34)),
    "groq": ("key of Groq", form("gs" + "k_", WORD, 52)),
    "stripe": ("key of Stripe", form("sk_" + "live_", WORD, 24)),
    "npm": ("token of npm", form("np" + "m_", WORD, 36)),
    "pypi": ("token of PyPI", form("py" + "pi-AgEIcHlwaS5vcmc", URL, 100)),
    "sendgrid": ("key of SendGrid", lambda chance: f"SG.{some(chance, URL, 22)}.{some(chance, URL, 43)}"),
    "jwt": ("JSON web token", json_token),
    "rsa": ("private key", private_key("RSA")),
    "pkcs8": ("private key", private_key("")),
    "openssh": ("private key", private_key("OPENSSH", "\\n")),
    "encrypted": ("private key", private_key("EC", head="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n")),
    "windows": ("private key", private_key("", "\r\n")),
    "program": ("private key", private_key("", '\\n"\n    "')),
    "url": ("password in an address", lambda chance: f"postgres://anna:{some(chance, WORD, 16)}@db.zbeam.dev/x"),
    "url escaped": (
        "password in an address",
        lambda chance: f"postgres://anna:{some(chance, WORD, 8)}%40{some(chance, WORD, 4)}$@db.zbeam.dev/x",
    ),
    "comment": ("private key", private_key("", "\n# ")),
    "url key": ("key in an address", lambda chance: f"https://{some(chance, WORD, 32)}@api.zbeam.dev/x"),
    "url user": ("password in an address", lambda chance: f"https://{some(chance, WORD, 32)}:@api.zbeam.dev"),
}

PLACES: dict[str, tuple[str, Make]] = {
    "private key in base64": (
        "private key in base64",
        lambda chance: f"tls.key: {base64.b64encode(private_key('RSA')(chance).encode()).decode()}",
    ),
    "netrc": (
        "password in a netrc file",
        lambda chance: f"machine api.zbeam.dev login ci password {some(chance, WORD, 16)}",
    ),
    "docker": (
        "password of a registry",
        lambda chance: f'{{"auths":{{"r.zbeam.dev":{{"auth":"{pair(chance)}"}}}}}}',
    ),
    "curl": ("password of a command", lambda chance: f"curl -u ci:{some(chance, WORD, 16)} https://x.zbeam.dev"),
    "flag": ("password of a command", lambda chance: f"tool --password {some(chance, WORD, 16)} now"),
    "basic": ("password of basic authentication", lambda chance: f"Authorization: Basic {pair(chance)}"),
    "basic setting": (
        "password of basic authentication",
        lambda chance: f"basicAuth: 'ci:{some(chance, WORD, 14)}'",
    ),
    "requests": (
        "password of basic authentication",
        lambda chance: f"get(url, auth=('ci', '{some(chance, WORD, 14)}'))",
    ),
    "sql": ("password in a statement of SQL", lambda chance: f"IDENTIFIED BY '{some(chance, WORD, 14)}'"),
    "xml": ("password in XML", lambda chance: f"<password>{some(chance, WORD, 14)}</password>"),
    "azure": ("key in a connection string", lambda chance: f"SharedAccessKey={some(chance, WORD, 43)}="),
    "discord": (
        "webhook",
        lambda chance: f"https://discord.com/api/webhooks/{chance.randrange(10**17, 10**18)}/{some(chance, URL, 68)}",
    ),
    "slack hook": ("webhook", lambda chance: f"https://hooks.slack.com/services/T0AB/B0CD/{some(chance, WORD, 24)}"),
    "signature": ("signature in an address", lambda chance: f"https://x.zbeam.dev/b?sv=1&sig={some(chance, WORD, 43)}"),
}

SETTINGS: dict[str, tuple[str, Make]] = {
    "python": ("random value", lambda chance: f'api_key = "{some(chance, WORD, 32)}"'),
    "yaml": ("random value", lambda chance: f"db_password: {some(chance, WORD, 24)}"),
    "shell": ("random value", lambda chance: f"export TOKEN={some(chance, WORD, 40)}"),
    "typed": ("random value", lambda chance: f"api_key: str | None = '{some(chance, WORD, 32)}'"),
    "item": ("random value", lambda chance: f'headers["Authorization"] = "Bearer {some(chance, WORD, 32)}"'),
    "call": ("random value", lambda chance: f"setenv('GROK_TOKEN', '{some(chance, WORD, 32)}')"),
    "json": ("random value", lambda chance: f'  "access_token": "{some(chance, URL, 40)}",'),
    "header": ("random value", lambda chance: f'Authorization: "Bearer {some(chance, WORD, 40)}"'),
    "basic": ("random value", lambda chance: f"Authorization: Basic {some(chance, WORD + '+/', 40)}"),
    "hexadecimal": ("random value", lambda chance: f"SECRET_KEY = '{chance.getrandbits(160):040x}'"),
    "base64": ("random value", lambda chance: f'private_key="{some(chance, WORD + "+/", 43)}="'),
    "aws secret": (
        "secret access key of AWS",
        lambda chance: f"aws_secret_access_key = {some(chance, WORD + '/+', 40)}",
    ),
    "connection string": (
        "password",
        lambda chance: f'C = "Server=db,1433;User ID=app;Password={some(chance, WORD, 13)}!;Encrypt=True"',
    ),
    "short password": (
        "password",
        lambda chance: f"DATABASES = {{'USER': 'app', 'PASSWORD': 'k#Q!{some(chance, WORD, 9)}'}}",
    ),
    "uuid": ("key in the form of a UUID", lambda chance: f"apiKey: '{uuid.UUID(int=chance.getrandbits(128))}'"),
    "django": ("secret key of Django", lambda chance: f"SECRET_KEY = 'django-insecure-{some(chance, DJANGO, 50)}'"),
}

ALL = {**KNOWN, **PLACES, **SETTINGS}


def make(name: str, seed: int = 0) -> str:
    return ALL[name][1](random.Random(f"{name} {seed}"))


@pytest.mark.parametrize("name", ALL)
def test_every_kind_is_found_with_its_line(name: str) -> None:
    for seed in range(20):
        found = secrets_in(f"# Dönsch\n\n{make(name, seed)}\nlast".encode())
        assert [each.line for each in found] == [3], (name, seed)
        assert found[0].kind.startswith(ALL[name][0])


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("around", ["key = '{}'", "?key={}&x", "%20{}", "a\\n{}", '{{"a": "{}"}}', "({})", "\xff{} ü"])
def test_a_known_form_is_found_whatever_stands_around_it(name: str, around: str) -> None:
    text = around.format(make(name)).encode("latin-1")
    assert [each.line for each in secrets_in(text, settings=False)] == [1]


def test_only_known_forms_are_looked_for_where_values_are_not() -> None:
    text = "\n".join(make(name) for name in SETTINGS).encode()
    assert secrets_in(text, settings=False) == []


@given(st.sampled_from(sorted(ALL)), st.integers(0, 10**6), st.text("ab \n=:", max_size=20))
def test_what_is_found_tells_nothing_of_the_secret(name: str, seed: int, before: str) -> None:
    secret = make(name, seed)
    found = repr(secrets_in(f"{before}\n{secret}\n".encode()))
    parts = [secret[at : at + 8] for at in range(len(secret) - 7)]
    assert not any(part in found for part in parts if any(map(str.isdigit, part)))


CHANCE = random.Random(7)
BASE64 = base64.b64encode(CHANCE.randbytes(600)).decode()
SHA = f"{CHANCE.getrandbits(256):064x}"

HARMLESS = [
    *(
        f"token = {value}"
        for value in ('"your-key-here-0123456789"', '"changeme-changeme-2024-x"', "${API_TOKEN_2024}")
    ),
    'api_key = "xxxxxxxxxxxxxxxxxxxxxxxx1"',
    'api_key = "<insert your api key 1 here>"',
    'api_key = os.getenv("DEEPSEEK_API_KEY_2024")',
    "api_key = os.environ['GROK_API_KEY_1234567']",
    "password: {{ vault_database_password_v2 }}",
    "password = settings.providers[0].database_password_v2",
    'password = "test-only-password-20240101"',
    'secret = "example-0a9b8c7d6e5f4g3h2i1j"',
    "TOKEN=dummy7Zq9Lk3Wm5Xt8Rv2Yb4",
    f'token = "{uuid.UUID(int=CHANCE.getrandbits(128))}"',
    f"digest = {SHA}",
    f"sha256:{SHA}  requirements.txt",
    f"commit {SHA[:40]}",
    f'password_hash = "{SHA}"',
    f'integrity = "sha512-{BASE64[:86]}=="',
    f'token: "sha256:{SHA}"',
    f"<img src='data:image/png;base64,{BASE64}'>",
    f'token = "{BASE64[:40]}' + "A" * 1000 + '"',
    ".sk-toggleable__content-arrow-2 { color: #1f2d3a; }",
    "#sk-container-id-1 div.sk-estimator-inner-label-2024 {}",
    "background: #a1b2c3; box-shadow: 0 0 4px rgba(0,0,0,.25)",
    "Das Passwort: Donaudampfschifffahrtsgesellschaftskapitän2024",
    "Kennwort und Token: siehe Betriebshandbuch, Abschnitt 12.4.7",
    "Risk-based-assessment-of-many-things-2024-11-23, task-management-system-v2",
    "model: deepseek-chat-v3-0324-instruct",
    "token: meta-llama/Llama-3.1-70B-Instruct",
    "xai-grok-4-fast-reasoning-2025-11-23-preview",
    'token = "data/tokenizers/v2/sentencepiece-32k.model"',
    "token = /srv/zbeam/config/keys/2024/token-file.txt",
    'api_key = "https://console.zbeam.dev/keys/0a9B8c7D6e5F4g"',
    "private_key: config/keys/server-2024-production.pem",
    "token = laser_material_interaction_thermal_conductivity2",
    'token = "sha256FingerprintOfTheAcceptedBaseline"',
    "TOKEN = MAXIMUM_NUMBER_OF_TOKENS_PER_REQUEST_V2",
    "max_tokens: 4096, total_tokens=1234567890123456789012",
    "postgres://user:password@db.zbeam.dev/x",
    "postgres://${USER}:${PASSWORD}@db.zbeam.dev/x",
    "https://anna:q7Rk2mPz9Xw4@example.com/x",
    "postgres://zbeamzbeam:zbeamzbeam@db/x",
    "redis://cache:short1@cache:6379",
    "http://localhost:8080/a@b",
    "-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5 + " is what such a file begins with",
    "-" * 5 + "BEGIN CERTIFICATE" + "-" * 5 + f"\n{BASE64[:64]}\n",
    "-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5 + "\n" + "A" * 64,
    "AK" + "IAIOSFODNN7EXAMPLE",
    "gh" + "p_" + "x" * 36,
    "gh" + "p_" + "a1" * 18,
    "hf_hub_download, npm_config_registry, pypi-attestations",
    "eyJhbGciOiJIUzI1NiJ9 is a header",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJhbm5hIn0" + "." + "A" * 43,
    'SECRET_KEY = "the fifty characters of a sentence are no key, 2024"',
    "import sk-learn; SG.1 and SG.2",
    'token="' + "7" * 40 + '"',
    'headers = {"Authorization": "Basic dXNlcm5hbWU6cGFzc3dvcmQ="}',
    "password: 'Testing123!', pwd = 'correct-horse', pass: 12",
    "password = 'utf-8', passwd: 2024-11-23T10:00:00Z, password=1.12.3-rc1",
    'password: "S3cret-Example-1"',
    "raise KeyError('hf_" + "requiredCharacteristicTypesForDisplayMetadata')",
    "MONGO_INITDB_ROOT_PASSWORD_FILE=/run/secrets/db_username",
    'const token = "callFunctionCheckIfDataAlreadyExistsPerpetualSubinventory";',
    'var apiKey = "recallNoticesRecallBusinessUnits-validation-group-1297083594-1";',
    'key_algorithm = "EC_secp384r1"',
    f"c = {{ tokenizationId: '{SHA[:32]}' }}",
    'public_key = "su9mI4ROnl89Sm995ytbxAk7jqevt0ML"',
    'SECRET_NAME = "NEXUS-GPT4-API-KEY"',
    f'<meta name="csrf-token" content="{BASE64[:40]}">',
    "sk-toggleable__label-arrow-2024-11",
    "OPENAI_API_KEY=sk-your-key-here",
    "username/password combination. Then log in.",
    "curl -u user:pass https://x.zbeam.dev; curl -u $USER:$PASSWORD x; tool --token $TOKEN",
    "machine host login user password secret",
    "tls.crt: " + base64.b64encode(("-" * 5 + "BEGIN CERTIFICATE" + "-" * 5 + "\n" + BASE64[:64]).encode()).decode(),
    '"auth": "' + base64.b64encode(b"user:password").decode() + '"',
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "https://discord.com/api/webhooks/123456789012345678/your-token-here",
    "CREATE USER app IDENTIFIED BY 'password'",
    "git@github.com:anna/zbeam.git, ssh://git@github.com/anna/zbeam",
    f'{{"image/png": "{BASE64[:200]}+AK' + "IAJ2345672345677/" + f'{BASE64[200:400]}"}}',
    "cvs://:pserver:anonymous9@sources.zbeam.dev:/cvs/src",
    "https://anna:he%2F%2Fo@pypi.zbeam.dev/simple",
    "ASIA" + "PACIFICSOUTHEASTERNREGION",
    'api_key: str = "your-api-key-of-32-characters-00"',
    "postgres://anna:%s@db.zbeam.dev/x",
    "postgres://anna:%(password)s@db.zbeam.dev/x",
    "postgres://anna:$DATABASE_PASSWORD_2@db.zbeam.dev/x",
    "sk-container_of_labels-that-are-long-2024",
]


def test_there_are_enough_look_alikes() -> None:
    assert len(HARMLESS) >= 40


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert secrets_in(f"a\n{text}\nb\n".encode()) == []


def test_a_line_says_that_it_holds_no_secret() -> None:
    lines = [f"{make(name)}  # maintenance: no-secret" for name in ("github", "url", "jwt", "python")]
    assert secrets_in("\n".join(lines).encode()) == []
    assert len(secrets_in("\n".join([*lines, make("github")]).encode())) == 1


def test_what_everybody_may_use_is_no_secret() -> None:
    # jwt.io, Stripe's documents, Azure's emulator: put together here, for a scanner does not know them all
    payload = base64.urlsafe_b64encode(b'{"sub":"1234567890","name":"John Doe","iat":1516239022}').decode().rstrip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    published = [
        f"{head}.{payload}.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV" + "_adQssw5c",
        "sk_" + "test_4eC39HqLyjWDarjtT1zdp7dc",
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/" + "K1SZFPTOtr/KBHBeksoGMGw==",
    ]
    assert secrets_in("\n".join(published).encode()) == []
    assert [redactor()(each) for each in published] == published


@pytest.mark.parametrize("name", ALL)
def test_what_is_found_in_a_file_is_taken_out_of_a_text(name: str) -> None:
    redact = redactor()
    for seed in range(10):
        text = f"{make(name, seed)} "
        shown = redact(text)
        assert shown != text, text
        assert secrets_in(shown.encode()) == [], (text, shown)


def test_the_password_of_a_netrc_file_may_stand_in_the_next_line() -> None:
    secret = some(random.Random(3), WORD, 16)
    text = f"machine x\n  login ci\n  password {secret}\n"
    assert [each.line for each in secrets_in(text.encode())] == [3]


def test_the_arguments_of_a_command_may_go_on_in_the_next_line() -> None:
    secret = some(random.Random(3), WORD, 16)
    text = f"curl -s \\\n  -H a \\\n  -u ci:{secret} \\\n  x\n"
    assert [each.line for each in secrets_in(text.encode())] == [3]


def test_without_hyperscan_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join([*map(make, ALL), *HARMLESS]).encode()
    fast = secrets_in(text)
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    sign_finder.cache_clear()
    try:
        assert secrets_in(text) == fast
    finally:
        sign_finder.cache_clear()


def test_two_kinds_on_a_line_and_two_lines_of_a_kind() -> None:
    text = f"{make('github')} {make('npm')}\nx\n{make('github', 1)}"
    kinds = [FoundSecret(1, "token of GitHub"), FoundSecret(1, "token of npm"), FoundSecret(3, "token of GitHub")]
    assert secrets_in(text.encode()) == kinds
    assert [each.line for each in secrets_in(text.encode(), 11)] == [11, 11, 13]


def test_a_known_form_behind_a_name_is_told_once() -> None:
    assert secrets_in(f'token = "{make("github")}"'.encode()) == [FoundSecret(1, "token of GitHub")]


@pytest.mark.parametrize(
    "ending", ["a", "=", " ", "\n", "sk-", "sk-a", "eyJ", "eyJaaaaaaaaaaaa.", "://a:", "://", "SG."]
)
def test_hostile_text_takes_linear_time(ending: str) -> None:
    hostile(ending)


@pytest.mark.parametrize(
    "piece",
    [
        "token=",
        'token="',
        "password: b ",
        "A: b\n",
        "\\n",
        '"',
        "github_pat_",
        "xox" + "b-",
        "token: a",
        "a://u:" + "q7Rk2mPz9X@b ",
        "curl -u a:",
        "curl ",
        "<password>",
        "login a password ",
        "a!A",
        "Q~",
        "0:AA",
        "MTA",
        "LS0tLS1CRUdJTi",
        "identified by '",
        "--token ",
    ],
)
def test_hostile_settings_take_linear_time(piece: str) -> None:
    hostile(piece)
    hostile(f"{make('github')} {piece}")
    hostile("-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5 + piece)


def hostile(piece: str) -> None:
    text = (piece * (100_000 // len(piece))).encode()
    started = time.process_time()
    secrets_in(text)
    assert time.process_time() - started < 2.5


@given(st.binary())
def test_any_bytes_can_be_read(content: bytes) -> None:
    assert isinstance(secrets_in(content), list)


def test_entropy_is_in_bits_per_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abab") == 1
    assert entropy(HEX) == 4


def test_values_that_are_too_short_or_too_long_are_not_random() -> None:
    value = some(random.Random(1), WORD, 19)
    assert not is_random(value)
    assert is_random(f"{value}a")
    assert not is_random(some(random.Random(1), WORD, 501))
    assert not is_random("ab ab" * 6)
    assert hints_at_placeholder("YOUR_KEY")
