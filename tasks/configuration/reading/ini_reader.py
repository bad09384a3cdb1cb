"""INI files, as ``configparser`` reads them, without its interpolation."""

from __future__ import annotations

import configparser

from .parsed_document import Document, Problem, problem_at


class _ContinuesNothing(configparser.Error):
    """An indented line follows a key without a value."""


_CONTINUES_NOTHING = (_ContinuesNothing, getattr(configparser, "MultilineContinuationError", _ContinuesNothing))
"""What is raised for it: from Python 3.13 on, a parsing error that lists no lines."""


def read_ini(text: str) -> Document:
    """Return the sections of an INI text, each a dictionary of texts; a line above all sections is a fault.

    Args:
        text: the text.
    """
    try:
        return Document(_parsed(text, strict=True))
    except configparser.DuplicateSectionError as error:
        return _once_more(text, f"the section {error.section!r} stands twice; both count as one", error.lineno)
    except configparser.DuplicateOptionError as error:
        return _once_more(
            text, f"the key {error.option!r} stands twice in {error.section!r}; this one counts", error.lineno
        )
    except configparser.Error as error:
        return Document(None, _faults(text, error), readable=False)


def _once_more(text: str, message: str, line: int | None) -> Document:
    """Return the document in which something is there twice, with a problem that says so."""
    problem = problem_at(text, message, line or 0, 1)
    try:
        return Document(_parsed(text, strict=False), (problem,))
    except configparser.Error as error:
        return Document(None, (problem, *_faults(text, error)), readable=False)


def _parsed(text: str, *, strict: bool) -> dict[str, dict[str, str | None]]:
    parser = configparser.RawConfigParser(strict=strict, allow_no_value=True, default_section="\0")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys as they are written
    try:
        parser.read_string(text)
    except AttributeError:  # Python 3.11 and 3.12
        raise _ContinuesNothing("") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _faults(text: str, error: configparser.Error) -> tuple[Problem, ...]:
    """Return what is wrong; the messages of ``configparser`` repeat the lines, which may hold secrets."""
    if isinstance(error, configparser.MissingSectionHeaderError):
        return (problem_at(text, "a line above the first [section]", error.lineno, 1),)
    if isinstance(error, _CONTINUES_NOTHING):
        return (Problem("an indented line continues a key that has no value"),)
    if isinstance(error, configparser.ParsingError):
        return tuple(
            problem_at(text, "a line that is neither key, comment nor [section]", line, 1) for line, _ in error.errors
        )
    return (Problem("it is no INI file"),)
