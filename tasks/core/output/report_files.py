"""Reports as files: what a procedure found, for people to look up and for later procedures to compare with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..files import safe_files, state_files
from ..files.safe_files import Refused
from ..report.model import Finding, Report, Status
from ..text.formatting import printable
from .markdown import page

SCHEMA = 1

RUNS_KEPT = 100
"""Runs of one day or month that its file tells apart."""


class _Kept(msgspec.Struct, frozen=True):
    """What is used of a report that is there."""

    schema: Literal[1]
    runs: list[Any] = []


def with_file(root: Path, path: str, report: Report, now: datetime, *, check: str) -> Report:
    """Write *report* to *path* and return it with the file, or with a finding that says why there is none.

    The file holds ``schema``, ``updated``, the report's ``status``, ``summary``, ``findings``, ``metrics`` and
    ``data``, and ``runs``: each run of the file's day or month with its moment (``started``), its ``status`` and its
    ``figures``, which are its metrics by name and subject. A later run replaces the report and adds to ``runs``, so
    that history can be read from it. A file that is no such report is kept aside under another name.

    Args:
        root: the project.
        path: the file, below the root.
        report: what was found.
        now: the moment of the run, aware of its zone.
        check: the id of the finding, ``health.report``.
    """
    found = state_files.read(root, path, _Kept)
    runs = [] if found.content is None else found.content.runs
    findings = list(report.findings)
    if found.problem and found.replaceable:
        remedy = "Look at what wrote it."
        findings.append(_finding(check, path, f"{found.problem} It was kept aside under another name.", remedy))
    written = msgspec.structs.replace(report, findings=findings)
    figures = {" ".join(filter(None, (each.name, each.subject))): each.value for each in report.metrics}
    entry = {"started": now.isoformat(), "status": written.status.value, "figures": figures}
    content = {
        "schema": SCHEMA,
        "updated": now.isoformat(),
        **{
            key: msgspec.to_builtins(getattr(written, key))
            for key in ("status", "summary", "findings", "metrics", "data")
        },
        "runs": [*runs, entry][-RUNS_KEPT:],
    }
    try:
        state_files.write(root, path, content, found)
    except Refused as error:
        findings.append(_finding(check, path, str(error), "Move it away, or see that it can be read."))
    except OSError as error:
        message = f"{printable(path)} cannot be written: {error.strerror}."
        findings.append(_finding(check, path, message, "Make room and see that the folder can be written."))
    else:
        return msgspec.structs.replace(written, files=[*report.files, path])
    return msgspec.structs.replace(report, findings=findings)


def with_page(root: Path, path: str, title: str, report: Report, *, check: str) -> Report:
    """Write *report* to *path* as a page for people and return it with the file, or with a finding that says why not.

    Args:
        root: the project.
        path: the file, below the root; one that is there is replaced.
        title: the heading of the page.
        report: what was found.
        check: the id of the finding.
    """
    try:
        safe_files.write(root, path, page(title, report).encode("utf-8", "backslashreplace"))
    except (Refused, OSError) as error:
        message = f"The page could not be written: {printable(error).rstrip('.')}."
        finding = _finding(check, path, message, "Make room, and see that the folder can be written.")
        return msgspec.structs.replace(report, findings=[*report.findings, finding])
    return msgspec.structs.replace(report, files=[*report.files, path])


def _finding(check: str, path: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, subject=printable(path), status=Status.WARNING, message=message, remedy=remedy)
