"""A report as a page for people: Markdown with tables, as code hosts and editors show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..report.model import Finding, Report, Status
from ..text.formatting import count, printable


def title_of(task: str) -> str:
    """Return the heading of a task's page: ``Release checklist`` for ``release.checklist``."""
    return task.replace(".", " ").replace("-", " ").capitalize()


def page(title: str, report: Report) -> str:
    """Return the page: the summary, what is to be done with the worst first, every table, and what is well.

    Args:
        title: its heading.
        report: what is written.
    """
    return "\n".join([f"# {_text(title)}", "", *_lines(report)]) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"**{report.status.value}**: {_text(report.summary)}"
    yield ""
    bad = [each for each in report.findings if each.status not in {Status.OK, Status.SKIPPED}]
    yield "## What to do"
    yield ""
    if bad:
        rows = [[each.status.value, each.subject, each.message, each.remedy] for each in _worst_first(bad)]
        yield from _table(["status", "where", "what", "remedy"], rows)
    else:
        yield "Nothing."
    yield ""
    for name, records in report.data.items():
        if isinstance(records, list) and records and all(isinstance(each, dict) for each in records):
            heads = [*dict.fromkeys(key for each in records for key in each)]
            yield f"## {_text(name.replace('_', ' ').capitalize())}"
            yield ""
            yield from _table(heads, [[each.get(head) for head in heads] for each in records])
            yield ""
    rest = [each for each in report.findings if each not in bad]
    if rest:
        yield f"## {count(len(rest), 'finding')} without anything to do"
        yield ""
        yield from (f"- {each.status.value}: {_text(each.subject)}: {_text(each.message)}" for each in rest)


def _worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: -each.status.severity)


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join('' if cell is None else _text(cell) for cell in cells)} |"


def _text(value: object) -> str:
    """Return a text that is shown as it is, on one line: nothing in it is taken for markup."""
    text = printable(value)
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;")
