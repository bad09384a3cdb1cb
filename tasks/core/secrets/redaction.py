"""Secrets out of texts, before they are shown or stored: known values, and what looks like a secret.

Every pattern runs in time linear in the text, as those of :mod:`.forms` and :mod:`.key_forms` do. What is redacted is
the whole text: :func:`shortened` is for what has to be short afterwards, for half a secret is not recognised.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote

from . import key_matching
from .entropy import is_made_of_words
from .evidence import decoded_pair, is_opaque, is_password, is_random
from .forms import (
    ANY_SIGN,
    BASE64_KEY,
    BEGIN_KEY,
    CREDENTIALS,
    FLAG,
    GIVEN,
    JWT,
    KEY_GAP,
    KEY_HEADERS,
    PLACES,
    SETTING,
    Evidence,
    Place,
    arguments,
)
from .lexicon import SENTENCE
from .secret_names import NAME_SIGNS
from .signs import sign_finder, windows
from .stand_ins import is_no_secret, is_placeholder, is_published

REDACTED = "[redacted]"
"""The replacement of a secret: always the same, so that neither its length nor its letters remain."""

MINIMUM = 8
"""Known values shorter than this many characters are not looked for: they would take ordinary words with them."""

# Without an end the lines that look like base64 go.
_END_KEY = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY = re.compile(rf"{BEGIN_KEY}[\s\S]*?{_END_KEY.pattern}")
_CUT_KEY = re.compile(
    rf"{BEGIN_KEY}{KEY_GAP}*+{KEY_HEADERS}(?:{KEY_GAP}*+[A-Za-z0-9+/=]{{20,}}+)++(?:{KEY_GAP}++[A-Za-z0-9+/=]++)?"
)

_SCHEME = re.compile(r"\b(?P<scheme>(?i:bearer|basic))(?P<gap>\s{1,4}|%20|\+)(?P<value>[\w.~+/=-]{8,}+)", re.ASCII)

_COOKIE = re.compile(
    r"(?P<cookie>\b(?:Set-)?Cookie[\"']?: ?[\"']?)(?=[^\s=;,\"']{1,200}=)[^\n\"']{4,4096}+", re.IGNORECASE
)

_PASSES = 10

_SHORT = 2_000
"""Characters of a text up to which every pattern is tried on all of it."""

_LONG = 24  # characters: no ordinary word that follows "Basic" or "Bearer" has as many

# "token: the token of the session": a sentence goes on after a value that is one of its words.
_GOES_ON = re.compile(r"[.,;:]?[ \t]+[\"'(`]?[A-Za-z]|\Z")
_TYPE_GOES_ON = re.compile(r"[ \t]*\|[ \t]*(?:None|null|undefined|[A-Z])")
_METHOD = re.compile(r"\.[a-z]\w*\(")
_KEY_OF_MAPPING = re.compile(r"\\{0,7}[\"']\s{0,8}:")


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that replaces the secrets of a text by ``[redacted]``.

    Args:
        secrets: exact values to look for, API keys for instance, also where they are URL-quoted or JSON-escaped.
            Blanks around a value are no part of it; one shorter than ``MINIMUM`` is ignored.

    What looks like a secret is replaced as well: the providers' forms of keys, JSON web tokens, private keys, user and
    password in addresses and connection strings, in headers, files and arguments of programs, webhooks, and the value
    behind a name such as ``password`` or ``api_key``; but for what is known to be none (:func:`is_no_secret`). To
    redact a text again changes nothing.
    """
    values = sorted({value for secret in secrets if len(value := secret.strip()) >= MINIMUM}, key=len, reverse=True)
    # The placeholder comes first, so that no value is found inside one.
    known = re.compile("|".join([re.escape(REDACTED), *map(_any_form, values)])) if values else None

    def once(text: str) -> str:
        # Known values first: what only looks like a secret may end in the middle of one.
        if known:
            text = known.sub(REDACTED, text)
        if "-----" in text:
            text = _without_private_keys(text)
        if "LS0tLS1CRUdJTi" in text:
            text = BASE64_KEY.sub(_base64_key, text)
        text = _without_places(text) if len(text) <= _SHORT else _around_signs(text)
        if "eyJ" in text:
            text = JWT.sub(_token, text)
        return _without_keys(text)

    def redact(text: str) -> str:
        # What was taken out may have parted what stands around it in another way: a name now stands before a word.
        for _ in range(_PASSES):
            shown = once(text)
            if shown == text:
                break
            text = shown
        return text

    return redact


def _around_signs(text: str) -> str:
    """Return a long text without the secrets that stand in places: only lines with signs of those are looked at."""
    kept: list[str] = []
    end = 0
    for window in windows(text, sign_finder()(text).around, reach=len(text)):
        kept += text[end : window.start], _without_places(text[window.start : window.end])
        end = window.end
    return "".join((*kept, text[end:]))


def _without_places(text: str) -> str:
    if "://" in text:
        text = CREDENTIALS.sub(_credentials, text)
    small = text.lower()
    if ANY_SIGN.search(small):
        for place in PLACES:
            if any(sign in small for sign in place.signs):
                text = place.pattern.sub(_at(place), text)
    if "-" in text:
        text = FLAG.sub(_flag, _without_arguments(text))
    if any(sign in small for sign in NAME_SIGNS):
        text = GIVEN.sub(_given, SETTING.sub(_setting, text))
    if "bearer" in small or "basic" in small:
        text = _SCHEME.sub(_scheme, text)
    if "cookie" in small:
        text = _COOKIE.sub(rf"\g<cookie>{REDACTED}", text)
    return text


def shortened(text: str, limit: int, redact: Callable[[str], str], *, mark: str = "") -> str:
    """Return the beginning of a text without secrets: they are taken out of all of it before it is cut.

    Args:
        text: the whole.
        limit: characters that are left at most.
        redact: takes secrets out of a text.
        mark: what follows where anything was cut.
    """
    shown = redact(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}{mark}"


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


def _base64_key(match: re.Match[str]) -> str:
    beginning = match[0][:80]
    try:
        is_private = b"PRIVATE KEY" in base64.b64decode(beginning[: len(beginning) // 4 * 4])
    except binascii.Error:
        is_private = True
    return REDACTED if is_private else match[0]


def _credentials(match: re.Match[str]) -> str:
    user, password = match["user"], match["password"]
    replaced = f"://{REDACTED}@{match['host']}"
    if not password:
        is_key = bool(password == "" and user) or is_random(user) or is_opaque(user)
        return replaced if is_key and not is_no_secret(user) else match[0]
    if is_no_secret(password, literal=True) or is_placeholder(f"{user}:{password}") or len(user) == len(password) == 1:
        return match[0]
    # The user goes too: some services take the key as the user and no password.
    return replaced


def _at(place: Place) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        secret = match["secret"]
        if REDACTED in secret or is_no_secret(secret, literal=True):
            return match[0]
        if place.evidence is Evidence.BASE64_PAIR:
            pair = decoded_pair(secret)
            is_secret = pair is not None and not is_placeholder(":".join(pair))
        else:
            plain = unquote(secret)
            is_secret = place.evidence is not Evidence.RANDOM or is_random(plain) or is_opaque(plain)
        return f"{match['before']}{REDACTED}" if is_secret else match[0]

    return replaced


def _without_arguments(text: str) -> str:
    kept: list[str] = []
    end = 0
    for each in arguments(text):
        if not is_no_secret(each.secret, literal=True) and not is_placeholder(f"{each.user}:{each.secret}"):
            kept += text[end : each.start], REDACTED
            end = each.end
    return "".join((*kept, text[end:])) if kept else text


def _setting(match: re.Match[str]) -> str:
    if bare := match["bare"]:
        return match[0] if _is_kept(match, bare) else f"{match['name']}{REDACTED}"
    quoted = match["quoted"]
    if not quoted or is_no_secret(quoted, literal=True) or _is_placeholder_in_base64(quoted):
        return match[0]
    if _METHOD.search(match["open"]) and not (is_random(quoted) or is_password(quoted)):
        return match[0]
    if "{" in match["open"] and _KEY_OF_MAPPING.match(match.string, match.end()):
        return match[0]
    return f"{match['name']}{match['open']}{match['escape']}{match['quote']}{REDACTED}"


def _given(match: re.Match[str]) -> str:
    quoted = match["quoted"]
    if not (is_random(quoted) or is_password(quoted)):
        return match[0]
    return f"{match[0][: match.start('quoted') - match.start()]}{REDACTED}"


def _is_kept(match: re.Match[str], value: str) -> bool:
    """Tell whether the value behind a name is no secret: a word of a sentence, an expression, a number of something."""
    if is_no_secret(value) or _is_placeholder_in_base64(value):
        return True
    word = value.rstrip(".!?:`").lower()
    if word in SENTENCE or word.strip("`*_") in SENTENCE:
        return _GOES_ON.match(match.string, match.end()) is not None
    if _TYPE_GOES_ON.match(match.string, match.end()) and value.isalpha():
        return True
    # A count of tokens, the number of a line behind the name of a rule.
    name = match["name"].lower()
    return value.isdigit() and len(value) < (MINIMUM if name.startswith("token") else 4 if "key" in name else 0)


def _is_placeholder_in_base64(value: str) -> bool:
    """Tell whether a value is the ``user:pass`` of basic authentication, or of another placeholder."""
    pair = decoded_pair(value.rpartition(" ")[2])
    return pair is not None and is_placeholder(":".join(pair))


def _scheme(match: re.Match[str]) -> str:
    value = match["value"]
    if is_no_secret(value, literal=True) or _is_placeholder_in_base64(value):
        return match[0]
    # "Basic authentication failed" is prose; a credential has a digit, a capital inside, or no end.
    is_plain = not any(map(str.isdigit, value)) and "=" not in value
    ordinary = is_plain and (is_made_of_words(value) or (len(value) < _LONG and value[1:].islower()))
    return match[0] if ordinary else f"{match['scheme']}{match['gap']}{REDACTED}"


def _flag(match: re.Match[str]) -> str:
    secret = match["secret"]
    if is_no_secret(secret) or secret.startswith("-") or secret.lower() in SENTENCE:
        return match[0]
    return f"{match['before']}{REDACTED}"


def _token(match: re.Match[str]) -> str:
    return REDACTED if match["rest"] and not is_published(match[0]) else match[0]


def _without_keys(text: str) -> str:
    kept: list[str] = []
    end = 0
    for key in sorted(key_matching.matches(text, certain=False)):
        whole = text[key.start : key.end]
        is_none = is_placeholder(key.body) or is_published(whole) or is_made_of_words(key.body)
        if key.start >= end and not is_none:
            kept += text[end : key.start], REDACTED
            end = key.end
    return "".join((*kept, text[end:])) if kept else text
