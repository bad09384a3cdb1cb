from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.secrets.redaction import MINIMUM, REDACTED, redactor, shortened

PART = "f00dCafe"  # part of every secret below: nothing of it may remain
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmMDBkQ2FmZSJ9.f00dCafe_-x"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEf00dCafeabcdefghijklmnop\nf00dCafe==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk-f00dCafe0123 used", f"key {REDACTED} used"),
        ("(sk-proj-f00dCafe-_0123)", f"({REDACTED})"),
        ("xai-f00dCafe0123456789", REDACTED),
        ("ghp_f00dCafe0123", REDACTED),
        ("gho_f00dCafe0123", REDACTED),
        ("github_pat_11AA_f00dCafe", REDACTED),
        ("glpat-f00dCafe-x", REDACTED),
        ("AKIA" + "IOSF0DCAFE7QZWRT", REDACTED),
        ("ASIA" + "IOSF0DCAFE7QZWRT", REDACTED),
        ("xoxb-1234-f00dCafe", REDACTED),
        ("AIzaSyf00dCafe0123456789abcdefghijklm", REDACTED),
        ("hf_f00dCafe0123456789abcd", REDACTED),
        ("gsk_f00dCafe0123456789abcd", REDACTED),
        ("sk_live_f00dCafe0123", REDACTED),
        ("npm_f00dCafe0123456789abcdefghijklm", REDACTED),
        ("pypi-AgEIcHlwaS5vcmf00dCafe0123456789abcdefghijk", REDACTED),
        ("?x=1%26k%3Dsk-f00dCafe0123", f"?x=1%26k%3D{REDACTED}"),
        (r"a\nsk-f00dCafe0123\n", rf"a\n{REDACTED}\n"),
        (r"\u0022sk-f00dCafe0123\u0022", rf"\u0022{REDACTED}\u0022"),
        (f"jwt {JWT}.", f"jwt {REDACTED}"),
        (f"%20{JWT} x", f"%20{REDACTED} x"),
        (PEM, REDACTED),
        (PEM.replace("\n", "\\n"), REDACTED),
        (f"a {PEM[:40]} {PEM} b {PEM} c", f"a {REDACTED} b {REDACTED} c"),
        (f"{PEM[:70]}\nor else", f"{REDACTED}\nor else"),
        ("-----BEGIN PRIVATE KEY----- expected", "-----BEGIN PRIVATE KEY----- expected"),
        ("https://anna:f00dCafe@example.com/x", f"https://{REDACTED}@example.com/x"),
        ("postgres://u:p@f00dCafe@db/x", f"postgres://{REDACTED}@db/x"),
        ("https://f00dCafe:@api.example.com", f"https://{REDACTED}@api.example.com"),
        ("Authorization: Bearer f00dCafe", f"Authorization: {REDACTED}"),
        ("'authorization': 'Basic f00dCafe'", f"'authorization': '{REDACTED}'"),
        ("sent Bearer f00dCafe1.x~y+/=", f"sent Bearer {REDACTED}"),
        ("with basic QWxhZGRpbjpmMDBkQ2FmZQ==", f"with basic {REDACTED}"),
        ("password=f00dCafe", f"password={REDACTED}"),
        ("PASSWD: f00dCafe, x", f"PASSWD: {REDACTED}, x"),
        ("DB_PWD=f00dCafe;x=1", f"DB_PWD={REDACTED};x=1"),
        ("(secret=f00dCafe)", f"(secret={REDACTED})"),
        ("secret=a,f00dCafe)b", f"secret={REDACTED}"),
        ("password=[f00dCafe]", f"password={REDACTED}]"),
        ("GROK_API_KEY=f00dCafe", f"GROK_API_KEY={REDACTED}"),
        ("X-Api-Key: f00dCafe", f"X-Api-Key: {REDACTED}"),
        ("apikey => f00dCafe", f"apikey => {REDACTED}"),
        ("aws_secret_access_key = f00dCafe", f"aws_secret_access_key = {REDACTED}"),
        ("private_key: f00dCafe", f"private_key: {REDACTED}"),
        ("client_secret2=f00dCafe", f"client_secret2={REDACTED}"),
        ("?access_token=f00dCafe&page=2", f"?access_token={REDACTED}&page=2"),
        ("%26token%3Df00dCafe", f"%26token%3D{REDACTED}"),
        ('{"password": "f00d\\"f00dCafe", "user": "anna"}', f'{{"password": "{REDACTED}", "user": "anna"}}'),
        (r'"{\"token\": \"f00dCafe\", \"n\": 1}"', rf'"{{\"token\": \"{REDACTED}\", \"n\": 1}}"'),
        (r"\"token\": \"f00d\\\"f00dCafe\" x", rf"\"token\": \"{REDACTED}\" x"),
        ("'token': \"it's f00dCafe\"", f"'token': \"{REDACTED}\""),
        ("token='f00dCafe is cut", f"token='{REDACTED}"),
        ("api_key=SecretStr('f00dCafe')", f"api_key=SecretStr('{REDACTED}')"),
        ("tokens: {'token': ['f00dCafe', 'x']}", f"tokens: {{'token': ['{REDACTED}', 'x']}}"),
        ("password=b'f00dCafe'", f"password=b'{REDACTED}'"),
    ],
)
def test_a_secret_goes_and_what_stands_around_it_stays(text: str, shown: str) -> None:
    redact = redactor()
    assert redact(text) == shown
    assert redact(shown) == shown
    assert PART not in shown


@pytest.mark.parametrize(
    "text",
    [
        "token count: 812",
        "812 tokens",
        "max_tokens=4000",
        "total_tokens: 812",
        "secret sauce",
        "API key is invalid",
        "API key: missing",
        "password reset failed",
        "password=None, token=null",
        'password: "", x',
        "KeyError: 'token'",
        "api_key = os.environ['GROK_API_KEY']",
        "token=self.token",
        "def ask(prompt: str, api_key: str) -> None",
        "Basic authentication failed, bearer of news",
        "import sk-learn, task-management-of-many-things",
        "xai-grok-3-mini",
        "ASIA and AKIA, hf_hub_download",
        "eyJhbGciOiJIUzI1NiJ9 is a header",
        "https://example.com:8080/a@b, http://[::1]:80/",
        "mail anna@example.com",
        "risk: high, task: done",
        # placeholders, published examples, digests, identifiers, references
        "AKIA" + "IOSFODNN7EXAMPLE",
        "OPENAI_API_KEY=sk-your-key-here",
        "export TOKEN=<your token>",
        "password: changeme",
        "api_key: ${API_KEY}",
        "password: {{ vault.password }}",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "--token $TOKEN --password <password>",
        "ghp_" + "x" * 36,
        "sk-toggleable__label-arrow",
        "KeyError: 'hf_requiredCharacteristicTypesForDisplayMetadata'",
        "https://user:pass@proxy.example.org:3128/",
        "postgres://username:password@db/x",
        "Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=",
        'headers = {"Authorization": f"Bearer {access_token}"}',
        "password_hash: $2b$12$KIXQ7vFJ0yqzN1m2o3p4qe",
        "token=sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "MONGO_INITDB_ROOT_PASSWORD_FILE=/run/secrets/db_username",
        "username/password combination. Then log in.",
        "password = get_password(user)",
        "password: form_data.password,",
        "if hashed_password == user.hashed_password:",
        "login(password=new_password, token=accessToken)",
        "token: the one that was sent before",
        "password: HiddenText | None",
        '"registry-auth-token": "^5.0.1"',
        'fetch(url, { credentials: "same-origin" })',
        "PASS: 12 tests, bypass=1, compass: x",
        "docker run -p 80:80 -u root image",
        "redis://localhost:6379, s3://bucket@region/x",
        "Cookie: the header of a request",
        # what the suite itself writes
        "SECRET_KEY: [redacted] [secret]",
        "SECRET_KEY: [secret] → [secret]",
        "[secret 1a2b3c4d:0f0f0f].api_key: [secret]",
        "https://[redacted]@example.com/x",
        "Set DEEPSEEK_API_KEY in the environment or in .env: DEEPSEEK_API_KEY=…",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redactor()(text) == text


@pytest.mark.parametrize(
    "value", ["plain-old.value", 'q"uo\\te/s + & = é 激', "line\nbreak\tand\rmore", "a😀b/c?d=e", " pad ded+ "]
)
def test_a_known_value_goes_in_all_its_forms(value: str) -> None:
    redact = redactor([value])
    value = value.strip()
    for form in (
        value,
        quote(value),
        quote(value, safe=""),
        quote(value, safe="").lower() if value.islower() else quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value).replace("/", "\\/")[1:-1],
        json.dumps(json.dumps(value))[3:-3],
        repr(value)[1:-1],
    ):
        assert redact(f"<{form}>") == f"<{REDACTED}>", form


def test_a_key_of_sendgrid_goes_and_an_abbreviation_stays() -> None:
    key = ".".join(("SG", "f00dCafe" * 2 + "abcdef", "f00dCafe" * 5 + "abc"))
    assert redactor()(f"key {key}, SG.1.2") == f"key {REDACTED}, SG.1.2"


def test_known_values_may_hold_each_other_and_be_bytes_that_are_no_text() -> None:
    assert redactor(["abcdefgh", "abcdefgh-ijkl"])("abcdefgh-ijkl abcdefgh") == f"{REDACTED} {REDACTED}"
    assert redactor(["no\udcfftext!"])("no\udcfftext! no%ED%B3%BFtext%21") == f"{REDACTED} {REDACTED}"


def test_a_short_value_is_ignored() -> None:
    short = "x" * (MINIMUM - 1)
    assert redactor([short, "", "  word  "])(f"{short} word") == f"{short} word"


def test_a_value_in_the_placeholder_is_not_looked_for_there() -> None:
    redact = redactor(["redacted", "[redacted"])
    assert redact("redacted password=hunter22") == f"{REDACTED} password={REDACTED}"
    assert redact(redact("redacted [redacted")) == redact("redacted [redacted")


PIECES = st.sampled_from(
    (
        *(
            "password",
            "token",
            "api_key",
            "=",
            ": ",
            ":",
            '"',
            "'",
            "\\",
            "Bearer ",
            "Authorization",
            "://",
            "@",
            "eyJ",
        ),
        *(".", "sk-", "ghp_", "abcdefgh12345678", "AKIA", "0123456789ABCDEF", " ", "\n", ",", ";", "(", ")", "[", "]"),
        *(
            "curl -u ",
            "login a password ",
            "sshpass -p ",
            "--token ",
            "auth=",
            "user",
            "pass",
            "your-key",
            "/",
            "[secret]",
        ),
        *("&", "None", REDACTED, "%3D", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "é", "known-value"),
    )
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text())
def test_to_redact_again_changes_nothing(text: str) -> None:
    redact = redactor(["known-value", "redacted"])
    once = redact(text)
    assert redact(once) == once
    assert "known-value" not in once


@given(st.text(st.characters(codec="utf-8"), min_size=MINIMUM), st.text(), st.text())
def test_no_text_around_a_known_value_keeps_it(value: str, before: str, after: str) -> None:
    value = value.strip()
    assert len(value) < MINIMUM or value in REDACTED or value not in redactor([value])(f"{before}{value}{after}")


@pytest.mark.parametrize(
    ("piece", "size"),
    [
        ("a", 500_000),
        ("=", 500_000),
        (" ", 500_000),
        *(
            (piece, 150_000)
            for piece in (
                *("eyJ", "eyJaaaaaaaa.", "a:a@", "://a:", "://", "sk-", "ghp_", "token=", 'token="', 'token=\\"', "A"),
                *("Bearer ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----A ", "pass", "token=,a", "%20"),
                *(
                    "-----END PRIVATE KEY-----",
                    "-----BEGIN PRIVATE KEY-----END PRIVATE KEY",
                    "token: [",
                    "api_key=(",
                    "\\",
                    "-",
                    '"',
                    "known-valu",
                    "token=a)",
                    "password:'",
                    "curl -u a",
                    "curl ",
                    "<password>",
                    "auth=('a',",
                    "login a ",
                    "hooks.slack.com/services/",
                    "--a-b-",
                    "a:!A",
                    "Q~",
                    ".atlasv1.",
                    "-us1",
                    "0:AA",
                    "LS0tLS1CRUdJTi",
                    "identified by ",
                    "MTA",
                    "glsa_a",
                    "://a",
                    "AAAA",
                ),
            )
        ),
    ],
)
def test_hostile_text_takes_linear_time(piece: str, size: int) -> None:
    text = piece * (size // len(piece))
    redact = redactor(["known-value"])
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 2.5


PAIR = base64.b64encode(b"ci:Qz7#f00dCafe-19").decode()
KEY_64 = base64.b64encode(PEM.encode()).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Server=db;User ID=app;Password=NN!f00dCafe;Encrypt=1",
            f"Server=db;User ID=app;Password={REDACTED};Encrypt=1",
        ),
        ("app:f00dCafe1@tcp(db:3306)/x", f"app:{REDACTED}@tcp(db:3306)/x"),
        ("jdbc:oracle:thin:app/f00dCafe1@//db:1521/x", f"jdbc:oracle:thin:app/{REDACTED}@//db:1521/x"),
        ("SharedAccessKey=f00dCafe0123+/=;x=1", f"SharedAccessKey={REDACTED};x=1"),
        ("machine api.org login ci password f00dCafe", f"machine api.org login ci password {REDACTED}"),
        ("  login ci\n  password f00dCafe\n", f"  login ci\n  password {REDACTED}\n"),
        (f'{{"auths":{{"h":{{"auth":"{PAIR}"}}}}}}', f'{{"auths":{{"h":{{"auth":"{REDACTED}"}}}}}}'),
        (f"//registry.org/:_auth={PAIR}", f"//registry.org/:_auth={REDACTED}"),
        (f"tls.key: {KEY_64}", f"tls.key: {REDACTED}"),
        ("curl -u ci:f00dCafe https://x.org", f"curl -u ci:{REDACTED} https://x.org"),
        ("curl -s \\\n  --user ci:f00dCafe x", f"curl -s \\\n  --user ci:{REDACTED} x"),
        ("['curl', '-u', 'ci:f00dCafe', 'x']", f"['curl', '-u', 'ci:{REDACTED}', 'x']"),
        ("mysql -u app -pf00dCafe zbeam", f"mysql -u app -p{REDACTED} zbeam"),
        ("sshpass -p f00dCafe ssh x", f"sshpass -p {REDACTED} ssh x"),
        ("docker login -u ci -p f00dCafe x.org", f"docker login -u ci -p {REDACTED} x.org"),
        ("smbclient -U ci%f00dCafe //x/y", f"smbclient -U ci%{REDACTED} //x/y"),
        ("openssl rsa -passin pass:f00dCafe", f"openssl rsa -passin pass:{REDACTED}"),
        ("basicAuth: 'ci:f00dCafe'", f"basicAuth: 'ci:{REDACTED}'"),
        ("get(url, auth=('ci', 'f00dCafe'))", f"get(url, auth=('ci', '{REDACTED}'))"),
        ("IDENTIFIED BY 'f00dCafe'", f"IDENTIFIED BY '{REDACTED}'"),
        ("<password>f00dCafe</password>", f"<password>{REDACTED}</password>"),
        ('<add key="DbPassword" value="f00dCafe" />', f'<add key="DbPassword" value="{REDACTED}" />'),
        ("DB_PASS=f00dCafe, dbPass: f00dCafe", f"DB_PASS={REDACTED}, dbPass: {REDACTED}"),
        ('{"pass": "f00dCafe"}', f'{{"pass": "{REDACTED}"}}'),
        ("https://f00dCafe0123456789Zx@api.org/x", f"https://{REDACTED}@api.org/x"),
        (
            "https://discord.com/api/webhooks/123456789012345678/f00dCafe_-0123",
            f"https://discord.com/api/webhooks/123456789012345678/{REDACTED}",
        ),
        ("https://hooks.zapier.com/hooks/catch/1/f00dCafe/", f"https://hooks.zapier.com/hooks/catch/{REDACTED}"),
        ("https://hc-ping.com/f00dCafe-0123", f"https://hc-ping.com/{REDACTED}"),
        ("?sv=1&sig=f00dCafe0123456789Zx%3D&x=1", f"?sv=1&sig={REDACTED}&x=1"),
        ('token: "Bearer f00dCafe"', f'token: "{REDACTED}"'),
        ("Authorization: Token f00dCafe", f"Authorization: {REDACTED}"),
    ],
)
def test_a_secret_goes_from_every_place(text: str, shown: str) -> None:
    redact = redactor()
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize("around", ["{}", "x\n" * 900 + "{}\n" + "y\n" * 900, "a" * 3000 + " {} " + "b" * 3000])
def test_a_long_text_is_redacted_as_a_short_one_is(around: str) -> None:
    redact = redactor(["known-value"])
    for text in ("password=f00dCafe", "curl -u ci:f00dCafe x", "sent Bearer f00dCafe1234", "Cookie: a=f00dCafe; b=2"):
        assert PART not in redact(around.format(text)), text
    assert redact(around.format("known-value")) == around.format(REDACTED)


@given(st.integers(0, 3000), st.sampled_from(("sk-f00dCafe0123", "password=f00dCafe0123", "ghp_f00dCafe0123")))
def test_what_is_shortened_shows_no_part_of_a_secret(before: int, secret: str) -> None:
    text = f"{'a ' * before}{secret} and so on"
    shown = shortened(text, 200, redactor(), mark="…")
    assert len(shown) <= 201
    assert "f00d" not in shown
    assert shown.endswith("…") == (len(redactor()(text)) > 200)


def test_what_is_short_is_not_shortened() -> None:
    assert shortened("a" * 10, 10, str) == "a" * 10
    assert shortened("a" * 11, 10, str, mark="…") == "a" * 10 + "…"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Command '['tool', '--token', 'tok_abc987zyx', '--password', 'pw-xyz-12']' failed", "tok_abc987zyx"),
        ("Command '['tool', '--token', 'tok_abc987zyx', '--password', 'pw-xyz-12']' failed", "pw-xyz-12"),
        ("mysqldump --password hunter2 zbeam", "hunter2"),
        ("run --api-key abcdefgh12 now", "abcdefgh12"),
        ("Cookie: sessionid=38afes7a8; csrftoken=u32t4o3tb3gg43", "u32t4o3tb3gg43"),
        ("Set-Cookie: auth=d2FsdGVy; HttpOnly", "d2FsdGVy"),
        ("POST https://hooks.slack.com/services/T0000/B0000/XXXXyyyy failed", "XXXXyyyy"),
        ("GET https://api.telegram.org/bot110201543:AAHdqTcvCH1/getMe failed", "AAHdqTcvCH1"),
        ("DefaultEndpointsProtocol=https;AccountKey=Eby8vdM02xNOcq==;", "Eby8vdM02xNOcq"),
        ("GET /b?X-Amz-Signature=f0e8bdb87c964420&x=1", "f0e8bdb87c964420"),
    ],
)
def test_flags_cookies_and_addresses_that_are_keys_are_redacted(text: str, secret: str) -> None:
    redacted = redactor()(text)
    assert secret not in redacted
    assert redactor()(redacted) == redacted
