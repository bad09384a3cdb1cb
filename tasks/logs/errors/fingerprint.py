"""The fingerprint of an error record: equal for records of the same bug."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...core.text.formatting import printable
from .error_codes import codes
from .message_masks import masked
from .tracebacks import RaisedException, project_frames, read_traceback

VERSION = 1
"""Part of every key: goes up when a rule changes, so that keys of different rules are never taken for equal."""

TITLE_LIMIT = 160

_NOUN = re.compile(r"# (?P<stem>[a-z]{2,}?)(?:ies|s|y)\b")


class Fingerprint(NamedTuple):
    """The group of a record.

    Attributes:
        key: the version, a colon and twelve hexadecimal digits; equal for records of one group.
        title: one printable line that says what the group is, at most ``TITLE_LIMIT`` characters; records of one
            group may word it differently.
    """

    key: str
    title: str


def fingerprint(logger: str, message: str, details: str) -> Fingerprint:
    """Return the group that an error record belongs to.

    Args:
        logger: the name of the record's logger, ``""`` if none.
        message: the record's first line without time, level and logger. Lines after it count as details.
        details: the lines that follow, a traceback for instance; ``""`` if none.

    Where there is a traceback, a group is the types of its exceptions and the project's own frames without line
    numbers, with the statuses of HTTP and the errnos that the message or an exception's line names: the logger and
    the rest of the message do not matter. A traceback that breaks off before its exception is told by its frames and
    the message. Otherwise a group is the logger and the message with its volatile parts masked (``masks``), and the
    exception if the details are no more than an exception's line; other details are data and do not matter.

    The result depends on the arguments alone. Any input takes bounded time: the first ``masks.MESSAGE_LIMIT``
    characters of the message count, and of long details the beginning and the end (``tracebacks.HEAD``, ``TAIL``).
    """
    message, _, more = message.lstrip().partition("\n")
    raised = read_traceback(f"{more}\n{details}" if more else details)
    masked_message = masked(message)
    if not raised:
        return _make_fingerprint(("message", logger, _singular(masked_message)), masked_message or "(no message)")
    title = _title(raised, masked_message)
    types = [exception.type for exception in raised]
    if not any(exception.frames for exception in raised):
        texts = [_singular(masked(exception.text)) for exception in raised]
        return _make_fingerprint(("exception", logger, _singular(masked_message), *types, *texts), title)
    frame_parts = [
        part
        for exception, frames in zip(raised, project_frames(raised), strict=True)
        for part in (*frames, exception.type)
    ]
    if not all(types):
        return _make_fingerprint(("frames", _singular(masked_message), *frame_parts), title)
    kept = sorted(
        {code for text in (masked_message, *(masked(exception.text) for exception in raised)) for code in codes(text)}
    )
    return _make_fingerprint(("traceback", *frame_parts, *kept), title)


def _singular(text: str) -> str:
    """Return *text* so that ``1 entry`` and ``2 entries``, both masked, are the same."""
    return _NOUN.sub(r"# \g<stem>", text)


def _title(raised: Sequence[RaisedException], masked_message: str) -> str:
    """Return what a traceback's group is called: the exception that was raised last, of a group the whole."""
    named = [exception for exception in raised if exception.type]
    if not named:
        return masked_message or "a traceback without its exception"
    outermost = min(exception.depth for exception in named)
    last = [exception for exception in named if exception.depth == outermost][-1]
    # "KeyError: 'density'" tells the masks that the quoted word is a name in the code
    name = "KeyError: " if last.type == "KeyError" else ""
    text = masked(f"{name}{last.text}").removeprefix(name)
    return f"{last.type}: {text}" if text else last.type


def _make_fingerprint(identity: Iterable[str], title: str) -> Fingerprint:
    data = "\x1f".join(identity).encode("utf-8", "surrogatepass")
    title = printable(title)
    if len(title) > TITLE_LIMIT:
        title = f"{title[: TITLE_LIMIT - 1]}…"
    return Fingerprint(f"{VERSION}:{hashlib.blake2b(data, digest_size=6).hexdigest()}", title)
