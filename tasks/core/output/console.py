"""The one place that prints: text for people as each procedure ends, or one JSON document at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from io import StringIO
from typing import Protocol, TextIO

from ..errors import OutputError
from ..report.model import Report, RunReport, Status, encode
from ..settings.model import Settings
from . import github_actions
from .layout import Line, report_lines, verdict_lines
from .markdown import page, title_of


class Page(Enum):
    """Whether a report has a page: it has none, it has one, or that is what was asked for in its place."""

    NONE = "none"
    OFFERED = "offered"
    ASKED = "asked"


class Console(Protocol):
    """What the runner needs of a renderer."""

    def report(self, report: Report, page: Page = Page.NONE) -> None:
        """Take the report of a procedure that has just ended."""
        ...

    def verdict(self, document: RunReport) -> None:
        """Take the document of the whole run."""
        ...


def console_for(settings: Settings, stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> Console:
    """Return the renderer that the settings ask for.

    Args:
        settings: the project's.
        stream: where it prints; standard output where none is given.
        environ: the environment, which tells of a run of GitHub Actions.
    """
    out = stream or sys.stdout
    as_json = settings.output == "json"
    console = JsonConsole(out) if as_json else TextConsole(out)
    if environ is not None and github_actions.is_run(environ):
        return ActionsConsole(console, None if as_json else out, environ)
    return console


class JsonConsole:
    """One document on the stream, at the end, and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def report(self, report: Report, page: Page = Page.NONE) -> None:
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
        self._only_pages = False

    def report(self, report: Report, page: Page = Page.NONE) -> None:
        """Print one procedure's report, or its page where that was asked for."""
        if page is Page.ASKED:
            emit(self._stream, _showable(self._stream, _page(report)).removesuffix("\n"))
            self._only_pages = True
        else:
            self._print(report_lines(report))

    def verdict(self, document: RunReport) -> None:
        """Print the closing line, unless a page is all that was to be printed."""
        if not (self._only_pages and len(document.reports) == 1):
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
        console: prints what is shown after everything else.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[tuple[Report, Page]] = []

    def report(self, report: Report, page: Page = Page.NONE) -> None:
        """Hold the report back until it is known how all of them are."""
        self._held.append((report, page))

    def verdict(self, document: RunReport) -> None:
        """Print everything, or nothing."""
        if document.status.severity > Status.OK.severity:
            for report, page in self._held:
                self._console.report(report, page)
            self._console.verdict(document)


class ActionsConsole:
    """Another renderer, in a run of GitHub Actions: of reports that have a page, that goes to the step's summary.

    Args:
        console: what prints.
        stream: where annotations go; ``None``: it belongs to a document.
        environ: the environment, which names the summary.
    """

    def __init__(self, console: Console, stream: TextIO | None, environ: Mapping[str, str]) -> None:
        self._console = console
        self._stream = stream
        self._environ = environ
        self._annotations: list[str] = []

    def report(self, report: Report, page: Page = Page.NONE) -> None:
        """Have one procedure's report printed, and add its page to the summary."""
        self._console.report(report, page)
        if page is Page.NONE:
            return
        if page is Page.OFFERED:
            self._annotations += github_actions.annotate(report)
        if problem := github_actions.add_to_summary(_page(report), self._environ):
            emit(sys.stderr, problem)

    def verdict(self, document: RunReport) -> None:
        """Have the closing line printed, and print the annotations."""
        self._console.verdict(document)
        if self._stream is not None and self._annotations:
            emit(self._stream, "\n".join(_showable(self._stream, line) for line in self._annotations))


def _page(report: Report) -> str:
    return page(title_of(report.task), report)


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
