"""The shapes of log lines: which line begins a record, and what its first line says."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from .timestamps import find_time, seconds_in, seconds_of

_COLOUR = rb"\x1b\[[0-9;]{0,12}m"
ANSI = re.compile(_COLOUR)
"""Colour on a terminal."""

COLOURS = rb"(?:" + _COLOUR + rb"){0,3}"
"""A few of them, or none."""

BOM = b"\xef\xbb\xbf"
_WORD = rb"(?:TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARN(?:ING)?|ERROR|CRITICAL|FATAL)"
_SMALL = rb"(?:trace|debug|info|notice|success|warn(?:ing)?|error|critical|fatal)"
_LEVEL_FIRST = re.compile(
    rb"[\[(<|*]{0,3}"
    + _WORD
    + rb"(?![\w=])|\["
    + COLOURS
    + rb"\s?(?i:"
    + _SMALL
    + rb")\s{0,8}"
    + COLOURS
    + rb"\]|(?:level|severity|lvl)=|\{\s*\""
)
_CLOCK_FIRST = re.compile(rb"\[?\d\d:\d\d:\d\d(?!\d)")
# A time in quotes is what a message speaks of, as in "time data '2025-06-02 12:00:00' does not match", unless the
# line begins with it or it is a field's value, as in time="2025-06-02 12:00:00".
_DATE = rb"\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d"
_RECORD = re.compile(
    rb"^(?:\xef\xbb\xbf)?"
    + COLOURS
    + rb"(?:"
    + _LEVEL_FIRST.pattern
    + rb"|"
    + _CLOCK_FIRST.pattern
    + rb"|\S[^\n]{0,99}?(?:(?<![\d\"'])|(?<==[\"']))"
    + _DATE
    + rb"|[\"']?"
    + _DATE
    + rb")",
    re.MULTILINE,
)

_SEPARATORS = b" \t-|:,;[]()<>/"
_AFTER = b" \t-|:,;])>/"
"""Between a level and its message; a bracket that opens is the message's own."""
_NAME = re.compile(rb"(?<![\w.$=-])[A-Za-z_][\w.$-]{0,199}(?![\w=])")
_WORKER = re.compile(rb"(?i:(?:Main|Dummy)?(?:Thread|Process)|ThreadPool|ForkPool|Spawn|asyncio_|worker\b|pid|tid)")
"""Names of threads and processes, which say nothing about what failed and differ from run to run."""

_LOGGER_AFTER = re.compile(
    rb"/[\w-]{1,99}\](?P<celery>)\s"  # : ERROR/MainProcess] message
    rb"|:(?P<colon>[A-Za-z_][\w.]{0,199}):(?:(?!\s|//)|\s?\Z)"  # ERROR:root:message
    rb"|\s{0,8}\|\s(?P<loguru>[\w.<>]{1,199}:[\w.<>]{1,99}):\d{1,7} - "  # | ERROR    | module:function:12 - message
    rb"|[\])]?\s{1,8}(?:in )?(?P<word>[A-Za-z_][\w.]{0,199}):\s"  # ERROR in app: message
    rb"|[\])]?\s{1,8}\[(?P<bracket>[A-Za-z_][\w.]{0,199})\]:?\s"  # ERROR [api.client] message
    rb"|\s{1,8}(?P<spaced>[A-Za-z_][\w.]{0,199})\s-\s"  # ERROR api.client - message
    rb"|[\])]?\s{0,8}[-|]\s{1,8}(?P<dash>[A-Za-z_][\w.]{0,199})\s{1,8}[-|]\s"  # - ERROR - api.client - message
)
_TOKEN = re.compile(
    rb"(?<![\w.])(?:"
    + _WORD
    + rb"(?![\w=])|\[\s?(?i:"
    + _SMALL
    + rb")\s{0,8}\])|\b(?P<key>level|levelname|severity|lvl)=[\"']?\w"
)
_PAIR = re.compile(
    rb"(?<![\w.@-])(?P<key>[\w.@-]{1,64})=(?:\"(?P<quoted>(?:[^\"\\]|\\.){0,65536})\"|'(?P<single>[^']*)'|(?P<plain>\S*))"
)
"""A field of a line in logfmt."""

_ESCAPED = re.compile(rb"\\([\"\\])")

_LEVELS = ("level", "levelname", "severity", "lvl")
_TIMES = ("timestamp", "time", "asctime", "ts", "@timestamp", "datetime", "date")
_LOGGERS = ("logger", "name", "logger_name", "module", "component")
_MESSAGES = ("message", "msg", "event", "text")
_DETAILS = ("exc_info", "exception", "traceback", "exc_text", "stack_info", "stack", "stack_trace")


class FirstLine(NamedTuple):
    """What the first line of a record says.

    Attributes:
        time: seconds since 1970; ``None`` where it names none.
        logger: the name of the logger; empty where it names none.
        message: what is left without time, level and logger.
        details: what a JSON line has beside its message: a traceback; else empty.
    """

    time: float | None
    logger: str
    message: str
    details: str = ""


def begins_record(line: bytes) -> bool:
    """Tell whether a line begins a record: with a time, a level, a time of day, or as a JSON object."""
    return _RECORD.match(line) is not None


def next_record(buffer: bytes, position: int, limit: int) -> int | None:
    """Return where the first line that begins a record begins, from the line at *position* on."""
    match = _RECORD.search(buffer, position, limit)
    return None if match is None else match.start()


def is_uncaught(text: bytes, end: int, begin: int = 0) -> bool:
    """Tell whether a traceback belongs to no record: what the interpreter writes when a program dies.

    One that follows a record of a warning or worse belongs to it, and so does the further one of a chain.

    Args:
        text: what the traceback stands in.
        end: where it begins.
        begin: where to stop looking for a record in front of it.
    """
    if text[max(end - 200, begin) : end].rstrip().endswith(_CHAINED):
        return False
    line_end = end
    while line_end > begin:
        start = max(text.rfind(b"\n", begin, line_end - 1) + 1, begin)
        if _RECORD.match(text, start):
            line = text[start:line_end]
            if line.startswith(b"{"):
                return _SERIOUS_JSON.search(line) is None
            level = _TOKEN.search(line)
            return level is None or _SERIOUS.match(line, level.start()) is None
        line_end = start
    before = text[begin:end]
    # A rotation may have archived the record, and blanked the rest of its line.
    return not (before.isspace() and b" " in before)


TRACEBACK = b"Traceback (most recent call last):"
"""How Python begins a traceback."""

_CHAINED = (b"direct cause of the following exception:", b"another exception occurred:")
_SERIOUS = re.compile(rb"(?i:\[?\s?|\w{3,9}=[\"']?)(?i:warn|error|critical|fatal)")
_SERIOUS_JSON = re.compile(
    rb"(?i:\"(?:level|levelname|severity|lvl|log\.level)\"\s{0,4}:\s{0,4}\"(?:warn|error|critical|fatal))"
)


def is_structured(sample: bytes) -> bool:
    """Tell whether the lines of a file have the shape of records: one of them in the sample does."""
    return _RECORD.search(sample) is not None


def first_line(line: bytes) -> FirstLine:
    """Take the first line of a record apart."""
    line = line.removeprefix(BOM)
    if line.startswith(b"{"):
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            return _parse_json(value)
    line = (ANSI.sub(b"", line) if b"\x1b" in line else line).rstrip()
    match = find_time(line)
    time = None if match is None else seconds_in(match)
    rest = line if match is None else line[: match.start()] + b" " + line[match.end() :]
    level = _TOKEN.search(rest)
    if level is None:
        return FirstLine(time, "", _decode(rest.strip(_SEPARATORS)))
    if level["key"]:
        return _parse_logfmt(time, rest)
    logger = _last_name(rest[: level.start()])
    after = rest[level.end() :]
    if not logger and (named := _LOGGER_AFTER.match(after)):
        logger, after = next(filter(None, named.groups()), b""), after[named.end() :]
    return FirstLine(time, _decode(logger), _decode(after.lstrip(_AFTER)))


def _parse_logfmt(time: float | None, line: bytes) -> FirstLine:
    """Take a line in logfmt apart; fields of other names stay with the message."""
    fields: dict[str, bytes] = {}

    def take(pair: re.Match[bytes]) -> bytes:
        key = pair["key"].decode("ascii", "replace")
        name = next((names[0] for names in (_LEVELS, _TIMES, _LOGGERS, _MESSAGES) if key in names), None)
        if name is None or name in fields:
            return pair[0]
        fields[name] = pair["plain"] or pair["single"] or _ESCAPED.sub(rb"\1", pair["quoted"] or b"")
        return b""

    rest = _PAIR.sub(take, line).strip()
    logger, message = fields.get(_LOGGERS[0], b""), fields.get(_MESSAGES[0], b"")
    return FirstLine(time, _decode(logger), _decode(b" ".join(filter(None, (message, rest)))))


def _last_name(text: bytes) -> bytes:
    """Return the logger's name among what stands before the level: the last word that names no thread."""
    names = [name for name in _NAME.findall(text) if not _WORKER.match(name)]
    return names[-1] if names else b""


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _parse_json(value: dict[str, Any]) -> FirstLine:
    def first(names: tuple[str, ...]) -> Any:
        return next((value[name] for name in names if value.get(name)), None)

    details = first(_DETAILS)
    return FirstLine(
        next((time for name in _TIMES if (time := seconds_of(value.get(name))) is not None), None),
        str(first(_LOGGERS) or ""),
        str(first(_MESSAGES) or ""),
        "" if isinstance(details, bool) else _join_details(details),
    )


def _join_details(details: Any) -> str:
    if isinstance(details, list):
        return "\n".join(str(part).rstrip("\n") for part in details)
    return "" if details is None else str(details)
