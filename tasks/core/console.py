"""The one place that prints: text for people as each procedure ends, or one JSON document at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Protocol, TextIO

from .errors import OutputError
from .layout import Line, report_lines, verdict_lines
from .report import Report, RunReport, Status, encode
from .settings.model import Settings


class Console(Protocol):
    """What the runner needs of a renderer."""

    def report(self, report: Report) -> None:
        """Take the report of a procedure that has just ended."""
        ...

    def verdict(self, document: RunReport) -> None:
        """Take the document of the whole run."""
        ...


def console_for(settings: Settings, stream: TextIO | None = None) -> Console:
    """Return the renderer that the settings ask for, on *stream* (standard output)."""
    out = stream or sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for a closed one
    if settings.output == "json":
        return JsonConsole(out)
    return TextConsole(out)


class JsonConsole:
    """One document on the stream, at the end, and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def report(self, report: Report) -> None:
        """Say nothing yet."""

    def verdict(self, document: RunReport) -> None:
        """Print the document."""
        text = encode(document).decode()
        if not _can_show(self._stream, text):
            text = json.dumps(json.loads(text))
        emit(self._stream, text)


class TextConsole:
    """Text as soon as there is something to say; styled on a terminal, plain anywhere else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def report(self, report: Report) -> None:
        """Print one procedure's report."""
        self._print(report_lines(report))

    def verdict(self, document: RunReport) -> None:
        """Print the closing line."""
        self._print(verdict_lines(document))

    def _print(self, lines: Iterable[Line]) -> None:
        shown = [[(_showable(self._stream, text), style) for text, style in line] for line in lines]
        if self._stream.isatty():
            self._print_styled(shown)
        else:
            emit(self._stream, "\n".join("".join(text for text, _ in line).rstrip() for line in shown))

    def _print_styled(self, lines: Iterable[Line]) -> None:
        from rich.console import Console as RichConsole
        from rich.text import Text

        styled = StringIO()
        console = RichConsole(file=styled, force_terminal=True, highlight=False, soft_wrap=True)
        for line in lines:
            console.print(Text.assemble(*line))
        emit(self._stream, styled.getvalue().removesuffix("\n"))


class QuietConsole:
    """Nothing while all is well: everything, at the end, where a report is worse than skipped.

    What a scheduler sends to people is what is printed.

    Args:
        console: prints what is told after all.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[Report] = []

    def report(self, report: Report) -> None:
        """Hold the report back until it is known how all of them are."""
        self._held.append(report)

    def verdict(self, document: RunReport) -> None:
        """Print everything, or nothing."""
        if document.status.severity > Status.SKIPPED.severity:
            for report in self._held:
                self._console.report(report)
            self._console.verdict(document)


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _showable(stream: TextIO, text: str) -> str:
    """Return *text* with escapes for what the stream's encoding does not have, as under ``LANG=C``."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def emit(stream: TextIO, text: str) -> None:
    """Print *text*; whoever reads it may leave early (``inv daily | head``), which is no error.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError as error:
        # What Python would flush at its end must go nowhere, or it complains (docs of the signal module).
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(
                f"The report cannot be printed: {error.strerror}. What it tells of was done all the same."
            ) from None
