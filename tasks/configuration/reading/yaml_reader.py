"""YAML, from libyaml's events: nothing is constructed that a file asks for, and nothing is nested in the C stack.

PyYAML's own composer calls itself for each level, and a file of 30,000 levels ends the process (PyYAML 6.0.3; 10,000
do not, and libyaml 0.2.6 refuses both); it also takes the last of two equal keys without a word. Building from the
events has neither fault, and is faster: two megabytes with 42,193 values take 0.13 s, PyYAML's CSafeLoader 0.37 s to
0.47 s (both in one process, five rounds).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from .parsed_document import Document, Problem, problem_at

DEEPEST = 200
"""Levels of nesting. Files written by people have a dozen."""

_MOST = 500_000
"""Values in a file once its aliases are written out: some twelve times those of two megabytes written by people."""

_SHOWN_KEY = 200
"""Characters of a collection that stands as a key."""

_PROBLEMS = 20
"""Problems of one file that are reported; more of them have one cause."""

_TAG = "tag:yaml.org,2002:"


class _Level(NamedTuple):
    """A collection that is being read.

    Attributes:
        into: the collection.
        anchor: its name for aliases.
        keys: the lines of its keys; ``None`` for a sequence.
        pending: the key that waits for its value.
        merged: what it takes over by ``<<``.
        size: the values in it, aliases written out.
    """

    into: dict[Any, Any] | list[Any]
    anchor: str | None
    keys: dict[Any, int] | None
    pending: list[Any]
    merged: list[Any]
    size: list[int]


class _Anchored(NamedTuple):
    value: Any
    size: int


class _Stop(Exception):
    """The rest cannot be read."""


def read_yaml(text: str) -> Document:
    """Return what a YAML text says.

    Tags that name something other than YAML's own types are reported and their value is read as it is written. Of equal
    keys the last counts, and all are reported. Several documents become a list.

    Args:
        text: the text.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(text)
    try:
        builder.build(yaml.parse(text, loader))
    except yaml.MarkedYAMLError as error:
        return Document(None, (*builder.problems, _fault(text, error)), readable=False)
    except yaml.reader.ReaderError as error:
        line, column = _place(text, error.position)
        message = f"the character U+{_code(error.character):04X} is not allowed in YAML"
        return Document(None, (problem_at(text, message, line, column),), readable=False)
    except UnicodeEncodeError as error:  # half a pair of UTF-16, which libyaml cannot be given
        message = f"the character U+{ord(error.object[error.start]):04X} is not allowed in YAML"
        return Document(None, (problem_at(text, message, *_place(text, error.start)),), readable=False)
    except _Stop:
        return Document(None, tuple(builder.problems), readable=False)
    documents = builder.documents
    value = documents[0] if len(documents) == 1 else documents or None
    return Document(value, tuple(builder.problems))


def _fault(text: str, error: Any) -> Problem:
    """Return where libyaml gave up; where that is an empty line or the end, what began and did not end."""
    mark, start = error.problem_mark or error.context_mark, error.context_mark
    message = _plain(error.problem or error.context or "it is no YAML")
    found = problem_at(text, message, mark.line + 1, mark.column + 1) if mark else Problem(message)
    if start is None or found.excerpt.splitlines()[:1] not in ([], [""]):
        return found
    return problem_at(text, f"what begins here has no end: {message}", start.line + 1, start.column + 1)


def _plain(message: str) -> str:
    """Return libyaml's message in the words of somebody who has not read its source."""
    return {
        "found character that cannot start any token": "no value can start here; it needs quotes, or no tab before it",
        "mapping values are not allowed in this context": "a second ':' in a value; it needs quotes or its own line",
        "could not find expected ':'": "a key without ':'",
        "exceeded maximum nesting depth": "too many levels of nesting",
    }.get(message, message)


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _place(text: str, position: int) -> tuple[int, int]:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


class _Builder:
    """Puts a document together from events, with a stack of its own."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.documents: list[Any] = []
        self.problems: list[Problem] = []
        self._stack: list[_Level] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._size = 0
        self._resolve = _resolver()

    def build(self, events: Iterator[Any]) -> None:
        import yaml

        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        mapping, sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
        ends = yaml.MappingEndEvent, yaml.SequenceEndEvent
        for event in events:
            kind = type(event)
            if kind is scalar:
                value = self._scalar(event)
                if event.anchor is not None:
                    self._anchors[event.anchor] = _Anchored(value, 1)
                self._add(value, 1, event)
            elif kind is mapping or kind is sequence:
                self._begin(event, {} if kind is mapping else [])
            elif kind in ends:
                self._end(event)
            elif kind is alias:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._anchors.clear()

    def _tell(self, event: Any, message: str) -> None:
        if len(self.problems) < _PROBLEMS:
            mark = event.start_mark
            self.problems.append(problem_at(self.text, message, mark.line + 1, mark.column + 1))

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            return self._resolve(event.value) if event.implicit[0] else event.value
        if tag == f"{_TAG}str":
            return event.value
        if tag.startswith(_TAG) and (known := _CONSTRUCTED.get(tag.removeprefix(_TAG))):
            try:
                return known(event.value)
            except ValueError:
                self._tell(event, f"the value is none of the type that its tag {_short(tag)} says")
                return event.value
        self._tell(event, f"the tag {_short(tag)} asks for something that is not made here; the value is read as text")
        return event.value

    def _begin(self, event: Any, into: dict[Any, Any] | list[Any]) -> None:
        if len(self._stack) >= DEEPEST:
            self._tell(event, f"more than {DEEPEST} levels of nesting")
            raise _Stop
        tag = event.tag
        if tag not in {None, "!", f"{_TAG}map", f"{_TAG}seq"}:
            self._tell(event, f"the tag {_short(tag)} asks for something that is not made here")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        keys: dict[Any, int] | None = {} if isinstance(into, dict) else None
        self._stack.append(_Level(into, event.anchor, keys, [], [], [1]))

    def _end(self, event: Any) -> None:
        level = self._stack.pop()
        if isinstance(level.into, dict):
            for merged in level.merged:
                for key, value in merged.items():
                    level.into.setdefault(key, value)
        if level.anchor is not None:
            self._anchors[level.anchor] = _Anchored(level.into, level.size[0])
        self._add(level.into, level.size[0], event)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if event.anchor not in self._anchors:
            self._tell(event, f"the alias *{event.anchor} has no anchor before it")
            raise _Stop
        if known is None:
            self._tell(event, f"the alias *{event.anchor} stands within what it names")
            raise _Stop
        self._add(known.value, known.size, event)

    def _add(self, value: Any, size: int, event: Any) -> None:
        if not self._stack:
            self.documents.append(value)
            return
        level = self._stack[-1]
        level.size[0] += size
        if level.size[0] > _MOST:
            self._tell(event, f"more than {_MOST:,} values once its aliases are written out")
            raise _Stop
        if isinstance(level.into, list):
            level.into.append(value)
        elif level.pending:
            self._pair(level, level.into, level.pending.pop(), value, event)
        else:
            level.pending.append(self._key(level, value, event))

    def _key(self, level: _Level, key: Any, event: Any) -> Any:
        if not isinstance(key, Hashable):
            self._tell(event, "a collection as a key; it is read as text")
            key = str(key)[:_SHOWN_KEY]
        keys = level.keys
        assert keys is not None  # noqa: S101 - only mappings have keys
        line = event.start_mark.line + 1
        if key in keys and key != "<<":
            self._tell(event, f"the key {key!r} stands on line {keys[key]} already; this one counts")
        keys[key] = line
        return key

    def _pair(self, level: _Level, into: dict[Any, Any], key: Any, value: Any, event: Any) -> None:
        if key != "<<":
            into[key] = value
            return
        merged = value if isinstance(value, list) else [value]
        if all(isinstance(each, dict) for each in merged):
            level.merged.extend(merged)
        else:
            self._tell(event, "'<<' takes a mapping or a list of mappings")


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag


def _boolean(text: str) -> bool:
    if text.lower() in {"yes", "true", "on"}:
        return True
    if text.lower() in {"no", "false", "off"}:
        return False
    raise ValueError(text)


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    if ":" in digits:
        return sign * int(_sexagesimal(digits))
    if digits.startswith(("0b", "0x")):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits.startswith("0") else 10)


def _sexagesimal(digits: str) -> float:
    total = 0.0
    for part in digits.split(":"):
        total = total * 60 + float(part)
    return total


def _float(text: str) -> float:
    plain = text.replace("_", "").lower()
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    if digits in {".inf", ".nan"}:
        return sign * float(digits.removeprefix("."))
    return sign * (_sexagesimal(digits) if ":" in digits else float(digits))


def _time(text: str) -> date | datetime | str:
    """Return a moment, or the text where it has a form of YAML 1.1 that ISO 8601 does not know."""
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else datetime.fromisoformat(text)
    except ValueError:
        return text


_CONSTRUCTED: dict[str, Callable[[str], Any]] = {
    "bool": _boolean,
    "int": _integer,
    "float": _float,
    "null": lambda _: None,
    "timestamp": _time,
}


def _resolver() -> Callable[[str], Any]:
    """Return what a plain scalar means, by YAML 1.1's rules as PyYAML has them."""
    import yaml

    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    anywhere = resolvers.get(None, [])

    @cache
    def resolve(text: str) -> Any:
        for tag, pattern in [*resolvers.get(text[:1], []), *anywhere]:
            if pattern.match(text):
                constructed = _CONSTRUCTED.get(tag.removeprefix(_TAG))
                try:
                    return constructed(text) if constructed else text
                except ValueError:
                    return text
        return text

    return resolve
