"""The numbers in a message that say what went wrong: HTTP statuses, errnos, exit codes."""

from __future__ import annotations

import re

NEAR = 40
"""How many characters before a number or a quoted value are searched for the word that says what it is."""

_STATUS = re.compile(r"[1-5]\d\d")

_SURELY_BEFORE = re.compile(
    r"(?:\bHTTP(?:/\d(?:\.\d)?|[_-])?[\"']?|(?<![A-Za-z])(?:http_?)?status(?:[ _-]?code)?[\"']?"
    r"|\b(?:HTTP|API) (?:error|response|status|code)(?: code)?|\bResponse \[)\s?[:=(\[]?\s?\Z",
    re.IGNORECASE,
)
_MAYBE_BEFORE = re.compile(
    r"\b(?:code|returned|response|responded|error|got|received|answered|replied|with)[\"']?\s?[:=(\[]?\s?\Z",
    re.IGNORECASE,
)
_MAYBE_AFTER = re.compile(
    r"\Z|[^\w\s#%/*+=.,]|[.,](?!\d)|\s[A-Z(\[-]"
    r"|\s(?:for|from|on|after|in|with|at|to|when|while|and|but|by|again|until|is|was|response|error)\b"
)
_ABOUT_REQUESTS = re.compile(
    r"\bhttps?\b|\bAPI\b|request|response|server|rate limit|unavailable|unauthori[sz]ed|gateway", re.IGNORECASE
)

# The phrases of the IANA registry of HTTP status codes, new and old, and what the library requests says.
_PHRASE = re.compile(
    r" (?:Client Error|Server Error|OK|Created|Accepted|No Content|Moved Permanently|Found|Not Modified"
    r"|Temporary Redirect|Permanent Redirect|Bad Request|Unauthorized|Payment Required|Forbidden|Not Found"
    r"|Method Not Allowed|Not Acceptable|Proxy Authentication Required|Request Timeout|Conflict|Gone|Length Required"
    r"|Precondition Failed|Payload Too Large|Content Too Large|Request Entity Too Large|URI Too Long"
    r"|Unsupported Media Type|Unprocessable Entity|Unprocessable Content|Too Many Requests|Internal Server Error"
    r"|Not Implemented|Bad Gateway|Service Unavailable|Gateway Time-?out)\b",
    re.IGNORECASE,
)

_OTHER_BEFORE = re.compile(
    r"(?:\berrno|\bWinError|\bos error|\bexit (?:code|status)|\bexited with(?: code| status)?|\breturn ?code|\bsignal)"
    r"[ =:]{0,2}-?\Z",
    re.IGNORECASE,
)

_KEPT = re.compile(r"\b(?:Errno|WinError) -?\d++|(?<![\w.-])(?:HTTP)?[1-5]\d\d(?![.-]?\w)")


def is_code(text: str, start: int, end: int) -> bool:
    """Return whether the number at that place of *text* is a status of HTTP, an errno or an exit code.

    A status is three digits from 100 to 599 after a word such as ``HTTP/1.1``, ``status`` or ``returned``, before
    its reason phrase, or in parentheses where the text speaks of requests: ``429 Too Many Requests``, but neither
    ``returned 429 rows`` nor ``port 443``.
    """
    near = max(0, start - NEAR)
    return _is_status(text, start, end, near) or bool(_OTHER_BEFORE.search(text, near, start))


def _is_status(text: str, start: int, end: int, near: int) -> bool:
    if not _STATUS.fullmatch(text, start, end):
        return False
    if _PHRASE.match(text, end) or _SURELY_BEFORE.search(text, near, start):
        return True
    if text[start - 1 : start] == "(" and text.startswith(")", end):
        return text[start] in "45" and bool(_ABOUT_REQUESTS.search(text))
    # "got 512, expected 256" speaks of sizes
    plausible = _MAYBE_BEFORE.search(text, near, start) and _MAYBE_AFTER.match(text, end)
    return bool(plausible) and "expected" not in text


def is_status_phrase(text: str, before: str) -> bool:
    """Return whether a quoted *text* is a status: ``429 Too Many Requests``, or digits alone after ``status``."""
    if not (digits := _STATUS.match(text)):
        return False
    rest = digits.end()
    return bool(_SURELY_BEFORE.search(before) if rest == len(text) else _PHRASE.fullmatch(text, rest))


def codes(message: str) -> set[str]:
    """Return the statuses of HTTP and the errnos that a masked message still has."""
    return {match[0].removeprefix("HTTP") for match in _KEPT.finditer(message)}
