"""Secrets out of texts, before they are shown or stored: known values, and what looks like a secret.

Every pattern runs in time linear in the text, as those of :mod:`.forms` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .forms import BEGIN, BEGIN_KEY, CREDENTIALS, FORMS, JWT, ONSET, SETTING

REDACTED = "[redacted]"
"""The replacement of a secret: always the same, so that neither its length nor its letters remain."""

MINIMUM = 8
"""Known values shorter than this many characters are not looked for: they would take ordinary words with them."""

_KEYS = re.compile(
    rf"(?={ONSET}){BEGIN}(?:{'|'.join(f'{form.begin}{form.alphabet}{{{form.likely},}}+' for form in FORMS)})", re.ASCII
)

_JWT = re.compile(JWT, re.ASCII)

# Without an end the lines that look like base64 go.
_BREAK = r"(?:\s|\\[nrt])"
_END_KEY = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY = re.compile(rf"{BEGIN_KEY}[\s\S]*?{_END_KEY.pattern}")
_CUT_KEY = re.compile(rf"{BEGIN_KEY}(?:{_BREAK}*+[A-Za-z0-9+/=]{{20,}}+)++(?:{_BREAK}++[A-Za-z0-9+/=]++)?")

# The user goes too: some services take the key as the user and no password.
_CREDENTIALS = re.compile(CREDENTIALS)

_SCHEME = re.compile(r"\b(?P<scheme>(?i:bearer|basic))(?P<gap>\s{1,4}|%20|\+)(?P<value>[\w.~+/=-]{8,}+)", re.ASCII)

_SETTING = re.compile(SETTING)

# What stands after "token:" or "password=" and is no secret: the state that a sentence tells, a type, no value.
_STATES = {"none", "null", "nil", "true", "false", "undefined", "empty", "unset", "missing", "absent", "invalid"}
_STATES |= {"required", "expired", "wrong", "incorrect", "unknown", "rejected", "denied", "not", "is", "was", "has"}
_STATES |= {"must", "str", "string", "bytes", "int", "bool", "optional"}

# Flags of programs, as typed or as CalledProcessError lists them; cookies; and the addresses of services whose path
# is the key (Slack's incoming webhooks, Telegram's bots); keys of Azure's connection strings, signatures of AWS.
_FLAG = re.compile(
    r"(?P<flag>--(?:password|passwd|token|secret|api[_-]?key|access[_-]?key)[\"']?(?:,? |=)[\"']?)"
    r"(?:\[redacted\]|[^\s\"',\])]++)",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(?P<cookie>\b(?:Set-)?Cookie[\"']?: ?[\"']?)[^\n\"']{4,4096}+", re.IGNORECASE)
_HOOK = re.compile(r"(?P<hook>hooks\.slack\.com/services/|api\.telegram\.org/bot)[\w:/-]{8,}+")
_SIGNED = re.compile(
    r"(?P<signed>\b(?:AccountKey|SharedAccessSignature|X-Amz-Signature|sessionid|csrftoken)=)[^\s;&\"']{4,}+"
)

_LONG = 24  # characters: no ordinary word that follows "Basic" or "Bearer" has as many


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that replaces the secrets of a text by ``[redacted]``.

    Args:
        secrets: exact values to look for, API keys for instance, also where they are URL-quoted or JSON-escaped.
            Blanks around a value are no part of it; one shorter than ``MINIMUM`` is ignored.

    What looks like a secret is replaced as well: the providers' forms of keys, JSON web tokens, private keys in
    PEM, user and password in URLs, what follows ``Bearer``, and the value behind a name such as ``password`` or
    ``api_key``. To redact a text again changes nothing.
    """
    values = sorted({value for secret in secrets if len(value := secret.strip()) >= MINIMUM}, key=len, reverse=True)
    # The placeholder comes first, so that no value is found inside one.
    known = re.compile("|".join([re.escape(REDACTED), *map(_any_form, values)])) if values else None

    def redact(text: str) -> str:
        # Known values first: what only looks like a secret may end in the middle of one.
        if known:
            text = known.sub(REDACTED, text)
        text = _without_private_keys(text)
        text = _CREDENTIALS.sub(f"://{REDACTED}@", text)
        text = _SETTING.sub(_setting, text)
        text = _SCHEME.sub(_scheme, text)
        text = _FLAG.sub(rf"\g<flag>{REDACTED}", text)
        text = _COOKIE.sub(rf"\g<cookie>{REDACTED}", text)
        text = _HOOK.sub(rf"\g<hook>{REDACTED}", text)
        text = _SIGNED.sub(rf"\g<signed>{REDACTED}", text)
        text = _JWT.sub(_token, text)
        return _KEYS.sub(REDACTED, text)

    return redact


def _any_form(value: str) -> str:
    """Return a pattern for *value*, each character as it is, URL-quoted, or escaped as JSON and ``repr`` do it."""
    return "".join(char if char.isascii() and char.isalnum() else _forms(char) for char in value)


def _forms(char: str) -> str:
    quoted = "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    utf16 = char.encode("utf-16-be", "surrogatepass").hex()
    json_form = "".join(rf"\\{{1,7}}u{utf16[at : at + 4]}" for at in range(0, len(utf16), 4))
    forms = [rf"\\{{0,7}}{re.escape(char)}", f"(?i:{quoted})", f"(?i:{json_form})"]
    if char in "\n\r\t":
        forms.append(r"\\{1,7}" + {"\n": "n", "\r": "r", "\t": "t"}[char])
    elif char == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _without_private_keys(text: str) -> str:
    # Up to the last end every beginning has one, so that no search for it is in vain.
    last = max((match.end() for match in _END_KEY.finditer(text)), default=0)
    return _PRIVATE_KEY.sub(REDACTED, text[:last]) + _CUT_KEY.sub(REDACTED, text[last:])


def _setting(match: re.Match[str]) -> str:
    if bare := match["bare"]:
        kept = bare.rstrip(".!?:").lower() in _STATES
        return match[0] if kept else f"{match['name']}{REDACTED}"
    if not match["quoted"]:
        return match[0]
    return f"{match['name']}{match['open']}{match['escape']}{match['quote']}{REDACTED}"


def _scheme(match: re.Match[str]) -> str:
    value = match["value"]
    # "Basic authentication failed" is prose; a credential has a digit, a capital inside, or no end.
    ordinary = len(value) < _LONG and value[1:].islower() and not any(map(str.isdigit, value)) and "=" not in value
    return match[0] if ordinary else f"{match['scheme']}{match['gap']}{REDACTED}"


def _token(match: re.Match[str]) -> str:
    return REDACTED if match["rest"] else match[0]
