"""The volatile parts of a message masked, so that one bug reads the same each time it strikes.

What is volatile becomes a mark: ``#`` for numbers, quantities and ids, ``<time>``, ``<ip>``, ``<email>``,
``<path>``, ``<text>`` for a quoted value, ``[…]`` and ``{…}`` for lists and bodies. One mark serves whatever may
stand in a place: an id of digits alone must read like one with letters.

What tells bugs apart is kept: words and their case, the status of HTTP, errno and exit codes, the scheme, the host
and the words of a URL's path, the ``code``, ``type`` and ``status`` of a body that a provider returned.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from .error_codes import NEAR, is_code, is_status_phrase

MESSAGE_LIMIT = 4096
"""Only this many characters of a message count: a body that was logged whole tells no more than its beginning."""

MASKED_LIMIT = 1000
"""And of what is left when they are masked, this many."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*+[A-Za-z]")

_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,20}+)://(?:[^\s/?#@\"'<>]*+@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]*+\]|[^\s/?#:\"'<>()\[\]{},;]*+)(?::\d*+)?(?P<path>/[^\s?#\"'<>()\[\]{},;]*+)?"
    r"(?:[?#][^\s\"'<>()\[\]{}]*+)?"
)
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_REQUEST = re.compile(rf"\b(?P<verb>{'|'.join(_VERBS)}) (?P<path>/[^\s?#\"'<>]*+)(?:\?[^\s\"'<>]*+)?")
_PLAIN_SEGMENT = re.compile(r"[a-z][a-z_.-]{0,31}\Z")

_BRACKETS = re.compile(r"[\[\]{}]")
_KEPT_BRACKET = re.compile(r"\[(?:(?:Errno|WinError|SSL|X509)\b|[1-5]\d\d\]\Z|[^\d,<'\"{]*\Z)")
_BODY_CODE = re.compile(
    r"\b(?P<name>code|type|status)[\"']?\s?[:=]\s?[\"']?(?!None\b|null\b)(?P<value>[A-Za-z_]{3,40}|[1-5]\d\d)\b"
)

_QUOTE = re.compile("['\"“„«`]")
# An apostrophe inside a word opens and closes nothing.
_QUOTED = re.compile(
    r"(?<!\w)'(?P<single>(?:[^'\n]|'(?=\w)){0,300}+)'(?!\w)"
    r"|(?<!\w)\"(?P<double>[^\"\n]{0,300}+)\""
    r"|[“„«](?P<curly>[^”“»\n]{0,300}+)[”“»]|`(?P<tick>[^`\n]{1,300}+)`"
)
_NAMED_BEFORE = re.compile(
    r"(?:\b(?P<code>attribute|argument|module named|import name)"
    r"|\b(?:[Kk]ey|KeyError|parameter|field|property|column|option|setting|variable"
    r"|provider|relation|table|constraint|task|command|queue|service|index|database))s?[:=]? ?\Z"
)
_NAMED_AFTER = re.compile(r" (?:object|codec|is not defined|argument|keyword)\b")
_IDENTIFIER = re.compile(r"_*[A-Za-z][A-Za-z_.]{0,60}(?:\(\))?\Z")
_LOWER = re.compile(r"_*[a-z][a-z_.]{0,60}(?:\(\))?\Z|_*[A-Z][A-Z_]{0,60}\Z|[a-z]+(?:[A-Z][a-z]+){1,4}\Z")
_AFTER_HOST = re.compile(r"\bhost(?:name)?[= ]\Z")
_HOST = re.compile(r"[a-z][\w.-]{0,250}\Z")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)++")

_TIME = re.compile(
    r"(?<![\w.])(?:"
    r"(?:\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{8}(?=[T_-]\d{6}))"
    r"(?:[T _-]\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
    r"|\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} {1,2}\d{1,2})"
    r"(?: \d{4})? \d\d:\d\d:\d\d(?: \d{4}| GMT| [+-]\d{4})?"
    r")(?!\w)"
)

_DOTS = 2  # an address has more
_IP = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)(?:/\d{1,2})?(?::\d{1,5})?"
    r"|(?<![\w:.])(?=[:A-Fa-f]{0,38}\d)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w{1,15})?(?![\w:])"
)

_EXTENSIONS = (
    "ya?ml|jsonl?|py[cdwx]?|log|txt|md|csv|tsv|toml|ini|cfg|conf|gz|zip|tar|bz2|xz|zst|db|sqlite3?|lock|tmp|temp|bak"
    "|pkl|pickle|html?|xml|sh|env|png|jpe?g|svg|pdf|so|dll|exe|npy|parquet|whl"
)
_SEPARATOR = re.compile(r"[/\\]|\.[A-Za-z]")
_PATH = re.compile(
    r"(?:"
    # a path that follows the verb of a request is a URL's and keeps its words
    rf"{''.join(f'(?<!{verb} )' for verb in _VERBS)}(?<![\w.:/\\<>#~)\]])"
    r"(?:~\w{0,32}|\.{1,2})?/[\w.@+~%=-](?:[\w./@+~%=,-]*[\w/~-])?"
    r"|(?<![\w])[A-Za-z]:[\\/]{1,4}[\w.@+~%=\\/$-]*"
    r"|(?<![\w\\])\\{2,4}[\w.$-]+\\[\w.$\\-]*"
    rf"|(?<![\w./\\#<>-])[\w.][\w.@+-]*(?:[/\\][\w./\\@+-]*\.[A-Za-z]\w{{0,7}}|\.(?:{_EXTENSIONS}))(?!\w)"
    r")(?::\d+){0,2}(?:\?[\w.=&%+-]*)?"
)

_NAME_VALUE = re.compile(
    r"(?P<name>\b(?i:(?:\w{1,20}[_-])?id|user|username|name|material|item|session|trace|request|job|task|worker|thread"
    r"|process|key)=)(?!<text>|<path>|#)(?P<value>[\w.:+-]+)"
)
_NOUN = re.compile("aterial|ser |ser:|uthor")
_NAMED = re.compile(r"\b(?P<noun>[Mm]aterial|[Uu]ser|[Aa]uthor):? [A-Z][a-z][\w-]*(?: [A-Z][a-z]+){0,4}")


_PUNCTUATION = re.compile("[:./-]")
_DIGIT = re.compile(r"\d")
_UNIT = (
    "%|[µμnm]?s|secs?|seconds?|millis(?:econds?)?|mins?|minutes?|h|hrs?|hours?|d|days?|weeks?|[kKMGTP]i?[Bb]?|B|bytes?"
    "|[kMG]?Hz|°C"
)
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![A-Za-z0-9])"
_PIECE = (
    rf"(?<![A-Za-z0-9])(?:(?P<uuid>{_UUID})"
    r"|(?P<number>\d++(?:[.,_]\d++)*+)(?:[eE][+-]?\d++)?+"
    rf"(?P<unit> ?(?:{_UNIT})(?:/s)?(?![A-Za-z0-9]))?(?![A-Za-z0-9])"
    r"|(?P<letters>[A-Za-z]*+)(?P<rest>\d[A-Za-z0-9]*+)"
    r")"
)
_IN_BLOB = re.compile(_PIECE)
# What follows a scheme was masked as a URL and is left alone.
_NUMBER = re.compile(rf"(?P<url>://\S*+)|(?<![\w+=-])(?!{_UUID})(?P<blob>[\w+=-]{{24,}}+)|{_PIECE}")
_WORDS = re.compile(r"(?:[A-Za-z]+[_=-])*+")
_ENOUGH_CHANGES = 3  # from a letter to a digit or back, and a long run is an id as a whole
_CLASS = re.compile(r"HTTP[1-5]\d\d\Z|[1-5]xx\Z")
_SIGN = re.compile(r"(?<![\w#>)\]./-])[-+](?=#)")
_HEX = re.compile(r"[0-9A-Fa-f]{4,}\Z")
_SERIES = re.compile(r"#(?:(?:, ?| and | )#)+")


def masked(message: str) -> str:
    """Return *message* on one line with its volatile parts masked; see the module for what is and what is kept.

    Quoted values are masked, for they are mostly data: a material, a file, what a user typed. Kept is a quoted name
    that the code itself uses, after a word that says so: ``KeyError: 'density'``, ``has no attribute 'get'``,
    ``No module named 'yaml'``. To a developer two missing fields are two bugs, two materials are not; a key with
    digits, blanks or a capital (``KeyError: 'Alabaster'``) is data again.

    No more than the first ``MESSAGE_LIMIT`` characters are looked at, so that any message takes bounded time.
    """
    return _masked(message[:MESSAGE_LIMIT])


@lru_cache(maxsize=1024)
def _masked(text: str) -> str:
    # Each step is guarded by what it needs: most messages need few.
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = _without_parts(" ".join(text.split()))
    if "=" in text:
        text = _NAME_VALUE.sub(r"\g<name>#", text)
    if _NOUN.search(text):
        text = _NAMED.sub(r"\g<noun> <text>", text)
    digits = _DIGIT.search(text)
    if digits and _PUNCTUATION.search(text):
        text = _without_addresses(_TIME.sub("<time>", text))
    if _SEPARATOR.search(text):
        text = _PATH.sub("<path>", text)
    if digits:
        # "1 h 3 min" is a duration as "59 s" is, and "items 3, 7 and 9" are items as "items 3 and 7" are
        text = _SERIES.sub("#", _SIGN.sub("", _NUMBER.sub(_number, text)))
    return text[:MASKED_LIMIT]


def _without_addresses(text: str) -> str:
    return _IP.sub("<ip>", text) if text.count(".") > _DOTS or text.count(":") > 1 else text


def _without_parts(text: str) -> str:
    """Return *text* with what has a beginning and an end masked: URLs, bodies, quoted values, addresses."""
    if "/" in text:
        text = _REQUEST.sub(_request, _URL.sub(_url, text) if "://" in text else text)
    if "[" in text or "{" in text:
        text = _bodies(text)
    if _QUOTE.search(text):
        text = _QUOTED.sub(_quoted, text)
    return _EMAIL.sub("<email>", text) if "@" in text else text


def _url(match: re.Match[str]) -> str:
    host = match["host"].lower()
    if host.startswith("[") or host.replace(".", "").isdigit():
        host = "<ip>"
    return f"{match['scheme'].lower()}://{host}{_url_path(match['path'] or '')}"


def _request(match: re.Match[str]) -> str:
    return f"{match['verb']} {_url_path(match['path'])}"


def _url_path(path: str) -> str:
    path = path.rstrip(".:!/")
    parts = (part if not part or _PLAIN_SEGMENT.match(part) else "#" for part in path.split("/"))
    return "/".join(parts)


def _bodies(text: str) -> str:
    """Return *text* with its outermost lists and bodies masked; a body without an end goes to the end."""
    parts: list[str] = []
    done = start = depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            if depth == 0:
                start = match.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                parts += text[done:start], _body(text[start : match.end()])
                done = match.end()
    if depth and text[start] == "{":
        parts += text[done:start], _body(text[start:])
        done = len(text)
    return "".join([*parts, text[done:]])


def _body(text: str) -> str:
    if text[0] == "[" and _KEPT_BRACKET.match(text):
        return text
    codes = " ".join(dict.fromkeys(f"{match['name']}={match['value']}" for match in _BODY_CODE.finditer(text)))
    first, last = ("[", "]") if text[0] == "[" else ("{", "}")
    return f"{first}{codes or '…'}{last}"


def _quoted(match: re.Match[str]) -> str:
    text = next(group for group in match.groups() if group is not None)
    if "://" in text:
        return text if text.partition("://")[0].isalpha() and " " not in text else "<text>"
    if is_status_phrase(text, match.string[max(0, match.start() - NEAR) : match.start()]):
        return text
    if "HTTP/" in text:  # the request line of an access log
        return f'"{text}"'
    if _AFTER_HOST.search(match.string, max(0, match.start() - NEAR), match.start()) and _HOST.match(text):
        return text
    return f"'{text}'" if _IDENTIFIER.match(text) and _is_named(match, text) else "<text>"


def _is_named(match: re.Match[str], text: str) -> bool:
    """Return whether the quoted identifier is a name that the code uses."""
    if _NAMED_AFTER.match(match.string, match.end()):
        return True
    before = _NAMED_BEFORE.search(match.string, max(0, match.start() - NEAR), match.start())
    return bool(before and (before["code"] or _LOWER.match(text)))


def _number(match: re.Match[str]) -> str:
    if blob := match["blob"]:
        words = _WORDS.match(blob)[0]  # type: ignore[index]  # it matches the empty text too
        pairs = pairwise(blob[len(words) :])
        changes = sum(a.isdigit() != b.isdigit() for a, b in pairs if a.isalnum() and b.isalnum())
        return f"{words}#" if changes >= _ENOUGH_CHANGES else _IN_BLOB.sub(_piece, blob)
    return match["url"] or _piece(match)


def _piece(match: re.Match[str]) -> str:
    """Return what stands for a number or an id: a mark, or a code as it is."""
    if number := match["number"]:
        kept = match["unit"] is None and is_code(match.string, *match.span("number"))
        return number if kept else "#"
    if match["uuid"] or _HEX.match(match[0]):
        return "#"
    if _CLASS.match(match[0]):
        return match[0]
    # an id, or a word with a number at its end
    return f"{match['letters']}#" if match["rest"].isdigit() else "#"
