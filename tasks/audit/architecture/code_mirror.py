"""A copy of the project's code in a temporary folder, in which every module can be found by its name.

Folders without ``__init__.py`` get an empty one and modules at the top become packages, for grimp analyses
packages; what is no UTF-8 becomes it. Line numbers stay what they are.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import NamedTuple

from .code_files import CodeFile

LARGEST = 5_000_000
"""Bytes of the largest file that is read: what is larger was generated."""

_INIT = "__init__.py"

_DECLARATION = re.compile(r"^([ \t\f]*#.*?)coding[:=]", re.ASCII)
"""The comment that names an encoding, as PEP 263 finds it."""


class Unread(Exception):
    """A file cannot be read as Python code; the message says why, ``:line`` first where that is known."""


class CodeMirror(NamedTuple):
    """What was copied.

    Attributes:
        tops: the names at the top.
        origins: by the path of a copy, the path of its original below the root.
        lines: by the path of a file, how many lines of code it has.
        unread: the files that are not in it, as ``path:line: reason``.
        bare: the copies of folders that have no ``__init__.py``, so that nothing is in them but modules.
    """

    tops: set[str]
    origins: dict[str, str]
    lines: dict[str, int]
    unread: list[str]
    bare: list[str]


def mirror_code(
    root: Path, sources: Iterable[CodeFile], scratch: Path, stop: Event, advance: Callable[[int], None]
) -> CodeMirror:
    """Copy the code.

    Args:
        root: the project.
        sources: its files.
        scratch: an empty folder.
        stop: ends it early where it is set.
        advance: called for each file.
    """
    made = CodeMirror(set(), {}, {}, [], [])
    for source in sorted(sources, key=_packages_first):
        if stop.is_set():
            break
        advance(1)
        try:
            text = read_code(root / source.path)
        except Unread as error:
            made.unread.append(f"{source.path}{error}")
            continue
        made.lines[source.path] = lines_of_code(text)
        if source.module:
            _copy(made, source, text, scratch)
    made.bare.extend(_complete(scratch))
    return made


def _packages_first(source: CodeFile) -> tuple[bool, str]:
    """Of a folder with ``__init__.py`` and a file of one name, Python imports the folder."""
    return not source.package, source.path


def _copy(made: CodeMirror, source: CodeFile, text: str, scratch: Path) -> None:
    folder = scratch.joinpath(*source.module)
    package, module = folder / _INIT, folder.with_name(f"{folder.name}.py")
    if {str(package), str(module)} & made.origins.keys():
        return  # a file beside the package of its name, which no import reaches
    target = package if source.package or len(source.module) == 1 else module
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_without_declaration(text), encoding="utf-8", errors="replace", newline="")
    made.origins[str(target)] = source.path
    made.tops.add(source.module[0])


def _complete(scratch: Path) -> Iterator[str]:
    """Make packages of the folders, and yield them; one beside the module of its name stays out of reach of imports."""
    for name, _, files in os.walk(scratch):
        folder = Path(name)
        if folder != scratch and _INIT not in files and not folder.with_name(f"{folder.name}.py").exists():
            (folder / _INIT).touch()
            yield name


def read_code(path: Path) -> str:
    """Return the text of a file of Python code, decoded as Python decodes it.

    Raises:
        Unread: it cannot be.
    """
    content = _bytes_of(path)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unread(f":{line}: it is no {error.encoding}") from None
    except (SyntaxError, LookupError, ValueError) as error:
        raise Unread(f":1: {error}") from None


def _bytes_of(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unread(": it is no file any more")
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise Unread(f": {error.strerror}") from None
    if len(content) > LARGEST:
        raise Unread(f": it is larger than {LARGEST // 1_000_000} MB")
    return content


def lines_of_code(text: str) -> int:
    """Return the number of lines that are neither blank nor a comment; documentation counts."""
    stripped = (line.lstrip() for line in text.split("\n"))
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def _without_declaration(text: str) -> str:
    first, *rest = text.split("\n", 2)
    head = [_DECLARATION.sub(r"\1", line) for line in (first, *rest[:1])]
    return "\n".join([*head, *rest[1:]])
